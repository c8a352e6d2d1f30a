//! Running commands, and making sure that the tools they need are there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The repository's top folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// A command in the top folder.
pub fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command to its end; its output goes where ours goes.
pub fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let status = command(program, arguments).status().with_context(|| format!("{program} cannot be started"))?;
    if !status.success() {
        bail!("{program} {} failed", arguments.join(" "));
    }
    Ok(())
}

/// Whether a command runs and succeeds, quietly.
pub fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let status = command(program, arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Adds the wasm target if rustup does not have it.
pub fn wasm_target() -> Result<()> {
    let installed = command("rustup", &["target", "list", "--installed"]).output();
    match installed {
        Ok(output) if String::from_utf8_lossy(&output.stdout).contains("wasm32-unknown-unknown") => Ok(()),
        Ok(_) => run("rustup", &["target", "add", "wasm32-unknown-unknown"]),
        // Without rustup the target may still come with the compiler; cargo says so if not.
        Err(_) => Ok(()),
    }
}

/// The folder of the Rust toolchain.
pub fn sysroot() -> Result<PathBuf> {
    let output = command("rustc", &["--print", "sysroot"]).output().context("rustc cannot be started")?;
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

/// The standard library's source: the builds with threads compile it anew, with atomics.
pub fn rust_src() -> Result<()> {
    if sysroot()?.join("lib/rustlib/src/rust/library/Cargo.lock").exists() {
        return Ok(());
    }
    run("rustup", &["component", "add", "rust-src"]).context(
        "The builds with threads need the standard library's source, which rustup could not add: \
         rustup component add rust-src",
    )
}

/// Node 20 or newer, for tests only.
pub fn node() -> Result<()> {
    let output =
        command("node", &["--version"]).output().context("The tests need Node 20 or newer: https://nodejs.org")?;
    let version = String::from_utf8_lossy(&output.stdout).trim().trim_start_matches('v').to_owned();
    let major: u32 = version.split('.').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    if major < 20 {
        bail!("The tests need Node 20 or newer; this is {version}.");
    }
    Ok(())
}

/// The npm packages of a folder (`""` or `"bench/"`), as its lock file has them.
pub fn node_modules(folder: &str) -> Result<()> {
    let time = |path: &str| root().join(folder).join(path).metadata().and_then(|m| m.modified()).ok();
    let kept = time("node_modules/.package-lock.json");
    if kept.is_some() && kept >= time("package-lock.json") {
        return Ok(());
    }
    let mut command = command("npm", &["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
    let status = command.current_dir(root().join(folder)).status().context("npm cannot be started")?;
    if !status.success() {
        bail!("npm ci failed in ./{folder}");
    }
    Ok(())
}

/// A Chromium for the tests; on Debian it is installed if it may be.
pub fn chromium() -> Result<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
    let others = [
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ];
    program("CHROMIUM", &names, &others, &["chromium"]).context(
        "The browser tests need Chromium: install it (Debian: apt-get install chromium), or set CHROMIUM to its path",
    )
}

/// A Firefox for the tests, if there is one or if it may be installed.
pub fn firefox() -> Result<PathBuf> {
    let names = ["firefox-esr", "firefox"];
    program("FIREFOX", &names, &["/Applications/Firefox.app/Contents/MacOS/firefox"], &["firefox-esr"])
        .context("install it (Debian: apt-get install firefox-esr), or set FIREFOX to its path")
}

/// WebKitGTK's driver for the tests, with a display for it, if they are there or may be installed.
pub fn webkit() -> Result<PathBuf> {
    let packages = ["webkit2gtk-driver", "xvfb"];
    let advice = "install it (Debian: apt-get install webkit2gtk-driver xvfb), or set WEBKIT_DRIVER to its path";
    program("XVFB", &["Xvfb"], &[], &packages).context(advice)?;
    program("WEBKIT_DRIVER", &["WebKitWebDriver"], &[], &packages).context(advice)
}

/// The program that a variable names, or one with one of these names or paths; else Debian's packages are installed, where
/// that is allowed.
fn program(variable: &str, names: &[&str], others: &[&str], packages: &[&str]) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    let known = || {
        let folders = ["/usr/bin", "/usr/local/bin", "/snap/bin"];
        let all = folders.iter().flat_map(|folder| names.iter().map(move |name| Path::new(folder).join(name)));
        all.chain(others.iter().map(PathBuf::from)).find(|path| path.exists())
    };
    if let Some(path) = known() {
        return Ok(path);
    }
    if Path::new("/etc/debian_version").exists() && succeeds("sh", &["-c", "test $(id -u) = 0"]) {
        println!("Installing for the browser tests: {}.", packages.join(", "));
        run("apt-get", &["update", "-qq"])?;
        run("apt-get", &[&["install", "-y", "-qq", "--no-install-recommends"], packages].concat())?;
    }
    known().with_context(|| format!("{} was not found", names[0]))
}
