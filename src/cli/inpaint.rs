//! `infill inpaint`: exactly what the page does.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;

use super::feeding::{ClassFlags, FeedFlags};
use super::{Loading, terminal};
use crate::engine::EngineKind;
use crate::error::{Code, Error, Result};
use crate::models::load::{self, Loaded};
use crate::models::{HoleValue, InputTensor, NormStatistics, Role};
use crate::photo_file::{self, Format, SaveOptions, Saved};
use crate::pipeline::options::{self, Setting};
use crate::pipeline::{self, FillOptions, Mask, MaskChannel, MaskOptions, MaskReading, Photo, Sharpen};

/// Quality of a JPEG, as the Independent JPEG Group counts it.
const QUALITY: Setting<u8> = Setting { name: "quality", range: 1..=100 };

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
    /// Where the filled photo goes: .png, .jpg (.jpeg) or .webp (without loss). Metadata is kept; so are the blocks of a JPEG
    /// that the hole does not touch.
    #[arg(long)]
    output: PathBuf,
    /// Encode the whole of a .jpg anew at this quality, 1 to 100.
    #[arg(long, allow_negative_numbers = true, value_parser = |text: &str| QUALITY.parse(text))]
    quality: Option<u8>,
    /// Leave out of the metadata where the photo was taken, and the maker's note.
    #[arg(long)]
    without_place: bool,
    /// A checkpoint; may be given several times.
    #[arg(long)]
    weights: Vec<PathBuf>,
    /// Take the keys by position where only their names differ (`infill inspect` shows the mapping).
    #[arg(long, conflicts_with = "class")]
    by_position: bool,
    #[command(flatten)]
    class: ClassFlags,
    #[command(flatten)]
    feeding: FeedFlags,
    /// Network id (see `infill models`); overrides what the weights are taken for.
    #[arg(long, conflicts_with = "class")]
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
    /// The second picture of a pair network.
    #[arg(long)]
    second: Option<PathBuf>,
    /// Of weights that lie in the file plain and averaged (EMA), take the plain ones.
    #[arg(long)]
    no_ema: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let save = save_options(arguments)?;
    let (mut photo, source) = opened(&arguments.image)?;
    sixteen_bit_note(&photo, &arguments.image, save.format);
    let size = (photo.width, photo.height);
    let mut mask = mask(arguments, &photo)?;
    mask.grow(arguments.grow);
    let options = options(arguments, size)?;
    let mut models = models(arguments, &options)?;
    let (image, mask_file) = (super::file_name(&arguments.image), super::file_name(&arguments.mask));
    check_known(&mask, &models).map_err(|e| e.in_file(&mask_file))?;
    let patches = pipeline::fill(&photo, &mask, &mut models, &options, &mut |_| ControlFlow::Continue(()));
    let in_file = |e: Error| {
        let is_mask = matches!(e.code, Code::MaskEmpty | Code::MaskFull | Code::MaskSize);
        e.in_file(if is_mask { &mask_file } else { &image })
    };
    pipeline::apply(&mut photo, &patches.map_err(in_file)?);
    let saved = photo_file::save(&photo, Some(&source), &save).map_err(|e| e.in_file(&image))?;
    super::write_file(&arguments.output, &saved.bytes)?;
    saved_notes(&saved, &image, &super::file_name(&arguments.output)).iter().for_each(|note| terminal::note(note));
    Ok(())
}

