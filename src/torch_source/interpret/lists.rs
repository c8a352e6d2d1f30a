//! What lists, dicts and texts do.

use super::super::at;
use super::super::value::{Given, Held, Id, Kind, Value};
use super::Run;
use crate::error::Result;
use crate::limits::{MAX_CLASS_ITEMS, MAX_CLASS_SCAN_PER_STEP};

impl Run<'_> {
    /// What a loop runs over.
    pub(super) fn items(&mut self, over: &Value, line: usize) -> Result<Vec<Value>> {
        let items = match over {
            Value::List(id) => self.heap.lists[id.0].clone(),
            Value::Dict(id) => self.heap.dicts[id.0].items().iter().map(|(key, _)| key.clone()).collect(),
            Value::Module(id) => {
                let children = self.children(*id, line)?.into_iter();
                match self.heap.modules[id.0].kind {
                    Kind::Sequential | Kind::List => children.map(|(_, child)| Value::Module(child)).collect(),
                    Kind::Dict => children.map(|(name, _)| Value::Text(name)).collect(),
                    _ => return at(line, "a loop runs over a list, a range or a ModuleList here"),
                }
            }
            Value::Unread => return at(line, "this loop depends on what only a run would tell"),
            _ => return at(line, "a loop runs over a list, a range or a ModuleList here"),
        };
        self.spend(items.len(), line)?;
        Ok(items)
    }

    /// A value as Python writes it in a text.
    pub(super) fn shown(&self, value: &Value, line: usize) -> Result<String> {
        Ok(match value {
            Value::Text(text) => text.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => format!("{number:?}"),
            Value::Bool(flag) => if *flag { "True" } else { "False" }.to_owned(),
            Value::None => "None".to_owned(),
            _ => return at(line, "a text or a number is expected here"),
        })
    }

    /// `owner[index]`.
    pub(super) fn pick(&mut self, owner: Value, index: Value, line: usize) -> Result<Value> {
        let found = match (&owner, &index) {
            (Value::List(id), Value::Int(index)) => nth(&self.heap.lists[id.0], *index),
            (Value::Dict(id), key) => self.heap.dicts[id.0].get(key).cloned(),
            (Value::Module(id), Value::Int(index)) => {
                nth(&self.children(*id, line)?, *index).map(|(_, child)| Value::Module(child))
            }
            (Value::Module(id), Value::Text(name)) => self.heap.modules[id.0].get(name).cloned(),
            (Value::Unread, _) => Some(Value::Unread),
            (Value::Name(_) | Value::Class(_), _) => Some(owner),
            _ => return at(line, "an index picks from a list, a dict or a Sequential here"),
        };
        found.map_or_else(|| at(line, "the index lies outside the list, or the key is not in the dict"), Ok)
    }

    /// `owner[begin:end:step]`.
    pub(super) fn slice(&mut self, owner: Value, ends: &[Value], line: usize) -> Result<Value> {
        let items = match owner {
            Value::Unread => return Ok(Value::Unread),
            Value::List(_) => self.items(&owner, line)?,
            Value::Module(id) if matches!(self.heap.modules[id.0].kind, Kind::Sequential | Kind::List) => {
                self.items(&owner, line)?
            }
            _ => return at(line, "a part is taken of a list or a Sequential here"),
        };
        let end = |place: usize| match ends.get(place) {
            None | Some(Value::None) => Ok(None),
            Some(Value::Int(number)) => Ok(Some(*number)),
            _ => at(line, "the ends of a part are numbers"),
        };
        let (count, step) = (items.len() as i64, end(2)?.unwrap_or(1));
        if step == 0 {
            return at(line, "slice step cannot be zero");
        }
        let (low, high) = if step > 0 { (0, count) } else { (-1, count - 1) };
        let place = |given: Option<i64>, default: i64| match given {
            Some(at) => (if at < 0 { at.saturating_add(count) } else { at }).clamp(low, high),
            None => default,
        };
        let (first, last) = if step > 0 { (low, high) } else { (high, low) };
        let (mut at, stop) = (place(end(0)?, first), place(end(1)?, last));
        let mut taken = Vec::new();
        while (step > 0 && at < stop) || (step < 0 && at > stop) {
            taken.extend(nth(&items, at));
            at = at.saturating_add(step);
        }
        match owner {
            Value::Module(id) => {
                let kind = self.heap.modules[id.0].kind.clone();
                let part = self.heap.module(None, kind);
                self.append(part, taken, line)?;
                Ok(Value::Module(part))
            }
            _ => self.list(taken, line),
        }
    }

    /// `owner[index] = value`.
    pub(super) fn put(&mut self, owner: &Value, index: Value, value: Value, line: usize) -> Result<()> {
        match (owner, index) {
            (Value::List(id), Value::Int(index)) => {
                let list = &mut self.heap.lists[id.0];
                let place = if index < 0 { index + list.len() as i64 } else { index };
                match usize::try_from(place).ok().and_then(|place| list.get_mut(place)) {
                    Some(item) => *item = value,
                    None => return at(line, "the index lies outside the list"),
                }
            }
            (Value::Dict(id), key) => {
                if self.heap.dicts[id.0].items().len() >= MAX_CLASS_ITEMS {
                    return at(line, "this dict is too long");
                }
                self.spend(1, line)?;
                self.heap.dicts[id.0].set(key, value);
            }
            (Value::Module(id), index) => self.add(*id, index, value, line)?,
            (Value::Unread, _) => {}
            _ => return at(line, "this cannot be assigned to here"),
        }
        Ok(())
    }

    /// Puts more items at the end of a list.
    pub(super) fn extend(&mut self, list: Id, more: Vec<Value>, line: usize) -> Result<()> {
        self.spend(more.len(), line)?;
        self.heap.lists[list.0].extend(more);
        if self.heap.lists[list.0].len() <= MAX_CLASS_ITEMS { Ok(()) } else { at(line, "this list is too long") }
    }

    /// A method of a list, dict or text.
    pub(super) fn call_of(&mut self, held: Held, name: &str, given: Given, line: usize) -> Result<Value> {
        let args = &given.args[..];
        let value = match &held {
            Held::List(id) => self.list_method(*id, name, args, line)?,
            Held::Dict(id) => self.dict_method(*id, name, args, line)?,
            Held::Text(text) => self.text_method(text, name, args, line)?,
        };
        value.map_or_else(|| at(line, format!(".{name} is not read here")), Ok)
    }

    /// A method of a list; `None` if it has none of this name.
    fn list_method(&mut self, id: Id, name: &str, args: &[Value], line: usize) -> Result<Option<Value>> {
        Ok(Some(match (name, args) {
            ("append", [item]) => {
                self.extend(id, vec![item.clone()], line)?;
                Value::None
            }
            ("extend", [items]) => {
                let items = self.items(items, line)?;
                self.extend(id, items, line)?;
                Value::None
            }
            ("insert", [Value::Int(place), item]) => {
                self.extend(id, Vec::new(), line)?;
                self.spend(self.heap.lists[id.0].len(), line)?;
                let list = &mut self.heap.lists[id.0];
                let count = list.len() as i64;
                let place = if *place < 0 { place.saturating_add(count) } else { *place }.clamp(0, count);
                list.insert(place as usize, item.clone());
                Value::None
            }
            ("pop", _) => {
                self.spend(1 + self.heap.lists[id.0].len() / MAX_CLASS_SCAN_PER_STEP, line)?;
                let list = &mut self.heap.lists[id.0];
                let place = match args {
                    [Value::Int(place)] if *place < 0 => place.saturating_add(list.len() as i64),
                    [Value::Int(place)] => *place,
                    _ => list.len() as i64 - 1,
                };
                match usize::try_from(place).ok().filter(|&place| place < list.len()) {
                    Some(place) => list.remove(place),
                    None => return at(line, "the index lies outside the list"),
                }
            }
            ("reverse", []) => {
                self.spend(1 + self.heap.lists[id.0].len() / MAX_CLASS_SCAN_PER_STEP, line)?;
                self.heap.lists[id.0].reverse();
                Value::None
            }
            ("copy", []) => {
                let items = self.items(&Value::List(id), line)?;
                self.list(items, line)?
            }
            _ => return Ok(None),
        }))
    }

    /// A method of a dict; `None` if it has none of this name.
    fn dict_method(&mut self, id: Id, name: &str, args: &[Value], line: usize) -> Result<Option<Value>> {
        Ok(Some(match (name, args) {
            ("copy", []) => {
                let items = self.heap.dicts[id.0].items().to_vec();
                self.dict_of(items, line)?
            }
            ("keys", []) => {
                let items = self.items(&Value::Dict(id), line)?;
                self.list(items, line)?
            }
            ("values", []) => {
                let items = self.heap.dicts[id.0].items().iter().map(|(_, value)| value.clone()).collect();
                self.list(items, line)?
            }
            ("items", []) => {
                let mut pairs = Vec::new();
                for (key, value) in self.heap.dicts[id.0].items().to_vec() {
                    pairs.push(self.list(vec![key, value], line)?);
                }
                self.list(pairs, line)?
            }
            ("get" | "pop", [key, rest @ ..]) => {
                let found = self.heap.dicts[id.0].get(key).or(rest.first());
                found.cloned().unwrap_or(Value::None)
            }
            ("update", [Value::Dict(more)]) => {
                for (key, value) in self.heap.dicts[more.0].items().to_vec() {
                    self.put(&Value::Dict(id), key, value, line)?;
                }
                Value::None
            }
            _ => return Ok(None),
        }))
    }

    /// A method of a text; `None` if it has none of this name.
    fn text_method(&mut self, text: &str, name: &str, args: &[Value], line: usize) -> Result<Option<Value>> {
        Ok(Some(match (name, args) {
            ("lower", []) => self.text(text.to_lowercase(), line)?,
            ("upper", []) => self.text(text.to_uppercase(), line)?,
            ("startswith", [Value::Text(part)]) => Value::Bool(text.starts_with(&**part)),
            ("endswith", [Value::Text(part)]) => Value::Bool(text.ends_with(&**part)),
            ("format", _) => {
                let mut filled = text.to_owned();
                for (index, value) in args.iter().enumerate() {
                    // Each argument is a search through the text.
                    self.spend(1 + filled.len() / MAX_CLASS_SCAN_PER_STEP, line)?;
                    let marks = ["{}".to_owned(), format!("{{{index}}}")];
                    for mark in marks.iter().filter(|mark| text.contains(&***mark)) {
                        filled = filled.replacen(mark, &self.shown(value, line)?, 1);
                    }
                    self.fits(&filled, line)?;
                }
                self.text(filled, line)?
            }
            _ => return Ok(None),
        }))
    }
}

/// The item at this index, counted from the end if it is negative.
fn nth<T: Clone>(items: &[T], index: i64) -> Option<T> {
    let from_end = if index < 0 { index.saturating_add(items.len() as i64) } else { index };
    usize::try_from(from_end).ok().and_then(|index| items.get(index)).cloned()
}
