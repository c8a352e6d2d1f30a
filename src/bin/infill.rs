//! The native command line over the same crate.

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    std::process::exit(infill::cli::main());
}

#[cfg(target_arch = "wasm32")]
fn main() {}
