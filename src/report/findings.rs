//! The diagnosis: what is seen in a checkpoint, and what to tell its owner.

use serde::Serialize;

use crate::checkpoint::{Checkpoint, DType, StateDict};
use crate::models::identify::{Match, network};

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
pub fn findings(checkpoint: &dyn Checkpoint, matches: &[Match]) -> Vec<Finding> {
    let dicts = checkpoint.state_dicts();
    let mut list = Vec::new();
    if matches.is_empty() {
        unknown(dicts, &mut list);
    }
    for found in matches {
        fit(found, &dicts[found.dict], &mut list);
    }
    for dict in dicts {
        if !dict.wrapper.is_empty() {
            let path = dict.wrapper.iter().map(|key| format!("['{key}']")).collect::<String>();
            let text = format!(
                "The weights are under {path}: unwrapped for you. In code: net.load_state_dict(torch.load(file){path})."
            );
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
    if found.model.id.ends_with("discriminator") {
        let beside = dict.siblings.iter().any(|key| key.contains("generator"));
        if !beside {
            let text = format!(
                "This is the {name}: it scores pictures, it does not paint. For filling, load the generator's file."
            );
            list.push(finding("sibling-file", "warning", text, Vec::new()));
        }
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
        let text = format!(
            "The names are shifted by {shift}: a layer such as Dropout is {} in your network. Renumber the keys, or define the class as it was trained.",
            if shift > 0 { "more" } else { "less" }
        );
        list.push(finding("index-shift", "error", text, keys));
    }
    if !found.missing.is_empty() && found.missing.len() == found.unexpected.len() && same_shapes(found, dict) {
        let text = "Other names, but the same shapes in the same order: the keys can be mapped by position.".to_owned();
        list.push(finding("positional", "warning", text, found.unexpected.clone()));
    }
    let parameters = network(found).parameters();
    let last = parameters.iter().rposition(|p| p.key.ends_with(".weight")).unwrap_or(0);
    let at_an_end = |key: &str| parameters.iter().position(|p| p.key == key).is_some_and(|at| at == 0 || at >= last);
    if let [only] = &found.mismatched[..]
        && at_an_end(&only.key)
    {
        let text = format!(
            "Only {} differs: the file has {:?}, {name} has {:?}. The network was trained with another number of input or output channels.",
            only.key, only.found, only.expected
        );
        list.push(finding("channels", "error", text, vec![only.key.clone()]));
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

/// Whether missing and unexpected keys have the same shapes in the same order.
fn same_shapes(found: &Match, dict: &StateDict) -> bool {
    let parameters = network(found).parameters();
    let expected = found.missing.iter().map(|key| parameters.iter().find(|p| p.key == *key).map(|p| &p.shape));
    let given = found.unexpected.iter().map(|key| dict.tensors.iter().find(|t| t.key == *key).map(|t| &t.shape));
    expected.eq(given)
}
