//! Modules: how they are made, registered and called.

use std::rc::Rc;

use super::super::parser::Function;
use super::super::value::{Given, Id, Kind, Value};
use super::super::{at, layers};
use super::Run;
use super::arithmetic::tensor_of;
use crate::error::Result;
use crate::limits::{MAX_CLASS_ITEMS, MAX_CLASS_MODULE_DEPTH, MAX_CLASS_SCAN_PER_STEP, MAX_CLASS_TEXT_BYTES};
use crate::network::{ConvTranspose2d, Op, ValueId};

impl Run<'_> {
    /// The method of this name, and the place of its class among the module's classes.
    pub(super) fn method(&self, id: Id, name: &str, from: usize) -> Option<(Rc<Function>, usize)> {
        let class = self.heap.modules[id.0].class?;
        let own = self.module.classes[class].lineage.iter().enumerate().skip(from);
        let find =
            |(place, class): (usize, &usize)| Some((self.module.classes[*class].functions.get(name)?.clone(), place));
        own.into_iter().find_map(find)
    }

    /// A new module of a class of the file.
    pub(super) fn instance(&mut self, class: usize, given: Given, line: usize) -> Result<Id> {
        let kind = match self.module.classes[class].outer_base.as_str() {
            "Sequential" => Kind::Sequential,
            "ModuleList" => Kind::List,
            "ModuleDict" => Kind::Dict,
            _ => Kind::Plain,
        };
        let id = self.heap.module(Some(class), kind);
        match self.method(id, "__init__", 0) {
            Some((init, place)) => drop(self.function(&init, None, Some((id, place)), given, line)?),
            None => self.outer_init(id, given, line)?,
        }
        Ok(id)
    }

    /// `__init__` of the base class from outside the file.
    fn outer_init(&mut self, id: Id, given: Given, line: usize) -> Result<()> {
        let Some(class) = self.heap.modules[id.0].class else { return Ok(()) };
        match self.heap.modules[id.0].kind {
            Kind::Plain => {
                let base = self.module.classes[class].outer_base.as_str();
                if base != "Module"
                    && let Some(kind) = layers::layer(base, &given, &self.heap, line)?
                {
                    self.heap.modules[id.0].kind = kind;
                }
                Ok(())
            }
            _ => self.fill(id, given, line),
        }
    }

    /// The items that `nn.Sequential`, `nn.ModuleList` and `nn.ModuleDict` are made with.
    pub(super) fn fill(&mut self, id: Id, given: Given, line: usize) -> Result<()> {
        let items = match (&self.heap.modules[id.0].kind, &given.args[..]) {
            (_, [Value::Dict(dict)]) => self.heap.dicts[dict.0].items().to_vec(),
            (Kind::Sequential, args) => numbered(0, args.to_vec()),
            (_, []) => Vec::new(),
            (_, [over]) => numbered(0, self.items(over, line)?),
            _ => return at(line, "a list of modules is expected here"),
        };
        for (name, item) in items {
            self.add(id, name, item, line)?;
        }
        Ok(())
    }

    /// Registers one item under a name or number.
    pub(super) fn add(&mut self, id: Id, name: Value, item: Value, line: usize) -> Result<()> {
        self.spend(1, line)?;
        let name = self.shown(&name, line)?;
        if !matches!(item, Value::Module(_) | Value::None) {
            return at(line, "a module is expected here, such as a layer: functions cannot be registered");
        }
        self.set(id, name.into(), item, line)
    }

    /// Sets an attribute of a module.
    pub(super) fn set(&mut self, id: Id, name: Rc<str>, value: Value, line: usize) -> Result<()> {
        if self.heap.modules[id.0].attribute_count() >= MAX_CLASS_ITEMS {
            return at(line, "this module has too many attributes");
        }
        self.spend(1, line)?;
        self.heap.modules[id.0].set(name, value);
        Ok(())
    }

    /// The modules that a module holds, by name.
    pub(super) fn children(&mut self, id: Id, line: usize) -> Result<Vec<(Rc<str>, Id)>> {
        self.spend(1 + self.heap.modules[id.0].attribute_count() / MAX_CLASS_SCAN_PER_STEP, line)?;
        Ok(self.heap.modules[id.0].children().collect())
    }

    /// `append` and `extend` of a ModuleList or Sequential.
    pub(super) fn append(&mut self, id: Id, items: Vec<Value>, line: usize) -> Result<()> {
        let count = self.children(id, line)?.len();
        numbered(count, items).into_iter().try_for_each(|(name, item)| self.add(id, name, item, line))
    }

    /// Gives every module below the root the path of its first registration, as `state_dict()` does.
    pub(super) fn register(&mut self, root: Id, line: usize) -> Result<()> {
        let mut next = vec![(root, String::new(), 0)];
        while let Some((id, path, depth)) = next.pop() {
            self.spend(1 + path.len() / MAX_CLASS_SCAN_PER_STEP, line)?;
            if depth > MAX_CLASS_MODULE_DEPTH || path.len() > MAX_CLASS_TEXT_BYTES {
                return at(line, "the modules are nested too deeply");
            }
            if self.paths.contains_key(&id) {
                continue;
            }
            let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            let children = self.children(id, line)?;
            self.spend(children.len() * (1 + path.len() / MAX_CLASS_SCAN_PER_STEP), line)?;
            next.extend(children.iter().rev().map(|(name, child)| (*child, below(name), depth + 1)));
            self.paths.insert(id, path.into());
        }
        Ok(())
    }

    /// A module on tensors.
    pub(super) fn forward(&mut self, id: Id, given: Given, line: usize) -> Result<Value> {
        self.spend(1, line)?;
        match self.method(id, "forward", 0) {
            Some((forward, place)) => self.function(&forward, None, Some((id, place)), given, line),
            None => self.outer_forward(id, given, line),
        }
    }

    /// What a module does whose class has no `forward` of its own.
    pub(super) fn outer_forward(&mut self, id: Id, given: Given, line: usize) -> Result<Value> {
        let x = given.get(0, "input").cloned();
        match self.heap.modules[id.0].kind.clone() {
            Kind::Layer(op) => match x {
                Some(x) => self.layer(id, op, tensor_of(&x, line)?, &given, line),
                None => at(line, "an input is missing"),
            },
            Kind::Nothing => x.map_or_else(|| at(line, "an input is missing"), Ok),
            Kind::Sequential => {
                let Some(mut value) = x else { return at(line, "an input is missing") };
                for (_, child) in self.children(id, line)? {
                    value = self.deeper(line, |run| run.forward(child, Given::of([value]), line))?;
                }
                Ok(value)
            }
            Kind::List | Kind::Dict => at(line, "a ModuleList or ModuleDict is not called itself, but its items"),
            Kind::Plain => {
                let class =
                    self.heap.modules[id.0].class.map_or("this module", |class| &self.module.classes[class].name);
                at(line, format!("{class} has no forward"))
            }
        }
    }

    fn layer(&mut self, id: Id, op: Op, x: ValueId, given: &Given, line: usize) -> Result<Value> {
        let op = match (op, given.get(1, "output_size").cloned()) {
            (Op::ConvTranspose2d(conv), Some(sides)) if !matches!(sides, Value::None) => {
                Op::from(self.with_output_size(conv, x, &sides, line)?)
            }
            (op, _) => op,
        };
        let path = self.paths.get(&id).cloned();
        if !op.parameters().is_empty() {
            // A layer that is called twice stands twice, under one path: its weights are shared.
            if path.is_none() {
                let text = "belongs to no attribute of the network, so its weights are in no file: assign it to self, or put it in an nn.ModuleList";
                return at(line, format!("this {} {text}", op.name()));
            }
        }
        self.tensor(op, &[x], path.as_deref().unwrap_or_default(), line)
    }

    /// The layer that `forward(x, output_size=..)` runs; the batch and channels may stand before the sides.
    fn with_output_size(
        &mut self,
        conv: ConvTranspose2d,
        x: ValueId,
        sides: &Value,
        line: usize,
    ) -> Result<ConvTranspose2d> {
        let depends = "output_size depends on the input's size: give the layer the output_padding it chooses";
        let Some(shape) = self.shape(x, line)? else { return at(line, depends) };
        let sides = self.items(sides, line)?;
        let (Some([Value::Int(height), Value::Int(width)]), 2 | 4) = (sides.last_chunk(), sides.len()) else {
            return at(line, "output_size is (height, width) here");
        };
        let side = |number: i64| usize::try_from(number).unwrap_or(0);
        let chosen = conv.with_output_size((shape.height(), shape.width()), (side(*height), side(*width)));
        chosen.or_else(|text| at(line, text))
    }

    /// A method that PyTorch's own classes have.
    pub(super) fn outer_method(&mut self, id: Id, name: &str, given: Given, line: usize) -> Result<Value> {
        match (name, &given.args[..]) {
            ("__init__", _) => self.outer_init(id, given, line).map(|()| Value::None),
            ("forward", _) => self.outer_forward(id, given, line),
            ("__call__", _) => self.forward(id, given, line),
            ("append", [item]) => {
                let item = item.clone();
                self.append(id, vec![item], line).map(|()| Value::Module(id))
            }
            ("extend", [items]) => {
                let items = self.items(items, line)?;
                self.append(id, items, line).map(|()| Value::Module(id))
            }
            ("add_module" | "register_module", [name, item]) => {
                let (name, item) = (name.clone(), item.clone());
                self.add(id, name, item, line).map(|()| Value::None)
            }
            ("add_module" | "register_module", _) => match (given.get(0, "name"), given.get(1, "module")) {
                (Some(name), Some(item)) => {
                    let (name, item) = (name.clone(), item.clone());
                    self.add(id, name, item, line).map(|()| Value::None)
                }
                _ => at(line, "add_module takes a name and a module"),
            },
            ("register_buffer" | "register_parameter", [Value::Text(name), ..]) => {
                self.set(id, name.clone(), Value::Unread, line).map(|()| Value::None)
            }
            ("children" | "values" | "keys" | "named_children" | "items", _) => self.children_as(name, id, line),
            // Loops over these set first values or freeze them, which a file of weights has done with.
            ("modules" | "named_modules" | "parameters" | "named_parameters" | "buffers" | "state_dict", _) => {
                self.list(Vec::new(), line)
            }
            ("apply" | "train" | "eval" | "to" | "cuda" | "cpu" | "float" | "half" | "requires_grad_", _) => {
                Ok(Value::Module(id))
            }
            _ if sets_weights(name) => Ok(Value::Unread),
            _ => {
                let class =
                    self.heap.modules[id.0].class.map_or("this module", |class| &self.module.classes[class].name);
                at(line, format!("{class} has no {name}"))
            }
        }
    }

    /// The children as one of the methods that loops run over gives them: their names, themselves, or pairs of both.
    fn children_as(&mut self, method: &str, id: Id, line: usize) -> Result<Value> {
        let mut items = Vec::new();
        for (name, child) in self.children(id, line)? {
            items.push(match method {
                "keys" => Value::Text(name),
                "children" | "values" => Value::Module(child),
                _ => self.list(vec![Value::Text(name), Value::Module(child)], line)?,
            });
        }
        self.list(items, line)
    }

    /// Adds a node; functions are named after themselves.
    pub(super) fn tensor(&mut self, op: impl Into<Op>, inputs: &[ValueId], path: &str, line: usize) -> Result<Value> {
        let (op, count) = (op.into(), self.network.nodes.len());
        if count > MAX_CLASS_ITEMS {
            return at(line, "the network has too many layers");
        }
        let name = if path.is_empty() { op.name() } else { path };
        self.spend(1 + (count + name.len()) / MAX_CLASS_SCAN_PER_STEP, line)?;
        let taken = op.parameters().is_empty() && self.network.nodes.iter().any(|node| node.path == name);
        let name = if taken { format!("{name}@{count}") } else { name.to_owned() };
        Ok(Value::Tensor(self.network.node(name, op, inputs)))
    }
}

/// Whether a method of this name sets the weights' first values, which is nothing to a file of weights.
pub(super) fn sets_weights(name: &str) -> bool {
    let has = |part: &str| name.contains(part);
    name == "reset_parameters" || name == "initialize" || has("init") && (has("weight") || has("param"))
}

/// Items under the numbers from `first` on.
fn numbered(first: usize, items: Vec<Value>) -> Vec<(Value, Value)> {
    items.into_iter().enumerate().map(|(index, item)| (Value::Int((first + index) as i64), item)).collect()
}
