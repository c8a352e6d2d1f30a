//! `dist/`: the site for any static host, under any path.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{build, headers, notice, tools};

/// Most bytes, gzipped, of the page and of what opens a photo.
const FIRST_LOAD_BYTES: u64 = 430_000;
/// Most bytes of these and of the largest build that fills, which is fetched with the first model.
const ALL_BYTES: u64 = 1_060_000;

/// Most bytes of the build that saves, which is fetched once a photo is open.
const SAVING_BYTES: u64 = 350_000;

/// Most bytes of the build that selects objects, which is fetched when that tool is chosen.
const SELECTING_BYTES: u64 = 100_000;

/// What other people's pages import, and the folder of what only it needs.
const MODULE: &str = "infill.js";
const MODULE_FOLDER: &str = "www/embed/";

/// Builds and writes the site; fails if it has grown too large.
pub fn run() -> Result<()> {
    build::run(&build::SHIPPED, &[])?;
    let (root, dist) = (tools::root(), tools::root().join("dist"));
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    fs::create_dir_all(&dist)?;
    for file in ["index.html", "sw.js", "infill.json", "LICENSE-MIT", "LICENSE-APACHE"] {
        if root.join(file).exists() {
            fs::copy(root.join(file), dist.join(file)).with_context(|| file.to_owned())?;
        }
    }
    copy(&root.join("www"), &dist.join("www"))?;
    strip(&dist)?;
    // For other people's pages, with the types that it is written with.
    fs::copy(root.join(MODULE), dist.join(MODULE)).context(MODULE)?;
    for build in build::SHIPPED {
        let (from, to) = (root.join("pkg").join(build.name), dist.join("pkg").join(build.name));
        fs::create_dir_all(&to)?;
        for file in ["infill.js", "infill_bg.wasm"] {
            fs::copy(from.join(file), to.join(file))?;
        }
    }
    // GitHub Pages would otherwise run Jekyll over it.
    fs::write(dist.join(".nojekyll"), "")?;
    fs::write(dist.join("_headers"), headers::file()?)?;
    fs::write(dist.join("NOTICE.txt"), notice::text()?)?;
    let hash = write_hash(&dist)?;
    write_list(&dist)?;
    println!("dist/ written; SHA-256 {hash}");
    weigh(&dist)
}

