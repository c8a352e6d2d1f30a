//! `infill inspect`: what a checkpoint is.

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
        print(&report);
    }
    Ok(())
}

fn print(report: &Report) {
    println!("{}: {} container, {} tensors", report.file, report.container, report.tensors.len());
    for network in &report.networks {
        println!("{} ({:.0} % sure): {}", network.name, network.confidence * 100.0, network.why);
        println!(
            "  id {}, base width {}, {} parameters, {}",
            network.id, network.width, network.parameters, network.dtype
        );
        for line in &network.about {
            println!("  {line}");
        }
        for key in &network.missing {
            println!("  missing     {key}");
        }
        for key in &network.unexpected {
            println!("  unexpected  {key}");
        }
        for m in &network.mismatched {
            println!("  mismatched  {}: file {:?}, network {:?}", m.key, m.found, m.expected);
        }
    }
    for finding in &report.findings {
        println!("{}: {}", finding.severity, finding.message);
    }
    for tensor in &report.tensors {
        println!("  {:48} {:?} {}", tensor.key, tensor.shape, tensor.dtype);
    }
}
