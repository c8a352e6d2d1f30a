//! `infill inspect`: what a checkpoint is.

use std::path::PathBuf;

use super::terminal;
use crate::error::Result;
use crate::models::pasted::Pasted;
use crate::report::class::{KeyFault, State};
use crate::report::{self, Aligned, ClassReport, NetworkReport, Report, TensorReport};
use crate::torch_source::Argument;

#[derive(clap::Args)]
pub struct Arguments {
    /// The checkpoint.
    pub file: PathBuf,
    /// One JSON object on stdout and nothing else.
    #[arg(long)]
    pub json: bool,
    /// Hold the keys against this network, side by side (see `infill models`).
    #[arg(long, value_name = "ID")]
    pub against: Option<String>,
    /// Hold the file against a pasted class: a Python file or notebook, which is read, never executed. Says whether it fits,
    /// which lines to change if it nearly does, and how the weights are loaded in Python.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["against", "stats"])]
    pub class: Option<PathBuf>,
    /// What the class is made with, such as 'Net(4, 3, ngf=64)'.
    #[arg(long, requires = "class")]
    pub class_args: Option<String>,
    /// Of weights that lie in the file plain and averaged (EMA), take the plain ones.
    #[arg(long)]
    pub no_ema: bool,
    /// Read every tensor: least and greatest value, mean, deviation, NaN, histogram.
    #[arg(long)]
    pub stats: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let name = super::file_name(&arguments.file);
    let mut checkpoint = super::open_copy(&arguments.file, arguments.no_ema)?;
    if let Some(class) = &arguments.class {
        let source = super::read_source(class)?;
        let class_args = arguments.class_args.as_deref().unwrap_or_default();
        let pasted = Pasted { source: &source, class_args, ..Pasted::default() };
        let report = report::read_class(Some(checkpoint.as_ref()), &name, &pasted);
        return match arguments.json {
            true => terminal::print([terminal::json(&serde_json::json!(report))]),
            false => terminal::print(class_lines(&report)),
        };
    }
    let mut report = report::inspect_graph(checkpoint.as_ref(), &name);
    if arguments.stats {
        for stats in report::stats(checkpoint.as_mut(), None).map_err(|e| e.in_file(&name))? {
            let index = stats.index;
            report.tensors[index].stats = Some(stats);
        }
    }
    let rows = match &arguments.against {
        Some(id) => Some(report::alignment(checkpoint.as_ref(), id).map_err(|e| e.in_file(&name))?),
        None => None,
    };
    if arguments.json {
        let mut json = serde_json::json!(report);
        if let Some(rows) = rows {
            json["alignment"] = serde_json::json!(rows);
        }
        return terminal::print([terminal::json(&json)]);
    }
    terminal::print(rows.map_or_else(|| lines(&report), |rows| alignment_lines(&rows)))
}

/// A class's report for people.
fn class_lines(report: &ClassReport) -> Vec<String> {
    let mut lines = vec![report.message.clone()];
    lines.extend(report.notes.iter().cloned());
    let argument = |argument: &Argument| {
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        let value = argument.given.clone().unwrap_or_else(|| or(&argument.default));
        format!("  {}: {} = {value}", argument.name, if argument.kind.is_empty() { "any" } else { &argument.kind })
    };
    if report.state == State::Asks {
        lines.extend(report.arguments.iter().map(argument));
        lines.push(format!("Say it, as in --class-args '{}(...)'.", report.class));
    }
    let shape = |shape: &Option<Vec<usize>>| shape.as_ref().map_or("none".to_owned(), |shape| format!("{shape:?}"));
    let fault = |fault: &KeyFault| {
        let (found, expected) = (shape(&fault.found), shape(&fault.expected));
        format!("  {}: file {found}, class {expected} {}", fault.key, fault.place)
    };
    lines.extend(report.faults.iter().map(fault));
    for line in report.edit.iter().flat_map(|edit| &edit.lines) {
        lines.push(format!("{} {} | {}", if line.comes { '+' } else { '-' }, line.place, line.text));
    }
    if let Some(loading) = &report.loading {
        lines.push("In Python:".to_owned());
        lines.extend(loading.code.lines().map(|line| format!("  {line}")));
    }
    lines.iter().map(|line| terminal::escaped(line).into_owned()).collect()
}

/// The report for people.
fn lines(report: &Report) -> Vec<String> {
    let count = report.tensors.len();
    let plural = if count == 1 { "" } else { "s" };
    let mut lines = vec![format!("{}: {} container, {count} tensor{plural}", report.file, report.container)];
    report.networks.iter().for_each(|network| lines.extend(network_lines(network)));
    lines.extend(report.findings.iter().map(|finding| format!("{}: {}", finding.severity, finding.message)));
    lines.extend(report.tensors.iter().map(|tensor| {
        let key = terminal::escaped(&tensor.key);
        format!("  {key:48} {:?} {}{}", tensor.shape, tensor.dtype, values(tensor))
    }));
    lines
}

fn network_lines(network: &NetworkReport) -> Vec<String> {
    let width = if network.width > 0 { format!(", base width {}", network.width) } else { String::new() };
    let mut lines = vec![
        format!("{} ({:.0} % sure): {}", network.name, network.confidence * 100.0, network.why),
        format!("  id {}{}, {} parameters, {}", network.id, width, network.parameters, network.dtype),
    ];
    lines.extend(network.about.iter().map(|line| format!("  {line}")));
    lines.extend(network.missing.iter().map(|key| format!("  missing     {key}")));
    lines.extend(network.unexpected.iter().map(|key| format!("  unexpected  {key}")));
    let mismatched = network.mismatched.iter();
    lines.extend(mismatched.map(|m| format!("  mismatched  {}: file {:?}, network {:?}", m.key, m.found, m.expected)));
    lines
}

/// A tensor's values in a few words; empty where nobody asked.
fn values(tensor: &TensorReport) -> String {
    let Some(stats) = &tensor.stats else { return String::new() };
    let mut text = match (stats.min, stats.max, stats.mean) {
        (Some(min), Some(max), Some(mean)) => format!(", {min:.4} to {max:.4}, mean {mean:.4}"),
        _ => ", no finite value".to_owned(),
    };
    if let Some(std) = stats.std {
        text += &format!(", std {std:.4}");
    }
    for (count, what) in [(stats.nan, "NaN"), (stats.infinite, "infinite")] {
        if count > 0 {
            text += &format!(", {count} {what}");
        }
    }
    text
}

/// The file's keys beside a network's.
fn alignment_lines(rows: &[Aligned]) -> Vec<String> {
    let side = |key: &Option<String>, shape: &Option<Vec<usize>>| match (key, shape) {
        (Some(key), Some(shape)) => format!("{} {shape:?}", terminal::escaped(key)),
        _ => "-".to_owned(),
    };
    let head = format!("{:12} {:56} file", "", "network");
    let line = |row: &Aligned| {
        let (network, file) = (side(&row.key, &row.expected), side(&row.file_key, &row.found));
        format!("{:12} {network:56} {file}", row.verdict)
    };
    std::iter::once(head).chain(rows.iter().map(line)).collect()
}
