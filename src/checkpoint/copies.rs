//! Averaged copies (EMA) beside the plain weights of a network: one of the two is taken.

use super::{OtherCopy, StateDict, TensorInfo};
use std::collections::HashMap;

/// Words that make a name that of an averaged copy.
const WORDS: [&str; 5] = ["ema", "averaged", "average", "avg", "swa"];
/// Names that stand for the only network of a file.
const GENERIC: [&str; 9] =
    ["model", "online_model", "net", "network", "state_dict", "model_state_dict", "params", "weights", "module"];

/// What the plain weights are called beside an averaged copy of this name, in lower case: empty if the name is nothing but
/// a word for it; `None` if it is no averaged copy's name.
pub fn plain_name(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let words: Vec<&str> = lower.split('_').collect();
    if words.iter().any(|word| WORDS.contains(word)) {
        let rest: Vec<&str> = words.into_iter().filter(|word| !WORDS.contains(word)).collect();
        return Some(rest.join("_"));
    }
    // `netGEMA`, `modelEma`.
    let stem = name.strip_suffix("EMA").or_else(|| name.strip_suffix("Ema"));
    stem.filter(|stem| stem.ends_with(|c: char| c.is_ascii_alphanumeric())).map(str::to_ascii_lowercase)
}

/// Wrappers, then prefixes: where a state dict lies.
fn places(dict: &StateDict) -> Vec<&str> {
    let prefix = dict.prefix.split('.').filter(|part| !part.is_empty());
    dict.wrapper.iter().map(String::as_str).chain(prefix).collect()
}

/// Whether the first lies where an averaged copy of the second would.
fn is_copy_of(averaged: &StateDict, plain: &StateDict) -> bool {
    let (own, other) = (places(averaged), places(plain));
    let Some(at) = own.iter().position(|name| plain_name(name).is_some()) else { return false };
    let Some(named) = plain_name(own[at]) else { return false };
    if other.get(..at) != Some(&own[..at]) {
        return false;
    }
    let Some(name) = other.get(at) else { return true };
    let name_lower = name.to_ascii_lowercase();
    let is_generic = |name: &str| GENERIC.contains(&name);
    plain_name(name).is_none()
        && (named.is_empty() || named == name_lower || (is_generic(&named) && is_generic(&name_lower)))
}

/// Keys that the second has and the first has not, or has in another shape; counters do not count.
fn lacks(dict: &StateDict, other: &StateDict) -> Vec<String> {
    let own: HashMap<&str, &TensorInfo> = dict.tensors.iter().map(|tensor| (tensor.key.as_str(), tensor)).collect();
    let is_there = |tensor: &&TensorInfo| own.get(tensor.key.as_str()).is_some_and(|own| own.shape == tensor.shape);
    let rest = other.tensors.iter().filter(|tensor| !is_there(tensor));
    rest.map(|tensor| tensor.key.clone()).filter(|key| !key.ends_with("num_batches_tracked")).collect()
}

