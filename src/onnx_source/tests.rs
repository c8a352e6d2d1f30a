use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::checkpoint::onnx::{Attribute, GraphNode, GraphTensor, Numbers};
use crate::checkpoint::{DType, TensorInfo};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn tensor(name: &str, shape: &[usize], numbers: Numbers) -> (String, GraphTensor) {
    let is_float = matches!(numbers, Numbers::Floats(_));
    let (key, dtype) = (name.to_owned(), if is_float { DType::F32 } else { DType::I64 });
    let stride = vec![1; shape.len()];
    let info = TensorInfo { key, shape: shape.to_vec(), stride, dtype, storage: 0, offset: 0 };
    (name.to_owned(), GraphTensor { info, numbers: Some(Arc::new(numbers)), is_float, is_weight: false })
}

fn ints(name: &str, list: &[i64]) -> (String, GraphTensor) {
    tensor(name, &[list.len()], Numbers::Ints(list.to_vec()))
}

fn node(op: &str, inputs: &[&str], output: &str, attributes: &[(&str, Attribute)]) -> GraphNode {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let (op, name, domain) = (op.to_owned(), format!("/{output}"), String::new());
    GraphNode { name, op, domain, inputs: names(inputs), outputs: names(&[output]), attributes }
}

/// A graph of `x`, `[1, 3, ?, ?]`, that gives `y`.
fn graph(opset: i64, nodes: Vec<GraphNode>, tensors: Vec<(String, GraphTensor)>) -> Graph {
    let port = |name: &str| Port { name: name.to_owned(), sides: Some(vec![Some(1), Some(3), None, None]), element: 1 };
    let tensors: HashMap<_, _> = tensors.into_iter().collect();
    Graph { opset, producer: String::new(), nodes, inputs: vec![port("x")], outputs: vec![port("y")], tensors }
}

fn described(opset: i64, nodes: Vec<GraphNode>, tensors: Vec<(String, GraphTensor)>) -> Result<Description> {
    describe(&graph(opset, nodes, tensors), &[Shape::image(3, 8, 12)], None)
}

fn refused(opset: i64, nodes: Vec<GraphNode>, tensors: Vec<(String, GraphTensor)>) -> String {
    described(opset, nodes, tensors).unwrap_err().message
}

fn written(description: &Description) -> Vec<String> {
    description.network.nodes.iter().map(|node| node.op.written()).collect()
}

#[test]
fn shapes_are_computed_while_the_graph_is_read() {
    // x.view(1, 3 * h, w) by the sides that `Shape` gives, as exporters of open sides write it.
    let nodes = vec![
        node("Shape", &["x"], "s", &[]),
        node("Gather", &["s", "two"], "h", &[("axis", Attribute::Int(0))]),
        node("Mul", &["h", "three"], "h3", &[]),
        node("Unsqueeze", &["h3", "zero"], "h3s", &[]),
        node("Slice", &["s", "last", "end"], "w", &[]),
        node("Concat", &["one", "h3s", "w"], "shape", &[("axis", Attribute::Int(0))]),
        node("Relu", &["x"], "r", &[]),
        node("Reshape", &["r", "shape"], "y", &[]),
    ];
    let scalar = |name: &str, value: i64| tensor(name, &[], Numbers::Ints(vec![value]));
    let lists = [("zero", &[0][..]), ("one", &[1]), ("last", &[-1]), ("end", &[i64::MAX])];
    let mut tensors: Vec<_> = lists.iter().map(|(name, list)| ints(name, list)).collect();
    tensors.extend([scalar("two", 2), scalar("three", 3)]);
    let found = described(17, nodes, tensors).unwrap();
    assert_eq!(found.returned[0].shape.sides(), [1, 24, 12]);
    assert_eq!(written(&found), ["input(channels=3)", "ReLU()", "x.reshape(1, 24, 12)"]);
}

#[test]
fn an_unknown_operator_is_named_with_its_node_and_opset() {
    let odd = || node("GridSampler", &["x"], "y", &[]);
    let text = "The ONNX graph uses the operator GridSampler (node /y, opset 19), which infill does not follow.";
    assert_eq!(refused(19, vec![odd()], Vec::new()), text);
    // What no output depends on does no harm.
    let unused = GraphNode { outputs: vec!["z".to_owned()], ..odd() };
    assert!(described(19, vec![unused, node("Relu", &["x"], "y", &[])], Vec::new()).is_ok());
    let own = GraphNode { domain: "com.microsoft".to_owned(), ..node("Relu", &["x"], "y", &[]) };
    assert!(refused(19, vec![own], Vec::new()).contains("Relu of com.microsoft"));
}

