//! What PyTorch's pickles mean: storages by persistent id, tensors by `torch._utils._rebuild_*`.

use std::collections::HashMap;

use super::bytes::fail;
use super::pickle::{Heap, Id, Value};
use super::tensors::Storage;
use super::{DType, TensorInfo};
use crate::error::{Code, Error, Result};
use crate::limits::{KEY_BYTES, TENSOR_DIMENSIONS, TENSORS};

/// Turns a storage's key, dtype and element count into a place in the file.
pub type Locate<'a> = &'a mut dyn FnMut(&str, DType, u64) -> Result<Storage>;

/// The tensors of one pickle, as they are found.
pub struct Tensors<'a> {
    /// The pickle's values.
    pub heap: &'a Heap,
    /// Storages by key, located once.
    pub storages: Vec<Storage>,
    /// Tensors that the pickle refers to by persistent id (tar checkpoints).
    pub named: HashMap<String, TensorInfo>,
    by_key: HashMap<String, usize>,
    locate: Locate<'a>,
    found: usize,
    key_bytes: usize,
}

/// What a value is to a state dict.
pub enum Kind {
    /// A tensor, or the error of one that is broken or of a kind that is not read.
    Tensor(Result<TensorInfo>),
    /// Anything else.
    Other,
}

impl<'a> Tensors<'a> {
    /// Reads tensors out of `heap`; storages are located by `locate`.
    pub fn new(heap: &'a Heap, locate: Locate<'a>) -> Self {
        Self {
            heap,
            storages: Vec::new(),
            named: HashMap::new(),
            by_key: HashMap::new(),
            locate,
            found: 0,
            key_bytes: 0,
        }
    }

    /// Counts the bytes of a key or path that is kept; false when the file's are used up.
    pub fn keeps(&mut self, text: &str) -> bool {
        self.key_bytes += text.len();
        self.key_bytes <= KEY_BYTES
    }

    /// Whether the value is a tensor by its constructor, without reading it.
    pub fn is_tensor(&self, id: Id) -> bool {
        self.rebuild(id).is_some() || self.by_name(id).is_some()
    }

    /// The tensor that a persistent id names.
    fn by_name(&self, id: Id) -> Option<&TensorInfo> {
        let Value::Persistent(name) = *self.heap.get(id) else { return None };
        self.named.get(&storage_key(self.heap, name)?)
    }

    /// The rebuild function's name and its arguments.
    fn rebuild(&self, id: Id) -> Option<(&'a str, &'a [Id])> {
        let Value::Object { callable, args, .. } = self.heap.get(id) else { return None };
        let name = self.heap.global(*callable)?;
        let short = name.rsplit('.').next().unwrap_or(name);
        let known = (name.starts_with("torch._utils._rebuild") || name.starts_with("torch._tensor._rebuild"))
            && !matches!(short, "_rebuild_device_tensor_from_numpy");
        let args = self.heap.sequence(*args).unwrap_or_default();
        known.then_some((short, args))
    }

    /// Reads the value as a tensor under this key.
    pub fn read(&mut self, id: Id, key: &str) -> Kind {
        if !self.is_tensor(id) {
            return Kind::Other;
        }
        Kind::Tensor(self.tensor(id, key).map_err(|e| {
            if e.keys.is_empty() {
                Error { message: format!("{key}: {}", e.message), ..e }.with_keys(vec![key.to_owned()])
            } else {
                e
            }
        }))
    }

    fn tensor(&mut self, mut id: Id, key: &str) -> Result<TensorInfo> {
        // A parameter wraps a tensor; few levels, so that a cycle ends.
        for _ in 0..4 {
            if let Some(info) = self.by_name(id).cloned() {
                return self.kept(TensorInfo { key: key.to_owned(), ..info });
            }
            let Some((name, args)) = self.rebuild(id) else { break };
            match name {
                "_rebuild_parameter" | "_rebuild_parameter_with_state" => id = *args.first().ok_or_else(arguments)?,
                "_rebuild_from_type_v2" => return self.of_type(args, key),
                "_rebuild_tensor" if args.len() == 4 => return self.dense(args, None, key),
                "_rebuild_tensor_v2" if (6..=7).contains(&args.len()) => return self.dense(args, None, key),
                "_rebuild_tensor_v3" if (7..=8).contains(&args.len()) => {
                    let dtype = self.heap.global(args[6]).ok_or_else(arguments)?;
                    return self.dense(args, Some(dtype), key);
                }
                "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3" => return Err(arguments()),
                other => {
                    let kind = match other {
                        "_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor" => "a sparse tensor",
                        "_rebuild_qtensor" => "a quantised tensor",
                        "_rebuild_meta_tensor_no_storage" => "a meta tensor without values",
                        _ => other,
                    };
                    return fail(
                        Code::CheckpointDtype,
                        format!("this is {kind}, which infill does not read. Save it dense, as float32."),
                    );
                }
            }
        }
        Err(arguments())
    }

