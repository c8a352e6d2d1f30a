//! `TensorProto`: a tensor of a graph, its values left where they lie unless they are few.

use std::sync::Arc;

use super::super::bytes::fail;
use super::super::tensors::{Place, Storage, contiguous_stride};
use super::super::{DType, Source, TensorInfo};
use super::wire::{Field, Span, Wire, corrupt, message, number};
use super::{GraphTensor, Numbers};
use crate::error::{Code, Error, Result};
use crate::limits::{ONNX_HELD_VALUES, ONNX_KNOWN_VALUES, TENSOR_DIMENSIONS, TENSOR_ELEMENTS};
use crate::tensor::element_count;

/// Most values of a stored float tensor that are known without reading its weights: per-channel numbers, not kernels.
const KNOWN_WEIGHTS: usize = 1024;

/// The storages of a file, and how many values are held beside them.
#[derive(Default)]
pub struct Storages {
    /// By index, as [`TensorInfo::storage`] names them.
    pub list: Vec<Storage>,
    held: usize,
}

impl Storages {
    fn hold(&mut self, count: usize) -> Result<()> {
        self.held = self.held.saturating_add(count);
        if self.held > ONNX_HELD_VALUES {
            let text = format!(
                "More than {ONNX_HELD_VALUES} numbers are no plain bytes. Save the model with onnx.save once more."
            );
            return fail(Code::CheckpointLimit, text);
        }
        Ok(())
    }
}

/// The fields of a `TensorProto`.
#[derive(Default)]
struct Fields {
    name: String,
    dims: Vec<i64>,
    data_type: i64,
    /// `raw_data`, or packed `float_data` or `double_data`, with the size of an element.
    plain: Option<(Span, Option<u64>)>,
    /// `int32_data`, `int64_data` or `uint64_data`.
    whole: Vec<i64>,
    /// `float_data` that is not packed.
    floats: Vec<f32>,
    /// The other file that the values lie in.
    external: Option<String>,
}

/// How a `data_type` is stored.
enum Type {
    Known(DType),
    /// Whole numbers that no network's weights are stored as: their size in bytes.
    Unsigned(usize),
}

fn of_type(data_type: i64, key: &str) -> Result<Type> {
    let known = match data_type {
        1 => DType::F32,
        2 => DType::U8,
        3 => DType::I8,
        5 => DType::I16,
        6 => DType::I32,
        7 => DType::I64,
        9 => DType::Bool,
        10 => DType::F16,
        11 => DType::F64,
        16 => DType::BF16,
        4 => return Ok(Type::Unsigned(2)),
        12 => return Ok(Type::Unsigned(4)),
        13 => return Ok(Type::Unsigned(8)),
        other => {
            let name = match other {
                8 => "strings",
                14 | 15 => "complex numbers",
                17..=20 => "float8",
                21 | 22 => "4-bit numbers",
                _ => "an unknown type",
            };
            let text =
                format!("{key} is stored as {name}, which infill does not read. Export it in float32 or float16.");
            return Err(Error::new(Code::CheckpointDtype, text).with_keys(vec![key.to_owned()]));
        }
    };
    Ok(Type::Known(known))
}

fn is_float(dtype: DType) -> bool {
    matches!(dtype, DType::F64 | DType::F32 | DType::F16 | DType::BF16)
}

/// Numbers of a repeated field, packed or one by one.
fn repeated<S: Source>(wire: &mut Wire<'_, S>, field: Field, most: usize, list: &mut Vec<i64>) -> Result<()> {
    match field {
        Field::Varint(value) => list.push(value as i64),
        Field::Bytes(mut span) => {
            while span.length() > 0 && list.len() <= most {
                list.push(wire.varint(&mut span)? as i64);
            }
        }
        _ => return corrupt("a list of whole numbers holds something else"),
    }
    match list.len() <= most {
        true => Ok(()),
        false => fail(Code::CheckpointLimit, format!("A list has more than {most} numbers.")),
    }
}

/// The same for attributes.
pub fn whole_numbers<S: Source>(wire: &mut Wire<'_, S>, field: Field, most: usize, to: &mut Vec<i64>) -> Result<()> {
    repeated(wire, field, most, to)
}

