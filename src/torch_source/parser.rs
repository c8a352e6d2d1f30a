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
    /// `...`.
    Ellipsis,
    /// An f-string: texts and what stands between them.
    Format(Vec<Expression>),
    /// A value in an f-string, its conversion (`!r` is `r`; none is a space), and its format.
    Formatted(Box<Expression>, char, Box<Expression>),
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
        makes: Makes,
    },
    Binary(&'static str, Box<Expression>, Box<Expression>),
    /// `a < b <= c`: every value once, from left to right.
    Compare(Box<Expression>, Vec<(&'static str, Expression)>),
    /// `name := value`.
    Walrus(String, Box<Expression>),
    /// Condition, what holds if it does, and what else.
    Either(Box<[Expression; 3]>),
    Lambda(Rc<Function>),
    Minus(Box<Expression>),
    Plus(Box<Expression>),
    Not(Box<Expression>),
    /// `~value`.
    Invert(Box<Expression>),
}

/// What a comprehension makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Makes {
    List,
    Dict,
    /// Items that can be taken once.
    Generator,
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
    /// Targets and their value.
    Assign(Vec<Expression>, Expression),
    /// `target operator= value`.
    Augment(Expression, &'static str, Expression),
    Return(Option<Expression>),
    /// Targets, what it runs over, its body, and what follows where no `break` ended it.
    For(usize, Expression, Expression, Vec<Statement>, Vec<Statement>),
    While(Expression, Vec<Statement>, Vec<Statement>),
    Break,
    Continue,
    /// What holds if the condition does, and what else.
    If(Expression, Vec<Statement>, Vec<Statement>),
    /// What a `with` enters, and its body.
    With(Vec<(Expression, Option<Expression>)>, Vec<Statement>),
    Define(Rc<Function>),
    Raise(usize),
    Expression(Expression),
    /// `del`.
    Delete(Vec<Expression>),
    Global(Vec<String>),
    Nonlocal(Vec<String>),
    /// Names and the dotted names that they stand for.
    Import(Vec<(String, String)>),
    /// The body, its `else` and its `finally`; whether there is an `except`.
    Try(usize, Vec<Statement>, Vec<Statement>),
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
    /// Its type as it is written; empty where there is none.
    pub annotation: String,
    pub default: Option<Expression>,
    /// The default as it is written.
    pub default_text: String,
    pub takes: Takes,
}

#[derive(Clone, Debug)]
pub struct Function {
    pub name: String,
    pub line: usize,
    /// All of them, `self` included.
    pub parameters: Vec<Parameter>,
    pub body: Vec<Statement>,
    /// The decorators' dotted names, such as `staticmethod`.
    pub decorators: Vec<String>,
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
    /// The line of the first thing in it that is not followed, such as a decorator or a condition.
    pub unread: Option<usize>,
}

/// What a file defines. Nothing of it is executed: a constant is read when a class asks for it.
#[derive(Default)]
pub struct Module {
    pub classes: Vec<Class>,
    /// The last class of each name, as an index into `classes`.
    pub class_places: HashMap<String, usize>,
    pub functions: HashMap<String, Rc<Function>>,
    pub constants: HashMap<String, Rc<Expression>>,
    /// Imported names and the dotted names that they stand for.
    pub imports: HashMap<String, String>,
    /// Names whose value changes while the file runs, and the line where it does.
    pub changing: HashMap<String, usize>,
    /// Calls of the file's classes outside of any class or function, in order: `net = Net(4, 3)`.
    pub made: Vec<Made>,
}

/// `Net(4, 3)` outside of any class or function.
pub struct Made {
    pub class: String,
    pub arguments: Vec<Argument>,
}

/// Every class, function and constant of the file.
pub fn module(tokens: &[Token]) -> Result<Module> {
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let mut module = Module::default();
    while *parser.peek() != Kind::End {
        let decorators = parser.decorators()?;
        if parser.is_name("class") {
            let mut class = parser.class()?;
            class.unread = class.unread.or((!decorators.is_empty()).then_some(class.line));
            module.class_places.insert(class.name.clone(), module.classes.len());
            module.classes.push(class);
        } else {
            parser.definition(decorators, &mut module)?;
        }
    }
    definition::resolve_bases(&mut module);
    Ok(module)
}

/// One expression alone, such as `Net(4, 3)`.
pub fn expression(tokens: &[Token]) -> Result<Expression> {
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let value = parser.expression()?;
    if *parser.peek() == Kind::Line { Ok(value) } else { at(parser.line(), "one call is expected here") }
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

/// Tokens of one expression as a person would write them.
fn spelled(tokens: &[Token]) -> String {
    let mut text = String::new();
    for token in tokens {
        let next = match &token.kind {
            Kind::Text(text) => format!("'{text}'"),
            kind => shown(kind),
        };
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let parts_words = is_word(text.chars().next_back()) && is_word(next.chars().next());
        if parts_words || text.ends_with(',') {
            text.push(' ');
        }
        text += &next;
    }
    text
}

/// A token as a person would write it.
fn shown(kind: &Kind) -> String {
    match kind {
        Kind::Name(name) => name.clone(),
        Kind::Int(number) => number.to_string(),
        Kind::Float(number) => number.to_string(),
        Kind::Text(text) | Kind::Format(text) => {
            format!("\"{}\"", text.chars().take(20).collect::<String>())
        }
        Kind::Mark(mark) => (*mark).to_owned(),
        Kind::Line | Kind::End => "the end of the line".to_owned(),
        Kind::Indent | Kind::Dedent => "a change of indentation".to_owned(),
    }
}