#[test]
fn pictures_are_resized_only_as_onnx_asks() {
    let text = |value: &str| Attribute::Text(value.to_owned());
    let resize = |mode: &str, place: &str, factor: f32| {
        let attributes =
            [("mode", text(mode)), ("coordinate_transformation_mode", text(place)), ("nearest_mode", text("floor"))];
        let scales = tensor("scales", &[4], Numbers::Floats(vec![1.0, 1.0, factor, factor]));
        described(13, vec![node("Resize", &["x", "", "scales"], "y", &attributes)], vec![scales])
            .map(|d| written(&d)[1].clone())
    };
    assert_eq!(resize("nearest", "asymmetric", 2.0).unwrap(), "Upsample(scale_factor=2)");
    assert_eq!(resize("linear", "half_pixel", 2.0).unwrap(), "Upsample(scale_factor=2, mode='bilinear')");
    assert_eq!(resize("nearest", "asymmetric", 1.5).unwrap(), "F.interpolate(x, size=(12, 18), mode='nearest')");
    assert_eq!(
        resize("linear", "align_corners", 0.5).unwrap(),
        "F.interpolate(x, size=(4, 6), mode='bilinear', align_corners=True)"
    );
    // Rounded down where pixels' centres lie at halves, other pixels are taken than PyTorch takes.
    assert!(
        resize("nearest", "half_pixel", 2.0).unwrap_err().message.contains("Resize (node /y, opset 13): the pixels")
    );
    assert!(resize("linear", "asymmetric", 2.0).is_err());
    assert!(resize("linear", "half_pixel", f32::NAN).is_err());
    assert!(resize("linear", "half_pixel", 1e30).is_err());
}

#[test]
fn numbers_of_the_graph_become_part_of_the_layers() {
    let nodes = vec![
        node("Mul", &["x", "half"], "a", &[]),
        node("Sub", &["one", "a"], "b", &[]),
        node("Pow", &["b", "two"], "c", &[]),
        node("Clip", &["c", "", "one"], "y", &[]),
    ];
    let scalar = |name: &str, value: f32| tensor(name, &[], Numbers::Floats(vec![value]));
    let found = described(17, nodes, vec![scalar("half", 0.5), scalar("one", 1.0), scalar("two", 2.0)]).unwrap();
    assert_eq!(found.network.nodes.len(), 5);
    assert_eq!(written(&found)[4], "torch.clamp(x, -inf, 1)");
    assert_eq!(found.network.nodes[3].op.name(), "square");
}

#[test]
fn pictures_have_the_sides_that_the_graph_says() {
    let relu = || vec![node("Relu", &["x"], "y", &[])];
    let with = |sides: [Option<usize>; 4]| {
        let mut graph = graph(17, relu(), Vec::new());
        graph.inputs[0].sides = Some(sides.to_vec());
        pictured(&graph, None, None).map(|d| d.network.traced[0].sides().to_vec())
    };
    assert_eq!(with([Some(1), Some(3), None, None]).unwrap(), [1, 3, 256, 256]);
    assert_eq!(with([None, Some(4), Some(512), Some(512)]).unwrap(), [1, 4, 512, 512]);
    assert_eq!(with([None, None, Some(96), None]).unwrap(), [1, 3, 96, 96]);
    assert!(with([Some(2), Some(3), None, None]).unwrap_err().message.contains("one picture at a time"));
    assert!(with([Some(1), Some(3), Some(64), Some(32)]).unwrap_err().message.contains("square windows"));
    let mut bytes = graph(17, relu(), Vec::new());
    bytes.inputs[0].element = 2;
    assert!(pictured(&bytes, None, None).unwrap_err().message.contains("takes no floats"));
}

#[test]
fn a_transform_is_pytorchs() {
    // The spectrum of a row of four: 1, 2, 3, 4.
    let x = tensor("row", &[1, 4, 1], Numbers::Floats(vec![1.0, 2.0, 3.0, 4.0]));
    let axis = tensor("axis", &[], Numbers::Ints(vec![1]));
    let onesided = ("onesided", Attribute::Int(1));
    let nodes = vec![node("DFT", &["row", "", "axis"], "f", &[onesided]), node("Identity", &["f"], "g", &[])];
    let port = Port { name: "g".to_owned(), ..Port::default() };
    let graph = Graph { outputs: vec![port], ..graph(20, nodes, vec![x, axis]) };
    let mut trace = Trace::new(&graph, &[Shape::image(3, 8, 8)]).unwrap();
    trace.run().unwrap();
    let value = trace.value("g").unwrap();
    let Some(Numbers::Floats(values)) = value.numbers() else { panic!("it is not known") };
    assert_eq!(value.shape.sides(), [1, 3, 2]);
    let expected = [10.0, 0.0, -2.0, 2.0, -2.0, 0.0];
    assert!(values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{values:?}");
}
