//! Any text as a Python file with a network's class; networks that are found run on both engines.
#![no_main]
use infill::network::Shape;
use infill::torch_source::{self, Options};
use infill_fuzz::network::compare;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    let _ = torch_source::registered(source, Options::default());
    for count in 1..=2 {
        let inputs = vec![Shape::image(3, 16, 12); count];
        let Ok(classes) = torch_source::networks(source, &inputs, Options::default()) else { continue };
        for described in classes.into_iter().filter_map(|class| class.network.ok()) {
            if described.network.inputs().count() == count {
                compare(&described.network, &inputs, 1);
            }
        }
    }
});
