//! `infill models`: the known networks.

use crate::error::{Code, Error, Result};

#[derive(clap::Args)]
pub struct Arguments {
    /// One JSON object on stdout and nothing else.
    #[arg(long)]
    pub json: bool,
}

pub fn run(_arguments: &Arguments) -> Result<()> {
    Err(Error::new(Code::Internal, "models is not built yet"))
}
