//! `pkg/<build>/`: the crate as wasm with its JavaScript bindings, once for every kind of browser.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::{remap, tools};

/// One build of the page's wasm; the page takes the best that the browser can run (`www/worker/builds.js`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Build {
    /// Folder in `pkg/`.
    pub name: &'static str,
    /// Whether it uses relaxed SIMD (fused multiply-adds).
    pub relaxed: bool,
    /// Whether its memory is shared, so that threads can work on it.
    pub threads: bool,
    /// Features of the crate, which say what it is for.
    pub features: &'static [&'static str],
}

/// What every build that fills has.
const FILLS: &[&str] = &["networks"];

/// Every browser of the last years runs this one.
pub const SURE: Build = Build { name: "simd128", relaxed: false, threads: false, features: FILLS };
/// The fastest.
pub const BEST: Build = Build { name: "relaxed-threads", relaxed: true, threads: true, features: FILLS };
/// The builds that fill photos: a browser takes one of them.
pub const ALL: [Build; 4] = [
    SURE,
    Build { name: "relaxed", relaxed: true, threads: false, features: FILLS },
    Build { name: "simd128-threads", relaxed: false, threads: true, features: FILLS },
    BEST,
];
/// The builds that the crate's own tests run in: between them they have everything that builds differ in, both kinds of
/// kernels, and memory of one thread and of several. The finished site is tested in all.
pub const TESTED: [Build; 2] = [SURE, BEST];
/// Decodes and encodes: all that opening a photo needs.
pub const PICTURES: Build = Build { name: "pictures", relaxed: false, threads: false, features: &["pictures"] };
/// Saves photos with what their files tell: apart from what decodes, so that one can be had without the other.
pub const SAVING: Build = Build { name: "saving", relaxed: false, threads: false, features: &["saving"] };
/// Selects objects, fetched when somebody chooses that tool.
pub const SELECTING: Build = Build { name: "selecting", relaxed: false, threads: false, features: &["selecting"] };
/// Fetched only when somebody checks the fast engine against the reference.
pub const REFERENCE: Build =
    Build { name: "reference", relaxed: false, threads: false, features: &["networks", "reference"] };
/// What also reads pasted classes, fetched only when somebody pastes one: for every browser, and the fastest.
const READS: &[&str] = &["networks", "classes"];
/// The one that every browser runs.
pub const CLASSES: Build = Build { name: "classes", relaxed: false, threads: false, features: READS };
/// The fastest.
pub const BEST_CLASSES: Build =
    Build { name: "classes-relaxed-threads", relaxed: true, threads: true, features: READS };
/// All that `dist` ships.
pub const SHIPPED: [Build; 10] =
    [ALL[0], ALL[1], ALL[2], ALL[3], PICTURES, SAVING, SELECTING, REFERENCE, CLASSES, BEST_CLASSES];

/// Most bytes a shared memory may be asked for; the page asks for less where the browser refuses (iOS does).
const SHARED_MEMORY_BYTES: u64 = 4 << 30;

impl Build {
    /// `-C` options. Source order keeps LLVM from hoisting every splat of a GEMM tile, which would spill in V8.
    fn flags(self) -> Vec<String> {
        let mut features = "+simd128".to_owned();
        if self.relaxed {
            features += ",+relaxed-simd";
        }
        if self.threads {
            features += ",+atomics,+bulk-memory,+mutable-globals";
        }
        let mut flags = vec![format!("-Ctarget-feature={features}"), "-Cllvm-args=-pre-RA-sched=source".to_owned()];
        if self.threads {
            let fixed = ["--shared-memory", "--import-memory", "--export=__wasm_init_tls", "--export=__tls_size"];
            let all = fixed.into_iter().chain(["--export=__tls_align", "--export=__tls_base"]).map(str::to_owned);
            let most = format!("--max-memory={SHARED_MEMORY_BYTES}");
            flags.extend(all.chain([most]).map(|argument| format!("-Clink-arg={argument}")));
        }
        flags
    }

    /// Cargo for this build, in a target folder of its own, so that the builds neither wait for nor undo each other.
    pub fn cargo(self, arguments: &[&str]) -> Result<Command> {
        let mut command = tools::command("cargo", arguments);
        command.args(["--target", "wasm32-unknown-unknown", "--target-dir"]).arg(self.folder());
        let flags = [self.flags(), remap::flags()?].concat();
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        if self.threads {
            // The standard library as it is distributed has no atomics; stable Rust builds it anew only when told so.
            command.args(["-Z", "build-std=panic_abort,std"]).env("RUSTC_BOOTSTRAP", "1");
        }
        Ok(command)
    }

