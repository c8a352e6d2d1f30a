//! How a network's keys are spelled in a state dict.

use std::borrow::Cow;

use crate::checkpoint::{StateDict, TensorInfo, WRAPPERS, Wrapped, rewrapped, strip, unwrapped};
use crate::limits::{MAX_COMPARED_DICTS, MAX_KEY_BEGINNINGS, MAX_PREFIX_ENDINGS};
use crate::ordering;

/// How a network's keys are spelled in a state dict, whose common prefix is stripped already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyNames {
    /// What all keys begin with in the state dict: one network of several, or a prefix of the owner's own; usually empty.
    pub prefix: String,
    /// What the network's keys begin with instead: stripped as a common prefix, though it is the network's own (`model.`).
    pub put_back: String,
    /// Where only the names differ: every key of the network and the file's key at its place. Empty elsewhere.
    pub renamed: Vec<(String, String)>,
    /// Modules within the network that PyTorch's wrappers stand around in the file, and these wrappers; usually empty.
    pub wrapped: Wrapped,
}

impl KeyNames {
    /// The state dict's key for one of the network's.
    pub fn file_key(&self, key: &str) -> String {
        let renamed = self.renamed.iter().find(|(network_key, _)| network_key == key);
        let clean = renamed.map_or_else(
            || format!("{}{}", self.prefix, key.strip_prefix(&self.put_back).unwrap_or(key)),
            |(_, file_key)| file_key.clone(),
        );
        if self.wrapped.is_empty() { clean } else { rewrapped(&clean, &self.wrapped) }
    }

    /// One of the state dict's keys as it stands in the file, where its stripped prefix is the network's own.
    pub fn shown(&self, file_key: &str) -> String {
        format!("{}{file_key}", self.put_back)
    }

    /// The network's part of the state dict, its keys as the network spells them (renamed ones as they are).
    pub fn view<'a>(&self, dict: &'a StateDict) -> Cow<'a, StateDict> {
        let clean = (!self.wrapped.is_empty()).then(|| unwrapped(dict)).flatten();
        match clean {
            Some((clean, _)) => Cow::Owned(put_back(part(&clean, &self.prefix), &self.put_back).into_owned()),
            None => put_back(part(dict, &self.prefix), &self.put_back),
        }
    }
}

/// The part of a state dict whose keys begin with `prefix`, without it.
pub fn part<'a>(dict: &'a StateDict, prefix: &str) -> Cow<'a, StateDict> {
    if prefix.is_empty() {
        return Cow::Borrowed(dict);
    }
    let tensor = |t: &TensorInfo| Some(TensorInfo { key: t.key.strip_prefix(prefix)?.to_owned(), ..t.clone() });
    Cow::Owned(StateDict {
        wrapper: dict.wrapper.clone(),
        prefix: format!("{}{prefix}", dict.prefix),
        tensors: dict.tensors.iter().filter_map(tensor).collect(),
        modules: dict.modules.iter().filter_map(|(p, v)| Some((p.strip_prefix(prefix)?.to_owned(), *v))).collect(),
        siblings: dict.siblings.clone(),
        is_module: dict.is_module,
        inner: dict.inner.clone(),
        other_copy: dict.other_copy.clone(),
        graph_norms: dict.graph_norms,
    })
}

/// The same state dict with the end of its stripped prefix back in every key.
pub fn put_back<'a>(dict: Cow<'a, StateDict>, ending: &str) -> Cow<'a, StateDict> {
    let Some(rest) = dict.prefix.strip_suffix(ending).filter(|_| !ending.is_empty()).map(str::len) else {
        return dict;
    };
    let mut dict = dict.into_owned();
    dict.prefix.truncate(rest);
    dict.tensors.iter_mut().for_each(|tensor| tensor.key.insert_str(0, ending));
    dict.modules.iter_mut().for_each(|(path, _)| path.insert_str(0, ending));
    Cow::Owned(dict)
}

/// The state dict as it is spelled where nobody knows its network: only wrappers of PyTorch's own are taken away, for another
/// prefix (`model.`) may belong to the network.
pub fn as_stored(dict: &StateDict) -> Cow<'_, StateDict> {
    let mut certain = 0;
    for part in dict.prefix.split_inclusive('.') {
        if !WRAPPERS.contains(&part.trim_end_matches('.')) {
            break;
        }
        certain += part.len();
    }
    put_back(Cow::Borrowed(dict), &dict.prefix[certain..])
}

