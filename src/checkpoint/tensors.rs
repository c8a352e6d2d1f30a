//! The opened file: its storages and tensors, and the values of one tensor straight from the file.

use std::sync::Arc;

use super::bytes::{BoundedReader, fail, out_of_memory};
use super::onnx::Graph;
use super::unfolded::Unfolded;
use super::{Checkpoint, Container, DType, Source, StateDict, TensorInfo, copies};
use crate::error::{Code, Error, Result};
use crate::limits::{INFLATED_BYTES, MAX_REPEATED_ELEMENTS, TENSOR_ELEMENTS};
use crate::tensor::element_count;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 20;
/// Elements read at a time for a view that uses few of those it spans.
pub const PIECE_ELEMENTS: usize = 1 << 14;

/// Where a storage's bytes are.
#[derive(Clone, Debug)]
pub enum Place {
    /// In the file, from this offset.
    At(u64),
    /// In a zip entry: checked, and inflated if it must be, at the first read.
    Zip(super::zip::Entry),
    /// In memory: numbers that a file spells one by one, as their little-endian bytes.
    Held(Arc<[u8]>),
}

/// One storage.
#[derive(Clone, Debug)]
pub struct Storage {
    /// Where it is.
    pub place: Place,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Storage {
    /// A storage of this many bytes.
    pub fn new(place: Place, bytes: u64) -> Self {
        Self { place, bytes }
    }
}

/// Row-major strides of a shape, in elements.
pub fn contiguous_stride(shape: &[usize]) -> Vec<usize> {
    let mut stride = vec![1usize; shape.len()];
    for index in (0..shape.len().saturating_sub(1)).rev() {
        stride[index] = stride[index + 1].saturating_mul(shape[index + 1].max(1));
    }
    stride
}

/// An opened checkpoint of any container.
pub struct Opened<S: Source> {
    /// The file.
    pub file: BoundedReader<S>,
    /// Its container.
    pub container: Container,
    /// safetensors metadata.
    pub metadata: Vec<(String, String)>,
    /// The state dicts found.
    pub dicts: Vec<StateDict>,
    /// The storages that tensors refer to.
    pub storages: Vec<Storage>,
    /// Whether multi-byte values are big-endian.
    pub big_endian: bool,
    /// Whether its pickle names only what PyTorch reads with `weights_only=True`.
    pub is_plain: bool,
    /// The Python packages beside PyTorch that its pickle names.
    pub packages: Vec<String>,
    /// Copies of networks in `dicts` that are not taken.
    pub set_aside: Vec<StateDict>,
    /// The graph of an ONNX file.
    pub graph: Option<Graph>,
    /// What all tensors together unfold to.
    unfolded: Unfolded,
    /// The storage inflated last, by its index.
    inflated: Option<(usize, Vec<u8>)>,
    /// Bytes inflated so far.
    inflated_bytes: u64,
}

impl<S: Source> Opened<S> {
    /// An opened file, of which nothing is inflated yet.
    pub fn new(file: BoundedReader<S>, container: Container, dicts: Vec<StateDict>, storages: Vec<Storage>) -> Self {
        let unfolded = Unfolded::new(&dicts, &storages, file.length());
        let (dicts, set_aside) = copies::choose(dicts, true);
        Self {
            file,
            container,
            metadata: Vec::new(),
            dicts,
            storages,
            big_endian: false,
            is_plain: false,
            packages: Vec::new(),
            set_aside,
            graph: None,
            unfolded,
            inflated: None,
            inflated_bytes: 0,
        }
    }

    /// [`check`] against the tensor's own storage, once the file as a whole is known to be no bomb.
    fn checked(&self, tensor: &TensorInfo) -> Result<(usize, usize)> {
        self.unfolded.check()?;
        check(tensor, self.storages.get(tensor.storage).ok_or_else(no_storage)?.bytes)
    }

