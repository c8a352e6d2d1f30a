//! The lines of Python that load a file's weights into a class: they work as they are.

use serde::Serialize;

use crate::checkpoint::{Checkpoint, Container, StateDict};
use crate::python::quoted;

/// How weights are loaded in Python.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loading {
    /// Lines of Python, in which `net` is the network.
    pub code: String,
    /// Keys of the file that these lines leave out.
    pub left_out: Vec<String>,
}

impl Loading {
    /// The lines for a network of which this is the part of the file, its keys spelled as the network's.
    pub fn of(checkpoint: &dyn Checkpoint, file: &str, part: &StateDict, left_out: &[String]) -> Self {
        let source = Source::of(checkpoint, file, part);
        let weights = source.named("weights");
        let strict = if left_out.is_empty() { "" } else { ", strict=False" };
        let code = format!(
            "{}\n\nweights = {}\nnet.load_state_dict({weights}{strict})\nnet.eval()",
            source.import, source.loaded
        );
        Self { code, left_out: left_out.to_vec() }
    }
}

/// One line that loads this part of the file into `net`, which is made by an expression if one is given.
pub fn line(checkpoint: &dyn Checkpoint, file: &str, part: &StateDict, made: Option<&str>) -> String {
    let source = Source::of(checkpoint, file, part);
    let made = made.map_or_else(String::new, |made| format!(" net = {made};"));
    format!("{};{made} net.load_state_dict({})", source.import, source.named(&source.loaded))
}

/// How Python reaches a part of a file.
struct Source<'a> {
    part: &'a StateDict,
    /// Whether other weights lie in the same state dict.
    is_shared: bool,
    import: &'static str,
    /// The expression that gives the state dict as it lies in the file.
    loaded: String,
}

impl<'a> Source<'a> {
    fn of(checkpoint: &dyn Checkpoint, file: &str, part: &'a StateDict) -> Self {
        let (import, loaded) = loaded(checkpoint, file, part);
        Self { part, is_shared: is_shared(part, checkpoint.state_dicts()), import, loaded }
    }

    /// The expression that gives the network's keys their own names, from one that gives the file's.
    fn named(&self, weights: &str) -> String {
        let prefix = quoted(&self.part.prefix);
        let mut key = "k".to_owned();
        if !self.part.prefix.is_empty() {
            key = format!("k.removeprefix({prefix})");
        }
        if !self.part.inner.is_empty() {
            let words: Vec<String> = self.part.inner.iter().map(|word| quoted(word)).collect();
            let kept = match &words[..] {
                [word] => format!("p != {word}"),
                words => format!("p not in ({})", words.join(", ")),
            };
            key = format!("'.'.join(p for p in {key}.split('.') if {kept})");
        }
        if key == "k" {
            return weights.to_owned();
        }
        let is_part = self.is_shared && !self.part.prefix.is_empty();
        let only = if is_part { format!(" if k.startswith({prefix})") } else { String::new() };
        format!("{{{key}: v for k, v in {weights}.items(){only}}}")
    }
}

/// Whether other weights lie beside these in one state dict.
pub fn is_shared(part: &StateDict, dicts: &[StateDict]) -> bool {
    let other = part.other_copy.as_ref().is_some_and(|other| other.wrapper == part.wrapper);
    let beside = dicts.iter().filter(|dict| dict.wrapper == part.wrapper);
    other || beside.map(|dict| dict.tensors.len()).sum::<usize>() > part.tensors.len()
}

/// The import, and the expression that gives the state dict as it lies in the file.
fn loaded(checkpoint: &dyn Checkpoint, file: &str, part: &StateDict) -> (&'static str, String) {
    let file = quoted(file);
    let path = place(&part.wrapper);
    let module = if part.is_module { ".state_dict()" } else { "" };
    match checkpoint.container() {
        Container::Safetensors => {
            let load = |file: &str| format!("load_file({file})");
            ("from safetensors.torch import load_file", each(checkpoint.files(), &file, load))
        }
        Container::Onnx => {
            let array = "torch.from_numpy(onnx.numpy_helper.to_array(t).copy())";
            let tensors = format!("{{t.name: {array} for t in onnx.load({file}).graph.initializer}}");
            ("import onnx, torch", tensors)
        }
        Container::TorchScript => ("import torch", format!("torch.jit.load({file}, map_location='cpu').state_dict()")),
        _ => {
            // Only what names nothing but tensors is read without running anything in it.
            let only = if checkpoint.is_plain() && !part.is_module { "True" } else { "False" };
            let load = |file: &str| format!("torch.load({file}, map_location='cpu', weights_only={only})");
            ("import torch", format!("{}{path}{module}", each(checkpoint.files(), &file, load)))
        }
    }
}

/// The expression for one file, or for all shards together.
fn each(files: &[String], file: &str, load: impl Fn(&str) -> String) -> String {
    if files.is_empty() {
        return load(file);
    }
    let names: Vec<String> = files.iter().map(|name| quoted(name)).collect();
    format!("{{k: v for f in [{}] for k, v in {}.items()}}", names.join(", "), load("f"))
}

/// Wrapper keys as Python follows them; of a list, its number.
pub fn place(wrapper: &[String]) -> String {
    let key = |key: &String| if key.parse::<u32>().is_ok() { key.clone() } else { quoted(key) };
    wrapper.iter().map(|one| format!("[{}]", key(one))).collect()
}
