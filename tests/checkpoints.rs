//! Every form of checkpoint that PyTorch writes, value by value. Made by `tests/reference/checkpoints/make.py`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use infill::checkpoint::{self, Checkpoint};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/checkpoints")
}

fn expected() -> BTreeMap<String, Value> {
    serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap()
}

fn open(name: &str) -> Box<dyn Checkpoint> {
    let file = std::fs::File::open(folder().join(name)).unwrap();
    checkpoint::open(file, name).unwrap_or_else(|e| panic!("{name}: {e}"))
}

#[test]
fn every_file_gives_pytorchs_values() {
    let rows = expected();
    assert!(rows.len() >= 18, "{}", rows.len());
    for (name, row) in rows {
        let mut checkpoint = open(&name);
        assert_eq!(checkpoint.container().as_str(), row["container"], "{name}");
        let dicts = checkpoint.state_dicts().to_vec();
        let dict = &dicts[0];
        assert_eq!(serde_json::json!(dict.wrapper), row["wrapper"], "{name}");
        assert_eq!(dict.prefix, row["prefix"].as_str().unwrap(), "{name}");
        let wanted = row["tensors"].as_object().unwrap();
        let mut keys: Vec<&str> = dict.tensors.iter().map(|t| t.key.as_str()).collect();
        let mut wanted_keys: Vec<&str> = wanted.keys().map(String::as_str).collect();
        keys.sort_unstable();
        wanted_keys.sort_unstable();
        assert_eq!(keys, wanted_keys, "{name}");
        for tensor in &dict.tensors {
            let entry = &wanted[&tensor.key];
            assert_eq!(serde_json::json!(tensor.shape), entry["shape"], "{name} {}", tensor.key);
            assert_eq!(tensor.dtype.as_str(), entry["dtype"], "{name} {}", tensor.key);
            let values = checkpoint.read(tensor).unwrap_or_else(|e| panic!("{name}: {e}"));
            let expected: Vec<f32> =
                entry["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect();
            assert_eq!(values, expected, "{name} {}", tensor.key);
        }
    }
}

#[test]
fn metadata_lists_modules_without_parameters() {
    let checkpoint = open("edgeconnect-wrapper.pth");
    let dict = &checkpoint.state_dicts()[0];
    assert_eq!(dict.siblings, ["iteration"]);
    let scripted = open("whole-module.pth");
    assert!(
        scripted.state_dicts()[0].modules.iter().any(|(path, _)| path == "block.1"),
        "{:?}",
        scripted.state_dicts()[0].modules
    );
    let legacy = open("training.pth");
    assert!(legacy.state_dicts()[0].modules.iter().any(|(path, _)| path == "block.1"));
}

#[test]
fn a_tensor_beside_two_networks_hides_neither() {
    let both = open("both.pth");
    let wrappers: Vec<&[String]> = both.state_dicts().iter().map(|dict| dict.wrapper.as_slice()).collect();
    assert_eq!(wrappers, [["generator".to_owned()].as_slice(), ["discriminator".to_owned()].as_slice()]);
    assert_eq!(both.state_dicts()[0].siblings, ["epoch", "best", "discriminator"]);
}

#[test]
fn safetensors_metadata_is_kept() {
    assert_eq!(open("plain.safetensors").metadata(), [("note".to_owned(), "made by make.py".to_owned())]);
}

/// A second opinion: candle's own pickle reader on the plain file it can read (it must never see a user's).
#[test]
fn candle_agrees_on_a_file_it_can_read() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/networks/image-pair.pth");
    let theirs = candle_core::pickle::read_all(&path).unwrap();
    let mut ours = checkpoint::open(std::fs::File::open(&path).unwrap(), "image-pair.pth").unwrap();
    let dict = ours.state_dicts()[0].clone();
    let mut held = 0;
    for (key, tensor) in theirs {
        let info = dict.tensors.iter().find(|t| t.key == key).unwrap();
        assert_eq!(info.shape, tensor.dims());
        if tensor.dtype() == candle_core::DType::F32 {
            assert_eq!(ours.read(info).unwrap(), tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap());
            held += 1;
        }
    }
    assert!(held > 40);
}

/// `pytorch-reader`'s bytes of one tensor, as f32.
fn numbers(tensor: &pytorch_reader::Tensor) -> Vec<f32> {
    use pytorch_reader::DType::*;
    let bytes = tensor.read().unwrap();
    let part = |size: usize| bytes.chunks_exact(size);
    match tensor.dtype() {
        F32 => part(4).map(|b| f32::from_ne_bytes(b.try_into().unwrap())).collect(),
        F64 => part(8).map(|b| f64::from_ne_bytes(b.try_into().unwrap()) as f32).collect(),
        F16 => part(2).map(|b| half::f16::from_ne_bytes(b.try_into().unwrap()).to_f32()).collect(),
        BF16 => part(2).map(|b| half::bf16::from_ne_bytes(b.try_into().unwrap()).to_f32()).collect(),
        I64 => part(8).map(|b| i64::from_ne_bytes(b.try_into().unwrap()) as f32).collect(),
        I32 => part(4).map(|b| i32::from_ne_bytes(b.try_into().unwrap()) as f32).collect(),
        I16 => part(2).map(|b| f32::from(i16::from_ne_bytes(b.try_into().unwrap()))).collect(),
        I8 => part(1).map(|b| f32::from(b[0] as i8)).collect(),
        U8 | Bool => part(1).map(|b| f32::from(b[0])).collect(),
        other => panic!("{other:?} is in no fixture"),
    }
}

/// A second opinion on every container and protocol, by a reader that others wrote.
#[test]
fn pytorch_reader_agrees_on_what_it_reads() {
    let folders = [folder(), folder().join("../networks")];
    let paths = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path());
    let (mut agreed, mut tensors, mut alone) = (Vec::new(), 0, Vec::new());
    for path in paths.filter(|path| path.extension().is_some_and(|e| e == "pth" || e == "pt" || e == "ckpt")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        let mut ours = checkpoint::open(std::io::Cursor::new(bytes.clone()), &name).unwrap();
        let dict = ours.state_dicts()[0].clone();
        let key = dict.wrapper.first().map(String::as_str);
        let Ok(theirs) = pytorch_reader::PytorchReader::from_bytes(bytes, key) else {
            alone.push(name);
            continue;
        };
        let mut held = 0;
        for info in &dict.tensors {
            let Some(tensor) = theirs.get(&format!("{}{}", dict.prefix, info.key)) else { continue };
            assert_eq!(tensor.shape(), info.shape, "{name} {}", info.key);
            assert_eq!(numbers(tensor), ours.read(info).unwrap(), "{name} {}", info.key);
            held += 1;
        }
        if held == dict.tensors.len() {
            agreed.push(name)
        } else {
            alone.push(name)
        }
        tensors += held;
    }
    println!("{} files and {tensors} tensors agree; alone: {}", agreed.len(), alone.join(", "));
    assert!(agreed.len() >= 18 && tensors > 400, "only {agreed:?} agree; alone: {alone:?}");
    for container in ["zip.pth", "legacy2.pth", "tar.pth", "deflated.pth", "protocol5.pth"] {
        assert!(agreed.iter().any(|name| name == container), "{container} is not among {agreed:?}");
    }
}
