//! Paths of this machine, kept out of what is built: the same sources give the same bytes wherever they lie.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{build, tools};

/// `--remap-path-prefix` options of rustc for every folder that sources are compiled from. The last that fits a path wins.
pub fn flags() -> Result<Vec<String>> {
    let cargo = cargo_home()?;
    let folders = [
        (build::target(), "target"),
        (tools::root(), "infill"),
        (cargo.clone(), "cargo"),
        (tools::sysroot()?.join("lib/rustlib/src/rust"), "rust"),
    ];
    // A registry's folder has its host in its name, which may be a mirror's.
    let registries = registries(&cargo).into_iter().map(|folder| (folder, "crates"));
    Ok(folders.into_iter().chain(registries).map(|(from, to)| flag(&from, to)).collect())
}

fn flag(from: &Path, to: &str) -> String {
    format!("--remap-path-prefix={}=/{to}", from.display())
}

/// Where cargo keeps what it has downloaded.
fn cargo_home() -> Result<PathBuf> {
    let home = || std::env::home_dir().map(|home| home.join(".cargo"));
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(home)
        .context("neither CARGO_HOME nor a home folder is known")
}

/// The folders with the sources of the registries' crates, in order.
fn registries(cargo: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(cargo.join("registry/src")).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = folders.map(|folder| folder.path()).collect();
    folders.sort();
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_of_sources_has_a_name_of_its_own() {
        let flags = flags().unwrap();
        assert!(flags.iter().any(|flag| flag.ends_with("=/infill") && flag.contains(tools::root().to_str().unwrap())));
        assert!(flags.iter().any(|flag| flag.ends_with("/lib/rustlib/src/rust=/rust")));
        // The registry is a part of cargo's folder, so it must come after it.
        let place = |end: &str| flags.iter().position(|flag| flag.ends_with(end));
        assert!(place("=/cargo") < place("=/crates"), "{flags:?}");
    }
}
