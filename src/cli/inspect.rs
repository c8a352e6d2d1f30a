//! `infill inspect`: what a checkpoint is.

use std::path::PathBuf;

use crate::error::{Code, Error, Result};

#[derive(clap::Args)]
pub struct Arguments {
    /// The checkpoint.
    pub file: PathBuf,
    /// One JSON object on stdout and nothing else.
    #[arg(long)]
    pub json: bool,
}

pub fn run(_arguments: &Arguments) -> Result<()> {
    Err(Error::new(Code::Internal, "inspect is not built yet"))
}
