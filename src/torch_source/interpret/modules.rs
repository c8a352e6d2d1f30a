//! Modules: how they are made, registered and called.

use std::rc::Rc;

use super::super::parser::Function;
use super::super::tensor::Content;
use super::super::value::{Given, Id, Kind, Value};
use super::super::{at, layers};
use super::Run;
use super::arithmetic::tensor_of;
use crate::error::Result;
use crate::limits::{MAX_CLASS_ITEMS, MAX_CLASS_MODULE_DEPTH, MAX_CLASS_SCAN_PER_STEP, MAX_CLASS_TEXT_BYTES};
use crate::network::{ConvTranspose2d, Op, Shape};

/// A module's members by name: modules, and parameters of a list of them.
type Members = Vec<(Rc<str>, Value)>;

/// What PyTorch's layers compute with.
const LAYER_ATTRIBUTES: [&str; 24] = [
    "weight",
    "bias",
    "stride",
    "padding",
    "dilation",
    "groups",
    "kernel_size",
    "padding_mode",
    "output_padding",
    "eps",
    "affine",
    "track_running_stats",
    "running_mean",
    "running_var",
    "inplace",
    "negative_slope",
    "alpha",
    "p",
    "dim",
    "size",
    "scale_factor",
    "mode",
    "align_corners",
    "value",
];

