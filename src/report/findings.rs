//! The diagnosis: what is seen in a checkpoint, and what to tell its owner.

use serde::Serialize;

use crate::checkpoint::{Checkpoint, DType, StateDict};
use crate::models::identify::{Match, align, network};
use crate::models::load::is_sibling;
use crate::models::{Model, by_id};

/// One thing the user should know.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// Stable code.
    pub code: &'static str,
    /// `info`, `warning` or `error`.
    pub severity: &'static str,
    /// One sentence: what is seen and what to do.
    pub message: String,
    /// All keys concerned.
    pub keys: Vec<String>,
}

fn finding(code: &'static str, severity: &'static str, message: String, keys: Vec<String>) -> Finding {
    Finding { code, severity, message, keys }
}

/// What this kind of network is, where people ask.
pub fn about(id: &str) -> Vec<&'static str> {
    match id {
        "image-pair" | "image-pair-discriminator" => vec![
            "It is conditional because the generator is given a second image: both are concatenated along the channels, 3 + 3.",
            "The discriminator sees one picture alone, patch by patch; unlike pix2pix's it does not see the condition.",
            "Its closest published relatives are pix2pix (Isola et al. 2017) and the Context Encoder (Pathak et al. 2016), whose 4000-channel bottleneck it has as a 1x1 convolution.",
        ],
        "edgeconnect-inpaint" => vec![
            "It takes RGB with a white hole and an edge map: 4 channels, no mask channel.",
            "In code: InpaintGenerator() of EdgeConnect's src/networks.py, with the state dict under 'generator'.",
        ],
        "edgeconnect-edge" => vec![
            "It completes edges inside the hole: gray, edges and mask in, one edge map out. The InpaintGenerator paints after it.",
        ],
        "context-encoder" => vec!["It halves nine times and doubles eight times: 512x512 in gives 256x256 out."],
        _ => Vec::new(),
    }
}

/// Every finding, errors first.
pub fn findings(checkpoint: &dyn Checkpoint, matches: &[Match], file: &str) -> Vec<Finding> {
    let dicts = checkpoint.state_dicts();
    let mut list = Vec::new();
    if matches.is_empty() {
        unknown(dicts, &mut list);
    }
    for found in matches {
        fit(found, &dicts[found.dict], &mut list);
        other_class(found, &dicts[found.dict], &mut list);
    }
    let only = |dict: &StateDict| {
        let model = matches.iter().find(|found| std::ptr::eq(&dicts[found.dict], dict)).map(|found| found.model);
        is_sibling(dict) || model.is_some_and(|model| model.id.ends_with("discriminator"))
    };
    if !dicts.is_empty() && dicts.iter().all(only) {
        let wanted = wanted(file).map_or_else(String::new, |name| format!(": {name}"));
        let text = format!(
            "This file holds a discriminator, which scores pictures and does not paint. For filling, load the generator's file beside it{wanted}."
        );
        list.push(finding(
            "sibling-file",
            "warning",
            text,
            dicts.iter().flat_map(|dict| dict.siblings.clone()).collect(),
        ));
    }
    for dict in dicts {
        if !dict.wrapper.is_empty() {
            let path = dict.wrapper.iter().map(|key| format!("['{key}']")).collect::<String>();
            let mut text = format!(
                "The weights are under {path}: unwrapped for you. In code: net.load_state_dict(torch.load(file){path})."
            );
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
            let text = format!("Every key began with {}: stripped{cause}.", dict.prefix);
            list.push(finding("prefix-stripped", "info", text, Vec::new()));
        }
        let halves = dict.tensors.iter().filter(|t| matches!(t.dtype, DType::F16 | DType::BF16)).count();
        if halves > 0 {
            list.push(finding(
                "half-precision",
                "info",
                format!("{halves} tensors are stored in 16 bits and run in 32."),
                Vec::new(),
            ));
        }
    }
    if !matches.is_empty() {
        let text = "A file cannot tell eps, dilation, activations, padding, mask polarity or value range: those are guessed per network. Change them if the fill looks wrong.";
        list.push(finding("cannot-tell", "info", text.to_owned(), Vec::new()));
    }
    let rank = |severity: &str| ["error", "warning", "info"].iter().position(|s| *s == severity);
    list.sort_by_key(|f| rank(f.severity));
    list
}

fn unknown(dicts: &[StateDict], list: &mut Vec<Finding>) {
    let keys: Vec<String> = dicts.iter().flat_map(|d| &d.tensors).map(|t| t.key.clone()).collect();
    let first: Vec<&str> = keys.iter().take(4).map(String::as_str).collect();
    let text = format!("No network that infill knows has these keys. They begin with {}.", first.join(", "));
    list.push(finding("unknown-network", "error", text, keys));
}

