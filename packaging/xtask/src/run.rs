//! Builds Setpoint and starts it on the demo bench.

use std::{
    env,
    io::{self, BufRead, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    Failure,
    command::succeed,
    packages::Purpose,
    system::{cargo, has_display, prepare},
};

const NO_DISPLAY: &str = "There is no display here (DISPLAY and WAYLAND_DISPLAY are not set); \
    without a window: cargo xtask run --headless";

/// Installs what is missing, builds, and becomes Setpoint: its process id is this program's, so
/// that signals reach it and its exit status is passed on.
///
/// # Errors
/// If there is no display for a window, or it does not build or start.
pub(crate) fn run(root: &Path, headless: bool, arguments: &[String]) -> Result<(), Failure> {
    if !headless && !has_display() {
        return Err(Failure::new(NO_DISPLAY).with_code(3));
    }
    prepare(Purpose::Run)?;
    // Not a release build: everyone waits for the build, and dependencies are optimised anyway.
    succeed(Command::new(cargo()).args(["build", "--package", "setpoint"]).current_dir(root))?;
    let program = binary(root);
    let mut setpoint = Command::new(&program);
    if headless {
        setpoint.arg("serve").stdout(announcer()?);
    }
    if arguments.is_empty() {
        setpoint.arg("--demo");
    }
    // Returns only if it fails.
    let error = setpoint.args(arguments).exec();
    Err(Failure::new(format!("could not start {}: {error}", program.display())).with_code(3))
}

/// Where `cargo build` puts `setpoint`.
pub(crate) fn binary(root: &Path) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    // Cargo sees a relative folder from where it was called.
    root.join(target).join("debug").join("setpoint")
}

/// Starts [`announce`] and returns the end to write to.
fn announcer() -> Result<Stdio, Failure> {
    let cannot = |error: &dyn std::fmt::Display| Failure::new(format!("cannot go on: {error}"));
    let this = env::current_exe().map_err(|error| cannot(&error))?;
    let mut child = Command::new(this)
        .arg("announce")
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| cannot(&error))?;
    child.stdin.take().map(Stdio::from).ok_or_else(|| cannot(&"no pipe"))
}

/// Passes on what comes in, and after the ready line says how to ask the server something. Ends
/// when the server closes its output.
///
/// # Errors
/// If stdin or stdout cannot be used.
pub(crate) fn announce() -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::new(format!("cannot pass its output on: {error}"));
    for line in io::stdin().lock().lines() {
        let line = line.map_err(failed)?;
        let mut out = io::stdout().lock();
        writeln!(out, "{line}").and_then(|()| out.flush()).map_err(failed)?;
        if let Some(hint) = hint(&line) {
            eprintln!("{hint}");
        }
    }
    Ok(())
}

/// How to ask the server that printed this ready line.
fn hint(line: &str) -> Option<String> {
    let url = string_field(line, "url")?;
    let token_file = string_field(line, "token_file")?;
    let token = format!("$(sed -n 's/.*\"token\": *\"\\([^\"]*\\)\".*/\\1/p' '{token_file}')");
    Some(format!(
        "The demo bench is served at {url}. Ctrl-C stops it. To ask it something:\n  \
         curl -H \"Authorization: Bearer {token}\" {url}/v1/instruments"
    ))
}

/// The text of a string in a line of JSON that this project prints itself; what is escaped in it
/// stays so.
fn string_field<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let rest = json.split_once(&format!("\"{name}\":"))?.1.trim_start().strip_prefix('"')?;
    Some(rest.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_is_a_command_to_paste() {
        let line =
            r#"{"ready":true,"url":"http://127.0.0.1:4711","token_file":"a b/run.json","pid":7}"#;
        let hint = hint(line).unwrap();
        assert!(hint.contains("http://127.0.0.1:4711/v1/instruments"), "{hint}");
        assert!(hint.contains("'a b/run.json'"), "{hint}");
    }

    #[test]
    fn other_lines_get_no_hint() {
        assert_eq!(hint("starting"), None);
        assert_eq!(hint(r#"{"ready":false}"#), None);
    }
}
