//! Exported graphs on both engines against onnxruntime, and the words in which graphs are refused. The files are made by
//! `tests/reference/onnx/make.py` and `tests/hostile/make.py`; `tests/differential/exports.py` compares many more.

use std::ops::ControlFlow;
use std::path::PathBuf;

use infill::checkpoint::{self, Checkpoint};
use infill::engine::{Engine, EngineKind};
use infill::error::{Code, Error};
use infill::models::{exported, load};
use infill::network::Shape;
use infill::tensor::Tensor;
use infill::{onnx_source, report};
use serde_json::Value;

fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

fn open(path: &str) -> Box<dyn Checkpoint> {
    checkpoint::open(std::fs::File::open(file(path)).unwrap(), path).unwrap()
}

/// A file of `make.py`, and what it is given there.
struct Row {
    name: String,
    inputs: Vec<Tensor>,
}

/// `numbers` of make.py.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let value = |i: u64| ((i + seed * 7919).wrapping_mul(2_654_435_761) % (1 << 32)) as f64 / (1u64 << 32) as f64;
    (1..=count as u64).map(|i| value(i) as f32).collect()
}

fn rows() -> Vec<Row> {
    let rows: Value = serde_json::from_slice(&std::fs::read(file("reference/onnx/rows.json")).unwrap()).unwrap();
    let row = |row: &Value| {
        let input = |(index, shape): (usize, &Value)| {
            let sides: Vec<usize> = serde_json::from_value(shape.clone()).unwrap();
            let mut values = numbers(sides.iter().product(), row["seed"].as_u64().unwrap() + index as u64);
            if index > 0 {
                values.iter_mut().for_each(|value| *value = f32::from(*value > 0.6));
            }
            Tensor::new(sides, values).unwrap()
        };
        let inputs = row["inputs"].as_array().unwrap().iter().enumerate().map(input).collect();
        Row { name: row["name"].as_str().unwrap().to_owned(), inputs }
    };
    rows.as_array().unwrap().iter().map(row).collect()
}

/// What onnxruntime makes of a row: every second row and column.
fn expected(name: &str) -> Tensor {
    let mut values = open("reference/onnx/values.safetensors");
    let info = values.state_dicts()[0].tensors.iter().find(|tensor| tensor.key == name).cloned().unwrap();
    Tensor::new(info.shape.clone(), values.read(&info).unwrap()).unwrap()
}

/// Every second row and column.
fn sampled(tensor: &Tensor) -> Tensor {
    let (n, c, h, w) = tensor.nchw().unwrap();
    let rows = tensor.data().chunks_exact(w).enumerate().filter(|(index, _)| index % h % 2 == 0);
    let values = rows.flat_map(|(_, row)| row.iter().step_by(2).copied()).collect();
    Tensor::new([n, c, h.div_ceil(2), w.div_ceil(2)], values).unwrap()
}

fn run(engine: &mut dyn Engine, inputs: &[Tensor]) -> Tensor {
    engine.run(inputs, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// The largest difference of two tensors of one shape; infinite if a value is no number.
fn largest(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.shape(), b.shape());
    let differences = a.data().iter().zip(b.data()).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |most, one| if one.is_nan() { f32::INFINITY } else { most.max(one) })
}

#[test]
fn exported_graphs_give_what_onnxruntime_gives() {
    let rows = rows();
    assert!(rows.len() >= 11, "{}", rows.len());
    for Row { name, inputs } in rows {
        let shapes: Vec<Shape> = inputs.iter().map(|x| Shape::of(x.shape()).unwrap()).collect();
        // Of values up to 255, as much more.
        let scale = if name.starts_with("lama-17") { 255.0 } else { 1.0 };
        for (kind, most) in [(EngineKind::Reference, 1e-4), (EngineKind::Fast, 1e-3)] {
            let mut checkpoint = open(&format!("reference/onnx/{name}.onnx"));
            let (mut engine, _) = exported::engine_for(checkpoint.as_mut(), &name, &shapes, kind).unwrap();
            let off = largest(&sampled(&run(engine.as_mut(), &inputs)), &expected(&name));
            assert!(off <= most * scale, "{name}: {kind:?} is off by {off}");
        }
    }
}

/// The known network that a row is, at another width.
fn known(name: &str) -> Option<&'static str> {
    name.starts_with("lama-17").then_some("lama")
}