/// The ends of a stripped prefix, shortest first: any of them may be a network's own (a class may well keep all its layers
/// under `model.`).
pub fn endings(prefix: &str) -> Vec<String> {
    let starts = prefix.trim_end_matches('.').match_indices('.').map(|(dot, _)| dot + 1);
    let mut starts: Vec<usize> = starts.chain((!prefix.is_empty()).then_some(0)).collect();
    ordering::sort_by(&mut starts, |a, b| b.cmp(a));
    starts.into_iter().take(MAX_PREFIX_ENDINGS).map(|start| prefix[start..].to_owned()).collect()
}

/// How many parts of a file's state dicts may still be compared, beside these themselves.
pub struct PartsLeft(usize);

impl PartsLeft {
    /// For a file with so many state dicts.
    pub fn beside(dicts: usize) -> Self {
        Self(MAX_COMPARED_DICTS.saturating_sub(dicts))
    }

    /// The [`beginnings`] of one of its state dicts, as many as are left.
    pub fn beginnings(&mut self, dict: &StateDict) -> Vec<String> {
        let mut found = if self.0 == 0 { Vec::new() } else { beginnings(dict) };
        found.truncate(self.0);
        self.0 -= found.len();
        found
    }
}

/// What the keys of one network in this state dict may begin with: an attribute's name that nobody could foresee
/// (`inpainter.`, `net_g.` beside `net_d.`), and prefixes that are stripped everywhere after it.
pub fn beginnings(dict: &StateDict) -> Vec<String> {
    let mut heads: Vec<&str> = Vec::new();
    for tensor in &dict.tensors {
        let Some(dot) = tensor.key.find('.') else { continue };
        let head = &tensor.key[..=dot];
        let is_number = head.starts_with(|c: char| c.is_ascii_digit());
        if !is_number && !heads.contains(&head) && heads.len() < MAX_KEY_BEGINNINGS {
            heads.push(head);
        }
    }
    heads.into_iter().map(|head| strip(part(dict, head).into_owned()).prefix[dict.prefix.len()..].to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_stripped_prefix_ends_in_what_may_be_the_networks_own() {
        assert_eq!(endings("module.model.model."), ["model.", "model.model.", "module.model.model."]);
        assert_eq!(endings("model."), ["model."]);
        assert!(endings("").is_empty());
        assert_eq!(endings(&"module.".repeat(140)).len(), MAX_PREFIX_ENDINGS);
    }

    #[test]
    fn only_wrappers_are_taken_from_keys_of_nobodys() {
        let stored = |prefix: &str| {
            let dict = StateDict { prefix: prefix.to_owned(), ..StateDict::default() };
            as_stored(&dict).prefix.clone()
        };
        assert_eq!(stored("module._orig_mod."), "module._orig_mod.");
        assert_eq!(stored("module.model.module."), "module.");
        assert_eq!(stored("generator."), "");
    }

    #[test]
    fn parts_of_many_state_dicts_are_counted_together() {
        let tensor = |index: usize| TensorInfo::named(format!("head{index}.weight"), &[1]);
        let dict = StateDict { tensors: (0..16).map(tensor).collect(), ..StateDict::default() };
        let mut left = PartsLeft::beside(3);
        let all: usize = (0..64).map(|_| left.beginnings(&dict).len()).sum();
        assert_eq!(all, MAX_COMPARED_DICTS - 3);
    }

    #[test]
    fn a_view_spells_keys_as_the_network_does() {
        let tensor = |key: &str| TensorInfo::named(key, &[1]);
        let tensors = ["net_g.model.0.weight", "net_d.0.weight"].map(tensor).to_vec();
        let dict = StateDict { tensors, ..StateDict::default() };
        let names =
            KeyNames { prefix: "net_g.model.".to_owned(), put_back: "model.".to_owned(), ..KeyNames::default() };
        let view = names.view(&dict);
        assert_eq!((view.prefix.as_str(), view.tensors.len()), ("net_g.", 1));
        assert_eq!(view.tensors[0].key, "model.0.weight");
        assert_eq!(names.file_key("model.0.weight"), "net_g.model.0.weight");
    }
}