    /// `_rebuild_from_type_v2(func, type, args, state)`: the inner call.
    fn of_type(&mut self, args: &[Id], key: &str) -> Result<TensorInfo> {
        let (&func, &inner) = (args.first().ok_or_else(arguments)?, args.get(2).ok_or_else(arguments)?);
        let name = self.heap.global(func).and_then(|name| name.rsplit('.').next()).unwrap_or_default();
        let inner = self.heap.sequence(inner).ok_or_else(arguments)?;
        match (name, inner.len()) {
            ("_rebuild_tensor", 4) | ("_rebuild_tensor_v2", 6..=7) => self.dense(inner, None, key),
            ("_rebuild_tensor_v3", 7..=8) => self.dense(inner, self.heap.global(inner[6]), key),
            ("_rebuild_parameter" | "_rebuild_parameter_with_state", 1..) => self.tensor(inner[0], key),
            _ => Err(arguments()),
        }
    }

    /// `(storage, offset, size, stride, ...)`.
    fn dense(&mut self, args: &[Id], dtype: Option<&str>, key: &str) -> Result<TensorInfo> {
        let heap = self.heap;
        let sizes = |id: Id| -> Option<Vec<usize>> {
            let list = heap.sequence(id).filter(|list| list.len() <= TENSOR_DIMENSIONS)?;
            list.iter().map(|&n| heap.size(n)).collect()
        };
        let offset = heap.size(args[1]).ok_or_else(arguments)?;
        let shape = sizes(args[2]).ok_or_else(arguments)?;
        let stride = sizes(args[3]).ok_or_else(arguments)?;
        if shape.len() != stride.len() {
            return Err(arguments());
        }
        let (storage, dtype, view) = self.storage(args[0], dtype)?;
        let offset = offset.checked_add(view).ok_or_else(arguments)?;
        let info = TensorInfo { key: key.to_owned(), shape, stride, dtype, storage, offset };
        super::tensors::check(&info, self.storages[storage].bytes)?;
        self.kept(info)
    }

    /// The tensor, if there is room for one more.
    fn kept(&mut self, info: TensorInfo) -> Result<TensorInfo> {
        self.found += 1;
        if self.found > TENSORS {
            return fail(Code::CheckpointLimit, format!("The file holds more than {TENSORS} tensors."));
        }
        if !self.keeps(&info.key) {
            return fail(Code::CheckpointLimit, format!("The file's keys take more than {KEY_BYTES} bytes."));
        }
        Ok(info)
    }

    /// `('storage', torch.FloatStorage, key, location, numel[, view])`.
    fn storage(&mut self, id: Id, dtype: Option<&str>) -> Result<(usize, DType, usize)> {
        let Value::Persistent(tuple) = *self.heap.get(id) else { return Err(arguments()) };
        let parts = self.heap.sequence(tuple).ok_or_else(arguments)?;
        let &[kind, class, key, _, numel, ref rest @ ..] = parts else { return Err(arguments()) };
        if self.heap.str(kind) != Some("storage") {
            return Err(arguments());
        }
        let class = self.heap.global(class).ok_or_else(arguments)?;
        let untyped = class.ends_with("UntypedStorage");
        let dtype = match dtype {
            Some(name) => by_dtype(name)?,
            None => by_class(class)?,
        };
        let numel = self.heap.size(numel).ok_or_else(arguments)? as u64;
        let key = storage_key(self.heap, key).ok_or_else(arguments)?;
        // A view of a root storage, in old legacy files: (key, offset, size).
        let view = match rest.first().map(|&view| self.heap.sequence(view)) {
            Some(Some(view)) => view.get(1).and_then(|&n| self.heap.size(n)).ok_or_else(arguments)?,
            _ => 0,
        };
        let index = match self.by_key.get(&key) {
            Some(&index) => index,
            None => {
                let unit = if untyped { DType::U8 } else { dtype };
                let storage = (self.locate)(&key, unit, numel)?;
                self.storages.push(storage);
                self.by_key.insert(key, self.storages.len() - 1);
                self.storages.len() - 1
            }
        };
        Ok((index, dtype, view))
    }
}