    /// Makes sure that the CRC of a stored zip entry is checked once.
    fn resolve(&mut self, index: usize) -> Result<()> {
        let storage = self.storages.get_mut(index).ok_or_else(no_storage)?;
        let Place::Zip(entry) = &storage.place else { return Ok(()) };
        if entry.deflated {
            return Ok(());
        }
        let start = super::zip::data_start(&mut self.file, entry)?;
        let mut crc = crc32fast::Hasher::new();
        let mut buffer = vec![0; CHUNK_BYTES.min(entry.size as usize)];
        let mut done = 0;
        while done < entry.size {
            let count = buffer.len().min((entry.size - done) as usize);
            self.file.read_at(start + done, &mut buffer[..count])?;
            crc.update(&buffer[..count]);
            done += count as u64;
        }
        if crc.finalize() != entry.crc {
            return super::zip::damaged(entry);
        }
        storage.place = Place::At(start);
        Ok(())
    }

    /// Reads a tensor that fills its whole stored entry, checking the entry's CRC on the way; `false` if it does not
    /// fill it.
    fn whole(&mut self, t: &TensorInfo, count: usize, each: &mut dyn FnMut(&[f32]) -> Result<()>) -> Result<bool> {
        let storage = self.storages.get_mut(t.storage);
        let Some(storage) = storage else { return Ok(false) };
        let Place::Zip(entry) = &storage.place else { return Ok(false) };
        let is_whole = t.offset == 0 && (count * t.dtype.size()) as u64 == entry.size;
        if entry.deflated || !is_whole || t.stride != contiguous_stride(&t.shape) {
            return Ok(false);
        }
        let start = super::zip::data_start(&mut self.file, entry)?;
        let (mut values, mut crc) = (Vec::new(), crc32fast::Hasher::new());
        let mut buffer = vec![0; CHUNK_BYTES.min(entry.size as usize)];
        let mut done = 0;
        while done < entry.size {
            let bytes = buffer.len().min((entry.size - done) as usize);
            self.file.read_at(start + done, &mut buffer[..bytes])?;
            crc.update(&buffer[..bytes]);
            values.clear();
            decode(&buffer[..bytes], t.dtype, self.big_endian, &mut values);
            each(&values)?;
            done += bytes as u64;
        }
        if crc.finalize() != entry.crc {
            return super::zip::damaged(entry);
        }
        storage.place = Place::At(start);
        Ok(true)
    }

    /// The bytes from `first` on, as far as they are inflated: a small storage whole and kept, of a large one a part.
    fn inflated(&mut self, index: usize, first: u64, count: u64) -> Result<Option<Vec<u8>>> {
        let Place::Zip(entry) = &self.storages[index].place else { return Ok(None) };
        let is_held = self.inflated.as_ref().is_some_and(|(held, _)| *held == index);
        if !is_held {
            self.inflated_bytes = self.inflated_bytes.saturating_add(entry.size);
            self.unfolded.check_inflated(self.inflated_bytes)?;
        }
        if entry.size > INFLATED_BYTES {
            // Many small tensors in one large deflated storage would inflate it over and over.
            if entry.size / 4 > count.max(1) {
                let text = format!("{} is deflated, and a tensor needs but a small part of it.", entry.name);
                return fail(Code::CheckpointLimit, text + " Save the checkpoint again with torch.save.");
            }
            return super::zip::inflate(&mut self.file, entry, first, count).map(Some);
        }
        if !is_held {
            self.inflated = None;
            self.inflated = Some((index, super::zip::inflate(&mut self.file, entry, 0, entry.size)?));
        }
        Ok(None)
    }

