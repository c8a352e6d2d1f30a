//! `infill pack`: a finished static site from a checkpoint, after making sure that it runs.

mod config;
mod page;
mod weights;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;

use super::feeding::{ClassFlags, FeedFlags};
use super::{Loading, terminal};
use crate::engine::EngineKind;
use crate::error::{Code, Error, Result};
use crate::models::load::Loaded;
use crate::models::{NormStatistics, Role, exported};
use crate::photo_file;
use crate::pipeline::{self, FillOptions, Mask, MaskOptions, Photo, Sharpen};
use config::{Described, MAX_LINE, MAX_TITLE, SampleFiles};
use page::Page;

/// Side of the picture that a network is tried on where there is no other, pixels.
const TRIAL_SIDE: usize = 256;
/// How the weights are put into the site.
const STORES: [&str; 2] = ["as-is", "f16"];

#[derive(clap::Args)]
pub struct Arguments {
    /// The checkpoint.
    weights: PathBuf,
    #[command(flatten)]
    class: ClassFlags,
    #[command(flatten)]
    feeding: FeedFlags,
    /// The site's title.
    #[arg(long, value_parser = |text: &str| config::line(text, MAX_TITLE))]
    title: Option<String>,
    /// What the model is called: its network's name otherwise.
    #[arg(long, value_parser = |text: &str| config::line(text, MAX_TITLE))]
    name: Option<String>,
    /// One line on the model for people.
    #[arg(long, value_parser = |text: &str| config::line(text, MAX_LINE))]
    description: Option<String>,
    /// One line on the licence of the weights.
    #[arg(long, value_parser = |text: &str| config::line(text, MAX_LINE))]
    licence: Option<String>,
    /// The page's language: the browser's otherwise.
    #[arg(long, value_parser = PossibleValuesParser::new(config::LANGUAGES))]
    language: Option<String>,
    /// A photo to try, in place of the page's own; may be given several times.
    #[arg(long)]
    image: Vec<PathBuf>,
    /// The mask of a photo: the first of the first, and so on.
    #[arg(long, requires = "image")]
    mask: Vec<PathBuf>,
    /// What the page does not show; may be given several times.
    #[arg(long, value_parser = PossibleValuesParser::new(config::PARTS))]
    hide: Vec<String>,
    /// The weights as they are, or as safetensors in half precision: half the bytes of f32.
    #[arg(long, default_value = STORES[0], value_parser = PossibleValuesParser::new(STORES))]
    store: String,
    /// The published page: what `cargo xtask dist` writes.
    #[arg(long, default_value = "dist")]
    page: PathBuf,
    /// The folder that the site is written to: a new one, or an empty one.
    #[arg(long)]
    output: PathBuf,
}

/// Files of the site by path, beside the page's own.
type Files = BTreeMap<String, Vec<u8>>;

pub fn run(arguments: &Arguments) -> Result<()> {
    if arguments.mask.len() > arguments.image.len() {
        return Err(Error::new(Code::Usage, "There are more --mask than --image: each mask belongs to a photo."));
    }
    check_output(&arguments.output)?;
    let page = Page::open(&arguments.page)?;
    let mut options = arguments.feeding.options()?;
    options.sharpen = Sharpen::Off;
    let mut networks = load(arguments, &arguments.weights, &options)?;
    let name = painter_name(&networks, &super::file_name(&arguments.weights))?;
    let mut files = Files::new();
    let samples = samples(arguments, &mut files)?;
    let stored = match arguments.store.as_str() {
        "f16" => {
            let bytes = weights::half(arguments, &networks)?;
            networks = load_stored(arguments, &bytes, &options)?;
            let stem = arguments.weights.file_stem().unwrap_or_default().to_string_lossy();
            put(&mut files, "site/models/", &format!("{stem}.safetensors"), bytes)
        }
        // A page loads one file.
        _ if !super::open_checkpoint(&arguments.weights)?.files().is_empty() => {
            let text = "These weights lie in several files, and a page loads one: add --store f16.";
            return Err(Error::new(Code::Usage, text));
        }
        _ => put(&mut files, "site/models/", &file_name(&arguments.weights), read(&arguments.weights)?),
    };
    try_fill(arguments, &mut networks, &options)?;
    let class = match &arguments.class.class {
        Some(class) => Some(put(&mut files, "site/", "class.py", super::read_source(class)?.into_bytes())),
        None => None,
    };
    let described = Described { arguments, options: &options, name, weights: stored, class, samples };
    files.insert("infill.json".to_owned(), described.json(&files).into_bytes());
    let written = page.write(&arguments.output, &files, arguments.title.as_deref())?;
    let folder = arguments.output.to_string_lossy();
    terminal::print([
        format!("{folder} is written: {} files, {} MB.", written.files, written.bytes.div_ceil(1_000_000)),
        format!("Put it on any static host, or look at it: python3 -m http.server --directory {folder}"),
    ])
}

