//! `setpoint serve`.

use std::{
    io::{BufRead, BufReader},
    process::{ChildStdout, Command, ExitStatus, Stdio},
};

use serde_json::Value;

use crate::{Api, Bench, Process, Wire, program};

/// A server on a bench, ready.
#[derive(Debug)]
pub struct Server {
    /// HTTP.
    pub api: Api,
    /// The line it printed when it was ready.
    pub ready: Value,
    /// The program.
    pub process: Process,
    // Kept open: a program may take a closed stdout amiss.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Serves a bench and waits until it is ready.
    pub fn start(bench: &Bench) -> Self {
        Self::start_as(bench, program::command(bench))
    }

    /// The same with `setpoint` as this command runs it.
    pub fn start_as(bench: &Bench, mut command: Command) -> Self {
        command.arg("serve").arg(bench.path()).stdout(Stdio::piped());
        let mut process = Process::start(bench, command);
        let stdout = process.child.stdout.take().expect("stdout is piped");
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        // Ends when the program does, at the latest.
        stdout.read_line(&mut line).expect("stdout can be read");
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| {
            panic!("no ready line but {line:?} ({error}); stderr:\n{}", process.stderr())
        });
        assert_eq!(ready["ready"], true, "{ready}");
        Self { api: Api::of(bench), ready, process, _stdout: stdout }
    }

    /// The demo bench, served, its power supply connected.
    pub fn demo() -> (Bench, Self) {
        let bench = Bench::demo();
        let server = Self::start(&bench);
        server.api.until_instrument("psu", "connected");
        (bench, server)
    }

    /// The socket of an instrument.
    pub fn wire(&self, instrument: &str) -> Wire {
        Wire::of(&self.api, instrument)
    }

    /// Stops it as a service manager would.
    pub fn stop(mut self) -> ExitStatus {
        self.process.terminate()
    }
}
