//! Files that may be checkpoints, and everything that infill does with one that opens.

use std::io::{Cursor, Write};

use arbitrary::Arbitrary;
use infill::checkpoint::{self, TensorInfo};
use infill::engine::EngineKind;
use infill::models::{exported, load};
use infill::report;

/// Networks of more weights than this are identified, but not built.
const MOST_WEIGHTS: u64 = 200_000;

/// Opens a file, reports on it, reads every value, holds its keys against every known network, and builds what fits.
pub fn everything(bytes: &[u8]) {
    let source = || Cursor::new(bytes.to_vec());
    let Ok(mut file) = checkpoint::open(source(), "fuzzed") else { return };
    let report = report::inspect(file.as_ref(), "fuzzed");
    let tensors: Vec<TensorInfo> = file.state_dicts().iter().flat_map(|dict| dict.tensors.clone()).collect();
    assert_eq!(report.tensors.len(), tensors.len());
    for tensor in &tensors {
        if let Ok(values) = file.read(tensor) {
            assert_eq!(values.len(), tensor.shape.iter().product::<usize>(), "{}", tensor.key);
        }
    }
    let _ = report::stats(file.as_mut(), None);
    for model in infill::models::registry() {
        let _ = report::alignment(file.as_ref(), &model.id);
    }
    if report.networks.iter().all(|network| network.parameters <= MOST_WEIGHTS) {
        let _ = load::load(file.as_mut(), "fuzzed", None, EngineKind::Fast);
    }
    if file.graph().is_some() {
        let _ = exported::load(file.as_mut(), "fuzzed", Some(64), EngineKind::Fast);
    }
}

/// One entry of a zip archive.
#[derive(Arbitrary, Debug)]
pub struct Entry {
    name: Name,
    data: Vec<u8>,
    is_deflated: bool,
    /// What the directory says instead of the truth.
    lie: Option<Lie>,
}

/// Names that mean something in PyTorch's archives, and others.
#[derive(Arbitrary, Debug)]
enum Name {
    Pickle,
    Storage(u8),
    ByteOrder,
    Version,
    Constants,
    Code(u8),
    Other(String),
}

/// What an archive may lie about.
#[derive(Arbitrary, Debug)]
enum Lie {
    Crc(u32),
    Compressed(u32),
    Size(u32),
    Offset(u32),
    Method(u16),
    Flags(u16),
    Extra(Vec<u8>),
}

impl Entry {
    fn name(&self) -> String {
        match &self.name {
            Name::Pickle => "archive/data.pkl".to_owned(),
            Name::Storage(key) => format!("archive/data/{key}"),
            Name::ByteOrder => "archive/byteorder".to_owned(),
            Name::Version => "archive/version".to_owned(),
            Name::Constants => "archive/constants.pkl".to_owned(),
            Name::Code(key) => format!("archive/code/__torch__{key}.py"),
            Name::Other(name) => name.chars().take(2000).collect(),
        }
    }
}

/// A zip archive of these entries, with the checksums and sizes that it should have, except where an entry lies.
pub fn zip(entries: &[Entry]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for entry in entries.iter().take(2000) {
        let name = entry.name();
        let stored = match entry.is_deflated {
            true => miniz_oxide::deflate::compress_to_vec(&entry.data, 3),
            false => entry.data.clone(),
        };
        let (mut flags, mut method) = (0u16, if entry.is_deflated { 8u16 } else { 0 });
        let (mut crc, mut compressed, mut size) =
            (crc32fast::hash(&entry.data), stored.len() as u32, entry.data.len() as u32);
        let (mut offset, mut extra) = (file.len() as u32, &[][..]);
        match &entry.lie {
            Some(Lie::Crc(value)) => crc = *value,
            Some(Lie::Compressed(value)) => compressed = *value,
            Some(Lie::Size(value)) => size = *value,
            Some(Lie::Offset(value)) => offset = *value,
            Some(Lie::Method(value)) => method = *value,
            Some(Lie::Flags(value)) => flags = *value,
            Some(Lie::Extra(bytes)) => extra = &bytes[..bytes.len().min(1000)],
            None => {}
        }
        let mut both = Vec::new();
        both.extend(20u16.to_le_bytes());
        both.extend(flags.to_le_bytes());
        both.extend(method.to_le_bytes());
        both.extend([0; 4]);
        both.extend([crc, compressed, size].map(u32::to_le_bytes).concat());
        both.extend((name.len() as u16).to_le_bytes());
        both.extend((extra.len() as u16).to_le_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&both);
        file.extend(name.as_bytes());
        file.extend(extra);
        file.extend(&stored);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&both);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
        directory.extend(extra);
    }
    let (start, count) = (file.len() as u32, entries.len().min(2000) as u16);
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([count, count].map(u16::to_le_bytes).concat());
    file.extend([directory.len() as u32, start].map(u32::to_le_bytes).concat());
    file.extend([0; 2]);
    file
}

/// An archive as PyTorch saves it whose pickle is this, with two storages of 256 bytes.
pub fn zip_of_pickle(pickle: &[u8]) -> Vec<u8> {
    let storage: Vec<u8> = (0..=255).collect();
    let entry = |name, data: &[u8]| Entry { name, data: data.to_vec(), is_deflated: false, lie: None };
    zip(&[entry(Name::Pickle, pickle), entry(Name::Storage(0), &storage), entry(Name::Storage(1), &storage)])
}

/// A safetensors file of this header and body, with the header's true length in front.
pub fn safetensors(header: &[u8], body: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let _ = file.write_all(&(header.len() as u64).to_le_bytes());
    file.extend(header);
    file.extend(body);
    file
}

/// An ONNX file: these bytes as its graph, its length in front of them, or all that follows the name of the producer.
pub fn onnx(bytes: &[u8], is_graph: bool, opset: u8) -> Vec<u8> {
    let varint = |mut n: usize| {
        let mut out = Vec::new();
        while n > 127 {
            out.push((n & 127) as u8 | 128);
            n >>= 7;
        }
        out.push(n as u8);
        out
    };
    let head: &[u8] = b"\x08\x08\x12\x01p";
    match is_graph {
        true => {
            let opset = [0x42, 2, 0x10, opset & 127];
            [head, &opset, &[0x3a], &varint(bytes.len()), bytes].concat()
        }
        false => [head, bytes].concat(),
    }
}
