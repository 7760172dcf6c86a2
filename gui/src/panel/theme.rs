//! Colours, sizes and text styles, for dark and light. The only file that names a colour.

use egui::{
    Color32, Context, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, Style, TextStyle,
    Theme, Vec2, Visuals, style::Selection, style::WidgetVisuals,
};

use super::fonts;

/// The colours of one theme, named by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tokens {
    /// Behind everything.
    pub ground: Color32,
    /// Top bar, rail, status bar, inspector.
    pub panel: Color32,
    /// Cards and tables on the ground.
    pub card: Color32,
    /// Inside of fields.
    pub field: Color32,
    /// Lines between parts.
    pub line: Color32,
    /// Outlines of fields and buttons.
    pub outline: Color32,
    /// Text.
    pub text: Color32,
    /// Text of less weight: subtitles, the rail.
    pub soft: Color32,
    /// Text that may be missed: units, column titles, hints.
    pub dim: Color32,
    /// What can be acted on.
    pub accent: Color32,
    /// Words in the accent colour.
    pub accent_text: Color32,
    /// Behind what is selected, and behind blue pills.
    pub accent_ground: Color32,
    /// Text on the accent colour.
    pub on_accent: Color32,
    /// A shortcut's key on the accent colour.
    pub key_on_accent: Color32,
    /// Good.
    pub good: Color32,
    /// Behind a good pill.
    pub good_ground: Color32,
    /// Staged, slow, worth a look.
    pub amber: Color32,
    /// Behind an amber pill.
    pub amber_ground: Color32,
    /// Failed or refused.
    pub bad: Color32,
    /// Behind a red pill.
    pub bad_ground: Color32,
    /// Behind a grey pill.
    pub neutral_ground: Color32,
    /// A switch that is off.
    pub switch_off: Color32,
    /// The knob of a switch.
    pub knob: Color32,
    /// Beside a picture that does not fill its place.
    pub picture_ground: Color32,
    /// Behind a caption on a picture.
    pub caption_ground: Color32,
    /// A caption on a picture.
    pub caption: Color32,
    /// Behind an added line.
    pub added_ground: Color32,
    /// Behind an added word.
    pub added_word: Color32,
    /// Behind a removed line.
    pub removed_ground: Color32,
    /// Behind a removed word.
    pub removed_word: Color32,
    /// Text on an added or removed word.
    pub on_word: Color32,
    /// A removed value in running text.
    pub old_value: Color32,
    /// An added value in running text.
    pub new_value: Color32,
    /// `[tables]` in a bench file.
    pub syntax_table: Color32,
    /// `"text"` in a bench file.
    pub syntax_text: Color32,
    /// What floats above: menus and toasts cast this.
    pub shadow: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    let [_, r, g, b] = hex.to_be_bytes();
    Color32::from_rgb(r, g, b)
}

/// Dark.
pub const DARK: Tokens = Tokens {
    ground: rgb(0x14171c),
    panel: rgb(0x1a1e25),
    card: rgb(0x222832),
    field: rgb(0x14171c),
    line: rgb(0x313947),
    outline: rgb(0x3d4757),
    text: rgb(0xe6e9ef),
    soft: rgb(0xa7b0be),
    dim: rgb(0x8793a3),
    accent: rgb(0x5b9dff),
    accent_text: rgb(0x5b9dff),
    accent_ground: rgb(0x1d3354),
    on_accent: rgb(0x0b1626),
    key_on_accent: rgb(0x8fbcff),
    good: rgb(0x41c38f),
    good_ground: rgb(0x163528),
    amber: rgb(0xe6ad4a),
    amber_ground: rgb(0x3a2d12),
    bad: rgb(0xf0695f),
    bad_ground: rgb(0x41201f),
    neutral_ground: rgb(0x2b323e),
    switch_off: rgb(0x3d4757),
    knob: rgb(0xffffff),
    picture_ground: rgb(0x000000),
    caption_ground: Color32::from_rgba_premultiplied(8, 10, 13, 179),
    caption: rgb(0xe6e9ef),
    added_ground: rgb(0x12301f),
    added_word: rgb(0x41c38f),
    removed_ground: rgb(0x3a1b1d),
    removed_word: rgb(0xf0695f),
    on_word: rgb(0x08150f),
    old_value: rgb(0xf59a92),
    new_value: rgb(0x7fd9b3),
    syntax_table: rgb(0x8fb8ff),
    syntax_text: rgb(0xd7b98a),
    shadow: Color32::from_black_alpha(110),
};

