//! `pkg/`: the crate as wasm with its JavaScript bindings.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::tools;

/// Builds `pkg/`, or finds it up to date.
pub fn run() -> Result<()> {
    tools::wasm_target()?;
    let start = Instant::now();
    // `--lib`: a binary of the same name would collide on wasm32.
    tools::run("cargo", &["build", "--lib", "--profile", "wasm", "--target", "wasm32-unknown-unknown"])?;
    let wasm = target().join("wasm32-unknown-unknown/wasm/infill.wasm");
    let pkg = tools::root().join("pkg");
    if newer(&pkg.join("infill_bg.wasm"), &wasm) {
        return Ok(());
    }
    bindings(&wasm, &pkg, "infill", false)?;
    let bytes = std::fs::metadata(pkg.join("infill_bg.wasm"))?.len();
    println!("pkg/ built in {:.0} s: {} KB of wasm", start.elapsed().as_secs_f32(), bytes / 1000);
    Ok(())
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| tools::root().join("target"), PathBuf::from)
}

/// JavaScript bindings by the wasm-bindgen of the lock file; `test` keeps the raw exports.
pub fn bindings(wasm: &Path, folder: &Path, name: &str, test: bool) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name(name).web(true)?.typescript(!test).omit_default_module_path(false);
    bindgen.remove_name_section(!test).remove_producers_section(true);
    if test {
        bindgen.export_wasm(true).emit_start(false);
    }
    bindgen.generate(folder).with_context(|| format!("wasm-bindgen over {}", wasm.display()))
}

/// Whether `a` exists and is not older than `b`.
fn newer(a: &Path, b: &Path) -> bool {
    let time = |path: &Path| path.metadata().and_then(|m| m.modified()).ok();
    matches!((time(a), time(b)), (Some(a), Some(b)) if a >= b)
}
