//! The native command line: arguments in, exit status out. It decides nothing that the crate could decide.

mod export;
mod feeding;
mod forward;
mod inpaint;
mod inspect;
mod models;
mod pack;
mod select;
mod terminal;

use std::io::{Read, Write};
use std::path::Path;

use clap::{Parser, Subcommand};

use crate::checkpoint::{self, Checkpoint};
use crate::engine::EngineKind;
use crate::error::{Code, Error, Result};
use crate::limits::{MAX_IMAGE_FILE_BYTES, MAX_NOTEBOOK_BYTES, MAX_THREADS};
use crate::models::load::{self, Loaded};
use crate::models::{NormStatistics, exported};
use crate::pipeline::{self, options::Setting};
use crate::torch_source::notebook;

/// Bytes of a picture that tell its format.
const PICTURE_HEAD_BYTES: u64 = 64;
/// Threads that a user may ask for.
const THREADS: Setting<usize> = Setting { name: "threads", range: 1..=MAX_THREADS };

/// Fills holes in photos and reads inpainting checkpoints. Nothing leaves the machine.
#[derive(Parser)]
#[command(name = "infill", version, about)]
struct Arguments {
    /// Threads that work on a network; all cores unless said otherwise.
    #[arg(long, global = true, allow_negative_numbers = true, value_parser = |text: &str| THREADS.parse(text))]
    threads: Option<usize>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fill the masked part of a photo.
    Inpaint(Box<inpaint::Arguments>),
    /// Say what a checkpoint is, and what fits.
    Inspect(inspect::Arguments),
    /// Run a network on tensors as they are, without pre- or post-processing.
    Forward(forward::Arguments),
    /// Write a network for other programs: plain weights, a PyTorch class, or ONNX.
    Export(export::Arguments),
    /// Select an object of a photo by clicks, or snap a rough mask to its edges.
    Select(select::Arguments),
    /// Make a web page of a checkpoint: a finished static site that runs it.
    Pack(Box<pack::Arguments>),
    /// List the known networks.
    Models(models::Arguments),
}

/// The file's name without its folders, as messages give it.
fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    terminal::escaped(&name).into_owned()
}

/// `io` for a file that cannot be read or written.
fn io_error(path: &Path, what: &str, error: &std::io::Error) -> Error {
    let path = path.to_string_lossy();
    Error::new(Code::Io, format!("{} cannot be {what}: {error}", terminal::escaped(&path)))
}

/// The bytes of a picture. A file that does not begin as one is refused before the rest of it is read.
fn read_picture(path: &Path) -> Result<Vec<u8>> {
    let read = || -> std::io::Result<Result<Vec<u8>>> {
        let file = std::fs::File::open(path)?;
        let mut bytes = Vec::new();
        (&file).take(PICTURE_HEAD_BYTES).read_to_end(&mut bytes)?;
        if let Err(error) = pipeline::check_picture_head(&bytes) {
            return Ok(Err(error));
        }
        file.take(MAX_IMAGE_FILE_BYTES).read_to_end(&mut bytes)?;
        Ok(Ok(bytes))
    };
    read().map_err(|error| io_error(path, "read", &error))?.map_err(|error| error.in_file(&file_name(path)))
}

/// The Python of a file, or of a notebook's code cells; no more is read than a notebook may have.
fn read_source(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| io_error(path, "read", &error))?;
    let read = file.take(MAX_NOTEBOOK_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| io_error(path, "read", &error))?;
    notebook::python(&String::from_utf8_lossy(&bytes)).map_err(|error| error.in_file(&file_name(path)))
}

/// The same error with its line as it stands in a notebook, and the file's name.
fn in_source(error: Error, source: &str, path: &Path) -> Error {
    Error { message: notebook::placed(&error.message, source), ..error }.in_file(&file_name(path))
}

/// Writes a file as a whole.
fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|error| io_error(path, "written", &error))
}

/// Opens a checkpoint by path: one file, or the index of several that lie beside it.
fn open_checkpoint(path: &Path) -> Result<Box<dyn Checkpoint>> {
    let open = |path: &Path| -> Result<std::io::BufReader<std::fs::File>> {
        let file = std::fs::File::open(path).map_err(|error| io_error(path, "read", &error))?;
        Ok(std::io::BufReader::new(file))
    };
    let name = file_name(path);
    let Some(index) = checkpoint::shard_index(open(path)?, &name)? else {
        return checkpoint::open(open(path)?, &name);
    };
    let shard = |name: &String| {
        let path = path.with_file_name(name);
        checkpoint::open(open(&path)?, &file_name(&path))
    };
    checkpoint::join(index.files.iter().map(shard).collect::<Result<_>>()?, &index, &name)
}

