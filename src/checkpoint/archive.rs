//! Checkpoints of pickles: zip archives (`torch.save` since 1.6, and TorchScript) and the legacy format before them.

use std::collections::HashMap;

use super::bytes::{BoundedReader, fail, truncated};
use super::tensors::{Opened, Place, Storage};
use super::torch::Tensors;
use super::zip::{Archive, Entry};
use super::{Container, Source, discover, foreign, pickle};
use crate::error::{Code, Error, Result};

/// Opens a zip checkpoint; `name` stands in the lines of Python that make one of another archive.
pub fn open<S: Source>(mut file: BoundedReader<S>, name: &str) -> Result<Opened<S>> {
    let archive = Archive::open(&mut file)?;
    let pickle_entry = archive.entries.iter().find(|e| e.name == "data.pkl" || e.name.ends_with("/data.pkl"));
    let Some(entry) = pickle_entry.cloned() else { return Err(foreign::zip(&archive, name)) };
    let root = entry.name.strip_suffix("data.pkl").unwrap_or_default().to_owned();
    let scripted = archive.find(&format!("{root}constants.pkl")).is_some();
    let big_endian = match archive.find(&format!("{root}byteorder")) {
        Some(order) => Archive::read(&mut file, order, 64)?.starts_with(b"big"),
        None => false,
    };
    let (heap, top) = match Archive::load_pickle(&mut file, &entry) {
        // Arrays lie within the pickle, which then exceeds what a structure may have.
        Err(error) if error.code == Code::CheckpointLimit && holds_arrays(&mut file, &entry) => {
            return Err(foreign::arrays(name));
        }
        loaded => loaded?,
    };
    let mut locate = |key: &str, dtype: super::DType, numel: u64| {
        let name = format!("{root}data/{key}");
        let entry = archive.find(&name).ok_or_else(|| {
            Error::new(Code::CheckpointCorrupt, format!("its values ({name}) are not in the archive."))
        })?;
        let claimed = numel.checked_mul(dtype.size() as u64);
        if claimed.is_none_or(|bytes| bytes > entry.size) {
            let text = format!("its storage {key} has {} bytes, but {numel} elements are promised.", entry.size);
            return fail(Code::CheckpointTensor, text);
        }
        Ok(Storage::new(Place::Zip(entry.clone()), entry.size))
    };
    let mut tensors = Tensors::new(&heap, &mut locate);
    let dicts = discover::state_dicts(&mut tensors, top).map_err(|error| match error.code {
        Code::CheckpointNoTensors if scripted => {
            let text = "This TorchScript archive names no weights: torch.jit.freeze and optimize_for_inference make nameless constants of them. Save it before, or save the network's state_dict().";
            Error::new(error.code, text)
        }
        Code::CheckpointNoTensors if heap.globals().any(is_array) => foreign::arrays(name),
        _ => error,
    })?;
    let storages = tensors.storages;
    let container = if scripted { Container::TorchScript } else { Container::Zip };
    // A program brings its classes along.
    let (is_plain, packages) = if scripted { (false, Vec::new()) } else { super::torch::needs(&heap) };
    let mut opened = Opened::new(file, container, dicts, storages);
    (opened.is_plain, opened.packages) = (is_plain, packages);
    opened.big_endian = big_endian;
    Ok(opened)
}

/// Whether a pickle that cannot be read as a structure is one of NumPy arrays.
fn holds_arrays<S: Source>(file: &mut BoundedReader<S>, entry: &Entry) -> bool {
    const HEAD_BYTES: u64 = 64 << 10;
    let count = entry.size.min(HEAD_BYTES);
    let head = match entry.deflated {
        true => super::zip::inflate(file, entry, 0, count),
        false => super::zip::data_start(file, entry).and_then(|start| file.bytes(start, count as usize)),
    };
    head.is_ok_and(|head| foreign::names_arrays(&head))
}

/// Whether a function makes NumPy arrays.
fn is_array(name: &str) -> bool {
    name.starts_with("numpy") && name.ends_with("multiarray._reconstruct")
}

/// Opens a legacy checkpoint: pickles one after another, then the storages.
pub fn open_legacy<S: Source>(mut file: BoundedReader<S>) -> Result<Opened<S>> {
    let mut next = 0;
    let mut read = |file: &mut BoundedReader<S>| -> Result<(pickle::Heap, pickle::Id)> {
        let end = file.length();
        let mut stream = pickle::Stream::new(file.source(), next, end);
        let loaded = pickle::load(&mut stream)?;
        next = stream.position();
        Ok(loaded)
    };
    let (_magic, _) = read(&mut file)?;
    let (_protocol, _) = read(&mut file)?;
    let (system, top) = read(&mut file)?;
    let little = system.lookup(top, "little_endian").map(|id| system.get(id).clone());
    let big_endian = little == Some(pickle::Value::Bool(false));
    let (heap, root) = read(&mut file)?;
    let (keys, list) = read(&mut file)?;
    // The pickle describes the storages; the key list says in which order they follow it.
    let sizes = super::torch::storages(&heap);
    let mut places = HashMap::new();
    for &key in keys.sequence(list).unwrap_or_default() {
        let key = super::torch::storage_key(&keys, key).ok_or_else(truncated)?;
        let Some((numel, dtype)) = sizes.get(&key) else {
            return fail(Code::CheckpointCorrupt, format!("The file lists a storage {key} that no tensor uses."));
        };
        let dtype = dtype.clone();
        let dtype = dtype.map_err(|e| Error { message: format!("A tensor cannot be read: {}", e.message), ..e })?;
        let count = element_count(&mut file, next, big_endian)?;
        let bytes = count.checked_mul(dtype.size() as u64).ok_or_else(truncated)?;
        if count < *numel {
            let text = format!("The storage {key} has {count} elements, but {numel} are promised.");
            return fail(Code::CheckpointTensor, text);
        }
        let start = next + 8;
        next = start.checked_add(bytes).filter(|&end| end <= file.length()).ok_or_else(truncated)?;
        places.insert(key, (start, bytes));
    }
    let mut locate = |key: &str, _: super::DType, _: u64| match places.get(key) {
        Some(&(start, bytes)) => Ok(Storage::new(Place::At(start), bytes)),
        None => fail(Code::CheckpointCorrupt, format!("its values (storage {key}) are not in the file.")),
    };
    let mut tensors = Tensors::new(&heap, &mut locate);
    let dicts = discover::state_dicts(&mut tensors, root)?;
    let storages = tensors.storages;
    let (is_plain, packages) = super::torch::needs(&heap);
    let mut opened = Opened::new(file, Container::Legacy, dicts, storages);
    (opened.is_plain, opened.packages) = (is_plain, packages);
    opened.big_endian = big_endian;
    Ok(opened)
}

/// How many elements the storage at this offset has: a legacy file writes the number in front of the values.
fn element_count<S: Source>(file: &mut BoundedReader<S>, at: u64, big_endian: bool) -> Result<u64> {
    let mut count = [0; 8];
    file.read_at(at, &mut count)?;
    Ok(if big_endian { u64::from_be_bytes(count) } else { u64::from_le_bytes(count) })
}
