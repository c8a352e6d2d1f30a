//! `infill forward`: a network on tensors as they are, to be held against PyTorch.

use std::path::PathBuf;

use crate::error::{Code, Error, Result};

#[derive(clap::Args)]
pub struct Arguments {
    /// A checkpoint.
    #[arg(long)]
    weights: PathBuf,
    /// Network id, where the file holds several.
    #[arg(long)]
    model: Option<String>,
    /// A Python file with the network's class.
    #[arg(long, conflicts_with = "model")]
    class: Option<PathBuf>,
    /// safetensors with `x`, or `x1` and `x2`: NCHW f32.
    #[arg(long)]
    input: PathBuf,
    /// safetensors to write `y` to.
    #[arg(long)]
    output: PathBuf,
    /// Which engine runs it.
    #[arg(long, default_value = "reference", value_parser = ["fast", "reference"])]
    engine: String,
}

pub fn run(_arguments: &Arguments) -> Result<()> {
    Err(Error::new(Code::Internal, "forward is not built yet"))
}
