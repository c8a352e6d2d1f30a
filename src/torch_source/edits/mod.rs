//! Small changes of a class's source that may make its keys those of a file. Which of them do is for others to try.

mod layers;
mod names;
mod numbers;

use super::RegisteredKey;
use super::lexer::{self, Kind, Token};
use crate::error::Result;
use crate::ordering;

/// Bytes of the source, and what stands there instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The first byte.
    pub start: usize,
    /// One behind the last.
    pub end: usize,
    /// What stands there instead.
    pub text: String,
}

/// What an edit does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditKind {
    /// Another number.
    Number,
    /// `True` for `False`, or the other way round.
    Flag,
    /// `bias=False` is added.
    Bias,
    /// An attribute has another name.
    Name,
    /// A layer is taken out; `is_neutral` if it does nothing where a network runs, such as `Dropout`.
    Removed {
        /// Whether it does nothing in `eval()`.
        is_neutral: bool,
    },
    /// A norm is put in.
    Norm,
}

/// One edit: usually one change, several where one name stands in several places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What it does.
    pub kind: EditKind,
    /// Its changes, none of which touches another.
    pub changes: Vec<Change>,
    /// The line of the first change.
    pub line: usize,
}

impl Edit {
    fn one(kind: EditKind, line: usize, start: usize, end: usize, text: impl Into<String>) -> Self {
        Self { kind, changes: vec![Change { start, end, text: text.into() }], line }
    }

    /// The source with its changes.
    pub fn apply(&self, source: &str) -> String {
        let mut changes: Vec<&Change> = self.changes.iter().collect();
        ordering::sort_by(&mut changes, |a, b| a.start.cmp(&b.start));
        let (mut text, mut done) = (String::with_capacity(source.len() + 64), 0);
        for change in changes {
            text += source.get(done..change.start).unwrap_or_default();
            text += &change.text;
            done = change.end;
        }
        text + source.get(done..).unwrap_or_default()
    }
}

/// Where a class and a file differ.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// What the class has and the file has not.
    pub missing: Vec<RegisteredKey>,
    /// What the file has and the class has not.
    pub unexpected: Vec<(String, Vec<usize>)>,
    /// What has another shape in the file, and that shape.
    pub mismatched: Vec<(RegisteredKey, Vec<usize>)>,
    /// By how much the largest number of some part of a key differs in the file: blocks more or less.
    pub more: Vec<i64>,
}

/// Every edit that may help, those on the lines that made what is at fault first. The codes of [`super::networks`].
pub fn edits(source: &str, faults: &Faults) -> Result<Vec<Edit>> {
    let tokens = lexer::tokens(source)?;
    let mut list = numbers::edits(&tokens, faults);
    list.extend(names::edits(source, &tokens, faults));
    list.extend(layers::edits(source, &tokens, faults));
    let missing = faults.missing.iter().chain(faults.mismatched.iter().map(|(own, _)| own));
    let lines: Vec<usize> = missing.map(|own| own.line).collect();
    ordering::sort_by_key(&mut list, |edit| !lines.contains(&edit.line));
    Ok(list)
}

/// Numbers in the same call as the one that an edit changes, by this much more: padding that goes with a kernel.
pub fn beside(source: &str, edit: &Edit, more: i64) -> Result<Vec<Edit>> {
    let tokens = lexer::tokens(source)?;
    let Some(change) = edit.changes.first() else { return Ok(Vec::new()) };
    let Some(place) = tokens.iter().position(|token| token.start == change.start) else { return Ok(Vec::new()) };
    let Some((open, close)) = enclosing(&tokens, place) else { return Ok(Vec::new()) };
    let number = |token: &Token| {
        let Kind::Int(number) = token.kind else { return None };
        let other = number.checked_add(more).filter(|&other| other >= 0 && token.start != change.start)?;
        Some(Edit::one(EditKind::Number, token.line, token.start, token.end, other.to_string()))
    };
    Ok(tokens[open..close].iter().filter_map(number).collect())
}

fn is_mark(token: &Token, mark: &str) -> bool {
    matches!(token.kind, Kind::Mark(found) if found == mark)
}

fn name(token: &Token) -> Option<&str> {
    match &token.kind {
        Kind::Name(name) => Some(name),
        _ => None,
    }
}

/// The brackets around a token.
fn enclosing(tokens: &[Token], place: usize) -> Option<(usize, usize)> {
    let mut open = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Mark("(" | "[" | "{") => open.push(index),
            Kind::Mark(")" | "]" | "}") => {
                let begin = open.pop()?;
                if (begin..=index).contains(&place) {
                    return Some((begin, index));
                }
            }
            _ => {}
        }
    }
    None
}
