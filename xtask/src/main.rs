//! `cargo xtask serve | test | bench | quality | dist | build`: everything around the crate, with nothing to install
//! by hand.

mod bench;
mod build;
mod dist;
mod quality;
mod serve;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask serve [--port N]   build the page, serve it on localhost and print its address
cargo xtask test [WORD]        format, lints, native, wasm and browser tests; only stages with WORD in their name
cargo xtask bench [OPTIONS]    the fast engine beside the others, in Chromium:
      --networks A,B   --engines fast,reference,onnxruntime-web,pytorch   --threads 1,2   --runs N
      --simd relaxed-simd|simd128   --growth (256 to 1024)   --python PATH (one with torch)
      --json FILE   --write (BENCHMARKS.md)
cargo xtask dist               write the finished site to dist/
cargo xtask build              build pkg/ only
cargo xtask quality --photos DIR [options]
                               measure fills on held-out photos (--help lists the options)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["serve"] => serve::run(8000),
        ["serve", "--port", port] => match port.parse() {
            Ok(port) => serve::run(port),
            Err(_) => Err(anyhow::anyhow!("--port takes a number, not {port}")),
        },
        ["test"] => test::run(""),
        ["test", word] => test::run(word),
        ["bench", ref options @ ..] => bench::run(options),
        ["dist"] => dist::run(),
        ["build"] => build::run(&serve::BUILDS, &[]),
        ["quality", "--help"] => {
            println!("{}", quality::HELP);
            Ok(())
        }
        ["quality", ref options @ ..] => quality::run(options),
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
