//! Finds the state dicts in a pickle: peels wrappers and prefixes, walks pickled modules by attribute.

use std::collections::{HashMap, HashSet};

use super::bytes::fail;
use super::pickle::{Heap, Id, Value};
use super::torch::{Kind, Tensors};
use super::{StateDict, TensorInfo, copies, no_tensors};
use crate::error::{Code, Error, Result};
use crate::limits::{MAX_KEY_BEGINNINGS, MAX_MODULE_PATH_BYTES, MAX_WRAPPER_DEPTH, SIBLINGS, STATE_DICTS, TENSORS};
use crate::ordering;

/// Wrapper keys, in the order in which they are preferred.
const WRAPPERS: [&str; 12] = [
    "state_dict",
    "model_state_dict",
    "generator",
    "netG",
    "netG_state_dict",
    "G",
    "G_ema",
    "g_ema",
    "params_ema",
    "params",
    "model",
    "net",
];
/// Prefixes that every key may carry.
const PREFIXES: [&str; 10] = [
    "module.",
    "_orig_mod.",
    "_fsdp_wrapped_module.",
    "_checkpoint_wrapped_module.",
    "generator.",
    "netG.",
    "discriminator.",
    "netD.",
    "model.",
    "online_model.",
];
/// Prefixes that tell one network's keys from another's in one dict.
const NETWORKS: [&str; 6] = ["generator.", "discriminator.", "netG.", "netD.", "G.", "D."];

/// Says what a file without weights holds instead: often the optimiser's half of a training state.
fn no_weights(heap: &Heap, root: Id) -> Error {
    let items = heap.dict(root).unwrap_or_default();
    let mut keys: Vec<&str> = items.iter().filter_map(|&(key, _)| heap.str(key)).take(6).collect();
    keys.retain(|key| key.len() <= 32);
    let is_optimiser = |id: Id| heap.lookup(id, "param_groups").is_some();
    let text = if is_optimiser(root) || items.iter().take(64).any(|&(_, value)| is_optimiser(value)) {
        format!(
            " It is an optimiser's state ({}): take the file with the generator's weights beside it.",
            keys.join(", ")
        )
    } else if keys.is_empty() {
        String::new()
    } else {
        format!(" It holds {}.", keys.join(", "))
    };
    let error = no_tensors();
    Error { message: error.message + &text, ..error }
}

/// The state dicts under `root`, preferred ones first; `checkpoint-no-tensors` if there is none.
pub fn state_dicts(tensors: &mut Tensors<'_>, root: Id) -> Result<Vec<StateDict>> {
    let mut search = Search { found: Vec::new(), visited: HashSet::new() };
    search.descend(tensors, root, &mut Vec::new(), Vec::new())?;
    if search.found.is_empty() {
        return Err(no_weights(tensors.heap, root));
    }
    Ok(search.found.into_iter().flat_map(networks).collect())
}

struct Search {
    found: Vec<StateDict>,
    visited: HashSet<Id>,
}

