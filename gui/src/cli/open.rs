//! `setpoint [FILE]`: the panel.

use std::{env, path::PathBuf};

use crate::{
    cli::{Failure, out},
    demo, last_bench, logging,
    panel::{self, Look, Page, PanelOptions},
};

/// What the panel is opened on.
#[derive(Debug, clap::Args)]
pub struct Open {
    /// The bench file; without one, the bench that was open last.
    #[arg(value_name = "FILE", conflicts_with = "demo")]
    file: Option<PathBuf>,
    /// Open a copy of the demo bench: simulated instruments, test patterns.
    #[arg(long)]
    demo: bool,
    /// The environment to run the bench for; else SETPOINT_ENV, else what the file says.
    #[arg(long, value_name = "NAME", conflicts_with = "demo")]
    env: Option<String>,
    /// Print nothing but errors.
    #[arg(long, short)]
    quiet: bool,
    /// For pictures of the panel.
    #[arg(long, hide = true, value_enum, value_name = "THEME")]
    theme: Option<Look>,
    /// For pictures of the panel.
    #[arg(long, hide = true, value_name = "PAGE")]
    page: Option<Page>,
}

pub fn run(command: Open) -> Result<(), Failure> {
    if !has_display() {
        let what = if command.demo {
            "--demo".to_owned()
        } else {
            command.file.map_or_else(|| "FILE".to_owned(), |file| file.display().to_string())
        };
        return Err(Failure::unusable(format!(
            "there is no display (DISPLAY and WAYLAND_DISPLAY are not set); run the bench \
             without a window: setpoint serve {what}"
        )));
    }
    logging::to_stderr("warn", command.quiet);
    let bench = if command.demo {
        let file = demo::copy().map_err(|error| {
            Failure::unusable(format!(
                "the demo bench cannot be copied to the data or temporary folder: {error}"
            ))
        })?;
        if !command.quiet {
            out::note(&format!("the demo bench is {}", file.display()));
        }
        Some(file)
    } else {
        command.file.clone().or_else(last_bench::recall)
    };
    let (demo, environment) = (command.demo, command.env);
    let Open { theme, page, .. } = command;
    panel::run(PanelOptions { bench, environment, demo, theme, page })
        .map_err(|error| Failure::unusable(format!("the window cannot be opened: {error}")))
}

/// Whether there is something to open a window on. Only X11 and Wayland need to be asked for.
fn has_display() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