    /// Appends `count` elements of the tensor's storage from element `first`, as f32.
    fn elements(&mut self, t: &TensorInfo, first: usize, count: usize, out: &mut Vec<f32>) -> Result<()> {
        let (size, big) = (t.dtype.size() as u64, self.big_endian);
        let (mut at, end) = (first as u64 * size, (first as u64 + count as u64) * size);
        if let Some(bytes) = self.inflated(t.storage, at, end - at)? {
            decode(&bytes, t.dtype, big, out);
            return Ok(());
        }
        match &self.storages[t.storage].place {
            Place::Zip(_) => {
                let bytes = self.inflated.as_ref().and_then(|(_, bytes)| bytes.get(at as usize..end as usize));
                decode(bytes.ok_or_else(super::bytes::truncated)?, t.dtype, big, out);
            }
            Place::Held(bytes) => {
                let bytes = bytes.get(at as usize..end as usize).ok_or_else(super::bytes::truncated)?;
                decode(bytes, t.dtype, big, out);
            }
            &Place::At(start) => {
                let mut buffer = vec![0; (CHUNK_BYTES as u64).min(end - at) as usize];
                while at < end {
                    let bytes = (buffer.len() as u64).min(end - at) as usize;
                    self.file.read_at(start + at, &mut buffer[..bytes])?;
                    decode(&buffer[..bytes], t.dtype, big, out);
                    at += bytes as u64;
                }
            }
        }
        Ok(())
    }

    /// A view that uses little of what it spans: pieces are read where its elements lie.
    fn sparse(&mut self, t: &TensorInfo, count: usize, span: usize) -> Result<Vec<f32>> {
        let mut out = reserve(count)?;
        let (mut piece, mut start) = (Vec::new(), 0);
        let mut walk = Walk::new(t);
        for _ in 0..count {
            let at = walk.at;
            if at < start || at - start >= piece.len() {
                piece.clear();
                start = at;
                self.elements(t, t.offset + at, PIECE_ELEMENTS.min(span - at), &mut piece)?;
            }
            out.push(piece[at - start]);
            walk.next();
        }
        Ok(out)
    }
}

fn no_storage() -> Error {
    Error::new(Code::Internal, "A tensor refers to no storage.")
}

/// Checks a tensor's description against its storage; returns its element count and the span it reads.
pub fn check(info: &TensorInfo, storage_bytes: u64) -> Result<(usize, usize)> {
    let wrong = |text: String| {
        Error::new(Code::CheckpointTensor, format!("{}: {text}", info.key)).with_keys(vec![info.key.clone()])
    };
    let count = element_count(&info.shape).filter(|&n| n <= TENSOR_ELEMENTS);
    let count = count.ok_or_else(|| wrong(format!("its shape {:?} is too large.", info.shape)))?;
    let held = usize::try_from(storage_bytes / info.dtype.size() as u64).unwrap_or(usize::MAX);
    if count == 0 {
        return Ok((0, 0));
    }
    if count > held.max(MAX_REPEATED_ELEMENTS) {
        return Err(wrong(format!("it has {count} elements, but its storage holds only {held}.")));
    }
    let reach =
        info.shape.iter().zip(&info.stride).try_fold(0usize, |sum, (&n, &s)| sum.checked_add((n - 1).checked_mul(s)?));
    let span = reach.and_then(|reach| reach.checked_add(1));
    match span.and_then(|span| span.checked_add(info.offset).map(|end| (span, end))) {
        Some((span, end)) if end <= held => Ok((count, span)),
        _ => Err(wrong(format!(
            "shape {:?}, stride {:?} and offset {} reach past its storage of {held} elements.",
            info.shape, info.stride, info.offset
        ))),
    }
}

impl<S: Source> Checkpoint for Opened<S> {
    fn container(&self) -> Container {
        self.container
    }

    fn metadata(&self) -> &[(String, String)] {
        &self.metadata
    }

    fn is_plain(&self) -> bool {
        self.is_plain
    }

    fn packages(&self) -> &[String] {
        &self.packages
    }

    fn state_dicts(&self) -> &[StateDict] {
        &self.dicts
    }

    fn graph(&self) -> Option<&Graph> {
        self.graph.as_ref()
    }

    fn stored(&self) -> Vec<TensorInfo> {
        self.dicts.iter().chain(&self.set_aside).flat_map(StateDict::stored).collect()
    }

    fn prefer_plain(&mut self) {
        let all = self.dicts.drain(..).chain(self.set_aside.drain(..)).collect();
        (self.dicts, self.set_aside) = copies::choose(all, false);
    }

