//! Which tensors a class's `forward` takes, where nobody says: their number, their channels, and a side.

use super::interpret::{self, Budget};
use super::parser::Takes;
use super::{Described, Options, Source};
use crate::network::Shape;

/// Sides that are tried, the most common first. Some networks halve their input nine times.
const SIDES: [usize; 5] = [256, 512, 128, 64, 1024];
/// Most tensors that a `forward` is given.
const MAX_INPUTS: usize = 4;

/// What somebody says of a network's inputs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// The channels of each; guessed if `None`.
    pub channels: Option<&'a [usize]>,
    /// The side of the pictures, pixels; the first that the class takes if `None`.
    pub side: Option<usize>,
}

/// The class on the first inputs that it takes; if it takes none, the error that the likeliest inputs end in.
pub(super) fn described(
    read: &Source,
    class: usize,
    given: &Given<'_>,
    options: &Options<'_>,
    budget: &mut Budget,
) -> Described {
    let sides: &[usize] = given.side.as_ref().map_or(&SIDES, std::slice::from_ref);
    let all = match given.channels {
        Some(channels) => vec![channels.to_vec()],
        None => likely(read, class, options, budget),
    };
    let mut first: Option<Described> = None;
    for channels in &all {
        for &side in sides {
            let shapes: Vec<Shape> = channels.iter().map(|&channels| Shape::image(channels, side, side)).collect();
            let described = read.describe(class, &shapes, options, budget);
            if described.network.is_ok() {
                return described;
            }
            first.get_or_insert(described);
            if budget.is_spent() {
                break;
            }
        }
        // Other channels do not give what nobody has said.
        if first.as_ref().is_some_and(|first| first.asked().next().is_some()) {
            break;
        }
    }
    first.unwrap_or_else(|| read.describe(class, &[Shape::image(3, SIDES[0], SIDES[0])], options, budget))
}

/// Channels of the inputs, the likeliest first.
fn likely(read: &Source, class: usize, options: &Options<'_>, budget: &mut Budget) -> Vec<Vec<usize>> {
    let own = &read.module.classes[class].lineage;
    let forward = own.iter().find_map(|&class| read.module.classes[class].functions.get("forward"));
    let parameters = forward.map_or(&[][..], |forward| forward.parameters.get(1..).unwrap_or_default());
    let inputs = || parameters.iter().filter(|parameter| parameter.takes == Takes::One);
    let required = inputs().filter(|parameter| parameter.default.is_none()).count().max(1);
    let all = inputs().count().clamp(required, MAX_INPUTS.max(required));
    let first = first_channels(read, class, options, budget);
    let mut list: Vec<Vec<usize>> = Vec::new();
    for count in required..=all {
        for channels in split(count, first) {
            if !list.contains(&channels) {
                list.push(channels);
            }
        }
    }
    list
}

/// What the first layer's weights take: of the class as it is made, or of the file.
fn first_channels(read: &Source, class: usize, options: &Options<'_>, budget: &mut Budget) -> usize {
    let own = interpret::registered(&read.module, class, &read.constructor(class), budget);
    let own = own.ok().and_then(|keys| keys.into_iter().map(|key| key.shape).find(|shape| shape.len() == 4));
    let in_file = || options.file.iter().map(|(_, shape)| shape.clone()).find(|shape| shape.len() == 4);
    own.or_else(in_file).map_or(3, |shape| shape[1])
}

/// Ways in which this many tensors may have the channels that the first layer takes, and common ones.
fn split(count: usize, first: usize) -> Vec<Vec<usize>> {
    let rest = |given: usize| first.saturating_sub(given).max(1);
    match count {
        1 => [first, 3, 4, 1, 2, 5, 6].map(|channels| vec![channels]).to_vec(),
        2 => {
            let half = (first / 2).max(1);
            [[rest(1), 1], [half, half], [first, 1], [first, first], [3, 1], [3, 3], [1, 1], [3, 2]]
                .map(|pair| pair.to_vec())
                .to_vec()
        }
        3 => {
            let third = (first / 3).max(1);
            [[rest(2), 1, 1], [third, third, third], [first, 1, 1], [3, 1, 1], [3, 3, 1], [3, 3, 3], [1, 1, 1]]
                .map(|three| three.to_vec())
                .to_vec()
        }
        _ => {
            let ones = |head: usize| std::iter::once(head).chain(std::iter::repeat_n(1, count - 1)).collect();
            vec![ones(rest(count - 1)), ones(first), ones(3), vec![3; count], vec![1; count]]
        }
    }
}
