//! Opening a bench and asking for a file, off the drawing thread.

use std::path::{Path, PathBuf};

use egui::Context;
use tokio::{
    runtime::Handle,
    sync::oneshot::{self, error::TryRecvError},
};

use super::{pages::start::Failure, session::Session};
use crate::{demo, last_bench, serving::Serving};

/// Something that a background task brings.
pub struct Coming<T>(oneshot::Receiver<T>);

/// Whether it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival<T> {
    /// It did.
    Here(T),
    /// It is still on its way.
    NotYet,
    /// The task ended without it.
    Never,
}

impl<T: Send + 'static> Coming<T> {
    /// `unwanted` is given what comes when nobody waits for it any more.
    fn spawn<Unwanted: Future<Output = ()> + Send>(
        workers: &Handle,
        ctx: &Context,
        task: impl Future<Output = T> + Send + 'static,
        unwanted: impl FnOnce(T) -> Unwanted + Send + 'static,
    ) -> Self {
        let (arrive, coming) = oneshot::channel();
        let ctx = ctx.clone();
        workers.spawn(async move {
            if let Err(left_over) = arrive.send(task.await) {
                unwanted(left_over).await;
            }
            ctx.request_repaint();
        });
        Self(coming)
    }

    /// What came, if it has. Never waits.
    pub fn poll(&mut self) -> Arrival<T> {
        match self.0.try_recv() {
            Ok(value) => Arrival::Here(value),
            Err(TryRecvError::Empty) => Arrival::NotYet,
            Err(TryRecvError::Closed) => Arrival::Never,
        }
    }
}

/// A bench on its way.
pub type ComingBench = Coming<Result<Serving, Failure>>;

impl ComingBench {
    /// Waits for the bench and stops it at once; returns when devices and folder are free.
    pub async fn stop(self) {
        if let Ok(Ok(serving)) = self.0.await {
            serving.stop().await;
        }
    }
}

/// What is to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A bench file, kept as the one that was open last, and the environment that it is to run
    /// for; without one, what its surroundings or the file say.
    File(PathBuf, Option<String>),
    /// A copy of the demo bench that exists already.
    DemoFile(PathBuf),
    /// A copy of the demo bench that is yet to be made.
    Demo,
}

impl Target {
    /// The file, or what to call it while there is none.
    pub fn name(&self) -> PathBuf {
        match self {
            Self::File(path, _) | Self::DemoFile(path) => path.clone(),
            Self::Demo => PathBuf::from("the demo bench"),
        }
    }
}

/// Stops the bench that was open, if there was one, then opens the next and its server: they may
/// be the same file, or use the same devices. A bench that nobody waits for is stopped.
pub fn open(workers: &Handle, ctx: &Context, last: Option<Session>, target: Target) -> ComingBench {
    let task = async move {
        if let Some(last) = last {
            last.stop().await;
        }
        start(target).await
    };
    Coming::spawn(workers, ctx, task, async |opened: Result<Serving, Failure>| {
        if let Ok(serving) = opened {
            serving.stop().await;
        }
    })
}

async fn start(target: Target) -> Result<Serving, Failure> {
    let (path, environment, keep) = match target {
        Target::File(path, environment) => (path, environment, true),
        Target::DemoFile(path) => (path, None, false),
        Target::Demo => (copy_demo().await?, None, false),
    };
    let serving = Serving::start_for(&path, ([127, 0, 0, 1], 0).into(), environment).await;
    let serving = serving.map_err(|error| Failure {
        path: path.clone(),
        message: error.to_string(),
        diagnostics: error.diagnostics().to_vec(),
    })?;
    if keep {
        let kept = tokio::task::spawn_blocking(move || last_bench::remember(&path)).await;
        if let Ok(Err(error)) = kept {
            tracing::warn!("the bench will not be remembered: {error}");
        }
    }
    Ok(serving)
}

async fn copy_demo() -> Result<PathBuf, Failure> {
    let failed = |message: String| Failure {
        path: PathBuf::from("The demo bench"),
        message: format!("It cannot be copied to the data or temporary folder: {message}"),
        diagnostics: Vec::new(),
    };
    match tokio::task::spawn_blocking(demo::copy).await {
        Ok(copied) => copied.map_err(|error| failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Asks for a bench file; nothing comes of it where the desktop has no file dialog.
pub fn ask_for_file(workers: &Handle, ctx: &Context, near: &Path) -> Coming<Option<PathBuf>> {
    let folder = near.parent().map(Path::to_owned);
    let task = async move {
        // The disk may be slow, or a network.
        let folder = tokio::task::spawn_blocking(|| folder.filter(|folder| folder.is_dir())).await;
        let mut dialog = rfd::AsyncFileDialog::new()
            .set_title("Open a bench file")
            .add_filter("Bench file", &["toml"]);
        if let Ok(Some(folder)) = folder {
            dialog = dialog.set_directory(folder);
        }
        dialog.pick_file().await.map(|file| file.path().to_owned())
    };
    Coming::spawn(workers, ctx, task, async |_| ())
}
