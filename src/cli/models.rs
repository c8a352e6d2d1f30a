//! `infill models`: the known networks.

use serde_json::json;

use super::terminal;
use crate::error::Result;
use crate::models::MODELS;

#[derive(clap::Args)]
pub struct Arguments {
    /// One JSON object on stdout and nothing else.
    #[arg(long)]
    pub json: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let rows: Vec<_> = MODELS
        .iter()
        .map(|model| {
            let network = (model.network)(model.published);
            let inputs: Vec<_> =
                network.inputs().map(|(_, name, channels)| json!({"name": name, "channels": channels})).collect();
            (model.id, model.name, inputs, model.conventions.size.multiple)
        })
        .chain([("none", "No model: from the photo alone", Vec::new(), 1)])
        .collect();
    if arguments.json {
        let list: Vec<_> = rows
            .into_iter()
            .map(|(id, name, inputs, multiple)| json!({"id": id, "name": name, "inputs": inputs, "size_multiple": multiple}))
            .collect();
        return terminal::print([terminal::json(&json!({"models": list}))]);
    }
    let mut lines = Vec::new();
    for (id, name, inputs, multiple) in rows {
        let inputs: Vec<String> = inputs
            .iter()
            .map(|input| format!("{} [1, {}, H, W]", input["name"].as_str().unwrap_or(""), input["channels"]))
            .collect();
        lines.push(format!("{id:26} {name}"));
        if !inputs.is_empty() {
            lines.push(format!("{:26} {}, sides a multiple of {multiple}", "", inputs.join(" and ")));
        }
    }
    terminal::print(lines)
}
