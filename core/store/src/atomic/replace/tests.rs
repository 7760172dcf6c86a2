use std::os::unix::fs::symlink;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn keeps_permissions_and_makes_another_inode() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bench.toml");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(&path).unwrap().ino();
    replace(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(mode(&path), 0o640);
    assert_ne!(fs::metadata(&path).unwrap().ino(), before);
    assert_eq!(names(dir.path()), ["bench.toml"]);
}

#[test]
fn keeps_the_owner_where_it_may() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bench.toml");
    fs::write(&path, "old").unwrap();
    if std::os::unix::fs::chown(&path, Some(1234), Some(1234)).is_err() {
        return; // Only root can set this test up.
    }
    replace(&path, b"new").unwrap();
    let meta = fs::metadata(&path).unwrap();
    assert_eq!((meta.uid(), meta.gid()), (1234, 1234));
}

#[test]
fn a_fresh_file_is_readable_and_a_private_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (open, private) = (dir.path().join("a"), dir.path().join("b"));
    replace(&open, b"1").unwrap();
    replace_private(&private, b"1").unwrap();
    // The umask may take bits away, never from the owner.
    assert_eq!(mode(&open) & !0o044, 0o600);
    assert_eq!(mode(&private), 0o600);
}

#[test]
fn links_stay_links() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("git")).unwrap();
    let file = dir.path().join("git/optics.toml");
    fs::write(&file, "old").unwrap();
    symlink("git/optics.toml", dir.path().join("current.toml")).unwrap();
    let link = dir.path().join("bench.toml");
    symlink("current.toml", &link).unwrap();
    replace(&link, b"new").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&file).unwrap(), b"new");
    assert_eq!(names(dir.path()), ["bench.toml", "current.toml", "git"]);
    assert_eq!(names(&dir.path().join("git")), ["optics.toml"]);
}

#[test]
fn a_link_to_nothing_gets_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("bench.toml");
    symlink("optics.toml", &link).unwrap();
    replace(&link, b"new").unwrap();
    assert_eq!(fs::read(dir.path().join("optics.toml")).unwrap(), b"new");
}

#[test]
fn an_error_leaves_everything_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bench.toml");
    fs::create_dir(&path).unwrap();
    assert_eq!(replace(&path, b"new").unwrap_err(), StoreError::NotAFile { path: path.clone() });
    assert!(replace(&dir.path().join("none/bench.toml"), b"new").is_err());
    assert_eq!(names(dir.path()), ["bench.toml"]);
}

#[test]
fn the_last_look_sees_what_is_on_disk_and_may_refuse() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bench.toml");
    fs::write(&path, "old").unwrap();
    let refused = replace_checked(&path, b"new", |bytes| {
        assert_eq!(bytes, b"new");
        assert_eq!(names(dir.path()).len(), 2, "the temporary file is there already");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        Err(StoreError::Changed { path: path.clone() })
    });
    assert_eq!(refused.unwrap_err(), StoreError::Changed { path: path.clone() });
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(dir.path()), ["bench.toml"]);
    replace_checked(&path, b"new", |_| Ok(())).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[test]
fn what_was_written_is_read_back_whole_and_not_beyond() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    fs::write(&path, "abcdef").unwrap();
    let file = File::open(&path).unwrap();
    assert_eq!(read_back(&file, 6).unwrap(), b"abcdef");
    assert_eq!(read_back(&file, 3).unwrap(), b"abcd", "one more shows that there is more");
    assert_eq!(read_back(&file, 9).unwrap(), b"abcdef");
}

#[test]
fn a_file_is_in_place_by_number_or_by_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for name in ["a", "b"] {
        fs::write(at(name), "same").unwrap();
    }
    fs::write(at("c"), "other").unwrap();
    let file = File::open(at("a")).unwrap();
    assert!(is_in_place(&file, &at("a"), b"read otherwise"));
    assert!(is_in_place(&file, &at("b"), b"same"));
    assert!(!is_in_place(&file, &at("c"), b"same"));
    assert!(!is_in_place(&file, &at("none"), b"same"));
}

#[test]
fn attributes_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bench.toml");
    fs::write(&path, "old").unwrap();
    match rustix::fs::setxattr(&path, "user.owner", b"optics", XattrFlags::empty()) {
        Err(Errno::NOTSUP) => return, // Not every disk has attributes.
        set => set.unwrap(),
    }
    replace(&path, b"new").unwrap();
    let mut value = [0; 16];
    let length = getxattr(&path, "user.owner", &mut value[..]).unwrap();
    assert_eq!(&value[..length], b"optics");
}
