//! A bench that runs and answers HTTP: what the panel and `setpoint serve` have in common.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use setpoint_bench::Diagnostic;
use setpoint_runtime::{Options, Runtime, StartError};
use setpoint_store::{
    BenchFolder, SettingsError, StoreError,
    run::{RunFile, RunGuard, token},
};

/// How often it is looked whether `run.json` is still there.
const LOOK: Duration = Duration::from_secs(1);
/// How long the end of a bench waits for `run.json` to go.
const CLEARING: Duration = Duration::from_secs(1);

/// Why a bench does not run or cannot be reached.
#[derive(Debug)]
pub enum ServingError {
    /// The person's settings cannot be used.
    Settings(SettingsError),
    /// The bench cannot be opened.
    Start(StartError),
    /// It cannot be served over HTTP.
    Api(setpoint_api::ApiError),
    /// The system gives no secret for its callers.
    Store(StoreError),
}

impl std::fmt::Display for ServingError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Settings(error) => error.fmt(out),
            Self::Start(error) => error.fmt(out),
            Self::Api(error) => error.fmt(out),
            Self::Store(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for ServingError {}

impl ServingError {
    /// What is wrong with the bench file, where that is it.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Start(error) => error.diagnostics(),
            Self::Settings(_) | Self::Api(_) | Self::Store(_) => &[],
        }
    }
}

/// A running bench and its HTTP server; both go on until [`Serving::stop`].
pub struct Serving {
    runtime: Runtime,
    server: setpoint_api::ServerHandle,
    run: RunFile,
    published: Arc<Mutex<Published>>,
    token_file: PathBuf,
}

impl Serving {
    /// Opens a bench and serves it. `run.json` is there when this returns, unless it cannot be
    /// written: then that is tried again, and the bench runs meanwhile. Must be called within a
    /// tokio runtime.
    ///
    /// # Errors
    /// See [`ServingError`]; nothing runs then.
    pub async fn start(bench: &Path, listen: SocketAddr) -> Result<Self, ServingError> {
        Self::start_for(bench, listen, None).await
    }

    /// The same for an environment that is asked for.
    ///
    /// # Errors
    /// See [`ServingError`]; nothing runs then.
    pub async fn start_for(
        bench: &Path,
        listen: SocketAddr,
        environment: Option<String>,
    ) -> Result<Self, ServingError> {
        let bench = std::path::absolute(bench).unwrap_or_else(|_| bench.to_owned());
        let access = crate::settings::access().map_err(ServingError::Settings)?;
        let options = Options { environment, access, ..Options::new(&bench) };
        let runtime = Runtime::start(options).await.map_err(ServingError::Start)?;
        tokio::spawn(crate::logging::follow(runtime.reader(), runtime.changes()));
        match publish(&runtime, &bench, listen).await {
            Ok((server, run, guard, token_file)) => {
                let elsewhere = token_file != BenchFolder::of(&bench).run();
                let published = Published { guard, elsewhere, stopping: false };
                let published = Arc::new(Mutex::new(published));
                tokio::spawn(keep_published(Arc::downgrade(&published), run.clone(), bench));
                Ok(Self { runtime, server, run, published, token_file })
            }
            Err(error) => {
                runtime.stop().await;
                Err(error)
            }
        }
    }

    /// The bench.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Where it answers: `http://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.run.url
    }

    /// The file that holds address and token, readable by this user only.
    pub fn token_file(&self) -> &Path {
        &self.token_file
    }

    /// Stops both, the server first, and removes `run.json`.
    pub async fn stop(self) {
        let published = self.published;
        // On a thread that may block: whoever gives up waiting is not held by a hung disk.
        let cleared = tokio::task::spawn_blocking(move || {
            let mut published = locked(&published);
            published.stopping = true;
            published.guard.take().map(RunGuard::clear)
        });
        match tokio::time::timeout(CLEARING, cleared).await {
            Ok(Ok(None | Some(Ok(())))) => {}
            Ok(Ok(Some(Err(error)))) => tracing::warn!("run.json stays behind: {error}"),
            Ok(Err(error)) => tracing::warn!("run.json stays behind: {error}"),
            // Of more account is that the devices are let go.
            Err(_) => tracing::warn!(
                "run.json stays behind: the disk does not answer; look whether it is there and \
                 reachable"
            ),
        }
        self.server.shutdown().await;
        self.runtime.stop().await;
    }
}

