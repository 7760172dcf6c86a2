//! Opening a bench and asking for a file, off the drawing thread.

use std::path::{Path, PathBuf};

use egui::Context;
use tokio::{
    runtime::Handle,
    sync::oneshot::{self, error::TryRecvError},
};

use super::pages::start::Failure;
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
    fn spawn(
        workers: &Handle,
        ctx: &Context,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Self {
        let (arrive, coming) = oneshot::channel();
        let ctx = ctx.clone();
        workers.spawn(async move {
            // Fails only when nobody waits any more.
            let _ = arrive.send(task.await);
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

/// What is to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A bench file, kept as the one that was open last.
    File(PathBuf),
    /// A copy of the demo bench that exists already.
    DemoFile(PathBuf),
    /// A copy of the demo bench that is yet to be made.
    Demo,
}

/// Opens a bench and its server.
pub fn open(workers: &Handle, ctx: &Context, target: Target) -> Coming<Result<Serving, Failure>> {
    Coming::spawn(workers, ctx, async move {
        let (path, keep) = match target {
            Target::File(path) => (path, true),
            Target::DemoFile(path) => (path, false),
            Target::Demo => (copy_demo().await?, false),
        };
        let serving = Serving::start(&path, ([127, 0, 0, 1], 0).into()).await;
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
    })
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
    let folder = near.parent().filter(|folder| folder.is_dir()).map(Path::to_owned);
    Coming::spawn(workers, ctx, async move {
        let mut dialog = rfd::AsyncFileDialog::new()
            .set_title("Open a bench file")
            .add_filter("Bench file", &["toml"]);
        if let Some(folder) = folder {
            dialog = dialog.set_directory(folder);
        }
        dialog.pick_file().await.map(|file| file.path().to_owned())
    })
}
