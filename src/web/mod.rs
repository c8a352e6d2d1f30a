//! The wasm boundary: the only place that knows the browser. It decides nothing.