/// Light.
pub const LIGHT: Tokens = Tokens {
    ground: rgb(0xeef0f4),
    panel: rgb(0xf8f9fb),
    card: rgb(0xffffff),
    field: rgb(0xf4f6f9),
    line: rgb(0xd9dee6),
    outline: rgb(0xc5ccd7),
    text: rgb(0x1b2029),
    soft: rgb(0x4d5868),
    dim: rgb(0x626d7b),
    accent: rgb(0x1f6feb),
    accent_text: rgb(0x1758c0),
    accent_ground: rgb(0xdbe8ff),
    on_accent: rgb(0xffffff),
    key_on_accent: rgb(0x4b8bef),
    good: rgb(0x137a52),
    good_ground: rgb(0xd9f3e6),
    amber: rgb(0x8a5a00),
    amber_ground: rgb(0xfdeec9),
    bad: rgb(0xc1352b),
    bad_ground: rgb(0xfde0dd),
    neutral_ground: rgb(0xe9edf3),
    switch_off: rgb(0xb4bdca),
    knob: rgb(0xffffff),
    picture_ground: rgb(0x000000),
    caption_ground: Color32::from_rgba_premultiplied(8, 10, 13, 179),
    caption: rgb(0xe6e9ef),
    added_ground: rgb(0xdcf5e7),
    added_word: rgb(0x8fdcb5),
    removed_ground: rgb(0xfde4e1),
    removed_word: rgb(0xf6aaa3),
    on_word: rgb(0x1b2029),
    old_value: rgb(0xc1352b),
    new_value: rgb(0x137a52),
    syntax_table: rgb(0x1a5fcf),
    syntax_text: rgb(0x7d5a16),
    shadow: Color32::from_black_alpha(40),
};

/// The colours of the theme that is shown.
pub fn tokens(ui: &egui::Ui) -> &'static Tokens {
    if ui.visuals().dark_mode { &DARK } else { &LIGHT }
}

/// Sizes in points.
pub mod size {
    /// Space between a page's edge and what is on it, and between cards.
    pub const GAP: f32 = 12.0;
    /// Space between a page's edge and its content.
    pub const PAGE: f32 = 14.0;
    /// Height of the top bar.
    pub const TOP_BAR: f32 = 44.0;
    /// Height of the status bar.
    pub const STATUS_BAR: f32 = 28.0;
    /// Width of the rail.
    pub const RAIL: f32 = 196.0;
    /// Width of the rail where there is little room.
    pub const NARROW_RAIL: f32 = 52.0;
    /// Width of the inspector.
    pub const INSPECTOR: f32 = 348.0;
    /// Width of the inspector where there is little room.
    pub const NARROW_INSPECTOR: f32 = 332.0;
    /// Height of a field or button.
    pub const CONTROL: f32 = 26.0;
    /// Height of a table row.
    pub const ROW: f32 = 36.0;
    /// Height of a table's row of column titles.
    pub const TITLES: f32 = 29.0;
    /// Corner radius of a card.
    pub const CARD_RADIUS: u8 = 8;
    /// Corner radius of a field or button.
    pub const RADIUS: u8 = 5;
}

/// Body text, regular.
pub fn body() -> FontId {
    FontId::new(13.0, FontFamily::Proportional)
}

/// Small text, regular.
pub fn small() -> FontId {
    FontId::new(12.0, FontFamily::Proportional)
}

/// Text of medium weight: buttons, pills.
pub fn medium(points: f32) -> FontId {
    FontId::new(points, fonts::medium())
}

/// Text of semi-bold weight: titles.
pub fn strong(points: f32) -> FontId {
    FontId::new(points, fonts::semibold())
}

/// Values and code.
pub fn mono() -> FontId {
    FontId::new(12.5, FontFamily::Monospace)
}

/// Small values: captions, hints.
pub fn mono_small() -> FontId {
    FontId::new(11.5, FontFamily::Monospace)
}

/// Captions on pictures.
pub fn mono_tiny() -> FontId {
    FontId::new(11.0, FontFamily::Monospace)
}

/// Bold code.
pub fn mono_bold() -> FontId {
    FontId::new(12.5, fonts::mono_bold())
}