/// Says what a visitor fetches, without weights and samples, and fails where that is too much.
fn weigh(dist: &Path) -> Result<()> {
    let of = |build: build::Build| gzipped(&dist.join("pkg").join(build.name));
    let first = gzipped(dist)? - unspoken(dist)? + of(build::PICTURES)?;
    // A browser takes one build.
    let largest = build::ALL.map(of).into_iter().collect::<Result<Vec<u64>>>()?.into_iter().max().unwrap_or(0);
    let all = first + largest;
    let (saves, selects) = (of(build::SAVING)?, of(build::SELECTING)?);
    println!(
        "first load {} KB gzipped, with what fills {} KB; what saves {} KB, what selects {} KB",
        first / 1000,
        all / 1000,
        saves / 1000,
        selects / 1000
    );
    for (what, bytes, most) in [
        ("first load", first, FIRST_LOAD_BYTES),
        ("page with what fills", all, ALL_BYTES),
        ("build that saves", saves, SAVING_BYTES),
        ("build that selects", selects, SELECTING_BYTES),
    ] {
        if bytes > most {
            bail!("the {what} has {bytes} bytes gzipped, more than {most}");
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

/// Leaves the comments of the page's scripts behind: a quarter of their bytes.
fn strip(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            strip(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "js") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            fs::write(&path, without_comments(&text))?;
        }
    }
    Ok(())
}

/// A script without the lines that are nothing but a comment. It reads lines, not JavaScript: a comment begins at the
/// start of one, and no string or template of the page has a line that looks like it.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.lines() {
        let words = line.trim();
        let end = words.find("*/").map(|at| at + 2);
        if inside || (words.starts_with("/*") && end.is_none_or(|end| end == words.len())) {
            inside = end.is_none();
        } else if !words.starts_with("//") {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// Where the page finds the hash of the site.
const ROOT_ELEMENT: &str = "<html lang=\"en\">";

/// Tells the page the hash of the whole site: of every file's path and SHA-256, as the files are before this is written.
fn write_hash(dist: &Path) -> Result<String> {
    let mut all = BTreeMap::new();
    hash(dist, "", &mut all)?;
    all.insert("sw.js".to_owned(), hex(&Sha256::digest(fs::read(dist.join("sw.js"))?)));
    let lines: String = all.iter().map(|(path, hash)| format!("{hash}  {path}\n")).collect();
    let hash = hex(&Sha256::digest(lines));
    let path = dist.join("index.html");
    let page = fs::read_to_string(&path).context("index.html")?;
    if page.matches(ROOT_ELEMENT).count() != 1 {
        bail!("index.html must hold {ROOT_ELEMENT} once");
    }
    fs::write(path, page.replace(ROOT_ELEMENT, &format!("<html lang=\"en\" data-site=\"{hash}\">")))?;
    Ok(hash)
}

/// The line of `sw.js` that the list of files takes the place of.
const NO_LIST: &str = "const SITE = { version: '', headers: {}, now: {}, later: {} };";

/// Tells the service worker what belongs to this version of the site, with a SHA-256 each.
fn write_list(dist: &Path) -> Result<()> {
    let mut all = BTreeMap::new();
    hash(dist, "", &mut all)?;
    let version = hex(&Sha256::digest(json!(all).to_string()))[..16].to_owned();
    // The page keeps weights itself; licences, and what only hosts read, are not part of it; what a host may change is
    // asked for anew; a sample is kept when it is first opened.
    let others = ["www/models/", "LICENSE", "NOTICE", ".", "_headers", "infill.json"];
    all.retain(|path, _| !others.iter().any(|other| path.starts_with(other)));
    let is_sample = |path: &str| path.starts_with("www/samples/") && !path.starts_with("www/samples/thumb-");
    // A photo must open, and work must be saved, whatever else there is.
    let is_needed =
        |path: &str| [build::PICTURES, build::SAVING].iter().any(|b| path.starts_with(&format!("pkg/{}/", b.name)));
    let fills = |path: &str| path.starts_with("pkg/") && !is_needed(path);
    let is_for_others = |path: &str| path == MODULE || path.starts_with(MODULE_FOLDER);
    let is_later = |path: &str| is_sample(path) || fills(path) || is_for_others(path);
    let (later, now): (BTreeMap<_, _>, BTreeMap<_, _>) = all.into_iter().partition(|(path, _)| is_later(path));
    let path = dist.join("sw.js");
    let script = fs::read_to_string(&path).context("sw.js")?;
    if script.matches(NO_LIST).count() != 1 {
        bail!("sw.js must hold exactly one line {NO_LIST}");
    }
    let headers: BTreeMap<_, _> = headers::all()?.into_iter().collect();
    let list = json!({"version": version, "headers": headers, "now": now, "later": later});
    let list = format!("const SITE = {list};");
    fs::write(path, script.replace(NO_LIST, &list))?;
    Ok(())
}

/// Hashes of all files below a folder, by path from `dist`.
fn hash(folder: &Path, prefix: &str, all: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            hash(&entry.path(), &format!("{path}/"), all)?;
        } else {
            all.insert(path, hex(&Sha256::digest(fs::read(entry.path())?)));
        }
    }
    // The list cannot hold its own hash.
    all.remove("sw.js");
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes, gzipped, of the tables of words that a visitor does not fetch: of all but the largest.
fn unspoken(dist: &Path) -> Result<u64> {
    let folder = dist.join("www/strings");
    let list = fs::read_to_string(folder.join("languages.js"))?;
    let mut sizes = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if list.contains(&format!("'./{name}'")) || list.contains(&format!("\"./{name}\"")) {
            sizes.push(compressed(&entry.path())?);
        }
    }
    Ok(sizes.iter().sum::<u64>() - sizes.iter().max().copied().unwrap_or(0))
}

