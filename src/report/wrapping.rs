//! What lies around a network's weights in a file, and the line of Python that takes it off.

use super::finding::{Finding, finding};
use super::loading::{is_shared, line, place};
use crate::checkpoint::{Checkpoint, DType, StateDict, WRAPPERS};
use crate::ordering;

/// A file, and the state dict that a network's weights are a part of.
pub struct Whole<'a> {
    pub checkpoint: &'a dyn Checkpoint,
    pub file: &'a str,
    pub dict: &'a StateDict,
}

impl Whole<'_> {
    /// What was taken off. A prefix is only said to be none of the network's where the network `fits`, or where it is a name
    /// of PyTorch's own wrappers.
    pub fn told(&self, part: &StateDict, fits: bool, list: &mut Vec<Finding>) {
        let code = line(self.checkpoint, self.file, part, None);
        self.wrapper(part, fits, &code, list);
        let is_certain = part.prefix.split('.').filter(|name| !name.is_empty()).all(|name| WRAPPERS.contains(&name));
        if !part.prefix.is_empty() && (fits || is_certain) {
            self.prefix(part, &code, list);
        }
        if !part.inner.is_empty() {
            let text = format!(
                "Within the keys stands {}, which is no layer's name: left out ({}). In code: `{code}`.",
                part.inner.join(", "),
                causes(part.inner.iter().map(String::as_str), false)
            );
            list.push(finding("wrapped-within", "info", text, Vec::new()));
        }
        copy(part, list);
        let halves = part.tensors.iter().filter(|t| matches!(t.dtype, DType::F16 | DType::BF16)).count();
        if halves > 0 {
            let text = format!("{halves} tensors are stored in 16 bits and run in 32.");
            list.push(finding("half-precision", "info", text, Vec::new()));
        }
    }

    fn wrapper(&self, part: &StateDict, fits: bool, code: &str, list: &mut Vec<Finding>) {
        if part.is_module {
            let lies = if part.wrapper.is_empty() { String::new() } else { format!(" under {}", place(&part.wrapper)) };
            let text = match self.checkpoint.container() {
                crate::checkpoint::Container::TorchScript => {
                    format!(
                        "The file is a TorchScript program: its weights are read, its code is not. In code: `{code}`."
                    )
                }
                _ => format!(
                    "A whole module was pickled{lies}, not its state_dict(). Python needs the code of its class to load it: `{code}`."
                ),
            };
            list.push(finding("whole-module", "info", text, Vec::new()));
            return;
        }
        if part.wrapper.is_empty() {
            return;
        }
        let done = if fits { ": unwrapped for you" } else { "" };
        let mut text = format!("The weights are under {}{done}. In code: `{code}`.", place(&part.wrapper));
        if let [key] = &part.wrapper[..] {
            let all = part.siblings.iter().chain([key]).map(|k| format!("\"{k}\"")).collect::<Vec<_>>().join(", ");
            text += &format!(
                " Without it PyTorch says that every key is missing, and Unexpected key(s) in state_dict: {all}."
            );
        }
        list.push(finding("unwrapped", "info", text, part.siblings.clone()));
    }

    fn prefix(&self, part: &StateDict, code: &str, list: &mut Vec<Finding>) {
        let names = part.prefix.split('.').filter(|name| !name.is_empty());
        let is_averaged = self.dict.tensors.iter().any(|tensor| tensor.key == "n_averaged");
        let cause = match causes(names, is_averaged) {
            cause if cause.is_empty() => String::new(),
            cause => format!(" ({cause})"),
        };
        let whose = match is_shared(part, self.checkpoint.state_dicts()) {
            true => "Every key of this network",
            false => "Every key",
        };
        let mut text = format!("{whose} began with {}: stripped{cause}.", part.prefix);
        if part.wrapper.is_empty() && !part.is_module {
            text += &format!(" In code: `{code}`.");
        }
        list.push(finding("prefix-stripped", "info", text, Vec::new()));
    }
}

