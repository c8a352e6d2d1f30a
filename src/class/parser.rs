//! Tokens to classes: the statements and expressions that definitions of networks are made of.

mod expression;

use super::at;
use super::lexer::{Kind, Token};
use crate::error::{Error, Result};

/// Deepest nesting of expressions and blocks.
const DEPTH: usize = 64;
/// Highest tree of one expression.
const HEIGHT: usize = 100;

/// An expression and its line.
#[derive(Clone, Debug)]
pub struct Expression {
    pub line: usize,
    pub node: Node,
    /// Levels of its tree.
    height: usize,
}

#[derive(Clone, Debug)]
pub enum Node {
    Int(i64),
    Float(f64),
    Text(String),
    Name(String),
    Attribute(Box<Expression>, String),
    Call(Box<Expression>, Vec<Argument>),
    Index(Box<Expression>, Box<Expression>),
    List(Vec<Argument>),
    Tuple(Vec<Expression>),
    /// `[item for names in range]`.
    Each(Box<Expression>, Vec<String>, Box<Expression>),
    Binary(&'static str, Box<Expression>, Box<Expression>),
    Minus(Box<Expression>),
    Not(Box<Expression>),
}

/// One argument of a call, or one item of a list.
#[derive(Clone, Debug)]
pub struct Argument {
    pub name: Option<String>,
    /// `*value`.
    pub is_spread: bool,
    pub value: Expression,
}

#[derive(Clone, Debug)]
pub enum Statement {
    /// Targets, and the operator of an augmented assignment.
    Assign(Vec<Expression>, Option<&'static str>, Expression),
    Return(usize, Option<Expression>),
    For(usize, Vec<String>, Expression, Vec<Statement>),
    /// What holds if the condition does, and what else.
    If(Expression, Vec<Statement>, Vec<Statement>),
    Expression(Expression),
}

#[derive(Clone, Debug)]
pub struct Function {
    pub line: usize,
    /// Names and defaults, `self` left out.
    pub parameters: Vec<(String, Option<Expression>)>,
    pub body: Vec<Statement>,
    /// Why it cannot be followed; told when somebody calls it.
    pub fault: Option<Error>,
}

#[derive(Clone, Debug)]
pub struct Class {
    pub name: String,
    pub line: usize,
    pub functions: Vec<(String, Function)>,
}

/// Every class of the file; what stands outside classes is passed over, because nothing is executed.
pub fn classes(tokens: &[Token]) -> Result<Vec<Class>> {
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let mut classes = Vec::new();
    while *parser.peek() != Kind::End {
        match parser.is_name("class") {
            true => classes.push(parser.class()?),
            false => parser.pass_over(),
        }
    }
    Ok(classes)
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Kind {
        self.tokens.get(self.at).map_or(&Kind::End, |token| &token.kind)
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |token| token.line)
    }

    fn next(&mut self) -> Kind {
        let kind = self.peek().clone();
        self.at += 1;
        kind
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(self.peek(), Kind::Name(found) if found == name)
    }

    fn is_mark(&self, mark: &str) -> bool {
        matches!(self.peek(), Kind::Mark(found) if *found == mark)
    }

    fn accept(&mut self, mark: &str) -> bool {
        let found = self.is_mark(mark);
        self.at += usize::from(found);
        found
    }

    fn accept_name(&mut self, name: &str) -> bool {
        let found = self.is_name(name);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: &str) -> Result<()> {
        match self.accept(mark) {
            true => Ok(()),
            false => at(self.line(), format!("{mark} is expected here")),
        }
    }

    fn name(&mut self) -> Result<String> {
        let line = self.line();
        match self.next() {
            Kind::Name(name) => Ok(name),
            _ => at(line, "a name is expected here"),
        }
    }

    /// `a, b in` of a loop.
    fn loop_names(&mut self) -> Result<Vec<String>> {
        let mut names = vec![self.name()?];
        while self.accept(",") {
            names.push(self.name()?);
        }
        match self.accept_name("in") {
            true => Ok(names),
            false => at(self.line(), "a loop over names is read, such as: for i in range(8)"),
        }
    }

