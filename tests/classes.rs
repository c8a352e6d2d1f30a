//! Pasted classes in the ways people write them, against PyTorch. Made by `tests/reference/classes/make.py`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use infill::checkpoint;
use infill::engine::EngineKind;
use infill::models::load;
use infill::network::Shape;
use infill::tensor::Tensor;
use infill::torch_source::{self, Options};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/classes")
}

/// `numbers((1, 3, 16, 16), 1)` of `tests/reference/networks/make.py`.
fn input() -> Tensor {
    let value = |i: u64| ((i + 7919).wrapping_mul(2_654_435_761) % (1 << 32)) as f64 / (1u64 << 32) as f64;
    Tensor::new([1, 3, 16, 16], (1..=3 * 256).map(|i| (2.0 * value(i) - 1.0) as f32).collect()).unwrap()
}

/// Every class of a file against what PyTorch made of it, on both engines.
fn hold(stem: &str, at_least: usize) {
    let source = std::fs::read_to_string(folder().join(format!("{stem}.py"))).unwrap();
    let rows: BTreeMap<String, Value> =
        serde_json::from_slice(&std::fs::read(folder().join(format!("{stem}.json"))).unwrap()).unwrap();
    assert!(rows.len() >= at_least);
    let mut faults = Vec::new();
    for (name, row) in &rows {
        for kind in [EngineKind::Reference, EngineKind::Fast] {
            // The whole file, as people paste it, so that the class must be named.
            let options = Options { class_args: &format!("{name}()"), ..Options::default() };
            let classes = torch_source::networks(&source, &[Shape::image(3, 16, 16)], options).unwrap().into_iter();
            let classes = classes.map(|class| (class.name, class.network)).collect();
            let own = format!("{stem}/{name}.pth");
            let file = if folder().join(&own).exists() { own } else { format!("{stem}.pth") };
            let mut checkpoint = checkpoint::open(std::fs::File::open(folder().join(&file)).unwrap(), &file).unwrap();
            let y = load::engine_for(checkpoint.as_mut(), &file, classes, kind)
                .and_then(|(mut engine, _)| engine.run(&[input()], &mut |_| ControlFlow::Continue(())));
            let fault = match y {
                Ok(y) => difference(&y, row).filter(|&worst| worst > 1e-4).map(|worst| format!("differs by {worst:e}")),
                Err(error) => Some(error.to_string()),
            };
            faults.extend(fault.map(|fault| format!("{name}, {kind:?}: {fault}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// How far an output is from PyTorch's; infinity if it has another shape.
fn difference(y: &Tensor, row: &Value) -> Option<f32> {
    if serde_json::json!(y.shape()) != row["shape"] {
        return Some(f32::INFINITY);
    }
    let wanted: Vec<f32> = row["y"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect();
    let found: Vec<f32> =
        y.data().chunks_exact(16).step_by(4).flat_map(|line| line.iter().step_by(4).copied()).collect();
    let far = |(a, b): (&f32, &f32)| {
        let distance = (a - b).abs() / b.abs().max(1.0);
        if distance.is_nan() { f32::INFINITY } else { distance }
    };
    assert_eq!(found.len(), wanted.len());
    found.iter().zip(&wanted).map(far).reduce(f32::max)
}

#[test]
fn every_style_gives_pytorchs_numbers() {
    hold("styles", 10);
}

#[test]
fn memory_names_and_texts_are_followed_as_pytorch_and_python_do() {
    hold("cases", 16);
}

#[test]
fn of_a_files_classes_the_one_that_fits_is_taken() {
    // ResnetBlock comes last in the published file, and needs an argument.
    let text = std::fs::read_to_string(folder().join("edgeconnect.py")).unwrap();
    let (block, generator) = (text.find("class ResnetBlock").unwrap(), text.find("class InpaintGenerator").unwrap());
    let turned = format!("{}{}\n{}", &text[..block], &text[generator..], &text[block..generator]);
    let classes = torch_source::networks(&turned, &[Shape::image(4, 32, 32)], Options::default()).unwrap();
    assert_eq!(classes[0].name, "ResnetBlock");
    assert!(classes[0].network.as_ref().err().unwrap().message.contains("needs the argument dim"));
    let file = folder().join("../networks/edgeconnect-inpaint.pth");
    let mut checkpoint = checkpoint::open(std::fs::File::open(file).unwrap(), "gen.pth").unwrap();
    let classes = classes.into_iter().map(|class| (class.name, class.network)).collect();
    assert!(load::engine_for(checkpoint.as_mut(), "gen.pth", classes, EngineKind::Reference).is_ok());
}
