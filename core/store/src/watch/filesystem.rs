//! File systems whose changes the system does not tell of, or not of all.

use std::path::Path;

/// By the number that `statfs` gives, `f_type` in <linux/magic.h>. What another machine, another
/// program or a layer below changes there makes no event here.
const INCOMPLETE: [(u32, &str); 16] = [
    (0x0000_6969, "NFS"),
    (0x0000_517B, "SMB"),
    (0xFE53_4D42, "SMB"),
    (0xFF53_4D42, "SMB"),
    (0x6573_5546, "FUSE"),
    (0x794C_7630, "an overlay"),
    (0x0102_1997, "9p"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "AFS"),
    (0x00C3_6400, "Ceph"),
    (0x7375_7245, "Coda"),
    (0x786F_4256, "a VirtualBox share"),
    (0x0BD0_0BD0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0x0116_1970, "GFS2"),
];

/// Why native watching cannot be relied on in a folder; `None` if it can.
pub(super) fn incomplete(folder: &Path) -> Option<String> {
    // A folder that cannot be asked is not watched either, which is told by itself.
    let kind = rustix::fs::statfs(folder).ok()?.f_type;
    // Of the number's sign-extension on some machines only the low half counts.
    let name = named(kind as u32)?;
    Some(format!("{} is on {name}, where not every change is told of", folder.display()))
}

fn named(kind: u32) -> Option<&'static str> {
    INCOMPLETE.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_and_layered_file_systems_are_known_by_their_numbers() {
        for (kind, name) in [
            (0x6969, "NFS"),
            (0xFF53_4D42, "SMB"),
            (0x6573_5546, "FUSE"),
            (0x794C_7630, "an overlay"),
            (0x0102_1997, "9p"),
        ] {
            assert_eq!(named(kind), Some(name));
        }
        // ext, tmpfs, XFS, btrfs.
        for kind in [0xEF53, 0x0102_1994, 0x5846_5342, 0x9123_683E] {
            assert_eq!(named(kind), None);
        }
    }

    #[test]
    fn proc_is_none_of_them() {
        assert_eq!(incomplete(Path::new("/proc")), None);
    }
}