/// Icons, see [`super::icons`].
pub fn icon(points: f32) -> FontId {
    FontId::new(points, fonts::icons())
}

/// Puts fonts and both styles in place. The app and every test begin with it.
pub fn install(ctx: &Context) {
    ctx.set_fonts(fonts::definitions());
    for (theme, tokens) in [(Theme::Dark, &DARK), (Theme::Light, &LIGHT)] {
        ctx.style_mut_of(theme, |style| apply(style, theme, tokens));
    }
}

fn apply(style: &mut Style, theme: Theme, tokens: &Tokens) {
    style.text_styles = [
        (TextStyle::Small, small()),
        (TextStyle::Body, body()),
        (TextStyle::Button, medium(13.0)),
        (TextStyle::Heading, strong(16.0)),
        (TextStyle::Monospace, mono()),
    ]
    .into();
    style.visuals = visuals(theme, tokens);
    style.interaction.selectable_labels = false;
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::new(8.0, 6.0);
    spacing.button_padding = Vec2::new(10.0, 4.0);
    spacing.interact_size = Vec2::new(32.0, size::CONTROL);
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 9.0;
    spacing.icon_spacing = 6.0;
    spacing.combo_width = 96.0;
    spacing.menu_margin = Margin::same(5);
    spacing.tooltip_width = 360.0;
    style.animation_time = 0.08;
}

fn visuals(theme: Theme, tokens: &Tokens) -> Visuals {
    let mut visuals = match theme {
        Theme::Dark => Visuals::dark(),
        Theme::Light => Visuals::light(),
    };
    let radius = CornerRadius::same(size::RADIUS);
    let state = |fill, outline, text| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, outline),
        corner_radius: radius,
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let widgets = &mut visuals.widgets;
    widgets.noninteractive = state(tokens.card, tokens.line, tokens.text);
    widgets.inactive = state(tokens.card, tokens.outline, tokens.text);
    widgets.hovered = state(tokens.neutral_ground, tokens.dim, tokens.text);
    widgets.active = state(tokens.neutral_ground, tokens.accent, tokens.text);
    widgets.open = state(tokens.neutral_ground, tokens.accent, tokens.text);
    visuals.selection =
        Selection { bg_fill: tokens.accent_ground, stroke: Stroke::new(1.0, tokens.accent) };
    visuals.hyperlink_color = tokens.accent;
    visuals.faint_bg_color = tokens.panel;
    visuals.extreme_bg_color = tokens.field;
    visuals.text_edit_bg_color = Some(tokens.field);
    visuals.code_bg_color = tokens.field;
    visuals.warn_fg_color = tokens.amber;
    visuals.error_fg_color = tokens.bad;
    visuals.weak_text_color = Some(tokens.dim);
    visuals.window_fill = tokens.card;
    visuals.window_stroke = Stroke::new(1.0, tokens.outline);
    visuals.window_corner_radius = CornerRadius::same(size::CARD_RADIUS);
    visuals.menu_corner_radius = CornerRadius::same(size::CARD_RADIUS);
    visuals.panel_fill = tokens.ground;
    let shadow = Shadow { offset: [0, 4], blur: 16, spread: 0, color: tokens.shadow };
    visuals.window_shadow = shadow;
    visuals.popup_shadow = shadow;
    visuals
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2 contrast ratio.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |colour: Color32| {
            let [r, g, b, _] = egui::Rgba::from(colour).to_array();
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_what_it_stands_on() {
        for (name, t) in [("dark", &DARK), ("light", &LIGHT)] {
            for (what, text, ground) in [
                ("text on card", t.text, t.card),
                ("soft on panel", t.soft, t.panel),
                ("dim on card", t.dim, t.card),
                ("dim on ground", t.dim, t.ground),
                ("good pill", t.good, t.good_ground),
                ("amber pill", t.amber, t.amber_ground),
                ("bad pill", t.bad, t.bad_ground),
                ("blue pill", t.accent_text, t.accent_ground),
                ("grey pill", t.soft, t.neutral_ground),
                ("primary button", t.on_accent, t.accent),
                ("word added", t.on_word, t.added_word),
                ("word removed", t.on_word, t.removed_word),
            ] {
                let ratio = contrast(text, ground);
                assert!(ratio >= 4.4, "{name}: {what} has a contrast of {ratio:.2}");
            }
        }
    }
}
