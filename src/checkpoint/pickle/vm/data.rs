//! Opcodes of plain data: numbers, texts, containers and the memo.

use super::{Vm, bad, opcode};
use crate::checkpoint::pickle::{Id, Stream, Value};
use crate::error::Result;

impl Vm {
    /// Numbers, bools and `None`.
    pub(super) fn scalar(&mut self, code: u8, s: &mut Stream<'_>) -> Result<()> {
        match code {
            opcode::NONE => self.push(Value::None),
            opcode::NEWTRUE => self.push(Value::Bool(true)),
            opcode::NEWFALSE => self.push(Value::Bool(false)),
            opcode::BININT => self.push(Value::Int(i32::from_le_bytes(s.array()?).into())),
            opcode::BININT1 => self.push(Value::Int(s.byte()?.into())),
            opcode::BININT2 => self.push(Value::Int(u16::from_le_bytes(s.array()?).into())),
            opcode::LONG1 => {
                let count = s.byte()?;
                self.long(s.take(count.into())?)
            }
            opcode::LONG4 => {
                let count = length(s, "a number has a negative length")?;
                self.long(s.take(count)?)
            }
            opcode::BINFLOAT => self.push(Value::Float(f64::from_be_bytes(s.array()?))),
            opcode::FLOAT => {
                let text = s.line()?;
                let number = std::str::from_utf8(&text).ok().and_then(|t| t.trim().parse().ok());
                self.push(Value::Float(number.ok_or_else(|| bad("a float cannot be read"))?))
            }
            // What remains is INT and LONG.
            _ => self.decimal(&s.line()?),
        }
    }

    /// Strings. Bytes and buffers carry no meaning here: they are passed over.
    pub(super) fn string(&mut self, code: u8, s: &mut Stream<'_>) -> Result<()> {
        let count = match code {
            opcode::STRING => {
                let line = s.line()?;
                let quoted = line.len() >= 2 && matches!(line[0], b'\'' | b'"') && line.last() == line.first();
                return self.text(if quoted { line[1..line.len() - 1].to_vec() } else { line });
            }
            opcode::UNICODE => {
                let line = s.line()?;
                return self.text(line);
            }
            opcode::NEXT_BUFFER => return self.push(Value::None),
            opcode::SHORT_BINSTRING | opcode::SHORT_BINUNICODE | opcode::SHORT_BINBYTES => s.byte()?.into(),
            opcode::BINUNICODE | opcode::BINBYTES => u32::from_le_bytes(s.array()?).into(),
            opcode::BINSTRING => length(s, "a string has a negative length")?,
            // What remains is BINUNICODE8, BINBYTES8 and BYTEARRAY8.
            _ => u64::from_le_bytes(s.array()?),
        };
        match code {
            opcode::SHORT_BINBYTES | opcode::BINBYTES | opcode::BINBYTES8 | opcode::BYTEARRAY8 => {
                s.skip(count)?;
                self.push(Value::None)
            }
            _ => self.text(s.take(count)?),
        }
    }

    /// Lists, sets, tuples and dicts, new or from the stack.
    pub(super) fn container(&mut self, code: u8) -> Result<()> {
        match code {
            opcode::EMPTY_LIST | opcode::EMPTY_SET => self.push(Value::List(Vec::new())),
            opcode::EMPTY_DICT => self.push(Value::Dict { items: Vec::new(), state: None }),
            opcode::EMPTY_TUPLE => self.push(Value::Tuple(Vec::new())),
            opcode::LIST | opcode::FROZENSET => {
                let items = self.pop_mark()?;
                self.push(Value::List(items))
            }
            opcode::TUPLE => {
                let items = self.pop_mark()?;
                self.push(Value::Tuple(items))
            }
            opcode::DICT => {
                let items = pairs(&self.pop_mark()?)?;
                self.push(Value::Dict { items, state: None })
            }
            opcode::TUPLE1 => self.tuple(1),
            opcode::TUPLE2 => self.tuple(2),
            // What remains is TUPLE3.
            _ => self.tuple(3),
        }
    }

    /// Puts what lies on the stack into the container below it.
    pub(super) fn fill(&mut self, code: u8) -> Result<()> {
        match code {
            opcode::APPEND => {
                let item = self.pop()?;
                self.charge(1)?;
                self.append(self.top()?, vec![item])
            }
            opcode::APPENDS | opcode::ADDITEMS => {
                let items = self.pop_mark()?;
                self.append(self.top()?, items)
            }
            opcode::SETITEM => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.charge(2)?;
                self.set_items(self.top()?, vec![(key, value)])
            }
            // What remains is SETITEMS.
            _ => {
                let pairs = pairs(&self.pop_mark()?)?;
                self.set_items(self.top()?, pairs)
            }
        }
    }

    /// Stores the top of the stack in the memo.
    pub(super) fn put(&mut self, code: u8, s: &mut Stream<'_>) -> Result<()> {
        let key = match code {
            opcode::BINPUT => s.byte()?.into(),
            opcode::LONG_BINPUT => u32::from_le_bytes(s.array()?).into(),
            opcode::PUT => index(&s.line()?)?,
            // What remains is MEMOIZE.
            _ => self.memo.len() as u64,
        };
        self.memoize(key)
    }

    /// Pushes an entry of the memo.
    pub(super) fn get(&mut self, code: u8, s: &mut Stream<'_>) -> Result<()> {
        let key = match code {
            opcode::BINGET => s.byte()?.into(),
            opcode::LONG_BINGET => u32::from_le_bytes(s.array()?).into(),
            // What remains is GET.
            _ => index(&s.line()?)?,
        };
        self.recall(key)
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

/// A signed 32-bit length, which must not be negative.
fn length(s: &mut Stream<'_>, negative: &str) -> Result<u64> {
    u64::try_from(i32::from_le_bytes(s.array()?)).map_err(|_| bad(negative))
}

/// Keys and values of a dict, as they lie one after another.
fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>> {
    if !items.len().is_multiple_of(2) {
        return Err(bad("a dict has a key without a value"));
    }
    Ok(items.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
}

/// A memo index in decimal.
fn index(line: &[u8]) -> Result<u64> {
    std::str::from_utf8(line).ok().and_then(|t| t.trim().parse().ok()).ok_or_else(|| bad("a memo index cannot be read"))
}
