//! Texts and f-strings.

use super::super::at;
use super::super::lexer::{self, Kind};
use super::{Expression, Node, Parser};
use crate::error::Result;

impl Parser<'_> {
    /// Texts one after another, f-strings among them.
    pub(super) fn text(&mut self) -> Result<Expression> {
        let line = self.line();
        let mut parts = Vec::new();
        loop {
            match self.peek().clone() {
                Kind::Text(text) => parts.push(self.grown(line, Node::Text(text))?),
                Kind::Format(text) => self.format(&text, line, &mut parts)?,
                _ => break,
            }
            self.at += 1;
        }
        match parts.len() {
            1 => Ok(parts.remove(0)),
            _ => self.grown(line, Node::Format(parts)),
        }
    }

    /// The parts of an f-string's text.
    fn format(&mut self, text: &str, line: usize, parts: &mut Vec<Expression>) -> Result<()> {
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(open);
            parts.push(self.grown(line, Node::Text(before.to_owned()))?);
            if from.starts_with("{{") || from.starts_with("}}") {
                parts.push(self.grown(line, Node::Text(from[..1].to_owned()))?);
                rest = &from[2..];
                continue;
            }
            let Some(close) = closing(from).filter(|_| from.starts_with('{')) else {
                return at(line, "a } is missing in this f-string");
            };
            let value = self.formatted(&from[1..close], line)?;
            parts.push(value);
            rest = &from[close + 1..];
        }
        // At least one part, so that an f-string without names is a text.
        let tail = self.grown(line, Node::Text(rest.to_owned()))?;
        parts.push(tail);
        Ok(())
    }

    /// What stands between braces: a value, `=` if its text is shown, `!r` or `!s`, and `:format`.
    fn formatted(&mut self, inside: &str, line: usize) -> Result<Expression> {
        let (before, format) = match outside_brackets(inside, ':') {
            Some(colon) => (&inside[..colon], &inside[colon + 1..]),
            None => (inside, ""),
        };
        let mark = outside_brackets(before, '!').filter(|&mark| !before[mark + 1..].starts_with('='));
        let (value, conversion) = match mark {
            Some(mark) => (&before[..mark], before[mark + 1..].trim().chars().next().unwrap_or(' ')),
            None => (before, ' '),
        };
        if value.trim_end().ends_with('=') {
            return at(line, "{value=} is not read in an f-string");
        }
        let mut tokens = lexer::tokens(value.trim())?;
        tokens.iter_mut().for_each(|token| token.line = line);
        let mut parser = Parser { tokens: &tokens, at: 0, depth: self.depth + 1 };
        let value = parser.expression()?;
        if *parser.peek() != Kind::Line {
            return at(line, format!("this is not read in an f-string: {inside}"));
        }
        let mut parts = Vec::new();
        self.deeper(|parser| parser.format(format, line, &mut parts))?;
        let format = self.grown(line, Node::Format(parts))?;
        self.grown(line, Node::Formatted(Box::new(value), conversion, Box::new(format)))
    }
}

/// The `}` that ends what begins with `{`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (place, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return Some(place),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The first place of this character outside of brackets and texts.
fn outside_brackets(text: &str, wanted: char) -> Option<usize> {
    let (mut depth, mut quote) = (0usize, None);
    for (place, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) if c == wanted && depth == 0 => return Some(place),
            _ => {}
        }
    }
    None
}
