//! The diagnosis: what is seen in a checkpoint, and what to tell its owner.

use std::borrow::Cow;
use std::collections::HashSet;

use super::finding::{Finding, finding};
use super::fit;
use crate::checkpoint::{Checkpoint, DType, StateDict};
use crate::models::identify::Match;
use crate::models::{Role, is_sibling, relative};
use crate::ordering;

/// Every finding, errors first.
pub fn findings(checkpoint: &dyn Checkpoint, matches: &[Match], file: &str) -> Vec<Finding> {
    let dicts = checkpoint.state_dicts();
    let mut list = Vec::new();
    if matches.is_empty() {
        unknown(dicts, &mut list);
    }
    // The weights of each network, and what belongs to none.
    let mut parts: Vec<Cow<'_, StateDict>> = Vec::new();
    for found in matches {
        let part = found.names.view(&dicts[found.dict]);
        let code = unwrapping(&part, is_shared(&part, dicts));
        fit::fit(found, &part, &mut list);
        fit::other_class(found, &part, &code, &mut list);
        parts.push(part);
    }
    let rest = dicts.iter().enumerate().filter(|&(index, _)| matches.iter().all(|found| found.dict != index));
    parts.extend(rest.map(|(_, dict)| Cow::Borrowed(dict)));
    sibling(dicts, matches, file, &mut list);
    for part in &parts {
        wrapping(part, is_shared(part, dicts), &mut list);
    }
    if !matches.is_empty() {
        let text = "A file cannot tell eps, dilation, activations, padding, mask polarity or value range: those are guessed per network. Change them if the fill looks wrong.";
        list.push(finding("cannot-tell", "info", text.to_owned(), Vec::new()));
    }
    let mut said = HashSet::new();
    list.retain(|finding| said.insert((finding.code, finding.message.clone())));
    let rank = |severity: &str| ["error", "warning", "info"].iter().position(|s| *s == severity);
    ordering::sort_by_key(&mut list, |f| rank(f.severity));
    list
}

/// Whether other weights lie beside these in one state dict.
fn is_shared(part: &StateDict, dicts: &[StateDict]) -> bool {
    let beside = dicts.iter().filter(|dict| dict.wrapper == part.wrapper);
    beside.map(|dict| dict.tensors.len()).sum::<usize>() > part.tensors.len()
}

/// The Python expression that gives a network its weights.
fn unwrapping(dict: &StateDict, is_shared: bool) -> String {
    let path: String = dict.wrapper.iter().map(|key| format!("['{key}']")).collect();
    let prefix = &dict.prefix;
    if prefix.is_empty() {
        return format!("torch.load(file){path}");
    }
    let only = if is_shared { format!(" if k.startswith('{prefix}')") } else { String::new() };
    format!("{{k.removeprefix('{prefix}'): v for k, v in torch.load(file){path}.items(){only}}}")
}

/// What was peeled off, and the line of code that does it.
fn wrapping(dict: &StateDict, is_shared: bool, list: &mut Vec<Finding>) {
    let code = unwrapping(dict, is_shared);
    if !dict.wrapper.is_empty() {
        let path = dict.wrapper.iter().map(|key| format!("['{key}']")).collect::<String>();
        let mut text =
            format!("The weights are under {path}: unwrapped for you. In code: `net.load_state_dict({code})`.");
        if let [key] = &dict.wrapper[..] {
            let all = dict.siblings.iter().chain([key]).map(|k| format!("\"{k}\"")).collect::<Vec<_>>().join(", ");
            text += &format!(
                " Without it PyTorch says that every key is missing, and Unexpected key(s) in state_dict: {all}."
            );
        }
        list.push(finding("unwrapped", "info", text, dict.siblings.clone()));
    }
    if !dict.prefix.is_empty() {
        let cause = if dict.prefix.contains("module.") { " (saved from DataParallel)" } else { "" };
        let whose = if is_shared { "Every key of this network" } else { "Every key" };
        let mut text = format!("{whose} began with {}: stripped{cause}.", dict.prefix);
        if dict.wrapper.is_empty() {
            text += &format!(" In code: `net.load_state_dict({code})`.");
        }
        list.push(finding("prefix-stripped", "info", text, Vec::new()));
    }
    let halves = dict.tensors.iter().filter(|t| matches!(t.dtype, DType::F16 | DType::BF16)).count();
    if halves > 0 {
        let text = format!("{halves} tensors are stored in 16 bits and run in 32.");
        list.push(finding("half-precision", "info", text, Vec::new()));
    }
}

/// A file that holds a discriminator alone names the one that is wanted.
fn sibling(dicts: &[StateDict], matches: &[Match], file: &str, list: &mut Vec<Finding>) {
    let only = |(index, dict): (usize, &StateDict)| {
        let mut roles = matches.iter().filter(|found| found.dict == index).map(|found| found.model.role).peekable();
        match roles.peek() {
            Some(_) => roles.all(|role| role == Role::Scores),
            None => is_sibling(dict),
        }
    };
    if dicts.is_empty() || !dicts.iter().enumerate().all(only) {
        return;
    }
    let wanted = wanted(file).map_or_else(String::new, |name| format!(": {name}"));
    let text = format!(
        "This file holds a discriminator, which scores pictures and does not paint. For filling, load the generator's file beside it{wanted}."
    );
    let keys = dicts.iter().flat_map(|dict| dict.siblings.clone()).collect();
    list.push(finding("sibling-file", "warning", text, keys));
}

fn unknown(dicts: &[StateDict], list: &mut Vec<Finding>) {
    let keys: Vec<String> = dicts.iter().flat_map(|d| &d.tensors).map(|t| t.key.clone()).collect();
    let first: Vec<&str> = keys.iter().take(4).map(String::as_str).collect();
    let mut text = format!("No network that infill knows has these keys. They begin with {}.", first.join(", "));
    if let Some(relative) = dicts.iter().find_map(relative) {
        text += &format!(" {}", relative.told());
    }
    text += " If you have its class, `infill forward --class net.py` runs what is made of common layers.";
    list.push(finding("unknown-network", "error", text, keys));
}

/// The generator's file that usually lies beside a discriminator's.
fn wanted(file: &str) -> Option<String> {
    let pairs =
        [("_dis", "_gen"), ("_D.", "_G."), ("_netD", "_netG"), ("netD", "netG"), ("discriminator", "generator")];
    pairs.iter().find(|(scores, _)| file.contains(scores)).map(|(scores, paints)| file.replacen(scores, paints, 1))
}
