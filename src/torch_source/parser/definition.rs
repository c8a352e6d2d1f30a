//! Classes, functions and constants.

use std::collections::HashMap;
use std::rc::Rc;

use super::super::at;
use super::super::lexer::Kind;
use super::{Class, Expression, Function, Made, Module, Node, Parameter, Parser, Statement, Takes, spelled};
use crate::error::Result;
use crate::limits::MAX_CLASS_BASES;

impl Parser<'_> {
    pub(super) fn class(&mut self) -> Result<Class> {
        let line = self.line();
        self.at += 1;
        let name = self.name()?;
        let mut bases = Vec::new();
        let mut unread = None;
        if self.accept("(") {
            for base in self.arguments(")")? {
                match dotted(&base.value) {
                    Some(dotted) if base.name.is_none() => bases.push(dotted),
                    _ if base.name.as_deref() == Some("metaclass") => {}
                    _ => unread = Some(line),
                }
            }
        }
        self.expect(":")?;
        let (lineage, outer_base) = (Vec::new(), String::new());
        let (functions, constants) = (HashMap::new(), HashMap::new());
        let mut class = Class { name, line, bases, lineage, outer_base, functions, constants, unread };
        if *self.peek() != Kind::Line {
            self.pass_over();
            return Ok(class);
        }
        self.begin_block()?;
        while !matches!(self.peek(), Kind::Dedent | Kind::End) {
            self.member(&mut class)?;
        }
        self.at += 1;
        Ok(class)
    }

    /// A method or a constant of a class; anything else makes the class one that is not followed.
    fn member(&mut self, class: &mut Class) -> Result<()> {
        let decorators = self.decorators()?;
        let line = self.line();
        if self.is_name("def") {
            let function = self.readable(decorators)?;
            // A setter belongs to the property of its name.
            if !function.decorators.iter().any(|name| name.ends_with(".setter")) {
                class.functions.insert(function.name.clone(), Rc::new(function));
            }
            return Ok(());
        }
        let begin = self.at;
        let mut read = Vec::new();
        let outcome = if self.is_name("class") { at(line, "a class in a class") } else { self.statement(&mut read) };
        match (outcome, read.pop()) {
            (Ok(()), Some(Statement::Assign(targets, value))) => {
                let value = Rc::new(value);
                for target in targets {
                    match target.node {
                        Node::Name(name) => drop(class.constants.insert(name, value.clone())),
                        _ => class.unread = class.unread.or(Some(line)),
                    }
                }
            }
            // A docstring, `pass`, or an annotation alone.
            (Ok(()), None | Some(Statement::Import(_))) => {}
            (Ok(()), Some(_)) => class.unread = class.unread.or(Some(line)),
            (Err(_), _) => {
                (self.at, self.depth) = (begin, 0);
                self.pass_over();
                class.unread = class.unread.or(Some(line));
            }
        }
        Ok(())
    }

    /// The dotted names of the decorators that stand here, their arguments unread.
    pub(super) fn decorators(&mut self) -> Result<Vec<String>> {
        let mut list = Vec::new();
        while self.accept("@") {
            let value = self.expression()?;
            let name = match &value.node {
                Node::Call(callee, _) => dotted(callee),
                _ => dotted(&value),
            };
            list.push(name.unwrap_or_else(|| "lambda".to_owned()));
            while *self.peek() == Kind::Line {
                self.at += 1;
            }
        }
        Ok(list)
    }

    /// A function, a constant, an import, or anything else, which is passed over: what needs it says so where it does.
    pub(super) fn definition(&mut self, decorators: Vec<String>, module: &mut Module) -> Result<()> {
        if self.is_name("def") {
            let function = self.readable(decorators)?;
            module.functions.insert(function.name.clone(), Rc::new(function));
            return Ok(());
        }
        let (begin, line) = (self.at, self.line());
        let mut read = Vec::new();
        match self.statement(&mut read) {
            Ok(()) => read.iter().for_each(|statement| module.bind(statement, true)),
            Err(_) => {
                (self.at, self.depth) = (begin, 0);
                self.unread_names(module, line);
                self.pass_over();
            }
        }
        Ok(())
    }

    /// What an unread statement may bind or change: every name before `=` in its lines.
    fn unread_names(&mut self, module: &mut Module, line: usize) {
        let begin = self.at;
        self.pass_over();
        let end = self.at;
        for token in &self.tokens[begin..end.min(self.tokens.len())] {
            if let Kind::Name(name) = &token.kind
                && module.constants.contains_key(name)
            {
                module.changing.entry(name.clone()).or_insert(line);
            }
        }
        self.at = begin;
    }

    pub(super) fn begin_block(&mut self) -> Result<()> {
        let line = self.line();
        while *self.peek() == Kind::Line {
            self.at += 1;
        }
        match self.next() {
            Kind::Indent => Ok(()),
            _ => at(line, "an indented block is expected here"),
        }
    }

    /// A function; one that cannot be read keeps its error and ends where its block ends.
    pub(super) fn readable(&mut self, decorators: Vec<String>) -> Result<Function> {
        let (begin, depth, line) = (self.at, self.depth, self.line());
        self.function(decorators.clone()).or_else(|error| {
            (self.at, self.depth) = (begin + 1, depth);
            let name = self.name()?;
            self.at = begin;
            self.pass_over();
            let (parameters, body) = (Vec::new(), Vec::new());
            Ok(Function { name, line, parameters, body, decorators, parse_error: Some(error) })
        })
    }

    fn function(&mut self, decorators: Vec<String>) -> Result<Function> {
        let line = self.line();
        self.at += 1;
        let name = self.name()?;
        self.expect("(")?;
        let parameters = self.parameters(")", true)?;
        if self.accept("->") {
            self.expression()?;
        }
        self.expect(":")?;
        let body = self.block()?;
        Ok(Function { name, line, parameters, body, decorators, parse_error: None })
    }

    /// What `read` reads, and how it is written from the token `begin` on.
    fn written(&mut self, begin: usize, read: fn(&mut Self) -> Result<Expression>) -> Result<(Expression, String)> {
        let value = read(self)?;
        Ok((value, spelled(self.tokens.get(begin..self.at).unwrap_or_default())))
    }

    /// Parameters up to `close`, which is `)` or a lambda's `:`.
    pub(super) fn parameters(&mut self, close: &str, has_types: bool) -> Result<Vec<Parameter>> {
        let mut list = Vec::new();
        let mut takes = Takes::One;
        while !self.accept(close) {
            let star = ["**", "*", "/"].into_iter().find(|mark| self.accept(mark));
            if matches!(star, Some("/")) || (star == Some("*") && self.is_mark(",")) {
                takes = if star == Some("*") { Takes::Named } else { takes };
            } else {
                let name = self.name()?;
                let begin = self.at + 1;
                let is_typed = has_types && self.accept(":");
                let annotation = if is_typed { self.written(begin, Self::expression)?.1 } else { String::new() };
                let begin = self.at + 1;
                let (default, default_text) = match self.accept("=") {
                    true => self.written(begin, Self::expression).map(|(value, text)| (Some(value), text))?,
                    false => (None, String::new()),
                };
                let own = match star {
                    Some("**") => Takes::RestNamed,
                    Some(_) => Takes::Rest,
                    None => takes,
                };
                takes = if own == Takes::Rest { Takes::Named } else { takes };
                list.push(Parameter { name, annotation, default, default_text, takes: own });
            }
            if !self.accept(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(list)
    }
}

impl Module {
    /// Notes what a statement outside of any class or function binds, changes or makes; `once` unless it may be done
    /// several times or not at all.
    fn bind(&mut self, statement: &Statement, once: bool) {
        match statement {
            Statement::Assign(targets, value) => {
                self.note_made(value);
                let value = Rc::new(value.clone());
                for target in targets {
                    self.bind_target(target, &value, once);
                }
            }
            Statement::Augment(target, _, _) => self.change(target),
            Statement::Delete(targets) => targets.iter().for_each(|target| self.change(target)),
            Statement::Import(names) => {
                for (name, dotted) in names {
                    self.imports.entry(name.clone()).or_insert(dotted.clone());
                }
            }
            Statement::Expression(value) => {
                self.note_made(value);
                if let Node::Call(callee, _) = &value.node
                    && let Node::Attribute(owner, _) = &callee.node
                {
                    self.change(owner);
                }
            }
            Statement::Define(function) => drop(self.functions.insert(function.name.clone(), function.clone())),
            Statement::Try(_, body, last) => body.iter().chain(last).for_each(|inner| self.bind(inner, once)),
            Statement::With(_, body) => body.iter().for_each(|inner| self.bind(inner, once)),
            Statement::If(_, then, other) => then.iter().chain(other).for_each(|inner| self.bind(inner, false)),
            Statement::While(_, body, other) | Statement::For(_, _, _, body, other) => {
                body.iter().chain(other).for_each(|inner| self.bind(inner, false));
            }
            _ => {}
        }
    }

    fn bind_target(&mut self, target: &Expression, value: &Rc<Expression>, once: bool) {
        match &target.node {
            Node::Name(name) => {
                let before = self.constants.insert(name.clone(), value.clone());
                if before.is_some() || !once {
                    self.changing.insert(name.clone(), target.line);
                }
            }
            Node::Tuple(targets) | Node::List(targets) => {
                for target in targets {
                    self.bind_target(&target.value, value, false);
                }
            }
            _ => self.change(target),
        }
    }

    /// Notes that what a target begins with is changed.
    fn change(&mut self, target: &Expression) {
        let mut target = target;
        while let Node::Attribute(owner, _) | Node::Index(owner, _) = &target.node {
            target = owner;
        }
        if let Node::Name(name) = &target.node {
            self.changing.insert(name.clone(), target.line);
        }
    }

    /// Notes `Net(4, 3)`, and `Net(4, 3).cuda().eval()`.
    fn note_made(&mut self, value: &Expression) {
        let mut value = value;
        while let Node::Call(callee, arguments) = &value.node {
            match &callee.node {
                Node::Attribute(owner, _) => value = owner,
                Node::Name(class) => {
                    let (class, arguments) = (class.clone(), arguments.clone());
                    return self.made.push(Made { class, arguments });
                }
                _ => return,
            }
        }
    }
}

/// Finds every class's base classes once, so that looking for a method takes no search.
pub(super) fn resolve_bases(module: &mut Module) {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut direct = Vec::new();
    // A base is the class of its name that stands before, or else behind.
    for (index, class) in module.classes.iter().enumerate() {
        let find = |base: &String| places.get(base.as_str()).or(module.class_places.get(base)).copied();
        direct.push(class.bases.iter().take(MAX_CLASS_BASES).map(find).collect::<Vec<_>>());
        places.insert(&class.name, index);
    }
    for class in 0..module.classes.len() {
        let lineage = lineage(&direct, class);
        let outer_base = outer_base(module, &direct, &lineage);
        let class = &mut module.classes[class];
        (class.lineage, class.outer_base) = (lineage, outer_base);
    }
}

/// A class and its bases, in the order in which Python looks methods up.
fn lineage(direct: &[Vec<Option<usize>>], class: usize) -> Vec<usize> {
    let (mut list, mut next) = (Vec::new(), vec![class]);
    while let Some(class) = next.pop().filter(|_| list.len() < 4 * MAX_CLASS_BASES) {
        list.push(class);
        next.extend(direct[class].iter().rev().flatten());
    }
    // A class that several inherit from comes after all of them.
    let is_last = |&(place, class): &(usize, &usize)| place == 0 || !list[place + 1..].contains(class);
    let last: Vec<usize> = list.iter().enumerate().filter(is_last).map(|(_, &class)| class).collect();
    let others = last[1..].iter().copied().filter(|&other| other != class);
    std::iter::once(class).chain(others).take(MAX_CLASS_BASES).collect()
}

/// The first base class from outside the file; `object` if there is none.
fn outer_base(module: &Module, direct: &[Vec<Option<usize>>], lineage: &[usize]) -> String {
    let bases = lineage.iter().flat_map(|&class| module.classes[class].bases.iter().zip(&direct[class]));
    let mut outer = bases.filter(|(base, place)| place.is_none() && !is_marker(base));
    outer.next().map_or_else(|| "object".to_owned(), |(base, _)| base.clone())
}

/// A base class that adds nothing.
fn is_marker(base: &str) -> bool {
    matches!(base.rsplit('.').next(), Some("object" | "ABC" | "Generic" | "Protocol"))
}

/// `nn.Module` as text; `None` if the expression is no dotted name.
fn dotted(expression: &Expression) -> Option<String> {
    match &expression.node {
        Node::Name(name) => Some(name.clone()),
        Node::Attribute(owner, name) => Some(format!("{}.{name}", dotted(owner)?)),
        _ => None,
    }
}
