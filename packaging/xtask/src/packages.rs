//! System packages: what each is for, and what it is called where.

/// What a set of packages is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Building Setpoint and running it.
    Run,
    /// Running all tests, and taking pictures of the panel.
    Test,
    /// Fuzzing.
    Fuzz,
    /// Killing the store at every call.
    Crash,
    /// Cutting the power of disks in files.
    Power,
}

/// To fuzz: the bench language and driver files need no GStreamer, the fuzzer is C++.
const DEBIAN_FUZZ: &[&str] = &["ca-certificates", "gcc", "g++", "libc6-dev"];
/// To build and test the store alone, and to disturb it.
const DEBIAN_CRASH: &[&str] = &["ca-certificates", "gcc", "libc6-dev", "strace"];
const DEBIAN_POWER: &[&str] = &["e2fsprogs", "mount", "xfsprogs"];
const CRASH: &[&str] = &["gcc", "strace"];
const POWER: &[&str] = &["gcc", "strace", "e2fsprogs", "xfsprogs"];

const FEDORA_FUZZ: &[&str] = &["gcc", "gcc-c++"];
const ARCH_FUZZ: &[&str] = &["base-devel"];

/// To build: a linker, and GStreamer's headers.
const DEBIAN_BUILD: &[&str] =
    &["ca-certificates", "gcc", "libc6-dev", "pkg-config", "libgstrtspserver-1.0-dev"];

/// To run: GStreamer's plugins, and what a window opens at run time.
const DEBIAN_RUN: &[&str] = &[
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "libgl1",
    "libegl1",
    "libgl1-mesa-dri",
    "libx11-6",
    "libx11-xcb1",
    "libxcursor1",
    "libxi6",
    "libxrandr2",
    "libxkbcommon0",
    "libxkbcommon-x11-0",
];

/// To test: a display of our own, keys and clicks, screenshots and reading them, a Vulkan driver
/// for the pictures of single pages, and what fails system calls, takes rights away and sets the
/// clock of a program.
const DEBIAN_TEST: &[&str] = &[
    "xvfb",
    "xauth",
    "xdotool",
    "imagemagick",
    "tesseract-ocr",
    "libvulkan1",
    "mesa-vulkan-drivers",
    "strace",
    "util-linux",
    "faketime",
];

const FEDORA_RUN: &[&str] = &[
    "gcc",
    "pkgconf-pkg-config",
    "gstreamer1-rtsp-server-devel",
    "gstreamer1-plugins-base-devel",
    "gstreamer1-plugins-good",
    "mesa-libGL",
    "mesa-libEGL",
    "mesa-dri-drivers",
    "libX11-xcb",
    "libXcursor",
    "libXi",
    "libXrandr",
    "libxkbcommon-x11",
];
const FEDORA_TEST: &[&str] = &[
    "xorg-x11-server-Xvfb",
    "xauth",
    "xdotool",
    "ImageMagick",
    "tesseract",
    "mesa-vulkan-drivers",
    "strace",
    "libfaketime",
];

const ARCH_RUN: &[&str] = &[
    "base-devel",
    "gst-rtsp-server",
    "gst-plugins-base",
    "gst-plugins-good",
    "mesa",
    "libxcursor",
    "libxi",
    "libxrandr",
    "libxkbcommon-x11",
];
const ARCH_TEST: &[&str] = &[
    "xorg-server-xvfb",
    "xorg-xauth",
    "xdotool",
    "imagemagick",
    "tesseract-data-eng",
    "vulkan-swrast",
    "strace",
    "libfaketime",
];

const MACOS_RUN: &[&str] = &["pkgconf", "gstreamer"];
const MACOS_TEST: &[&str] = &["imagemagick", "tesseract"];

/// Names for Debian, Ubuntu and what is built on them.
pub(crate) fn debian(purpose: Purpose) -> Vec<&'static str> {
    match purpose {
        Purpose::Fuzz => return DEBIAN_FUZZ.to_vec(),
        Purpose::Crash => return DEBIAN_CRASH.to_vec(),
        Purpose::Power => return [DEBIAN_CRASH, DEBIAN_POWER].concat(),
        Purpose::Run | Purpose::Test => {}
    }
    let mut packages = [DEBIAN_BUILD, DEBIAN_RUN].concat();
    if purpose == Purpose::Test {
        packages.extend(DEBIAN_TEST);
    }
    packages
}

/// The command that should install what is needed on another system, as best known; `ids` are
/// the names that a system gives itself in `/etc/os-release`, nearest first.
pub(crate) fn elsewhere(ids: &[String], purpose: Purpose) -> String {
    let known = [
        ("fedora", "sudo dnf install", FEDORA_RUN, FEDORA_TEST, FEDORA_FUZZ),
        ("rhel", "sudo dnf install", FEDORA_RUN, FEDORA_TEST, FEDORA_FUZZ),
        ("arch", "sudo pacman -S --needed", ARCH_RUN, ARCH_TEST, ARCH_FUZZ),
        ("macos", "brew install", MACOS_RUN, MACOS_TEST, &[]),
    ];
    let found = ids.iter().find_map(|id| known.iter().find(|row| row.0 == id));
    let Some((_, installer, run, test, fuzz)) = found else {
        return format!("Needed, by the names Debian gives them: {}", debian(purpose).join(" "));
    };
    let packages = match purpose {
        Purpose::Run => run.to_vec(),
        Purpose::Test => [*run, test].concat(),
        Purpose::Fuzz => fuzz.to_vec(),
        Purpose::Crash => CRASH.to_vec(),
        Purpose::Power => POWER.to_vec(),
    };
    if packages.is_empty() {
        return "Needed, if it is not there: a compiler for C++".to_owned();
    }
    format!("Needed, if it is not there: {installer} {}", packages.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_need_what_running_needs_and_more() {
        let run = debian(Purpose::Run);
        let test = debian(Purpose::Test);
        assert!(run.iter().all(|package| test.contains(package)));
        assert!(test.contains(&"xvfb") && !run.contains(&"xvfb"));
        assert!(test.contains(&"strace"), "the crash campaign fails without");
    }

    #[test]
    fn the_nearest_known_relative_decides() {
        let ids = ["manjaro".to_owned(), "arch".to_owned()];
        let said = elsewhere(&ids, Purpose::Test);
        assert!(said.contains("pacman") && said.contains("xorg-server-xvfb"), "{said}");
        assert!(!elsewhere(&ids, Purpose::Run).contains("xvfb"));
    }

    #[test]
    fn fuzzing_needs_a_compiler_for_cpp_and_no_streams() {
        let fuzz = debian(Purpose::Fuzz);
        assert!(fuzz.contains(&"g++") && !fuzz.iter().any(|name| name.contains("gst")));
        assert!(elsewhere(&["fedora".to_owned()], Purpose::Fuzz).contains("gcc-c++"));
        assert!(elsewhere(&["macos".to_owned()], Purpose::Fuzz).contains("C++"));
    }

    #[test]
    fn cutting_the_power_needs_disks_and_no_streams() {
        let power = debian(Purpose::Power);
        assert!(power.contains(&"xfsprogs") && power.contains(&"strace"));
        assert!(!power.iter().any(|name| name.contains("gst")));
        assert!(elsewhere(&["arch".to_owned()], Purpose::Crash).ends_with("gcc strace"));
    }

    #[test]
    fn an_unknown_system_gets_names_all_the_same() {
        let said = elsewhere(&["plan9".to_owned()], Purpose::Run);
        assert!(said.contains("libgstrtspserver-1.0-dev"), "{said}");
    }
}
