//! `cargo xtask test`: every stage runs, whatever the ones before it found, and the closing line counts them all.
//! `cargo xtask test wasm` runs the stages whose name holds this word only.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{build, dist, supply, tools};

#[derive(Default)]
struct Count {
    passed: u32,
    failed: u32,
    /// Stages without this word in their name are left out.
    word: String,
}

/// Runs everything, or the stages with this word in their name.
pub fn run(word: &str) -> Result<()> {
    let mut count = Count { word: word.to_owned(), ..Count::default() };
    let mut engines = Vec::new();
    let wasm = ["--lib", "--target", "wasm32-unknown-unknown"];
    stage(&mut count, "format", || tools::run("cargo", &["fmt", "--all", "--check"]));
    stage(&mut count, "lints", || {
        tools::run("cargo", &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])
    });
    stage(&mut count, "lints for wasm", || {
        tools::wasm_target()?;
        tools::run("cargo", &[&["clippy", "--quiet"], &wasm[..], &["--", "-D", "warnings"]].concat())
    });
    tests(&mut count, "native tests", || Ok(tools::command("cargo", &["test", "--workspace", "--no-fail-fast"])));
    // Whatever the word is: the others stand on it.
    let word = std::mem::take(&mut count.word);
    let ready = stage(&mut count, "Node, npm packages and Chromium", || {
        tools::node()?;
        tools::node_modules("")?;
        tools::chromium().map(drop)
    });
    count.word = word;
    if ready {
        stage(&mut count, "supply chain", supply::check);
        stage(&mut count, "types of the page", || {
            tools::run("npx", &["--no-install", "tsc", "-p", "tsconfig.page.json"])
        });
        stage(&mut count, "types of the worker", || {
            tools::run("npx", &["--no-install", "tsc", "-p", "tsconfig.worker.json"])
        });
        tests(&mut count, "the page's modules", || Ok(tools::command("node", &["tests/page/run.mjs"])));
        let mut folders = Vec::new();
        stage(&mut count, "wasm tests, compiled", || {
            folders = build::two_at_a_time(&build::TESTED, |build| Ok((build, wasm_tests(build)?)))?;
            Ok(())
        });
        for (build, folder) in folders {
            tests(&mut count, &format!("wasm tests of the build {} in Chromium", build.name), || {
                let mut command = tools::command("node", &["tests/e2e/wasm.mjs"]);
                command.arg(folder).env("CHROMIUM", tools::chromium()?);
                Ok(command)
            });
        }
        if stage(&mut count, "site", dist::run) {
            engines = ENGINES.iter().map(|engine| end_to_end(&mut count, engine)).collect();
        }
    }
    if count.passed + count.failed == 1 && !count.word.is_empty() {
        bail!("no stage has {} in its name", count.word);
    }
    println!("\nend to end: {}", if engines.is_empty() { "no engine ran".to_owned() } else { engines.join("; ") });
    println!("test result: {} passed, {} failed", count.passed, count.failed);
    println!("{} passed, {} failed", count.passed, count.failed);
    if count.failed > 0 {
        bail!("{} failed", count.failed);
    }
    Ok(())
}

/// A browser engine that the site is tested in.
struct Engine {
    name: &'static str,
    /// What `tests/e2e/run.mjs` calls it.
    id: &'static str,
    /// The variable that tells the tests where its program is.
    variable: &'static str,
    find: fn() -> Result<PathBuf>,
    /// Whether the tests fail without it.
    is_needed: bool,
}

const ENGINES: [Engine; 3] = [
    Engine { name: "Chromium", id: "chromium", variable: "CHROMIUM", find: tools::chromium, is_needed: true },
    Engine { name: "Firefox", id: "firefox", variable: "FIREFOX", find: tools::firefox, is_needed: false },
    Engine { name: "WebKitGTK", id: "webkit", variable: "WEBKIT_DRIVER", find: tools::webkit, is_needed: false },
];

/// Tests the site in one engine; says whether it ran, and why not.
fn end_to_end(count: &mut Count, engine: &Engine) -> String {
    let stage = format!("end to end in {}", engine.name);
    if !stage.contains(&count.word) {
        return format!("{} not asked for", engine.name);
    }
    match (engine.find)() {
        Err(error) if !engine.is_needed => {
            println!("\n== {stage}: left out: {error:#}");
            format!("{} left out ({error:#})", engine.name)
        }
        found => {
            tests(count, &stage, || {
                let mut command = tools::command("node", &["tests/e2e/run.mjs", engine.id]);
                command.env(engine.variable, found?).env("INFILL", native()?);
                Ok(command)
            });
            format!("{} ran", engine.name)
        }
    }
}

