//! What `__init__` registers: the keys and shapes of the class's `state_dict()`, and the lines that made them.

use std::collections::HashSet;
use std::rc::Rc;

use super::super::parser::Module;
use super::super::value::{Id, Kind, Value};
use super::{Budget, Constructor, Run};
use crate::error::Result;
use crate::limits::{MAX_CLASS_ITEMS, MAX_CLASS_STEPS};
use crate::network::ParameterKind;

/// One parameter or persistent buffer of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredKey {
    /// Its key.
    pub key: String,
    /// PyTorch's shape; empty for a scalar.
    pub shape: Vec<usize>,
    /// Whether it only counts training steps, so that a file may lack it.
    pub is_counter: bool,
    /// The line of the call that made its layer; 0 if it belongs to none.
    pub line: usize,
}

/// What an instance of the class registers; its `forward` is not followed.
pub fn registered(
    module: &Module,
    root: usize,
    constructor: &Constructor<'_>,
    budget: &mut Budget,
) -> Result<Vec<RegisteredKey>> {
    let left = MAX_CLASS_STEPS.min(budget.left);
    let mut run = Run::new(module, left);
    let outcome = run.made(root, constructor).and_then(|id| run.state_dict(id, module.classes[root].line));
    budget.left -= left - run.left;
    outcome
}

impl Run<'_> {
    /// Every parameter and buffer of the modules below the root.
    pub(super) fn state_dict(&mut self, root: Id, line: usize) -> Result<Vec<RegisteredKey>> {
        let mut list = Vec::new();
        let mut next = vec![(root, String::new())];
        let mut seen: HashSet<(Id, String)> = HashSet::new();
        while let Some((id, path)) = next.pop() {
            if !seen.insert((id, path.clone())) || seen.len() > MAX_CLASS_ITEMS {
                continue;
            }
            let below = |name: &str| {
                if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
            };
            let made = self.lines.get(&id).copied().unwrap_or(0);
            if let Kind::Layer(op, _) = &self.heap.modules[id.0].kind {
                list.extend(op.parameters().into_iter().map(|spec| RegisteredKey {
                    key: below(spec.name),
                    shape: spec.shape,
                    is_counter: spec.kind == ParameterKind::Counter,
                    line: made,
                }));
            }
            let attributes: Vec<(Rc<str>, Value)> = self.heap.modules[id.0].attributes().to_vec();
            self.spend(1 + attributes.len(), line)?;
            let mut children = Vec::new();
            for (name, value) in attributes {
                match value {
                    Value::Module(child) if !matches!(self.heap.modules[child.0].kind, Kind::Object) => {
                        children.push((child, below(&name)));
                    }
                    Value::Tensor(tensor) if self.heap.storages[self.tensor(tensor).storage.0].owner.is_some() => {
                        let shape = self.tensor(tensor).shape.sides().to_vec();
                        list.push(RegisteredKey { key: below(&name), shape, is_counter: false, line: made });
                    }
                    _ => {}
                }
            }
            // The first one is taken next, so that the keys come in `state_dict()`'s order.
            next.extend(children.into_iter().rev());
        }
        Ok(list)
    }
}
