//! `infill inpaint`: exactly what the page does.

use std::path::PathBuf;

use crate::error::{Code, Error, Result};

#[derive(clap::Args)]
pub struct Arguments {
    /// Photo: PNG, JPEG or WebP.
    #[arg(long)]
    image: PathBuf,
    /// Mask: a picture of the photo's size; white (luma > 127) is to be filled.
    #[arg(long)]
    mask: PathBuf,
    /// Where the filled photo goes, as PNG.
    #[arg(long)]
    output: PathBuf,
    /// A checkpoint; may be given several times.
    #[arg(long)]
    weights: Vec<PathBuf>,
    /// Network id (see `infill models`); overrides what the weights are taken for.
    #[arg(long)]
    model: Option<String>,
    /// Grow the mask by this many pixels.
    #[arg(long, default_value_t = 0)]
    grow: u32,
    /// Another seed gives another variant.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Sharpen the fill from the photo.
    #[arg(long, default_value = "auto", value_parser = ["auto", "on", "off"])]
    sharpen: String,
    /// Canny's sigma (EdgeConnect).
    #[arg(long)]
    sigma: Option<f32>,
    /// An edge map of the photo's size to use instead of Canny's.
    #[arg(long)]
    edges: Option<PathBuf>,
    /// The second picture of a pair network.
    #[arg(long)]
    second: Option<PathBuf>,
    /// What the hole's pixels are set to, in the network's input range.
    #[arg(long, allow_hyphen_values = true)]
    hole_value: Option<f32>,
    /// Value range of the network's pictures.
    #[arg(long, allow_hyphen_values = true, value_parser = ["0..1", "-1..1"])]
    range: Option<String>,
    /// What 1 means in the mask channel.
    #[arg(long, value_parser = ["hole", "known"])]
    mask_means: Option<String>,
    /// What the output shows.
    #[arg(long, value_parser = ["field", "centre"])]
    output_covers: Option<String>,
}

pub fn run(_arguments: &Arguments) -> Result<()> {
    Err(Error::new(Code::Internal, "inpaint is not built yet"))
}
