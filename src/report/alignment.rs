//! A file's keys beside a network's, whether or not it is the network they were made for.

use std::collections::HashSet;

use serde::Serialize;

use crate::checkpoint::{Checkpoint, StateDict};
use crate::error::{Code, Error, Result};
use crate::models::identify::align_parts;
use crate::models::{KeyRules, by_id, fold};
use crate::network::{Network, ParameterKind};

/// One row: what the network expects on one side, what the file has on the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Aligned {
    /// The network's key.
    pub key: Option<String>,
    /// Its shape in the network.
    pub expected: Option<Vec<usize>>,
    /// The file's key.
    #[serde(rename = "theirs")]
    pub file_key: Option<String>,
    /// Its shape in the file.
    pub found: Option<Vec<usize>>,
    /// `fits`, `other-shape`, `other-name`, `missing` or `unexpected`.
    pub verdict: &'static str,
}

/// Holds the file's best suited state dict against the network of this id, in the network's order; what the network has
/// not comes last. A missing key stands beside the next unexpected one of the same shape.
pub fn alignment(checkpoint: &dyn Checkpoint, id: &str) -> Result<Vec<Aligned>> {
    let model = by_id(id).ok_or_else(|| Error::new(Code::Usage, format!("There is no model {id}.")))?;
    let dicts = checkpoint.state_dicts().iter().enumerate();
    let matches = dicts.flat_map(|(index, dict)| align_parts(&model, dict, index));
    let best = matches.max_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let best = best.ok_or_else(|| Error::new(Code::CheckpointNoTensors, "The file holds no weights."))?;
    let dict = best.names.view(&checkpoint.state_dicts()[best.dict]);
    let mut rows = rows(&dict, &best.network(), &model.keys);
    // What is not read is no fault.
    rows.retain(|row| row.key.is_some() || row.file_key.as_ref().is_none_or(|key| !best.diff.unread.contains(key)));
    Ok(rows)
}

fn rows(dict: &StateDict, network: &Network, rules: &KeyRules) -> Vec<Aligned> {
    let find = |key: &str| dict.tensors.iter().find(|tensor| tensor.key == key);
    let mut used = HashSet::new();
    let mut rows = Vec::new();
    for parameter in network.parameters() {
        let stored = fold::stored(&parameter.key, &find);
        let tensor = stored.as_ref().and_then(|stored| find(stored.shaped_key()));
        used.extend(stored.iter().flat_map(|stored| stored.keys().to_vec()));
        used.extend(rules.factor(&parameter.key));
        let verdict = match tensor {
            None if parameter.kind == ParameterKind::Counter || rules.fixed_values(&parameter).is_some() => continue,
            None => "missing",
            Some(t) if t.shape == parameter.shape || parameter.kind == ParameterKind::Counter => "fits",
            Some(_) => "other-shape",
        };
        rows.push(Aligned {
            key: Some(parameter.key),
            expected: Some(parameter.shape),
            file_key: tensor.map(|t| t.key.clone()),
            found: tensor.map(|t| t.shape.clone()),
            verdict,
        });
    }
    let mut left = dict.tensors.iter().filter(|tensor| !used.contains(&tensor.key)).peekable();
    for row in rows.iter_mut().filter(|row| row.verdict == "missing") {
        if let Some(tensor) = left.next_if(|tensor| Some(&tensor.shape) == row.expected.as_ref()) {
            (row.file_key, row.found, row.verdict) =
                (Some(tensor.key.clone()), Some(tensor.shape.clone()), "other-name");
        }
    }
    rows.extend(left.map(|tensor| Aligned {
        key: None,
        expected: None,
        file_key: Some(tensor.key.clone()),
        found: Some(tensor.shape.clone()),
        verdict: "unexpected",
    }));
    rows
}
