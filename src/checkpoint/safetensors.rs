//! safetensors: a JSON header, then the tensors back to back
//! ([format](https://github.com/huggingface/safetensors#format)). Validated first, allocated after.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::bytes::{BoundedReader, fail, truncated};
use super::tensors::{Place, Storage};
use super::{DType, Source, TensorInfo};
use crate::error::{Code, Error, Result};
use crate::limits::{NAME_BYTES, SAFETENSORS_HEADER_BYTES, SAFETENSORS_METADATA_BYTES, TENSOR_DIMENSIONS, TENSORS};
use crate::ordering;
use crate::tensor::element_count;

/// What the header says.
pub struct Header {
    /// `__metadata__`, sorted.
    pub metadata: Vec<(String, String)>,
    /// Tensors in header order.
    pub tensors: Vec<TensorInfo>,
    /// One storage per tensor.
    pub storages: Vec<Storage>,
}

fn corrupt<T>(text: impl Into<String>) -> Result<T> {
    fail(Code::CheckpointCorrupt, text)
}

/// Reads and checks the header.
pub fn open<S: Source + ?Sized>(file: &mut BoundedReader<S>) -> Result<Header> {
    let mut length = [0; 8];
    file.read_at(0, &mut length)?;
    let length = u64::from_le_bytes(length);
    if length > SAFETENSORS_HEADER_BYTES {
        return fail(
            Code::CheckpointLimit,
            format!("The safetensors header claims {length} bytes; at most {SAFETENSORS_HEADER_BYTES} are read."),
        );
    }
    let raw = file.bytes(8, length as usize)?;
    let text = std::str::from_utf8(&raw)
        .map_err(|_| Error::new(Code::CheckpointCorrupt, "The safetensors header is not UTF-8."))?;
    let (entries, Notes(mut metadata)) = entries(text)?;
    drop(raw);
    let base = 8 + length;
    let found = entries.into_iter().map(|(key, entry)| tensor(key, entry)).collect::<Result<Vec<_>>>()?;
    if found.len() > TENSORS {
        return fail(
            Code::CheckpointLimit,
            format!("The file lists {} tensors; at most {TENSORS} are read.", found.len()),
        );
    }
    ordering::sort_by(&mut metadata, Ord::cmp);
    contiguous(&found, file.length() - base)?;
    let (mut tensors, mut storages) = (Vec::new(), Vec::new());
    for (index, (mut info, begin, end)) in found.into_iter().enumerate() {
        info.storage = index;
        storages.push(Storage::new(Place::At(base + begin), end - begin));
        tensors.push(info);
    }
    Ok(Header { metadata, tensors, storages })
}

/// The top-level entries in order; a key given twice is refused. What a tensor's entry does not need is not built.
fn entries(text: &str) -> Result<(Vec<(String, Entry)>, Notes)> {
    struct Entries;
    impl<'de> Visitor<'de> for Entries {
        type Value = (Vec<(String, Entry)>, Notes);

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of tensors")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let (mut list, mut metadata) = (Vec::<(String, Entry)>::new(), Notes(Vec::new()));
            while let Some(key) = map.next_key::<String>()? {
                if key.len() > NAME_BYTES {
                    return Err(A::Error::custom(format!("a key has {} bytes", key.len())));
                }
                if list.len() > TENSORS {
                    return Err(A::Error::custom(format!("it lists more than {TENSORS} tensors")));
                }
                if key == "__metadata__" { metadata = map.next_value()? } else { list.push((key, map.next_value()?)) }
            }
            let mut keys: Vec<&str> = list.iter().map(|(key, _)| key.as_str()).collect();
            ordering::sort_by(&mut keys, Ord::cmp);
            if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(A::Error::custom(format!("the key {} occurs twice", pair[0])));
            }
            Ok((list, metadata))
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = deserializer.deserialize_map(Entries).and_then(|list| deserializer.end().map(|()| list));
    parsed.map_err(|e| Error::new(Code::CheckpointCorrupt, format!("The safetensors header is damaged: {e}.")))
}

