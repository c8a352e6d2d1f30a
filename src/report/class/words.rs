//! The sentences of a class's report.

use super::{Edited, KeyFault};
use crate::checkpoint::{Checkpoint, StateDict};
use crate::models::identify::{KeyDiff, Match};
use crate::models::names::as_stored;
use crate::models::relative;
use crate::sentences::article;
use crate::torch_source::{Argument, Described, Description};

/// Keys at fault that a sentence is made of.
const TELLING: usize = 3;

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

pub fn waits(class: &Described) -> String {
    format!("{} can be followed. Drop the weights that belong to it.", class.name)
}

pub fn waits_to_ask(class: &Described) -> String {
    let names: Vec<String> = class.asked().map(|argument| argument.name.clone()).collect();
    format!(
        "{} is made with {}, which the paste does not say. Drop the weights: their shapes may.",
        class.name,
        listed(&names)
    )
}

pub fn asks(class: &Described, file: &str) -> String {
    let names: Vec<String> = class.asked().map(|argument| argument.name.clone()).collect();
    format!("{} is made with {}, which neither the paste nor {file} says.", class.name, listed(&names))
}

pub fn fits(class: &Described, file: &str, diff: &KeyDiff) -> String {
    let keys = plural(diff.wanted, "key");
    match diff.unexpected.len() {
        0 => format!("{} fits {file}: all {keys} and their shapes.", class.name),
        left => format!(
            "{} fits {file}: all {keys} and their shapes. {} of the file are left out.",
            class.name,
            plural(left, "key")
        ),
    }
}

/// How it was made, where the weights said so.
pub fn made(class: &Described) -> Option<String> {
    let given = |argument: &Argument| Some(format!("{}={}", argument.name, argument.given.as_ref()?));
    let given: Vec<String> = class.arguments.iter().filter_map(given).collect();
    (!given.is_empty()).then(|| format!("It is made as {}({}).", class.name, given.join(", ")))
}

pub fn returned(description: &Description) -> Option<String> {
    let all = &description.returned;
    (all.len() > 1).then(|| {
        let taken = &all[description.taken];
        format!(
            "forward returns {}; {} of shape {:?} is taken as the picture.",
            plural(all.len(), "tensor"),
            taken.place,
            taken.shape
        )
    })
}

pub fn fits_unread(class: &Described, file: &str) -> String {
    format!("The keys and shapes of {file} are those of {}; only what is named above is not followed.", class.name)
}

pub fn nearly(class: &Described, file: &str, edit: &Edited) -> String {
    let lines =
        edit.lines.iter().filter(|line| line.comes).count().max(edit.lines.iter().filter(|line| !line.comes).count());
    format!("{} nearly fits {file}: change {}.", class.name, plural(lines, "line"))
}

pub fn leaves_out(class: &Described, file: &str, diff: &KeyDiff) -> String {
    format!(
        "{} nearly fits {file}: all {} are there, and {} more that the class has not. Without them it runs as it is \
         written; what they held is not used.",
        class.name,
        plural(diff.wanted, "key"),
        diff.unexpected.len()
    )
}

pub fn other(class: &Described, file: &str, diff: &KeyDiff) -> String {
    format!("{file} does not belong to {}: {} of its {} fit.", class.name, diff.fitting, plural(diff.wanted, "key"))
}

/// What the first keys of another shape say.
pub fn why(faults: &[KeyFault]) -> Vec<String> {
    let told = faults.iter().filter_map(|fault| {
        let (expected, found) = (fault.expected.as_ref()?, fault.found.as_ref()?);
        let place = if fault.place.is_empty() { String::new() } else { format!(" ({})", fault.place) };
        Some(format!("{} is {found:?} in the file and {expected:?} in the class{place}.", fault.key))
    });
    told.take(TELLING).collect()
}

/// What missing keys would cost.
pub fn hint(diff: &KeyDiff) -> Option<String> {
    (!diff.missing.is_empty()).then(|| {
        format!(
            "strict=False would hide this and leave {} of the class with random values.",
            plural(diff.missing.len(), "tensor")
        )
    })
}

pub fn instead(file: &str, known: &Match) -> String {
    format!("{file} is {}. {}", article(&known.model.name), known.why)
}

/// What is seen in a file that no known network explains.
pub fn unknown(checkpoint: &dyn Checkpoint) -> Vec<String> {
    let dicts = checkpoint.state_dicts();
    let first = |dict: &StateDict| as_stored(dict).tensors.iter().take(4).map(|t| t.key.clone()).collect::<Vec<_>>();
    let keys: Vec<String> = dicts.iter().take(4).flat_map(first).take(4).collect();
    let mut told = vec![format!("Its keys begin with {}.", keys.join(", "))];
    told.extend(dicts.iter().find_map(relative).map(|relative| relative.told()));
    told
}
