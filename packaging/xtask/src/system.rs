//! Which system this is, and installing what is missing.

use std::{env, fs, io::IsTerminal, path::Path, process::Command};

use crate::{
    Failure,
    command::{output, succeed},
    packages::{self, Purpose},
};

/// Makes sure of the system packages that `purpose` needs. Where nothing is missing it says
/// nothing and needs no network.
///
/// # Errors
/// If packages are missing and could not be installed; the message holds the command to do it.
pub(crate) fn prepare(purpose: Purpose) -> Result<(), Failure> {
    let ids = ids();
    if !ids.iter().any(|id| id == "debian" || id == "ubuntu") {
        eprintln!("{}", packages::elsewhere(&ids, purpose));
        return Ok(());
    }
    let missing = missing(&packages::debian(purpose));
    if missing.is_empty() { Ok(()) } else { install(&missing) }
}

/// Makes sure of rustfmt and clippy.
///
/// # Errors
/// If one is missing and rustup cannot add it.
pub(crate) fn prepare_components() -> Result<(), Failure> {
    let missing: Vec<_> = [("fmt", "rustfmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(command, _)| output(Command::new(cargo()).args([command, "--version"])).is_none())
        .map(|(_, component)| component)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if output(Command::new("rustup").arg("--version")).is_none() {
        return Err(Failure::new(format!(
            "{names} missing, and no rustup to add it: install it the way Rust was installed here"
        )));
    }
    succeed(Command::new("rustup").args(["component", "add"]).args(&missing))
        .map_err(|_| Failure::new(format!("could not add {names}: rustup component add {names}")))
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> String {
    env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Whether a window can be opened here.
pub(crate) fn has_display() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// The names this system gives itself, nearest first.
fn ids() -> Vec<String> {
    if cfg!(target_os = "macos") {
        return vec!["macos".to_owned()];
    }
    os_release_ids(&fs::read_to_string("/etc/os-release").unwrap_or_default())
}

/// `ID` and then `ID_LIKE` of an os-release text.
fn os_release_ids(text: &str) -> Vec<String> {
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
    };
    let all = format!("{} {}", value("ID"), value("ID_LIKE"));
    all.split_whitespace().map(str::to_owned).collect()
}

/// Those of `wanted` that dpkg does not know as installed.
fn missing<'a>(wanted: &[&'a str]) -> Vec<&'a str> {
    let mut query = Command::new("dpkg-query");
    query.args(["-W", "-f", "${Package} ${db:Status-Status}\\n"]).args(wanted);
    // It fails as soon as one package is unknown, and lists the others all the same.
    let said = query.output().map(|out| out.stdout).unwrap_or_default();
    not_installed(wanted, &String::from_utf8_lossy(&said))
}

fn not_installed<'a>(wanted: &[&'a str], listed: &str) -> Vec<&'a str> {
    let there: Vec<_> = listed.lines().filter_map(|line| line.strip_suffix(" installed")).collect();
    wanted.iter().copied().filter(|package| !there.contains(package)).collect()
}

fn install(missing: &[&str]) -> Result<(), Failure> {
    let names = missing.join(" ");
    let by_hand =
        format!("sudo apt-get update && sudo apt-get install -y --no-install-recommends {names}");
    let Some(prefix) = prefix() else {
        return Err(Failure::new(format!(
            "Missing: {names}. To install them, as root: {}",
            by_hand.replace("sudo ", "")
        )));
    };
    let apt_get = |arguments: &[&str]| {
        let mut words = prefix.clone();
        // Through `env`, since sudo does not pass variables on.
        words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]);
        words.extend(arguments);
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        command
    };
    eprintln!("Installing {names}");
    succeed(&mut apt_get(&["update"]))
        .and_then(|()| {
            let mut command = apt_get(&["install", "-y", "--no-install-recommends"]);
            // What each package unpacks is of no interest unless it fails, and then apt-get says
            // so on stderr.
            succeed(command.args(missing).stdout(std::process::Stdio::null()))
        })
        .map_err(|_| {
            Failure::new(format!("apt-get could not install {names}.\nBy hand: {by_hand}"))
        })
}

/// What goes before a command that needs to be root; `None` if that cannot be had.
fn prefix() -> Option<Vec<&'static str>> {
    let is_root = output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if is_root {
        return Some(Vec::new());
    }
    let sudo = ["/usr/bin/sudo", "/bin/sudo"].into_iter().find(|path| Path::new(path).exists())?;
    // sudo may want a password. Where nobody is there to type it, it must fail, not wait.
    Some(if std::io::stdin().is_terminal() { vec![sudo] } else { vec![sudo, "-n"] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_names_itself_before_its_relatives() {
        let text = "NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=22\n";
        assert_eq!(os_release_ids(text), ["linuxmint", "ubuntu", "debian"]);
        assert!(os_release_ids("").is_empty());
    }

    #[test]
    fn removed_and_unknown_packages_are_missing() {
        let listed = "gcc installed\nxvfb config-files\nlibgl1 installed\nlibgl1 installed\n";
        assert_eq!(not_installed(&["gcc", "xvfb", "libgl1", "xauth"], listed), ["xvfb", "xauth"]);
    }
}
