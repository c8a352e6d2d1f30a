//! A pasted PyTorch class becomes a network description: Python as data, read and followed, never executed.
//!
//! `lexer` makes tokens, `parser` a tree, `interpret` follows `__init__` and `forward` of a class in the file, with
//! modules and tensors as mere names. What it does not know ends in an error that names the line.

mod guess;
mod interpret;
mod layers;
mod lexer;
mod parser;
mod tensor;
mod value;

use crate::error::{Code, Error, Result};
use crate::limits::{MAX_CLASS_SOURCE_BYTES, MAX_CLASSES_TRIED};
use crate::network::{Network, Shape};
pub use interpret::Returned;
use interpret::{Constructor, Followed};

/// A class of a file and the network it describes, or why it cannot be followed.
pub struct Described {
    /// The class's name.
    pub name: String,
    /// The network, or `network-invalid` with the line that cannot be read, or in PyTorch's words what a layer's
    /// arguments do wrong.
    pub network: Result<Description>,
}

/// What a class describes, for inputs of certain shapes.
#[derive(Clone, Debug)]
pub struct Description {
    /// What `forward` computes.
    pub network: Network,
    /// Parameters and buffers that the class has and `forward` does not use: keys and shapes. A file may hold them.
    pub unused: Vec<(String, Vec<usize>)>,
    /// The tensors that `forward` returns; one of them is the network's output.
    pub returned: Vec<Returned>,
    /// Which one.
    pub taken: usize,
}

/// How a file's classes are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// What the class is made with, such as `Net(4, 3, ngf=64)`; empty if its defaults, the file, or the checkpoint say.
    pub class_args: &'a str,
    /// Which of the tensors that `forward` returns is taken; the one that looks like a picture if nobody says.
    pub returned: Option<usize>,
    /// Keys and shapes of the checkpoint, which may decide arguments without default; empty if there is none.
    pub file: &'a [(String, Vec<usize>)],
}

/// Every class with a `forward` in `source`, the last one first: `forward` takes tensors of these shapes.
///
/// The description holds for inputs of these shapes alone. `network-invalid` if the file cannot be read or has no such
/// class.
pub fn networks(source: &str, inputs: &[Shape], options: Options<'_>) -> Result<Vec<Described>> {
    if source.len() > MAX_CLASS_SOURCE_BYTES {
        let text = format!("The Python file is longer than the {MAX_CLASS_SOURCE_BYTES} bytes that infill reads.");
        return Err(Error::new(Code::NetworkInvalid, text));
    }
    // Editors on Windows begin a file with a byte order mark, which Python leaves out as well.
    let tokens = lexer::tokens(source.strip_prefix('\u{feff}').unwrap_or(source))?;
    let module = parser::module(&tokens)?;
    let made = class_args(options.class_args)?;
    let mut candidates = interpret::candidates(&module);
    if let Some(made) = &made {
        candidates.retain(|&class| module.classes[class].name == made.class);
    }
    if candidates.is_empty() {
        let text = match &made {
            Some(made) => format!("There is no class {} with a forward method in this file.", made.class),
            None => "There is no class with a forward method in this file.".to_owned(),
        };
        return Err(Error::new(Code::NetworkInvalid, text));
    }
    let mut budget = interpret::Budget::new();
    let described = |class: usize| {
        let name = module.classes[class].name.clone();
        let by_file = module.made.iter().rev().find(|made| made.class == name);
        let constructor = match made.as_ref().or(by_file) {
            Some(made) => Constructor::Call(&made.arguments),
            None => Constructor::Defaults,
        };
        let is_open = matches!(constructor, Constructor::Defaults) && !guess::required(&module, class).is_empty();
        let guessed = match is_open {
            true => guess::guessed(&module, class, inputs, options.returned, options.file, &mut budget),
            false => Ok(None),
        };
        let mut follow = || interpret::network(&module, class, &constructor, inputs, options.returned, &mut budget);
        let followed = guessed.and_then(|guessed| guessed.map_or_else(&mut follow, Ok));
        Described { name, network: followed.and_then(description) }
    };
    Ok(candidates.into_iter().take(MAX_CLASSES_TRIED).map(described).collect())
}

fn description(followed: Followed) -> Result<Description> {
    followed.network.check()?;
    let Followed { network, unused, returned, taken } = followed;
    Ok(Description { network, unused, returned, taken })
}

/// `Net(4, 3, ngf=64)` as a person gives it; `None` if it is empty.
fn class_args(text: &str) -> Result<Option<parser::Made>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let wrong = || {
        let text = "What the class is made with is a call of it, such as Net(4, 3, ngf=64).";
        Error::new(Code::Usage, text)
    };
    if text.len() > crate::limits::MAX_CLASS_TEXT_BYTES {
        return Err(wrong());
    }
    let tokens = lexer::tokens(text.trim()).map_err(|_| wrong())?;
    let call = parser::expression(&tokens).map_err(|_| wrong())?;
    match call.node {
        parser::Node::Call(callee, arguments) => match callee.node {
            parser::Node::Name(class) => Ok(Some(parser::Made { class, arguments })),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

/// An error at a line of the source.
fn at<T>(line: usize, text: impl Into<String>) -> Result<T> {
    Err(Error::new(Code::NetworkInvalid, format!("line {line}: {}", text.into())))
}

#[cfg(test)]
mod tests;
