//! Tar checkpoints of PyTorch before 0.1.10 (2017): `storages` and `tensors` are pickles with raw values between them,
//! and in `pickle` every persistent id is a tensor. Source: `_legacy_load.legacy_load` in `torch/serialization.py`.

use std::collections::HashMap;

use super::bytes::{BoundedReader, fail, truncated, u64_at};
use super::pickle::{self, Heap, Id};
use super::tensors::{Opened, Place, Storage, check};
use super::torch::{Tensors, by_class, storage_key};
use super::{Container, Source, TensorInfo, discover};
use crate::error::{Code, Error, Result};
use crate::limits::{ARCHIVE_ENTRIES, MAX_TAR_PICKLE_BYTES, TENSOR_DIMENSIONS, TENSORS};

const BLOCK: u64 = 512;

fn corrupt() -> Error {
    Error::new(Code::CheckpointCorrupt, "The tar checkpoint contradicts itself. Copy or download it again.")
}

/// Opens a tar checkpoint.
pub fn open<S: Source>(mut file: BoundedReader<S>) -> Result<Opened<S>> {
    let entries = entries(&mut file)?;
    let part = |name: &str| {
        entries.get(name).copied().ok_or_else(|| {
            let text = format!("This tar archive holds no {name}, so it is no PyTorch checkpoint.");
            Error::new(Code::CheckpointNotWeights, text)
        })
    };
    let (storages, tensors, main) = (part("storages")?, part("tensors")?, part("pickle")?);
    let mut table = Table::default();
    table.storages(&mut file, storages)?;
    table.tensors(&mut file, tensors)?;
    let mut stream = pickle::Stream::new(file.source(), main.0, main.1);
    let (heap, root) = pickle::load(&mut stream)?;
    let mut locate = |_: &str, _: super::DType, _: u64| Err(corrupt());
    let mut found = Tensors::new(&heap, &mut locate);
    found.storages = table.all;
    found.named = table.named;
    let dicts = discover::state_dicts(&mut found, root)?;
    let storages = found.storages;
    Ok(Opened::new(file, Container::Tar, dicts, storages))
}

/// Start and end of every entry's bytes, by name.
fn entries<S: Source>(file: &mut BoundedReader<S>) -> Result<HashMap<String, (u64, u64)>> {
    let (mut at, mut list) = (0, HashMap::new());
    while at + BLOCK <= file.length() {
        let header = file.bytes(at, BLOCK as usize)?;
        if header.iter().all(|&byte| byte == 0) {
            break;
        }
        let text = |from: usize, to: usize| {
            let field = &header[from..to];
            String::from_utf8_lossy(field.split(|&byte| byte == 0).next().unwrap_or_default()).trim().to_owned()
        };
        let size = u64::from_str_radix(&text(124, 136), 8).map_err(|_| corrupt())?;
        let start = at + BLOCK;
        let end = start.checked_add(size).filter(|&end| end <= file.length()).ok_or_else(truncated)?;
        if list.len() >= ARCHIVE_ENTRIES {
            return fail(Code::CheckpointLimit, format!("The archive lists more than {ARCHIVE_ENTRIES} entries."));
        }
        list.insert(text(0, 100).trim_start_matches("./").to_owned(), (start, end));
        at = end.next_multiple_of(BLOCK);
    }
    Ok(list)
}

/// Reads the short pickle at `at`, which moves behind it.
fn short<S: Source>(file: &mut BoundedReader<S>, at: &mut u64, end: u64) -> Result<(Heap, Id)> {
    let mut stream = pickle::Stream::new(file.source(), *at, end.min(*at + MAX_TAR_PICKLE_BYTES));
    let loaded = pickle::load(&mut stream)?;
    *at = stream.position();
    Ok(loaded)
}

/// How many descriptions follow.
fn count<S: Source>(file: &mut BoundedReader<S>, at: &mut u64, end: u64) -> Result<usize> {
    let (heap, root) = short(file, at, end)?;
    let count = heap.size(root).ok_or_else(corrupt)?;
    if count <= TENSORS {
        Ok(count)
    } else {
        fail(Code::CheckpointLimit, format!("The file holds more than {TENSORS} tensors."))
    }
}