/// The networks of the weights, as the page will load them.
fn load(arguments: &Arguments, path: &Path, options: &FillOptions) -> Result<Vec<Loaded>> {
    if let Some(class) = &arguments.class.class {
        // The page is not told the channels: it finds them as it does for a pasted class.
        let mut loaded = arguments.class.load(class, path, options.side, None, false)?;
        if let Some(statistics) = options.norm_statistics {
            loaded.use_statistics(statistics, EngineKind::Fast, || super::open_checkpoint(path))?;
        }
        return Ok(vec![loaded]);
    }
    let norm_statistics = options.norm_statistics.map(NormStatistics::as_str);
    let kind = EngineKind::Fast;
    let how = Loading { choice: None, by_position: false, norm_statistics, no_ema: false, side: None, kind };
    let loaded = super::load_networks(path, &how)?;
    // The page follows a graph only of a file that is dropped on it.
    match loaded.iter().any(|network| network.model.id == exported::ID) {
        true => {
            let text = "The graph of this ONNX file is no known network, and a site shows others only by their class. Pack the network's state_dict() with --class.";
            Err(Error::new(Code::ModelUnknown, text).in_file(&file_name(path)))
        }
        false => Ok(loaded),
    }
}

/// The networks once more, from the weights as they are put into the site.
fn load_stored(arguments: &Arguments, bytes: &[u8], options: &FillOptions) -> Result<Vec<Loaded>> {
    let path = std::env::temp_dir().join(format!("infill-pack-{}.safetensors", std::process::id()));
    super::write_file(&path, bytes)?;
    let loaded = load(arguments, &path, options);
    // What is left in the folder for temporary files does no harm.
    let _ = std::fs::remove_file(&path);
    loaded.map_err(|error| Error { message: format!("In half precision: {}", error.message), ..error })
}

/// What the network that paints is called; `model-mismatch` where none does.
fn painter_name(networks: &[Loaded], file: &str) -> Result<String> {
    let painter = networks.iter().find(|loaded| loaded.model.role == Role::Paints);
    painter.map(|loaded| loaded.model.name.clone()).ok_or_else(|| {
        let names: Vec<&str> = networks.iter().map(|loaded| loaded.model.name.as_str()).collect();
        let text = format!(
            "{file} holds {}, which does not paint by itself, so a page of it could fill nothing. Take the generator's weights.",
            names.join(" and ")
        );
        Error::new(Code::ModelMismatch, text)
    })
}

/// Fills the first photo that has a mask, or a picture made for this, so that what the page would say of the network is said
/// now.
fn try_fill(arguments: &Arguments, networks: &mut [Loaded], options: &FillOptions) -> Result<()> {
    let (photo, mask) = match (arguments.image.first(), arguments.mask.first()) {
        (Some(image), Some(mask)) => {
            let photo = super::inpaint::decoded(image, pipeline::decode_photo)?;
            let mask = read_mask(mask, &photo)?;
            (photo, mask)
        }
        _ => trial()?,
    };
    let file = super::file_name(&arguments.weights);
    let patches = pipeline::fill(&photo, &mask, networks, options, &mut |_| ControlFlow::Continue(()));
    patches.map(drop).map_err(|error| error.in_file(&file))
}

