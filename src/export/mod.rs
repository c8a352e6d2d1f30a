//! Networks with their weights, written for other programs: plain weights (safetensors), a PyTorch class, ONNX.

mod onnx;
mod torch_class;
mod weights;

use std::io::Write;
use std::path::Path;

use crate::engine::WeightSource;
use crate::error::{Code, Error, Result};
use crate::network::{Network, Shape};

/// What is written, by the file's ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `.safetensors`: the weights under the keys of the description, nothing folded around them.
    Safetensors,
    /// `.py`: a PyTorch class whose `state_dict()` has these keys.
    Python,
    /// `.onnx`: the graph with its weights.
    Onnx,
}

impl Format {
    /// The format that a file's name asks for; `usage` if it is none of these.
    pub fn of(path: &Path) -> Result<Self> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("safetensors") => Ok(Self::Safetensors),
            Some("py") => Ok(Self::Python),
            Some("onnx") => Ok(Self::Onnx),
            _ => {
                let text = "--output must end in .safetensors (weights), .py (a PyTorch class) or .onnx (a graph).";
                Err(Error::new(Code::Usage, text))
            }
        }
    }
}

/// A network to be written.
pub struct Exported<'a> {
    /// Its description.
    pub network: &'a Network,
    /// Its name for people, of which a class gets its own.
    pub name: &'a str,
    /// Python that loads its weights into `net`, for the class.
    pub loading: &'a str,
    /// The shapes of its inputs, one for each.
    pub inputs: &'a [Shape],
    /// Whether it runs at these shapes alone.
    pub is_fixed: bool,
    /// Whether weights are written in 16 bits.
    pub is_half: bool,
}

/// Writes a network.
///
/// `network-invalid` naming a layer that the format has no words for, `weights-not-finite` where a value does not fit 16
/// bits, and the codes of reading the weights.
pub fn write(
    exported: &Exported<'_>,
    format: Format,
    source: &mut dyn WeightSource,
    out: &mut dyn Write,
) -> Result<()> {
    match format {
        Format::Safetensors => weights::write(exported, source, out),
        Format::Python => put(out, torch_class::source(exported)?.as_bytes()),
        Format::Onnx => put(out, &onnx::model(exported, source)?),
    }
}

/// Writes bytes; `io` if they cannot be written.
fn put(out: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    out.write_all(bytes).map_err(|error| Error::new(Code::Io, format!("The file cannot be written: {error}.")))
}

/// A layer that a format has no words for.
fn unwritten(path: &str, what: &str, format: &str) -> Error {
    let text = format!("{path}: {what} is not written as {format}. The weights can be: --output X.safetensors.");
    Error::new(Code::NetworkInvalid, text)
}

#[cfg(test)]
mod tests;