#[test]
fn weights_of_a_known_network_are_lifted_out_of_its_graph() {
    let mut lifted = 0;
    for Row { name, inputs } in rows() {
        let Some(id) = known(&name) else { continue };
        let mut checkpoint = open(&format!("reference/onnx/{name}.onnx"));
        let mut loaded = load::load(checkpoint.as_mut(), &name, None, EngineKind::Fast).unwrap();
        assert_eq!((loaded.len(), loaded[0].model.id.as_str()), (1, id));
        assert_eq!(loaded[0].conventions.norm_statistics, None, "folded norms have no other statistics");
        assert!(loaded[0].why().contains("norms were folded"), "{}", loaded[0].why());
        let out = match &inputs[..] {
            [image, mask] => put_together(loaded[0].engine.as_mut(), image, mask),
            inputs => run(loaded[0].engine.as_mut(), inputs),
        };
        let off = largest(&sampled(&out), &expected(&name));
        assert!(off < if id == "lama" { 0.05 } else { 1e-3 }, "{name} is off by {off}");
        lifted += 1;
    }
    assert_eq!(lifted, 1);
}

/// What the graph of LaMa does around the network: the hole is black, the rest is the picture, and all is 0 to 255.
fn put_together(engine: &mut dyn Engine, image: &Tensor, mask: &Tensor) -> Tensor {
    let pixels = mask.data().len();
    let hole = |index: usize| mask.data()[index % pixels];
    let mut input: Vec<f32> = image.data().iter().enumerate().map(|(i, value)| value * (1.0 - hole(i))).collect();
    input.extend_from_slice(mask.data());
    let side = image.shape()[3];
    let out = run(engine, &[Tensor::new([1, 4, side, side], input).unwrap()]);
    let put = |(i, (own, known)): (usize, (&f32, &f32))| (hole(i) * own + (1.0 - hole(i)) * known) * 255.0;
    let values = out.data().iter().zip(image.data()).enumerate().map(put).collect();
    Tensor::new(image.shape(), values).unwrap()
}

#[test]
fn a_graph_is_reported_as_a_network_that_paints() {
    for Row { name, inputs } in rows() {
        let checkpoint = open(&format!("reference/onnx/{name}.onnx"));
        let report = report::inspect_graph(checkpoint.as_ref(), &format!("{name}.onnx"));
        assert_eq!(report.container, "onnx");
        let [network] = &report.networks[..] else { panic!("{name}: {} networks", report.networks.len()) };
        let id = known(&name).unwrap_or("onnx");
        assert_eq!((network.id.as_str(), network.role.as_str()), (id, "paints"), "{name}");
        assert!(network.parameters > 100 && !network.layers.is_empty(), "{name}");
        let channels = network.conventions["channels"].as_array().unwrap();
        assert!(channels.len() == inputs.len() || id == "lama", "{name}: {}", network.conventions);
    }
}

fn refusal(path: &str) -> Error {
    let checkpoint = open(path);
    onnx_source::pictured(checkpoint.graph().unwrap(), None, None).unwrap_err()
}

#[test]
fn what_is_not_followed_is_told_with_its_node() {
    for (name, words) in [
        ("onnx-bodies-2000-deep", ""),
        ("onnx-loop", "Nothing in the ONNX graph gives the value y."),
        (
            "onnx-constant-of-2-40",
            "ConstantOfShape (node a, opset 17): a constant of shape [1099511627776] is too large.",
        ),
        ("onnx-pads-of-2-62", "Pad (node a, opset 17): it pads by 4611686018427387904, and at most 8192 can be run."),
    ] {
        let path = format!("hostile/files/{name}.onnx");
        if words.is_empty() {
            let checkpoint = open(&path);
            assert!(onnx_source::pictured(checkpoint.graph().unwrap(), None, None).is_ok(), "{name}");
            continue;
        }
        let error = refusal(&path);
        assert_eq!((error.code, error.message.as_str()), (Code::NetworkInvalid, words), "{name}");
    }
}

/// The graph of a file with its bytes replaced, as far as it opens.
fn followed(bytes: Vec<u8>) {
    let Ok(checkpoint) = checkpoint::open(std::io::Cursor::new(bytes), "damaged") else { return };
    if let Some(graph) = checkpoint.graph() {
        let _ = onnx_source::pictured(graph, Some(64), None);
    }
}

#[test]
fn damaged_graphs_never_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for name in rows().into_iter().map(|row| row.name).filter(|name| !name.contains("half")) {
        let original = std::fs::read(file(&format!("reference/onnx/{name}.onnx"))).unwrap();
        for _ in 0..25 {
            let mut bytes = original.clone();
            for _ in 0..1 + random(4) {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }
            followed(bytes);
        }
        for _ in 0..10 {
            followed(original[..random(original.len())].to_vec());
        }
    }
}