/// What put these names into keys; empty where nobody knows.
fn causes<'a>(names: impl Iterator<Item = &'a str>, is_averaged: bool) -> String {
    let cause = |name: &str| match name {
        "module" if is_averaged => Some("saved from AveragedModel of torch.optim.swa_utils"),
        "module" => Some("saved from DataParallel or DistributedDataParallel"),
        "_orig_mod" => Some("saved from torch.compile"),
        "_fsdp_wrapped_module" => Some("saved from FSDP, FullyShardedDataParallel"),
        "_checkpoint_wrapped_module" => Some("saved with activation checkpointing"),
        _ => None,
    };
    let mut all: Vec<&str> = names.filter_map(cause).collect();
    all.dedup();
    all.join("; ")
}

/// Which of two copies is taken.
fn copy(part: &StateDict, list: &mut Vec<Finding>) {
    let Some(other) = &part.other_copy else { return };
    let lies = |wrapper: &[String], prefix: &str| match (wrapper, prefix.trim_end_matches('.')) {
        ([], "") => "at the top".to_owned(),
        ([], prefix) => format!("under {prefix}"),
        (wrapper, "") => format!("under {}", place(wrapper)),
        (wrapper, prefix) => format!("under {} {prefix}", place(wrapper)),
    };
    let (own, its) = (lies(&part.wrapper, &part.prefix), lies(&other.wrapper, &other.prefix));
    let text = match (other.is_averaged, other.lacks.first()) {
        (false, _) => format!(
            "The weights lie here twice: averaged over the training (EMA) {own}, and plain {its}. The averaged ones are taken, as published pictures are made with them (on the command line, --no-ema takes the plain ones)."
        ),
        (true, None) => {
            format!(
                "The weights lie here twice: plain {own}, and averaged over the training (EMA) {its}. The plain ones are taken, as you chose."
            )
        }
        (true, Some(key)) => format!(
            "Beside the weights lies an averaged copy (EMA) {its}, which lacks {} of the {} keys, such as {key}, and cannot run. The plain ones {own} are taken.",
            other.lacks.len(),
            part.tensors.len()
        ),
    };
    list.push(finding("averaged-copy", "info", text, other.lacks.clone()));
}

/// One of several files that hold a network together, by its name.
pub fn lone_shard(checkpoint: &dyn Checkpoint, file: &str, list: &mut Vec<Finding>) {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let Some((head, count)) = stem.rsplit_once("-of-") else { return };
    let Some((name, number)) = head.rsplit_once('-') else { return };
    let counts = [number, count].map(|digits| (digits.len() >= 2).then(|| digits.parse::<usize>().ok()).flatten());
    let [Some(number), Some(count)] = counts else { return };
    if count < 2 || !checkpoint.files().is_empty() {
        return;
    }
    let ending = &file[stem.len()..];
    let text = format!(
        "By its name this is part {number} of {count} of a network: drop all parts together (on the command line, open {name}{ending}.index.json, which finds them beside it)."
    );
    list.push(finding("lone-shard", "warning", text, Vec::new()));
}

/// What Python needs to load the file, where that is more than PyTorch.
pub fn python(checkpoint: &dyn Checkpoint, list: &mut Vec<Finding>) {
    let mut packages: Vec<&str> = checkpoint.packages().iter().map(String::as_str).collect();
    if packages.is_empty() {
        return;
    }
    ordering::sort_by(&mut packages, Ord::cmp);
    let named: Vec<&str> =
        packages.iter().map(|name| if *name == "__main__" { "the script that saved it" } else { *name }).collect();
    let text = format!(
        "The pickle names classes of {}: PyTorch 2.6 and later load it with weights_only=False alone, where Python finds them, and run what it says, so do that only if you trust it. infill needs none of them and runs nothing.",
        named.join(", ")
    );
    list.push(finding("foreign-classes", "info", text, packages.into_iter().map(str::to_owned).collect()));
}
