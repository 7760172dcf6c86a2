//! `setpoint serve FILE`

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;
use setpoint_runtime::{Command, Origin, ReloadState, Runtime};
use setpoint_store::atomic;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    cli::{Failure, out, sources::Sources},
    demo, logging,
    serving::{Serving, ServingError},
};

/// How long the end of the program waits for server and devices.
const STOP_WITHIN: Duration = Duration::from_secs(8);
/// How long it waits after that for work that cannot be interrupted, such as a disk.
const WORKERS_WITHIN: Duration = Duration::from_secs(1);

/// Runs a bench without a window
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  setpoint serve bench.toml --listen 127.0.0.1:8080\n\n\
              When it is ready it prints one line of JSON with its address, the file that\n\
              holds its token and its process id. SIGHUP reads the file again; SIGTERM and\n\
              SIGINT stop it. The log level is the bench's runtime.log_level; SETPOINT_LOG\n\
              (error, warn, info, debug) overrides it.")]
pub struct Serve {
    /// The bench file.
    #[arg(value_name = "FILE", required_unless_present = "demo", conflicts_with = "demo")]
    file: Option<PathBuf>,
    /// Serve a copy of the demo bench.
    #[arg(long)]
    demo: bool,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The environment to run the bench for.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Serve no RTSP streams. This version serves none in any case.
    #[arg(long)]
    no_rtsp: bool,
    /// Log errors only.
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(command: Serve) -> Result<(), Failure> {
    logging::to_stderr(if command.quiet { "error" } else { "info" }, command.quiet);
    let bench = match command.file {
        Some(file) => file,
        None => demo::copy().map_err(|error| {
            Failure::unusable(format!(
                "the demo bench cannot be copied to the data or temporary folder: {error}"
            ))
        })?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("setpoint")
        .build()
        .map_err(|error| Failure::unusable(format!("no threads can be started: {error}")))?;
    let ended = runtime.block_on(serve(bench, command.listen, command.env));
    // Dropping it would wait for a hung disk for ever.
    runtime.shutdown_timeout(WORKERS_WITHIN);
    ended
}

struct Signals {
    reload: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            reload: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }
}

async fn serve(bench: PathBuf, listen: SocketAddr, env: Option<String>) -> Result<(), Failure> {
    // Before anything runs: a signal that arrives early still ends it gracefully.
    let mut signals = Signals::listen()
        .map_err(|error| Failure::unusable(format!("signals cannot be received: {error}")))?;
    let serving = tokio::select! {
        started = Serving::start_for(&bench, listen, env) => started.map_err(|error| failure(&bench, error))?,
        _ = signals.terminate.recv() => return Ok(()),
        _ = signals.interrupt.recv() => return Ok(()),
    };
    say_what_is_wrong(serving.runtime());
    let ready = json!({
        "ready": true,
        "url": serving.url(),
        "token_file": serving.token_file(),
        "pid": std::process::id(),
    });
    out::print(&ready.to_string());
    tracing::info!("serving {} at {}", bench.display(), serving.url());
    loop {
        tokio::select! {
            _ = signals.reload.recv() => reload(serving.runtime()),
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => break,
        }
    }
    tracing::info!("stopping");
    let bench = serving.runtime().clone();
    let again = async {
        tokio::select! {
            _ = signals.terminate.recv() => {}
            _ = signals.interrupt.recv() => {}
        }
    };
    end(serving.stop(), STOP_WITHIN, again, || bench.ends_after()).await
}

/// Waits for the end of the bench: for so long at most, and no longer than until it is told to end
/// `again`. `what` says what is being waited for.
async fn end(
    stop: impl Future<Output = ()>,
    within: Duration,
    again: impl Future<Output = ()>,
    what: impl Fn() -> &'static str,
) -> Result<(), Failure> {
    let why = tokio::select! {
        stopped = tokio::time::timeout(within, stop) => match stopped {
            Ok(()) => return Ok(()),
            Err(_) => format!("did not stop within {} s", within.as_secs()),
        },
        () = again => "was told twice to end".to_owned(),
    };
    Err(Failure::unusable(format!(
        "the bench {why} and is left: {} did not end. Look at the disk or device behind that; \
         devices keep the values they have",
        what()
    )))
}

fn reload(runtime: &Runtime) {
    let command = Command::Reload { author: "signal".to_owned() };
    match runtime.send(Origin::File, command) {
        Ok(pending) => {
            tokio::spawn(async move {
                match pending.await {
                    Ok(Ok(_)) => tracing::info!("reloaded"),
                    Ok(Err(error)) => tracing::error!("not reloaded: {error}"),
                    Err(_) => {}
                }
            });
        }
        Err(error) => tracing::error!("not reloaded: {error}"),
    }
}

/// A bench that runs an earlier revision: the runtime has logged that, here are all findings.
fn say_what_is_wrong(runtime: &Runtime) {
    let status = runtime.status();
    if status.reload.state == ReloadState::Rejected {
        for finding in status.reload.diagnostics.iter() {
            tracing::warn!("{finding}");
        }
    }
}

/// Why a bench is not served: 1 if its file is wrong, 3 if something cannot be used.
fn failure(bench: &std::path::Path, error: ServingError) -> Failure {
    let findings = error.diagnostics();
    if findings.is_empty() {
        return Failure::unusable(error.to_string());
    }
    // Findings name files as they are called beside the bench.
    let folder = bench.parent().unwrap_or(Path::new(""));
    let files: BTreeSet<&str> = findings.iter().map(|finding| finding.file.as_str()).collect();
    let texts: Vec<_> = files
        .iter()
        .filter_map(|file| Some((*file, atomic::read(&folder.join(file)).ok()?)))
        .collect();
    let mut sources = Sources::default();
    for (file, read) in &texts {
        sources.add(file, &read.text);
    }
    Failure::wrong(format!("{} is not fit to run: {error}", bench.display()))
        .with_findings(findings, &mut sources)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn an_end_that_hangs_is_given_up_and_says_why() {
        let disk = || "keeping the history";
        assert!(end(ready(()), LONG, pending(), disk).await.is_ok());
        let late = end(pending(), Duration::from_millis(1), pending(), disk).await.unwrap_err();
        assert!(late.message().contains("keeping the history"), "{late:?}");
        let again = end(pending(), LONG, ready(()), disk).await.unwrap_err();
        assert!(again.message().contains("told twice"), "{again:?}");
    }
}
