//! A small curve of the last minute.

use egui::{Color32, Response, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, pos2, remap};
use jiff::Timestamp;
use setpoint_instruments::Trend;

/// How long a time it shows, in seconds.
const SPAN_S: f64 = 60.0;

/// A curve of the last 60 s. `least_span` is the least difference that fills the height, so that
/// noise in the last digit does not look like an event. `name` is its accessible name.
pub fn sparkline(
    ui: &mut Ui,
    size: Vec2,
    trend: &Trend,
    now: Timestamp,
    least_span: f64,
    colour: Color32,
    name: &str,
) -> Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let points: Vec<(f64, f64)> = trend
        .iter()
        .map(|(at, value)| (-at.duration_until(now).as_secs_f64(), *value))
        .filter(|(age, value)| *age >= -SPAN_S && value.is_finite())
        .collect();
    let text = if let Some((least, greatest)) = extent(&points) {
        let middle = f64::midpoint(least, greatest);
        let half = ((greatest - least).max(least_span) / 2.0).max(f64::MIN_POSITIVE);
        let area = rect.shrink2(egui::vec2(0.5, 2.0));
        #[allow(clippy::cast_possible_truncation, reason = "screen coordinates")]
        let line: Vec<_> = points
            .iter()
            .map(|(age, value)| {
                let x =
                    remap(*age, -SPAN_S..=0.0, f64::from(area.left())..=f64::from(area.right()));
                let share = (value - middle) / half;
                let y = f64::from(area.center().y) - share * f64::from(area.height()) / 2.0;
                pos2(x as f32, y as f32)
            })
            .collect();
        ui.painter().line(line, Stroke::new(1.5, colour));
        format!("{name}, last 60 s between {least} and {greatest}")
    } else {
        format!("{name}, nothing in the last 60 s")
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &text));
    response
}

/// Least and greatest value, if there are two points or more.
fn extent(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let (first, rest) = points.split_first()?;
    if rest.is_empty() {
        return None;
    }
    Some(rest.iter().fold((first.1, first.1), |(least, greatest), (_, value)| {
        (least.min(*value), greatest.max(*value))
    }))
}
