//! Pasted classes in the ways people write them, against PyTorch. Made by `tests/reference/classes/make.py`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use infill::checkpoint;
use infill::engine::EngineKind;
use infill::models::load;
use infill::network::Shape;
use infill::tensor::Tensor;
use infill::torch_source;
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/classes")
}

/// `numbers((1, 3, 16, 16), 1)` of `tests/reference/networks/make.py`.
fn input() -> Tensor {
    let value = |i: u64| ((i + 7919).wrapping_mul(2_654_435_761) % (1 << 32)) as f64 / (1u64 << 32) as f64;
    Tensor::new([1, 3, 16, 16], (1..=3 * 256).map(|i| (2.0 * value(i) - 1.0) as f32).collect()).unwrap()
}

#[test]
fn every_style_gives_pytorchs_numbers() {
    let source = std::fs::read_to_string(folder().join("styles.py")).unwrap();
    let rows: BTreeMap<String, Value> =
        serde_json::from_slice(&std::fs::read(folder().join("styles.json")).unwrap()).unwrap();
    assert!(rows.len() >= 10);
    for (name, row) in rows {
        // The whole file, as people paste it: the class is found by its keys.
        let classes = torch_source::networks(&source, &[Shape::image(3, 16, 16)]).unwrap().into_iter();
        let mut classes: Vec<_> = classes.map(|class| (class.name, class.network)).collect();
        // All weights lie in one file here, so the class must be named.
        classes.retain(|(class, _)| *class == name);
        let file = std::fs::File::open(folder().join("styles.pth")).unwrap();
        let mut checkpoint = checkpoint::open(file, "styles.pth").unwrap();
        let mut engine = load::engine_for(checkpoint.as_mut(), "styles.pth", classes, EngineKind::Reference)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let y = engine.run(&[input()], &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(serde_json::json!(y.shape()), row["shape"], "{name}");
        let wanted: Vec<f32> = row["y"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect();
        let found: Vec<f32> =
            y.data().chunks_exact(16).step_by(4).flat_map(|line| line.iter().step_by(4).copied()).collect();
        let worst = found.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(found.len() == wanted.len() && worst < 1e-5, "{name}: {worst:e}");
    }
}

#[test]
fn of_a_files_classes_the_one_that_fits_is_taken() {
    // ResnetBlock comes last in the published file, and needs an argument.
    let text = std::fs::read_to_string(folder().join("edgeconnect.py")).unwrap();
    let (block, generator) = (text.find("class ResnetBlock").unwrap(), text.find("class InpaintGenerator").unwrap());
    let turned = format!("{}{}\n{}", &text[..block], &text[generator..], &text[block..generator]);
    let classes = torch_source::networks(&turned, &[Shape::image(4, 32, 32)]).unwrap();
    assert_eq!(classes[0].name, "ResnetBlock");
    assert!(classes[0].network.as_ref().err().unwrap().message.contains("needs the argument dim"));
    let file = folder().join("../networks/edgeconnect-inpaint.pth");
    let mut checkpoint = checkpoint::open(std::fs::File::open(file).unwrap(), "gen.pth").unwrap();
    let classes = classes.into_iter().map(|class| (class.name, class.network)).collect();
    assert!(load::engine_for(checkpoint.as_mut(), "gen.pth", classes, EngineKind::Reference).is_ok());
}
