//! One thing that is seen in a checkpoint.

use serde::Serialize;

/// One thing the user should know.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// Stable code.
    pub code: &'static str,
    /// `info`, `warning` or `error`.
    pub severity: &'static str,
    /// One sentence: what is seen and what to do.
    pub message: String,
    /// All keys concerned.
    pub keys: Vec<String>,
}

/// A finding from its parts.
pub fn finding(code: &'static str, severity: &'static str, message: String, keys: Vec<String>) -> Finding {
    Finding { code, severity, message, keys }
}
