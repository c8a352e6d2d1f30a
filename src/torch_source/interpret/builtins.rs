//! Python's own functions.

use super::super::at;
use super::super::value::{Given, Held, Id, Partial, Value, whole};
use super::Run;
use super::arithmetic::{float, int, int_of};
use crate::error::Result;
use crate::limits::MAX_CLASS_ITEMS;

impl Run<'_> {
    /// One of Python's own functions; `None` if this is none.
    pub(super) fn builtin(&mut self, name: &str, given: &Given, line: usize) -> Result<Option<Value>> {
        let args = &given.args[..];
        if args.iter().any(|value| matches!(value, Value::Unread))
            && matches!(name, "int" | "float" | "str" | "len" | "min" | "max" | "abs" | "round" | "sum")
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
            ("str", []) => self.text(String::new(), line)?,
            ("int", []) => Value::Int(0),
            ("float", []) => Value::Float(0.0),
            ("bool", []) => Value::Bool(false),
            ("str", [value]) => self.text(self.shown(value, line)?, line)?,
            ("repr", [value @ (Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::None)]) => {
                self.text(self.shown(value, line)?, line)?
            }
            ("format", [value]) => self.text(self.shown(value, line)?, line)?,
            ("format", [value, Value::Text(spec)]) => self.text(self.formatted(value, spec, line)?, line)?,
            ("float", [Value::Text(text)]) => match text.trim().parse() {
                Ok(number) => Value::Float(number),
                Err(_) => return at(line, "this text is no number"),
            },
            ("divmod", [a, b]) => {
                let quotient = self.binary("//", a.clone(), b.clone(), line)?;
                let rest = self.binary("%", a.clone(), b.clone(), line)?;
                self.tuple(vec![quotient, rest], line)?
            }
            ("copy.copy" | "copy.deepcopy" | "deepcopy", [value]) => self.copy_of(name, value, line)?,
            ("bool", [value]) => Value::Bool(self.truth(value, line)?),
            ("int", [Value::Text(text)]) => match text.trim().parse() {
                Ok(number) => Value::Int(number),
                Err(_) => return at(line, "this text is no number"),
            },
            ("functools.partial", [callee, rest @ ..]) => {
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
            ("len", [Value::Module(id)]) if self.method(*id, "__len__", 0).is_some() => {
                self.call_method(*id, "__len__", 0, Given::default(), line)?
            }
            ("len", [Value::Tensor(x)]) => match self.tensor(*x).shape.sides().first() {
                Some(&side) => Value::Int(side as i64),
                None => return at(line, "len() of a 0-d tensor"),
            },
            ("len", [Value::Module(id)]) => Value::Int(self.members(*id, line)?.len() as i64),
            ("len", [Value::Iterator(_)]) => return at(line, "this has no length"),
            ("len", [over]) => Value::Int(self.items(over, line)?.len() as i64),
            ("list", []) => self.list(Vec::new(), line)?,
            ("tuple", []) => self.tuple(Vec::new(), line)?,
            ("dict" | "collections.OrderedDict", []) => {
                let items = given.named.iter().cloned();
                let items = items.map(|(name, value)| (Value::Text(name.into()), value)).collect();
                self.dict_of(items, line)?
            }
            ("list", [over]) => {
                let items = self.items(over, line)?;
                self.list(items, line)?
            }
            ("tuple" | "torch.Size", [over]) => {
                let items = self.items(over, line)?;
                self.tuple(items, line)?
            }
            ("iter", [over @ Value::Iterator(_)]) => over.clone(),
            ("iter", [over]) => {
                let items = self.items(over, line)?;
                self.iterator(items, line)?
            }
            ("next", [Value::Iterator(id), rest @ ..]) => match self.heap.lists[id.0].pop().or(rest.first().cloned()) {
                Some(item) => item,
                None => return at(line, "there is no next item"),
            },
            ("sorted", [over]) if given.named.is_empty() => self.sorted(over, line)?,
            ("any" | "all", [over]) => {
                for item in self.items(over, line)? {
                    if self.truth(&item, line)? == (name == "any") {
                        return Ok(Some(Value::Bool(name == "any")));
                    }
                }
                Value::Bool(name == "all")
            }
            ("map", [function, over @ ..]) => {
                let rows = self.zip(over, line)?;
                let mut results = Vec::new();
                for row in self.items(&rows, line)? {
                    let row = self.items(&row, line)?;
                    results.push(self.call(function.clone(), Given::of(row), line)?);
                }
                self.iterator(results, line)?
            }
            ("filter", [function, over]) => {
                let mut kept = Vec::new();
                for item in self.items(over, line)? {
                    let answer = match function {
                        Value::None => item.clone(),
                        function => self.call(function.clone(), Given::of([item.clone()]), line)?,
                    };
                    if self.truth(&answer, line)? {
                        kept.push(item);
                    }
                }
                self.iterator(kept, line)?
            }
            ("functools.reduce", [function, over, rest @ ..]) => {
                let mut items = self.items(over, line)?.into_iter();
                let Some(mut value) = rest.first().cloned().or_else(|| items.next()) else {
                    return at(line, "reduce() of nothing");
                };
                for item in items {
                    value = self.call(function.clone(), Given::of([value, item]), line)?;
                }
                value
            }
            ("itertools.chain", lists) => {
                let mut all = Vec::new();
                for over in lists {
                    all.extend(self.items(over, line)?);
                }
                self.iterator(all, line)?
            }
            ("dict" | "collections.OrderedDict", [over]) => {
                let dict = self.dict_from(over, line)?;
                for (name, value) in &given.named {
                    self.put(&dict, Value::Text(name.as_str().into()), value.clone(), line)?;
                }
                dict
            }
            ("zip", _) => self.zip(args, line)?,
            ("enumerate", [over, ..]) => {
                let first = if let Some(Value::Int(first)) = given.get(1, "start") { *first } else { 0 };
                self.enumerate(over, first, line)?
            }
            ("reversed", [over]) => {
                let items = self.items(over, line)?.into_iter().rev().collect();
                self.iterator(items, line)?
            }
            _ => return Ok(None),
        }))
    }

    /// `dict(over)`: a copy of a dict, or a dict of pairs.
    pub(super) fn dict_from(&mut self, over: &Value, line: usize) -> Result<Value> {
        if let Value::Dict(id) = over {
            return self.call_of(Held::Dict(*id), "copy", Given::default(), line);
        }
        let dict = self.heap.dict(Vec::new());
        for pair in self.items(over, line)? {
            let pair = self.items(&pair, line)?;
            let [key, value] = &pair[..] else {
                return at(line, "a dict is made of pairs here");
            };
            self.put(&dict, key.clone(), value.clone(), line)?;
        }
        Ok(dict)
    }

    /// `sorted` of numbers or texts.
    fn sorted(&mut self, over: &Value, line: usize) -> Result<Value> {
        let mut items = self.items(over, line)?;
        let numbers = items.iter().all(|item| float(item).is_some_and(|number| !number.is_nan()));
        let texts = items.iter().all(|item| matches!(item, Value::Text(_)));
        match (numbers, texts) {
            (true, _) => {
                items.sort_by(|a, b| float(a).unwrap_or(0.0).total_cmp(&float(b).unwrap_or(0.0)));
            }
            (_, true) => items.sort_by(|a, b| match (a, b) {
                (Value::Text(a), Value::Text(b)) => a.cmp(b),
                _ => std::cmp::Ordering::Equal,
            }),
            _ => return at(line, "only numbers or texts are sorted here"),
        }
        self.list(items, line)
    }

    /// `copy.copy` and `copy.deepcopy` of what holds no modules.
    fn copy_of(&mut self, name: &str, value: &Value, line: usize) -> Result<Value> {
        let is_deep = name != "copy.copy";
        let items = match value {
            Value::List(_) | Value::Tuple(_) => self.items(value, line)?,
            Value::Dict(id) => self.heap.dicts[id.0].items().iter().map(|(_, value)| value.clone()).collect(),
            Value::Module(_) | Value::Tensor(_) | Value::Iterator(_) => {
                return at(line, "a copy of this is not followed: make another one");
            }
            _ => Vec::new(),
        };
        let is_flat = |item: &Value| {
            matches!(item, Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Text(_) | Value::None)
        };
        if is_deep && !items.iter().all(is_flat) {
            return at(line, "a deep copy of this is not followed: make another one");
        }
        match value {
            Value::List(_) => self.list(items, line),
            Value::Dict(id) => self.call_of(Held::Dict(*id), "copy", Given::default(), line),
            other => Ok(other.clone()),
        }
    }

    fn zip(&mut self, args: &[Value], line: usize) -> Result<Value> {
        let lists = args.iter().map(|over| self.items(over, line)).collect::<Result<Vec<_>>>()?;
        let count = lists.iter().map(Vec::len).min().unwrap_or(0);
        let mut rows = Vec::new();
        for row in 0..count {
            rows.push(self.tuple(lists.iter().map(|list| list[row].clone()).collect(), line)?);
        }
        self.iterator(rows, line)
    }

    fn enumerate(&mut self, over: &Value, first: i64, line: usize) -> Result<Value> {
        let mut rows = Vec::new();
        for (index, item) in self.items(over, line)?.into_iter().enumerate() {
            let number = int(first.checked_add(index as i64), line)?;
            rows.push(self.tuple(vec![number, item], line)?);
        }
        self.iterator(rows, line)
    }

    /// A function of numbers; `None` if this is none.
    fn number(&mut self, name: &str, args: &[Value], line: usize) -> Result<Option<Value>> {
        let listed = match args {
            [over @ (Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Iterator(_)), rest @ ..]
                if matches!(name, "min" | "max" | "sum" | "math.prod" | "numpy.prod") && rest.len() < 2 =>
            {
                let mut items = self.items(over, line)?;
                items.splice(0..0, rest.to_vec());
                items
            }
            _ => args.to_vec(),
        };
        // A sum of tensors is one sum after another, from 0 on.
        if name == "sum" && listed.iter().any(|value| matches!(value, Value::Tensor(_))) {
            let mut sum = Value::Int(0);
            for value in listed {
                sum = self.binary("+", sum, value, line)?;
            }
            return Ok(Some(sum));
        }
        if let Some(result) = of_ints(name, &listed) {
            return int(result, line).map(Some);
        }
        let Some(numbers) = listed.iter().map(float).collect::<Option<Vec<f64>>>() else {
            return Ok(None);
        };
        let rounded = |number: f64| int(whole(number), line).map(Some);
        let (module, short) = name.rsplit_once('.').unwrap_or(("", name));
        let is_math = matches!(module, "math" | "numpy");
        let result = match (short, &numbers[..]) {
            ("min", [first, rest @ ..]) if module.is_empty() => rest.iter().fold(*first, |a, b| a.min(*b)),
            ("max", [first, rest @ ..]) if module.is_empty() => rest.iter().fold(*first, |a, b| a.max(*b)),
            ("sum", _) if module.is_empty() => numbers.iter().sum(),
            ("abs", [x]) if module.is_empty() => x.abs(),
            ("pow", [x, y]) if module.is_empty() => x.powf(*y),
            ("float", [x]) if module.is_empty() => *x,
            ("int", [x]) if module.is_empty() => return rounded(x.trunc()),
            ("round", [x]) if module.is_empty() => return rounded(x.round_ties_even()),
            ("round", [x, digits]) if module.is_empty() && digits.fract() == 0.0 && (0.0..16.0).contains(digits) => {
                format!("{x:.0$}", *digits as usize).parse().unwrap_or(*x)
            }
            ("floor", [x]) if is_math => return rounded(x.floor()),
            ("ceil", [x]) if is_math => return rounded(x.ceil()),
            ("sqrt", [x]) if is_math => x.sqrt(),
            ("log2", [x]) if is_math => x.log2(),
            ("log", [x]) if is_math && *x > 0.0 => x.ln(),
            ("log", [x, base]) if is_math && *x > 0.0 && *base > 0.0 => x.ln() / base.ln(),
            ("log10", [x]) if is_math => x.log10(),
            ("pow", [x, y]) if module == "math" => x.powf(*y),
            ("sin", [x]) if is_math => x.sin(),
            ("cos", [x]) if is_math => x.cos(),
            ("tan", [x]) if is_math => x.tan(),
            ("fabs", [x]) if module == "math" => x.abs(),
            ("exp", [x]) if is_math => x.exp(),
            _ => return Ok(None),
        };
        Ok(Some(Value::Float(result)))
    }

    /// `range` of one to three numbers, as a list.
    fn range(&mut self, args: &[Value], line: usize) -> Result<Value> {
        let numbers = args.iter().map(int_of);
        let (from, to, step) = match numbers.collect::<Option<Vec<_>>>().as_deref() {
            Some([to]) => (0, *to, 1),
            Some([from, to]) => (*from, *to, 1),
            Some([from, to, step]) if *step != 0 => (*from, *to, *step),
            _ => return at(line, "range takes one to three numbers here"),
        };
        let span = if step > 0 { to.saturating_sub(from) } else { from.saturating_sub(to) };
        let count = span.max(0).unsigned_abs().div_ceil(step.unsigned_abs());
        if count <= MAX_CLASS_ITEMS as u64 {
            self.tuple((0..count as i64).map(|i| Value::Int(from + i * step)).collect(), line)
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
        ("math.prod", _) => numbers.iter().try_fold(1i64, |all, number| all.checked_mul(*number)),
        ("numpy.prod", [_, ..]) => numbers.iter().try_fold(1i64, |all, number| all.checked_mul(*number)),
        ("math.gcd", [a, b]) => {
            let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
            while b > 0 {
                (a, b) = (b, a % b);
            }
            i64::try_from(a).ok()
        }
        ("pow", [x, y]) if *y >= 0 => u32::try_from(*y).ok().and_then(|y| x.checked_pow(y)),
        ("int" | "round" | "math.floor" | "math.ceil", [x]) => Some(*x),
        _ => return None,
    })
}

/// Whether this is a name of Python's own that is followed, so that no import can have brought it.
pub(super) fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        "int" | "float" | "bool" | "str" | "len" | "min" | "max" | "abs" | "round" | "sum" | "range" | "list"
    ) || matches!(
        name,
        "tuple" | "dict" | "zip" | "enumerate" | "reversed" | "sorted" | "any" | "all" | "map" | "filter"
    ) || matches!(name, "iter" | "next" | "isinstance" | "type" | "getattr" | "setattr" | "hasattr" | "print" | "super")
        || matches!(name, "callable" | "repr" | "format" | "divmod" | "pow" | "object" | "issubclass" | "set" | "id")
}