impl Search {
    fn descend(
        &mut self,
        tensors: &mut Tensors<'_>,
        id: Id,
        wrapper: &mut Vec<String>,
        siblings: Vec<String>,
    ) -> Result<()> {
        if wrapper.len() > MAX_WRAPPER_DEPTH || self.found.len() >= STATE_DICTS || !self.visited.insert(id) {
            return Ok(());
        }
        let heap = tensors.heap;
        match heap.get(id) {
            Value::Dict { items, .. } => self.dict(tensors, id, &unique(heap, items), wrapper, siblings),
            Value::Object { state: Some(_), .. } => {
                let mut dict = StateDict { wrapper: wrapper.clone(), siblings, ..StateDict::default() };
                dict.is_module = true;
                modules(tensors, id, &mut dict)?;
                if !dict.tensors.is_empty() {
                    self.found.push(dict);
                }
                Ok(())
            }
            // `torch.save(x)`, as people keep a single picture or mask.
            _ if wrapper.is_empty() && tensors.is_tensor(id) => {
                if let Kind::Tensor(tensor) = tensors.read(id, "tensor") {
                    self.found.push(StateDict { tensors: vec![tensor?], ..StateDict::default() });
                }
                Ok(())
            }
            Value::Tuple(items) | Value::List(items) => {
                let mut dict = StateDict { wrapper: wrapper.clone(), siblings, ..StateDict::default() };
                for (index, &item) in items.iter().enumerate() {
                    if let Kind::Tensor(tensor) = tensors.read(item, &index.to_string()) {
                        dict.tensors.push(tensor?);
                    }
                }
                if !dict.tensors.is_empty() {
                    self.found.push(dict);
                    return Ok(());
                }
                for (index, &item) in items.iter().enumerate().take(64) {
                    wrapper.push(index.to_string());
                    self.descend(tensors, item, wrapper, Vec::new())?;
                    wrapper.pop();
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn dict(
        &mut self,
        tensors: &mut Tensors<'_>,
        id: Id,
        items: &[(Id, Id)],
        wrapper: &mut Vec<String>,
        siblings: Vec<String>,
    ) -> Result<()> {
        let heap = tensors.heap;
        // An optimiser's state holds tensors too, but they are no weights.
        if heap.lookup(id, "param_groups").is_some() {
            return Ok(());
        }
        let before = self.found.len();
        for (name, child) in children(tensors, items) {
            let beside = items.iter().filter_map(|&(k, _)| heap.str(k)).filter(|k| *k != name);
            let beside = beside.take(SIBLINGS).map(str::to_owned).collect();
            wrapper.push(name.to_owned());
            self.descend(tensors, child, wrapper, beside)?;
            wrapper.pop();
        }
        if self.found.len() == before && items.iter().any(|&(_, value)| tensors.is_tensor(value)) {
            let mut dict = StateDict { wrapper: wrapper.clone(), siblings, ..StateDict::default() };
            read_tensors(tensors, items, &mut dict)?;
            dict.modules = metadata(tensors, id);
            // Tensors under keys that are no names are nobody's weights.
            if !dict.tensors.is_empty() {
                self.found.push(dict);
            }
        }
        Ok(())
    }
}

/// What a dict holds that may hold weights in turn, the usual wrappers first.
fn children<'h>(tensors: &Tensors<'h>, items: &[(Id, Id)]) -> Vec<(&'h str, Id)> {
    let heap = tensors.heap;
    // A dotted key tells a state dict from a training state that also holds, say, its best loss as a tensor.
    let dotted = |id| heap.str(id).is_some_and(|key| key.contains('.'));
    let is_state_dict = items.iter().any(|&(key, value)| dotted(key) && tensors.is_tensor(value));
    let holds = |id| matches!(heap.get(id), Value::Dict { .. } | Value::Object { state: Some(_), .. });
    let mut children: Vec<(usize, &str, Id)> = Vec::new();
    for &(key, value) in items {
        let Some(name) = heap.str(key) else { continue };
        let is_container = holds(value) || matches!(heap.get(value), Value::List(_) | Value::Tuple(_));
        if !is_container || tensors.is_tensor(value) {
            continue;
        }
        let rank = rank(name);
        if !is_state_dict || rank < WRAPPERS.len() {
            children.push((rank, name, value));
        }
    }
    ordering::sort_by_key(&mut children, |&(rank, ..)| rank);
    children.into_iter().map(|(_, name, child)| (name, child)).collect()
}

/// The place of a wrapper among those that are preferred; an averaged copy has that of the plain one.
fn rank(name: &str) -> usize {
    let place = |name: &str| WRAPPERS.iter().position(|wrapper| wrapper.eq_ignore_ascii_case(name));
    let exact = WRAPPERS.iter().position(|wrapper| *wrapper == name);
    exact.or_else(|| place(&copies::plain_name(name)?)).unwrap_or(WRAPPERS.len())
}

/// Adds a dict's own tensors.
fn read_tensors(tensors: &mut Tensors<'_>, items: &[(Id, Id)], dict: &mut StateDict) -> Result<()> {
    for &(key, value) in items {
        let name = match tensors.heap.get(key) {
            Value::Str(name) => name.to_string(),
            Value::Int(number) => number.to_string(),
            _ => continue,
        };
        if let Kind::Tensor(tensor) = tensors.read(value, &name) {
            dict.tensors.push(tensor?);
        }
    }
    Ok(())
}

/// A dict's items as Python would hold them: a key set again keeps its place and takes the new value.
fn unique(heap: &Heap, items: &[(Id, Id)]) -> Vec<(Id, Id)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut list: Vec<(Id, Id)> = Vec::with_capacity(items.len());
    for &(key, value) in items {
        let place = heap.str(key).map_or(list.len(), |name| *places.entry(name).or_insert(list.len()));
        match list.get_mut(place) {
            Some(item) => *item = (key, value),
            None => list.push((key, value)),
        }
    }
    list
}

/// `state_dict()._metadata`: every module and its version, as far as the file's keys leave room.
fn metadata(tensors: &mut Tensors<'_>, dict: Id) -> Vec<(String, i64)> {
    let heap = tensors.heap;
    let Value::Dict { state: Some(state), .. } = heap.get(dict) else { return Vec::new() };
    let entries = heap.lookup(*state, "_metadata").and_then(|id| heap.dict(id)).unwrap_or_default();
    let mut modules = Vec::new();
    for &(path, value) in entries.iter().take(TENSORS) {
        let Some(path) = heap.str(path) else { continue };
        if !tensors.keeps(path) {
            break;
        }
        // A module's own entry is a small dict; a large one would be searched once per module.
        let small = heap.dict(value).is_some_and(|items| items.len() <= 16).then_some(value);
        let version = small.and_then(|value| heap.lookup(value, "version")).and_then(|v| heap.int(v)).unwrap_or(0);
        modules.push((path.to_owned(), version));
    }
    modules
}

/// Whether a value may be a pickled module.
fn module(heap: &Heap, id: Id) -> bool {
    matches!(heap.get(id), Value::Object { state: Some(_), .. })
}

/// A pickled `nn.Module` or a scripted one: its tensors by attribute path, without building anything.
fn modules(tensors: &mut Tensors<'_>, root: Id, dict: &mut StateDict) -> Result<()> {
    let heap = tensors.heap;
    let (mut stack, mut visited) = (vec![(root, String::new(), 0)], HashSet::new());
    while let Some((id, path, depth)) = stack.pop() {
        let Value::Object { state: Some(state), .. } = heap.get(id) else { continue };
        if depth > MAX_WRAPPER_DEPTH || !visited.insert(id) {
            continue;
        }
        // One object may lie under as many names as there are modules.
        if path.len() > MAX_MODULE_PATH_BYTES || dict.modules.len() >= TENSORS || !tensors.keeps(&path) {
            return fail(Code::CheckpointLimit, "The file holds more modules, or longer paths, than any network.");
        }
        dict.modules.push((path.trim_end_matches('.').to_owned(), 1));
        // A state may be a pair (dict, slots).
        let state = heap.sequence(*state).and_then(|parts| parts.first().copied()).unwrap_or(*state);
        let mut children = Vec::new();
        for (key, value) in unique(heap, heap.dict(state).unwrap_or_default()) {
            let Some(name) = heap.str(key) else { continue };
            match name {
                "_parameters" | "_buffers" => {
                    for (key, value) in unique(heap, heap.dict(value).unwrap_or_default()) {
                        let key = format!("{path}{}", heap.str(key).unwrap_or("?"));
                        if let Kind::Tensor(tensor) = tensors.read(value, &key) {
                            dict.tensors.push(tensor?);
                        }
                    }
                }
                "_modules" => {
                    for (key, value) in unique(heap, heap.dict(value).unwrap_or_default()) {
                        if !module(heap, value) {
                            continue;
                        }
                        children.push((value, format!("{path}{}.", heap.str(key).unwrap_or("?")), depth + 1));
                    }
                }
                _ if tensors.is_tensor(value) => {
                    if let Kind::Tensor(tensor) = tensors.read(value, &format!("{path}{name}")) {
                        dict.tensors.push(tensor?);
                    }
                }
                _ if module(heap, value) => children.push((value, format!("{path}{name}."), depth + 1)),
                _ => {}
            }
        }
        stack.extend(children.into_iter().rev());
    }
    Ok(())
}

/// The networks of a dict, each without the prefixes that all of its keys carry.
pub fn networks(dict: StateDict) -> Vec<StateDict> {
    let (mut waiting, mut done) = (vec![dict], Vec::new());
    while let Some(dict) = waiting.pop() {
        let dict = strip(dict);
        if done.len() + waiting.len() >= STATE_DICTS {
            done.push(dict);
            continue;
        }
        let mut parts = split(dict);
        if parts.len() == 1 {
            done.append(&mut parts);
        } else {
            waiting.extend(parts.into_iter().rev());
        }
    }
    done
}

/// A dict that holds several networks' keys side by side (Lightning) becomes one dict per network.
fn split(dict: StateDict) -> Vec<StateDict> {
    let heads = heads(&dict);
    let prefix_of = |key: &str| heads.iter().find(|prefix| key.starts_with(prefix.as_str()));
    let present: Vec<&String> =
        heads.iter().filter(|prefix| dict.tensors.iter().any(|t| t.key.starts_with(prefix.as_str()))).collect();
    if present.is_empty() || (present.len() == 1 && dict.tensors.iter().all(|t| prefix_of(&t.key).is_some())) {
        return vec![dict];
    }
    let rest: Vec<TensorInfo> = dict.tensors.iter().filter(|t| prefix_of(&t.key).is_none()).cloned().collect();
    let mut parts: Vec<StateDict> = present
        .iter()
        .map(|prefix| StateDict {
            tensors: dict.tensors.iter().filter(|t| t.key.starts_with(prefix.as_str())).cloned().collect(),
            modules: dict.modules.iter().filter(|(path, _)| path.starts_with(prefix.as_str())).cloned().collect(),
            ..dict.clone()
        })
        .collect();
    if !rest.is_empty() {
        parts.push(StateDict { tensors: rest, ..dict });
    }
    parts
}

/// What may begin the keys of a network in this dict: the usual names, and those of averaged copies with what they copy.
fn heads(dict: &StateDict) -> Vec<String> {
    let mut heads: Vec<String> = NETWORKS.iter().map(|&name| name.to_owned()).collect();
    let head = |key: &str| key.find('.').map(|dot| key[..=dot].to_owned());
    let mut own: Vec<String> = Vec::new();
    for key in dict.tensors.iter().filter_map(|tensor| head(&tensor.key)) {
        if own.len() < MAX_KEY_BEGINNINGS && own.last() != Some(&key) && !own.contains(&key) {
            own.push(key);
        }
    }
    let name = |head: &str| head.trim_end_matches('.').to_owned();
    let averaged: Vec<String> = own.iter().filter_map(|head| copies::plain_name(&name(head))).collect();
    if averaged.is_empty() {
        return heads;
    }
    let is_copied = |head: &String| {
        let name = name(head);
        copies::plain_name(&name).is_some() || averaged.contains(&name.to_ascii_lowercase()) || name == "online_model"
    };
    let more = own.into_iter().filter(|head| is_copied(head) && !NETWORKS.contains(&head.as_str()));
    heads.extend(more.collect::<Vec<_>>());
    heads
}

/// The prefix that every key carries, if it is one that says nothing.
fn common_prefix(dict: &StateDict) -> Option<String> {
    let first = &dict.tensors.first()?.key;
    let averaged = first.find('.').map(|dot| &first[..=dot]);
    let averaged = averaged.filter(|head| copies::plain_name(head.trim_end_matches('.')).is_some());
    let is_common = |prefix: &&str| dict.tensors.iter().all(|t| t.key.starts_with(prefix));
    PREFIXES.into_iter().chain(averaged).find(is_common).map(str::to_owned)
}

/// Removes prefixes that every key carries.
pub fn strip(mut dict: StateDict) -> StateDict {
    while let Some(prefix) = common_prefix(&dict) {
        dict.prefix.push_str(&prefix);
        for tensor in &mut dict.tensors {
            tensor.key.drain(..prefix.len());
        }
        dict.modules = dict
            .modules
            .iter()
            .filter_map(|(path, version)| path.strip_prefix(prefix.as_str()).map(|rest| (rest.to_owned(), *version)))
            .collect();
    }
    dict
}
