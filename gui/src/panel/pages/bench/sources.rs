//! The cards of the sources, with their pictures.

use egui::{
    Align2, Color32, CornerRadius, CursorIcon, Pos2, Rect, Response, Role, ScrollArea, Sense,
    Shape, Stroke, StrokeKind, Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};
use setpoint_runtime::SourceInfo;
use setpoint_video::SourceState;

use super::{BenchState, Subject};
use crate::panel::{
    format,
    pages::View,
    theme::{self, Tokens, size},
    widgets::{Mark, Pill, Tone, width_of},
};

const FOOT: f32 = 31.0;
/// Most of the page's height that the cards take; the rest is scrolled.
const SHARE: f32 = 0.45;
/// How much of the next row of cards tells that there is one.
const PEEK: f32 = 26.0;
/// What stands between two things that were measured.
const BETWEEN: &str = " · ";
const LEAST_WIDTH: f32 = 180.0;
const MOST_WIDTH: f32 = 300.0;

/// Draws a card for each source.
pub fn show(ui: &mut Ui, view: &View<'_>, state: &mut BenchState) {
    let sources = &view.status.sources;
    state.textures.retain(|id, _| sources.contains_key(id));
    if sources.is_empty() {
        return;
    }
    let width = ui.available_width();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
    let fit = (((width + size::GAP) / (LEAST_WIDTH + size::GAP)) as usize).clamp(1, 6);
    let columns = fit.min(sources.len().max(2));
    #[allow(clippy::cast_precision_loss, reason = "a small count")]
    let columns_f = columns as f32;
    let card = ((width - size::GAP * (columns_f - 1.0)) / columns_f).min(MOST_WIDTH).floor();
    let picture = (card * 0.62).clamp(112.0, 160.0).floor();
    let rows = sources.len().div_ceil(columns);
    let row = picture + FOOT + size::GAP;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
    let shown = ((ui.available_height() * SHARE / row) as usize).clamp(1, rows);
    #[allow(clippy::cast_precision_loss, reason = "a small count")]
    let height = shown as f32 * row - size::GAP + if shown < rows { PEEK } else { 0.0 };
    ScrollArea::vertical().id_salt("sources").max_height(height).auto_shrink([false, true]).show(
        ui,
        |ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(size::GAP);
            let all: Vec<_> = sources.values().collect();
            for row in all.chunks(columns) {
                ui.horizontal(|ui| {
                    for source in row {
                        one(ui, view, state, source, vec2(card, picture));
                    }
                });
            }
        },
    );
}

fn one(ui: &mut Ui, view: &View<'_>, state: &mut BenchState, source: &SourceInfo, picture: Vec2) {
    let id = &source.measured.id;
    let selected = state.subject(view) == Some(Subject::Source { id: id.clone() });
    let whole = vec2(picture.x, picture.y + FOOT);
    let (rect, response) = ui.allocate_exact_size(whole, Sense::click());
    if ui.is_rect_visible(rect) {
        paint(ui, view, state, source, rect, picture.y, &response, selected);
    }
    let name = format!("{id} source, {}", standing(view, source).text());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, &name));
    if response.on_hover_cursor(CursorIcon::PointingHand).clicked() {
        state.chosen = Some(Subject::Source { id: id.clone() });
    }
}

