//! `NOTICE.txt`: the licences of everything that the site ships, from the metadata of what it is built from.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::tools;

/// Licence files in the order in which one is taken where a crate offers several: the shortest first.
const PREFERRED: [&str; 6] = ["LICENSE-MIT", "LICENSE-ZLIB", "LICENSE-BSD", "LICENSE.", "LICENSE", "LICENSE-APACHE"];

/// One crate that is compiled into the site.
struct Crate {
    name: String,
    version: String,
    /// As its manifest says, such as `MIT OR Apache-2.0`.
    licence: String,
    authors: Vec<String>,
    folder: PathBuf,
}

/// The notice: the site's own parts, then each licence text once, under the crates that it covers.
pub fn text() -> Result<String> {
    let root = tools::root();
    let read = |path: &str| std::fs::read_to_string(root.join(path)).with_context(|| path.to_owned());
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for shipped in shipped()? {
        let text = licence_text(&shipped)?;
        texts.entry(text).or_default().push(format!("{} {} ({})", shipped.name, shipped.version, shipped.licence));
    }
    let mut parts: Vec<(Vec<String>, String)> = texts.into_iter().map(|(text, crates)| (crates, text)).collect();
    parts.sort();
    let mut out = format!(
        "infill and its default model (www/models/default.safetensors): MIT OR Apache-2.0, at your choice. The photos that the \
         model was trained on, with their authors and licences, are listed in www/models/CREDITS.tsv.\n\n{}\n\
         The Rust standard library: MIT OR Apache-2.0, Copyright (c) The Rust Project Contributors.\n\n\
         MI-GAN (www/models/migan-512.safetensors):\n\n{}\n\nThe sample photos (www/samples/):\n\n{}\n",
        read("LICENSE-MIT")?,
        read("www/models/migan-512.LICENSE.txt")?.trim_end(),
        read("www/samples/CREDITS.txt")?.trim_end(),
    );
    for (crates, text) in parts {
        let line = "-".repeat(100);
        out.push_str(&format!("\n{line}\n{}\n\n{}\n", crates.join("\n"), text.trim()));
    }
    Ok(out)
}

/// The crates in the wasm, the reference build included; what only compiles (macros, build scripts) is not shipped.
fn shipped() -> Result<Vec<Crate>> {
    let arguments = ["metadata", "--format-version", "1", "--locked", "--features", "reference"];
    let output = tools::command("cargo", &arguments).args(["--filter-platform", "wasm32-unknown-unknown"]).output()?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let by_id =
        |values: Vec<Value>| values.into_iter().map(|value| (text(&value["id"]), value)).collect::<HashMap<_, _>>();
    let (packages, nodes) = (by_id(list(&metadata["packages"])), by_id(list(&metadata["resolve"]["nodes"])));
    let root =
        packages.values().find(|package| package["name"] == "infill").context("infill is not in the metadata")?;
    let (mut seen, mut left, mut found) = (HashSet::new(), vec![text(&root["id"])], Vec::new());
    while let Some(id) = left.pop() {
        let package = &packages[&id];
        let is_macro =
            list(&package["targets"]).iter().any(|target| list(&target["kind"]).contains(&"proc-macro".into()));
        if is_macro || !seen.insert(id.clone()) {
            continue;
        }
        let normal = |dependency: &Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        left.extend(list(&nodes[&id]["deps"]).iter().filter(|each| normal(each)).map(|each| text(&each["pkg"])));
        if package["name"] != "infill" {
            let manifest = PathBuf::from(text(&package["manifest_path"]));
            found.push(Crate {
                name: text(&package["name"]),
                version: text(&package["version"]),
                licence: text(&package["license"]),
                authors: list(&package["authors"]).iter().map(text).collect(),
                folder: manifest.parent().map(Path::to_path_buf).unwrap_or_default(),
            });
        }
    }
    found.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(found)
}

/// The text of the licence that is taken; a crate that comes without one must name one whose text is here.
fn licence_text(shipped: &Crate) -> Result<String> {
    let entries = std::fs::read_dir(&shipped.folder).with_context(|| shipped.folder.display().to_string())?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let file = PREFERRED.iter().find_map(|start| names.iter().find(|name| name.to_uppercase().starts_with(start)));
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(text.replace("\r\n", "\n"))
    };
    match file {
        Some(name) => read(shipped.folder.join(name)),
        None if shipped.licence.contains("Apache-2.0") => read(tools::root().join("LICENSE-APACHE")),
        None if shipped.licence == "MIT" => Ok(mit(&read(tools::root().join("LICENSE-MIT"))?, &shipped.authors)),
        None => {
            bail!("{} {} ({}) comes without the text of its licence", shipped.name, shipped.version, shipped.licence)
        }
    }
}

/// The MIT licence with these holders of the copyright.
fn mit(ours: &str, holders: &[String]) -> String {
    let line = format!("Copyright (c) {}", holders.join(", "));
    ours.lines().map(|own| if own.starts_with("Copyright (c)") { &line } else { own }).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of this ending.
    fn files(folder: &str, ending: &str) -> Vec<String> {
        let entries = std::fs::read_dir(tools::root().join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(ending)).collect()
    }

    #[test]
    fn the_notice_names_every_crate_in_the_wasm_and_what_lies_beside_it() {
        let (notice, crates) = (text().unwrap(), shipped().unwrap());
        assert!(crates.len() > 30, "{}", crates.len());
        for shipped in &crates {
            assert!(notice.contains(&format!("{} {} ({})", shipped.name, shipped.version, shipped.licence)));
            assert!(!shipped.licence.is_empty(), "{} says no licence", shipped.name);
        }
        let names: Vec<&str> = crates.iter().map(|shipped| shipped.name.as_str()).collect();
        assert!(
            names.contains(&"png") && names.contains(&"candle-core") && names.contains(&"wasm-bindgen"),
            "{names:?}"
        );
        assert!(!names.contains(&"syn") && !names.contains(&"clap"), "not shipped: {names:?}");
        // Weights and photos too.
        for part in ["MI-GAN", "default.safetensors", "Picsart", "kingfisher.jpg"] {
            assert!(notice.contains(part), "{part}");
        }
        // A thumbnail is the same photo.
        let samples = files("www/samples", ".jpg");
        for file in [files("www/models", ".safetensors"), samples].concat() {
            let name = file.trim_start_matches("thumb-");
            assert!(notice.contains(name), "the notice does not know {name}");
        }
    }
}
