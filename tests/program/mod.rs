//! The command line as a program, for tests of what it says and writes.
#![allow(dead_code)] // each test binary uses its part

use std::path::PathBuf;
use std::process::{Command, Output};

/// The program with these arguments, on one thread.
pub fn infill(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_infill"));
    command.args(["--threads", "1"]).args(arguments);
    command
}

/// Exit status, standard output and standard error.
pub fn outcome(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = infill(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// The path of a file below `tests/reference/`.
pub fn reference(path: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(path).to_str().unwrap().to_owned()
}
