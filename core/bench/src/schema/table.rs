//! The table of keys, one file for each table of a bench file.

mod bench;
mod instruments;
mod modules;
mod rtsp;
mod runtime;
mod sources;
mod templates;

use super::{Key, Kind, Merge, Preset};
use crate::diff::Effect;

pub(crate) use modules::MODULE_TYPES;
pub(crate) use sources::{LATER_SOURCE_TYPES, SOURCE_TYPES};

/// In the order in which a bench file is written.
const PARTS: &[&[Key]] = &[
    bench::KEYS,
    runtime::KEYS,
    rtsp::KEYS,
    templates::KEYS,
    instruments::KEYS,
    sources::KEYS,
    modules::KEYS,
];

const COUNT: usize = {
    let mut count = 0;
    let mut part = 0;
    while part < PARTS.len() {
        count += PARTS[part].len();
        part += 1;
    }
    count
};

static ALL: [Key; COUNT] = {
    let mut all = [PARTS[0][0]; COUNT];
    let (mut part, mut next) = (0, 0);
    while part < PARTS.len() {
        let mut row = 0;
        while row < PARTS[part].len() {
            all[next] = PARTS[part][row];
            row += 1;
            next += 1;
        }
        part += 1;
    }
    all
};

/// Every key that a bench file may have.
pub static KEYS: &[Key] = &ALL;

/// A key that need not be there, has no default, and changes nothing that runs.
const fn key(path: &'static str, kind: Kind, about: &'static str) -> Key {
    Key {
        path,
        kind,
        preset: Preset::Absent,
        effect: Effect::None,
        idle: None,
        about,
        unit: None,
        since: 1,
        merge: Merge::of(kind),
        secret: false,
        only: &[],
    }
}

/// `template` and `with` of components that can be made from templates.
const fn from_template(
    [template, with]: [&'static str; 2],
    about_template: &'static str,
    effect: Effect,
) -> [Key; 2] {
    [
        key(template, Kind::TemplateName, about_template).effect(effect),
        key(
            with,
            Kind::With,
            "What takes the place of the template's placeholders, by their names: \
             `{ channel = 1 }` for `$(channel)`.",
        )
        .effect(effect),
    ]
}

impl Key {
    /// It must be there.
    const fn required(self) -> Self {
        Self { preset: Preset::Required, ..self }
    }

    const fn text(self, preset: &'static str) -> Self {
        Self { preset: Preset::Text(preset), ..self }
    }

    /// This text in production, that one elsewhere.
    const fn by_environment(self, production: &'static str, elsewhere: &'static str) -> Self {
        Self { preset: Preset::ByEnvironment { production, elsewhere }, ..self }
    }

    const fn whole(self, preset: i64) -> Self {
        Self { preset: Preset::Whole(preset), ..self }
    }

    const fn switch(self, preset: bool) -> Self {
        Self { preset: Preset::Switch(preset), ..self }
    }

    const fn effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    const fn unit(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    /// Only components of these types have it.
    const fn only(self, types: &'static [&'static str]) -> Self {
        Self { only: types, ..self }
    }

    /// It is known and checked, and this version does nothing with it: why.
    const fn idle(self, why: &'static str) -> Self {
        Self { idle: Some(why), effect: Effect::None, ..self }
    }
}
