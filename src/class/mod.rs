//! A pasted PyTorch class becomes a network description: Python as data, read and followed, never executed.
//!
//! `lexer` makes tokens, `parser` a tree, `interpret` follows `__init__` and `forward` of the last class in the file,
//! with modules and tensors as mere names. What it does not know ends in an error that names the line.

mod interpret;
mod layers;
mod lexer;
mod parser;
mod value;

use crate::error::{Code, Error, Result};
use crate::network::Network;

/// Longest source, bytes.
const SOURCE_BYTES: usize = 256 << 10;

/// The network of the last class in `source`, whose `forward` takes tensors of these channels.
///
/// `network-invalid` with the line that cannot be read, or in PyTorch's words what a layer's arguments do wrong.
pub fn network(source: &str, channels: &[usize]) -> Result<Network> {
    if source.len() > SOURCE_BYTES {
        let text = format!("The Python file has {} bytes; infill reads at most {SOURCE_BYTES}.", source.len());
        return Err(Error::new(Code::NetworkInvalid, text));
    }
    let tokens = lexer::tokens(source)?;
    let classes = parser::classes(&tokens)?;
    let network = interpret::network(&classes, channels)?;
    network.check()?;
    Ok(network)
}

/// An error at a line of the source.
fn at<T>(line: usize, text: impl Into<String>) -> Result<T> {
    Err(Error::new(Code::NetworkInvalid, format!("line {line}: {}", text.into())))
}

#[cfg(test)]
mod tests;
