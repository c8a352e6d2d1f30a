//! Constructor arguments without defaults, where the checkpoint's shapes decide them.

use std::collections::{BTreeMap, HashMap};

use super::at;
use super::interpret::{self, Budget, Constructor, Followed, RegisteredKey};
use super::parser::{Module, Takes};
use super::signature;
use crate::error::Result;
use crate::limits::{MAX_CLASS_GUESSES, MAX_GUESSED_ARGUMENTS};
use crate::network::Shape;

/// Keys and shapes of a checkpoint.
pub type File<'a> = &'a [(String, Vec<usize>)];

/// What stored weights end with, in a weight's place.
const STORED_ENDS: [&str; 5] = ["_orig", "_u", "_v", "_g", "_bar"];

/// Numbers for arguments, by name.
pub type Numbers = Vec<(String, i64)>;

/// The arguments of a class's `__init__` that have no default, by name.
pub fn required(module: &Module, class: usize) -> Vec<String> {
    let needed = signature::parameters(module, class).into_iter();
    let needed = needed.filter(|p| p.default.is_none() && matches!(p.takes, Takes::One | Takes::Named));
    needed.map(|parameter| parameter.name.clone()).collect()
}

/// The only numbers for these arguments that give the file's keys and shapes, and the network that they make; `None` if
/// there are none, an error if there are several.
pub fn guessed(
    module: &Module,
    class: usize,
    inputs: &[Shape],
    returned: Option<usize>,
    file: File<'_>,
    budget: &mut Budget,
) -> Result<Option<(Numbers, Followed)>> {
    let names = required(module, class);
    if names.is_empty() || names.len() > MAX_GUESSED_ARGUMENTS || file.is_empty() {
        return Ok(None);
    }
    let fitting = budget.fitting(class, |trials| {
        let lists: Vec<Vec<i64>> = names.iter().map(|name| candidates(name, inputs, file)).collect();
        let stored = Stored::of(file);
        let all = 0..lists.iter().map(Vec::len).product::<usize>().min(MAX_CLASS_GUESSES);
        let fits = |numbers: &Numbers| {
            let own = interpret::registered(module, class, &Constructor::Guessed(numbers), trials);
            own.is_ok_and(|own| stored.fit(&own))
        };
        all.map(|trial| combination(&names, &lists, trial)).filter(fits).collect()
    });
    let mut found: Option<(Numbers, Followed)> = None;
    for numbers in fitting.iter().cloned() {
        let constructor = Constructor::Guessed(&numbers);
        let Ok(followed) = interpret::network(module, class, &constructor, inputs, returned, budget) else { continue };
        match &found {
            Some((before, other)) if other.network != followed.network => {
                let class = &module.classes[class];
                let (before, after) = (spelled(before), spelled(&numbers));
                let text = format!(
                    "the weights leave open whether this is {0}({before}) or {0}({after}): say it, as in --class-args \
                     '{0}({before})'",
                    class.name
                );
                return at(class.line, text);
            }
            Some(_) => {}
            None => found = Some((numbers, followed)),
        }
    }
    Ok(found)
}

/// `ngf=64, depth=8`.
pub fn spelled(numbers: &[(String, i64)]) -> String {
    let shown: Vec<String> = numbers.iter().map(|(name, number)| format!("{name}={number}")).collect();
    shown.join(", ")
}

/// One number for each name; the last one changes first.
fn combination(names: &[String], lists: &[Vec<i64>], trial: usize) -> Numbers {
    let mut rest = trial;
    let mut numbers = Vec::new();
    for (name, list) in names.iter().zip(lists).rev() {
        numbers.push((name.clone(), list[rest % list.len()]));
        rest /= list.len();
    }
    numbers.reverse();
    numbers
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

/// A file's keys, to be looked up: each under the weight that it stores.
struct Stored<'a> {
    /// By the weight's key: the shapes that are stored for it.
    shapes: HashMap<String, Vec<&'a [usize]>>,
    /// Keys of what has more than one side.
    weights: Vec<String>,
}

impl<'a> Stored<'a> {
    fn of(file: File<'a>) -> Self {
        let mut stored = Self { shapes: HashMap::new(), weights: Vec::new() };
        for (key, shape) in file.iter().filter(|(key, _)| !key.ends_with("num_batches_tracked")) {
            let plain = STORED_ENDS.iter().find_map(|end| key.strip_suffix(end)).unwrap_or(key).to_owned();
            stored.shapes.entry(plain.clone()).or_default().push(shape);
            if shape.len() > 1 {
                stored.weights.push(plain);
            }
        }
        stored
    }

    /// Whether every key of the class is in the file, and every weight of the file belongs to the class; either may begin
    /// with something that the other leaves out.
    fn fit(&self, own: &[RegisteredKey]) -> bool {
        let own: Vec<&RegisteredKey> = own.iter().filter(|own| !own.is_counter).collect();
        let Some(first) = own.iter().find(|own| own.shape.len() > 1) else { return false };
        let beside = |key: &String| -> Option<(String, String)> {
            let more = key.strip_suffix(first.key.as_str()).filter(|more| more.is_empty() || more.ends_with('.'));
            let less = first.key.strip_suffix(key.as_str()).filter(|less| less.ends_with('.'));
            more.map(|more| (more.to_owned(), String::new())).or(less.map(|less| (String::new(), less.to_owned())))
        };
        self.weights.iter().filter_map(beside).take(2).any(|(more, less)| self.fit_at(&own, &more, &less))
    }

    /// The same where the file's keys begin with `more`, or the class's with `less`.
    fn fit_at(&self, own: &[&RegisteredKey], more: &str, less: &str) -> bool {
        let spelled = |own: &RegisteredKey| Some(format!("{more}{}", own.key.strip_prefix(less)?));
        let mut keys = std::collections::HashSet::new();
        for own in own {
            let Some(key) = spelled(own) else { return false };
            if !self.shapes.get(&key).is_some_and(|shapes| shapes.contains(&own.shape.as_slice())) {
                return false;
            }
            keys.insert(key);
        }
        self.weights.iter().all(|weight| keys.contains(weight))
    }
}
