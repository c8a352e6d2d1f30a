//! What lists, dicts and texts do.

use super::super::at;
use super::super::value::{Given, Held, Id, Kind, Value, same};
use super::Run;
use super::arithmetic::int_of;
use crate::error::Result;
use crate::limits::{MAX_CLASS_ITEMS, MAX_CLASS_SCAN_PER_STEP};

impl Run<'_> {
    /// What a loop runs over.
    pub(super) fn items(&mut self, over: &Value, line: usize) -> Result<Vec<Value>> {
        let items = match over {
            Value::List(id) | Value::Tuple(id) => self.heap.lists[id.0].clone(),
            Value::Iterator(id) => std::mem::take(&mut self.heap.lists[id.0]).into_iter().rev().collect(),
            Value::Dict(id) => self.heap.dicts[id.0].items().iter().map(|(key, _)| key.clone()).collect(),
            Value::Text(text) => text.chars().map(|c| Value::Text(c.to_string().into())).collect(),
            Value::Module(id) => {
                let members = self.members(*id, line)?.into_iter();
                match self.heap.modules[id.0].kind {
                    _ if self.method(*id, "__iter__", 0).is_some() => {
                        return at(line, "a loop over an object with __iter__ is not followed");
                    }
                    Kind::Sequential | Kind::List => members.map(|(_, member)| member).collect(),
                    Kind::Dict => members.map(|(name, _)| Value::Text(name)).collect(),
                    _ => {
                        return at(line, "a loop runs over a list, a range or a ModuleList here");
                    }
                }
            }
            Value::Tensor(x) => return self.unbind(*x, 0, line),
            Value::Unread => return at(line, "this loop depends on what infill does not follow"),
            _ => {
                return at(line, "a loop runs over a list, a range or a ModuleList here");
            }
        };
        self.spend(items.len(), line)?;
        Ok(items)
    }

    /// `owner[index]`.
    pub(super) fn pick(&mut self, owner: Value, index: Value, line: usize) -> Result<Value> {
        if let Value::Slice(ends) = index {
            return match owner {
                Value::Tensor(x) => self.indexed(x, &Value::Slice(ends), line),
                _ => {
                    let ends = self.heap.lists[ends.0].clone();
                    self.slice(owner, &ends, line)
                }
            };
        }
        let place = int_of(&index);
        let found = match (&owner, place) {
            (Value::Tensor(x), _) => return self.indexed(*x, &index, line),
            (Value::List(id) | Value::Tuple(id), Some(place)) => nth(&self.heap.lists[id.0], place),
            (Value::Text(text), Some(place)) => {
                let letters: Vec<char> = text.chars().collect();
                nth(&letters, place).map(|c| Value::Text(c.to_string().into()))
            }
            (Value::Dict(id), _) => {
                Self::key(&index, line)?;
                self.heap.dicts[id.0].get(&index).cloned()
            }
            (Value::Module(id), _) if self.method(*id, "__getitem__", 0).is_some() => {
                return self.call_method(*id, "__getitem__", 0, Given::of([index]), line);
            }
            (Value::Module(id), Some(place)) if !matches!(self.heap.modules[id.0].kind, Kind::Dict) => {
                nth(&self.members(*id, line)?, place).map(|(_, member)| member)
            }
            (Value::Module(id), _) => match &index {
                Value::Text(name) => self.heap.modules[id.0].get(name).cloned(),
                _ => None,
            },
            (Value::Unread, _) => Some(Value::Unread),
            // A type with arguments, such as `List[int]`.
            (Value::Name(_) | Value::Class(_), _) => Some(owner),
            _ => {
                return at(line, "an index picks from a list, a dict or a Sequential here");
            }
        };
        found.map_or_else(|| at(line, "the index lies outside the list, or the key is not in the dict"), Ok)
    }

    /// The places that `begin:end:step` takes of so many items.
    pub(super) fn slice_places(&self, ends: &[Value], count: usize, line: usize) -> Result<Vec<usize>> {
        let end = |place: usize| match ends.get(place) {
            None | Some(Value::None) => Ok(None),
            Some(value) => int_of(value).map_or_else(|| at(line, "the ends of a part are numbers"), |n| Ok(Some(n))),
        };
        let (count, step) = (count as i64, end(2)?.unwrap_or(1));
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
            taken.extend(usize::try_from(at));
            at = at.saturating_add(step);
        }
        Ok(taken)
    }

    /// `owner[begin:end:step]`.
    fn slice(&mut self, owner: Value, ends: &[Value], line: usize) -> Result<Value> {
        let items = match &owner {
            Value::Unread => return Ok(Value::Unread),
            Value::List(_) | Value::Tuple(_) | Value::Text(_) => self.items(&owner, line)?,
            Value::Module(id) if matches!(self.heap.modules[id.0].kind, Kind::Sequential | Kind::List) => {
                self.items(&owner, line)?
            }
            _ => return at(line, "a part is taken of a list or a Sequential here"),
        };
        let places = self.slice_places(ends, items.len(), line)?;
        let taken: Vec<Value> = places.into_iter().map(|place| items[place].clone()).collect();
        match owner {
            Value::Module(id) => self.part_of(id, taken, line),
            Value::Tuple(_) => self.tuple(taken, line),
            Value::Text(_) => {
                let letters = taken.iter().map(|letter| self.shown(letter, line)).collect::<Result<String>>()?;
                self.text(letters, line)
            }
            _ => self.list(taken, line),
        }
    }

    /// `owner[index] = value`.
    pub(super) fn put(&mut self, owner: &Value, index: Value, value: Value, line: usize) -> Result<()> {
        match (owner, index) {
            (Value::Tensor(x), index) => self.put_into(*x, &index, &value, line)?,
            (Value::List(id), Value::Slice(ends)) => {
                let items = self.items(&value, line)?;
                let ends = self.heap.lists[ends.0].clone();
                let places = self.slice_places(&ends, self.heap.lists[id.0].len(), line)?;
                if places.len() != items.len() {
                    return at(line, "a part of a list is replaced by as many items here");
                }
                places.into_iter().zip(items).for_each(|(place, item)| self.heap.lists[id.0][place] = item);
            }
            (Value::List(id), index) => {
                let list = &mut self.heap.lists[id.0];
                let place = int_of(&index).map(|index| if index < 0 { index + list.len() as i64 } else { index });
                let place = place.and_then(|place| usize::try_from(place).ok());
                match place.and_then(|place| list.get_mut(place)) {
                    Some(item) => *item = value,
                    None => return at(line, "the index lies outside the list"),
                }
            }
            (Value::Dict(id), key) => {
                Self::key(&key, line)?;
                if self.heap.dicts[id.0].items().len() >= MAX_CLASS_ITEMS {
                    return at(line, "this dict is too long");
                }
                self.spend(1, line)?;
                self.heap.dicts[id.0].set(key, value);
            }
            (Value::Module(id), index) => self.put_module(*id, &index, value, line)?,
            (Value::Unread, _) => {}
            _ => return at(line, "this cannot be assigned to here"),
        }
        Ok(())
    }

    /// `del owner[index]`.
    pub(super) fn remove(&mut self, owner: &Value, index: &Value, line: usize) -> Result<()> {
        match owner {
            Value::List(id) => {
                let count = self.heap.lists[id.0].len();
                self.spend(1 + count / MAX_CLASS_SCAN_PER_STEP, line)?;
                let places = match index {
                    Value::Slice(ends) => {
                        let ends = self.heap.lists[ends.0].clone();
                        self.slice_places(&ends, count, line)?
                    }
                    _ => vec![self.place(index, count, line)?],
                };
                let mut place = 0;
                self.heap.lists[id.0].retain(|_| {
                    place += 1;
                    !places.contains(&(place - 1))
                });
                Ok(())
            }
            Value::Dict(id) => {
                Self::key(index, line)?;
                match self.heap.dicts[id.0].remove(index) {
                    Some(_) => Ok(()),
                    None => at(line, "the key is not in the dict"),
                }
            }
            Value::Module(id) => self.remove_module(*id, index, line),
            _ => at(line, "this cannot be deleted here"),
        }
    }

    /// The place of an index, counted from the end if it is negative.
    pub(super) fn place(&self, index: &Value, count: usize, line: usize) -> Result<usize> {
        let place = int_of(index).map(|index| if index < 0 { index.saturating_add(count as i64) } else { index });
        let place = place.and_then(|place| usize::try_from(place).ok()).filter(|&place| place < count);
        place.map_or_else(|| at(line, "the index lies outside the list"), Ok)
    }

    /// Puts more items at the end of a list.
    pub(super) fn extend(&mut self, list: Id, more: Vec<Value>, line: usize) -> Result<()> {
        self.spend(more.len(), line)?;
        self.heap.lists[list.0].extend(more);
        if self.heap.lists[list.0].len() <= MAX_CLASS_ITEMS { Ok(()) } else { at(line, "this list is too long") }
    }

    /// A method of a list, tuple, dict or text.
    pub(super) fn call_of(&mut self, held: Held, name: &str, given: Given, line: usize) -> Result<Value> {
        let args = &given.args[..];
        let value = match &held {
            Held::Tensor(id) => return self.tensor_method(*id, name, given, line),
            Held::Text(text) if name == "format" => Some(self.format_method(text, args, &given.named, line)?),
            Held::Dict(id) if name == "update" => self.update(*id, &given, line)?,
            _ if !given.named.is_empty() => None,
            Held::List(id) => self.list_method(*id, name, args, line)?,
            Held::Dict(id) => self.dict_method(*id, name, args, line)?,
            Held::Text(text) => self.text_method(text, name, args, line)?,
        };
        value.map_or_else(|| at(line, format!(".{name} is not read here")), Ok)
    }

    /// A method of a list; `None` if it has none of this name.
    fn list_method(&mut self, id: Id, name: &str, args: &[Value], line: usize) -> Result<Option<Value>> {
        let count = self.heap.lists[id.0].len();
        self.spend(1 + count / MAX_CLASS_SCAN_PER_STEP, line)?;
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
                self.spend(count, line)?;
                let count = count as i64;
                let place = if *place < 0 { place.saturating_add(count) } else { *place }.clamp(0, count);
                self.heap.lists[id.0].insert(place as usize, item.clone());
                Value::None
            }
            ("pop", []) => {
                let place = self.place(&Value::Int(-1), count, line)?;
                self.heap.lists[id.0].remove(place)
            }
            ("pop", [index]) => {
                let place = self.place(index, count, line)?;
                self.heap.lists[id.0].remove(place)
            }
            ("reverse", []) => {
                self.heap.lists[id.0].reverse();
                Value::None
            }
            ("clear", []) => {
                self.heap.lists[id.0].clear();
                Value::None
            }
            ("index", [item]) => match self.heap.lists[id.0].iter().position(|own| same(own, item)) {
                Some(place) => Value::Int(place as i64),
                None => return at(line, "this is not in the list"),
            },
            ("count", [item]) => Value::Int(self.heap.lists[id.0].iter().filter(|own| same(own, item)).count() as i64),
            ("copy", []) => {
                let items = self.items(&Value::List(id), line)?;
                self.list(items, line)?
            }
            _ => return Ok(None),
        }))
    }

    /// `dict.update(..)`.
    fn update(&mut self, id: Id, given: &Given, line: usize) -> Result<Option<Value>> {
        let mut more = match &given.args[..] {
            [] => Vec::new(),
            [Value::Dict(more)] => self.heap.dicts[more.0].items().to_vec(),
            [pairs] => {
                let dict = self.dict_from(pairs, line)?;
                let Value::Dict(dict) = dict else {
                    return Ok(None);
                };
                self.heap.dicts[dict.0].items().to_vec()
            }
            _ => return Ok(None),
        };
        more.extend(given.named.iter().map(|(name, value)| (Value::Text(name.as_str().into()), value.clone())));
        for (key, value) in more {
            self.put(&Value::Dict(id), key, value, line)?;
        }
        Ok(Some(Value::None))
    }

    /// A method of a dict; `None` if it has none of this name.
    fn dict_method(&mut self, id: Id, name: &str, args: &[Value], line: usize) -> Result<Option<Value>> {
        if let [key, ..] = args {
            Self::key(key, line)?;
        }
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
                    pairs.push(self.tuple(vec![key, value], line)?);
                }
                self.list(pairs, line)?
            }
            ("get", [key]) => self.heap.dicts[id.0].get(key).cloned().unwrap_or(Value::None),
            ("get", [key, other]) => self.heap.dicts[id.0].get(key).unwrap_or(other).clone(),
            ("pop", [key, rest @ ..]) => {
                let count = self.heap.dicts[id.0].items().len();
                self.spend(1 + count / MAX_CLASS_SCAN_PER_STEP, line)?;
                match self.heap.dicts[id.0].remove(key).or(rest.first().cloned()) {
                    Some(value) => value,
                    None => return at(line, "the key is not in the dict"),
                }
            }
            ("setdefault", [key, value]) => match self.heap.dicts[id.0].get(key).cloned() {
                Some(found) => found,
                None => {
                    self.put(&Value::Dict(id), key.clone(), value.clone(), line)?;
                    value.clone()
                }
            },
            _ => return Ok(None),
        }))
    }

    /// A method of a text; `None` if it has none of this name.
    fn text_method(&mut self, text: &str, name: &str, args: &[Value], line: usize) -> Result<Option<Value>> {
        let texts: Vec<&str> =
            args.iter().filter_map(|arg| if let Value::Text(text) = arg { Some(&**text) } else { None }).collect();
        let texts = if texts.len() == args.len() { Some(texts) } else { None };
        Ok(Some(match (name, texts.as_deref(), args) {
            ("lower", _, []) => self.text(text.to_lowercase(), line)?,
            ("upper", _, []) => self.text(text.to_uppercase(), line)?,
            ("capitalize", _, []) if text.is_ascii() => {
                let (first, rest) = text.split_at(text.len().min(1));
                self.text(format!("{}{}", first.to_uppercase(), rest.to_lowercase()), line)?
            }
            ("startswith", Some([part]), _) => Value::Bool(text.starts_with(*part)),
            ("endswith", Some([part]), _) => Value::Bool(text.ends_with(*part)),
            ("strip", _, []) => self.text(text.trim().to_owned(), line)?,
            ("strip", Some([letters]), _) => {
                self.text(text.trim_matches(|c: char| letters.contains(c)).to_owned(), line)?
            }
            ("lstrip", Some([letters]), _) => {
                self.text(text.trim_start_matches(|c: char| letters.contains(c)).to_owned(), line)?
            }
            ("rstrip", Some([letters]), _) => {
                self.text(text.trim_end_matches(|c: char| letters.contains(c)).to_owned(), line)?
            }
            ("replace", Some([from, to]), _) if !from.is_empty() => {
                if text.matches(*from).count().saturating_mul(to.len()) > crate::limits::MAX_CLASS_TEXT_BYTES {
                    return at(line, "this text is too long");
                }
                self.text(text.replace(*from, to), line)?
            }
            ("zfill", _, [Value::Int(width)]) => {
                let (sign, digits) = match text.strip_prefix(['-', '+']) {
                    Some(digits) => (&text[..1], digits),
                    None => ("", text),
                };
                let width = usize::try_from(*width).unwrap_or(0).min(crate::limits::MAX_CLASS_TEXT_BYTES + 1);
                let missing = width.saturating_sub(text.chars().count());
                self.text(format!("{sign}{}{digits}", "0".repeat(missing)), line)?
            }
            ("split", _, []) => {
                let parts = text.split_whitespace().map(|part| Value::Text(part.into())).collect();
                self.list(parts, line)?
            }
            ("split", Some([mark]), _) if !mark.is_empty() => {
                let parts = text.split(*mark).map(|part| Value::Text(part.into())).collect();
                self.list(parts, line)?
            }
            ("find", Some([part]), _) if text.is_ascii() => {
                Value::Int(text.find(*part).map_or(-1, |place| place as i64))
            }
            ("isdigit", _, []) if text.is_ascii() => {
                Value::Bool(!text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()))
            }
            ("join", _, [over]) => {
                let mut out = String::new();
                for (index, item) in self.items(over, line)?.iter().enumerate() {
                    let Value::Text(item) = item else {
                        return at(line, "join takes texts");
                    };
                    out += if index > 0 { text } else { "" };
                    out += item;
                    self.fits(&out, line)?;
                }
                self.text(out, line)?
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
