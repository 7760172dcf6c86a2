//! Programs to run.

use std::process::Command;

use crate::Failure;

/// Runs a program to its end.
///
/// # Errors
/// If it cannot be started or does not end with 0; the message names it.
pub(crate) fn succeed(command: &mut Command) -> Result<(), Failure> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(format!("{}: {status}", shown(command)))),
        Err(error) => Err(Failure::new(format!("could not start {}: {error}", shown(command)))),
    }
}

/// What a program prints; `None` if it cannot be started or fails. What it complains of is not
/// shown.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let out = command.output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
}

/// A command as it would be typed.
pub(crate) fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_program_is_named() {
        let failure = succeed(Command::new("/bin/sh").args(["-c", "exit 4"])).unwrap_err();
        assert!(failure.message.contains("sh -c exit 4"), "{}", failure.message);
        assert!(failure.message.contains('4'));
        let failure = succeed(&mut Command::new("no-such-program")).unwrap_err();
        assert!(failure.message.contains("no-such-program"), "{}", failure.message);
    }
}
