//! The embedded fonts: text looks the same on every machine.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily};

const FILES: [(&str, &[u8]); 6] = [
    ("inter", include_bytes!("../../../assets/fonts/Inter-Regular.otf")),
    ("inter-medium", include_bytes!("../../../assets/fonts/Inter-Medium.otf")),
    ("inter-semibold", include_bytes!("../../../assets/fonts/Inter-SemiBold.otf")),
    ("mono", include_bytes!("../../../assets/fonts/JetBrainsMono-Regular.ttf")),
    ("mono-bold", include_bytes!("../../../assets/fonts/JetBrainsMono-Bold.ttf")),
    ("icons", include_bytes!("../../../assets/fonts/Phosphor.ttf")),
];

/// Inter Medium.
pub fn medium() -> FontFamily {
    FontFamily::Name("inter-medium".into())
}

/// Inter SemiBold.
pub fn semibold() -> FontFamily {
    FontFamily::Name("inter-semibold".into())
}

/// JetBrains Mono Bold.
pub fn mono_bold() -> FontFamily {
    FontFamily::Name("mono-bold".into())
}

/// Phosphor icons.
pub fn icons() -> FontFamily {
    FontFamily::Name("icons".into())
}

/// All fonts, each family falling back on the others for signs it lacks.
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    for (name, bytes) in FILES {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let mut family = |family: FontFamily, names: [&str; 3]| {
        fonts.families.insert(family, names.map(str::to_owned).to_vec());
    };
    family(FontFamily::Proportional, ["inter", "mono", "icons"]);
    family(medium(), ["inter-medium", "mono", "icons"]);
    family(semibold(), ["inter-semibold", "mono-bold", "icons"]);
    family(FontFamily::Monospace, ["mono", "inter", "icons"]);
    family(mono_bold(), ["mono-bold", "inter-semibold", "icons"]);
    family(icons(), ["icons", "inter", "mono"]);
    fonts
}
