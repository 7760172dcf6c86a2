//! Benches of one file.

use super::{Surroundings, Unreadable, environment, load};

/// Words without which a bench file asks for nothing beside it.
const WORDS: [&str; 4] = ["${", "include", "template", "append"];

/// Whether the bench file has nothing beside it that matters: no other files, no variables, no
/// templates. Then it means the same as [`crate::check::read`] says. It may say no of a file that
/// has nothing of that either; [`super::read_layers`] is right of both.
pub fn is_alone(
    main: &str,
    text: &str,
    surroundings: &dyn Surroundings,
    environment: Option<&str>,
) -> bool {
    let name = main.rsplit('/').next().unwrap_or(main);
    let stem = name.strip_suffix(".toml").unwrap_or(name);
    let overlays = || surroundings.matching(&format!("{}.*.toml", load::escape(stem)));
    environment.is_none()
        && !WORDS.into_iter().any(|word| text.contains(word))
        && surroundings.variable(environment::CHOICE).is_none()
        && surroundings.variables().is_empty()
        && surroundings.file(".env") == Err(Unreadable::Missing)
        && overlays().is_ok_and(|overlays| overlays.is_empty())
}