fn arguments() -> Error {
    Error::new(
        Code::CheckpointPickle,
        "the tensor is described in a way that PyTorch never writes. The file is damaged or was made to harm.",
    )
}

/// The element type of a storage's class.
pub fn by_class(class: &str) -> Result<DType> {
    let name = class.rsplit('.').next().unwrap_or(class);
    Ok(match name.strip_suffix("Storage").unwrap_or(name) {
        "Double" => DType::F64,
        "Float" => DType::F32,
        "Half" => DType::F16,
        "BFloat16" => DType::BF16,
        "Long" => DType::I64,
        "Int" => DType::I32,
        "Short" => DType::I16,
        "Char" => DType::I8,
        "Byte" | "Untyped" => DType::U8,
        "Bool" => DType::Bool,
        other => return unsupported(other),
    })
}

fn by_dtype(name: &str) -> Result<DType> {
    Ok(match name.strip_prefix("torch.").unwrap_or(name) {
        "float64" | "double" => DType::F64,
        "float32" | "float" => DType::F32,
        "float16" | "half" => DType::F16,
        "bfloat16" => DType::BF16,
        "int64" | "long" => DType::I64,
        "int32" | "int" => DType::I32,
        "int16" | "short" => DType::I16,
        "int8" => DType::I8,
        "uint8" => DType::U8,
        "bool" => DType::Bool,
        other => return unsupported(other),
    })
}

fn unsupported(name: &str) -> Result<DType> {
    fail(
        Code::CheckpointDtype,
        format!("it is stored as {name}, which infill does not read. Convert it to float32 or float16."),
    )
}

/// A storage's key: a string, or an int in very old files.
pub fn storage_key(heap: &Heap, id: Id) -> Option<String> {
    match heap.get(id) {
        Value::Str(text) => Some(text.to_string()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Every storage that a pickle refers to, by key: its element count, and its element type or why that is not read.
pub fn storages(heap: &Heap) -> HashMap<String, (u64, Result<DType>)> {
    let mut found = HashMap::new();
    // A pickle names one storage a million times for four bytes each: only the first is kept.
    let mut seen = std::collections::HashSet::new();
    for tuple in heap.persistent() {
        let Some(&[kind, class, key, _, numel, ..]) = heap.sequence(tuple) else { continue };
        if heap.str(kind) != Some("storage") || !seen.insert((key, class)) {
            continue;
        }
        let (Some(class), Some(numel)) = (heap.global(class), heap.size(numel)) else { continue };
        if let Some(key) = storage_key(heap, key).filter(|key| !found.contains_key(key)) {
            found.insert(key, (numel as u64, by_class(class)));
        }
    }
    found
}

/// Whether PyTorch reads this class or function with `weights_only=True`: those that every state dict is made of.
pub fn is_plain(name: &str) -> bool {
    const PLAIN: [&str; 10] = [
        "collections.OrderedDict",
        "collections.Counter",
        "torch.Size",
        "torch.device",
        "torch._utils._rebuild_tensor",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter",
        "torch.nn.parameter.Parameter",
        "torch._tensor._rebuild_from_type_v2",
        "_codecs.encode",
    ];
    let is_storage =
        name.strip_prefix("torch.").is_some_and(|class| class.ends_with("Storage") && !class.contains('.'));
    PLAIN.contains(&name) || is_storage || by_dtype(name).is_ok()
}

/// Whether PyTorch reads a pickle with `weights_only=True`, and the Python packages beside PyTorch that loading it takes
/// otherwise, a few of them.
pub fn needs(heap: &Heap) -> (bool, Vec<String>) {
    const MOST: usize = 6;
    const COMMON: [&str; 19] = [
        "torch",
        "collections",
        "builtins",
        "__builtin__",
        "_codecs",
        "numpy",
        "argparse",
        "pathlib",
        "copyreg",
        "copy_reg",
        "datetime",
        "functools",
        "enum",
        "types",
        "decimal",
        "random",
        "re",
        "uuid",
        "typing",
    ];
    let mut packages: Vec<String> = Vec::new();
    for name in heap.globals() {
        let package = name.split('.').next().unwrap_or(name);
        let is_new = !COMMON.contains(&package) && !packages.iter().any(|known| known == package);
        if is_new && packages.len() < MOST && package.len() <= 64 {
            packages.push(package.to_owned());
        }
    }
    (heap.globals().all(is_plain), packages)
}