/// Of every network that a file holds twice, one copy, and those that are not taken. The averaged copy is taken where it is
/// complete and `prefers_averaged`, for its pictures are those that are published.
pub fn choose(mut all: Vec<StateDict>, prefers_averaged: bool) -> (Vec<StateDict>, Vec<StateDict>) {
    all.iter_mut().for_each(|dict| dict.other_copy = None);
    let mut aside: Vec<usize> = Vec::new();
    for averaged in 0..all.len() {
        let taken = |index: &usize| *index == averaged || aside.contains(index);
        let found = (0..all.len()).filter(|index| !taken(index)).find_map(|plain| {
            is_copy_of(&all[averaged], &all[plain]).then(|| (plain, lacks(&all[averaged], &all[plain])))
        });
        let Some((plain, lacking)) = found.filter(|_| !aside.contains(&averaged)) else { continue };
        // Where neither is a part of the other, they are two networks.
        if !lacking.is_empty() && !lacks(&all[plain], &all[averaged]).is_empty() {
            continue;
        }
        let is_averaged = lacking.is_empty() && prefers_averaged;
        let (kept, other) = if is_averaged { (averaged, plain) } else { (plain, averaged) };
        let (wrapper, prefix) = (all[other].wrapper.clone(), all[other].prefix.clone());
        all[kept].other_copy = Some(Box::new(OtherCopy { wrapper, prefix, is_averaged: !is_averaged, lacks: lacking }));
        aside.push(other);
    }
    let mut set_aside = Vec::new();
    let mut kept = Vec::new();
    for (index, dict) in all.into_iter().enumerate() {
        if aside.contains(&index) { set_aside.push(dict) } else { kept.push(dict) }
    }
    (kept, set_aside)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn dict(wrapper: &[&str], prefix: &str, keys: &[&str]) -> StateDict {
        let tensor = |key: &&str| TensorInfo::named(*key, &[1]);
        StateDict {
            wrapper: wrapper.iter().map(|name| (*name).to_owned()).collect(),
            prefix: prefix.to_owned(),
            tensors: keys.iter().map(tensor).collect(),
            ..StateDict::default()
        }
    }

    #[test]
    fn names_of_averaged_copies_are_words() {
        for (name, plain) in [
            ("ema", ""),
            ("params_ema", "params"),
            ("G_ema", "g"),
            ("ema_model", "model"),
            ("state_dict_ema", "state_dict"),
            ("netGEMA", "netg"),
        ] {
            assert_eq!(plain_name(name).as_deref(), Some(plain), "{name}");
        }
        for name in ["schema", "model", "cinema_net", "G", "module", "EMA2D"] {
            assert_eq!(plain_name(name), None, "{name}");
        }
    }

    #[test]
    fn the_averaged_copy_is_taken_where_it_is_complete() {
        let pairs = [
            (dict(&["state_dict"], "", &["a"]), dict(&["state_dict_ema"], "", &["a"])),
            (dict(&["state_dict"], "model.", &["a"]), dict(&["state_dict"], "ema_model.", &["a"])),
            (dict(&["model"], "", &["a"]), dict(&["ema", "module"], "", &["a"])),
            (dict(&["net"], "", &["a"]), dict(&["model_ema"], "", &["a"])),
            (dict(&["generator"], "module.", &["a"]), dict(&["generator_ema"], "", &["a"])),
        ];
        for (plain, averaged) in pairs {
            let (kept, aside) = choose(vec![plain.clone(), averaged.clone()], true);
            assert_eq!((kept.len(), aside.len()), (1, 1));
            assert_eq!((&kept[0].wrapper, &kept[0].prefix), (&averaged.wrapper, &averaged.prefix));
            let other = kept[0].other_copy.as_ref().unwrap();
            assert!(!other.is_averaged && other.wrapper == plain.wrapper && other.lacks.is_empty());
            // And back.
            let (kept, _) = choose(kept.into_iter().chain(aside).collect(), false);
            assert_eq!((&kept[0].wrapper, &kept[0].prefix), (&plain.wrapper, &plain.prefix));
            assert!(kept[0].other_copy.as_ref().unwrap().is_averaged);
        }
    }

    #[test]
    fn a_copy_that_lacks_statistics_is_not_taken() {
        let plain = dict(&["model"], "", &["a", "running_mean", "num_batches_tracked"]);
        let (kept, _) = choose(vec![dict(&["ema"], "", &["a"]), plain], true);
        assert_eq!(kept[0].wrapper, ["model"]);
        assert_eq!(kept[0].other_copy.as_ref().unwrap().lacks, ["running_mean"]);
        let (kept, _) = choose(
            vec![dict(&["ema"], "", &["a", "running_mean"]), dict(&["model"], "", &["a", "num_batches_tracked"])],
            true,
        );
        assert_eq!((kept.len(), kept[0].wrapper.as_slice()), (1, &["ema".to_owned()][..]));
    }

    #[test]
    fn two_networks_are_no_copies_of_each_other() {
        for (one, other) in [
            (dict(&["netG_A_ema"], "", &["a"]), dict(&["netG_B"], "", &["a"])),
            (dict(&["ema"], "", &["a"]), dict(&["model"], "", &["b"])),
            (dict(&["generator"], "", &["a"]), dict(&["discriminator"], "", &["a"])),
        ] {
            assert_eq!(choose(vec![one, other], true).0.len(), 2);
        }
    }
}
