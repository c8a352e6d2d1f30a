//! `infill inspect`: what a checkpoint is.

use std::io::Write;
use std::path::PathBuf;

use crate::error::{Code, Error, Result};
use crate::report::{self, Report};

#[derive(clap::Args)]
pub struct Arguments {
    /// The checkpoint.
    pub file: PathBuf,
    /// One JSON object on stdout and nothing else.
    #[arg(long)]
    pub json: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let name = super::file_name(&arguments.file);
    let checkpoint = super::open_checkpoint(&arguments.file)?;
    let report = report::inspect(checkpoint.as_ref(), &name);
    if arguments.json {
        let text = serde_json::to_string(&report).map_err(|e| Error::new(Code::Internal, e.to_string()))?;
        println!("{text}");
    } else {
        // Whoever reads may stop early (`| head`), which is no fault.
        let _ = print(&report, &mut std::io::stdout().lock());
    }
    Ok(())
}

fn print(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "{}: {} container, {} tensors", report.file, report.container, report.tensors.len())?;
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
        writeln!(out, "  {:48} {:?} {}", tensor.key, tensor.shape, tensor.dtype)?;
    }
    Ok(())
}
