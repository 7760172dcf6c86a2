//! System calls of a running program that do not come back, as those of a network disk that went
//! away, until they are let go.

use std::{
    env,
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Bench, Process, until};

/// Calls of a program that hang, until this goes.
#[derive(Debug)]
pub struct Hang {
    strace: Child,
}

impl Hang {
    /// From now on these calls of all threads (`fsync,fdatasync`) hang before they do anything;
    /// with a path, only those on that file. `None` where the variable
    /// `SETPOINT_TESTS_WITHOUT_ROOT` says that there is no root: such systems often let no program
    /// look into another.
    ///
    /// # Panics
    /// If the program cannot be traced.
    pub fn of(bench: &Bench, process: &Process, calls: &str, path: Option<&Path>) -> Option<Self> {
        if env::var_os("SETPOINT_TESTS_WITHOUT_ROOT").is_some() {
            return None;
        }
        let said = bench.home().join(format!("strace-{}", process.child.id()));
        let mut command = Command::new("strace");
        command.args(["-f", "-o", "/dev/null", "-e"]).arg(format!("trace={calls}"));
        command.arg("-e").arg(format!("inject={calls}:delay_enter=3600s"));
        if let Some(path) = path {
            command.arg("-P").arg(path);
        }
        command.arg("-p").arg(process.child.id().to_string()).stdin(Stdio::null());
        command.stderr(File::create(&said).expect("a file can be made"));
        let mut strace = command.spawn().expect("strace is there: `cargo xtask setup` installs it");
        until("strace to be attached", || {
            let text = fs::read_to_string(&said).unwrap_or_default();
            let ended = strace.try_wait().expect("it is a child of this test");
            assert!(
                ended.is_none(),
                "this test traces a program, which may need root (else set \
                 SETPOINT_TESTS_WITHOUT_ROOT): {text}"
            );
            text.contains("attached").then_some(())
        });
        Some(Self { strace })
    }

    /// Lets all of them go on.
    pub fn let_go(self) {
        drop(self);
    }
}

impl Drop for Hang {
    fn drop(&mut self) {
        let pid = i32::try_from(self.strace.id()).ok().and_then(Pid::from_raw);
        // It may have ended with the program. Told to end it would wait for one that has ended
        // meanwhile; what is gone lets go of everything.
        let _ = kill_process(pid.expect("a process id"), Signal::KILL);
        let _ = self.strace.wait();
    }
}
