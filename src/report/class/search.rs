//! The smallest edit of a paste after which the class is the file's: edits are tried one after another, and what is offered
//! has been read again as a whole and fits completely.

use serde::Serialize;

use super::{Beside, ByKeys, DiffLine, diff};
use crate::limits::{MAX_CLASS_EDIT_BYTES, MAX_CLASS_EDITS, MAX_CLASS_EDITS_TRIED};
use crate::models::identify::KeyDiff;
use crate::models::pasted;
use crate::network::Shape;
use crate::torch_source::edits::{Edit, EditKind, Faults, beside, edits};
use crate::torch_source::{self, Described, Options, RegisteredKey, notebook};

/// Most edits of one effect that are held against each other.
const MOST_ALIKE: usize = 8;

/// A paste that fits once it is edited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edited {
    /// The lines that go and come.
    pub lines: Vec<DiffLine>,
    /// The whole paste with them.
    pub source: String,
}

/// A paste on its way to fit.
#[derive(Clone)]
struct Attempt {
    source: String,
    keys: Vec<RegisteredKey>,
    diff: KeyDiff,
    /// How far its keys are from the file's.
    distance: usize,
}

/// What is tried.
pub struct Search<'a> {
    beside: &'a Beside<'a>,
    found: &'a ByKeys,
    name: &'a str,
    /// Sources, and bytes of them, that may still be read.
    trials: usize,
    bytes: usize,
}

impl<'a> Search<'a> {
    /// For the class that fits best.
    pub fn new(beside: &'a Beside<'a>, found: &'a ByKeys) -> Self {
        let name = beside.classes[found.class].name.as_str();
        Self { beside, found, name, trials: MAX_CLASS_EDITS_TRIED, bytes: MAX_CLASS_EDIT_BYTES }
    }

    /// The edit, if a small one makes the class fit.
    pub fn run(mut self) -> Option<Edited> {
        let before = self.beside.pasted.source;
        let mut attempt = self.attempt(before.to_owned())?;
        let mut kernels: Vec<(Edit, i64)> = Vec::new();
        for _ in 0..MAX_CLASS_EDITS {
            if attempt.diff.is_empty() {
                break;
            }
            let faults = self.faults(&attempt);
            let (edit, next) = self.step(&attempt, &faults)?;
            kernels.extend(kernel(&edit, &attempt, &next));
            attempt = next;
        }
        if !attempt.diff.is_empty() {
            return None;
        }
        let shape = self.shape(before);
        let source = match (self.shape(&attempt.source), shape) {
            (None, _) => return None,
            (Some(after), Some(before)) if after == before || kernels.is_empty() => attempt.source,
            // Nothing says how large its picture was, so nothing says which padding belongs to another kernel.
            (Some(_), None) if !kernels.is_empty() => return None,
            (Some(_), None) => attempt.source,
            (Some(_), Some(before)) => self.padded(&attempt, kernels.pop().filter(|_| kernels.is_empty())?, before)?,
        };
        let lines = diff::changed(before, &source).into_iter();
        let line = |(line, comes, text)| DiffLine { place: notebook::place(before, line), comes, text };
        Some(Edited { lines: lines.map(line).collect(), source })
    }

    /// The edit after which the class is nearest to the file; `None` if none brings it nearer, or if it is left open which
    /// of several layers is the one that the file has not.
    fn step(&mut self, attempt: &Attempt, faults: &Faults) -> Option<(Edit, Attempt)> {
        let mut best: Vec<(Edit, Attempt)> = Vec::new();
        for edit in edits(&attempt.source, faults).ok()? {
            let Some(next) = self.attempt(edit.apply(&attempt.source)) else { continue };
            let least = best.first().map_or(attempt.distance, |(_, best)| best.distance);
            match next.distance.cmp(&least) {
                std::cmp::Ordering::Less => best = vec![(edit, next)],
                std::cmp::Ordering::Equal if !best.is_empty() => best.push((edit, next)),
                _ => {}
            }
        }
        let is_removal = |edit: &Edit| matches!(edit.kind, EditKind::Removed { .. });
        let is_neutral = |edit: &Edit| edit.kind == EditKind::Removed { is_neutral: true };
        let removals = best.iter().filter(|(edit, _)| is_removal(edit)).count();
        if removals > 1 {
            // What does nothing may go; which of several others is meant, the file does not say.
            best.retain(|(edit, _)| !is_removal(edit) || is_neutral(edit));
        }
        let mut best = best.into_iter();
        let (edit, next) = best.next()?;
        // Two edits that give the same keys and do not compute the same: the file does not say which.
        let alike = best.take(MOST_ALIKE).filter(|(_, other)| other.keys == next.keys);
        for (_, other) in alike {
            if !self.same_work(&next.source, &other.source) {
                return None;
            }
        }
        Some((edit, next))
    }

    /// Whether a class computes the same in two pastes.
    fn same_work(&self, a: &str, b: &str) -> bool {
        let nodes = |source: &str| {
            let class = self.described(source)?;
            let network = class.network.ok()?.network;
            Some(network.nodes.into_iter().map(|node| (node.op, node.inputs, node.keys)).collect::<Vec<_>>())
        };
        let nodes = (nodes(a), nodes(b));
        matches!(nodes, (Some(a), Some(b)) if a == b)
    }

