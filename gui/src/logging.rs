//! The log on stderr, at the level that the bench file asks for.

use std::{io::IsTerminal, sync::OnceLock};

use setpoint_bench::{KeyPath, Value};
use setpoint_runtime::{Status, StatusReader};
use tokio::sync::watch;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, layer::SubscriberExt, reload, util::SubscriberInitExt,
};

/// The way to change the level of the running log.
static LEVEL: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Logs to stderr. SETPOINT_LOG decides the level for good; without it, `level` does, until a
/// bench says otherwise unless it is `quiet`.
pub fn to_stderr(level: &str, quiet: bool) {
    let wanted = std::env::var("SETPOINT_LOG").ok();
    let fixed = wanted.and_then(|wanted| EnvFilter::try_new(wanted).ok());
    let follows = fixed.is_none() && !quiet;
    let (level, handle) = reload::Layer::new(fixed.unwrap_or_else(|| filter(level)));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_filter(level);
    // Fails only where there is a log already, which then stays.
    if tracing_subscriber::registry().with(lines).try_init().is_ok() && follows {
        let _ = LEVEL.set(handle);
    }
}

/// Our own events at a level, those of libraries from warnings on.
fn filter(level: &str) -> EnvFilter {
    EnvFilter::new(format!("warn,setpoint={level}"))
}

/// Keeps the log at `runtime.log_level` of a running bench, until the bench stops. It keeps no
/// handle that would keep the bench running.
pub async fn follow(reader: StatusReader, mut changes: watch::Receiver<u64>) {
    let mut current = String::new();
    loop {
        let wanted = wanted(&reader.status());
        if wanted != current
            && let Some(level) = LEVEL.get()
        {
            if let Err(error) = level.reload(filter(&wanted)) {
                tracing::warn!("the log level stays as it is: {error}");
            }
            current = wanted;
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// The level that the running bench file asks for.
fn wanted(status: &Status) -> String {
    let asked = status.values.get(&KeyPath::new(["runtime", "log_level"])).and_then(Value::as_str);
    asked.unwrap_or("info").to_owned()
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use setpoint_runtime::{Options, Runtime};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn following_does_not_keep_a_bench_running() {
        let folder = tempfile::tempdir().unwrap();
        let bench = folder.path().join("bench.toml");
        fs::write(&bench, "format = 1\n").unwrap();
        let runtime = Runtime::start(Options::new(bench)).await.unwrap();
        let following = tokio::spawn(follow(runtime.reader(), runtime.changes()));
        drop(runtime);
        tokio::time::timeout(Duration::from_secs(20), following).await.unwrap().unwrap();
    }
}
