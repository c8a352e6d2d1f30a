//! `cargo xtask serve | test | bench | quality | dist | build`: everything around the crate, with nothing to install
//! by hand.

mod bench;
mod build;
mod dist;
mod headers;
mod notice;
mod quality;
mod remap;
mod serve;
mod supply;
mod test;
mod tools;

use std::process::ExitCode;

use clap::Parser;

/// Everything around the crate, with nothing to install by hand.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Build the page, serve it on localhost and print its address.
    Serve {
        /// The first port to try; the next free one of twenty is taken.
        #[arg(long, value_name = "N", default_value_t = 8000)]
        port: u16,
    },
    /// Run format, lints, native, wasm and browser tests.
    Test {
        /// Only the stages with this word in their name.
        #[arg(default_value = "")]
        word: String,
    },
    /// Measure the fast engine beside the others, in Chromium.
    Bench(bench::Options),
    /// Measure fills on held-out photos.
    Quality(quality::Options),
    /// Write the finished site to dist/.
    Dist,
    /// Build pkg/ only.
    Build {
        /// Only this build, by its folder's name in pkg/; may be given several times.
        #[arg(long, value_name = "NAME")]
        only: Vec<String>,
    },
}

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Serve { port } => serve::run(port),
        Task::Test { word } => test::run(&word),
        Task::Bench(options) => bench::run(options),
        Task::Quality(options) => quality::run(&options),
        Task::Dist => dist::run(),
        Task::Build { only } => build::named(&only).and_then(|builds| build::run(&builds, &[])),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
