//! Tokens to classes: the statements and expressions that definitions of networks are made of.

mod definition;
mod expression;
mod statement;
mod text;

use std::collections::HashMap;
use std::rc::Rc;

use super::at;
use super::lexer::{Kind, Token};
use crate::error::{Error, Result};
use crate::limits::MAX_CLASS_PARSE_DEPTH;

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
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// An f-string: texts and what stands between them.
    Format(Vec<Expression>),
    Name(String),
    Attribute(Box<Expression>, String),
    Call(Box<Expression>, Vec<Argument>),
    Index(Box<Expression>, Box<Expression>),
    /// `begin:end:step` inside an index.
    Slice(Vec<Option<Expression>>),
    List(Vec<Argument>),
    Tuple(Vec<Argument>),
    /// Keys and values; without a key, `**value`.
    Dict(Vec<(Option<Expression>, Expression)>),
    /// `[item for ..]`, and `{key: value for ..}` with a pair as its item.
    Each {
        item: Box<Expression>,
        clauses: Vec<Clause>,
        is_dict: bool,
    },
    Binary(&'static str, Box<Expression>, Box<Expression>),
    /// Condition, what holds if it does, and what else.
    Either(Box<[Expression; 3]>),
    Lambda(Rc<Function>),
    Minus(Box<Expression>),
    Not(Box<Expression>),
}

/// `for targets in over if conditions`.
#[derive(Clone, Debug)]
pub struct Clause {
    pub targets: Expression,
    pub over: Expression,
    pub conditions: Vec<Expression>,
}

/// One argument of a call, or one item of a list.
#[derive(Clone, Debug)]
pub struct Argument {
    pub name: Option<String>,
    /// Stars before it: `*value`, `**value`.
    pub stars: usize,
    pub value: Expression,
}

#[derive(Clone, Debug)]
pub enum Statement {
    /// Targets, and the operator of an augmented assignment.
    Assign(Vec<Expression>, Option<&'static str>, Expression),
    Return(Option<Expression>),
    For(usize, Expression, Expression, Vec<Statement>),
    While(Expression, Vec<Statement>),
    Break,
    Continue,
    /// What holds if the condition does, and what else.
    If(Expression, Vec<Statement>, Vec<Statement>),
    /// The body of a `with`.
    With(Vec<Statement>),
    Define(Rc<Function>),
    Raise(usize),
    Expression(Expression),
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// By place or name.
    One,
    /// By name alone, after a bare `*` or `*args`.
    Named,
    /// `*args`.
    Rest,
    /// `**kwargs`.
    RestNamed,
}

#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: String,
    pub default: Option<Expression>,
    pub takes: Takes,
}

#[derive(Clone, Debug)]
pub struct Function {
    pub name: String,
    pub line: usize,
    /// All of them, `self` included.
    pub parameters: Vec<Parameter>,
    pub body: Vec<Statement>,
    /// The decorator's name, such as `staticmethod`; empty if there is none.
    pub decorator: String,
    /// Why it cannot be followed; told when somebody calls it.
    pub parse_error: Option<Error>,
}

#[derive(Clone, Debug)]
pub struct Class {
    pub name: String,
    pub line: usize,
    /// Dotted names.
    pub bases: Vec<String>,
    /// Itself and its base classes of the file, in the order in which methods are looked for.
    pub lineage: Vec<usize>,
    /// The first base class from outside the file, without what stands before its last dot.
    pub outer_base: String,
    pub functions: HashMap<String, Rc<Function>>,
    /// Attributes of the class itself, read when they are asked for.
    pub constants: HashMap<String, Rc<Expression>>,
}

/// What a file defines. Nothing of it is executed: a constant is read when a class asks for it.
#[derive(Default)]
pub struct Module {
    pub classes: Vec<Class>,
    /// The first class of each name, as an index into `classes`.
    pub class_places: HashMap<String, usize>,
    pub functions: HashMap<String, Rc<Function>>,
    pub constants: HashMap<String, Rc<Expression>>,
}

/// Every class, function and constant of the file.
pub fn module(tokens: &[Token]) -> Result<Module> {
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let mut module = Module::default();
    while *parser.peek() != Kind::End {
        let decorator = parser.decorator();
        if parser.is_name("class") {
            let class = parser.class()?;
            module.class_places.entry(class.name.clone()).or_insert(module.classes.len());
            module.classes.push(class);
        } else {
            parser.definition(decorator, &mut module.functions, &mut module.constants)?;
        }
    }
    definition::resolve_bases(&mut module);
    Ok(module)
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
        if self.accept(mark) {
            Ok(())
        } else {
            at(self.line(), format!("{mark} is expected here, but {} stands here", shown(self.peek())))
        }
    }

    fn name(&mut self) -> Result<String> {
        let line = self.line();
        match self.next() {
            Kind::Name(name) => Ok(name),
            _ => at(line, "a name is expected here"),
        }
    }

    /// Reads one level of nesting deeper; an error beyond the cap.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MAX_CLASS_PARSE_DEPTH {
            return at(self.line(), "this is nested too deeply");
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
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
}

/// A token as a person would write it.
fn shown(kind: &Kind) -> String {
    match kind {
        Kind::Name(name) => name.clone(),
        Kind::Int(number) => number.to_string(),
        Kind::Float(number) => number.to_string(),
        Kind::Text(text) | Kind::Format(text) => format!("\"{}\"", text.chars().take(20).collect::<String>()),
        Kind::Mark(mark) => (*mark).to_owned(),
        Kind::Line | Kind::End => "the end of the line".to_owned(),
        Kind::Indent | Kind::Dedent => "a change of indentation".to_owned(),
    }
}
