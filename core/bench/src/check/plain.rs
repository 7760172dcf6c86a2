//! What may not stand in texts: hidden characters, and secrets that anyone can read.

use super::{
    facts::{At, Claim, Secret, Server},
    findings::Problem,
    hidden,
    walk::Walk,
};
use crate::{
    document::{Form, Place},
    path::KeyPath,
    value::Value,
};

/// Parts of names that say a value is a secret.
const SECRETS: [&str; 6] = ["password", "passwd", "passphrase", "token", "secret", "api_key"];

impl Walk<'_, '_, '_> {
    /// Looks at a text, or at the texts of a list. `secret`: whether the schema says that it is.
    pub(super) fn plain_text(&mut self, value: &Value, place: &Place, secret: bool) {
        match value {
            Value::String(_) if place.form == Form::Date => {}
            Value::String(text) => {
                self.hidden(text, place);
                self.secret(text, place, secret);
            }
            Value::Array(items) => {
                let texts = items.iter().zip(&place.parts);
                for (item, place) in texts.filter(|(item, _)| item.as_str().is_some()) {
                    self.plain_text(item, place, secret);
                }
            }
            _ => {}
        }
    }

    fn hidden(&mut self, text: &str, place: &Place) {
        // Devices want such characters at the ends of lines.
        if self.names.last().is_some_and(|name| matches!(*name, "tx_end" | "rx_end")) {
            return;
        }
        if let Some((offset, c)) = hidden::first(text) {
            let at = self.inside(place, text, offset..offset + c.len_utf8());
            let origin = std::mem::replace(&mut self.origin, place.origin);
            self.about_key(at.bytes(), Problem::new("hidden_character", hidden::describe(c)));
            self.origin = origin;
        }
    }

    fn secret(&mut self, text: &str, place: &Place, secret: bool) {
        let subject = self.names.last().copied().unwrap_or_default();
        let what = if text.is_empty() {
            return;
        } else if secret || named_as_secret(subject) {
            "is a secret in plain text, which anyone who gets to see the file can read"
        } else if has_password(text) {
            "holds a password in plain text, which anyone who gets to see the file can read"
        } else {
            return;
        };
        let raw = (self.context.texts)(place.origin).get(place.span.clone()).unwrap_or_default();
        // What comes from somewhere else is not in the file.
        if raw.is_empty() || raw.contains("${") {
            return;
        }
        let names = self.names.iter().skip(usize::from(self.names.len() > 2)).copied();
        let name: String = names
            .collect::<Vec<_>>()
            .join("_")
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
            .take(64)
            .collect();
        self.facts.secrets.push(Secret {
            path: KeyPath::new(self.names.iter().copied()).to_string().into(),
            message: format!("{subject} {what}").into(),
            instead: format!("${{secret:{name}}}").into(),
            at: At::value(place),
        });
    }

    /// `[rtsp]`, if that is what is looked at.
    pub(super) fn server(&mut self, value: &Value, place: &Place) {
        let (["rtsp"], Some(table)) = (self.names.as_slice(), value.as_table()) else { return };
        let Some((index, _, address)) = table.get_full("address") else { return };
        let (Some(text), Some(place)) = (address.as_str(), place.parts.get(index)) else { return };
        let bare = text.trim().trim_start_matches('[').trim_end_matches(']');
        let open =
            bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_unspecified());
        if open {
            let token = table.get("token").and_then(Value::as_str).is_some_and(|it| !it.is_empty());
            let open = Claim::new(text, At::value(place));
            self.facts.server = Some(Box::new(Server { open, token }));
        }
    }

    /// Where a part of a text stands in the file; the whole text if it is written with escapes.
    pub(super) fn inside(&self, place: &Place, text: &str, part: std::ops::Range<usize>) -> At {
        let raw = (self.context.texts)(place.origin).get(place.span.clone()).unwrap_or_default();
        // One or three quotation marks, and a line end that does not count.
        let skipped = [1, 3, 4, 5].into_iter().find(|skipped| {
            let inner = raw.get(*skipped..).and_then(|rest| rest.get(..text.len()));
            inner == Some(text) && raw.len() <= skipped + text.len() + 3
        });
        let Some(skipped) = skipped else { return At::value(place) };
        let start = place.span.start + skipped;
        // Something can be pointed at, also at the end of a text.
        let end = (start + part.end).max(start + part.start + 1);
        At::new(place.origin, &(start + part.start..end))
    }
}

/// Whether the name of a key says that its value is a secret.
fn named_as_secret(name: &str) -> bool {
    if !name.is_ascii() {
        let name = name.to_lowercase();
        return SECRETS.iter().any(|word| name.contains(word));
    }
    let begins = |rest: &str| {
        let same =
            |word: &&str| rest.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word));
        // Most letters begin none of them.
        matches!(rest.as_bytes(), [b'a' | b'p' | b's' | b't' | b'A' | b'P' | b'S' | b'T', ..])
            && SECRETS.iter().any(same)
    };
    (0..name.len()).any(|at| name.get(at..).is_some_and(begins))
}

/// `user:password@` in an address.
pub(super) fn has_password(text: &str) -> bool {
    if !text.contains('@') {
        return false;
    }
    let Some((_, rest)) = text.split_once("://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((user, _)) = host.rsplit_once('@') else { return false };
    user.split_once(':').is_some_and(|(_, password)| !password.is_empty())
}
