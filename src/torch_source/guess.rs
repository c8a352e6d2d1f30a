//! Constructor arguments without defaults, where the checkpoint's shapes decide them.

use std::collections::BTreeMap;

use super::at;
use super::interpret::{self, Budget, Constructor, Followed};
use super::parser::{Module, Takes};
use crate::error::Result;
use crate::limits::{MAX_CLASS_GUESSES, MAX_GUESSED_ARGUMENTS};
use crate::network::{ParameterKind, Shape};

/// Keys and shapes of a checkpoint.
pub type File<'a> = &'a [(String, Vec<usize>)];

/// The arguments of a class's `__init__` that have no default, by name.
pub fn required(module: &Module, class: usize) -> Vec<String> {
    let own = module.classes[class].lineage.iter();
    let init = own.into_iter().find_map(|&class| module.classes[class].functions.get("__init__"));
    let needed = init.into_iter().flat_map(|init| init.parameters.iter().skip(1));
    let needed = needed.filter(|p| p.default.is_none() && matches!(p.takes, Takes::One | Takes::Named));
    needed.map(|parameter| parameter.name.clone()).collect()
}

/// The network with the only numbers for its arguments that give the file's keys and shapes; `None` if there are none, an
/// error if there are several.
pub fn guessed(
    module: &Module,
    class: usize,
    inputs: &[Shape],
    returned: Option<usize>,
    file: File<'_>,
    budget: &mut Budget,
) -> Result<Option<Followed>> {
    let names = required(module, class);
    if names.is_empty() || names.len() > MAX_GUESSED_ARGUMENTS || file.is_empty() {
        return Ok(None);
    }
    let lists: Vec<Vec<i64>> = names.iter().map(|name| candidates(name, inputs, file)).collect();
    let mut found: Option<(String, Followed)> = None;
    for trial in 0..lists.iter().map(Vec::len).product::<usize>().min(MAX_CLASS_GUESSES) {
        let mut rest = trial;
        // The last argument changes first.
        let mut numbers = Vec::new();
        for (name, list) in names.iter().zip(&lists).rev() {
            numbers.push((name.clone(), list[rest % list.len()]));
            rest /= list.len();
        }
        numbers.reverse();
        let constructor = Constructor::Guessed(&numbers);
        let Ok(followed) = interpret::network(module, class, &constructor, inputs, returned, budget) else {
            continue;
        };
        if !fits(&followed, file) {
            continue;
        }
        let shown: Vec<String> = numbers.iter().map(|(name, number)| format!("{name}={number}")).collect();
        let shown = shown.join(", ");
        match &found {
            Some((before, other)) if other.network != followed.network => {
                let class = &module.classes[class];
                let text = format!(
                    "the weights leave open whether this is {0}({before}) or {0}({shown}): say it, as in \
                     --class-args '{0}({before})'",
                    class.name
                );
                return at(class.line, text);
            }
            Some(_) => {}
            None => found = Some((shown, followed)),
        }
    }
    Ok(found.map(|(_, followed)| followed))
}

/// What an argument may be: what its name says first, then the sides of the file's weights, the most frequent ones first.
fn candidates(name: &str, inputs: &[Shape], file: File<'_>) -> Vec<i64> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for (_, shape) in file.iter().filter(|(_, shape)| shape.len() > 1) {
        shape.iter().take(2).for_each(|&side| *counts.entry(side).or_default() += 1);
    }
    let mut sides: Vec<(usize, usize)> = counts.into_iter().map(|(side, count)| (count, side)).collect();
    sides.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let given: usize = inputs.iter().map(Shape::channels).sum();
    let first = match name {
        _ if name.contains("out") => vec![3, 1],
        _ if name.contains("in") => vec![given, 3, 4],
        _ => Vec::new(),
    };
    let small = [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 32, 64];
    let all = first.into_iter().chain(sides.into_iter().map(|(_, side)| side).take(12)).chain(small);
    let mut list: Vec<i64> = Vec::new();
    for side in all.filter_map(|side| i64::try_from(side).ok()) {
        if !list.contains(&side) {
            list.push(side);
        }
    }
    list
}

/// Whether every parameter is in the file, and every tensor of the file is a parameter, by key and shape.
fn fits(followed: &Followed, file: File<'_>) -> bool {
    let is_counter = |key: &str| key.ends_with("num_batches_tracked");
    let own = followed.network.parameters().into_iter().filter(|parameter| parameter.kind != ParameterKind::Counter);
    let own = own.map(|parameter| (parameter.key, parameter.shape));
    let unused = followed.unused.iter().filter(|(key, _)| !is_counter(key)).cloned();
    let own: Vec<(String, Vec<usize>)> = own.chain(unused).collect();
    // A file may spell a prefix more, or less.
    let is_same = |a: &str, b: &str| a == b || a.ends_with(&format!(".{b}")) || b.ends_with(&format!(".{a}"));
    let plain = |key: &str| key.strip_suffix("_orig").unwrap_or(key).to_owned();
    let in_file = |(key, shape): &(String, Vec<usize>)| {
        file.iter().any(|(other, found)| shape == found && is_same(key, &plain(other)))
    };
    let weights = file.iter().filter(|(key, shape)| shape.len() > 1 && !is_counter(key));
    let known = |(key, _): &(String, Vec<usize>)| own.iter().any(|(other, _)| is_same(other, &plain(key)));
    !own.is_empty() && own.iter().all(in_file) && weights.into_iter().all(known)
}
