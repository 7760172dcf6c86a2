//! `setpoint label FILE REV LABEL`

use serde_json::json;

use crate::{
    author,
    cli::{
        BenchArg, Failure, Output,
        client::{Client, Method, segment},
        history::{self, refused},
    },
};

/// Names a kept revision, which keeps it for good, or takes its name away
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  setpoint label bench.toml r36 aligned\n  \
              setpoint label bench.toml aligned --remove")]
pub struct Label {
    #[command(flatten)]
    bench: BenchArg,
    /// The revision, such as r36, or the label it has.
    #[arg(value_name = "REV")]
    revision: String,
    /// The name it gets.
    #[arg(value_name = "LABEL", required_unless_present = "remove", conflicts_with = "remove")]
    label: Option<String>,
    /// Takes its name away.
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Label) -> Result<(), Failure> {
    let Label { bench, revision, label, output, .. } = command;
    let answer = if let Some(client) = Client::find(&bench.file)? {
        let path = format!("/v1/revisions/{}", segment(revision));
        let named = client.send(Method::Patch, &path, &json!({ "label": label }));
        named.map_err(Failure::of_a_label)?
    } else {
        history::must_exist(&bench.file)?;
        let mut bench = history::offline(&bench.file, None)?;
        let named = bench.label(revision, label.as_deref(), &author::name());
        json!({"revision": named.map_err(|error| refused(error).of_a_label())?})
    };
    history::tell_kept(&answer, *output, "is called", "has no name")
}
