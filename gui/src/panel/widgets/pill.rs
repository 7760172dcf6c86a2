//! A state in a word or two, with a mark.

use egui::{Align2, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, Widget, WidgetInfo, vec2};

use super::tone::{Mark, Tone, paint_mark};
use crate::panel::theme;

/// A state in a word or two, with a mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Pill {
    text: String,
    tone: Tone,
    mark: Option<Mark>,
    mark_tone: Tone,
    clickable: bool,
    most: f32,
}

const PAD: f32 = 10.0;
const MARK: f32 = 8.5;
const MARK_GAP: f32 = 7.0;
/// Height of a pill.
pub const HEIGHT: f32 = 23.0;

impl Pill {
    /// With the mark that goes with its tone.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        let mark = match tone {
            Tone::Good | Tone::Info => Some(Mark::Dot),
            Tone::Amber | Tone::Bad => Some(Mark::Triangle),
            Tone::Neutral => Some(Mark::Square),
        };
        Self {
            text: text.into(),
            tone,
            mark,
            mark_tone: tone,
            clickable: false,
            most: f32::INFINITY,
        }
    }

    /// With another mark.
    pub fn mark(mut self, mark: Mark) -> Self {
        self.mark = Some(mark);
        self
    }

    /// With a mark of another tone.
    pub fn mark_tone(mut self, tone: Tone) -> Self {
        self.mark_tone = tone;
        self
    }

    /// Without a mark, where the words need none.
    pub fn plain(mut self) -> Self {
        self.mark = None;
        self
    }

    /// It can be clicked.
    pub fn clickable(mut self) -> Self {
        self.clickable = true;
        self
    }

    /// No wider than this; a longer text is cut with ….
    pub fn at_most(mut self, width: f32) -> Self {
        self.most = width;
        self
    }

    /// What it says.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn mark_width(&self) -> f32 {
        if self.mark.is_some() { MARK + MARK_GAP } else { 0.0 }
    }

    /// The room it takes.
    pub fn size(&self, ui: &Ui) -> Vec2 {
        let text = super::text::width_of(ui, &self.text, theme::medium(12.0));
        vec2((text + self.mark_width() + 2.0 * PAD).ceil().min(self.most), HEIGHT)
    }

    /// Paints it with its left top corner at a place, outside the layout. Returns the place it
    /// takes.
    pub fn paint_at(&self, ui: &Ui, left_top: egui::Pos2) -> egui::Rect {
        let rect = egui::Rect::from_min_size(left_top, self.size(ui));
        self.paint(ui, rect, false, false);
        rect
    }

    fn paint(&self, ui: &Ui, rect: egui::Rect, hovered: bool, focused: bool) {
        let tokens = theme::tokens(ui);
        let colour = self.tone.colour(tokens);
        let painter = ui.painter();
        painter.rect_filled(rect, HEIGHT / 2.0, self.tone.ground(tokens));
        if hovered || focused {
            let stroke = Stroke::new(1.0, if focused { tokens.accent } else { colour });
            painter.rect_stroke(rect, HEIGHT / 2.0, stroke, StrokeKind::Inside);
        }
        let mut left = rect.left() + PAD;
        if let Some(mark) = self.mark {
            let centre = egui::pos2(left + MARK / 2.0, rect.center().y);
            paint_mark(painter, mark, centre, MARK, self.mark_tone.colour(tokens));
            left += MARK + MARK_GAP;
        }
        let mut job = egui::text::LayoutJob::simple_singleline(
            self.text.clone(),
            theme::medium(12.0),
            colour,
        );
        job.wrap = egui::text::TextWrapping::truncate_at_width(rect.right() - PAD + 1.0 - left);
        let galley = painter.layout_job(job);
        let at = Align2::LEFT_CENTER.anchor_size(egui::pos2(left, rect.center().y), galley.size());
        painter.galley(at.min, galley, colour);
    }
}

impl Widget for Pill {
    fn ui(self, ui: &mut Ui) -> Response {
        let sense = if self.clickable { Sense::click() } else { Sense::hover() };
        let (rect, response) = ui.allocate_exact_size(self.size(ui), sense);
        let hovered = self.clickable && response.hovered();
        self.paint(ui, rect, hovered, response.has_focus());
        let role = if self.clickable { Role::Button } else { Role::Label };
        response.widget_info(|| WidgetInfo::labeled(role, ui.is_enabled(), &self.text));
        if self.clickable {
            response.on_hover_cursor(egui::CursorIcon::PointingHand)
        } else {
            response
        }
    }
}