impl Run<'_> {
    /// The method of this name, and the place of its class among the module's classes.
    pub(super) fn method(&self, id: Id, name: &str, from: usize) -> Option<(Rc<Function>, usize)> {
        let class = self.heap.modules[id.0].class?;
        let own = self.module.classes[class].lineage.iter().enumerate().skip(from);
        let find =
            |(place, class): (usize, &usize)| Some((self.module.classes[*class].functions.get(name)?.clone(), place));
        own.into_iter().find_map(find)
    }

    pub(super) fn class_name(&self, id: Id) -> String {
        match (self.heap.modules[id.0].class, &self.heap.modules[id.0].kind) {
            (Some(class), _) => self.module.classes[class].name.clone(),
            (None, Kind::Layer(op, _)) => op.name().to_owned(),
            (None, Kind::Sequential) => "Sequential".to_owned(),
            (None, Kind::List) => "ModuleList".to_owned(),
            (None, Kind::Dict) => "ModuleDict".to_owned(),
            _ => "this module".to_owned(),
        }
    }

    /// A new module, or other object, of a class of the file.
    pub(super) fn instance(&mut self, class: usize, given: Given, line: usize) -> Result<Id> {
        for &own in &self.module.classes[class].lineage {
            if let Some(unread) = self.module.classes[own].unread {
                let name = &self.module.classes[own].name;
                return at(unread, format!("the class {name} holds something here that infill does not follow"));
            }
        }
        for name in ["__new__", "__getattr__", "__getattribute__", "__setattr__", "__delattr__", "train", "eval"] {
            let own = self.module.classes[class].lineage.iter();
            if let Some(function) = own.into_iter().find_map(|&own| self.module.classes[own].functions.get(name)) {
                return at(function.line, format!("{name} is not followed"));
            }
        }
        let base = self.module.classes[class].outer_base.clone();
        let kind = match base.rsplit('.').next().unwrap_or_default() {
            "object" => Kind::Object,
            "Sequential" => Kind::Sequential,
            "ModuleList" => Kind::List,
            "ModuleDict" => Kind::Dict,
            "Function" | "Enum" | "NamedTuple" | "dict" | "list" | "str" | "int" | "float" | "tuple" | "Exception" => {
                return at(line, format!("classes made of {base} are not followed"));
            }
            _ => Kind::Plain,
        };
        let id = self.heap.module(Some(class), kind);
        match self.method(id, "__init__", 0) {
            Some((init, place)) => {
                let init = self.defined(&init)?;
                drop(self.function(init, Some((id, place)), given, line)?);
            }
            None => self.outer_init(id, given, line)?,
        }
        Ok(id)
    }

    /// `__init__` of the base class from outside the file.
    pub(super) fn outer_init(&mut self, id: Id, given: Given, line: usize) -> Result<()> {
        let Some(class) = self.heap.modules[id.0].class else {
            return Ok(());
        };
        match self.heap.modules[id.0].kind {
            Kind::Object => Ok(()),
            Kind::Plain => {
                let base = self.module.classes[class].outer_base.clone();
                let short = base.rsplit('.').next().unwrap_or_default();
                if short != "Module"
                    && let Some(kind) = self.layer_kind(short, &given, line)?
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
            (Kind::Dict, [pairs]) => {
                let Value::Dict(dict) = self.dict_from(&pairs.clone(), line)? else {
                    return Ok(());
                };
                self.heap.dicts[dict.0].items().to_vec()
            }
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
        let is_parameter = matches!(item, Value::Tensor(tensor) if self.is_parameter(tensor));
        if !matches!(item, Value::Module(_) | Value::None) && !is_parameter {
            return at(line, "a module is expected here, such as a layer: functions cannot be registered");
        }
        self.set(id, name.into(), item, line)
    }

    fn is_parameter(&self, tensor: Id) -> bool {
        matches!(self.heap.storages[self.tensor(tensor).storage.0].content, Content::Registered)
    }

    /// Sets an attribute of a module.
    pub(super) fn set(&mut self, id: Id, name: Rc<str>, value: Value, line: usize) -> Result<()> {
        if self.heap.modules[id.0].attribute_count() >= MAX_CLASS_ITEMS {
            return at(line, "this module has too many attributes");
        }
        if self.method(id, &name, 0).is_some_and(|(method, _)| method.decorators.iter().any(|d| d == "property")) {
            return at(line, format!("{name} is a property, and setting it is not followed"));
        }
        self.spend(1, line)?;
        if name.as_ref() == "training" && !matches!(self.heap.modules[id.0].kind, Kind::Object) {
            // The network is in eval mode when it runs, whatever the class itself has said before.
            return if self.paths.is_empty() {
                Ok(())
            } else {
                at(line, "setting training in forward is not followed")
            };
        }
        self.can_be_set(id, &name, line)?;
        if let Value::Tensor(tensor) = value
            && !matches!(self.heap.modules[id.0].kind, Kind::Object)
        {
            let before = self.heap.modules[id.0].get(&name).cloned();
            // A buffer that is set again while the module is made is a buffer still.
            if self.paths.is_empty()
                && let Some(Value::Tensor(before)) = before
                && self.is_parameter(before)
                && !self.is_parameter(tensor)
            {
                let again = self.registered(self.tensor(tensor).shape, self.tensor(tensor).kind);
                return self.set(id, name, Value::Tensor(again), line);
            }
            if self.is_parameter(tensor) {
                let storage = self.tensor(tensor).storage;
                self.heap.storages[storage.0].owner.get_or_insert((id, name.clone()));
            }
        }
        self.heap.modules[id.0].set(name, value);
        Ok(())
    }

    /// An error for what a layer of PyTorch computes with: a layer is as it was made.
    fn can_be_set(&self, id: Id, name: &str, line: usize) -> Result<()> {
        let module = &self.heap.modules[id.0];
        let is_own = match &module.kind {
            Kind::Layer(op, _) => op.parameters().iter().any(|spec| spec.name == name),
            Kind::Function(..) | Kind::Nothing => false,
            _ => true,
        };
        // A class of the file that extends a layer may have names of its own.
        let is_harmless = matches!(name, "momentum" | "requires_grad");
        if is_own || is_harmless || (module.class.is_some() && !LAYER_ATTRIBUTES.contains(&name)) {
            return Ok(());
        }
        at(line, format!("setting {name} of a layer is not followed: make the layer with it"))
    }

    /// A new parameter or buffer of this shape.
    pub(super) fn registered(&mut self, shape: Shape, kind: super::super::tensor::Kind) -> Id {
        self.without_value(Content::Registered, shape, kind)
    }

    /// `container[index] = item`: a number counts members.
    pub(super) fn put_module(&mut self, id: Id, index: &Value, value: Value, line: usize) -> Result<()> {
        if let (Value::Int(_), Kind::Sequential | Kind::List) = (index, &self.heap.modules[id.0].kind) {
            let members = self.members(id, line)?;
            let place = self.place(index, members.len(), line)?;
            return self.add(id, Value::Text(members[place].0.clone()), value, line);
        }
        self.add(id, index.clone(), value, line)
    }

    /// `del container[index]`: those behind it move up.
    pub(super) fn remove_module(&mut self, id: Id, index: &Value, line: usize) -> Result<()> {
        let members = self.members(id, line)?;
        let place = match index {
            Value::Text(name) => members.iter().position(|(own, _)| own == name),
            Value::Slice(_) => None,
            _ => Some(self.place(index, members.len(), line)?),
        };
        let Some(place) = place else {
            return at(line, "this cannot be deleted here");
        };
        for (name, _) in &members {
            self.heap.modules[id.0].remove(name);
        }
        let renumbers = !matches!(self.heap.modules[id.0].kind, Kind::Dict);
        let kept = members.into_iter().enumerate().filter(|(own, _)| *own != place);
        for (count, (_, (name, value))) in kept.enumerate() {
            let name = if renumbers { count.to_string().into() } else { name };
            self.set(id, name, value, line)?;
        }
        Ok(())
    }

    /// A part of a Sequential or ModuleList, with its numbers anew.
    pub(super) fn part_of(&mut self, id: Id, taken: Vec<Value>, line: usize) -> Result<Value> {
        if self.heap.modules[id.0].class.is_some() {
            return at(line, "a part of an own kind of Sequential is not followed");
        }
        let kind = self.heap.modules[id.0].kind.clone();
        let part = self.heap.module(None, kind);
        self.append(part, taken, line)?;
        Ok(Value::Module(part))
    }

    /// The modules that a module holds, by name.
    pub(super) fn children(&mut self, id: Id, line: usize) -> Result<Vec<(Rc<str>, Id)>> {
        self.spend(1 + self.heap.modules[id.0].attribute_count() / MAX_CLASS_SCAN_PER_STEP, line)?;
        let heap = &self.heap;
        let is_module = |child: &(Rc<str>, Id)| !matches!(heap.modules[child.1.0].kind, Kind::Object);
        Ok(heap.modules[id.0].children().filter(is_module).collect())
    }

    /// What a container holds, by name: modules, and parameters.
    pub(super) fn members(&mut self, id: Id, line: usize) -> Result<Members> {
        self.spend(1 + self.heap.modules[id.0].attribute_count() / MAX_CLASS_SCAN_PER_STEP, line)?;
        let attributes = self.heap.modules[id.0].attributes().to_vec().into_iter();
        let is_member = |(_, value): &(Rc<str>, Value)| match value {
            Value::Module(_) => true,
            Value::Tensor(tensor) => self.heap.storages[self.tensor(*tensor).storage.0].owner.is_some(),
            _ => false,
        };
        Ok(attributes.filter(is_member).collect())
    }

    /// `append` and `extend` of a ModuleList or Sequential.
    pub(super) fn append(&mut self, id: Id, items: Vec<Value>, line: usize) -> Result<()> {
        let count = self.members(id, line)?.len();
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
            let below = |name: &str| {
                if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
            };
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
        if let Some((call, place)) = self.method(id, "__call__", 0) {
            let call = self.defined(&call)?;
            return self.function(call, Some((id, place)), given, line);
        }
        match self.method(id, "forward", 0) {
            Some((forward, place)) => {
                let forward = self.defined(&forward)?;
                self.function(forward, Some((id, place)), given, line)
            }
            None => self.outer_forward(id, given, line),
        }
    }

    /// What a module does whose class has no `forward` of its own.
    pub(super) fn outer_forward(&mut self, id: Id, given: Given, line: usize) -> Result<Value> {
        let x = given.get(0, "input").or(given.get(0, "x")).cloned();
        match self.heap.modules[id.0].kind.clone() {
            Kind::Layer(op, in_place) => match x {
                Some(x) => {
                    let x = tensor_of(&x, line)?;
                    let result = self.layer(id, op, x, &given, line)?;
                    if !in_place {
                        return Ok(result);
                    }
                    self.overwrite(x, &result, line)?;
                    Ok(Value::Tensor(x))
                }
                None => at(line, "an input is missing"),
            },
            Kind::Function(name, own) => match x {
                Some(x) => {
                    let mut all = own.clone();
                    all.args.insert(0, x);
                    let result = self.on_tensors(name, &all, line)?;
                    result.map_or_else(|| at(line, format!("{name} is not followed")), Ok)
                }
                None => at(line, "an input is missing"),
            },
            Kind::Nothing => x.map_or_else(|| at(line, "an input is missing"), Ok),
            Kind::Sequential => {
                let Some(mut value) = x else {
                    return at(line, "an input is missing");
                };
                for (_, child) in self.children(id, line)? {
                    value = self.deeper(line, |run| run.forward(child, Given::of([value]), line))?;
                }
                Ok(value)
            }
            Kind::List | Kind::Dict => at(line, "a ModuleList or ModuleDict is not called itself, but its items"),
            Kind::Plain | Kind::Object => at(line, format!("{} has no forward", self.class_name(id))),
        }
    }

    fn layer(&mut self, id: Id, op: Op, x: Id, given: &Given, line: usize) -> Result<Value> {
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
            let own = op.parameters();
            let other = own.iter().find(|spec| match self.heap.modules[id.0].get(spec.name) {
                Some(Value::Tensor(tensor)) => {
                    let storage = &self.heap.storages[self.tensor(*tensor).storage.0];
                    storage.version > 0 || storage.owner.as_ref().is_none_or(|(owner, _)| *owner != id)
                }
                Some(_) => true,
                None => false,
            });
            if let Some(spec) = other {
                return at(
                    line,
                    format!("this {}'s {} has been replaced, which is not followed", op.name(), spec.name),
                );
            }
        }
        let kind = super::super::tensor::Kind::Float;
        self.op_at(op, &[x], kind, path.as_deref().unwrap_or_default(), line).map(Value::Tensor)
    }

    /// The layer that `forward(x, output_size=..)` runs; the batch and channels may stand before the sides.
    fn with_output_size(
        &mut self,
        conv: ConvTranspose2d,
        x: Id,
        sides: &Value,
        line: usize,
    ) -> Result<ConvTranspose2d> {
        let shape = self.tensor(x).shape;
        let sides = self.items(sides, line)?;
        let (Some([Value::Int(height), Value::Int(width)]), 2 | 4) = (sides.last_chunk(), sides.len()) else {
            return at(line, "output_size is (height, width) here");
        };
        let side = |number: i64| usize::try_from(number).unwrap_or(0);
        let chosen = conv.with_output_size((shape.height(), shape.width()), (side(*height), side(*width)));
        chosen.or_else(|text| at(line, text))
    }

    /// A parameter of a layer as a tensor of its own: `self.conv.weight`.
    pub(super) fn layer_parameter(&mut self, id: Id, name: &str, line: usize) -> Result<Option<Value>> {
        let Kind::Layer(op, _) = &self.heap.modules[id.0].kind else {
            return Ok(None);
        };
        let Some(spec) = op.parameters().into_iter().find(|spec| spec.name == name) else {
            return Ok((name == "bias" || name == "weight").then_some(Value::None));
        };
        let Some(shape) = Shape::of(&spec.shape) else {
            return Ok(None);
        };
        let tensor = self.registered(shape, super::super::tensor::Kind::Float);
        self.set(id, name.into(), Value::Tensor(tensor), line)?;
        Ok(Some(Value::Tensor(tensor)))
    }

    /// A layer of PyTorch, by its name and arguments.
    pub(super) fn layer_kind(&mut self, name: &str, given: &Given, line: usize) -> Result<Option<Kind>> {
        if let Some((function, arguments)) = super::on_tensors::module_function(name) {
            let mut own = given.clone();
            if name == "Flatten" && own.args.is_empty() && own.get(0, "start_dim").is_none() {
                own.named.push(("start_dim".to_owned(), Value::Int(1)));
            }
            let unknown = own.named.iter().find(|(key, _)| !arguments.contains(&key.as_str()));
            return match unknown {
                Some((key, _)) => at(line, format!("{name}: the argument {key} is not followed")),
                None => Ok(Some(Kind::Function(function, own))),
            };
        }
        if matches!(name, "Upsample" | "UpsamplingNearest2d" | "UpsamplingBilinear2d") {
            let mut own = given.clone();
            if name == "UpsamplingBilinear2d" {
                own.named.push(("mode".to_owned(), Value::Text("bilinear".into())));
                own.named.push(("align_corners".to_owned(), Value::Bool(true)));
            }
            return Ok(Some(Kind::Function("interpolate", own)));
        }
        layers::layer(name, given, &self.heap, line)
    }
}

/// Items under the numbers from `first` on.
fn numbered(first: usize, items: Vec<Value>) -> Vec<(Value, Value)> {
    items.into_iter().enumerate().map(|(index, item)| (Value::Int((first + index) as i64), item)).collect()
}
