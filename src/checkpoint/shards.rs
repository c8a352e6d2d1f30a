//! One state dict in several files: shards, and the index that says which key lies where (`*.index.json`).

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::bytes::{BoundedReader, fail};
use super::{Checkpoint, Container, Source, StateDict, TensorInfo, copies, discover, no_tensors};
use crate::error::{Code, Error, Result};
use crate::limits::{MAX_SHARD_INDEX_BYTES, MAX_SHARDS, NAME_BYTES, TENSORS};
use crate::ordering;

/// Which shard holds which key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardIndex {
    /// The shards' file names, which lie in the index's folder.
    pub files: Vec<String>,
    /// Every key, and the place of its shard among the files.
    pub keys: Vec<(String, usize)>,
}

#[derive(Deserialize)]
struct Json {
    weight_map: BTreeMap<String, String>,
}

/// The index that this file is; `None` if it is no index of shards.
pub fn shard_index<S: Source + ?Sized>(file: &mut BoundedReader<S>) -> Result<Option<ShardIndex>> {
    if file.length() == 0 || file.length() > MAX_SHARD_INDEX_BYTES || file.bytes(0, 1)? != b"{" {
        return Ok(None);
    }
    let bytes = file.bytes(0, file.length() as usize)?;
    let Ok(Json { weight_map }) = serde_json::from_slice(&bytes) else { return Ok(None) };
    drop(bytes);
    if weight_map.len() > TENSORS {
        return fail(Code::CheckpointLimit, format!("The index lists more than {TENSORS} tensors."));
    }
    let mut files: Vec<String> = weight_map.values().cloned().collect();
    ordering::sort_by(&mut files, Ord::cmp);
    files.dedup();
    if files.len() > MAX_SHARDS {
        return fail(Code::CheckpointLimit, format!("The index lists more than {MAX_SHARDS} files."));
    }
    // A name, and no way to another folder.
    let is_name =
        |name: &String| !name.is_empty() && name.len() <= NAME_BYTES && !name.contains(['/', '\\', '\0', ':']);
    if let Some(name) = files.iter().find(|name| !is_name(name) || name.as_str() == ".." || name.as_str() == ".") {
        let shown: String = name.chars().take(80).collect();
        return fail(
            Code::CheckpointCorrupt,
            format!("The index names the file {shown}, which is no name of a file beside it."),
        );
    }
    let places: HashMap<&str, usize> = files.iter().enumerate().map(|(at, file)| (file.as_str(), at)).collect();
    let place = |file: &String| places.get(file.as_str()).copied().unwrap_or(0);
    let keys = weight_map.iter().map(|(key, file)| (key.clone(), place(file))).collect();
    Ok(Some(ShardIndex { files, keys }))
}

/// Shards as one checkpoint, in the index's order.
///
/// `checkpoint-corrupt` if a shard lacks a key that the index promises, or if two shards hold the same key.
pub fn join(parts: Vec<Box<dyn Checkpoint>>, index: &ShardIndex) -> Result<Box<dyn Checkpoint>> {
    let (mut tensors, mut bases) = (Vec::new(), Vec::new());
    let mut holders: HashMap<String, usize> = HashMap::new();
    let mut base = 0;
    for (part, checkpoint) in parts.iter().enumerate() {
        let own = checkpoint.stored();
        bases.push(base);
        let storages = own.iter().map(|tensor| tensor.storage + 1).max().unwrap_or(0);
        for tensor in own {
            if let Some(other) = holders.insert(tensor.key.clone(), part) {
                let text = format!("{} lies in {} and in {}.", tensor.key, name(index, other), name(index, part));
                return Err(Error::new(Code::CheckpointCorrupt, text).with_keys(vec![tensor.key]));
            }
            tensors.push(TensorInfo { storage: base + tensor.storage, ..tensor });
        }
        base += storages;
        if tensors.len() > TENSORS {
            return fail(Code::CheckpointLimit, format!("The files hold more than {TENSORS} tensors."));
        }
    }
    let lacks = |(key, file): &&(String, usize)| holders.get(key) != Some(file);
    let lacking: Vec<&(String, usize)> = index.keys.iter().filter(lacks).collect();
    if let Some((key, file)) = lacking.first() {
        let text = format!(
            "{} of the {} keys of the index are not where it says, such as {key}, which is not in {}. Download the files again.",
            lacking.len(),
            index.keys.len(),
            name(index, *file)
        );
        let keys = lacking.iter().map(|(key, _)| key.clone()).collect();
        return Err(Error::new(Code::CheckpointCorrupt, text).with_keys(keys));
    }
    if tensors.is_empty() {
        return Err(no_tensors());
    }
    let found = discover::networks(StateDict { tensors, ..StateDict::default() });
    let (dicts, set_aside) = copies::choose(found, true);
    Ok(Box::new(Joined { parts, bases, dicts, set_aside, files: index.files.clone() }))
}

fn name(index: &ShardIndex, file: usize) -> &str {
    index.files.get(file).map_or("?", String::as_str)
}

/// Several opened files that hold one state dict.
struct Joined {
    parts: Vec<Box<dyn Checkpoint>>,
    /// The first storage of each part, as the joined tensors count them.
    bases: Vec<usize>,
    dicts: Vec<StateDict>,
    set_aside: Vec<StateDict>,
    files: Vec<String>,
}