fn fit(found: &Match, dict: &StateDict, list: &mut Vec<Finding>) {
    let name = found.model.name;
    if found.widths != found.model.published {
        let text = format!(
            "All widths are scaled: base width {} instead of {}. The network is built so.",
            found.widths.base, found.model.published.base
        );
        list.push(finding("other-width", "info", text, Vec::new()));
    }
    if let Some(folded) = found.folded {
        list.push(finding("folded", "info", format!("The weights carry {folded}: folded for you."), Vec::new()));
    }
    let counters = network(found).parameters().into_iter().filter(|p| p.key.ends_with("num_batches_tracked"));
    let absent: Vec<String> =
        counters.map(|p| p.key).filter(|key| !dict.tensors.iter().any(|t| t.key == *key)).collect();
    if !absent.is_empty() {
        let text = "num_batches_tracked is missing, which is harmless: it only counts training steps.".to_owned();
        list.push(finding("counter-missing", "info", text, absent));
    }
    let statistics: Vec<String> = found.missing.iter().filter(|key| key.contains("running_")).cloned().collect();
    if !statistics.is_empty() {
        let text = "running_mean or running_var is missing: batch norm cannot run in eval mode without them. Save the state_dict() of the trained network again, with its buffers.";
        list.push(finding("statistics-missing", "error", text.to_owned(), statistics));
    }
    if found.fits() {
        return;
    }
    if let Some((shift, keys)) = shifted(found) {
        let example = found.missing.iter().find_map(|key| shifted_by(key, shift).map(|theirs| (key, theirs)));
        let example = example.map_or_else(String::new, |(own, theirs)| format!(" ({own} is {theirs} in the file)"));
        let text = format!(
            "The names are shifted by {shift}{example}: the network that was saved has a layer such as Dropout {}. Renumber the keys, or define the class as it was trained.",
            if shift > 0 { "more" } else { "less" }
        );
        list.push(finding("index-shift", "error", text, keys));
    }
    if !found.renamed.is_empty() {
        let pairs: Vec<String> = found.renamed.iter().map(|(own, theirs)| format!("{theirs} -> {own}")).collect();
        let text = format!(
            "Other names, but the shapes of {name} in its order: the keys can be mapped by position, {}, and so on.",
            pairs[0]
        );
        list.push(finding("positional", "warning", text, pairs));
    }
    let parameters = network(found).parameters();
    let module = |key: &str| key.rsplit_once('.').map_or(key, |(module, _)| module).to_owned();
    let ends = [parameters.first(), parameters.iter().rfind(|p| p.key.ends_with(".weight"))];
    let ends = ends.map(|end| end.map(|p| module(&p.key)));
    let at = found.mismatched.first().map(|m| module(&m.key));
    if let [first, ..] = &found.mismatched[..]
        && ends.contains(&at)
        && found.mismatched.iter().all(|m| Some(module(&m.key)) == at)
    {
        let side = if at == ends[0] { "input" } else { "output" };
        let keys: Vec<String> = found.mismatched.iter().map(|m| m.key.clone()).collect();
        let text = format!(
            "Only {} {}: {} has {:?} in the file and {:?} in {name}. The network was trained with another number of {side} channels.",
            keys.join(" and "),
            if keys.len() == 1 { "differs" } else { "differ" },
            first.key,
            first.found,
            first.expected
        );
        list.push(finding("channels", "error", text, keys));
    }
    let text = format!(
        "{name} fits best, but {} keys are missing, {} are unexpected and {} have another shape.",
        found.missing.len(),
        found.unexpected.len(),
        found.mismatched.len()
    );
    list.push(finding("misfit", "error", text, found.faults()));
}

/// The constant by which the indices of unexpected keys differ from the missing ones, if there is one.
fn shifted(found: &Match) -> Option<(i64, Vec<String>)> {
    let parts = |key: &str| -> Option<(String, i64, String)> {
        let mut pieces: Vec<&str> = key.split('.').collect();
        let at = pieces.iter().rposition(|piece| piece.parse::<i64>().is_ok())?;
        let number = pieces.remove(at).parse().ok()?;
        Some((pieces[..at].join("."), number, pieces[at..].join(".")))
    };
    let missing: Vec<_> = found.missing.iter().filter_map(|key| parts(key)).collect();
    let unexpected: Vec<_> = found.unexpected.iter().filter_map(|key| parts(key)).collect();
    (-4..=4).filter(|shift| *shift != 0).find_map(|shift| {
        let hits = missing.iter().filter(|(head, number, tail)| {
            unexpected.iter().any(|(h, n, t)| h == head && t == tail && *n == number + shift)
        });
        (hits.count() * 2 > missing.len().max(1)).then(|| (shift, found.unexpected.clone()))
    })
}

/// The key with its last index moved by `shift`.
fn shifted_by(key: &str, shift: i64) -> Option<String> {
    let mut pieces: Vec<String> = key.split('.').map(str::to_owned).collect();
    let place = pieces.iter_mut().rev().find(|piece| piece.parse::<i64>().is_ok())?;
    *place = (place.parse::<i64>().ok()? + shift).to_string();
    Some(pieces.join("."))
}

/// For networks that people load into another class: what PyTorch then says, and the line of code to change.
fn other_class(found: &Match, dict: &StateDict, list: &mut Vec<Finding>) {
    let class = match found.model.id {
        "edgeconnect-inpaint" => "InpaintGenerator",
        "edgeconnect-edge" => "EdgeGenerator",
        _ => return,
    };
    let Some(taken) = by_id("context-encoder").map(|model: &'static Model| align(model, dict, found.dict)) else {
        return;
    };
    let path: String = dict.wrapper.iter().map(|key| format!("['{key}']")).collect();
    let first = taken.missing.iter().take(3).map(|key| format!("\"{key}\"")).collect::<Vec<_>>().join(", ");
    let text = format!(
        "If loading it says Missing key(s) in state_dict: {first}, ...: the class is another one. This is an EdgeConnect {class}, not a ContextEncoder ({} of its keys are missing here). Change the class: net = {class}(); net.load_state_dict(torch.load(file){path}).",
        taken.missing.len()
    );
    list.push(finding("other-class", "info", text, taken.missing));
}

/// The generator's file that usually lies beside a discriminator's.
fn wanted(file: &str) -> Option<String> {
    let pairs =
        [("_dis", "_gen"), ("_D.", "_G."), ("_netD", "_netG"), ("netD", "netG"), ("discriminator", "generator")];
    pairs.iter().find(|(theirs, _)| file.contains(theirs)).map(|(theirs, ours)| file.replacen(theirs, ours, 1))
}