    /// The class in a paste, as far as it can be followed.
    fn described(&self, source: &str) -> Option<Described> {
        let edited = pasted::Pasted { source, ..*self.beside.pasted };
        let file = pasted::shapes_of(self.beside.checkpoint);
        let classes = pasted::described(&edited, &file).ok()?;
        classes.into_iter().find(|class| class.name == self.name)
    }

    /// A paste, as far as its class is from the file; `None` if its `__init__` cannot be followed, or nothing may be tried
    /// any more.
    fn attempt(&mut self, source: String) -> Option<Attempt> {
        self.trials = self.trials.checked_sub(1)?;
        self.bytes = self.bytes.checked_sub(source.len())?;
        let options = Options { class_args: self.beside.pasted.class_args, ..Options::default() };
        let all = torch_source::registered(&source, options).ok()?;
        let keys = all.into_iter().find(|class| class.name == self.name)?.keys.ok()?;
        let diff = self.beside.compared(&keys, &self.found.fit);
        let distance = distance(&diff);
        Some(Attempt { source, keys, diff, distance })
    }

    fn faults(&self, attempt: &Attempt) -> Faults {
        let own = |key: &String| attempt.keys.iter().find(|own| own.key == *key).cloned();
        let view = self.found.fit.names.view(&self.beside.checkpoint.state_dicts()[self.found.fit.dict]);
        let stored = |key: &String| {
            let tensor = view.tensors.iter().find(|tensor| tensor.key == *key)?;
            Some((key.clone(), tensor.shape.clone()))
        };
        let diff = &attempt.diff;
        let in_file = view.tensors.iter().map(|tensor| tensor.key.as_str());
        Faults {
            missing: diff.missing.iter().filter_map(own).collect(),
            unexpected: diff.unexpected.iter().filter_map(stored).collect(),
            mismatched: diff.mismatched.iter().filter_map(|m| Some((own(&m.key)?, m.found.clone()))).collect(),
            more: more(attempt.keys.iter().map(|own| own.key.as_str()), in_file),
        }
    }

    /// The shape of the class's picture, if it fits as a whole and can be followed.
    fn shape(&self, source: &str) -> Option<Shape> {
        let description = self.described(source)?.network.ok()?;
        if source != self.beside.pasted.source {
            let fit = crate::models::for_class::fit(self.beside.checkpoint, &description)?;
            if !fit.diff.is_empty() {
                return None;
            }
        }
        Some(description.returned[description.taken].shape)
    }

    /// The same with padding changed beside a kernel, so that the picture is as large as it was.
    fn padded(&mut self, attempt: &Attempt, (edit, grown): (Edit, i64), wanted: Shape) -> Option<String> {
        if grown % 2 != 0 {
            return None;
        }
        let mut found = None;
        for padding in beside(&attempt.source, &edit, grown / 2).ok()? {
            let Some(next) = self.attempt(padding.apply(&attempt.source)) else { continue };
            if next.diff.is_empty() && self.shape(&next.source) == Some(wanted) {
                // Two ways are one too many.
                if found.is_some() {
                    return None;
                }
                found = Some(next.source);
            }
        }
        found
    }
}

/// How far a class is from a file.
fn distance(diff: &KeyDiff) -> usize {
    let differing = |m: &crate::models::identify::Mismatch| match m.expected.len() == m.found.len() {
        true => m.expected.iter().zip(&m.found).filter(|(a, b)| a != b).count(),
        false => 4,
    };
    8 * (diff.missing.len() + diff.unexpected.len()) + diff.mismatched.iter().map(differing).sum::<usize>()
}

/// If an edit gave a layer another kernel: the edit, and by how much the kernel grew.
fn kernel(edit: &Edit, before: &Attempt, after: &Attempt) -> Option<(Edit, i64)> {
    if edit.kind != EditKind::Number {
        return None;
    }
    let mut grown = None;
    for own in &after.keys {
        let Some(old) = before.keys.iter().find(|old| old.key == own.key) else { continue };
        if own.shape.len() == 4 && old.shape.len() == 4 && own.shape[2..] != old.shape[2..] {
            grown = Some(own.shape[2] as i64 - old.shape[2] as i64);
        }
    }
    grown.map(|grown| (edit.clone(), grown))
}

/// By how much the largest number at the same place of a key differs.
fn more<'k>(own: impl Iterator<Item = &'k str>, file: impl Iterator<Item = &'k str>) -> Vec<i64> {
    use std::collections::HashMap;
    fn largest<'k>(keys: impl Iterator<Item = &'k str>) -> HashMap<&'k str, i64> {
        let mut largest = HashMap::new();
        for key in keys {
            let mut start = 0;
            for part in key.split('.') {
                if let Ok(number) = part.parse::<u32>() {
                    let before = largest.entry(&key[..start]).or_insert(-1);
                    *before = i64::from(number).max(*before);
                }
                start += part.len() + 1;
            }
        }
        largest
    }
    let (own, file) = (largest(own), largest(file));
    let mut list: Vec<i64> = own.iter().filter_map(|(head, own)| Some(file.get(head)? - own)).collect();
    list.retain(|more| *more != 0);
    list.sort_unstable();
    list.dedup();
    list.truncate(8);
    list
}
