//! `dist/`: the site for any static host, under any path.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{build, tools};

/// Most bytes of page and wasm together at the first load, gzipped, without weights and samples.
const FIRST_LOAD_BYTES: u64 = 800_000;

/// Builds and writes the site; fails if it has grown too large.
pub fn run() -> Result<()> {
    build::run()?;
    let (root, dist) = (tools::root(), tools::root().join("dist"));
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    fs::create_dir_all(&dist)?;
    for file in ["index.html", "sw.js", "LICENSE-MIT", "LICENSE-APACHE"] {
        if root.join(file).exists() {
            fs::copy(root.join(file), dist.join(file)).with_context(|| file.to_owned())?;
        }
    }
    copy(&root.join("www"), &dist.join("www"))?;
    fs::create_dir_all(dist.join("pkg"))?;
    for file in ["infill.js", "infill_bg.wasm"] {
        fs::copy(root.join("pkg").join(file), dist.join("pkg").join(file))?;
    }
    offline(&dist)?;
    // GitHub Pages would otherwise run Jekyll over it.
    fs::write(dist.join(".nojekyll"), "")?;
    let bytes = first_load(&dist)?;
    println!("dist/ written; first load without weights and samples {} KB gzipped", bytes / 1000);
    if bytes > FIRST_LOAD_BYTES {
        bail!("the first load has {bytes} bytes gzipped, more than {FIRST_LOAD_BYTES}");
    }
    Ok(())
}

/// Writes into `sw.js` what a visitor needs offline: everything but weights and full-size samples.
fn offline(dist: &Path) -> Result<()> {
    let mut files = vec!["./".to_owned()];
    list(dist, "", &mut files)?;
    files.sort();
    let path = dist.join("sw.js");
    let text = fs::read_to_string(&path).context("sw.js")?;
    let place = "const FILES = /** @type {string[]} */ ([]);";
    if !text.contains(place) {
        bail!("sw.js has no line `{place}` to write the files into");
    }
    fs::write(path, text.replace(place, &format!("const FILES = {};", serde_json::to_string_pretty(&files)?)))?;
    Ok(())
}

fn list(folder: &Path, prefix: &str, files: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{name}/"), files)?;
            continue;
        }
        let heavy = name.starts_with("www/models/") || name.starts_with("www/samples/") && !name.contains("thumb-");
        let page = ["html", "js", "css", "svg", "wasm", "jpg"].iter().any(|end| name.ends_with(&format!(".{end}")));
        if page && !heavy && name != "sw.js" {
            files.push(name);
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Gzipped bytes of page and wasm: all but weights and sample pictures.
fn first_load(folder: &Path) -> Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            total += if name == "models" { 0 } else { first_load(&entry.path())? };
            continue;
        }
        if !folder.ends_with("samples") && !name.starts_with("LICENSE") {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&fs::read(entry.path())?)?;
            total += encoder.finish()?.len() as u64;
        }
    }
    Ok(total)
}
