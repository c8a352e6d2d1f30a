//! The diagnosis of checkpoints that almost fit.

use std::io::Cursor;

use infill::checkpoint;
use infill::models::{Widths, by_id};
use infill::report::{self, Report};

/// A safetensors file with the ContextEncoder's keys at base width 2, changed as told; zeros inside.
fn inspect(change: impl Fn(&mut Vec<(String, Vec<usize>)>)) -> Report {
    let network = (by_id("context-encoder").unwrap().network)(Widths::base(2));
    let mut shapes: Vec<(String, Vec<usize>)> = network.parameters().into_iter().map(|p| (p.key, p.shape)).collect();
    change(&mut shapes);
    let (mut header, mut offset) = (serde_json::Map::new(), 0);
    for (key, shape) in shapes {
        let end = offset + 4 * shape.iter().product::<usize>();
        header.insert(key, serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [offset, end]}));
        offset = end;
    }
    let text = serde_json::to_vec(&header).unwrap();
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text);
    bytes.resize(bytes.len() + offset, 0);
    report::inspect(checkpoint::open(Cursor::new(bytes), "gen.safetensors").unwrap().as_ref(), "gen.safetensors")
}

fn codes(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.code).collect()
}

fn shape<'a>(shapes: &'a mut [(String, Vec<usize>)], key: &str) -> &'a mut Vec<usize> {
    &mut shapes.iter_mut().find(|(k, _)| k == key).unwrap().1
}

#[test]
fn what_fits_has_no_errors() {
    let report = inspect(|_| {});
    assert!(report.findings.iter().all(|finding| finding.severity != "error"), "{:?}", codes(&report));
    assert_eq!(report.networks[0].width, 2);
    assert!(codes(&report).contains(&"other-width"));
}

#[test]
fn another_number_of_input_channels_is_told_at_the_ends_only() {
    let first = inspect(|shapes| shape(shapes, "encoder.0.weight")[1] = 3);
    assert!(codes(&first).contains(&"channels"), "{:?}", codes(&first));
    let middle = inspect(|shapes| shape(shapes, "encoder.8.weight")[0] = 15);
    assert!(!codes(&middle).contains(&"channels") && codes(&middle).contains(&"misfit"), "{:?}", codes(&middle));
}

#[test]
fn missing_statistics_are_fatal_and_missing_counters_harmless() {
    let report = inspect(|shapes| shapes.retain(|(key, _)| !key.ends_with("num_batches_tracked")));
    assert!(codes(&report).contains(&"counter-missing") && !codes(&report).contains(&"misfit"), "{:?}", codes(&report));
    let report = inspect(|shapes| shapes.retain(|(key, _)| key != "encoder.3.running_mean"));
    assert!(codes(&report).contains(&"statistics-missing"), "{:?}", codes(&report));
}

#[test]
fn a_layer_more_shifts_the_names() {
    let report = inspect(|shapes| {
        for (key, _) in shapes.iter_mut() {
            if let Some(rest) = key.strip_prefix("decoder.") {
                let (number, tail) = rest.split_once('.').unwrap();
                *key = format!("decoder.{}.{tail}", number.parse::<usize>().unwrap() + 1);
            }
        }
    });
    assert!(codes(&report).contains(&"index-shift"), "{:?}", codes(&report));
}
