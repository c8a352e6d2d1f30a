//! What `forward` returns, and the network that is left of everything that was followed.

use std::collections::HashSet;

use super::super::at;
use super::super::value::{Id, Value};
use super::{Followed, Run};
use crate::error::Result;
use crate::limits::MAX_RETURNED;
use crate::network::{Network, Op, Shape, ValueId};

/// A tensor that `forward` returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Returned {
    /// Where it lies in what is returned: `[1]`, `['image']`; empty if it is all.
    pub place: String,
    /// Its shape.
    pub shape: Shape,
}

impl Run<'_> {
    /// The description of what `forward` returned.
    pub(super) fn finish(
        mut self,
        root: Id,
        value: Value,
        sizes: &[Shape],
        taken: Option<usize>,
        line: usize,
    ) -> Result<Followed> {
        let mut tensors = Vec::new();
        self.collect(&value, String::new(), 0, &mut tensors);
        let returned: Vec<Returned> = tensors
            .iter()
            .map(|(place, id)| Returned { place: place.clone(), shape: self.tensor(*id).shape })
            .collect();
        let taken = match taken {
            None => picture(&returned, sizes),
            Some(taken) if taken < tensors.len() => Some(taken),
            Some(taken) => {
                return at(line, format!("forward returns {} tensors, and there is no number {taken}", tensors.len()));
            }
        };
        let Some(taken) = taken else {
            return at(line, "forward returns no tensor");
        };
        let output = self.read(tensors[taken].1, line)?;
        let unused = self.state_dict(root, line)?.into_iter().map(|own| (own.key, own.shape)).collect::<Vec<_>>();
        let network = pruned(self.network, output);
        let used: HashSet<String> = network.nodes.iter().flat_map(|node| node.keys.iter().cloned()).collect();
        let unused = unused.into_iter().filter(|(key, _)| !used.contains(key)).collect();
        Ok(Followed { network: Network { traced: sizes.to_vec(), ..network }, unused, returned, taken })
    }

    /// The tensors in a value, from first to last.
    fn collect(&self, value: &Value, place: String, depth: usize, found: &mut Vec<(String, Id)>) {
        if depth > 4 || found.len() >= MAX_RETURNED {
            return;
        }
        match value {
            Value::Tensor(id) => found.push((place, *id)),
            Value::List(id) | Value::Tuple(id) => {
                for (index, item) in self.heap.lists[id.0].iter().enumerate() {
                    self.collect(item, format!("{place}[{index}]"), depth + 1, found);
                }
            }
            Value::Dict(id) => {
                for (key, item) in self.heap.dicts[id.0].items() {
                    let key = match key {
                        Value::Text(text) => format!("'{text}'"),
                        Value::Int(number) => number.to_string(),
                        _ => "..".to_owned(),
                    };
                    self.collect(item, format!("{place}[{key}]"), depth + 1, found);
                }
            }
            _ => {}
        }
    }
}

/// Which of several tensors is the picture: the last one of three channels that is as large as the largest; of one or four
/// channels where there is none; of any, as a last resort. `None` if there are none at all.
pub fn picture(returned: &[Returned], sizes: &[Shape]) -> Option<usize> {
    if returned.len() == 1 {
        return Some(0);
    }
    let is_image = |shape: &Shape| shape.sides().len() == 4;
    let pixels = |shape: &Shape| shape.height().saturating_mul(shape.width());
    let like_input = |shape: &Shape| sizes.first().is_some_and(|input| pixels(input) == pixels(shape));
    let images = || returned.iter().enumerate().filter(|(_, one)| is_image(&one.shape));
    let largest = images().map(|(_, one)| pixels(&one.shape)).max()?;
    let fits = |shape: &Shape| pixels(shape) == largest || like_input(shape);
    for channels in [&[3usize][..], &[1, 4]] {
        let mut found = images().filter(|(_, one)| fits(&one.shape) && channels.contains(&one.shape.channels()));
        if let Some((index, _)) = found.next_back() {
            return Some(index);
        }
    }
    images().next().map(|(index, _)| index)
}

/// The network without what its output does not depend on; inputs stay.
pub fn pruned(network: Network, output: ValueId) -> Network {
    let mut needed: Vec<bool> = network.nodes.iter().map(|node| matches!(node.op, Op::Input(_))).collect();
    needed[output.node] = true;
    for index in (0..network.nodes.len()).rev().filter(|&index| index <= output.node) {
        if needed[index] {
            network.nodes[index].inputs.iter().for_each(|input| needed[input.node] = true);
        }
    }
    let mut places = vec![0; network.nodes.len()];
    let mut kept = Network::new();
    for (index, mut node) in network.nodes.into_iter().enumerate().filter(|(index, _)| needed[*index]) {
        places[index] = kept.nodes.len();
        node.inputs.iter_mut().for_each(|input| input.node = places[input.node]);
        kept.nodes.push(node);
    }
    kept.returns(ValueId { node: places[output.node], ..output })
}
