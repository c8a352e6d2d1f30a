//! A pasted PyTorch class becomes a network description: Python as data, read and followed, never executed.
//!
//! `lexer` makes tokens, `parser` a tree, `interpret` follows `__init__` and `forward` of a class in the file, with
//! modules and tensors as mere names. What it does not know ends in an error that names the line.

mod interpret;
mod layers;
mod lexer;
mod parser;
mod value;

use crate::error::{Code, Error, Result};
use crate::limits::{MAX_CLASS_SOURCE_BYTES, MAX_CLASSES_TRIED};
use crate::network::{Network, Shape};

/// A class of a file and the network it describes, or why it cannot be followed.
pub struct Described {
    /// The class's name.
    pub name: String,
    /// `network-invalid` with the line that cannot be read, or in PyTorch's words what a layer's arguments do wrong.
    pub network: Result<Network>,
}

/// Every class with a `forward` in `source`, the last one first: `forward` takes tensors of these shapes.
///
/// Where a class asks for sizes (`x.shape`), the description holds for inputs of these shapes alone.
/// `network-invalid` if the file cannot be read or has no such class.
pub fn networks(source: &str, inputs: &[Shape]) -> Result<Vec<Described>> {
    let channels: Vec<usize> = inputs.iter().map(Shape::channels).collect();
    described(source, &channels, Some(inputs))
}

fn described(source: &str, channels: &[usize], sizes: Option<&[Shape]>) -> Result<Vec<Described>> {
    if source.len() > MAX_CLASS_SOURCE_BYTES {
        let text = format!("The Python file is longer than the {MAX_CLASS_SOURCE_BYTES} bytes that infill reads.");
        return Err(Error::new(Code::NetworkInvalid, text));
    }
    // Editors on Windows begin a file with a byte order mark, which Python leaves out as well.
    let tokens = lexer::tokens(source.strip_prefix('\u{feff}').unwrap_or(source))?;
    let module = parser::module(&tokens)?;
    let candidates = interpret::candidates(&module);
    if candidates.is_empty() {
        let text = "There is no class with a forward method in this file.";
        return Err(Error::new(Code::NetworkInvalid, text));
    }
    let mut budget = interpret::Budget::new();
    let described = |class: usize| {
        let network = interpret::network(&module, class, channels, sizes, &mut budget);
        let network = network.and_then(|network| network.check().map(|()| network));
        Described { name: module.classes[class].name.clone(), network }
    };
    Ok(candidates.into_iter().take(MAX_CLASSES_TRIED).map(described).collect())
}

/// The network of the last class in `source` that has a `forward`, for inputs of these channels and any size.
///
/// Errors as [`networks`]'.
pub fn network(source: &str, channels: &[usize]) -> Result<Network> {
    described(source, channels, None)?.swap_remove(0).network
}

/// An error at a line of the source.
fn at<T>(line: usize, text: impl Into<String>) -> Result<T> {
    Err(Error::new(Code::NetworkInvalid, format!("line {line}: {}", text.into())))
}

#[cfg(test)]
mod tests;
