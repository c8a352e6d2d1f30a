//! `infill inspect`: what a checkpoint is.

use std::io::Write;
use std::path::PathBuf;

use crate::error::Result;
use crate::report::{self, Aligned, Report, TensorReport};

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
    /// Read every tensor: least and greatest value, mean, deviation, NaN, histogram.
    #[arg(long)]
    pub stats: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let name = super::file_name(&arguments.file);
    let mut checkpoint = super::open_checkpoint(&arguments.file)?;
    let mut report = report::inspect(checkpoint.as_ref(), &name);
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
        println!("{json}");
    } else if let Some(rows) = rows {
        let _ = print_alignment(&rows, &mut std::io::stdout().lock());
    } else {
        // Whoever reads may stop early (`| head`), which is no fault.
        let _ = print(&report, &mut std::io::stdout().lock());
    }
    Ok(())
}

fn print(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    let count = report.tensors.len();
    writeln!(
        out,
        "{}: {} container, {count} tensor{}",
        report.file,
        report.container,
        if count == 1 { "" } else { "s" }
    )?;
    for network in &report.networks {
        writeln!(out, "{} ({:.0} % sure): {}", network.name, network.confidence * 100.0, network.why)?;
        writeln!(
            out,
            "  id {}, base width {}, {} parameters, {}",
            network.id, network.width, network.parameters, network.dtype
        )?;
        for line in &network.about {
            writeln!(out, "  {line}")?;
        }
        for key in &network.missing {
            writeln!(out, "  missing     {key}")?;
        }
        for key in &network.unexpected {
            writeln!(out, "  unexpected  {key}")?;
        }
        for m in &network.mismatched {
            writeln!(out, "  mismatched  {}: file {:?}, network {:?}", m.key, m.found, m.expected)?;
        }
    }
    for finding in &report.findings {
        writeln!(out, "{}: {}", finding.severity, finding.message)?;
    }
    for tensor in &report.tensors {
        writeln!(out, "  {:48} {:?} {}{}", tensor.key, tensor.shape, tensor.dtype, values(tensor))?;
    }
    Ok(())
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

fn print_alignment(rows: &[Aligned], out: &mut impl Write) -> std::io::Result<()> {
    let side = |key: &Option<String>, shape: &Option<Vec<usize>>| match (key, shape) {
        (Some(key), Some(shape)) => format!("{key} {shape:?}"),
        _ => "-".to_owned(),
    };
    writeln!(out, "{:12} {:56} file", "", "network")?;
    for row in rows {
        let (ours, theirs) = (side(&row.key, &row.expected), side(&row.theirs, &row.found));
        writeln!(out, "{:12} {ours:56} {theirs}", row.verdict)?;
    }
    Ok(())
}
