//! What would import or call something in Python: here it stays a name and its arguments.

use super::{Vm, bad, opcode};
use crate::checkpoint::pickle::{Id, Stream, Value};
use crate::error::Result;
use crate::limits::NAME_BYTES;

/// Globals whose call with no or one argument is a plain container.
const DICTS: [&str; 4] = ["collections.OrderedDict", "builtins.dict", "__builtin__.dict", "collections.defaultdict"];
const LISTS: [&str; 6] = [
    "builtins.list",
    "builtins.set",
    "builtins.frozenset",
    "__builtin__.set",
    "__builtin__.list",
    "__builtin__.frozenset",
];

impl Vm {
    /// REDUCE and its kin: containers become themselves, everything else stays an inert object.
    fn call(&mut self, callable: Id, args: Id) -> Result<()> {
        let name = self.heap.global(callable).unwrap_or_default();
        let (dict, list) = (DICTS.contains(&name), LISTS.contains(&name));
        if dict || list {
            let first = self.heap.sequence(args).and_then(|args| args.first());
            let copied = first.and_then(|&first| self.heap.sequence(first)).map_or(0, <[Id]>::len);
            self.charge(copied)?;
        }
        if dict {
            let pairs =
                self.heap.sequence(args).and_then(|args| args.first()).and_then(|&list| self.heap.sequence(list));
            let items = pairs.into_iter().flatten().filter_map(|&pair| match self.heap.sequence(pair) {
                Some(&[key, value]) => Some((key, value)),
                _ => None,
            });
            let items = items.collect();
            return self.push(Value::Dict { items, state: None });
        }
        if list {
            let first = self.heap.sequence(args).and_then(|args| args.first().copied());
            let items = first.and_then(|list| self.heap.sequence(list)).unwrap_or_default().to_vec();
            return self.push(Value::List(items));
        }
        self.push(Value::Object { callable, args, state: None, items: Vec::new() })
    }

    /// A call of protocol 0, whose arguments lie on the stack one by one.
    fn call_with(&mut self, callable: Id, args: Vec<Id>) -> Result<()> {
        self.push(Value::Tuple(args))?;
        let args = self.pop()?;
        self.call(callable, args)
    }

    fn global(&mut self, module: &str, name: &str) -> Result<()> {
        if module.len() + name.len() > NAME_BYTES {
            return Err(bad("the name of a class is too long"));
        }
        self.keep(module.len() + name.len() + 1)?;
        self.push(Value::Global(format!("{module}.{name}").into()))
    }

    /// Opcodes that would import or call something.
    pub(super) fn object(&mut self, code: u8, s: &mut Stream<'_>) -> Result<()> {
        match code {
            opcode::GLOBAL => {
                let (module, name) = (s.line()?, s.line()?);
                self.global(&String::from_utf8_lossy(&module), &String::from_utf8_lossy(&name))
            }
            opcode::STACK_GLOBAL => {
                let (name, module) = (self.pop()?, self.pop()?);
                let text = |id: Id| self.heap.str(id).map(str::to_owned).ok_or_else(|| bad("a class has no name"));
                let (module, name) = (text(module)?, text(name)?);
                self.global(&module, &name)
            }
            opcode::REDUCE | opcode::NEWOBJ => {
                let (args, callable) = (self.pop()?, self.pop()?);
                self.call(callable, args)
            }
            opcode::NEWOBJ_EX => {
                let (_keywords, args, callable) = (self.pop()?, self.pop()?, self.pop()?);
                self.call(callable, args)
            }
            opcode::OBJ => {
                let mut items = self.pop_mark()?;
                if items.is_empty() {
                    return Err(bad("an object has no class"));
                }
                let callable = items.remove(0);
                self.call_with(callable, items)
            }
            opcode::INST => {
                let (module, name) = (s.line()?, s.line()?);
                let items = self.pop_mark()?;
                self.global(&String::from_utf8_lossy(&module), &String::from_utf8_lossy(&name))?;
                let callable = self.pop()?;
                self.call_with(callable, items)
            }
            opcode::BUILD => self.build(),
            opcode::BINPERSID => {
                let id = self.pop()?;
                self.push(Value::Persistent(id))
            }
            opcode::PERSID => {
                let line = s.line()?;
                self.text(line)?;
                let id = self.pop()?;
                self.push(Value::Persistent(id))
            }
            opcode::EXT1..=opcode::EXT4 => Err(bad("it uses the extension registry, which no checkpoint needs")),
            other => Err(bad(format!("0x{other:02x} is no instruction"))),
        }
    }
}
