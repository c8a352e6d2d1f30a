//! Milliseconds for reports. wasm32-unknown-unknown has no clock of its own: the boundary lends the browser's.

use std::sync::OnceLock;

static CLOCK: OnceLock<fn() -> f64> = OnceLock::new();

/// Sets the clock; only the first call counts.
pub fn set(now: fn() -> f64) {
    let _ = CLOCK.set(now);
}

/// Milliseconds since some fixed moment; always 0 in a browser where no clock was set.
pub fn now_ms() -> f64 {
    CLOCK.get_or_init(|| default).to_owned()()
}

#[cfg(not(target_arch = "wasm32"))]
fn default() -> f64 {
    static START: OnceLock<std::time::Instant> = OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64() * 1e3
}

#[cfg(target_arch = "wasm32")]
fn default() -> f64 {
    0.0
}
