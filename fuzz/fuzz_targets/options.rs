//! Any text as the page's options.
#![no_main]
use infill::models;
use infill::pipeline::FillOptions;
use infill::pipeline::options::{SIDE, SIGMA};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(options) = FillOptions::from_json(text) else { return };
    assert!(options.sigma.is_none_or(|sigma| SIGMA.range.contains(&sigma)));
    assert!(options.side.is_none_or(|side| SIDE.range.contains(&side)));
    for model in models::registry() {
        let conventions = options.conventions(&model.conventions(&model.published()));
        assert!(conventions.size.preferred >= 1 && conventions.size.preferred <= 2048);
    }
});
