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
            let Some(close) = from.find('}').filter(|_| from.starts_with('{')) else {
                return at(line, "a } is missing in this f-string");
            };
            let inside = &from[1..close];
            if inside.contains([':', '!', '=']) {
                // A number's format: the text is known to a run alone.
                parts.push(self.grown(line, Node::Slice(Vec::new()))?);
                rest = &from[close + 1..];
                continue;
            }
            let mut tokens = lexer::tokens(inside.trim())?;
            tokens.iter_mut().for_each(|token| token.line = line);
            let mut parser = Parser { tokens: &tokens, at: 0, depth: self.depth };
            let value = parser.expression()?;
            if *parser.peek() != Kind::Line {
                return at(line, format!("this is not read in an f-string: {inside}"));
            }
            parts.push(value);
            rest = &from[close + 1..];
        }
        // At least one part, so that an f-string without names is a text.
        let tail = self.grown(line, Node::Text(rest.to_owned()))?;
        parts.push(tail);
        Ok(())
    }
}
