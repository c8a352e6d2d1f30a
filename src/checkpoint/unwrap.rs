//! Wrappers of PyTorch around modules within a network: names in the middle of keys that are no layer's.

use std::collections::HashMap;

use super::{StateDict, TensorInfo};
use crate::ordering;

/// What a wrapper's attribute is called: of DataParallel and its like, `torch.compile`, FSDP, activation checkpointing.
pub const WRAPPERS: [&str; 4] = ["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"];

/// Modules by their path without wrappers, each with the wrappers that follow it in the file: `encoder`, `_orig_mod`.
pub type Wrapped = Vec<(String, String)>;

/// A path without wrappers, and where they stood.
fn walk(key: &str, mut each: impl FnMut(&str, &str)) -> String {
    let mut clean = String::new();
    let mut between = String::new();
    let (path, leaf) = key.rsplit_once('.').unwrap_or(("", key));
    for part in path.split('.').filter(|part| !part.is_empty()) {
        if WRAPPERS.contains(&part) {
            if !between.is_empty() {
                between.push('.');
            }
            between.push_str(part);
            continue;
        }
        each(&clean, &between);
        between.clear();
        if !clean.is_empty() {
            clean.push('.');
        }
        clean.push_str(part);
    }
    each(&clean, &between);
    if !clean.is_empty() {
        clean.push('.');
    }
    clean + leaf
}

/// The state dict without the wrappers within its keys, and where they stood; `None` if it has none, or if a module has some
/// keys within a wrapper and some outside: then it is no wrapper's name, but a layer's.
pub fn unwrapped(dict: &StateDict) -> Option<(StateDict, Wrapped)> {
    let mut places: HashMap<String, String> = HashMap::new();
    let mut is_consistent = true;
    let keys = dict.tensors.iter().map(|tensor| &tensor.key).filter(|key| key.len() <= crate::limits::NAME_BYTES);
    for key in keys.clone().filter(|key| key.split('.').any(|part| WRAPPERS.contains(&part))) {
        walk(key, |path, between| {
            if !between.is_empty() && !places.contains_key(path) {
                places.insert(path.to_owned(), between.to_owned());
            }
        });
    }
    if places.is_empty() {
        return None;
    }
    for key in keys {
        walk(key, |path, between| {
            is_consistent &= places.get(path).map_or("", String::as_str) == between;
        });
    }
    if !is_consistent {
        return None;
    }
    let clean = |tensor: &TensorInfo| TensorInfo { key: walk(&tensor.key, |_, _| {}), ..tensor.clone() };
    let mut inner: Vec<String> = Vec::new();
    for part in places.values().flat_map(|between| between.split('.')) {
        if !inner.iter().any(|known| known == part) {
            inner.push(part.to_owned());
        }
    }
    ordering::sort_by(&mut inner, Ord::cmp);
    let modules = dict.modules.iter().map(|(path, version)| (walk(&format!("{path}."), |_, _| {}), *version));
    let modules = modules.map(|(path, version)| (path.trim_end_matches('.').to_owned(), version)).collect();
    let tensors = dict.tensors.iter().map(clean).collect();
    let mut wrapped: Wrapped = places.into_iter().collect();
    ordering::sort_by(&mut wrapped, Ord::cmp);
    Some((StateDict { tensors, modules, inner, ..dict.clone() }, wrapped))
}

/// A key without wrappers as it stands in the file.
pub fn rewrapped(key: &str, wrapped: &Wrapped) -> String {
    let (mut clean, mut out) = (String::new(), String::new());
    let (path, leaf) = key.rsplit_once('.').unwrap_or(("", key));
    let put = |clean: &str, out: &mut String| {
        if let Some((_, between)) = wrapped.iter().find(|(own, _)| own == clean) {
            out.push_str(between);
            out.push('.');
        }
    };
    for part in path.split('.').filter(|part| !part.is_empty()) {
        put(&clean, &mut out);
        if !clean.is_empty() {
            clean.push('.');
        }
        clean.push_str(part);
        out.push_str(part);
        out.push('.');
    }
    put(&clean, &mut out);
    out + leaf
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn dict(keys: &[&str]) -> StateDict {
        let tensor = |key: &&str| TensorInfo::named(*key, &[1]);
        StateDict { tensors: keys.iter().map(tensor).collect(), ..StateDict::default() }
    }

    #[test]
    fn wrappers_are_left_out_and_put_back() {
        let keys = [
            "encoder._orig_mod.0.weight",
            "encoder._orig_mod.0.bias",
            "encoder._orig_mod.1.module._fsdp_wrapped_module.conv.weight",
            "head.weight",
            "middle.module.weight_bar",
        ];
        let (clean, wrapped) = unwrapped(&dict(&keys)).unwrap();
        let clean: Vec<&str> = clean.tensors.iter().map(|tensor| tensor.key.as_str()).collect();
        assert_eq!(
            clean,
            ["encoder.0.weight", "encoder.0.bias", "encoder.1.conv.weight", "head.weight", "middle.weight_bar"]
        );
        let back: Vec<String> = clean.iter().map(|key| rewrapped(key, &wrapped)).collect();
        assert_eq!(back, keys);
    }

    #[test]
    fn a_layer_of_that_name_is_no_wrapper() {
        assert!(unwrapped(&dict(&["a.module.weight", "a.bias"])).is_none());
        assert!(unwrapped(&dict(&["a.module.b.weight", "a.c.weight"])).is_none());
        assert!(unwrapped(&dict(&["a.module", "b.weight"])).is_none());
        assert!(unwrapped(&dict(&["a.weight"])).is_none());
    }
}
