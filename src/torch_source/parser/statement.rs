//! Statements and blocks.

use std::rc::Rc;

use super::super::at;
use super::super::lexer::Kind;
use super::{Node, Parser, Statement, shown};
use crate::error::Result;

impl Parser<'_> {
    pub(super) fn block(&mut self) -> Result<Vec<Statement>> {
        let mut list = Vec::new();
        if *self.peek() != Kind::Line {
            self.statement(&mut list)?;
            return Ok(list);
        }
        self.deeper(|parser| {
            parser.begin_block()?;
            while !matches!(parser.peek(), Kind::Dedent | Kind::End) {
                parser.statement(&mut list)?;
            }
            parser.at += 1;
            Ok(())
        })?;
        Ok(list)
    }

    pub(super) fn statement(&mut self, list: &mut Vec<Statement>) -> Result<()> {
        let line = self.line();
        if let Kind::Name(word) = self.peek().clone()
            && self.compound(&word, line, list)?
        {
            return Ok(());
        }
        let first = self.tuple()?;
        for mark in ["+=", "-=", "*=", "//=", "/=", "**="] {
            if self.accept(mark) {
                let value = self.tuple()?;
                list.push(Statement::Assign(vec![first], Some(&mark[..mark.len() - 1]), value));
                return self.end_of_line();
            }
        }
        // `name: type = value`; a bare `name: type` says nothing.
        if self.accept(":") {
            self.expression()?;
            if !self.is_mark("=") {
                return self.end_of_line();
            }
        }
        let mut targets = vec![first];
        while self.accept("=") {
            targets.push(self.tuple()?);
        }
        let Some(value) = targets.pop() else { return at(line, "this is not read here") };
        match (targets.is_empty(), &value.node) {
            // A docstring.
            (true, Node::Text(_) | Node::Format(_)) => {}
            (true, _) => list.push(Statement::Expression(value)),
            (false, _) => list.push(Statement::Assign(targets, None, value)),
        }
        self.end_of_line()
    }

    /// A statement that begins with a word of its own; false if `word` is none.
    fn compound(&mut self, word: &str, line: usize, list: &mut Vec<Statement>) -> Result<bool> {
        match word {
            "return" => {
                self.at += 1;
                let value = if matches!(self.peek(), Kind::Line | Kind::End) { None } else { Some(self.tuple()?) };
                list.push(Statement::Return(value));
                self.end_of_line()?;
            }
            "for" => list.push(self.for_loop(line)?),
            "while" => list.push(self.while_loop()?),
            "if" | "elif" => list.push(self.conditional()?),
            "with" => {
                // What is entered says nothing of the layers.
                while !self.is_mark(":") && *self.peek() != Kind::Line {
                    self.at += 1;
                }
                self.expect(":")?;
                list.push(Statement::With(self.block()?));
            }
            "def" => {
                let function = self.deeper(|parser| parser.readable(String::new()))?;
                list.push(Statement::Define(Rc::new(function)));
            }
            "raise" => {
                self.pass_over();
                list.push(Statement::Raise(line));
            }
            "break" | "continue" | "pass" => {
                self.at += 1;
                list.extend(match word {
                    "break" => Some(Statement::Break),
                    "continue" => Some(Statement::Continue),
                    _ => None,
                });
                self.end_of_line()?;
            }
            // They check or fetch something, and change no layer.
            "assert" | "import" | "from" | "del" | "global" | "nonlocal" => self.pass_over(),
            "try" | "class" | "async" | "yield" | "await" => {
                return at(line, format!("infill does not follow \"{word}\" here: write the layers out"));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn for_loop(&mut self, line: usize) -> Result<Statement> {
        self.at += 1;
        let targets = self.targets()?;
        let over = self.tuple()?;
        self.expect(":")?;
        Ok(Statement::For(line, targets, over, self.block()?))
    }

    fn while_loop(&mut self) -> Result<Statement> {
        self.at += 1;
        let condition = self.expression()?;
        self.expect(":")?;
        Ok(Statement::While(condition, self.block()?))
    }

    /// `if` or `elif` with all that belongs to it; an `elif` is an `if` in the other branch.
    fn conditional(&mut self) -> Result<Statement> {
        self.at += 1;
        let condition = self.expression()?;
        self.expect(":")?;
        let then = self.block()?;
        let mut other = Vec::new();
        if self.is_name("elif") {
            self.deeper(|parser| parser.statement(&mut other))?;
        } else if self.accept_name("else") {
            self.expect(":")?;
            other = self.block()?;
        }
        Ok(Statement::If(condition, then, other))
    }

    fn end_of_line(&mut self) -> Result<()> {
        let line = self.line();
        match self.next() {
            Kind::Line | Kind::Mark(";") | Kind::End => {
                // A line may end in a semicolon.
                while *self.peek() == Kind::Line {
                    self.at += 1;
                }
                Ok(())
            }
            other => at(line, format!("this is not read here: {}", shown(&other))),
        }
    }
}