    fn read(&mut self, tensor: &TensorInfo) -> Result<Vec<f32>> {
        let (count, span) = self.checked(tensor)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut values = reserve(count)?;
        let mut append = |piece: &[f32]| {
            values.extend_from_slice(piece);
            Ok(())
        };
        if self.whole(tensor, count, &mut append)? {
            return Ok(values);
        }
        drop(values);
        self.resolve(tensor.storage)?;
        if span > PIECE_ELEMENTS && span / 4 > count {
            return self.sparse(tensor, count, span);
        }
        let mut values = reserve(span)?;
        self.elements(tensor, tensor.offset, span, &mut values)?;
        if count == span && tensor.stride == contiguous_stride(&tensor.shape) {
            return Ok(values);
        }
        let (mut out, mut walk) = (reserve(count)?, Walk::new(tensor));
        for _ in 0..count {
            out.push(values[walk.at]);
            walk.next();
        }
        Ok(out)
    }

    fn pieces(&mut self, tensor: &TensorInfo, each: &mut dyn FnMut(&[f32]) -> Result<()>) -> Result<()> {
        let (count, span) = self.checked(tensor)?;
        if count > 0 && self.whole(tensor, count, each)? {
            return Ok(());
        }
        self.resolve(tensor.storage)?;
        let is_plain = count == span && tensor.stride == contiguous_stride(&tensor.shape);
        // What is deflated, or lies scattered, is put together first.
        if !is_plain || !matches!(self.storages[tensor.storage].place, Place::At(_)) {
            return each(&self.read(tensor)?);
        }
        let (mut piece, length) = (Vec::new(), CHUNK_BYTES / tensor.dtype.size());
        for done in (0..count).step_by(length) {
            piece.clear();
            self.elements(tensor, tensor.offset + done, length.min(count - done), &mut piece)?;
            each(&piece)?;
        }
        Ok(())
    }
}

/// Room for `count` values, or an error where an allocation would end the program.
fn reserve(count: usize) -> Result<Vec<f32>> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|_| out_of_memory(4 * count as u64))?;
    Ok(values)
}

/// The elements of a strided view in row-major order.
struct Walk<'a> {
    tensor: &'a TensorInfo,
    position: Vec<usize>,
    /// The current element, counted from the view's first.
    at: usize,
}

impl<'a> Walk<'a> {
    fn new(tensor: &'a TensorInfo) -> Self {
        Self { tensor, position: vec![0; tensor.shape.len()], at: 0 }
    }

    fn next(&mut self) {
        for axis in (0..self.position.len()).rev() {
            let (side, stride) = (self.tensor.shape[axis], self.tensor.stride[axis]);
            self.position[axis] += 1;
            self.at += stride;
            if self.position[axis] < side {
                break;
            }
            self.at -= stride * side;
            self.position[axis] = 0;
        }
    }
}

/// Appends the values of these bytes.
pub fn decode(bytes: &[u8], dtype: DType, big_endian: bool, out: &mut Vec<f32>) {
    macro_rules! each {
        ($type:ty, $convert:expr) => {{
            const SIZE: usize = size_of::<$type>();
            let numbers = bytes.chunks_exact(SIZE).map(|chunk| {
                let mut raw = [0; SIZE];
                raw.copy_from_slice(chunk);
                if big_endian { <$type>::from_be_bytes(raw) } else { <$type>::from_le_bytes(raw) }
            });
            out.extend(numbers.map($convert));
        }};
    }
    match dtype {
        DType::F32 => each!(f32, |v| v),
        DType::F64 => each!(f64, |v| v as f32),
        DType::F16 => each!(u16, |v| half::f16::from_bits(v).to_f32()),
        DType::BF16 => each!(u16, |v| half::bf16::from_bits(v).to_f32()),
        DType::I64 => each!(i64, |v| v as f32),
        DType::I32 => each!(i32, |v| v as f32),
        DType::I16 => each!(i16, f32::from),
        DType::I8 => each!(i8, f32::from),
        DType::U8 => each!(u8, f32::from),
        DType::Bool => each!(u8, |v| f32::from(u8::from(v != 0))),
    }
}
