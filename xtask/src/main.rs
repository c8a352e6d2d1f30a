//! `cargo xtask serve | test | dist | build`: everything around the crate, with nothing to install by hand.

mod build;
mod dist;
mod serve;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask serve [--port N]   build the page, serve it on localhost and print its address
cargo xtask test               format, lints, native, wasm and browser tests
cargo xtask dist               write the finished site to dist/
cargo xtask build              build pkg/ only";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["serve"] => serve::run(8000),
        ["serve", "--port", port] => match port.parse() {
            Ok(port) => serve::run(port),
            Err(_) => Err(anyhow::anyhow!("--port takes a number, not {port}")),
        },
        ["test"] => test::run(),
        ["dist"] => dist::run(),
        ["build"] => build::run(&serve::BUILDS),
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