impl Joined {
    /// The part that holds a tensor, and the tensor as the part knows it.
    fn locate(&mut self, tensor: &TensorInfo) -> Result<(&mut Box<dyn Checkpoint>, TensorInfo)> {
        let nowhere = || Error::new(Code::Internal, "A tensor refers to no file.");
        let part = self.bases.partition_point(|&base| base <= tensor.storage).checked_sub(1).ok_or_else(nowhere)?;
        let own = TensorInfo { storage: tensor.storage - self.bases[part], ..tensor.clone() };
        Ok((self.parts.get_mut(part).ok_or_else(nowhere)?, own))
    }
}

impl Checkpoint for Joined {
    fn container(&self) -> Container {
        self.parts.first().map_or(Container::Safetensors, |part| part.container())
    }

    fn metadata(&self) -> &[(String, String)] {
        self.parts.first().map_or(&[], |part| part.metadata())
    }

    fn is_plain(&self) -> bool {
        self.parts.iter().all(|part| part.is_plain())
    }

    fn packages(&self) -> &[String] {
        self.parts.iter().map(|part| part.packages()).find(|packages| !packages.is_empty()).unwrap_or(&[])
    }

    fn files(&self) -> &[String] {
        &self.files
    }

    fn state_dicts(&self) -> &[StateDict] {
        &self.dicts
    }

    fn prefer_plain(&mut self) {
        let all = self.dicts.drain(..).chain(self.set_aside.drain(..)).collect();
        (self.dicts, self.set_aside) = copies::choose(all, false);
    }

    fn stored(&self) -> Vec<TensorInfo> {
        self.dicts.iter().chain(&self.set_aside).flat_map(StateDict::stored).collect()
    }

    fn read(&mut self, tensor: &TensorInfo) -> Result<Vec<f32>> {
        let (part, tensor) = self.locate(tensor)?;
        part.read(&tensor)
    }

    fn pieces(&mut self, tensor: &TensorInfo, each: &mut dyn FnMut(&[f32]) -> Result<()>) -> Result<()> {
        let (part, tensor) = self.locate(tensor)?;
        part.pieces(&tensor, each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn index(text: &str) -> Result<Option<ShardIndex>> {
        shard_index(&mut BoundedReader::new(Cursor::new(text.as_bytes().to_vec()))?)
    }

    fn shard(keys: &[(&str, f32)]) -> Box<dyn Checkpoint> {
        let entry = |(at, (key, _)): (usize, &(&str, f32))| {
            format!("\"{key}\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[{},{}]}}", 4 * at, 4 * at + 4)
        };
        let header = format!("{{{}}}", keys.iter().enumerate().map(entry).collect::<Vec<_>>().join(","));
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(keys.iter().flat_map(|(_, value)| value.to_le_bytes()));
        crate::checkpoint::open(Cursor::new(bytes), "part").unwrap()
    }

    const INDEX: &str = r#"{"metadata": {"total_size": 12}, "weight_map": {"model.a.weight": "1.safetensors",
        "model.b.weight": "2.safetensors", "model.b.bias": "2.safetensors"}}"#;

    #[test]
    fn shards_are_one_state_dict() {
        let found = index(INDEX).unwrap().unwrap();
        assert_eq!(found.files, ["1.safetensors", "2.safetensors"]);
        let parts = vec![shard(&[("model.a.weight", 1.5)]), shard(&[("model.b.weight", 2.5), ("model.b.bias", 3.5)])];
        let mut joined = join(parts, &found).unwrap();
        let dict = joined.state_dicts()[0].clone();
        assert_eq!((joined.state_dicts().len(), dict.prefix.as_str(), dict.tensors.len()), (1, "model.", 3));
        let values: Vec<f32> = dict.tensors.iter().map(|tensor| joined.read(tensor).unwrap()[0]).collect();
        assert_eq!(values, [1.5, 2.5, 3.5]);
    }

    #[test]
    fn a_shard_that_lacks_a_key_and_one_that_repeats_one_are_refused() {
        let found = index(INDEX).unwrap().unwrap();
        let first = || shard(&[("model.a.weight", 1.5)]);
        let lacking = join(vec![first(), shard(&[("model.b.weight", 2.5)])], &found).map(drop).unwrap_err();
        assert_eq!((lacking.code, lacking.keys), (Code::CheckpointCorrupt, vec!["model.b.bias".to_owned()]));
        let twice = join(vec![first(), first()], &found).map(drop).unwrap_err();
        assert!(twice.message.contains("lies in 1.safetensors and in 2.safetensors"), "{twice}");
    }

    #[test]
    fn an_index_that_leads_elsewhere_is_refused() {
        for name in ["../x", "/etc/passwd", "a\\\\b", "..", "", "c:x"] {
            let text = format!("{{\"weight_map\": {{\"a\": \"{name}\"}}}}");
            assert_eq!(index(&text).unwrap_err().code, Code::CheckpointCorrupt, "{name}");
        }
        for other in ["{}", "{\"weight_map\": 3}", "[]", "{\"weight_map\": {\"a\": 1}}", "x", ""] {
            assert_eq!(index(other).unwrap(), None, "{other}");
        }
    }
}
