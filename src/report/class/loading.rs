//! The lines of Python that load a file's weights into a class: they work as they are.

use serde::Serialize;

use crate::checkpoint::{Checkpoint, Container, StateDict};
use crate::models::for_class::Fit;

/// How weights are loaded in Python.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loading {
    /// Lines of Python, in which `net` is the network.
    pub code: String,
    /// Keys of the file that these lines leave out.
    pub left_out: Vec<String>,
}

impl Loading {
    /// The lines for a class whose keys lie in the file like this.
    pub fn of(checkpoint: &dyn Checkpoint, file: &str, fit: &Fit, left_out: &[String]) -> Self {
        let view = fit.names.view(&checkpoint.state_dicts()[fit.dict]).into_owned();
        let beside = checkpoint.state_dicts().iter().filter(|dict| dict.wrapper == view.wrapper);
        let is_shared = beside.map(|dict| dict.tensors.len()).sum::<usize>() > view.tensors.len();
        let (import, loaded) = loaded(checkpoint, file, &view);
        let weights = match view.prefix.as_str() {
            "" => "weights".to_owned(),
            prefix => {
                let prefix = quoted(prefix);
                let only = if is_shared { format!(" if k.startswith({prefix})") } else { String::new() };
                format!("{{k.removeprefix({prefix}): v for k, v in weights.items(){only}}}")
            }
        };
        let strict = if left_out.is_empty() { "" } else { ", strict=False" };
        let code = format!("{import}\nweights = {loaded}\nnet.load_state_dict({weights}{strict})\nnet.eval()");
        Self { code, left_out: left_out.to_vec() }
    }
}

/// The import, and the expression that gives the state dict as it lies in the file.
fn loaded(checkpoint: &dyn Checkpoint, file: &str, view: &StateDict) -> (&'static str, String) {
    let file = quoted(file);
    let path: String = view.wrapper.iter().map(|key| format!("[{}]", place(key))).collect();
    let module = if view.is_module { ".state_dict()" } else { "" };
    match checkpoint.container() {
        Container::Safetensors => ("from safetensors.torch import load_file\n", format!("load_file({file})")),
        Container::TorchScript => {
            ("import torch\n", format!("torch.jit.load({file}, map_location='cpu').state_dict()"))
        }
        _ => {
            // Only what names nothing but tensors is read without running anything in it.
            let only = if checkpoint.is_plain() && !view.is_module { "True" } else { "False" };
            let load = format!("torch.load({file}, map_location='cpu', weights_only={only})");
            ("import torch\n", format!("{load}{path}{module}"))
        }
    }
}

/// A wrapper's key: of a list, its number.
fn place(key: &str) -> String {
    if key.parse::<u32>().is_ok() { key.to_owned() } else { quoted(key) }
}

/// A text as Python writes it.
fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\\' => out += "\\\\",
            '\'' => out += "\\'",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            c if c.is_control() => out += &format!("\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out + "'"
}
