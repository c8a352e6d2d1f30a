//! Expressions: sums, calls, lists and what else stands for a value.

use super::super::at;
use super::super::lexer::Kind;
use super::{Argument, DEPTH, Expression, HEIGHT, Node, Parser, shown};
use crate::error::Result;

impl Parser<'_> {
    /// An expression, or several with commas between.
    pub(super) fn tuple(&mut self) -> Result<Expression> {
        let first = self.expression()?;
        if !self.is_mark(",") {
            return Ok(first);
        }
        let line = first.line;
        let mut items = vec![first];
        while self.accept(",") {
            if matches!(self.peek(), Kind::Line | Kind::Mark("=" | ")")) {
                break;
            }
            items.push(self.expression()?);
        }
        self.grown(line, Node::Tuple(items))
    }

    /// One level further in, if there is room.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > DEPTH {
            return at(self.line(), "this is nested too deeply");
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// An expression from its parts, unless its tree grows too high: chains such as `a + b + c` are as deep as long.
    fn grown(&self, line: usize, node: Node) -> Result<Expression> {
        let highest = |list: &[Argument]| list.iter().map(|argument| argument.value.height).max().unwrap_or(0);
        let below = match &node {
            Node::Int(_) | Node::Float(_) | Node::Text(_) | Node::Name(_) => 0,
            Node::Attribute(value, _) | Node::Minus(value) | Node::Not(value) => value.height,
            Node::Call(callee, arguments) => callee.height.max(highest(arguments)),
            Node::List(items) => highest(items),
            Node::Tuple(items) => items.iter().map(|item| item.height).max().unwrap_or(0),
            Node::Index(a, b) | Node::Each(a, _, b) | Node::Binary(_, a, b) => a.height.max(b.height),
        };
        match below < HEIGHT {
            true => Ok(Expression { line, node, height: below + 1 }),
            false => at(line, "this is nested too deeply, or goes on for too long"),
        }
    }

    pub(super) fn expression(&mut self) -> Result<Expression> {
        self.deeper(|parser| {
            let mut left = parser.inversion()?;
            while let Some(word) = ["and", "or"].into_iter().find(|word| parser.is_name(word)) {
                parser.at += 1;
                let right = parser.inversion()?;
                left = parser.grown(left.line, Node::Binary(word, Box::new(left), Box::new(right)))?;
            }
            Ok(left)
        })
    }

    fn inversion(&mut self) -> Result<Expression> {
        let line = self.line();
        if self.accept_name("not") {
            let value = self.deeper(Self::inversion)?;
            return self.grown(line, Node::Not(Box::new(value)));
        }
        let left = self.binary(&["==", "!=", "<=", ">=", "<", ">"], Self::sum)?;
        if !self.accept_name("is") {
            return Ok(left);
        }
        let mark = if self.accept_name("not") { "!=" } else { "==" };
        let right = self.sum()?;
        self.grown(line, Node::Binary(mark, Box::new(left), Box::new(right)))
    }

    fn sum(&mut self) -> Result<Expression> {
        self.binary(&["+", "-"], Self::product)
    }

    fn product(&mut self) -> Result<Expression> {
        self.binary(&["*", "//", "/", "%"], Self::power)
    }

    fn power(&mut self) -> Result<Expression> {
        if self.is_mark("-") {
            let line = self.line();
            self.at += 1;
            let value = self.deeper(Self::power)?;
            return self.grown(line, Node::Minus(Box::new(value)));
        }
        self.binary(&["**"], Self::postfix)
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
                let index = self.expression()?;
                self.expect("]")?;
                Node::Index(Box::new(value), Box::new(index))
            } else {
                return Ok(value);
            };
            value = self.grown(line, node)?;
        }
    }

    fn arguments(&mut self, close: &str) -> Result<Vec<Argument>> {
        let mut list = Vec::new();
        while !self.accept(close) {
            let is_spread = self.accept("*");
            let named = matches!(self.peek(), Kind::Name(_))
                && matches!(self.tokens.get(self.at + 1).map(|t| &t.kind), Some(Kind::Mark("=")));
            let name = if named { Some(self.name()?) } else { None };
            self.at += usize::from(named);
            let value = self.expression()?;
            list.push(Argument { name, is_spread, value });
            if !self.accept(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(list)
    }

    fn atom(&mut self) -> Result<Expression> {
        let line = self.line();
        let node = match self.next() {
            Kind::Int(number) => Node::Int(number),
            Kind::Float(number) => Node::Float(number),
            Kind::Text(text) => Node::Text(text),
            Kind::Name(name) => Node::Name(name),
            Kind::Mark("(") => {
                if self.accept(")") {
                    return self.grown(line, Node::Tuple(Vec::new()));
                }
                let inside = self.tuple()?;
                self.expect(")")?;
                return Ok(inside);
            }
            Kind::Mark("[") => return self.list(line),
            other => return at(line, format!("this is not read here: {}", shown(&other))),
        };
        self.grown(line, node)
    }

    fn list(&mut self, line: usize) -> Result<Expression> {
        let begin = self.at;
        if !self.is_mark("]") && !self.is_mark("*") {
            let item = self.expression()?;
            if self.accept_name("for") {
                let names = self.loop_names()?;
                let over = self.expression()?;
                self.expect("]")?;
                return self.grown(line, Node::Each(Box::new(item), names, Box::new(over)));
            }
            self.at = begin;
        }
        let items = self.arguments("]")?;
        self.grown(line, Node::List(items))
    }
}