/// A picture with a hole in its middle.
fn trial() -> Result<(Photo, Mask)> {
    let side = TRIAL_SIDE;
    let places = || (0..side * side).map(|i| (i % side, i / side));
    let colour = |(x, y): (usize, usize)| [(x * 255 / side) as u8, (y * 255 / side) as u8, ((x + y) % 256) as u8, 255];
    let inside = |at: usize| (side * 3 / 8..side * 5 / 8).contains(&at);
    let photo = Photo {
        width: side,
        height: side,
        rgba: places().flat_map(colour).collect(),
        has_alpha: false,
        is_gray: false,
        icc: None,
        notes: Vec::new(),
    };
    let holes = places().map(|(x, y)| if inside(x) && inside(y) { 255 } else { 0 }).collect();
    Ok((photo, Mask::new(side, side, holes)?))
}

/// A mask as the page reads it; `mask-empty` and `mask-full` where there would be nothing to see.
fn read_mask(path: &Path, photo: &Photo) -> Result<Mask> {
    let file = super::file_name(path);
    let size = (photo.width, photo.height);
    let reading = super::inpaint::decoded(path, |bytes| pipeline::read_mask(bytes, size, MaskOptions::default()))?;
    let of = |code, text: &str| Err(Error::new(code, format!("{file} {text}")));
    match reading.share {
        0.0 => of(Code::MaskEmpty, "masks nothing: white is filled."),
        share if share >= 1.0 => of(Code::MaskFull, "masks the whole photo: white is filled, black is kept."),
        _ => Ok(reading.mask),
    }
}

/// Puts the photos to try into the site, each with its mask.
fn samples(arguments: &Arguments, files: &mut Files) -> Result<Vec<SampleFiles>> {
    let mut samples = Vec::new();
    for (index, image) in arguments.image.iter().enumerate() {
        let bytes = super::read_picture(image)?;
        let photo = pipeline::decode_photo(&bytes).map_err(|e| e.in_file(&super::file_name(image)))?;
        if photo_file::describe(&bytes).has_place {
            let file = super::file_name(image);
            terminal::note(&format!(
                "{file} tells where it was taken, and will be published so: see --without-place of infill inpaint."
            ));
        }
        let mask = match arguments.mask.get(index) {
            Some(path) => {
                read_mask(path, &photo)?;
                Some(put(files, "site/", &file_name(path), super::read_picture(path)?))
            }
            None => None,
        };
        let name = super::file_name(image);
        samples.push(SampleFiles { file: put(files, "site/", &file_name(image), bytes), name, mask });
    }
    Ok(samples)
}

/// Puts a file into the site under a name that no other has; returns its path.
fn put(files: &mut Files, folder: &str, name: &str, bytes: Vec<u8>) -> String {
    let free = |number: usize| match number {
        0 => format!("{folder}{name}"),
        _ => format!("{folder}{number}-{name}"),
    };
    let path = (0..).map(free).find(|path| !files.contains_key(path)).unwrap_or_default();
    files.insert(path.clone(), bytes);
    path
}

/// A file's name as it can stand in every address and on every host.
fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' };
    let name: String = name.trim_start_matches('.').chars().map(plain).collect();
    if name.is_empty() { "file".to_owned() } else { name }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| super::io_error(path, "read", &error))
}

/// `io` unless the folder is new or empty: nothing of anybody's is overwritten.
fn check_output(output: &Path) -> Result<()> {
    match std::fs::read_dir(output).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let text = format!("{} is not empty: name a new folder, or empty this one.", super::file_name(output));
            Err(Error::new(Code::Io, text))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(super::io_error(output, "written", &error)),
    }
}
