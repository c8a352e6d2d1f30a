//! safetensors: a JSON header, then the tensors back to back
//! ([format](https://github.com/huggingface/safetensors#format)). Validated first, allocated after.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::bytes::{File, fault, truncated};
use super::tensors::{Place, Storage};
use super::{DType, Source, TensorInfo};
use crate::error::{Code, Error, Result};
use crate::limits::{SAFETENSORS_HEADER_BYTES, TENSOR_DIMENSIONS, TENSORS};
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
    fault(Code::CheckpointCorrupt, text)
}

/// Reads and checks the header.
pub fn open<S: Source + ?Sized>(file: &mut File<S>) -> Result<Header> {
    let mut length = [0; 8];
    file.read_at(0, &mut length)?;
    let length = u64::from_le_bytes(length);
    if length > SAFETENSORS_HEADER_BYTES {
        return fault(
            Code::CheckpointLimit,
            format!("The safetensors header claims {length} bytes; at most {SAFETENSORS_HEADER_BYTES} are read."),
        );
    }
    let text = file.bytes(8, length as usize)?;
    let text = std::str::from_utf8(&text)
        .map_err(|_| Error::new(Code::CheckpointCorrupt, "The safetensors header is not UTF-8."))?;
    let entries = entries(text)?;
    let base = 8 + length;
    let (mut metadata, mut found) = (Vec::new(), Vec::new());
    for (key, value) in entries {
        if key == "__metadata__" {
            let Some(map) = value.as_object() else { return corrupt("__metadata__ is not an object.") };
            metadata.extend(map.iter().map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())));
        } else {
            found.push(tensor(key, &value)?);
        }
    }
    if found.len() > TENSORS {
        return fault(
            Code::CheckpointLimit,
            format!("The file lists {} tensors; at most {TENSORS} are read.", found.len()),
        );
    }
    metadata.sort();
    contiguous(&found, file.length() - base)?;
    let (mut tensors, mut storages) = (Vec::new(), Vec::new());
    for (index, (mut info, begin, end)) in found.into_iter().enumerate() {
        info.storage = index;
        storages.push(Storage::new(Place::At(base + begin), end - begin));
        tensors.push(info);
    }
    Ok(Header { metadata, tensors, storages })
}

/// The top-level entries in order; a key given twice is refused.
fn entries(text: &str) -> Result<Vec<(String, Value)>> {
    struct Entries;
    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<(String, Value)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of tensors")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let (mut list, mut seen) = (Vec::new(), std::collections::HashSet::new());
            while let Some((key, value)) = map.next_entry::<String, Value>()? {
                if !seen.insert(key.clone()) {
                    return Err(serde::de::Error::custom(format!("the key {key} occurs twice")));
                }
                list.push((key, value));
            }
            Ok(list)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = deserializer.deserialize_map(Entries).and_then(|list| deserializer.end().map(|()| list));
    parsed.map_err(|e| Error::new(Code::CheckpointCorrupt, format!("The safetensors header is damaged: {e}.")))
}

fn tensor(key: String, value: &Value) -> Result<(TensorInfo, u64, u64)> {
    let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
    let name = value.get("dtype").and_then(Value::as_str).unwrap_or_default();
    let dtype = match name {
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
        value.get("shape").and_then(Value::as_array).and_then(|list| list.iter().map(number).collect());
    let offsets: Option<Vec<u64>> =
        value.get("data_offsets").and_then(Value::as_array).and_then(|list| list.iter().map(Value::as_u64).collect());
    let wrong = |text: &str| Error::new(Code::CheckpointTensor, format!("{key}: {text}")).with_keys(vec![key.clone()]);
    let shape = shape.filter(|s| s.len() <= TENSOR_DIMENSIONS).ok_or_else(|| wrong("its shape makes no sense."))?;
    let (begin, end) = match offsets.as_deref() {
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
    ranges.sort();
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
