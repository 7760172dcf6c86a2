//! Power cuts: a disk in a file, shut down under a program that commits, with its journal flushed
//! and without. Takes root and minutes: `cargo xtask soak power`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod campaign;

use std::{fs, path::Path, process::Command, thread, time::Duration};

use campaign::{
    After, Dice, Mounted, Running, asked, fresh, has_temporary, inspect, inspect_history, run,
};

/// A kind of disk.
struct Disk {
    name: &'static str,
    make: &'static [&'static str],
    bytes: u64,
    options: &'static str,
}

const DISKS: [Disk; 3] = [
    Disk { name: "ext4", make: &["mkfs.ext4", "-q"], bytes: 64 << 20, options: "loop" },
    Disk {
        name: "ext4 noauto_da_alloc",
        make: &["mkfs.ext4", "-q"],
        bytes: 64 << 20,
        options: "loop,noauto_da_alloc",
    },
    Disk { name: "xfs", make: &["mkfs.xfs", "-q"], bytes: 320 << 20, options: "loop" },
];

/// What the cut leaves: nothing that was not synced; or the file system's own journal too, so that
/// names may be there before what they name.
const ORDERS: [(&str, &str); 2] = [("cut", "shutdown"), ("order", "shutdown -f")];

#[test]
#[ignore = "takes minutes; cargo xtask soak power"]
fn after_a_power_cut_the_file_is_whole_and_nothing_acknowledged_but_the_last_is_lost() {
    assert!(rustix::process::geteuid().is_root(), "power cuts are simulated as root");
    let cuts = asked("SETPOINT_POWER_CUTS", 50);
    let mut dice = Dice::new(asked("SETPOINT_SEED", u64::from(std::process::id())));
    let mut table =
        vec!["| disk | shut down | cuts | commits | last ack lost | swept |".to_owned()];
    for disk in &DISKS {
        for (order, shutdown) in ORDERS {
            let cell = Cell::new(disk);
            let (mut acked, mut lost, mut swept) = (0, 0, 0);
            for _ in 0..cuts {
                let cut = cell.cut(acked, shutdown, &mut dice);
                lost += u64::from(cut.lost);
                swept += u64::from(cut.swept);
                acked = cut.holds;
            }
            let name = disk.name;
            table.push(format!("| {name} | {order} | {cuts} | {acked} | {lost} | {swept} |"));
            println!("{}", table.last().unwrap());
        }
    }
    println!("\n{}", table.join("\n"));
}

struct Cell {
    dir: tempfile::TempDir,
    disk: &'static str,
}

struct Cut {
    /// The commit that the file holds afterwards.
    holds: u64,
    /// The last acknowledged is not.
    lost: bool,
    /// There were temporary files to sweep.
    swept: bool,
}

impl Cell {
    fn new(disk: &Disk) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("image");
        fs::File::create(&image).unwrap().set_len(disk.bytes).unwrap();
        let (make, arguments) = disk.make.split_first().unwrap();
        run(Command::new(make).args(arguments).arg(&image));
        let cell = Self { dir, disk: disk.options };
        let mounted = cell.mount();
        fresh(mounted.path());
        run(Command::new("sync").arg("-f").arg(mounted.path()));
        cell
    }

    fn mount(&self) -> Mounted {
        let image = self.dir.path().join("image");
        Mounted::new(&["-o", self.disk, image.to_str().unwrap()], &self.dir.path().join("disk"))
    }

    fn cut(&self, held: u64, shutdown: &str, dice: &mut Dice) -> Cut {
        let mounted = self.mount();
        let bench = mounted.path().join("bench.toml");
        let mut running = Running::endless(&bench);
        running.read_lines(2 + dice.below(6));
        // Not waiting for anything: any instant will do.
        thread::sleep(Duration::from_micros(dice.below(8_000)));
        run(Command::new("xfs_io").args(["-x", "-c", shutdown]).arg(mounted.path()));
        // Where the disk is gone it cannot go on.
        let said = running.finish();
        let acked = said.acked.or(said.opened).unwrap_or(held);
        mounted.unmount();

        let mounted = self.mount();
        let bench: &Path = &mounted.path().join("bench.toml");
        let swept = has_temporary(bench);
        let holds = inspect(bench, acked, After::PowerCut);
        // As of the file, the last acknowledged may be missing.
        let before_last = said.acked.map(|acked| acked - 1).filter(|it| Some(*it) > said.opened);
        inspect_history(bench, before_last.unwrap_or(0));
        mounted.unmount();
        Cut { holds, lost: holds < acked, swept }
    }
}
