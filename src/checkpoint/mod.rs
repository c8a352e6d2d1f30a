//! Bytes to state dicts: containers (zip, legacy, tar, safetensors, ONNX), pickle as data, wrappers and prefixes.
//!
//! Architecture invariant: nothing here panics, runs code of a file, or allocates from a number that it has not
//! checked against `limits`. There is no tensor maths here beyond decoding a dtype to f32.

mod archive;
mod bundle;
mod bytes;
mod copies;
mod discover;
mod foreign;
pub mod onnx;
mod pickle;
mod safetensors;
mod shards;
mod sniff;
mod tar;
mod tensors;
mod torch;
mod unfolded;
mod unwrap;
mod zip;

use std::io::{Read, Seek};

use crate::error::{Code, Error, Result};
use crate::limits::CHECKPOINT_BYTES;
use bytes::BoundedReader;
pub use discover::strip;
pub use shards::ShardIndex;
pub use unwrap::{WRAPPERS, Wrapped, rewrapped, unwrapped};

/// Opens a checkpoint: decides by its bytes what it is, reads its structure, leaves its tensors where they are.
///
/// Errors carry `name`; their codes begin with `checkpoint-`.
pub fn open<S: Source + 'static>(source: S, name: &str) -> Result<Box<dyn Checkpoint>> {
    open_source(Box::new(source), name).map_err(|error| error.in_file(name))
}

/// The index of shards that a file is, such as `model.safetensors.index.json`; `None` if it is something else.
pub fn shard_index<S: Source>(source: S, name: &str) -> Result<Option<ShardIndex>> {
    let index = BoundedReader::new(source).and_then(|mut file| shards::shard_index(&mut file));
    index.map_err(|error| error.in_file(name))
}

/// Shards, opened in the index's order, as one checkpoint; `checkpoint-corrupt` if they are not those of the index.
pub fn join(parts: Vec<Box<dyn Checkpoint>>, index: &ShardIndex, name: &str) -> Result<Box<dyn Checkpoint>> {
    shards::join(parts, index).map_err(|error| error.in_file(name))
}

fn open_source(source: Box<dyn Source>, name: &str) -> Result<Box<dyn Checkpoint>> {
    let mut file = BoundedReader::new(source)?;
    match bundle::parts(&mut file)? {
        Some(parts) => bundle::open(file, parts),
        None => open_single(file, name),
    }
}

fn open_single(mut file: BoundedReader<Box<dyn Source>>, name: &str) -> Result<Box<dyn Checkpoint>> {
    if file.length() > CHECKPOINT_BYTES {
        let text = format!("The file has {} bytes; infill reads checkpoints up to {CHECKPOINT_BYTES}.", file.length());
        return Err(Error::new(Code::CheckpointLimit, text));
    }
    Ok(match sniff::container(&mut file, name)? {
        Container::Zip | Container::TorchScript => Box::new(archive::open(file, name)?),
        Container::Legacy => Box::new(archive::open_legacy(file)?),
        Container::Tar => Box::new(tar::open(file)?),
        Container::Onnx => Box::new(onnx::open(file)?),
        Container::Safetensors => {
            let header = safetensors::open(&mut file)?;
            if header.tensors.is_empty() {
                return Err(no_tensors());
            }
            let dict = StateDict { tensors: header.tensors, ..StateDict::default() };
            let dicts = discover::networks(dict);
            let mut opened = tensors::Opened::new(file, Container::Safetensors, dicts, header.storages);
            opened.metadata = header.metadata;
            Box::new(opened)
        }
    })
}

fn no_tensors() -> Error {
    Error::new(
        Code::CheckpointNoTensors,
        "The file can be read, but it holds no weights. Save the network's state_dict() instead.",
    )
}

/// Random access to a file: natively a `File`, in the worker `Blob.slice` with `FileReaderSync`.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// Which container a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// PyTorch 1.6 and later.
    Zip,
    /// PyTorch before 1.6.
    Legacy,
    /// PyTorch before 0.1.10.
    Tar,
    /// A TorchScript archive.
    TorchScript,
    /// Hugging Face's format.
    Safetensors,
    /// A graph of ONNX with its weights.
    Onnx,
}

impl Container {
    /// The spelling in `inspect --json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Container::Zip => "zip",
            Container::Legacy => "legacy",
            Container::Tar => "tar",
            Container::TorchScript => "torchscript",
            Container::Safetensors => "safetensors",
            Container::Onnx => "onnx",
        }
    }
}

/// Element types as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum DType {
    F64,
    F32,
    F16,
    BF16,
    I64,
    I32,
    I16,
    I8,
    U8,
    Bool,
}

