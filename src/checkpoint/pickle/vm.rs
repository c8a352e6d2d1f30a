//! The pickle machine: a loop over opcodes with a stack and a memo, both of indices.

mod object;

use std::collections::HashMap;

use super::{Heap, Id, Stream, Value};
use crate::checkpoint::bytes::fail;
use crate::error::{Code, Error, Result};
use crate::limits::{NAME_BYTES, PICKLE_ITEMS, PICKLE_OPCODES, PICKLE_TEXT_BYTES, PICKLE_VALUES};

fn bad(text: impl Into<String>) -> Error {
    Error::new(Code::CheckpointPickle, format!("The pickle is damaged: {}.", text.into()))
}

/// Runs one pickle up to its STOP; returns its values and the root.
pub fn load(stream: &mut Stream<'_>) -> Result<(Heap, Id)> {
    let mut vm = Vm {
        heap: Heap::default(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        items: 0,
        text_bytes: 0,
    };
    for _ in 0..PICKLE_OPCODES {
        let opcode = stream.byte()?;
        if opcode == b'.' {
            let root = vm.pop()?;
            return Ok((vm.heap, root));
        }
        vm.step(opcode, stream)?;
    }
    fail(Code::CheckpointLimit, format!("The pickle has more than {PICKLE_OPCODES} instructions."))
}

struct Vm {
    heap: Heap,
    stack: Vec<Id>,
    /// Stack heights.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    /// Items put into containers so far: a call that copies a list costs its length, however short its opcode.
    items: usize,
    /// Bytes of the strings and names kept so far.
    text_bytes: usize,
}

/// The arena grows by this many values, not twofold: its room is bounded, too.
const GROWTH: usize = 1 << 16;

impl Vm {
    fn push(&mut self, value: Value) -> Result<()> {
        if self.heap.values.len() >= PICKLE_VALUES {
            return fail(Code::CheckpointLimit, format!("The pickle holds more than {PICKLE_VALUES} values."));
        }
        if self.heap.values.len() == self.heap.values.capacity() {
            let more = self.heap.values.len().clamp(64, GROWTH);
            self.heap.values.reserve_exact(more);
        }
        self.heap.values.push(value);
        self.push_id((self.heap.values.len() - 1) as Id)
    }

    fn push_id(&mut self, id: Id) -> Result<()> {
        if self.stack.len() >= PICKLE_ITEMS {
            return fail(Code::CheckpointLimit, format!("The pickle stacks more than {PICKLE_ITEMS} values."));
        }
        self.stack.push(id);
        Ok(())
    }

    fn charge(&mut self, items: usize) -> Result<()> {
        self.items = self.items.saturating_add(items);
        match self.items <= PICKLE_ITEMS {
            true => Ok(()),
            false => fail(Code::CheckpointLimit, format!("The pickle's lists hold more than {PICKLE_ITEMS} items.")),
        }
    }

    fn pop(&mut self) -> Result<Id> {
        if self.marks.last().is_some_and(|&mark| mark >= self.stack.len()) {
            return Err(bad("it takes a value from below a mark"));
        }
        self.stack.pop().ok_or_else(|| bad("it takes a value from an empty stack"))
    }

    fn top(&self) -> Result<Id> {
        self.stack.last().copied().ok_or_else(|| bad("it looks at an empty stack"))
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>> {
        let mark = self.marks.pop().ok_or_else(|| bad("there is no mark"))?;
        if mark > self.stack.len() {
            return Err(bad("a mark lies above the stack"));
        }
        self.charge(self.stack.len() - mark)?;
        Ok(self.stack.split_off(mark))
    }

    fn tuple(&mut self, count: usize) -> Result<()> {
        self.charge(count)?;
        let mut items = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
        items.reverse();
        self.push(Value::Tuple(items))
    }

    fn text(&mut self, bytes: Vec<u8>) -> Result<()> {
        // What is longer than any name is nobody's key: a description, a log, a bomb.
        if bytes.len() > NAME_BYTES {
            return self.push(Value::None);
        }
        let text: Box<str> = String::from_utf8_lossy(&bytes).into_owned().into();
        self.keep(text.len())?;
        self.push(Value::Str(text))
    }

    /// Counts what is kept of the pickle's text.
    fn keep(&mut self, bytes: usize) -> Result<()> {
        self.text_bytes += bytes;
        match self.text_bytes <= PICKLE_TEXT_BYTES {
            true => Ok(()),
            false => {
                fail(Code::CheckpointLimit, format!("The pickle's names take more than {PICKLE_TEXT_BYTES} bytes."))
            }
        }
    }

    fn memoize(&mut self, key: u64) -> Result<()> {
        let id = self.top()?;
        if self.memo.len() >= PICKLE_VALUES {
            return fail(Code::CheckpointLimit, format!("The pickle remembers more than {PICKLE_VALUES} values."));
        }
        self.memo.insert(key, id);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Result<()> {
        let id = *self.memo.get(&key).ok_or_else(|| bad(format!("it recalls entry {key}, which was never stored")))?;
        self.push_id(id)
    }

    fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>> {
        if !items.len().is_multiple_of(2) {
            return Err(bad("a dict has a key without a value"));
        }
        Ok(items.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
    }

    fn append(&mut self, target: Id, items: Vec<Id>) -> Result<()> {
        match self.heap.values.get_mut(target as usize) {
            Some(Value::List(list)) => list.extend(items),
            // Objects that pretend to be lists keep nothing that is read here.
            Some(Value::Object { .. }) => {}
            _ => return Err(bad("it appends to something that is no list")),
        }
        Ok(())
    }

    fn set_items(&mut self, target: Id, pairs: Vec<(Id, Id)>) -> Result<()> {
        match self.heap.values.get_mut(target as usize) {
            Some(Value::Dict { items, .. } | Value::Object { items, .. }) => items.extend(pairs),
            _ => return Err(bad("it sets an item on something that is no dict")),
        }
        Ok(())
    }

    fn build(&mut self) -> Result<()> {
        let value = self.pop()?;
        let target = self.top()?;
        match self.heap.values.get_mut(target as usize) {
            Some(Value::Dict { state, .. } | Value::Object { state, .. }) => *state = Some(value),
            Some(Value::List(_) | Value::Global(_) | Value::Persistent(_)) => {}
            _ => return Err(bad("it sets the state of something that has none")),
        }
        Ok(())
    }

    fn step(&mut self, opcode: u8, s: &mut Stream<'_>) -> Result<()> {
        match opcode {
            // Framing carries nothing.
            0x80 => drop(s.byte()?),
            0x95 => drop(s.array::<8>()?),
            b'(' => {
                if self.marks.len() >= PICKLE_VALUES {
                    return fail(Code::CheckpointLimit, format!("The pickle sets more than {PICKLE_VALUES} marks."));
                }
                self.marks.push(self.stack.len());
            }
            b'0' if self.marks.last() == Some(&self.stack.len()) => drop(self.marks.pop()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'2' => {
                let id = self.top()?;
                self.push_id(id)?;
            }
            // Scalars.
            b'N' => self.push(Value::None)?,
            0x88 => self.push(Value::Bool(true))?,
            0x89 => self.push(Value::Bool(false))?,
            b'J' => self.push(Value::Int(i32::from_le_bytes(s.array()?).into()))?,
            b'K' => self.push(Value::Int(s.byte()?.into()))?,
            b'M' => self.push(Value::Int(u16::from_le_bytes(s.array()?).into()))?,
            b'I' | b'L' => self.decimal(&s.line()?)?,
            0x8a => {
                let count = s.byte()?;
                self.long(s.take(count.into())?)?;
            }
            0x8b => {
                let count =
                    u64::try_from(i32::from_le_bytes(s.array()?)).map_err(|_| bad("a number has a negative length"))?;
                self.long(s.take(count)?)?;
            }
            b'G' => self.push(Value::Float(f64::from_be_bytes(s.array()?)))?,
            b'F' => {
                let text = s.line()?;
                let number = std::str::from_utf8(&text).ok().and_then(|t| t.trim().parse().ok());
                self.push(Value::Float(number.ok_or_else(|| bad("a float cannot be read"))?))?;
            }
            // Strings and bytes.
            b'S' => {
                let line = s.line()?;
                let quoted = line.len() >= 2 && matches!(line[0], b'\'' | b'"') && line.last() == line.first();
                self.text(if quoted { line[1..line.len() - 1].to_vec() } else { line })?;
            }
            b'V' => {
                let line = s.line()?;
                self.text(line)?;
            }
            b'U' | 0x8c => {
                let count = s.byte()?.into();
                self.text(s.take(count)?)?;
            }
            b'X' => {
                let count = u32::from_le_bytes(s.array()?).into();
                self.text(s.take(count)?)?;
            }
            b'T' => {
                let count =
                    u64::try_from(i32::from_le_bytes(s.array()?)).map_err(|_| bad("a string has a negative length"))?;
                self.text(s.take(count)?)?;
            }
            0x8d => {
                let count = u64::from_le_bytes(s.array()?);
                self.text(s.take(count)?)?;
            }
            b'C' => {
                let count = s.byte()?.into();
                s.skip(count)?;
                self.push(Value::None)?;
            }
            b'B' => {
                let count = u32::from_le_bytes(s.array()?).into();
                s.skip(count)?;
                self.push(Value::None)?;
            }
            0x8e | 0x96 => {
                let count = u64::from_le_bytes(s.array()?);
                s.skip(count)?;
                self.push(Value::None)?;
            }
            0x97 => self.push(Value::None)?,
            0x98 => {}
            // Containers.
            b']' | 0x8f => self.push(Value::List(Vec::new()))?,
            b'}' => self.push(Value::Dict { items: Vec::new(), state: None })?,
            b')' => self.push(Value::Tuple(Vec::new()))?,
            b'l' | 0x91 => {
                let items = self.pop_mark()?;
                self.push(Value::List(items))?;
            }
            b't' => {
                let items = self.pop_mark()?;
                self.push(Value::Tuple(items))?;
            }
            b'd' => {
                let items = Self::pairs(&self.pop_mark()?)?;
                self.push(Value::Dict { items, state: None })?;
            }
            0x85 => self.tuple(1)?,
            0x86 => self.tuple(2)?,
            0x87 => self.tuple(3)?,
            b'a' => {
                let item = self.pop()?;
                self.charge(1)?;
                self.append(self.top()?, vec![item])?;
            }
            b'e' | 0x90 => {
                let items = self.pop_mark()?;
                self.append(self.top()?, items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.charge(2)?;
                self.set_items(self.top()?, vec![(key, value)])?;
            }
            b'u' => {
                let pairs = Self::pairs(&self.pop_mark()?)?;
                self.set_items(self.top()?, pairs)?;
            }
            // Memo.
            b'q' => {
                let key = s.byte()?.into();
                self.memoize(key)?;
            }
            b'r' => {
                let key = u32::from_le_bytes(s.array()?).into();
                self.memoize(key)?;
            }
            b'p' => {
                let key = index(&s.line()?)?;
                self.memoize(key)?;
            }
            0x94 => self.memoize(self.memo.len() as u64)?,
            b'h' => {
                let key = s.byte()?.into();
                self.recall(key)?;
            }
            b'j' => {
                let key = u32::from_le_bytes(s.array()?).into();
                self.recall(key)?;
            }
            b'g' => {
                let key = index(&s.line()?)?;
                self.recall(key)?;
            }
            _ => self.object(opcode, s)?,
        }
        Ok(())
    }

    /// INT and LONG of protocol 0: decimal text; `00` and `01` are bools.
    fn decimal(&mut self, line: &[u8]) -> Result<()> {
        let text = std::str::from_utf8(line).map_err(|_| bad("a number cannot be read"))?;
        match text.trim_end_matches('L') {
            "00" => self.push(Value::Bool(false)),
            "01" => self.push(Value::Bool(true)),
            digits => match digits.trim().parse() {
                Ok(number) => self.push(Value::Int(number)),
                Err(_) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'-') => {
                    self.push(Value::None)
                }
                Err(_) => Err(bad("a number cannot be read")),
            },
        }
    }

    /// LONG1 and LONG4: little-endian two's complement; what does not fit 64 bits carries no meaning here.
    fn long(&mut self, bytes: Vec<u8>) -> Result<()> {
        if bytes.len() > 8 {
            return self.push(Value::None);
        }
        let negative = bytes.last().is_some_and(|&b| b & 0x80 != 0);
        let mut raw = [if negative { 0xff } else { 0 }; 8];
        raw[..bytes.len()].copy_from_slice(&bytes);
        self.push(Value::Int(i64::from_le_bytes(raw)))
    }
}

/// A memo index in decimal.
fn index(line: &[u8]) -> Result<u64> {
    std::str::from_utf8(line).ok().and_then(|t| t.trim().parse().ok()).ok_or_else(|| bad("a memo index cannot be read"))
}