    /// Cargo's target folder of this build; the sure one shares the native builds'.
    fn folder(self) -> PathBuf {
        if self == SURE { target() } else { target().join("builds").join(self.name) }
    }

    /// Compiles and binds, or finds it up to date; `more` are features beside its own.
    fn make(self, more: &[&str]) -> Result<()> {
        let start = Instant::now();
        // `--lib`: a binary of the same name would collide on wasm32.
        let mut command = self.cargo(&["build", "--lib", "--profile", "wasm", "--no-default-features"])?;
        command.args(self.features.iter().chain(more).flat_map(|feature| ["--features", feature]));
        let status = command.status().context("cargo cannot be started")?;
        if !status.success() {
            bail!("the build {} failed", self.name);
        }
        let wasm = self.folder().join("wasm32-unknown-unknown/wasm/infill.wasm");
        let pkg = tools::root().join("pkg").join(self.name);
        let bound = pkg.join("infill_bg.wasm");
        if newer(&bound, &wasm) {
            return Ok(());
        }
        bindings(&wasm, &pkg, "infill", false)?;
        let bytes = std::fs::metadata(bound)?.len();
        let seconds = start.elapsed().as_secs_f32();
        println!("pkg/{} built in {seconds:.0} s: {} KB of wasm", self.name, bytes / 1000);
        Ok(())
    }
}

/// Builds what is asked for, with these features of the crate beside each one's own.
pub fn run(builds: &[Build], more: &[&str]) -> Result<()> {
    tools::wasm_target()?;
    if builds.iter().any(|build| build.threads) {
        tools::rust_src()?;
    }
    // The sources' folders must be there to be given other names.
    tools::run("cargo", &["fetch", "--quiet", "--locked"])?;
    two_at_a_time(builds, |build| build.make(more)).map(drop)
}

/// Those of all builds that have one of these names; the page's own where none is named.
pub fn named(names: &[String]) -> Result<Vec<Build>> {
    let find = |name: &String| {
        let known = SHIPPED.map(|build| build.name).join(", ");
        SHIPPED
            .into_iter()
            .find(|build| build.name == name)
            .with_context(|| format!("no build {name}; there are {known}"))
    };
    if names.is_empty() { Ok(crate::serve::BUILDS.to_vec()) } else { names.iter().map(find).collect() }
}

/// Work on every build, two at a time: the last step of each is one long job for one core, and takes memory.
pub fn two_at_a_time<T: Send>(builds: &[Build], work: impl Fn(Build) -> Result<T> + Sync) -> Result<Vec<T>> {
    let mut done = Vec::new();
    for pair in builds.chunks(2) {
        let work = &work;
        let results: Vec<_> = std::thread::scope(|scope| {
            let jobs: Vec<_> = pair.iter().map(|&build| scope.spawn(move || work(build))).collect();
            jobs.into_iter().map(|job| job.join().unwrap_or_else(|_| bail!("a build panicked"))).collect()
        });
        done.extend(results.into_iter().collect::<Result<Vec<T>>>()?);
    }
    Ok(done)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tested_builds_have_all_that_builds_differ_in() {
        for has in [|build: &Build| build.threads, |build: &Build| build.relaxed] {
            assert!(TESTED.iter().any(has) && TESTED.iter().any(|build| !has(build)));
        }
    }

    #[test]
    fn builds_are_found_by_their_names() {
        assert_eq!(named(&["selecting".to_owned(), "saving".to_owned()]).unwrap(), [SELECTING, SAVING]);
        assert_eq!(named(&[]).unwrap(), crate::serve::BUILDS);
        assert!(named(&["select".to_owned()]).unwrap_err().to_string().contains("selecting"));
    }

    #[test]
    fn only_builds_with_threads_share_their_memory() {
        for build in ALL {
            let flags = build.flags().join(" ");
            assert_eq!(flags.contains("--shared-memory"), build.threads, "{}", build.name);
            assert_eq!(flags.contains("+atomics"), build.threads, "{}", build.name);
            assert_eq!(flags.contains("+relaxed-simd"), build.relaxed, "{}", build.name);
            assert!(flags.contains("+simd128") && flags.contains("-pre-RA-sched=source"), "{}", build.name);
        }
    }
}
