//! A pasted PyTorch class becomes a network description: Python as data, read and followed, never executed.
//!
//! `lexer` makes tokens, `parser` a tree, `interpret` follows `__init__` and `forward` of a class in the file, with
//! modules and tensors as mere names. What it does not know ends in an error that names the line.

pub mod edits;
mod guess;
mod inputs;
mod interpret;
mod layers;
mod lexer;
pub mod notebook;
mod parser;
mod signature;
mod tensor;
mod value;

use std::collections::HashSet;

use crate::error::{Code, Error, Result};
use crate::limits::{MAX_CLASS_SOURCE_BYTES, MAX_CLASSES_TRIED};
use crate::network::{Network, Shape};
pub use inputs::Given;
use interpret::{Budget, Constructor, Followed};
pub use interpret::{RegisteredKey, Returned};
pub(crate) use interpret::{picture, pruned};
pub use signature::Argument;

/// A class of a file and the network it describes, or why it cannot be followed.
pub struct Described {
    /// The class's name.
    pub name: String,
    /// The line that it begins at.
    pub line: usize,
    /// Whether another class or function of the file makes it, so that it is a part of a network.
    pub is_part: bool,
    /// What it is made with.
    pub arguments: Vec<Argument>,
    /// The network, or `network-invalid` with the line that cannot be read, or in PyTorch's words what a layer's
    /// arguments do wrong.
    pub network: Result<Description>,
}

impl Described {
    /// The arguments that have no default and are not given.
    pub fn asked(&self) -> impl Iterator<Item = &Argument> {
        self.arguments.iter().filter(|argument| argument.default.is_none() && argument.given.is_none())
    }
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

/// The keys that a class registers, whatever its `forward` does.
pub struct Registered {
    /// The class's name.
    pub name: String,
    /// The line that it begins at.
    pub line: usize,
    /// Every parameter and persistent buffer, or why `__init__` cannot be followed.
    pub keys: Result<Vec<RegisteredKey>>,
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

/// A file whose classes can be followed.
struct Source {
    module: parser::Module,
    /// What a person says that the class is made with.
    made: Option<parser::Made>,
    /// Its classes with a `forward`, the last one first.
    candidates: Vec<usize>,
    /// Names that are called, or built upon, inside of a class or function.
    parts: HashSet<String>,
}

impl Source {
    /// `network-invalid` if the file cannot be read or has no class with a `forward`.
    fn read(source: &str, options: &Options<'_>) -> Result<Self> {
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
        candidates.truncate(MAX_CLASSES_TRIED);
        Ok(Self { module, made, candidates, parts: parts(&tokens) })
    }

    /// What the person, or else the file, says that this class is made with.
    fn made(&self, class: usize) -> Option<&parser::Made> {
        let name = &self.module.classes[class].name;
        let by_file = self.module.made.iter().rev().find(|made| made.class == *name);
        self.made.as_ref().or(by_file)
    }

    fn constructor(&self, class: usize) -> Constructor<'_> {
        self.made(class).map_or(Constructor::Defaults, |made| Constructor::Call(&made.arguments))
    }

    /// A class on inputs of these shapes.
    fn describe(&self, class: usize, inputs: &[Shape], options: &Options<'_>, budget: &mut Budget) -> Described {
        let module = &self.module;
        let constructor = self.constructor(class);
        let is_open = matches!(constructor, Constructor::Defaults) && !guess::required(module, class).is_empty();
        let guessed = match is_open {
            true => guess::guessed(module, class, inputs, options.returned, options.file, budget),
            false => Ok(None),
        };
        let mut given = self.made(class).map_or_else(Vec::new, |made| signature::given(&made.arguments));
        let followed = match guessed {
            Ok(Some((numbers, followed))) => {
                given.extend(numbers.into_iter().map(|(name, number)| (Some(name), number.to_string())));
                Ok(followed)
            }
            Ok(None) => interpret::network(module, class, &constructor, inputs, options.returned, budget),
            Err(error) => Err(error),
        };
        let own = &module.classes[class];
        Described {
            name: own.name.clone(),
            line: own.line,
            is_part: self.parts.contains(&own.name),
            arguments: signature::arguments(module, class, &given),
            network: followed.and_then(description),
        }
    }
}

/// Every class with a `forward` in `source`, the last one first: `forward` takes tensors of these shapes.
///
/// The description holds for inputs of these shapes alone. `network-invalid` if the file cannot be read or has no such
/// class.
pub fn networks(source: &str, inputs: &[Shape], options: Options<'_>) -> Result<Vec<Described>> {
    let read = Source::read(source, &options)?;
    let mut budget = Budget::new();
    Ok(read.candidates.iter().map(|&class| read.describe(class, inputs, &options, &mut budget)).collect())
}

/// The same classes on squares of a side and with channels that they take: those that somebody says, or else those that
/// the first layer's weights, the number of `forward`'s arguments and common sizes suggest. The codes of [`networks`].
pub fn pictured(source: &str, given: Given<'_>, options: Options<'_>) -> Result<Vec<Described>> {
    let read = Source::read(source, &options)?;
    let mut budget = Budget::new();
    let each = |&class: &usize| inputs::described(&read, class, &given, &options, &mut budget);
    Ok(read.candidates.iter().map(each).collect())
}

/// What the same classes register, their `forward` unread. The codes of [`networks`].
pub fn registered(source: &str, options: Options<'_>) -> Result<Vec<Registered>> {
    let read = Source::read(source, &options)?;
    let mut budget = Budget::new();
    let each = |&class: &usize| {
        let own = &read.module.classes[class];
        let keys = interpret::registered(&read.module, class, &read.constructor(class), &mut budget);
        Registered { name: own.name.clone(), line: own.line, keys }
    };
    Ok(read.candidates.iter().map(each).collect())
}

/// Names that indented code calls.
fn parts(tokens: &[lexer::Token]) -> HashSet<String> {
    let (mut depth, mut parts) = (0usize, HashSet::new());
    for pair in tokens.windows(2) {
        match (&pair[0].kind, &pair[1].kind) {
            (lexer::Kind::Indent, _) => depth += 1,
            (lexer::Kind::Dedent, _) => depth = depth.saturating_sub(1),
            (lexer::Kind::Name(name), lexer::Kind::Mark("(")) if depth > 0 => drop(parts.insert(name.clone())),
            _ => {}
        }
    }
    parts
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
