//! Pictures of the panel, taken of the running program.

use std::{path::Path, process::Command};

use crate::{
    Failure,
    command::succeed,
    packages::Purpose,
    system::{cargo, prepare},
};

/// Installs what is missing, builds Setpoint, and has it photographed. The tests know how to
/// start a display and a panel on it, so the photographer is an example of theirs.
///
/// # Errors
/// If it does not build, or the panel does not come to show what the pictures are of.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    prepare(Purpose::Test)?;
    let cargo = || {
        let mut command = Command::new(cargo());
        command.current_dir(root);
        command
    };
    succeed(cargo().args(["build", "--package", "setpoint"]))?;
    succeed(
        cargo()
            .args(["run", "--quiet", "--package", "setpoint-tests", "--example", "pictures", "--"])
            .arg(root.join("docs").join("pictures")),
    )
}