    /// A statement with its block, unread.
    fn pass_over(&mut self) {
        while !matches!(self.next(), Kind::Line | Kind::End) {}
        let mut depth = 0usize;
        loop {
            match self.peek() {
                Kind::Indent => depth += 1,
                Kind::Dedent if depth > 0 => depth -= 1,
                Kind::End => return,
                _ if depth == 0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }

    fn class(&mut self) -> Result<Class> {
        let line = self.line();
        self.at += 1;
        let name = self.name()?;
        while !self.is_mark(":") && *self.peek() != Kind::Line {
            self.at += 1;
        }
        self.expect(":")?;
        let mut functions = Vec::new();
        self.begin_block()?;
        while !matches!(self.peek(), Kind::Dedent | Kind::End) {
            match self.is_name("def") {
                true => functions.push(self.readable()?),
                // A docstring, a constant, a decorator: forward needs none of them, or says so where it does.
                false => self.pass_over(),
            }
        }
        self.at += 1;
        Ok(Class { name, line, functions })
    }

    fn begin_block(&mut self) -> Result<()> {
        let line = self.line();
        while *self.peek() == Kind::Line {
            self.at += 1;
        }
        match self.next() {
            Kind::Indent => Ok(()),
            _ => at(line, "an indented block is expected here"),
        }
    }

    /// A method; one that cannot be read keeps its fault and ends where its block ends.
    fn readable(&mut self) -> Result<(String, Function)> {
        let (begin, line) = (self.at, self.line());
        self.function().or_else(|fault| {
            (self.at, self.depth) = (begin + 1, 0);
            let name = self.name()?;
            self.at = begin;
            self.pass_over();
            Ok((name, Function { line, parameters: Vec::new(), body: Vec::new(), fault: Some(fault) }))
        })
    }

    fn function(&mut self) -> Result<(String, Function)> {
        let line = self.line();
        self.at += 1;
        let name = self.name()?;
        self.expect("(")?;
        let mut parameters = Vec::new();
        while !self.accept(")") {
            let parameter = self.name()?;
            if self.accept(":") {
                self.expression()?;
            }
            let default = if self.accept("=") { Some(self.expression()?) } else { None };
            parameters.push((parameter, default));
            if !self.accept(",") {
                self.expect(")")?;
                break;
            }
        }
        if self.accept("->") {
            self.expression()?;
        }
        self.expect(":")?;
        if !parameters.is_empty() {
            parameters.remove(0);
        }
        let body = self.block()?;
        Ok((name, Function { line, parameters, body, fault: None }))
    }

    fn block(&mut self) -> Result<Vec<Statement>> {
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

    fn statement(&mut self, list: &mut Vec<Statement>) -> Result<()> {
        let line = self.line();
        if let Kind::Name(word) = self.peek() {
            match word.as_str() {
                "return" => {
                    self.at += 1;
                    let value = if *self.peek() == Kind::Line { None } else { Some(self.tuple()?) };
                    list.push(Statement::Return(line, value));
                    return self.end_of_line();
                }
                "for" => {
                    self.at += 1;
                    let names = self.loop_names()?;
                    let over = self.expression()?;
                    self.expect(":")?;
                    let body = self.block()?;
                    list.push(Statement::For(line, names, over, body));
                    return Ok(());
                }
                "if" | "elif" => {
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
                    list.push(Statement::If(condition, then, other));
                    return Ok(());
                }
                "pass" => {
                    self.at += 1;
                    return self.end_of_line();
                }
                "while" | "with" | "try" | "def" | "class" | "lambda" | "global" | "import" | "from" | "assert"
                | "raise" | "del" => {
                    return at(
                        line,
                        format!("infill does not follow \"{word}\" inside a method: write the layers out"),
                    );
                }
                _ => {}
            }
        }
        let first = self.tuple()?;
        let mut targets = vec![first];
        for mark in ["+=", "-=", "*=", "/="] {
            if self.accept(mark) {
                let value = self.tuple()?;
                list.push(Statement::Assign(targets, Some(&mark[..1]), value));
                return self.end_of_line();
            }
        }
        while self.accept("=") {
            targets.push(self.tuple()?);
        }
        let Some(value) = targets.pop() else { return at(line, "this is not read here") };
        list.push(match targets.is_empty() {
            true => Statement::Expression(value),
            false => Statement::Assign(targets, None, value),
        });
        self.end_of_line()
    }

    fn end_of_line(&mut self) -> Result<()> {
        let line = self.line();
        match self.next() {
            Kind::Line | Kind::Mark(";") | Kind::End => Ok(()),
            other => at(line, format!("this is not read here: {}", shown(&other))),
        }
    }
}

/// A token as a person would write it.
fn shown(kind: &Kind) -> String {
    match kind {
        Kind::Name(name) => name.clone(),
        Kind::Int(number) => number.to_string(),
        Kind::Float(number) => number.to_string(),
        Kind::Text(text) => format!("\"{}\"", text.chars().take(20).collect::<String>()),
        Kind::Mark(mark) => (*mark).to_owned(),
        Kind::Line | Kind::End => "the end of the line".to_owned(),
        Kind::Indent | Kind::Dedent => "a change of indentation".to_owned(),
    }
}