/// One tensor's entry.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    dtype: String,
    #[serde(default)]
    shape: Numbers,
    #[serde(default)]
    data_offsets: Numbers,
}

/// A short list of unsigned integers; `None` if one of them is negative or a fraction.
#[derive(Default)]
struct Numbers(Option<Vec<u64>>);

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Numbers;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a short list of numbers")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Numbers, A::Error> {
                let mut list = Some(Vec::new());
                let mut count = 0;
                while let Some(number) = seq.next_element::<Number>()? {
                    count += 1;
                    if count > TENSOR_DIMENSIONS {
                        return Err(A::Error::custom("a tensor has too many dimensions"));
                    }
                    list = list.zip(number.as_u64()).map(|(mut list, number)| {
                        list.push(number);
                        list
                    });
                }
                Ok(Numbers(list))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// `__metadata__`: strings by key, as the format demands, up to a size.
struct Notes(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Notes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Notes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Notes, A::Error> {
                let (mut list, mut bytes) = (Vec::new(), 0);
                while let Some((key, value)) = map.next_entry::<String, String>()? {
                    bytes += key.len() + value.len() + size_of::<(String, String)>();
                    if bytes > SAFETENSORS_METADATA_BYTES {
                        return Err(A::Error::custom("__metadata__ is too long"));
                    }
                    list.push((key, value));
                }
                Ok(Notes(list))
            }
        }
        deserializer.deserialize_map(Map)
    }
}

fn tensor(key: String, entry: Entry) -> Result<(TensorInfo, u64, u64)> {
    let dtype = match entry.dtype.as_str() {
        "F64" => DType::F64,
        "F32" => DType::F32,
        "F16" => DType::F16,
        "BF16" => DType::BF16,
        "I64" => DType::I64,
        "I32" => DType::I32,
        "I16" => DType::I16,
        "I8" => DType::I8,
        "U8" => DType::U8,
        "BOOL" => DType::Bool,
        other => {
            let text = format!(
                "{key} is stored as \"{other}\", which infill does not read. Convert it to float32 or float16."
            );
            return Err(Error::new(Code::CheckpointDtype, text).with_keys(vec![key]));
        }
    };
    let shape: Option<Vec<usize>> =
        entry.shape.0.and_then(|list| list.into_iter().map(|n| usize::try_from(n).ok()).collect());
    let wrong = |text: &str| Error::new(Code::CheckpointTensor, format!("{key}: {text}")).with_keys(vec![key.clone()]);
    let shape = shape.ok_or_else(|| wrong("its shape makes no sense."))?;
    let (begin, end) = match entry.data_offsets.0.as_deref() {
        Some(&[begin, end]) if begin <= end => (begin, end),
        _ => return Err(wrong("its data offsets make no sense.")),
    };
    let bytes = element_count(&shape).and_then(|n| n.checked_mul(dtype.size())).map(|n| n as u64);
    if bytes != Some(end - begin) {
        return Err(wrong("its shape and dtype do not give as many bytes as it has."));
    }
    let stride = super::tensors::contiguous_stride(&shape);
    Ok((TensorInfo { key, shape, stride, dtype, storage: 0, offset: 0 }, begin, end))
}

/// The format's own rule: the tensors fill the buffer exactly, without gap or overlap.
fn contiguous(found: &[(TensorInfo, u64, u64)], available: u64) -> Result<()> {
    let mut ranges: Vec<(u64, u64, &str)> = found.iter().map(|(info, b, e)| (*b, *e, info.key.as_str())).collect();
    ordering::sort_by(&mut ranges, Ord::cmp);
    let mut at = 0;
    for (begin, end, key) in ranges {
        if begin != at {
            return corrupt(format!("{key} does not begin where the tensor before it ends."));
        }
        at = end;
    }
    match at.cmp(&available) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(truncated()),
        std::cmp::Ordering::Less => corrupt(format!("{} bytes after the last tensor belong to none.", available - at)),
    }
}