/// `run.json` as it is on the disk.
struct Published {
    /// `None` while it cannot be written.
    guard: Option<RunGuard>,
    /// It could not be beside the bench file when the bench was opened. Else it goes nowhere but
    /// there: programs look for it there, and a folder that is away may come back with it.
    elsewhere: bool,
    /// It is gone for good.
    stopping: bool,
}

fn locked(published: &Mutex<Published>) -> MutexGuard<'_, Published> {
    published.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes `run.json` again when someone deleted it, until the bench is no longer served: without
/// it, no command finds a bench that runs. A disk that does not answer holds up nothing but that.
async fn keep_published(published: Weak<Mutex<Published>>, run: RunFile, bench: PathBuf) {
    let mut told = false;
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(published) = published.upgrade() else { return };
        let (run, bench) = (run.clone(), bench.clone());
        let look = tokio::task::spawn_blocking(move || publish_again(&published, run, &bench));
        match look.await {
            Ok(Look::There) => {}
            Ok(Look::Written) => {
                told = false;
                tracing::warn!("run.json was not there; it is written again");
            }
            Ok(Look::Failed(error)) if !told => {
                told = true;
                tracing::warn!("run.json is not there and cannot be written: {error}");
            }
            Ok(Look::Failed(_)) => {}
            Ok(Look::Over) | Err(_) => return,
        }
    }
}

/// What came of looking whether `run.json` is there.
enum Look {
    There,
    Written,
    Failed(StoreError),
    /// It is gone for good.
    Over,
}

fn publish_again(published: &Mutex<Published>, run: RunFile, bench: &Path) -> Look {
    let path = locked(published).guard.as_ref().map(|guard| guard.path().to_owned());
    if path.unwrap_or_else(|| BenchFolder::of(bench).run()).exists() {
        return Look::There;
    }
    let mut published = locked(published);
    if published.stopping {
        return Look::Over;
    }
    // First: a guard that is dropped later would remove what is written now.
    published.guard = None;
    let written = match (BenchFolder::open(bench), published.elsewhere) {
        (Ok(folder), false) => run.write_beside(&folder),
        (Err(error), false) => Err(error),
        (_, true) => run.write(&BenchFolder::of(bench)),
    };
    match written {
        Ok(guard) => {
            published.guard = Some(guard);
            Look::Written
        }
        Err(error) => Look::Failed(error),
    }
}

async fn publish(
    runtime: &Runtime,
    bench: &Path,
    listen: SocketAddr,
) -> Result<(setpoint_api::ServerHandle, RunFile, Option<RunGuard>, PathBuf), ServingError> {
    let token = token().map_err(ServingError::Store)?;
    let server = setpoint_api::serve(runtime.clone(), listen, token.clone())
        .await
        .map_err(ServingError::Api)?;
    let folder = BenchFolder::of(bench);
    let run = RunFile {
        url: format!("http://{}", server.address),
        token,
        pid: std::process::id(),
        bench: bench.to_owned(),
    };
    let mut token_file = folder.run();
    let guard = match run.clone().write(&folder) {
        Ok(guard) => {
            if guard.path() != token_file {
                token_file = guard.path().to_owned();
                let shown = token_file.display();
                tracing::warn!("run.json cannot be beside the bench file; it is {shown}");
            }
            Some(guard)
        }
        Err(error) => {
            tracing::error!("no command will find this bench until run.json is written: {error}");
            None
        }
    };
    Ok((server, run, guard, token_file))
}