/// Floats of a repeated field, packed or one by one.
pub fn floats<S: Source>(wire: &mut Wire<'_, S>, field: Field, most: usize, list: &mut Vec<f32>) -> Result<()> {
    match field {
        Field::Fixed32(bits) => list.push(f32::from_bits(bits)),
        Field::Bytes(span) if span.length() <= 4 * most as u64 => {
            let bytes = wire.bytes(span)?;
            list.extend(bytes.chunks_exact(4).map(|raw| f32::from_le_bytes([raw[0], raw[1], raw[2], raw[3]])));
        }
        _ => return corrupt("a list of floats holds something else, or too much"),
    }
    match list.len() <= most {
        true => Ok(()),
        false => fail(Code::CheckpointLimit, format!("A list has more than {most} numbers.")),
    }
}

/// The `location` of external data: a `StringStringEntryProto`.
fn location<S: Source>(wire: &mut Wire<'_, S>, field: Field) -> Result<Option<String>> {
    let (mut span, mut pair) = (message(field)?, [String::new(), String::new()]);
    while let Some((tag, field)) = wire.field(&mut span)? {
        if let Some(part) = (tag as usize).checked_sub(1).and_then(|index| pair.get_mut(index)) {
            *part = wire.name(field)?;
        }
    }
    let [key, value] = pair;
    Ok((key == "location").then_some(value))
}

fn fields<S: Source>(wire: &mut Wire<'_, S>, mut span: Span) -> Result<Fields> {
    let mut read = Fields::default();
    while let Some((tag, field)) = wire.field(&mut span)? {
        match tag {
            1 => repeated(wire, field, TENSOR_DIMENSIONS, &mut read.dims)?,
            2 => read.data_type = number(field)?,
            4 => match field {
                Field::Bytes(span) => read.plain = Some((span, Some(4))),
                _ => floats(wire, field, ONNX_HELD_VALUES, &mut read.floats)?,
            },
            5 | 7 | 11 => repeated(wire, field, ONNX_HELD_VALUES, &mut read.whole)?,
            8 => read.name = wire.name(field)?,
            9 => read.plain = Some((message(field)?, None)),
            10 => read.plain = Some((message(field)?, Some(8))),
            13 => read.external = location(wire, field)?.or(read.external),
            14 if number(field)? == 1 => read.external = read.external.or(Some(String::new())),
            _ => {}
        }
    }
    Ok(read)
}

fn wrong(key: &str, text: &str) -> Error {
    Error::new(Code::CheckpointTensor, format!("{key}: {text}")).with_keys(vec![key.to_owned()])
}

/// The sides as they can be held.
fn shape(dims: &[i64], key: &str) -> Result<(Vec<usize>, usize)> {
    let sides: Option<Vec<usize>> = dims.iter().map(|&side| usize::try_from(side).ok()).collect();
    let sides = sides.ok_or_else(|| wrong(key, &format!("its shape {dims:?} has a negative side.")))?;
    let count = element_count(&sides).filter(|&count| count <= TENSOR_ELEMENTS);
    let count = count.ok_or_else(|| wrong(key, &format!("its shape {dims:?} is too large.")))?;
    Ok((sides, count))
}

fn elsewhere(key: &str, file: &str) -> Error {
    let place = if file.is_empty() { "another file".to_owned() } else { format!("another file, {file}") };
    let text = format!(
        "The weights lie in {place} ({key}), and infill reads one file. Export with external_data=False, or join them: \
         onnx.save(onnx.load(\"model.onnx\"), \"one.onnx\")."
    );
    Error::new(Code::CheckpointNoTensors, text).with_keys(vec![key.to_owned()])
}

/// Whole numbers of so many bytes each.
fn whole_of(bytes: &[u8], size: usize, is_signed: bool) -> Vec<i64> {
    let one = |raw: &[u8]| {
        let fill = if is_signed && raw.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
        let mut wide = [fill; 8];
        wide[..raw.len()].copy_from_slice(raw);
        i64::from_le_bytes(wide)
    };
    bytes.chunks_exact(size).map(one).collect()
}

fn floats_of(bytes: &[u8], dtype: DType) -> Vec<f32> {
    let mut values = Vec::new();
    super::super::tensors::decode(bytes, dtype, false, &mut values);
    values
}

/// What a tensor's type and shape say.
struct Layout {
    dtype: DType,
    /// Bytes of an element.
    size: usize,
    is_float: bool,
    /// Whether small whole numbers may be below zero.
    is_signed: bool,
    /// Whether no network's weights are stored so.
    is_odd: bool,
    sides: Vec<usize>,
    count: usize,
}

