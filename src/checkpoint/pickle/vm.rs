//! The pickle machine: a loop over opcodes with a stack and a memo, both of indices.

mod data;
mod object;
mod opcode;

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
        let code = stream.byte()?;
        if code == opcode::STOP {
            let root = vm.pop()?;
            return Ok((vm.heap, root));
        }
        vm.step(code, stream)?;
    }
    fail(Code::CheckpointLimit, format!("The pickle has more than {PICKLE_OPCODES} instructions."))
}

struct Vm {
    heap: Heap,
    stack: Vec<Id>,
    /// Heights of the stack at which marks were set.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    /// Items put into containers so far: a call that copies a list costs its length, however short its opcode.
    items: usize,
    /// Bytes of the strings and names kept so far.
    text_bytes: usize,
}

/// The arena grows by at most this many values at a time. Doubling would allocate up to twice what its cap allows.
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
        if self.items <= PICKLE_ITEMS {
            Ok(())
        } else {
            fail(Code::CheckpointLimit, format!("The pickle's lists hold more than {PICKLE_ITEMS} items."))
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
        if self.text_bytes <= PICKLE_TEXT_BYTES {
            Ok(())
        } else {
            fail(Code::CheckpointLimit, format!("The pickle's names take more than {PICKLE_TEXT_BYTES} bytes."))
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

    fn step(&mut self, code: u8, s: &mut Stream<'_>) -> Result<()> {
        match code {
            // They say nothing of the values.
            opcode::PROTO => s.byte().map(drop),
            opcode::FRAME => s.array::<8>().map(drop),
            opcode::READONLY_BUFFER => Ok(()),
            opcode::MARK => self.mark(),
            opcode::POP if self.marks.last() == Some(&self.stack.len()) => {
                self.marks.pop();
                Ok(())
            }
            opcode::POP => self.pop().map(drop),
            opcode::POP_MARK => self.pop_mark().map(drop),
            opcode::DUP => self.push_id(self.top()?),
            opcode::NONE
            | opcode::NEWTRUE
            | opcode::NEWFALSE
            | opcode::INT
            | opcode::LONG
            | opcode::BININT
            | opcode::BININT1
            | opcode::BININT2
            | opcode::LONG1
            | opcode::LONG4
            | opcode::FLOAT
            | opcode::BINFLOAT => self.scalar(code, s),
            opcode::STRING
            | opcode::UNICODE
            | opcode::SHORT_BINSTRING
            | opcode::BINSTRING
            | opcode::SHORT_BINUNICODE
            | opcode::BINUNICODE
            | opcode::BINUNICODE8
            | opcode::SHORT_BINBYTES
            | opcode::BINBYTES
            | opcode::BINBYTES8
            | opcode::BYTEARRAY8
            | opcode::NEXT_BUFFER => self.string(code, s),
            opcode::EMPTY_LIST
            | opcode::EMPTY_SET
            | opcode::EMPTY_DICT
            | opcode::EMPTY_TUPLE
            | opcode::LIST
            | opcode::FROZENSET
            | opcode::TUPLE
            | opcode::TUPLE1
            | opcode::TUPLE2
            | opcode::TUPLE3
            | opcode::DICT => self.container(code),
            opcode::APPEND | opcode::APPENDS | opcode::ADDITEMS | opcode::SETITEM | opcode::SETITEMS => self.fill(code),
            opcode::PUT | opcode::BINPUT | opcode::LONG_BINPUT | opcode::MEMOIZE => self.put(code, s),
            opcode::GET | opcode::BINGET | opcode::LONG_BINGET => self.get(code, s),
            _ => self.object(code, s),
        }
    }

    fn mark(&mut self) -> Result<()> {
        if self.marks.len() >= PICKLE_VALUES {
            return fail(Code::CheckpointLimit, format!("The pickle sets more than {PICKLE_VALUES} marks."));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }
}
