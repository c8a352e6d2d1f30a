//! Expressions: sums, calls, lists and what else stands for a value.

use std::rc::Rc;

use super::super::at;
use super::super::lexer::Kind;
use super::{Argument, Clause, Expression, Function, Makes, Node, Parser, Statement, shown};
use crate::error::Result;
use crate::limits::MAX_CLASS_EXPRESSION_HEIGHT;

impl Parser<'_> {
    /// An expression, or several with commas between.
    pub(super) fn tuple(&mut self) -> Result<Expression> {
        let line = self.line();
        let first = self.item()?;
        if !self.is_mark(",") && first.stars == 0 {
            return Ok(first.value);
        }
        let mut items = vec![first];
        while self.accept(",") {
            if matches!(self.peek(), Kind::Line | Kind::End | Kind::Mark("=" | ")" | "]" | ":")) {
                break;
            }
            items.push(self.item()?);
        }
        self.grown(line, Node::Tuple(items))
    }

    /// One item of a tuple: a value, or `*value`.
    fn item(&mut self) -> Result<Argument> {
        let stars = usize::from(self.accept("*"));
        Ok(Argument { name: None, stars, value: self.expression()? })
    }

    /// `a, (b, c) in` of a loop.
    pub(super) fn targets(&mut self) -> Result<Expression> {
        let line = self.line();
        let (mut names, mut ends_in_comma) = (Vec::new(), false);
        while !self.is_name("in") {
            let stars = usize::from(self.accept("*"));
            names.push(Argument { name: None, stars, value: self.sum()? });
            ends_in_comma = self.accept(",");
            if !ends_in_comma {
                break;
            }
        }
        if !self.accept_name("in") {
            return at(self.line(), "a loop over names is read, such as: for i in range(8)");
        }
        match names.len() {
            1 if !ends_in_comma => Ok(names.remove(0).value),
            _ => self.grown(line, Node::Tuple(names)),
        }
    }

    /// An expression from its parts, unless its tree grows too high: chains such as `a + b + c` are as deep as long.
    pub(super) fn grown(&self, line: usize, node: Node) -> Result<Expression> {
        let highest = |list: &[Argument]| list.iter().map(|argument| argument.value.height).max().unwrap_or(0);
        let most = |list: &[Expression]| list.iter().map(|item| item.height).max().unwrap_or(0);
        let below = match &node {
            Node::None
            | Node::Ellipsis
            | Node::Bool(_)
            | Node::Int(_)
            | Node::Float(_)
            | Node::Text(_)
            | Node::Name(_) => 0,
            // What a lambda holds is counted where it is called.
            Node::Lambda(_) => 0,
            Node::Attribute(value, _) | Node::Minus(value) | Node::Not(value) => value.height,
            Node::Plus(value) | Node::Invert(value) | Node::Walrus(_, value) => value.height,
            Node::Formatted(value, _, format) => value.height.max(format.height),
            Node::Compare(first, rest) => {
                rest.iter().map(|(_, value)| value.height).max().unwrap_or(0).max(first.height)
            }
            Node::Call(callee, arguments) => callee.height.max(highest(arguments)),
            Node::List(items) | Node::Tuple(items) => highest(items),
            Node::Format(items) => most(items),
            Node::Slice(items) => items.iter().flatten().map(|item| item.height).max().unwrap_or(0),
            Node::Dict(items) => items
                .iter()
                .map(|(key, value)| key.as_ref().map_or(0, |k| k.height).max(value.height))
                .max()
                .unwrap_or(0),
            Node::Either(parts) => most(&parts[..]),
            Node::Each { item, clauses, .. } => {
                let inside = clauses.iter().map(|clause| clause.over.height.max(most(&clause.conditions)));
                inside.max().unwrap_or(0).max(item.height)
            }
            Node::Index(a, b) | Node::Binary(_, a, b) => a.height.max(b.height),
        };
        if below < MAX_CLASS_EXPRESSION_HEIGHT {
            Ok(Expression { line, node, height: below + 1 })
        } else {
            at(line, "this is nested too deeply, or goes on for too long")
        }
    }

    pub(super) fn expression(&mut self) -> Result<Expression> {
        self.deeper(|parser| {
            let line = parser.line();
            if parser.accept_name("lambda") {
                let parameters = parser.parameters(":", false)?;
                let value = parser.expression()?;
                let body = vec![Statement::Return(Some(value))];
                let (name, decorators) = ("lambda".to_owned(), Vec::new());
                let function = Function { name, line, parameters, body, decorators, parse_error: None };
                return parser.grown(line, Node::Lambda(Rc::new(function)));
            }
            let value = parser.either()?;
            if let (Node::Name(name), true) = (&value.node, parser.is_mark(":=")) {
                let name = name.clone();
                parser.at += 1;
                let value = parser.expression()?;
                return parser.grown(line, Node::Walrus(name, Box::new(value)));
            }
            if !parser.accept_name("if") {
                return Ok(value);
            }
            let condition = parser.either()?;
            if !parser.accept_name("else") {
                return at(parser.line(), "else is expected here");
            }
            let other = parser.expression()?;
            parser.grown(line, Node::Either(Box::new([condition, value, other])))
        })
    }

    fn either(&mut self) -> Result<Expression> {
        self.words("or", |parser| parser.words("and", Self::inversion))
    }

    /// Operands with a word between them.
    fn words(&mut self, word: &'static str, operand: fn(&mut Self) -> Result<Expression>) -> Result<Expression> {
        let mut left = operand(self)?;
        while self.accept_name(word) {
            let right = operand(self)?;
            left = self.grown(left.line, Node::Binary(word, Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn inversion(&mut self) -> Result<Expression> {
        let line = self.line();
        if self.accept_name("not") {
            let value = self.deeper(Self::inversion)?;
            return self.grown(line, Node::Not(Box::new(value)));
        }
        let left = self.bits()?;
        let mut rest = Vec::new();
        while let Some(mark) = self.comparison() {
            rest.push((mark, self.bits()?));
        }
        if rest.is_empty() { Ok(left) } else { self.grown(line, Node::Compare(Box::new(left), rest)) }
    }

    /// `|`, `^`, `&` and shifts, which bind in this order.
    fn bits(&mut self) -> Result<Expression> {
        self.binary(&["|"], |parser| {
            parser.binary(&["^"], |parser| parser.binary(&["&"], |parser| parser.binary(&["<<", ">>"], Self::sum)))
        })
    }

    /// The comparison that stands here, read.
    fn comparison(&mut self) -> Option<&'static str> {
        if let Some(mark) = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|mark| self.accept(mark)) {
            return Some(mark);
        }
        if self.accept_name("is") {
            return Some(if self.accept_name("not") { "is not" } else { "is" });
        }
        let next = self.tokens.get(self.at + 1).map(|token| &token.kind);
        if self.is_name("not") && matches!(next, Some(Kind::Name(word)) if word == "in") {
            self.at += 2;
            return Some("not in");
        }
        self.accept_name("in").then_some("in")
    }

    fn sum(&mut self) -> Result<Expression> {
        self.binary(&["+", "-"], Self::product)
    }

    fn product(&mut self) -> Result<Expression> {
        self.binary(&["*", "//", "/", "%", "@"], Self::power)
    }

    fn power(&mut self) -> Result<Expression> {
        let line = self.line();
        if self.accept("-") {
            let value = self.deeper(Self::power)?;
            return self.grown(line, Node::Minus(Box::new(value)));
        }
        if self.accept("+") {
            let value = self.deeper(Self::power)?;
            return self.grown(line, Node::Plus(Box::new(value)));
        }
        if self.accept("~") {
            let value = self.deeper(Self::power)?;
            return self.grown(line, Node::Invert(Box::new(value)));
        }
        let base = self.postfix()?;
        if !self.accept("**") {
            return Ok(base);
        }
        let exponent = self.deeper(Self::power)?;
        self.grown(line, Node::Binary("**", Box::new(base), Box::new(exponent)))
    }

    fn binary(&mut self, marks: &[&'static str], operand: fn(&mut Self) -> Result<Expression>) -> Result<Expression> {
        let mut left = operand(self)?;
        while let Some(mark) = marks.iter().find(|mark| self.is_mark(mark)) {
            self.at += 1;
            let right = operand(self)?;
            left = self.grown(left.line, Node::Binary(mark, Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn postfix(&mut self) -> Result<Expression> {
        let mut value = self.atom()?;
        loop {
            let line = self.line();
            let node = if self.accept(".") {
                Node::Attribute(Box::new(value), self.name()?)
            } else if self.accept("(") {
                Node::Call(Box::new(value), self.arguments(")")?)
            } else if self.accept("[") {
                Node::Index(Box::new(value), Box::new(self.index()?))
            } else {
                return Ok(value);
            };
            value = self.grown(line, node)?;
        }
    }

    /// What stands between `[` and `]`: an expression, a slice, or several.
    fn index(&mut self) -> Result<Expression> {
        let line = self.line();
        let mut items = Vec::new();
        let mut is_tuple = false;
        while !self.accept("]") {
            let mut parts = vec![None];
            while !(self.is_mark("]") || self.is_mark(",")) {
                match parts.last_mut() {
                    _ if self.accept(":") => parts.push(None),
                    Some(part @ None) => *part = Some(self.expression()?),
                    _ => return at(line, "] is expected here"),
                }
            }
            let value = match (parts.len(), parts.pop()) {
                (1, Some(Some(value))) => value,
                (_, last) => {
                    parts.extend(last);
                    self.grown(line, Node::Slice(parts))?
                }
            };
            items.push(Argument { name: None, stars: 0, value });
            is_tuple |= self.accept(",");
        }
        match items.len() {
            1 if !is_tuple => Ok(items.remove(0).value),
            _ => self.grown(line, Node::Tuple(items)),
        }
    }

    /// Arguments of a call or items of a list, up to `close`.
    pub(super) fn arguments(&mut self, close: &str) -> Result<Vec<Argument>> {
        let mut list = Vec::new();
        while !self.accept(close) {
            let stars = if self.accept("**") { 2 } else { usize::from(self.accept("*")) };
            let named = matches!(self.peek(), Kind::Name(_))
                && matches!(self.tokens.get(self.at + 1).map(|t| &t.kind), Some(Kind::Mark("=")));
            let name = if named { Some(self.name()?) } else { None };
            self.at += usize::from(named);
            let mut value = self.expression()?;
            if self.is_name("for") {
                let makes = if close == "]" { Makes::List } else { Makes::Generator };
                value = self.each(value, makes)?;
            }
            list.push(Argument { name, stars, value });
            if !self.accept(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(list)
    }

    /// `for .. in .. if ..`, once or more, after the item.
    fn each(&mut self, item: Expression, makes: Makes) -> Result<Expression> {
        let mut clauses = Vec::new();
        while self.accept_name("for") {
            let targets = self.targets()?;
            let over = self.either()?;
            let mut conditions = Vec::new();
            while self.accept_name("if") {
                conditions.push(self.either()?);
            }
            clauses.push(Clause { targets, over, conditions });
        }
        self.grown(item.line, Node::Each { item: Box::new(item), clauses, makes })
    }

    fn atom(&mut self) -> Result<Expression> {
        let line = self.line();
        let node = match self.next() {
            Kind::Int(number) => Node::Int(number),
            Kind::Float(number) => Node::Float(number),
            Kind::Name(name) => match name.as_str() {
                "None" => Node::None,
                "True" => Node::Bool(true),
                "False" => Node::Bool(false),
                _ => Node::Name(name),
            },
            Kind::Text(_) | Kind::Format(_) => {
                self.at -= 1;
                return self.text();
            }
            Kind::Mark("...") => Node::Ellipsis,
            Kind::Mark("(") => {
                if self.accept(")") {
                    return self.grown(line, Node::Tuple(Vec::new()));
                }
                let mut inside = self.tuple()?;
                if self.is_name("for") {
                    return at(line, "a generator is read as the argument of a call alone: write a list, [..]");
                }
                self.expect(")")?;
                inside.line = line;
                return Ok(inside);
            }
            Kind::Mark("[") => {
                let items = self.arguments("]")?;
                return match items.first().map(|item| &item.value.node) {
                    Some(Node::Each { makes: Makes::List, .. }) if items.len() == 1 && items[0].stars == 0 => items
                        .into_iter()
                        .next()
                        .map_or_else(|| at(line, "this is not read here"), |item| Ok(item.value)),
                    _ => self.grown(line, Node::List(items)),
                };
            }
            Kind::Mark("{") => return self.dict(line),
            other => return at(line, format!("this is not read here: {}", shown(&other))),
        };
        self.grown(line, node)
    }

    /// `{key: value, **more}`.
    fn dict(&mut self, line: usize) -> Result<Expression> {
        let mut items = Vec::new();
        while !self.accept("}") {
            if self.accept("**") {
                items.push((None, self.expression()?));
            } else {
                let key = self.expression()?;
                if !self.is_mark(":") {
                    return at(line, "sets are not read: write a list, [..]");
                }
                self.expect(":")?;
                let value = self.expression()?;
                if self.is_name("for") {
                    let pair = [key, value].map(|value| Argument { name: None, stars: 0, value });
                    let item = self.grown(line, Node::Tuple(pair.into()))?;
                    let each = self.each(item, Makes::Dict)?;
                    self.expect("}")?;
                    return Ok(each);
                }
                items.push((Some(key), value));
            }
            if !self.accept(",") {
                self.expect("}")?;
                break;
            }
        }
        self.grown(line, Node::Dict(items))
    }
}
