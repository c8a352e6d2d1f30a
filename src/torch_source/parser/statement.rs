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
        for mark in ["+=", "-=", "*=", "//=", "/=", "**=", "%=", "@=", "&=", "|=", "^=", "<<=", ">>="] {
            if self.accept(mark) {
                let value = self.tuple()?;
                list.push(Statement::Augment(first, &mark[..mark.len() - 1], value));
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
        let Some(value) = targets.pop() else {
            return at(line, "this is not read here");
        };
        match (targets.is_empty(), &value.node) {
            // A docstring.
            (true, Node::Text(_) | Node::Format(_)) => {}
            (true, _) => list.push(Statement::Expression(value)),
            (false, _) => list.push(Statement::Assign(targets, value)),
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
            "with" => list.push(self.with()?),
            "def" => {
                let function = self.deeper(|parser| parser.readable(Vec::new()))?;
                list.push(Statement::Define(Rc::new(function)));
            }
            "try" => list.push(self.attempt(line)?),
            "import" | "from" => {
                let names = self.import()?;
                list.push(Statement::Import(names));
                self.end_of_line()?;
            }
            "del" => {
                self.at += 1;
                let targets = self.tuple()?;
                list.push(Statement::Delete(match targets.node {
                    Node::Tuple(items) => items.into_iter().map(|item| item.value).collect(),
                    _ => vec![targets],
                }));
                self.end_of_line()?;
            }
            "global" | "nonlocal" => {
                self.at += 1;
                let mut names = vec![self.name()?];
                while self.accept(",") {
                    names.push(self.name()?);
                }
                let is_global = word == "global";
                list.push(if is_global { Statement::Global(names) } else { Statement::Nonlocal(names) });
                self.end_of_line()?;
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
            // It checks something that held when the weights were trained, and changes no layer.
            "assert" => self.pass_over(),
            "class" | "async" | "yield" | "await" | "match" if !self.is_plain_name(word) => {
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
        let body = self.block()?;
        Ok(Statement::For(line, targets, over, body, self.otherwise()?))
    }

    /// The `else` of a loop or a `try`; empty if there is none.
    fn otherwise(&mut self) -> Result<Vec<Statement>> {
        if !self.accept_name("else") {
            return Ok(Vec::new());
        }
        self.expect(":")?;
        self.block()
    }

    /// Whether `match`, which may be a name, is one here.
    fn is_plain_name(&self, word: &str) -> bool {
        let next = self.tokens.get(self.at + 1).map(|token| &token.kind);
        word == "match" && matches!(next, Some(Kind::Mark("=" | "." | "(" | "[" | ",")))
    }

    /// `with a as b, c:` and its body.
    fn with(&mut self) -> Result<Statement> {
        self.at += 1;
        let mut entered = Vec::new();
        loop {
            let value = self.expression()?;
            let name = if self.accept_name("as") { Some(self.expression()?) } else { None };
            entered.push((value, name));
            if !self.accept(",") {
                break;
            }
        }
        self.expect(":")?;
        Ok(Statement::With(entered, self.block()?))
    }

    /// `try`: its handlers are passed over, because what is followed raises nothing.
    fn attempt(&mut self, line: usize) -> Result<Statement> {
        self.at += 1;
        self.expect(":")?;
        let mut body = self.block()?;
        while self.is_name("except") {
            self.pass_over();
        }
        body.extend(self.otherwise()?);
        let mut last = Vec::new();
        if self.accept_name("finally") {
            self.expect(":")?;
            last = self.block()?;
        }
        Ok(Statement::Try(line, body, last))
    }

    /// What an `import` binds: names, and what they stand for.
    pub(super) fn import(&mut self) -> Result<Vec<(String, String)>> {
        if self.accept_name("import") {
            let mut names = Vec::new();
            loop {
                let module = self.dotted_name()?;
                let first = module.split('.').next().unwrap_or_default().to_owned();
                names.push(if self.accept_name("as") { (self.name()?, module) } else { (first.clone(), first) });
                if !self.accept(",") {
                    return Ok(names);
                }
            }
        }
        self.at += 1;
        let module = self.dotted_name()?;
        if !self.accept_name("import") {
            return at(self.line(), "import is expected here");
        }
        let parenthesised = self.accept("(");
        let mut names = Vec::new();
        while !matches!(self.peek(), Kind::Line | Kind::End) {
            if self.accept("*") {
                names.push(("*".to_owned(), module.clone()));
                break;
            }
            let own = self.name()?;
            let name = if self.accept_name("as") { self.name()? } else { own.clone() };
            names.push((name, format!("{module}.{own}")));
            if !self.accept(",") || parenthesised && self.is_mark(")") {
                break;
            }
        }
        if parenthesised {
            self.expect(")")?;
        }
        Ok(names)
    }

    /// `torch.nn`, and `..blocks` of a package.
    fn dotted_name(&mut self) -> Result<String> {
        let mut name = String::new();
        while matches!(self.peek(), Kind::Mark("." | "...")) {
            self.at += 1;
            name.push('.');
        }
        if self.is_name("import") && !name.is_empty() {
            return Ok(name);
        }
        name += &self.name()?;
        while self.accept(".") {
            name = format!("{name}.{}", self.name()?);
        }
        Ok(name)
    }

    fn while_loop(&mut self) -> Result<Statement> {
        self.at += 1;
        let condition = self.expression()?;
        self.expect(":")?;
        let body = self.block()?;
        Ok(Statement::While(condition, body, self.otherwise()?))
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