fn number<S: Source>(file: &mut BoundedReader<S>, at: &mut u64, end: u64) -> Result<usize> {
    if *at + 8 > end {
        return Err(truncated());
    }
    let bytes = file.bytes(*at, 8)?;
    *at += 8;
    let value = u64_at(&bytes, 0).filter(|&n| n < 1 << 63).ok_or_else(corrupt)?;
    // What exceeds the address space is its end, so that every machine refuses it alike.
    Ok(usize::try_from(value).unwrap_or(usize::MAX))
}

#[derive(Default)]
struct Table {
    all: Vec<Storage>,
    /// Index, element type and first element of every storage and view, by key.
    by_key: HashMap<String, (usize, super::DType, usize)>,
    named: HashMap<String, TensorInfo>,
}

impl Table {
    fn storages<S: Source>(&mut self, file: &mut BoundedReader<S>, (mut at, end): (u64, u64)) -> Result<()> {
        for _ in 0..count(file, &mut at, end)? {
            let (heap, root) = short(file, &mut at, end)?;
            let &[key, _, class] = heap.sequence(root).ok_or_else(corrupt)? else { return Err(corrupt()) };
            let key = storage_key(&heap, key).ok_or_else(corrupt)?;
            let dtype = by_class(heap.global(class).ok_or_else(corrupt)?)?;
            let bytes = (number(file, &mut at, end)? as u64).checked_mul(dtype.size() as u64).ok_or_else(truncated)?;
            let next = at.checked_add(bytes).filter(|&next| next <= end).ok_or_else(truncated)?;
            self.by_key.insert(key, (self.all.len(), dtype, 0));
            self.all.push(Storage::new(Place::At(at), bytes));
            at = next;
        }
        // Views of other storages: (key, root's key, first element, elements).
        let mut stream = pickle::Stream::new(file.source(), at, end);
        let (heap, root) = pickle::load(&mut stream)?;
        for &view in heap.sequence(root).unwrap_or_default() {
            let &[key, of, first, _] = heap.sequence(view).ok_or_else(corrupt)? else { return Err(corrupt()) };
            let (key, of) = (storage_key(&heap, key).ok_or_else(corrupt)?, storage_key(&heap, of).ok_or_else(corrupt)?);
            let &(index, dtype, start) = self.by_key.get(&of).ok_or_else(corrupt)?;
            let first = heap.size(first).and_then(|first| first.checked_add(start)).ok_or_else(corrupt)?;
            self.by_key.insert(key, (index, dtype, first));
        }
        Ok(())
    }

    fn tensors<S: Source>(&mut self, file: &mut BoundedReader<S>, (mut at, end): (u64, u64)) -> Result<()> {
        for _ in 0..count(file, &mut at, end)? {
            let (heap, root) = short(file, &mut at, end)?;
            let &[key, storage, _] = heap.sequence(root).ok_or_else(corrupt)? else { return Err(corrupt()) };
            let key = storage_key(&heap, key).ok_or_else(corrupt)?;
            let storage = storage_key(&heap, storage).ok_or_else(corrupt)?;
            let &(storage, dtype, start) = self.by_key.get(&storage).ok_or_else(corrupt)?;
            // Four bytes are the count, four more were written by accident.
            let dimensions = number(file, &mut at, end)? as u32 as usize;
            if dimensions > TENSOR_DIMENSIONS {
                return Err(corrupt());
            }
            let mut sides = || (0..dimensions).map(|_| number(file, &mut at, end)).collect::<Result<Vec<_>>>();
            let (shape, stride) = (sides()?, sides()?);
            let offset = number(file, &mut at, end)?.checked_add(start).ok_or_else(corrupt)?;
            let info = TensorInfo { key: key.clone(), shape, stride, dtype, storage, offset };
            check(&info, self.all[storage].bytes)?;
            self.named.insert(key, info);
        }
        Ok(())
    }
}