#[allow(clippy::too_many_arguments, reason = "one picture, drawn once")]
fn paint(
    ui: &mut Ui,
    view: &View<'_>,
    state: &mut BenchState,
    source: &SourceInfo,
    rect: Rect,
    height: f32,
    response: &Response,
    selected: bool,
) {
    let tokens = theme::tokens(ui);
    let radius = CornerRadius::same(size::CARD_RADIUS);
    ui.painter().rect_filled(rect, radius, tokens.card);
    let top = Rect::from_min_size(rect.min, vec2(rect.width(), height));
    let texture = state.textures.entry(source.measured.id.clone()).or_default();
    let shows = !matches!(source.measured.state, SourceState::Disabled | SourceState::Starting);
    if let Some(frame) = (view.pictures)(&source.measured.id).filter(|_| shows) {
        texture.upload(ui.ctx(), &frame);
    }
    match texture.shown().filter(|_| shows) {
        Some((texture, pixels)) => {
            let upper = CornerRadius { nw: size::CARD_RADIUS, ne: size::CARD_RADIUS, sw: 0, se: 0 };
            ui.painter().rect_filled(top, upper, tokens.picture_ground);
            let scale = (top.width() / pixels.x).min(top.height() / pixels.y);
            let inside = Rect::from_center_size(top.center(), pixels * scale);
            let fills = inside.height() > top.height() - 1.0 && inside.width() > top.width() - 1.0;
            let corner = if fills { upper } else { CornerRadius::ZERO };
            let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
            let shape = egui::epaint::RectShape::filled(inside, corner, Color32::WHITE)
                .with_texture(texture, uv);
            ui.painter().add(shape);
        }
        None => no_picture(ui, top, source, tokens),
    }
    let pill = standing(view, source);
    let wide = pill.size(ui).x;
    pill.paint_at(ui, pos2(top.right() - 8.0 - wide, top.top() + 7.0));
    caption(ui, top, &measured(view, source), tokens);
    foot(ui, rect, height, source, tokens);
    let edge = if selected || response.has_focus() {
        Stroke::new(1.5, tokens.accent)
    } else if response.hovered() {
        Stroke::new(1.0, tokens.dim)
    } else {
        Stroke::new(1.0, tokens.line)
    };
    ui.painter().rect_stroke(rect, radius, edge, StrokeKind::Inside);
}

fn foot(ui: &mut Ui, rect: Rect, height: f32, source: &SourceInfo, tokens: &Tokens) {
    let foot = Rect::from_min_max(pos2(rect.left() + 10.0, rect.top() + height), rect.max)
        .with_max_x(rect.right() - 10.0);
    let layout = egui::Layout::right_to_left(egui::Align::Center);
    let mut ui = ui.new_child(UiBuilder::new().max_rect(foot).layout(layout));
    let kind = source.measured.kind.replace('_', " ");
    let what = source.label.clone().unwrap_or(kind);
    let name = width_of(&ui, &source.measured.id, theme::strong(13.0));
    let room = (foot.width() - name - 20.0).floor();
    // A label is someone's words and worth its beginning; a type is all there or not at all.
    let wide = width_of(&ui, &what, theme::mono_small());
    if wide <= room || (source.label.is_some() && room > 60.0) {
        ui.scope(|ui| {
            ui.set_max_width(room);
            crate::panel::widgets::label(ui, what, theme::mono_small(), tokens.dim);
        });
    }
    ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
        let id = &source.measured.id;
        crate::panel::widgets::label(ui, id, theme::strong(13.0), tokens.text);
    });
}

/// The state as a pill.
fn standing(view: &View<'_>, source: &SourceInfo) -> Pill {
    let age = source.measured.at.map(|at| format::seconds_between(at, view.now));
    let (tone, mark, text) = match source.measured.state {
        SourceState::Live => (Tone::Good, Mark::Dot, "Live".to_owned()),
        SourceState::Slow => (Tone::Amber, Mark::Triangle, "Slow".to_owned()),
        SourceState::Frozen => {
            let since = age.map_or_else(String::new, |age| format!(" {}", format::span_s(age)));
            (Tone::Bad, Mark::Triangle, format!("Frozen{since}"))
        }
        SourceState::Fallback => (Tone::Bad, Mark::Square, "No picture".to_owned()),
        SourceState::Starting => (Tone::Info, Mark::Dot, "Starting…".to_owned()),
        SourceState::Disabled => (Tone::Neutral, Mark::Square, "Disabled".to_owned()),
    };
    Pill::new(tone, text).mark(mark)
}

