//! Several files handed over as one: the page puts the shards that are dropped together, and their index, one behind the
//! other after a list of their names and lengths (`www/document/bundle.js`).

use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use serde::Deserialize;

use super::bytes::{BoundedReader, fail, truncated};
use super::{Checkpoint, ShardIndex, Source, open_single, shards};
use crate::error::{Code, Error, Result};
use crate::limits::{MAX_BUNDLE_LIST_BYTES, MAX_SHARDS};

/// What such a file begins with; then follow the list's length (u64, little-endian), the list as JSON, and the files.
const MAGIC: &[u8; 16] = b"infill-bundle-1\n";

/// One file of a bundle.
#[derive(Deserialize)]
pub struct Part {
    name: String,
    bytes: u64,
    /// Where it begins.
    #[serde(skip)]
    start: u64,
}

/// The files of a bundle; `None` if this is none.
pub fn parts<S: Source>(file: &mut BoundedReader<S>) -> Result<Option<Vec<Part>>> {
    if file.length() < 24 || file.bytes(0, 16)? != MAGIC {
        return Ok(None);
    }
    let mut length = [0; 8];
    file.read_at(16, &mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_BUNDLE_LIST_BYTES {
        return fail(Code::CheckpointLimit, format!("The list of files has {length} bytes, which is too many."));
    }
    let list = file.bytes(24, length as usize)?;
    let mut parts: Vec<Part> = serde_json::from_slice(&list)
        .map_err(|error| Error::new(Code::CheckpointCorrupt, format!("The list of files is damaged: {error}.")))?;
    if parts.len() > MAX_SHARDS + 1 {
        return fail(Code::CheckpointLimit, format!("There are more than {MAX_SHARDS} files."));
    }
    let mut start = 24 + length;
    for part in &mut parts {
        part.start = start;
        start = start.checked_add(part.bytes).filter(|&end| end <= file.length()).ok_or_else(truncated)?;
    }
    Ok(Some(parts))
}

/// The shards of a bundle as one checkpoint: those of its index, or all of them if there is none.
pub fn open(file: BoundedReader<Box<dyn Source>>, parts: Vec<Part>) -> Result<Box<dyn Checkpoint>> {
    let file = Rc::new(RefCell::new(file));
    let reader = |part: &Part| -> Result<BoundedReader<Box<dyn Source>>> {
        let (start, length) = (part.start, part.bytes);
        BoundedReader::new(Box::new(Window { file: Rc::clone(&file), start, length, position: 0 }))
    };
    let mut index = None;
    let mut shards = Vec::new();
    for part in parts {
        match shards::shard_index(&mut reader(&part)?)? {
            Some(found) if index.is_none() => index = Some(found),
            _ => shards.push(part),
        }
    }
    let named = |name: &String| {
        let part = shards.iter().find(|part| part.name == *name).ok_or_else(|| {
            let text = format!("{name} is missing, which the index names. Drop all files together.");
            Error::new(Code::CheckpointCorrupt, text)
        })?;
        open_single(reader(part)?, &part.name).map_err(|error| error.in_file(&part.name))
    };
    let index = index.unwrap_or_else(|| ShardIndex {
        files: shards.iter().map(|part| part.name.clone()).collect(),
        keys: Vec::new(),
    });
    let opened = index.files.iter().map(named).collect::<Result<_>>()?;
    shards::join(opened, &index)
}

/// A part of a file as a source of its own.
struct Window {
    file: Rc<RefCell<BoundedReader<Box<dyn Source>>>>,
    start: u64,
    length: u64,
    position: u64,
}

impl Read for Window {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.length.saturating_sub(self.position).min(target.len() as u64) as usize;
        let target = target.get_mut(..count).unwrap_or_default();
        let read = self.file.borrow_mut().read_at(self.start + self.position, target);
        read.map_err(|error| io::Error::other(error.message))?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn safetensors(key: &str, value: f32) -> Vec<u8> {
        let header = format!("{{\"{key}\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}}}");
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &value.to_le_bytes()].concat()
    }

    fn bundle(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let entry = |(name, bytes): &(&str, Vec<u8>)| format!("{{\"name\":\"{name}\",\"bytes\":{}}}", bytes.len());
        let list = format!("[{}]", files.iter().map(entry).collect::<Vec<_>>().join(","));
        let mut all = [&MAGIC[..], &(list.len() as u64).to_le_bytes(), list.as_bytes()].concat();
        files.iter().for_each(|(_, bytes)| all.extend(bytes));
        all
    }

    fn opened(bytes: Vec<u8>) -> Result<Vec<(String, f32)>> {
        let mut file = crate::checkpoint::open(Cursor::new(bytes), "bundle")?;
        let dict = file.state_dicts()[0].clone();
        dict.tensors.iter().map(|tensor| Ok((tensor.key.clone(), file.read(tensor)?[0]))).collect()
    }

    #[test]
    fn files_that_come_together_are_one_checkpoint() {
        let (one, two) = (("1.safetensors", safetensors("a", 1.5)), ("2.safetensors", safetensors("b", 2.5)));
        let index = br#"{"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}"#.to_vec();
        let index = ("model.safetensors.index.json", index);
        let wanted = [("a".to_owned(), 1.5), ("b".to_owned(), 2.5)];
        assert_eq!(opened(bundle(&[two.clone(), index.clone(), one.clone()])).unwrap(), wanted);
        assert_eq!(opened(bundle(&[one.clone(), two])).unwrap(), wanted);
        let missing = opened(bundle(&[index, one])).unwrap_err();
        assert!(
            missing.code == Code::CheckpointCorrupt && missing.message.contains("2.safetensors is missing"),
            "{missing}"
        );
    }

    #[test]
    fn a_bundle_that_lies_about_itself_is_refused() {
        let good = bundle(&[("1.safetensors", safetensors("a", 1.5))]);
        for end in 0..good.len() {
            assert!(opened(good[..end].to_vec()).is_err(), "{end}");
        }
        let mut long = good.clone();
        long[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(opened(long).unwrap_err().code, Code::CheckpointLimit);
        let text = r#"[{"name":"a","bytes":18446744073709551615}]"#;
        let over = [&MAGIC[..], &(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
        assert_eq!(opened(over).unwrap_err().code, Code::CheckpointTruncated);
        // A bundle within a bundle is none.
        assert!(opened(bundle(&[("b", good)])).is_err());
    }
}
