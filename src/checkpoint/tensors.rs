//! The opened file: its storages and tensors, and the values of one tensor straight from the file.

use super::bytes::{File, fault};
use super::{Checkpoint, Container, DType, Source, StateDict, TensorInfo};
use crate::error::{Code, Error, Result};
use crate::limits::TENSOR_ELEMENTS;
use crate::tensor::element_count;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 20;
/// A view may repeat elements (stride 0) up to this many, whatever its storage holds.
const EXPANDED_ELEMENTS: usize = 1 << 22;

/// Where a storage's bytes are.
#[derive(Clone, Debug)]
pub enum Place {
    /// In the file, from this offset.
    At(u64),
    /// In a zip entry: resolved at the first read.
    Zip(super::zip::Entry),
    /// Inflated.
    Memory(Vec<u8>),
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
    pub file: File<S>,
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
}

impl<S: Source> Opened<S> {
    /// Makes sure that a zip entry is checked once, and inflated if it must be.
    fn resolve(&mut self, index: usize) -> Result<()> {
        let missing = || Error::new(Code::Internal, "A tensor refers to no storage.");
        let storage = self.storages.get_mut(index).ok_or_else(missing)?;
        let Place::Zip(entry) = &storage.place else { return Ok(()) };
        storage.place = if entry.deflated {
            Place::Memory(super::zip::Archive::read(&mut self.file, entry, 4 * TENSOR_ELEMENTS as u64)?)
        } else {
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
                let text =
                    format!("{} is damaged (its checksum is wrong). Copy or download the file again.", entry.name);
                return fault(Code::CheckpointCorrupt, text);
            }
            Place::At(start)
        };
        Ok(())
    }

    /// `count` elements of a storage from element `first`, as f32.
    fn elements(&mut self, index: usize, dtype: DType, first: usize, count: usize) -> Result<Vec<f32>> {
        let size = dtype.size();
        let mut values = Vec::with_capacity(count);
        let big = self.big_endian;
        match &self.storages[index].place {
            Place::Memory(bytes) => {
                let bytes = bytes.get(first * size..(first + count) * size).ok_or_else(super::bytes::truncated)?;
                decode(bytes, dtype, big, &mut values);
            }
            &Place::At(start) => {
                let mut buffer = vec![0; CHUNK_BYTES.min(count * size)];
                let mut at = start + (first * size) as u64;
                while values.len() < count {
                    let bytes = buffer.len().min((count - values.len()) * size);
                    self.file.read_at(at, &mut buffer[..bytes])?;
                    decode(&buffer[..bytes], dtype, big, &mut values);
                    at += bytes as u64;
                }
            }
            Place::Zip(_) => return fault(Code::Internal, "A storage was read before it was checked."),
        }
        Ok(values)
    }
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
    if count > held.max(EXPANDED_ELEMENTS) {
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

    fn state_dicts(&self) -> &[StateDict] {
        &self.dicts
    }

    fn read(&mut self, tensor: &TensorInfo) -> Result<Vec<f32>> {
        self.resolve(tensor.storage)?;
        let (count, span) = check(tensor, self.storages[tensor.storage].bytes)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let values = self.elements(tensor.storage, tensor.dtype, tensor.offset, span)?;
        if count == span && tensor.stride == contiguous_stride(&tensor.shape) {
            return Ok(values);
        }
        Ok(gather(&values, &tensor.shape, &tensor.stride, count))
    }
}

/// A strided view, made contiguous.
fn gather(values: &[f32], shape: &[usize], stride: &[usize], count: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(count);
    let mut position = vec![0usize; shape.len()];
    let mut at = 0usize;
    for _ in 0..count {
        out.push(values[at]);
        for axis in (0..shape.len()).rev() {
            position[axis] += 1;
            at += stride[axis];
            if position[axis] < shape[axis] {
                break;
            }
            at -= stride[axis] * shape[axis];
            position[axis] = 0;
        }
    }
    out
}

fn decode(bytes: &[u8], dtype: DType, big_endian: bool, out: &mut Vec<f32>) {
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
