//! `infill models`: the known networks.

use serde_json::{Value, json};

use super::terminal;
use crate::error::Result;
use crate::models::registry;
use crate::models::spelling::listing;

#[derive(clap::Args)]
pub struct Arguments {
    /// One JSON object on stdout and nothing else.
    #[arg(long)]
    pub json: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let none = json!({"id": "none", "name": "No model: from the photo alone", "inputs": [], "size_multiple": 1});
    let rows: Vec<Value> = registry().iter().map(|model| listing(model)).chain([none]).collect();
    if arguments.json {
        return terminal::print([terminal::json(&json!({"models": rows}))]);
    }
    terminal::print(rows.iter().flat_map(lines).collect::<Vec<_>>())
}

/// A network in one or two lines.
fn lines(row: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let input = |input: &Value| format!("{} [1, {}, H, W]", text(&input["name"]), input["channels"]);
    let inputs: Vec<String> = row["inputs"].as_array().into_iter().flatten().map(input).collect();
    let mut lines = vec![format!("{:27} {}", text(&row["id"]), text(&row["name"]))];
    if !inputs.is_empty() {
        lines.push(format!("{:27} {}, sides a multiple of {}", "", inputs.join(" and "), row["size_multiple"]));
    }
    lines
}