/// A stage that passes or fails as a whole.
fn stage(count: &mut Count, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
    if !name.contains(&count.word) {
        return true;
    }
    println!("\n== {name}");
    let start = Instant::now();
    let outcome = work();
    match &outcome {
        Ok(()) => count.passed += 1,
        Err(error) => {
            count.failed += 1;
            eprintln!("{name} failed: {error:#}");
        }
    }
    println!("== {name}: {} in {:.0} s", if outcome.is_ok() { "ok" } else { "FAILED" }, start.elapsed().as_secs_f32());
    outcome.is_ok()
}

/// A stage whose own tests are counted from its `test result:` lines; one without any such line has failed.
fn tests(count: &mut Count, name: &str, prepare: impl FnOnce() -> Result<Command>) {
    if !name.contains(&count.word) {
        return;
    }
    println!("\n== {name}");
    let start = Instant::now();
    let (passed, failed) = match prepare().and_then(counted) {
        Ok(found) => found,
        Err(error) => {
            eprintln!("{name} failed: {error:#}");
            (0, 1)
        }
    };
    count.passed += passed;
    count.failed += failed;
    println!("== {name}: {passed} passed, {failed} failed in {:.0} s", start.elapsed().as_secs_f32());
}

/// Runs a command, passes its output on, and adds up its `test result: .. N passed; M failed` lines.
fn counted(mut command: Command) -> Result<(u32, u32)> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("{command:?}"))?;
    let (mut passed, mut failed, mut results) = (0, 0, 0);
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        let line = line?;
        println!("{line}");
        if let Some(found) = result_line(&line) {
            results += 1;
            passed += found.0;
            failed += found.1;
        }
    }
    let status = child.wait()?;
    if results == 0 || passed + failed == 0 {
        bail!("it reported no test");
    }
    // Something broke that no test could report.
    if !status.success() && failed == 0 {
        failed = 1;
    }
    Ok((passed, failed))
}

/// Passed and failed of a line such as `test result: ok. 12 passed; 0 failed; 1 ignored`.
fn result_line(line: &str) -> Option<(u32, u32)> {
    let words: Vec<&str> =
        line.strip_prefix("test result:")?.split([' ', ';', ',', '.']).filter(|w| !w.is_empty()).collect();
    let number = |word: &str| {
        let at = words.iter().position(|w| *w == word)?;
        words.get(at.checked_sub(1)?)?.parse().ok()
    };
    Some((number("passed").unwrap_or(0), number("failed").unwrap_or(0)))
}

/// The crate's tests compiled to wasm as one of the builds, with bindings, ready to be loaded by a worker.
fn wasm_tests(build: build::Build) -> Result<PathBuf> {
    tools::wasm_target()?;
    if build.threads {
        tools::rust_src()?;
    }
    let arguments = ["test", "--lib", "--no-run", "--message-format", "json-render-diagnostics"];
    let output = build.cargo(&arguments)?.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("the crate's tests do not compile to wasm");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let artifacts = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let wasm = artifacts.filter_map(|m| Some(m["executable"].as_str()?.to_owned())).next_back();
    let wasm = wasm.context("cargo named no test binary")?;
    let folder = build::target().join("wasm-tests").join(build.name);
    build::bindings(wasm.as_ref(), &folder, "tests", true)?;
    Ok(folder)
}

/// The native command line, for comparison with the page.
fn native() -> Result<PathBuf> {
    tools::run("cargo", &["build", "--quiet", "--bin", "infill"])?;
    Ok(build::target().join("debug/infill"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_cargo_and_of_the_page_are_counted() {
        let cargo =
            "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s";
        assert_eq!(result_line(cargo), Some((12, 3)));
        assert_eq!(result_line("test result: ok. 7 passed; 0 failed"), Some((7, 0)));
        assert_eq!(result_line("running 7 tests"), None);
    }

    #[test]
    fn a_command_without_tests_or_that_breaks_afterwards_has_failed() {
        let shell = |script: &str| tools::command("sh", &["-c", script]);
        assert!(counted(shell("echo nothing")).is_err());
        assert!(counted(shell("echo test result: ok. 0 passed, 0 failed")).is_err());
        assert_eq!(counted(shell("echo 'test result: ok. 2 passed; 0 failed'; exit 3")).unwrap(), (2, 1));
        assert_eq!(counted(shell("echo 'test result: ok. 2 passed; 0 failed'")).unwrap(), (2, 0));
    }
}
