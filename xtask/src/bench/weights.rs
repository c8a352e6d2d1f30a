//! Seeded weights for a network description, as every engine is given them.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use safetensors::{Dtype, tensor::TensorView};
use serde_json::Value;

/// Shape and values by key.
pub type Weights = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// `value` as a string.
pub fn text(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("{value} is no text"))
}

/// `value` as a count.
pub fn number(value: &Value) -> Result<usize> {
    value.as_u64().map(|n| n as usize).with_context(|| format!("{value} is no number"))
}

/// `value` as `[height, width]`.
pub fn pair(value: &Value) -> Result<(usize, usize)> {
    match value.as_array().map(Vec::as_slice) {
        Some([h, w]) => Ok((number(h)?, number(w)?)),
        _ => bail!("{value} is no pair"),
    }
}

/// `value` as a list of numbers.
fn numbers(value: &Value) -> Result<Vec<f32>> {
    let list = value.as_array().with_context(|| format!("{value} is no list"))?;
    list.iter().map(|n| n.as_f64().map(|n| n as f32).with_context(|| format!("{n} is no number"))).collect()
}

/// A small generator (splitmix64), so that every machine gets the same numbers.
pub struct Random(pub u64);

impl Random {
    /// Uniform in `low..high`.
    pub fn uniform(&mut self, low: f32, high: f32) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        low + (high - low) * (((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32)
    }

    /// Uniform values.
    pub fn fill(&mut self, count: usize, low: f32, high: f32) -> Vec<f32> {
        (0..count).map(|_| self.uniform(low, high)).collect()
    }
}

/// Weights of a trained network's kind: He's variance for convolutions, so that activations neither die nor explode,
/// and norms whose statistics and scales differ by channel.
pub fn seeded(network: &Value) -> Result<Weights> {
    let mut random = Random(5);
    let mut all = Weights::new();
    let transposed = |key: &str| -> Result<Option<(usize, usize)>> {
        let nodes = network["nodes"].as_array().context("nodes")?;
        let path = key.strip_suffix(".weight").unwrap_or("");
        let node = nodes.iter().find(|node| node["path"] == path && node["op"] == "ConvTranspose2d");
        node.map(|node| pair(&node["arguments"]["stride"])).transpose()
    };
    let has = |op: &str| network["nodes"].as_array().is_some_and(|nodes| nodes.iter().any(|node| node["op"] == op));
    // Sums grow from block to block, and norms whose statistics are stored do not shrink them.
    let gain = if has("add") && has("BatchNorm2d") { 0.5 } else { 1.0 };
    for parameter in network["parameters"].as_array().context("parameters")? {
        if parameter["kind"] == "counter" {
            continue;
        }
        let key = text(&parameter["key"])?;
        let shape: Vec<usize> =
            parameter["shape"].as_array().context("shape")?.iter().map(number).collect::<Result<_>>()?;
        let count = shape.iter().product();
        let values = match (shape.len(), key.rsplit('.').next().unwrap_or("")) {
            _ if parameter["values"].is_array() => numbers(&parameter["values"])?,
            (4, _) => {
                let fan_in = match transposed(key)? {
                    Some((h, w)) => (shape[0] * shape[2] * shape[3]) as f32 / (h * w) as f32,
                    None => (shape[1] * shape[2] * shape[3]) as f32,
                };
                let bound = gain * (6.0 / fan_in.max(1.0)).sqrt();
                random.fill(count, -bound, bound)
            }
            (_, "running_var") => random.fill(count, 0.5, 1.5),
            (_, "weight") => random.fill(count, 0.7, 1.3),
            _ => random.fill(count, -0.1, 0.1),
        };
        all.insert(key.to_owned(), (shape, values));
    }
    Ok(all)
}

/// The weights as a safetensors file.
pub fn safetensors(weights: &Weights) -> Result<Vec<u8>> {
    let bytes = |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|value| value.to_le_bytes()).collect() };
    let all: Vec<_> = weights.iter().map(|(key, (shape, values))| (key, shape, bytes(values))).collect();
    let views = all.iter().map(|(key, shape, bytes)| Ok((key, TensorView::new(Dtype::F32, shape.to_vec(), bytes)?)));
    Ok(safetensors::serialize(views.collect::<Result<Vec<_>>>()?, None)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn transposed_layers_count_their_inputs_once_a_stride() {
        let network = json!({
            "nodes": [{"path": "d.0", "op": "ConvTranspose2d", "arguments": {"stride": [2, 2]}, "inputs": [0]}],
            "parameters": [
                {"key": "d.0.weight", "shape": [64, 2, 4, 4], "kind": "trained"},
                {"key": "d.0.num_batches_tracked", "shape": [], "kind": "counter"},
                {"key": "blur", "shape": [1, 1, 1, 2], "kind": "trained", "values": [0.25, 0.75]},
            ],
        });
        let weights = seeded(&network).unwrap();
        assert_eq!(weights.len(), 2);
        // What is never trained is not seeded.
        assert_eq!(weights["blur"].1, [0.25, 0.75]);
        let (shape, values) = &weights["d.0.weight"];
        assert_eq!((shape.as_slice(), values.len()), (&[64, 2, 4, 4][..], 2048));
        // 256 inputs reach one output: the bound is sqrt(6 / 256) = 0.153.
        let most = values.iter().fold(0f32, |most, v| most.max(v.abs()));
        assert!((0.14..0.1531).contains(&most), "{most}");
        let file = safetensors(&weights).unwrap();
        assert_eq!(file.len() % 8, 0);
        assert_eq!(file[file.len() - 4..], values[2047].to_le_bytes());
    }
}
