//! Flags that several commands share: the class of weights of one's own, and how a network is fed.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;

use crate::engine::EngineKind;
use crate::error::{Code, Result};
use crate::models::load::Loaded;
use crate::models::pasted::{self, Pasted};
use crate::models::{HoleValue, MaskMeans, NormStatistics, OutputCovers, Range};
use crate::pipeline::FillOptions;
use crate::pipeline::options;

/// What one input shows.
type Words = Vec<String>;

/// The class of weights of one's own.
#[derive(clap::Args)]
pub struct ClassFlags {
    /// A Python file or notebook with the class of the weights: read, never executed. The class whose keys are the file's is
    /// taken, on squares of one side.
    #[arg(long, requires = "weights")]
    pub class: Option<PathBuf>,
    /// What the class is made with, such as 'Net(4, 3, ngf=64)': its defaults, a line such as net = Net(4, 3) in the file,
    /// or what the weights' shapes decide, are taken otherwise.
    #[arg(long, requires = "class")]
    pub class_args: Option<String>,
    /// Which of the tensors that the class returns is the picture, counted from 0: the one that looks like one otherwise.
    #[arg(long, requires = "class")]
    pub returned: Option<usize>,
    /// Leave out keys of the file that the class has not, as strict=False does.
    #[arg(long, requires = "class")]
    pub leave_out: bool,
}

impl ClassFlags {
    /// The class in a Python file with these weights; `channels` of its inputs where somebody says what they show,
    /// `no_ema` for the plain weights where an averaged copy lies beside them.
    pub fn load(
        &self,
        class: &Path,
        weights: &Path,
        side: Option<usize>,
        channels: Option<&[usize]>,
        no_ema: bool,
    ) -> Result<Loaded> {
        let source = super::read_source(class)?;
        let pasted = Pasted {
            source: &source,
            class_args: self.class_args.as_deref().unwrap_or_default(),
            returned: self.returned,
            channels,
            side,
            leaves_out: self.leave_out,
        };
        let mut checkpoint = super::open_copy(weights, no_ema)?;
        let file = super::file_name(weights);
        pasted::load(checkpoint.as_mut(), &file, &pasted, EngineKind::Fast).map_err(|error| match error.code {
            Code::NetworkInvalid => super::in_source(error, &source, class),
            _ => error,
        })
    }
}

/// How a network is fed, where that is not as it is guessed.
#[derive(clap::Args)]
pub struct FeedFlags {
    /// What goes into the painting network, one flag for each of its inputs: rgb, photo or second (three channels each), and
    /// gray, mask, known, edges, noise, zeros or ones, such as rgb,mask.
    #[arg(long, value_parser = options::parse_input)]
    takes: Vec<Words>,
    /// How the network is fed, as JSON: {"inputs": [["rgb", "mask"]], "range": "0..1", "outputRange": "-1..1", "holeValue": 0,
    /// "maskMeans": "hole", "outputCovers": "field"}. Flags say more than the file.
    #[arg(long, value_name = "FILE")]
    feed: Option<PathBuf>,
    /// Longest side of the network's input, 64 to 1024 pixels, where the network takes any size.
    #[arg(long, allow_negative_numbers = true, value_parser = |text: &str| options::SIDE.parse(text))]
    side: Option<usize>,
    /// What the hole's pixels are set to: a number in the network's input range, or smooth.
    #[arg(long, allow_hyphen_values = true, value_parser = options::parse_hole_value)]
    hole_value: Option<HoleValue>,
    /// Value range of the network's pictures.
    #[arg(long, allow_hyphen_values = true, value_parser = PossibleValuesParser::new(Range::WORDS))]
    range: Option<String>,
    /// Value range of what comes out, where it is another one.
    #[arg(long, allow_hyphen_values = true, value_parser = PossibleValuesParser::new(Range::WORDS))]
    output_range: Option<String>,
    /// What 1 means in the mask channel.
    #[arg(long, value_parser = PossibleValuesParser::new(MaskMeans::WORDS))]
    mask_means: Option<String>,
    /// What the output shows.
    #[arg(long, value_parser = PossibleValuesParser::new(OutputCovers::WORDS))]
    output_covers: Option<String>,
    /// Which mean and variance batch norms take: those stored in the file, or the picture's own.
    #[arg(long, value_parser = PossibleValuesParser::new(NormStatistics::WORDS))]
    norm_statistics: Option<String>,
}

impl FeedFlags {
    /// The settings of a fill that say how its network is fed; the others have their defaults.
    ///
    /// `usage` names what makes no sense in the file of `--feed`.
    pub fn options(&self) -> Result<FillOptions> {
        let fed = self.feed.as_deref().map(read_feed).transpose()?.unwrap_or_default();
        let inputs = if self.takes.is_empty() { fed.inputs } else { Some(self.takes.clone()) };
        Ok(FillOptions {
            inputs,
            side: self.side.or(fed.side),
            hole_value: self.hole_value.or(fed.hole_value),
            range: self.range.as_deref().and_then(Range::parse).or(fed.range),
            output_range: self.output_range.as_deref().and_then(Range::parse).or(fed.output_range),
            mask_means: self.mask_means.as_deref().and_then(MaskMeans::parse).or(fed.mask_means),
            output_covers: self.output_covers.as_deref().and_then(OutputCovers::parse).or(fed.output_covers),
            norm_statistics: self.norm_statistics.as_deref().and_then(NormStatistics::parse).or(fed.norm_statistics),
            ..FillOptions::default()
        })
    }
}

/// How a network is fed, from a small file of JSON; `usage` names what makes no sense in it.
fn read_feed(path: &Path) -> Result<FillOptions> {
    const MAX_BYTES: u64 = 1 << 16;
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| super::io_error(path, "read", &error))?;
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(|error| super::io_error(path, "read", &error))?;
    FillOptions::from_json(&text).map_err(|error| error.in_file(&super::file_name(path)))
}
