//! `infill inpaint`: exactly what the page does.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;

use super::{Loading, terminal};
use crate::engine::EngineKind;
use crate::error::{Code, Error, Result};
use crate::models::load::{self, Loaded};
use crate::models::{HoleValue, MaskMeans, NormStatistics, OutputCovers, Range, Role};
use crate::pipeline::{self, FillOptions, Mask, MaskChannel, MaskOptions, MaskReading, Photo, Sharpen, options};

#[derive(clap::Args)]
pub struct Arguments {
    /// Photo: PNG, JPEG or WebP.
    #[arg(long)]
    image: PathBuf,
    /// Mask: a picture of the photo's size; white (luma > 127) is to be filled.
    #[arg(long)]
    mask: PathBuf,
    /// Where the mask's file holds the mask. auto takes luma, and what else the file may mean where luma says nothing.
    #[arg(long, default_value = "auto", value_parser = PossibleValuesParser::new(MaskChannel::WORDS))]
    mask_channel: String,
    /// Fill what is black in the mask, and keep what is white.
    #[arg(long)]
    invert: bool,
    /// Where the filled photo goes: a PNG, whose name ends in .png.
    #[arg(long)]
    output: PathBuf,
    /// A checkpoint; may be given several times.
    #[arg(long)]
    weights: Vec<PathBuf>,
    /// Take the keys by position where only their names differ (`infill inspect` shows the mapping).
    #[arg(long)]
    by_position: bool,
    /// Network id (see `infill models`); overrides what the weights are taken for.
    #[arg(long)]
    model: Option<String>,
    /// Grow the mask by this many pixels, 0 to 1024.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = |text: &str| options::GROW.parse(text))]
    grow: u32,
    /// Another seed gives another variant.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    seed: u64,
    /// Sharpen the fill from the photo.
    #[arg(long, default_value = "auto", value_parser = ["auto", "on", "off"])]
    sharpen: String,
    /// Canny's sigma (EdgeConnect), 0.1 to 50.
    #[arg(long, allow_hyphen_values = true, value_parser = |text: &str| options::SIGMA.parse(text))]
    sigma: Option<f32>,
    /// Edges inside the hole, a picture of the photo's size: white is an edge, black is none, middle gray is as found.
    #[arg(long)]
    edges: Option<PathBuf>,
    /// Longest side of the network's input, 64 to 1024 pixels, where the network takes any size.
    #[arg(long, allow_negative_numbers = true, value_parser = |text: &str| options::SIDE.parse(text))]
    side: Option<usize>,
    /// The second picture of a pair network.
    #[arg(long)]
    second: Option<PathBuf>,
    /// What the hole's pixels are set to: a number in the network's input range, or smooth.
    #[arg(long, allow_hyphen_values = true, value_parser = options::parse_hole_value)]
    hole_value: Option<HoleValue>,
    /// Value range of the network's pictures.
    #[arg(long, allow_hyphen_values = true, value_parser = PossibleValuesParser::new(Range::WORDS))]
    range: Option<String>,
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

pub fn run(arguments: &Arguments) -> Result<()> {
    check_output(&arguments.output)?;
    let mut photo = opened(&arguments.image)?;
    let size = (photo.width, photo.height);
    let mut mask = mask(arguments, &photo)?;
    mask.grow(arguments.grow);
    let options = options(arguments, size)?;
    let mut models = models(arguments)?;
    let (image, mask_file) = (super::file_name(&arguments.image), super::file_name(&arguments.mask));
    check_known(&mask, &models).map_err(|e| e.in_file(&mask_file))?;
    let patches = pipeline::fill(&photo, &mask, &mut models, &options, &mut |_| ControlFlow::Continue(()));
    let in_file = |e: Error| {
        let is_mask = matches!(e.code, Code::MaskEmpty | Code::MaskFull | Code::MaskSize);
        e.in_file(if is_mask { &mask_file } else { &image })
    };
    pipeline::apply(&mut photo, &patches.map_err(in_file)?);
    super::write_file(&arguments.output, &pipeline::encode_photo(&photo)?)
}

/// Reads the mask, and notes on standard error whatever a user may not expect of it.
fn mask(arguments: &Arguments, photo: &Photo) -> Result<Mask> {
    let options = MaskOptions { channel: MaskChannel::parse(&arguments.mask_channel), is_inverted: arguments.invert };
    let size = (photo.width, photo.height);
    let reading = decoded(&arguments.mask, |bytes| pipeline::read_mask(bytes, size, options))?;
    let file = super::file_name(&arguments.mask);
    mask_notes(&reading, arguments, &file).iter().for_each(|note| terminal::note(note));
    if photo.notes.iter().any(|note| note == "turned") && !reading.is_turned {
        terminal::note(&format!("{file} has no EXIF orientation, so it is taken to be upright, as the photo is now."));
    }
    Ok(reading.mask)
}

/// How the mask was read, where that is not plain white on black by luma, and what looks like a mistake.
fn mask_notes(reading: &MaskReading, arguments: &Arguments, file: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if arguments.mask_channel == "auto" && !reading.is_plain() {
        let above = reading.threshold;
        let channel = match reading.channel {
            MaskChannel::Alpha => "its alpha",
            _ => "red, green or blue, whichever is strongest",
        };
        notes.push(format!(
            "{file}: by luma, everything or nothing would be masked, so infill takes {channel} (above {above} is filled)."
        ));
    }
    if reading.share > 0.5 && reading.share < 1.0 {
        let advice = if arguments.invert { "leave out --invert" } else { "add --invert" };
        notes.push(format!(
            "{file} masks {:.0} % of the photo. If that part should stay, {advice}.",
            reading.share * 100.0
        ));
    }
    if reading.soft_pixels > 0 {
        notes.push(format!(
            "{file} has soft edges: {} gray pixels are not filled. --grow N fills N pixels more on every side.",
            reading.soft_pixels
        ));
    }
    notes
}

/// `mask-full` if everything is masked and the network that paints only continues what is known.
fn check_known(mask: &Mask, models: &[Loaded]) -> Result<()> {
    let painter = models.iter().find(|loaded| loaded.model.role == Role::Paints);
    let continues = painter.is_some_and(|loaded| loaded.conventions.hole_value == HoleValue::Smooth);
    if continues && mask.holes.iter().all(|&hole| hole > 127) {
        let text = "The whole photo is masked, so there is nothing to continue. White is filled and black is kept: leave \
                    some of the photo black.";
        return Err(Error::new(Code::MaskFull, text));
    }
    Ok(())
}

/// `usage` if the output's name says that it is no PNG, which it always is.
fn check_output(path: &Path) -> Result<()> {
    match path.extension() {
        Some(ending) if !ending.eq_ignore_ascii_case("png") => {
            let text = format!(
                "--output {}: infill writes PNG, which keeps every pixel outside the mask as it is. Give the file a name \
                 that ends in .png.",
                super::file_name(path)
            );
            Err(Error::new(Code::Usage, text))
        }
        _ => Ok(()),
    }
}

/// A picture as `decode` reads it; the error names the file.
fn decoded<T>(path: &Path, decode: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    decode(&super::read_picture(path)?).map_err(|e| e.in_file(&super::file_name(path)))
}

/// A photo; what a user may not expect of it is noted on standard error.
fn opened(path: &Path) -> Result<Photo> {
    let photo = decoded(path, pipeline::decode_photo)?;
    let file = super::file_name(path);
    for note in &photo.notes {
        terminal::note(&match note.as_str() {
            "animated" => format!("{file} moves: only its first frame is filled."),
            "sixteen-bit" => format!("{file} has 16 bits a channel; it is filled and saved in 8."),
            "turned" => format!("{file} was turned upright, as its EXIF orientation says."),
            "damaged" => format!("{file} is damaged or cut off, so a part of the picture may be missing."),
            other => format!("{file}: {other}"),
        });
    }
    Ok(photo)
}

/// The second picture of a pair network: RGBA of the photo's size.
fn second(path: &Path, (width, height): (usize, usize)) -> Result<Vec<u8>> {
    let picture = opened(path)?;
    if (picture.width, picture.height) != (width, height) {
        let text = format!(
            "{} has {} x {} pixels, but the photo has {width} x {height}.",
            super::file_name(path),
            picture.width,
            picture.height
        );
        return Err(Error::new(Code::Usage, text));
    }
    Ok(picture.rgba)
}

/// The fill's settings; clap has held the numbers against their ranges.
fn options(arguments: &Arguments, size: (usize, usize)) -> Result<FillOptions> {
    let edges = |path: &PathBuf| decoded(path, |bytes| pipeline::decode_edges(bytes, size.0, size.1));
    Ok(FillOptions {
        seed: arguments.seed,
        sharpen: match arguments.sharpen.as_str() {
            "on" => Sharpen::On,
            "off" => Sharpen::Off,
            _ => Sharpen::Auto,
        },
        sigma: arguments.sigma,
        edges: arguments.edges.as_ref().map(edges).transpose()?,
        side: arguments.side,
        second: arguments.second.as_deref().map(|path| second(path, size)).transpose()?,
        hole_value: arguments.hole_value,
        range: arguments.range.as_deref().and_then(Range::parse),
        mask_means: arguments.mask_means.as_deref().and_then(MaskMeans::parse),
        output_covers: arguments.output_covers.as_deref().and_then(OutputCovers::parse),
        norm_statistics: arguments.norm_statistics.as_deref().and_then(NormStatistics::parse),
        ..FillOptions::default()
    })
}

/// The networks to run: the given weights, the default model, or none.
fn models(arguments: &Arguments) -> Result<Vec<Loaded>> {
    match (arguments.weights.as_slice(), arguments.model.as_deref()) {
        ([], None | Some("default")) => Ok(vec![load::default_model(EngineKind::Fast)?]),
        ([], Some("none")) => Ok(Vec::new()),
        ([], Some(id)) => Err(Error::new(Code::Usage, format!("--model {id} needs its weights: add --weights FILE."))),
        (_, Some("none")) => Err(Error::new(Code::Usage, "--model none takes no --weights.")),
        (files, choice) => {
            let how = Loading {
                choice,
                by_position: arguments.by_position,
                norm_statistics: arguments.norm_statistics.as_deref(),
                kind: EngineKind::Fast,
            };
            let mut all = Vec::new();
            for path in files {
                all.extend(super::load_networks(path, &how)?);
            }
            Ok(all)
        }
    }
}