impl Layout {
    fn of(read: &Fields) -> Result<Self> {
        let (sides, count) = shape(&read.dims, &read.name)?;
        let (dtype, size, is_odd) = match of_type(read.data_type, &read.name)? {
            Type::Known(dtype) => (dtype, dtype.size(), false),
            Type::Unsigned(size) => (DType::I64, size, true),
        };
        let is_signed = matches!(read.data_type, 3 | 5 | 6 | 7);
        Ok(Self { dtype, size, is_float: is_float(dtype), is_signed, is_odd, sides, count })
    }

    /// Bytes of all elements.
    fn bytes(&self) -> u64 {
        self.count as u64 * self.size as u64
    }

    fn numbers(&self, bytes: &[u8]) -> Numbers {
        match self.is_float {
            true => Numbers::Floats(floats_of(bytes, self.dtype)),
            false => Numbers::Ints(whole_of(bytes, self.size, self.is_signed)),
        }
    }
}

/// Reads a tensor. `given` names one that has no name of its own; `is_constant` says that the graph computes with it.
pub fn read<S: Source>(
    wire: &mut Wire<'_, S>,
    span: Span,
    given: &str,
    is_constant: bool,
    storages: &mut Storages,
) -> Result<GraphTensor> {
    let mut read = fields(wire, span)?;
    if read.name.is_empty() || is_constant {
        read.name = given.to_owned();
    }
    if let Some(file) = &read.external {
        return Err(elsewhere(&read.name, file));
    }
    storages.hold(read.floats.len())?;
    let layout = Layout::of(&read)?;
    let most = if layout.is_float && !is_constant { KNOWN_WEIGHTS } else { ONNX_KNOWN_VALUES };
    let is_few = layout.count <= most;
    let (numbers, storage, dtype) = match read.plain {
        Some((span, element)) => {
            if element.is_some_and(|size| size != layout.size as u64) || span.length() != layout.bytes() {
                return Err(wrong(&read.name, "its shape and type do not give as many bytes as it has."));
            }
            if is_few {
                storages.hold(layout.count)?;
            }
            let numbers = if is_few { Some(layout.numbers(&wire.bytes(span)?)) } else { None };
            (numbers, Storage::new(Place::At(span.at), layout.bytes()), layout.dtype)
        }
        None => {
            let values = listed(&mut read, &layout)?;
            storages.hold(layout.count)?;
            let held = held(&values);
            (is_few.then_some(values), held, DType::F32)
        }
    };
    if layout.is_odd && numbers.is_none() {
        return Err(wrong(&read.name, "it holds many unsigned numbers, which are no weights."));
    }
    storages.list.push(storage);
    let (stride, storage) = (contiguous_stride(&layout.sides), storages.list.len() - 1);
    let info = TensorInfo { key: read.name, shape: layout.sides, stride, dtype, storage, offset: 0 };
    Ok(GraphTensor { info, numbers: numbers.map(Arc::new), is_float: layout.is_float, is_weight: false })
}

/// Numbers kept in memory, as f32.
fn held(values: &Numbers) -> Storage {
    let floats: Vec<f32> = match values {
        Numbers::Floats(values) => values.clone(),
        Numbers::Ints(values) => values.iter().map(|&value| value as f32).collect(),
    };
    let bytes: Vec<u8> = floats.iter().flat_map(|value| value.to_le_bytes()).collect();
    let length = bytes.len() as u64;
    Storage::new(Place::Held(bytes.into()), length)
}

/// The values that are written one by one.
fn listed(read: &mut Fields, layout: &Layout) -> Result<Numbers> {
    let whole = std::mem::take(&mut read.whole);
    let values = match (layout.is_float, read.floats.is_empty()) {
        (true, false) => Numbers::Floats(std::mem::take(&mut read.floats)),
        // Half floats are listed as the numbers that their bits make.
        (true, true) => {
            let bytes: Vec<u8> = whole.iter().flat_map(|&bits| (bits as u16).to_le_bytes()).collect();
            match layout.dtype {
                DType::F16 | DType::BF16 => Numbers::Floats(floats_of(&bytes, layout.dtype)),
                _ => Numbers::Floats(Vec::new()),
            }
        }
        (false, _) => Numbers::Ints(whole),
    };
    if values.len() != layout.count {
        let text = format!("it has {} values, but its shape asks for {}.", values.len(), layout.count);
        return Err(wrong(&read.name, &text));
    }
    Ok(values)
}