/// What a user may not expect of the saved file.
fn saved_notes(saved: &Saved, image: &str, output: &str) -> Vec<String> {
    let quality = saved.quality.unwrap_or_default();
    let anew = |why: &str| format!("{image} {why}, so the whole of {output} was encoded anew, at quality {quality}.");
    let note = |code: &String| match code.as_str() {
        "anew-components" => anew("is no JPEG of one or three components"),
        "anew-arithmetic" => anew("is a JPEG with arithmetic coding"),
        "anew-precision" => anew("has other than 8 bits a sample"),
        "anew-process" => anew("is a lossless or hierarchical JPEG"),
        "anew-damaged" => anew("is damaged or cut off"),
        "flattened" => format!("{output} has no transparency, as no JPEG has: what was clear is white."),
        "text-left-out" => format!("The text in {image} was left out: only a PNG has a place for it."),
        "colour-left-out" => {
            format!(
                "What {image} says of its colours is no ICC profile, and was left out: only a PNG has a place for it."
            )
        }
        "iptc-left-out" => format!("The IPTC data in {image} was left out: a WebP has no place for it."),
        "place-left-out" => {
            format!("{output} does not tell where {image} was taken, nor what the camera's maker noted.")
        }
        "metadata-left-out" => {
            format!("A part of the metadata of {image} (EXIF or XMP) was left out: it is damaged or too long.")
        }
        other => format!("{output}: {other}"),
    };
    saved.notes.iter().map(note).collect()
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

/// How the photo is to be saved: the output's ending says the format, PNG where there is none.
///
/// `usage` for an ending that infill does not write, and for a quality that the format has not.
fn save_options(arguments: &Arguments) -> Result<SaveOptions> {
    let file = super::file_name(&arguments.output);
    let format = match arguments.output.extension() {
        None => Format::Png,
        Some(ending) => Format::parse(&ending.to_string_lossy()).ok_or_else(|| {
            let endings: Vec<String> = Format::ENDINGS.iter().map(|ending| format!(".{ending}")).collect();
            let text = format!("--output {file}: give the file a name that ends in one of {}.", endings.join(", "));
            Error::new(Code::Usage, text)
        })?,
    };
    if arguments.quality.is_some() && format != Format::Jpeg {
        let text = format!("--quality is for JPEG. {file} is written without loss: leave it out, or name a .jpg.");
        return Err(Error::new(Code::Usage, text));
    }
    Ok(SaveOptions { format, quality: arguments.quality, without_place: arguments.without_place })
}

/// Notes what becomes of 16 bits.
fn sixteen_bit_note(photo: &Photo, path: &Path, format: Format) {
    if photo.notes.iter().any(|note| note == "sixteen-bit") {
        let file = super::file_name(path);
        terminal::note(&match format {
            Format::Png => {
                format!("{file} has 16 bits a channel, and keeps them; what is filled is worked out in 8 and smoothed.")
            }
            _ => format!("{file} has 16 bits a channel; it is saved in 8, because only a PNG holds more."),
        });
    }
}

/// A picture as `decode` reads it; the error names the file.
pub(super) fn decoded<T>(path: &Path, decode: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    decode(&super::read_picture(path)?).map_err(|e| e.in_file(&super::file_name(path)))
}

/// A photo and its file; what a user may not expect of it is noted on standard error, but for 16 bits, whose fate depends
/// on what becomes of it.
pub(super) fn opened(path: &Path) -> Result<(Photo, Vec<u8>)> {
    let bytes = super::read_picture(path)?;
    let file = super::file_name(path);
    let photo = pipeline::decode_photo(&bytes).map_err(|e| e.in_file(&file))?;
    for note in photo.notes.iter().filter(|note| *note != "sixteen-bit") {
        terminal::note(&match note.as_str() {
            "animated" => format!("{file} moves: only its first frame is filled."),
            "turned" => format!("{file} was turned upright, as its EXIF orientation says."),
            "damaged" => format!("{file} is damaged or cut off, so a part of the picture may be missing."),
            other => format!("{file}: {other}"),
        });
    }
    Ok((photo, bytes))
}

/// The second picture of a pair network: RGBA of the photo's size.
fn second(path: &Path, (width, height): (usize, usize)) -> Result<Vec<u8>> {
    let (picture, _) = opened(path)?;
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
        second: arguments.second.as_deref().map(|path| second(path, size)).transpose()?,
        ..arguments.feeding.options()?
    })
}

/// The one network of `--class`.
fn pasted_class(arguments: &Arguments, class: &Path, options: &FillOptions) -> Result<Vec<Loaded>> {
    let [weights] = &arguments.weights[..] else {
        return Err(Error::new(Code::Usage, "--class takes one --weights."));
    };
    let count = |words: &Vec<String>| InputTensor::from_words(words).map(|tensor| tensor.channels.len());
    let channels = options.inputs.iter().flatten().map(count).collect::<Result<Vec<_>, _>>();
    let channels = channels.map_err(|text| Error::new(Code::Usage, text))?;
    let channels = (!channels.is_empty()).then_some(&channels[..]);
    Ok(vec![arguments.class.load(class, weights, options.side, channels, arguments.no_ema)?])
}

/// The networks to run: the given weights, the default model, or none.
fn models(arguments: &Arguments, options: &FillOptions) -> Result<Vec<Loaded>> {
    if let Some(class) = &arguments.class.class {
        return pasted_class(arguments, class, options);
    }
    match (arguments.weights.as_slice(), arguments.model.as_deref()) {
        ([], None | Some("default")) => Ok(vec![load::default_model(EngineKind::Fast)?]),
        ([], Some("none")) => Ok(Vec::new()),
        ([], Some(id)) => Err(Error::new(Code::Usage, format!("--model {id} needs its weights: add --weights FILE."))),
        (_, Some("none")) => Err(Error::new(Code::Usage, "--model none takes no --weights.")),
        (files, choice) => {
            let how = Loading {
                choice,
                by_position: arguments.by_position,
                norm_statistics: options.norm_statistics.map(NormStatistics::as_str),
                no_ema: arguments.no_ema,
                side: options.side,
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
