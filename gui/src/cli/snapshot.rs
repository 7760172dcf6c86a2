//! `setpoint snapshot FILE`

use serde_json::json;

use crate::{
    author,
    cli::{
        BenchArg, Failure, Output,
        client::{Client, Method},
        history::{self, refused},
    },
};

/// Keeps what runs as a revision, under a name that keeps it for good
///
/// Goes through the panel or server of the bench; without one, what the files hold is kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  setpoint snapshot bench.toml --label before-beam-time")]
pub struct Snapshot {
    #[command(flatten)]
    bench: BenchArg,
    /// The name; without one, the revision goes when it is among the oldest.
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,
    /// Why.
    #[arg(long, short, value_name = "TEXT", default_value = "")]
    message: String,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Snapshot) -> Result<(), Failure> {
    let Snapshot { bench, label, message, output } = command;
    let answer = if let Some(client) = Client::find(&bench.file)? {
        let body = json!({"label": label, "message": message});
        client.send(Method::Post, "/v1/revisions", &body).map_err(Failure::of_a_label)?
    } else {
        let mut bench = history::offline(&bench.file, None)?;
        let kept = bench.snapshot(label.clone(), message.clone(), author::name());
        json!({"revision": kept.map_err(|error| refused(error).of_a_label())?})
    };
    history::tell_kept(&answer, *output, "is kept as", "is kept")
}
