//! What a colour says, and the shape that says it too.

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, Vec2, pos2};

use crate::panel::theme::Tokens;

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Staged, slow, worth a look.
    Amber,
    /// Failed, refused, out of tolerance.
    Bad,
    /// Under way, or the thing that is meant.
    Info,
    /// Nothing to say.
    Neutral,
}

impl Tone {
    /// The colour of text and mark.
    pub fn colour(self, tokens: &Tokens) -> Color32 {
        match self {
            Self::Good => tokens.good,
            Self::Amber => tokens.amber,
            Self::Bad => tokens.bad,
            Self::Info => tokens.accent_text,
            Self::Neutral => tokens.soft,
        }
    }

    /// The colour behind them.
    pub fn ground(self, tokens: &Tokens) -> Color32 {
        match self {
            Self::Good => tokens.good_ground,
            Self::Amber => tokens.amber_ground,
            Self::Bad => tokens.bad_ground,
            Self::Info => tokens.accent_ground,
            Self::Neutral => tokens.neutral_ground,
        }
    }
}

/// The shape beside a text, so that no state is told by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Running.
    Dot,
    /// Something happened, neither good nor bad.
    Ring,
    /// Look at it.
    Triangle,
    /// Held, staged or gone.
    Square,
}

/// Paints a mark of `size` points around `centre`.
pub fn paint_mark(painter: &Painter, mark: Mark, centre: Pos2, size: f32, colour: Color32) {
    let half = size / 2.0;
    match mark {
        Mark::Dot => {
            painter.circle_filled(centre, half, colour);
        }
        Mark::Ring => {
            painter.circle_stroke(centre, half - 1.0, Stroke::new(2.0, colour));
        }
        Mark::Triangle => {
            let points = vec![
                pos2(centre.x, centre.y - half),
                pos2(centre.x + half * 1.15, centre.y + half * 0.85),
                pos2(centre.x - half * 1.15, centre.y + half * 0.85),
            ];
            painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
        }
        Mark::Square => {
            painter.rect_filled(
                Rect::from_center_size(centre, Vec2::splat(size * 0.94)),
                0,
                colour,
            );
        }
    }
}