/// Size, rate and format, as measured.
fn measured(view: &View<'_>, source: &SourceInfo) -> String {
    let it = &source.measured;
    let mut parts = Vec::new();
    match it.state {
        SourceState::Fallback => {
            let since = it.at.map(|at| format::span_s(format::seconds_between(at, view.now)));
            parts.push(
                since.map_or_else(
                    || "no signal".to_owned(),
                    |since| format!("no signal for {since}"),
                ),
            );
        }
        SourceState::Disabled | SourceState::Starting => {}
        SourceState::Live | SourceState::Slow | SourceState::Frozen => {
            if let (Some(width), Some(height)) = (it.width, it.height) {
                parts.push(format!("{width}×{height}"));
            }
            if let Some(rate) = it.framerate {
                parts.push(format!("{rate:.1} fps"));
            }
            parts.extend(it.format.clone());
        }
    }
    parts.join(BETWEEN)
}

fn caption(ui: &Ui, top: Rect, text: &str, tokens: &Tokens) {
    if text.is_empty() {
        return;
    }
    let room = top.width() - 22.0;
    // What there is no room for is left out, last part first: the inspector has it.
    let mut text = text;
    while let Some((shorter, _)) = text.rsplit_once(BETWEEN)
        && width_of(ui, text, theme::mono_tiny()) > room
    {
        text = shorter;
    }
    let mut job = egui::text::LayoutJob::simple_singleline(
        text.to_owned(),
        theme::mono_tiny(),
        tokens.caption,
    );
    job.wrap = egui::text::TextWrapping::truncate_at_width(room);
    let galley = ui.painter().layout_job(job);
    let box_size = vec2(galley.size().x + 10.0, 17.0);
    let at = pos2(top.left() + 6.0, top.bottom() - 7.0 - box_size.y);
    let ground = Rect::from_min_size(at, box_size);
    ui.painter().rect_filled(ground, 3, tokens.caption_ground);
    let inner = Align2::LEFT_CENTER
        .anchor_size(pos2(ground.left() + 5.0, ground.center().y), galley.size());
    ui.painter().galley(inner.min, galley, tokens.caption);
}

/// Stripes, and why there is no picture.
fn no_picture(ui: &Ui, top: Rect, source: &SourceInfo, tokens: &Tokens) {
    let painter = ui.painter().with_clip_rect(top.intersect(ui.clip_rect()));
    let upper = CornerRadius { nw: size::CARD_RADIUS, ne: size::CARD_RADIUS, sw: 0, se: 0 };
    painter.rect_filled(top, upper, tokens.panel);
    let inset = top.shrink(1.0);
    let stripes = painter.with_clip_rect(inset.intersect(painter.clip_rect()));
    let (wide, step) = (16.0, 34.0);
    let mut x = top.left() - top.height();
    while x < top.right() {
        let points = vec![
            pos2(x, top.top()),
            pos2(x + wide, top.top()),
            pos2(x + wide + top.height(), top.bottom()),
            pos2(x + top.height(), top.bottom()),
        ];
        stripes.add(Shape::convex_polygon(points, tokens.neutral_ground, Stroke::NONE));
        x += step;
    }
    let words = match source.measured.state {
        SourceState::Disabled => "disabled in the bench file".to_owned(),
        SourceState::Starting => "waiting for the first picture".to_owned(),
        _ => source.measured.error.clone().unwrap_or_else(|| "no picture".to_owned()),
    };
    let mut job =
        egui::text::LayoutJob::simple(words, theme::body(), tokens.soft, top.width() - 24.0);
    job.wrap.max_rows = 3;
    job.halign = egui::Align::Center;
    let galley = painter.layout_job(job);
    let at = pos2(top.center().x, top.center().y - galley.size().y / 2.0);
    painter.galley(at, galley, tokens.soft);
}
