use std::io::Cursor;

use super::*;
use crate::checkpoint::{self, Checkpoint, DType};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A number of at most two bytes.
fn varint(value: u16) -> Vec<u8> {
    if value < 128 { vec![value as u8] } else { vec![(value & 127) as u8 | 128, (value >> 7) as u8] }
}

/// A field of bytes.
fn part(field: u16, bytes: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(bytes.len() as u16), bytes.to_vec()].concat()
}

/// A field that is a small number.
fn int(field: u16, value: u8) -> Vec<u8> {
    [varint(field << 3), vec![value]].concat()
}

fn opened(graph: &[u8]) -> Result<Box<dyn Checkpoint>> {
    let opset = part(8, &int(2, 17));
    let file = [int(1, 8), part(2, b"test"), part(7, graph), opset].concat();
    checkpoint::open(Cursor::new(file), "a.onnx")
}

fn tensor(name: &[u8], kind: u8, sides: &[u8], data: Vec<u8>) -> Vec<u8> {
    let sides: Vec<u8> = sides.iter().flat_map(|&side| int(1, side)).collect();
    [sides, int(2, kind), part(8, name), data].concat()
}

#[test]
fn weights_are_read_in_every_form() {
    let raw: Vec<u8> = [1.0f32, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let graph = [
        part(5, &tensor(b"raw", 1, &[2], part(9, &raw))),
        part(5, &tensor(b"floats", 1, &[2], part(4, &raw))),
        part(5, &tensor(b"half", 10, &[1, 2], part(9, &[0, 0x3c, 0, 0xc0]))),
        // 0x3c00 and 0xc000 as varints.
        part(5, &tensor(b"bits", 10, &[2], part(5, &[0x80, 0x78, 0x80, 0x80, 0x03]))),
        part(5, &tensor(b"sides", 7, &[2], part(7, &[5, 9]))),
    ];
    let mut file = opened(&graph.concat()).unwrap();
    assert_eq!((file.container(), file.metadata()[0].1.as_str()), (Container::Onnx, "17"));
    let list = file.state_dicts()[0].tensors.clone();
    let keys: Vec<&str> = list.iter().map(|tensor| tensor.key.as_str()).collect();
    assert_eq!(keys, ["raw", "floats", "half", "bits"], "a list of sides is no weight");
    assert_eq!((list[2].dtype, list[2].shape.as_slice()), (DType::F16, &[1, 2][..]));
    for tensor in &list {
        assert_eq!(file.read(tensor).unwrap(), [1.0, -2.0], "{}", tensor.key);
    }
    let sides = &file.graph().unwrap().tensors["sides"];
    assert_eq!(sides.numbers.as_deref(), Some(&Numbers::Ints(vec![5, 9])));
}

#[test]
fn nodes_have_attributes_and_ports_have_sides() {
    let attribute = [part(1, b"axis"), int(3, 1), int(20, 2)].concat();
    let list = [part(1, b"perm"), part(8, &[0, 2, 1]), int(20, 7)].concat();
    let node = [part(1, b"x"), part(1, b""), part(2, b"y"), part(3, b"n"), part(4, b"Odd"), part(5, &attribute)];
    let node = [node.concat(), part(5, &list)].concat();
    let side = |n: u8| part(1, &int(1, n));
    let shape = [side(1), side(3), part(1, &part(2, b"height")), side(8)].concat();
    let port = [part(1, b"x"), part(2, &part(1, &[int(1, 1), part(2, &shape)].concat()))].concat();
    let weight = part(5, &tensor(b"w", 1, &[1], part(9, &[0; 4])));
    let file = opened(&[part(1, &node), part(11, &port), weight].concat()).unwrap();
    let graph = file.graph().unwrap();
    assert_eq!(graph.inputs[0].sides, Some(vec![Some(1), Some(3), None, Some(8)]));
    let node = &graph.nodes[0];
    assert_eq!((node.op.as_str(), node.inputs.len(), node.outputs.len()), ("Odd", 2, 1));
    assert!(matches!(&node.attributes[0], (name, Attribute::Int(1)) if name == "axis"));
    assert!(matches!(&node.attributes[1], (_, Attribute::Ints(list)) if list == &[0, 2, 1]));
}

#[test]
fn a_key_at_fault_is_named() {
    for (tensor, code) in [
        (tensor(b"w", 1, &[3], part(9, &[0; 8])), Code::CheckpointTensor),
        (tensor(b"w", 1, &[2], Vec::new()), Code::CheckpointTensor),
        (tensor(b"w", 14, &[1], part(9, &[0; 8])), Code::CheckpointDtype),
        (tensor(b"w", 1, &[1], [part(13, &[]), int(14, 1)].concat()), Code::CheckpointNoTensors),
    ] {
        let error = opened(&part(5, &tensor)).err().unwrap();
        assert_eq!((error.code, error.keys), (code, vec!["w".to_owned()]), "{}", error.message);
    }
}