/// Opens a checkpoint by path; of plain weights and their averaged copy (EMA), the plain ones are taken with `no_ema`.
fn open_copy(path: &Path, no_ema: bool) -> Result<Box<dyn Checkpoint>> {
    let mut checkpoint = open_checkpoint(path)?;
    if no_ema {
        checkpoint.prefer_plain();
    }
    Ok(checkpoint)
}

/// Runs the command line of this process: 0 done, 1 failed with one error on stderr, 2 wrong usage (clap's own).
pub fn main() -> i32 {
    let Arguments { threads, command } = Arguments::parse();
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    crate::threads::set_count(threads.unwrap_or_else(cores));
    let (outcome, json): (Result<()>, bool) = match command {
        Command::Inpaint(arguments) => (inpaint::run(&arguments), false),
        Command::Inspect(arguments) => (inspect::run(&arguments), arguments.json),
        Command::Forward(arguments) => (forward::run(&arguments), false),
        Command::Export(arguments) => (export::run(&arguments), false),
        Command::Select(arguments) => (select::run(&arguments), false),
        Command::Pack(arguments) => (pack::run(&arguments), false),
        Command::Models(arguments) => (models::run(&arguments), arguments.json),
    };
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            // Where neither can be written, the exit status remains.
            if json {
                let _ = terminal::print([terminal::json(&error.to_json())]);
            }
            let lines = terminal::error_lines(&error).join("\n");
            let _ = writeln!(std::io::stderr(), "infill: {lines}");
            if error.code == Code::Usage { 2 } else { 1 }
        }
    }
}

/// How the networks of a checkpoint are loaded.
struct Loading<'a> {
    /// Network id; `None` identifies them.
    choice: Option<&'a str>,
    /// Keys are taken by position where only their names differ.
    by_position: bool,
    /// The word for what batch norms take; `None` leaves it to the network.
    norm_statistics: Option<&'a str>,
    /// Of plain weights and their averaged copy, the plain ones.
    no_ema: bool,
    /// Side of the squares that an ONNX graph runs on, where it leaves that open.
    side: Option<usize>,
    /// Which engine runs them.
    kind: EngineKind,
}

/// The networks of a checkpoint.
fn load_networks(path: &Path, how: &Loading<'_>) -> Result<Vec<Loaded>> {
    let load = if how.by_position { load::load_by_position } else { load::load };
    let (mut checkpoint, name) = (open_copy(path, how.no_ema)?, file_name(path));
    let loaded = load(checkpoint.as_mut(), &name, how.choice, how.kind);
    // A graph says by itself what it computes, whatever its weights are called.
    let is_other = matches!(&loaded, Err(error) if matches!(error.code, Code::ModelUnknown | Code::ModelMismatch));
    if is_other && how.choice.is_none() && !how.by_position && checkpoint.graph().is_some() {
        return Ok(vec![exported::load(checkpoint.as_mut(), &name, how.side, how.kind)?]);
    }
    let mut loaded = loaded?;
    if let Some(statistics) = how.norm_statistics.and_then(NormStatistics::parse) {
        let open = || open_copy(path, how.no_ema);
        loaded.iter_mut().try_for_each(|network| network.use_statistics(statistics, how.kind, open))?;
    }
    Ok(loaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_can_be_given_before_or_after_the_command() {
        let threads = |words: &[&str]| Arguments::try_parse_from(words).map(|arguments| arguments.threads);
        assert_eq!(threads(&["infill", "models"]).unwrap(), None);
        assert_eq!(threads(&["infill", "--threads", "3", "models"]).unwrap(), Some(3));
        assert_eq!(threads(&["infill", "models", "--threads", "3"]).unwrap(), Some(3));
        for wrong in ["0", "-1", "all", "65", "1024", "1000000"] {
            assert!(threads(&["infill", "models", "--threads", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_outside_their_range_are_wrong_usage() {
        let fill = "infill inpaint --image a.png --mask b.png --output c.png";
        let outcome = |more: &str| Arguments::try_parse_from(format!("{fill} {more}").split(' '));
        for wrong in [
            "--sigma 1e8",
            "--sigma 0",
            "--sigma -3",
            "--sigma NaN",
            "--grow 2147483647",
            "--grow -1",
            "--side 63",
            "--hole-value inf",
            "--hole-value 1e9",
            "--seed -1",
        ] {
            let error = outcome(wrong).map(drop).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{wrong}");
            assert!(error.to_string().contains(wrong.split(' ').next().unwrap()), "{error}");
        }
        assert!(outcome("--sigma 0.1 --grow 1024 --side 1024 --hole-value -1 --seed 7").is_ok());
    }
}
