//! What a bench must not do where it is in earnest.

use super::{Between, Parts};
use crate::{check::findings::Problem, diagnostic::Severity, schema::PRODUCTION};

pub(super) fn check(environment: &str, parts: &Parts<'_>, found: &mut Between) {
    let earnest = environment == PRODUCTION;
    for (index, (name, facts)) in parts.iter().enumerate() {
        for secret in &facts.secrets {
            let (severity, end) = match earnest {
                true => (Severity::Error, "; production takes none"),
                false => (Severity::Warning, ""),
            };
            let about = (index, secret.path.to_string());
            let message = format!("{}{end}", secret.message);
            let problem = Problem::new("plain_secret", message);
            found.add(
                about,
                severity,
                secret.at,
                problem.suggest(Some(secret.instead.to_string())),
            );
        }
        if !earnest {
            continue;
        }
        let path = |key: &str| (index, name.path().child(key).to_string());
        if let Some(at) = facts.simulated {
            let id = name.id.unwrap_or_default();
            let message = format!(
                "{id} is simulated, and the environment is production: give the address of a \
                 device, or `enabled = false`"
            );
            found.add(path("address"), Severity::Error, at, Problem::new("simulated", message));
        }
        if let Some(server) = facts.server.as_ref().filter(|server| !server.token) {
            let message = format!(
                "address {} serves pictures to everyone who reaches this computer, and the \
                 environment is production: give `token`, or the address 127.0.0.1",
                server.open.text
            );
            found.add(
                path("address"),
                Severity::Error,
                server.open.at,
                Problem::new("open_to_all", message),
            );
        }
    }
}
