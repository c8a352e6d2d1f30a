//! Weights as a safetensors file ([format](https://github.com/huggingface/safetensors#format)), written as they are read.

use std::io::Write;

use serde_json::{Map, Value, json};

use super::{Exported, put};
use crate::engine::WeightSource;
use crate::error::{Code, Error, Result};
use crate::network::{Parameter, ParameterKind};
use crate::tensor::element_count;

/// Bytes that a counter takes, an int64.
const COUNTER_BYTES: usize = 8;

/// Writes every entry of the network's `state_dict()`; counters, which `eval()` never reads, are 0.
pub fn write(exported: &Exported<'_>, source: &mut dyn WeightSource, out: &mut dyn Write) -> Result<()> {
    let mut all = exported.network.parameters();
    // The widest first, so that every tensor is aligned.
    all.sort_by_key(|parameter| parameter.kind != ParameterKind::Counter);
    put(out, &header(exported, &all)?)?;
    for parameter in &all {
        match parameter.kind {
            ParameterKind::Counter => put(out, &[0; COUNTER_BYTES])?,
            _ => values(parameter, exported.is_half, source, out)?,
        }
    }
    Ok(())
}

/// How many values a parameter has.
fn count(parameter: &Parameter) -> Result<usize> {
    let text = || Error::new(Code::Internal, format!("{} is too large.", parameter.key));
    element_count(&parameter.shape).ok_or_else(text)
}

fn header(exported: &Exported<'_>, all: &[Parameter]) -> Result<Vec<u8>> {
    let mut entries = Map::new();
    entries.insert("__metadata__".to_owned(), json!({"format": "pt", "network": exported.name}));
    let mut begin = 0;
    for parameter in all {
        let (dtype, size) = match (parameter.kind, exported.is_half) {
            (ParameterKind::Counter, _) => ("I64", COUNTER_BYTES),
            (_, true) => ("F16", 2),
            (_, false) => ("F32", 4),
        };
        let end = begin + size * count(parameter)?;
        let entry = json!({"dtype": dtype, "shape": parameter.shape, "data_offsets": [begin, end]});
        entries.insert(parameter.key.clone(), entry);
        begin = end;
    }
    let mut text = Value::Object(entries).to_string().into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    Ok([&(text.len() as u64).to_le_bytes()[..], &text].concat())
}

fn values(parameter: &Parameter, is_half: bool, source: &mut dyn WeightSource, out: &mut dyn Write) -> Result<()> {
    let mut done = 0;
    source.pieces(&parameter.key, &mut |piece| {
        done += piece.len();
        put(out, &if is_half { halves(&parameter.key, piece)? } else { floats(piece) })
    })?;
    if done == count(parameter)? {
        return Ok(());
    }
    let text = format!("{} has {done} values, not those of {:?}.", parameter.key, parameter.shape);
    Err(Error::new(Code::Internal, text))
}

/// Little-endian f32.
pub fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn halves(key: &str, values: &[f32]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(2 * values.len());
    for &value in values {
        let half = half::f16::from_f32(value);
        if !half.is_finite() {
            let text = format!("{key} holds {value}, which is too large for 16 bits: write it without --half.");
            return Err(Error::new(Code::WeightsNotFinite, text).with_keys(vec![key.to_owned()]));
        }
        bytes.extend(half.to_le_bytes());
    }
    Ok(bytes)
}
