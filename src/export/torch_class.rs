//! A network as a PyTorch class: modules at the paths of its keys, and `forward` as one line for each step.

mod forward;
mod helpers;
mod modules;

use std::collections::BTreeSet;

use super::Exported;
use crate::error::Result;
use helpers::Helper;
use modules::Modules;

/// The whole file.
pub fn source(exported: &Exported<'_>) -> Result<String> {
    let network = exported.network;
    let modules = Modules::of(network)?;
    let forward = forward::lines(network, &modules)?;
    let mut helpers: BTreeSet<Helper> = forward.helpers;
    if modules.needs_group() {
        helpers.insert(Helper::Group);
    }
    let class = class_name(exported.name);
    let mut lines = vec![
        format!("\"\"\"{}, written by infill.", escaped(exported.name)),
        String::new(),
        format!("    net = {class}()"),
    ];
    lines.extend(exported.loading.lines().filter(|line| !line.is_empty()).map(|line| format!("    {}", escaped(line))));
    lines.push("\"\"\"".to_owned());
    lines.extend(["", "import torch", "import torch.nn as nn", "import torch.nn.functional as F"].map(str::to_owned));
    for helper in helpers {
        lines.extend(["", ""].map(str::to_owned));
        lines.extend(helper.source().lines().map(str::to_owned));
    }
    lines.extend(["", ""].map(str::to_owned));
    lines.push(format!("class {class}(nn.Module):"));
    lines.push("    def __init__(self):".to_owned());
    lines.push("        super().__init__()".to_owned());
    lines.extend(modules.registered().iter().map(|line| format!("        {line}")));
    let names: Vec<&str> = forward.inputs.iter().map(String::as_str).collect();
    lines.extend([String::new(), format!("    def forward(self, {}):", names.join(", "))]);
    lines.extend(forward.lines.iter().map(|line| format!("        {line}")));
    Ok(lines.join("\n") + "\n")
}

/// The name of the class: the letters and digits of the network's.
fn class_name(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let whole: String = words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        })
        .collect();
    if whole.starts_with(|c: char| c.is_ascii_alphabetic()) { whole } else { format!("Net{whole}") }
}

/// A text within a docstring.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"")
}