impl DType {
    /// PyTorch's short name (`float32`).
    pub fn as_str(self) -> &'static str {
        match self {
            DType::F64 => "float64",
            DType::F32 => "float32",
            DType::F16 => "float16",
            DType::BF16 => "bfloat16",
            DType::I64 => "int64",
            DType::I32 => "int32",
            DType::I16 => "int16",
            DType::I8 => "int8",
            DType::U8 => "uint8",
            DType::Bool => "bool",
        }
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            DType::F64 | DType::I64 => 8,
            DType::F32 | DType::I32 => 4,
            DType::F16 | DType::BF16 | DType::I16 => 2,
            DType::I8 | DType::U8 | DType::Bool => 1,
        }
    }
}

/// One tensor of a state dict: described, not yet read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Key with wrappers and prefix removed.
    pub key: String,
    /// Shape; empty for 0-d.
    pub shape: Vec<usize>,
    /// Strides in elements.
    pub stride: Vec<usize>,
    /// Element type as stored.
    pub dtype: DType,
    /// Index of its storage in the checkpoint's table.
    pub storage: usize,
    /// First element within the storage.
    pub offset: usize,
}

#[cfg(test)]
impl TensorInfo {
    /// One that only its key and shape matter of.
    pub(crate) fn named(key: impl Into<String>, shape: &[usize]) -> Self {
        let stride = vec![1; shape.len()];
        Self { key: key.into(), shape: shape.to_vec(), stride, dtype: DType::F32, storage: 0, offset: 0 }
    }
}

/// A dict of tensors found in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateDict {
    /// The wrapper keys it lay under, outermost first, such as `["generator"]`.
    pub wrapper: Vec<String>,
    /// The prefix stripped from every key, such as `module.`; empty if none.
    pub prefix: String,
    /// The tensors in file order.
    pub tensors: Vec<TensorInfo>,
    /// `_metadata`: every module's path and version, also of modules without parameters; empty if absent.
    pub modules: Vec<(String, i64)>,
    /// Keys beside the state dict in its wrapper that hold no tensors, such as `iteration`.
    pub siblings: Vec<String>,
    /// Whether a whole module was pickled, which has a `state_dict()` of its own.
    pub is_module: bool,
    /// The norms of the exported graph whose weights these are; others may be folded into its convolutions. `None` elsewhere.
    pub graph_norms: Option<onnx::GraphNorms>,
    /// Wrappers within the keys that are left out, such as `_orig_mod`; see [`unwrapped`].
    pub inner: Vec<String>,
    /// The other copy of the same network, averaged or plain, which is not taken.
    pub other_copy: Option<Box<OtherCopy>>,
}

impl StateDict {
    /// Its tensors under the keys as they are stored.
    fn stored(&self) -> impl Iterator<Item = TensorInfo> {
        self.tensors.iter().map(|t| TensorInfo { key: format!("{}{}", self.prefix, t.key), ..t.clone() })
    }
}

/// A copy of a network that lies beside another one and is not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherCopy {
    /// The wrapper keys it lies under.
    pub wrapper: Vec<String>,
    /// The prefix of its keys.
    pub prefix: String,
    /// Whether it is the averaged one (EMA).
    pub is_averaged: bool,
    /// Keys that the averaged copy lacks, so that it is not the one taken.
    pub lacks: Vec<String>,
}

/// An opened file: its structure is read, its tensors are not.
pub trait Checkpoint {
    /// The container.
    fn container(&self) -> Container;
    /// safetensors `__metadata__`, sorted; empty elsewhere.
    fn metadata(&self) -> &[(String, String)];
    /// Whether a pickle names only what `torch.load(file, weights_only=True)` reads; false for other containers.
    fn is_plain(&self) -> bool;
    /// The Python packages beside PyTorch whose classes a pickle names, a few of them.
    fn packages(&self) -> &[String];
    /// The files that hold it, where it is one of several shards; empty for a single file.
    fn files(&self) -> &[String] {
        &[]
    }
    /// Every tensor of the file, under its key as it is stored, without what wraps the dicts.
    fn stored(&self) -> Vec<TensorInfo>;
    /// All state dicts found, in file order; at least one. Of a network and its averaged copy (EMA) one is among them.
    fn state_dicts(&self) -> &[StateDict];
    /// From now on takes the plain weights where an averaged copy of them lies beside.
    fn prefer_plain(&mut self);
    /// The graph of an ONNX file; `None` elsewhere.
    fn graph(&self) -> Option<&onnx::Graph> {
        None
    }
    /// One tensor's values as contiguous f32, in its shape's row-major order, read straight from the file.
    ///
    /// `checkpoint-limit` if all tensors together unfold to far more than the file's length: none of them is read then.
    fn read(&mut self, tensor: &TensorInfo) -> Result<Vec<f32>>;
    /// The same values in pieces, in order, for whoever needs no copy of the whole. They count only if the call succeeds:
    /// whether a zip entry is intact is known at its end.
    fn pieces(&mut self, tensor: &TensorInfo, each: &mut dyn FnMut(&[f32]) -> Result<()>) -> Result<()>;
}
