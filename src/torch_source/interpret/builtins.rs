//! Python's own functions.

use super::super::at;
use super::super::value::{Given, Held, Id, Kind, Partial, Value, short, whole};
use super::Run;
use super::arithmetic::{float, int, int_of};
use crate::error::Result;
use crate::limits::MAX_CLASS_ITEMS;

impl Run<'_> {
    /// One of Python's own functions; `None` if this is none.
    pub(super) fn builtin(&mut self, name: &str, given: &Given, line: usize) -> Result<Option<Value>> {
        let args = &given.args[..];
        if args.iter().any(|value| matches!(value, Value::Unread))
            && matches!(
                name,
                "int" | "float" | "bool" | "str" | "len" | "min" | "max" | "abs" | "round" | "sum" | "range"
            )
        {
            return Ok(Some(Value::Unread));
        }
        if let Some(value) = self.collection(name, given, line)? {
            return Ok(Some(value));
        }
        if let Some(value) = self.reflection(name, given, line)? {
            return Ok(Some(value));
        }
        Ok(Some(match (name, args) {
            ("str", [value]) => self.text(self.shown(value, line)?, line)?,
            ("bool", [value]) => Value::Bool(self.truth(value, line)?),
            ("int", [Value::Text(text)]) => match text.trim().parse() {
                Ok(number) => Value::Int(number),
                Err(_) => return at(line, "this text is no number"),
            },
            ("partial" | "functools.partial", [callee, rest @ ..]) => {
                let given = Given { args: rest.to_vec(), named: given.named.clone() };
                self.spend(given.args.len() + given.named.len(), line)?;
                self.heap.partials.push(Partial { callee: callee.clone(), given });
                Value::Partial(Id(self.heap.partials.len() - 1))
            }
            _ => return self.number(name, args, line),
        }))
    }

    /// A function that makes a list or a dict, or runs over one; `None` if this is none.
    fn collection(&mut self, name: &str, given: &Given, line: usize) -> Result<Option<Value>> {
        let args = &given.args[..];
        Ok(Some(match (name, args) {
            ("range", _) => self.range(args, line)?,
            ("len", [Value::Text(text)]) => Value::Int(text.chars().count() as i64),
            ("len", [over]) => Value::Int(self.items(over, line)?.len() as i64),
            ("list" | "tuple" | "nn.ParameterList", []) => self.list(Vec::new(), line)?,
            ("dict" | "OrderedDict" | "collections.OrderedDict", []) => {
                let items = given.named.iter().cloned();
                let items = items.map(|(name, value)| (Value::Text(name.into()), value)).collect();
                self.dict_of(items, line)?
            }
            ("list" | "tuple" | "iter", [over]) => {
                let items = self.items(over, line)?;
                self.list(items, line)?
            }
            ("dict" | "OrderedDict" | "collections.OrderedDict", [over]) => self.dict_from(over, line)?,
            ("zip", _) => self.zip(args, line)?,
            ("enumerate", [over, ..]) => {
                let first = if let Some(Value::Int(first)) = given.get(1, "start") { *first } else { 0 };
                self.enumerate(over, first, line)?
            }
            ("reversed", [over]) => {
                let items = self.items(over, line)?.into_iter().rev().collect();
                self.list(items, line)?
            }
            _ => return Ok(None),
        }))
    }

    /// `dict(over)`: a copy of a dict, or a dict of pairs.
    fn dict_from(&mut self, over: &Value, line: usize) -> Result<Value> {
        if let Value::Dict(id) = over {
            return self.call_of(Held::Dict(*id), "copy", Given::default(), line);
        }
        let dict = self.heap.dict(Vec::new());
        for pair in self.items(over, line)? {
            let pair = self.items(&pair, line)?;
            let [key, value] = &pair[..] else { return at(line, "a dict is made of pairs here") };
            self.put(&dict, key.clone(), value.clone(), line)?;
        }
        Ok(dict)
    }

    fn zip(&mut self, args: &[Value], line: usize) -> Result<Value> {
        let lists = args.iter().map(|over| self.items(over, line)).collect::<Result<Vec<_>>>()?;
        let count = lists.iter().map(Vec::len).min().unwrap_or(0);
        let mut rows = Vec::new();
        for row in 0..count {
            rows.push(self.list(lists.iter().map(|list| list[row].clone()).collect(), line)?);
        }
        self.list(rows, line)
    }

    fn enumerate(&mut self, over: &Value, first: i64, line: usize) -> Result<Value> {
        let mut rows = Vec::new();
        for (index, item) in self.items(over, line)?.into_iter().enumerate() {
            let number = int(first.checked_add(index as i64), line)?;
            rows.push(self.list(vec![number, item], line)?);
        }
        self.list(rows, line)
    }

    /// A function that asks for a value's type, or for an attribute by its name; `None` if this is none.
    fn reflection(&mut self, name: &str, given: &Given, line: usize) -> Result<Option<Value>> {
        Ok(Some(match (name, &given.args[..]) {
            ("isinstance", [value, kind]) => match self.is_one_of(value, kind, line)? {
                Some(answer) => Value::Bool(answer),
                None => Value::Unread,
            },
            ("type", [Value::Partial(_)]) => Value::Name("functools.partial".into()),
            ("type", [Value::Module(id)]) => match self.heap.modules[id.0].class {
                Some(class) => Value::Class(class),
                None => Value::Unread,
            },
            ("type" | "callable", [_]) => Value::Unread,
            ("getattr", [owner, Value::Text(name), rest @ ..]) => match (owner, rest) {
                (Value::Module(id), [default]) if self.heap.modules[id.0].get(name).is_none() => default.clone(),
                _ => self.attribute(owner.clone(), name, line)?,
            },
            ("hasattr", [Value::Module(id), Value::Text(name)]) => {
                Value::Bool(self.heap.modules[id.0].get(name).is_some() || self.method(*id, name, 0).is_some())
            }
            ("setattr", [Value::Module(id), Value::Text(name), value]) => {
                self.set(*id, name.clone(), value.clone(), line)?;
                Value::None
            }
            _ => return Ok(None),
        }))
    }

    /// A function of numbers; `None` if this is none.
    fn number(&mut self, name: &str, args: &[Value], line: usize) -> Result<Option<Value>> {
        let listed = match args {
            [over @ (Value::List(_) | Value::Dict(_))] if matches!(name, "min" | "max" | "sum") => {
                self.items(over, line)?
            }
            _ => args.to_vec(),
        };
        if let Some(result) = of_ints(name, &listed) {
            return int(result, line).map(Some);
        }
        let Some(numbers) = listed.iter().map(float).collect::<Option<Vec<f64>>>() else { return Ok(None) };
        let rounded = |number: f64| int(whole(number), line).map(Some);
        let (module, short) = name.rsplit_once('.').unwrap_or(("", name));
        let is_math = matches!(module, "math" | "np" | "numpy");
        let result = match (short, &numbers[..]) {
            ("min", [first, rest @ ..]) if module.is_empty() => rest.iter().fold(*first, |a, b| a.min(*b)),
            ("max", [first, rest @ ..]) if module.is_empty() => rest.iter().fold(*first, |a, b| a.max(*b)),
            ("sum", _) if module.is_empty() => numbers.iter().sum(),
            ("abs", [x]) if module.is_empty() => x.abs(),
            ("pow", [x, y]) if module.is_empty() => x.powf(*y),
            ("float", [x]) if module.is_empty() => *x,
            ("int", [x]) if module.is_empty() => return rounded(x.trunc()),
            ("round", [x]) if module.is_empty() => return rounded(x.round_ties_even()),
            ("floor", [x]) if is_math => return rounded(x.floor()),
            ("ceil", [x]) if is_math => return rounded(x.ceil()),
            ("sqrt", [x]) if is_math => x.sqrt(),
            ("log2", [x]) if is_math => x.log2(),
            ("log", [x]) if is_math => x.ln(),
            ("exp", [x]) if is_math => x.exp(),
            _ => return Ok(None),
        };
        Ok(Some(Value::Float(result)))
    }

    /// `isinstance` of one kind or a tuple of kinds, which may hold tuples; `None` if only a run would tell.
    fn is_one_of(&mut self, value: &Value, kind: &Value, line: usize) -> Result<Option<bool>> {
        let Value::List(_) = kind else { return Ok(self.is_a(value, kind)) };
        let mut answer = Some(false);
        for kind in self.items(kind, line)? {
            match self.deeper(line, |run| run.is_one_of(value, &kind, line))? {
                Some(true) if answer.is_some() => answer = Some(true),
                Some(_) => {}
                None => answer = None,
            }
        }
        Ok(answer)
    }

    fn is_a(&self, value: &Value, kind: &Value) -> Option<bool> {
        let name = match kind {
            Value::Name(name) => short(name),
            Value::Class(wanted) => {
                let Value::Module(id) = value else { return Some(false) };
                let class = self.heap.modules[id.0].class;
                return Some(class.is_some_and(|class| self.module.classes[class].lineage.contains(wanted)));
            }
            _ => return None,
        };
        Some(match value {
            Value::Unread => return None,
            Value::Int(_) => name == "int",
            Value::Bool(_) => matches!(name, "bool" | "int"),
            Value::Float(_) => name == "float",
            Value::Text(_) => name == "str",
            Value::List(_) => matches!(name, "list" | "tuple" | "Sequence" | "Iterable"),
            Value::Dict(_) => matches!(name, "dict" | "OrderedDict" | "Mapping"),
            Value::Tensor(_) => name == "Tensor",
            Value::Module(id) => match &self.heap.modules[id.0].kind {
                _ if name == "Module" => true,
                Kind::Layer(op) => op.name() == name,
                Kind::Sequential => name == "Sequential",
                Kind::List => name == "ModuleList",
                Kind::Dict => name == "ModuleDict",
                Kind::Plain | Kind::Nothing => false,
            },
            _ => false,
        })
    }

    /// `range` of one to three numbers, as a list.
    fn range(&mut self, args: &[Value], line: usize) -> Result<Value> {
        let numbers = args.iter().map(|n| if let Value::Int(n) = n { Some(*n) } else { None });
        let (from, to, step) = match numbers.collect::<Option<Vec<_>>>().as_deref() {
            Some([to]) => (0, *to, 1),
            Some([from, to]) => (*from, *to, 1),
            Some([from, to, step]) if *step != 0 => (*from, *to, *step),
            _ => return at(line, "range takes one to three numbers here"),
        };
        let span = if step > 0 { to.saturating_sub(from) } else { from.saturating_sub(to) };
        let count = span.max(0).unsigned_abs().div_ceil(step.unsigned_abs());
        if count <= MAX_CLASS_ITEMS as u64 {
            self.list((0..count as i64).map(|i| Value::Int(from + i * step)).collect(), line)
        } else {
            at(line, "this range is too long")
        }
    }
}

/// A function of ints, exactly; `None` if this is none, or one whose result is a float. The inner `None` is an int that
/// cannot be had.
fn of_ints(name: &str, values: &[Value]) -> Option<Option<i64>> {
    let numbers: Vec<i64> = values.iter().map(int_of).collect::<Option<_>>()?;
    Some(match (name, &numbers[..]) {
        ("min", [_, ..]) => numbers.iter().min().copied(),
        ("max", [_, ..]) => numbers.iter().max().copied(),
        ("sum", _) => numbers.iter().try_fold(0i64, |sum, number| sum.checked_add(*number)),
        ("abs", [x]) => x.checked_abs(),
        ("pow", [x, y]) if *y >= 0 => u32::try_from(*y).ok().and_then(|y| x.checked_pow(y)),
        ("int" | "round" | "math.floor" | "math.ceil", [x]) => Some(*x),
        _ => return None,
    })
}
