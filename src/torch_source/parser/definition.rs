//! Classes, functions and constants.

use std::collections::HashMap;
use std::rc::Rc;

use super::super::at;
use super::super::lexer::Kind;
use super::{Class, Expression, Function, Module, Node, Parameter, Parser, Statement, Takes};
use crate::error::Result;
use crate::limits::MAX_CLASS_BASES;

impl Parser<'_> {
    pub(super) fn class(&mut self) -> Result<Class> {
        let line = self.line();
        self.at += 1;
        let name = self.name()?;
        let mut bases = Vec::new();
        if self.accept("(") {
            for base in self.arguments(")")?.into_iter().filter(|base| base.name.is_none()) {
                bases.extend(dotted(&base.value));
            }
        }
        self.expect(":")?;
        let mut class = Class {
            name,
            line,
            bases,
            lineage: Vec::new(),
            outer_base: String::new(),
            functions: HashMap::new(),
            constants: HashMap::new(),
        };
        if *self.peek() != Kind::Line {
            self.pass_over();
            return Ok(class);
        }
        self.begin_block()?;
        while !matches!(self.peek(), Kind::Dedent | Kind::End) {
            let decorator = self.decorator();
            self.definition(decorator, &mut class.functions, &mut class.constants)?;
        }
        self.at += 1;
        Ok(class)
    }

    /// The name of the last decorator that stands here; empty if there is none.
    pub(super) fn decorator(&mut self) -> String {
        let mut decorator = String::new();
        while self.accept("@") {
            decorator = self.name().unwrap_or_default();
            self.pass_over();
        }
        decorator
    }

    /// A function, a constant, or anything else, which is passed over: what needs it says so where it does.
    pub(super) fn definition(
        &mut self,
        decorator: String,
        functions: &mut HashMap<String, Rc<Function>>,
        constants: &mut HashMap<String, Rc<Expression>>,
    ) -> Result<()> {
        if self.is_name("def") {
            let function = self.readable(decorator)?;
            functions.insert(function.name.clone(), Rc::new(function));
            return Ok(());
        }
        if self.is_name("class") {
            self.pass_over();
            return Ok(());
        }
        let begin = self.at;
        let mut read = Vec::new();
        let outcome = self.statement(&mut read);
        match (outcome, read.pop()) {
            (Ok(()), Some(Statement::Assign(targets, None, value))) => {
                let value = Rc::new(value);
                for target in targets {
                    if let Node::Name(name) = target.node {
                        constants.insert(name, value.clone());
                    }
                }
            }
            (Ok(()), _) => {}
            (Err(_), _) => {
                (self.at, self.depth) = (begin, 0);
                self.pass_over();
            }
        }
        Ok(())
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
    pub(super) fn readable(&mut self, decorator: String) -> Result<Function> {
        let (begin, depth, line) = (self.at, self.depth, self.line());
        self.function(decorator.clone()).or_else(|error| {
            (self.at, self.depth) = (begin + 1, depth);
            let name = self.name()?;
            self.at = begin;
            self.pass_over();
            Ok(Function { name, line, parameters: Vec::new(), body: Vec::new(), decorator, parse_error: Some(error) })
        })
    }

    fn function(&mut self, decorator: String) -> Result<Function> {
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
        Ok(Function { name, line, parameters, body, decorator, parse_error: None })
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
                if has_types && self.accept(":") {
                    self.expression()?;
                }
                let default = if self.accept("=") { Some(self.expression()?) } else { None };
                let own = match star {
                    Some("**") => Takes::RestNamed,
                    Some(_) => Takes::Rest,
                    None => takes,
                };
                takes = if own == Takes::Rest { Takes::Named } else { takes };
                list.push(Parameter { name, default, takes: own });
            }
            if !self.accept(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(list)
    }
}

/// Finds every class's base classes once, so that looking for a method takes no search.
pub(super) fn resolve_bases(module: &mut Module) {
    for class in 0..module.classes.len() {
        let lineage = lineage(module, class);
        let outer_base = outer_base(module, &lineage);
        let class = &mut module.classes[class];
        (class.lineage, class.outer_base) = (lineage, outer_base);
    }
}

fn lineage(module: &Module, class: usize) -> Vec<usize> {
    let (mut list, mut next) = (Vec::new(), vec![class]);
    while let Some(class) = next.pop().filter(|_| list.len() < MAX_CLASS_BASES) {
        if list.contains(&class) {
            continue;
        }
        list.push(class);
        let bases = module.classes[class].bases.iter().take(MAX_CLASS_BASES).rev();
        next.extend(bases.filter_map(|base| module.class_places.get(base)));
    }
    list
}

fn outer_base(module: &Module, lineage: &[usize]) -> String {
    let bases = lineage.iter().flat_map(|&class| module.classes[class].bases.iter().take(MAX_CLASS_BASES));
    let mut outer = bases.filter(|base| !module.class_places.contains_key(*base));
    outer.next().map_or("Module", |base| base.rsplit('.').next().unwrap_or(base)).to_owned()
}

/// `nn.Module` as text; `None` if the expression is no dotted name.
fn dotted(expression: &Expression) -> Option<String> {
    match &expression.node {
        Node::Name(name) => Some(name.clone()),
        Node::Attribute(owner, name) => Some(format!("{}.{name}", dotted(owner)?)),
        _ => None,
    }
}