/// Bytes of a file, gzipped.
fn compressed(path: &Path) -> Result<u64> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&fs::read(path)?)?;
    Ok(encoder.finish()?.len() as u64)
}

/// Gzipped bytes of a folder: all but weights, sample pictures, the builds of the crate and what is for other pages.
fn gzipped(folder: &Path) -> Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            total += if ["models", "pkg", "embed"].contains(&name.as_str()) { 0 } else { gzipped(&entry.path())? };
            continue;
        }
        let is_for_others = name == MODULE && folder.join("index.html").exists();
        let is_loaded =
            !["LICENSE", "NOTICE", "_headers"].iter().any(|other| name.starts_with(other)) && !is_for_others;
        if !folder.ends_with("samples") && is_loaded {
            total += compressed(&entry.path())?;
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_comments_are_left_behind() {
        let script = "/**\n * Words.\n */\nconst url = 'https://x'; // kept\n  // gone\n/** @type {number} */\n/** @type {any} */ (b).c();\n";
        assert_eq!(without_comments(script), "const url = 'https://x'; // kept\n/** @type {any} */ (b).c();\n");
    }

    #[test]
    fn the_service_worker_gets_what_the_page_needs_and_no_more() {
        let folder = std::env::temp_dir().join(format!("infill-dist-{}", std::process::id()));
        for (path, text) in [
            ("index.html", "abc"),
            ("www/samples/pig.jpg", "photo"),
            ("www/samples/thumb-pig.jpg", "small"),
            ("www/models/default.safetensors", "weights"),
            ("pkg/pictures/infill.js", "bindings"),
            ("pkg/saving/infill.js", "bindings"),
            ("pkg/selecting/infill.js", "bindings"),
            ("pkg/relaxed/infill.js", "bindings"),
            ("infill.js", "module"),
            ("www/embed/filler.js", "module"),
            ("LICENSE-MIT", "licence"),
            ("infill.json", "{}"),
            ("_headers", "/*"),
            ("sw.js", &format!("// before\n{NO_LIST}\n// after\n")),
        ] {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        write_list(&folder).unwrap();
        let script = fs::read_to_string(folder.join("sw.js")).unwrap();
        // A second time there is no place left to write to.
        assert!(write_list(&folder).is_err());
        fs::remove_dir_all(&folder).unwrap();

        let line = script.lines().nth(1).unwrap();
        let list = line.strip_prefix("const SITE = ").unwrap().strip_suffix(';').unwrap();
        let list: serde_json::Value = serde_json::from_str(list).unwrap();
        let keys = |part: &str| list[part].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let now = ["index.html", "pkg/pictures/infill.js", "pkg/saving/infill.js", "www/samples/thumb-pig.jpg"];
        assert_eq!(keys("now"), now);
        let later = [
            "infill.js",
            "pkg/relaxed/infill.js",
            "pkg/selecting/infill.js",
            "www/embed/filler.js",
            "www/samples/pig.jpg",
        ];
        assert_eq!(keys("later"), later);
        // SHA-256 of "abc", FIPS 180-2.
        assert_eq!(list["now"]["index.html"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(list["version"].as_str().unwrap().len(), 16);
    }

    #[test]
    fn the_page_is_told_one_hash_for_all_files() {
        let folder = std::env::temp_dir().join(format!("infill-hash-{}", std::process::id()));
        let site = |script: &str| {
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("index.html"), format!("<!doctype html>\n{ROOT_ELEMENT}\n")).unwrap();
            fs::write(folder.join("sw.js"), script).unwrap();
            let hash = write_hash(&folder).unwrap();
            assert!(fs::read_to_string(folder.join("index.html")).unwrap().contains(&format!("data-site=\"{hash}\"")));
            // A second time there is no place left to write to.
            assert!(write_hash(&folder).is_err());
            fs::remove_dir_all(&folder).unwrap();
            hash
        };
        assert_eq!(site("a"), site("a"));
        assert_ne!(site("a"), site("b"));
        assert_eq!(site("a").len(), 64);
    }
}
