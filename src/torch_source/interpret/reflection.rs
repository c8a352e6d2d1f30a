//! Attributes, and functions that ask for a value's type.

use super::super::at;
use super::super::value::{Given, Held, Id, Kind, Value, short};
use super::Run;
use crate::error::Result;
use crate::network::Op;

impl Run<'_> {
    /// `owner.name`.
    pub(super) fn attribute(&mut self, owner: Value, name: &str, line: usize) -> Result<Value> {
        Ok(match owner {
            Value::Name(owner) => {
                let text = self.text(format!("{owner}.{name}"), line)?;
                match text {
                    Value::Text(dotted) => self.outer_attribute(&dotted)?,
                    other => other,
                }
            }
            Value::Super(module, from) => Value::Method(module, name.into(), from),
            Value::Module(module) => self.attribute_of(module, name, line)?,
            Value::Class(class) => self.class_attribute(class, name, line)?,
            Value::Tensor(x) => match name {
                "shape" => self.sizes(x, line)?,
                "ndim" => Value::Int(self.tensor(x).shape.sides().len() as i64),
                "data" => Value::Tensor(x),
                "T" | "mT" => {
                    let rank = self.tensor(x).shape.sides().len();
                    if rank != 2 {
                        return at(line, "a matrix is expected here");
                    }
                    self.on_tensors("t", &Given::of([Value::Tensor(x)]), line)?.unwrap_or(Value::None)
                }
                "dtype" => Value::Name(
                    match self.tensor(x).kind {
                        super::super::tensor::Kind::Float => "torch.float32",
                        super::super::tensor::Kind::Int => "torch.int64",
                        super::super::tensor::Kind::Bool => "torch.bool",
                    }
                    .into(),
                ),
                "device" | "requires_grad" | "grad" | "is_cuda" => Value::Unread,
                _ => Value::Of(Held::Tensor(x), name.into()),
            },
            Value::Text(text) => Value::Of(Held::Text(text), name.into()),
            Value::List(id) => Value::Of(Held::List(id), name.into()),
            Value::Dict(id) => Value::Of(Held::Dict(id), name.into()),
            Value::Tuple(id) if matches!(name, "index" | "count") => Value::Of(Held::List(id), name.into()),
            Value::Partial(id) if name == "func" => self.heap.partials[id.0].callee.clone(),
            Value::Function(id) if name == "__name__" => {
                let name = self.heap.functions[id.0].function.name.clone();
                self.text(name, line)?
            }
            Value::Unread => Value::Unread,
            _ => return at(line, format!(".{name} is not read here")),
        })
    }

    /// A name from outside; numbers of libraries are numbers.
    fn outer_attribute(&mut self, dotted: &str) -> Result<Value> {
        Ok(match dotted {
            "math.pi" | "numpy.pi" | "torch.pi" => Value::Float(std::f64::consts::PI),
            "math.e" | "numpy.e" => Value::Float(std::f64::consts::E),
            "math.inf" | "numpy.inf" | "torch.inf" => Value::Float(f64::INFINITY),
            _ => match dotted.rsplit_once('.') {
                Some((owner, "__name__")) => Value::Text(short(owner).into()),
                _ => self.outer(dotted)?,
            },
        })
    }

    fn class_attribute(&mut self, class: usize, name: &str, line: usize) -> Result<Value> {
        for own in self.module.classes[class].lineage.clone() {
            if let Some(value) = self.heap.constants.get(&(Some(own), name.to_owned())) {
                return Ok(value.clone());
            }
            let found = &self.module.classes[own];
            if let Some(function) = found.functions.get(name).cloned() {
                if function.decorators.iter().any(|decorator| decorator == "classmethod") {
                    return at(line, "a class method is called on an object here: self.method()");
                }
                return self.defined(&function).map(Value::Function);
            }
            if found.constants.contains_key(name) {
                return self.constant(Some(own), name, line);
            }
        }
        match name {
            "__name__" | "__qualname__" => Ok(Value::Text(self.module.classes[class].name.as_str().into())),
            // `nn.Module.__init__(self)` of a class whose base is outside.
            "__init__" => Ok(Value::Name("torch.nn.Module.__init__".into())),
            _ => at(line, format!("{} has no {name}", self.module.classes[class].name)),
        }
    }

    fn attribute_of(&mut self, id: Id, name: &str, line: usize) -> Result<Value> {
        if let Some(value) = self.heap.modules[id.0].get(name) {
            return Ok(value.clone());
        }
        if let Some((function, place)) = self.method(id, name, 0) {
            let is = |decorator: &str| function.decorators.iter().any(|own| own == decorator);
            if is("property") || function.decorators.iter().any(|own| own.ends_with("cached_property")) {
                let function = self.defined(&function)?;
                return self.function(function, Some((id, place)), Given::default(), line);
            }
            return Ok(Value::Method(id, name.into(), 0));
        }
        if let Some(class) = self.heap.modules[id.0].class {
            for own in self.module.classes[class].lineage.clone() {
                let is_set = self.heap.constants.contains_key(&(Some(own), name.to_owned()));
                if is_set || self.module.classes[own].constants.contains_key(name) {
                    return match self.constant(Some(own), name, line)? {
                        Value::Function(_) => {
                            at(line, format!("{name} is a function of the class, which is not followed"))
                        }
                        value => Ok(value),
                    };
                }
            }
            if name == "__class__" {
                return Ok(Value::Class(class));
            }
        }
        if let Some(value) = self.layer_parameter(id, name, line)? {
            return Ok(value);
        }
        let count = |number: usize| Value::Int(number as i64);
        Ok(match (name, &self.heap.modules[id.0].kind) {
            // A module is made in training mode.
            ("training", _) => Value::Bool(self.paths.is_empty()),
            ("_modules", _) => {
                let children = self.children(id, line)?.into_iter();
                let children = children.map(|(name, child)| (Value::Text(name), Value::Module(child)));
                self.dict_of(children.collect(), line)?
            }
            ("device" | "dtype", _) => Value::Unread,
            ("__class__", Kind::Layer(op, _)) => Value::Name(format!("torch.nn.{}", op.name()).into()),
            ("in_channels", Kind::Layer(Op::Conv2d(conv), _)) => count(conv.in_channels),
            ("in_channels", Kind::Layer(Op::ConvTranspose2d(conv), _)) => count(conv.in_channels),
            ("out_channels", Kind::Layer(Op::Conv2d(conv), _)) => count(conv.out_channels),
            ("out_channels", Kind::Layer(Op::ConvTranspose2d(conv), _)) => count(conv.out_channels),
            ("num_features", Kind::Layer(Op::BatchNorm2d(norm), _)) => count(norm.num_features),
            ("kernel_size" | "stride" | "padding" | "dilation", Kind::Layer(Op::Conv2d(conv), _)) => {
                let pair = match name {
                    "kernel_size" => conv.kernel_size,
                    "stride" => conv.stride,
                    "padding" => conv.padding,
                    _ => conv.dilation,
                };
                self.tuple(vec![count(pair.0), count(pair.1)], line)?
            }
            ("groups", Kind::Layer(Op::Conv2d(conv), _)) => count(conv.groups),
            ("in_features" | "out_features", Kind::Layer(Op::General(linear), _)) => {
                count(linear.count(name).unwrap_or_default())
            }
            // What a method of PyTorch's own, or one that is missing, is called by.
            _ => Value::Method(id, name.into(), 0),
        })
    }

    /// A function that asks for a value's type, or for an attribute by its name; `None` if this is none.
    pub(super) fn reflection(&mut self, name: &str, given: &Given, line: usize) -> Result<Option<Value>> {
        Ok(Some(match (name, &given.args[..]) {
            ("isinstance", [value, kind]) => match self.is_one_of(value, kind, line)? {
                Some(answer) => Value::Bool(answer),
                None => return at(line, "whether it is one is not followed"),
            },
            ("torch.is_tensor", [value]) => Value::Bool(matches!(value, Value::Tensor(_))),
            ("type", [value]) => self.type_of(value, line)?,
            ("issubclass", [Value::Class(class), Value::Class(of)]) => {
                Value::Bool(self.module.classes[*class].lineage.contains(of))
            }
            ("callable", [value]) => match value {
                Value::Function(_) | Value::Class(_) | Value::Method(..) | Value::Partial(_) => Value::Bool(true),
                Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::None | Value::Bool(_) => Value::Bool(false),
                _ => return at(line, "whether it can be called is not followed"),
            },
            ("getattr", [owner, Value::Text(name), rest @ ..]) => match (owner, rest) {
                (Value::Module(id), [default]) if !self.has(*id, name) => default.clone(),
                (Value::Module(_), _) | (_, []) => self.attribute(owner.clone(), name, line)?,
                _ => return at(line, "getattr with a default is followed for modules"),
            },
            ("hasattr", [Value::Module(id), Value::Text(name)]) => Value::Bool(self.has(*id, name)),
            ("hasattr", _) => return at(line, "hasattr is followed for modules"),
            ("setattr", [owner, Value::Text(name), value]) => {
                self.set_attribute(owner.clone(), name, value.clone(), line)?;
                Value::None
            }
            _ => return Ok(None),
        }))
    }

    /// Whether a module has an attribute.
    fn has(&self, id: Id, name: &str) -> bool {
        let module = &self.heap.modules[id.0];
        let own = module.class.map(|class| self.module.classes[class].lineage.as_slice()).unwrap_or_default();
        let of_layer = match &module.kind {
            Kind::Layer(op, _) => {
                op.parameters().iter().any(|spec| spec.name == name) || matches!(name, "weight" | "bias")
            }
            _ => false,
        };
        module.get(name).is_some()
            || self.method(id, name, 0).is_some()
            || own.iter().any(|&class| self.module.classes[class].constants.contains_key(name))
            || of_layer
            || matches!(name, "forward" | "training" | "parameters" | "modules" | "children" | "state_dict")
    }

    fn type_of(&self, value: &Value, line: usize) -> Result<Value> {
        let name = match value {
            Value::Module(id) => match (self.heap.modules[id.0].class, &self.heap.modules[id.0].kind) {
                (Some(class), _) => return Ok(Value::Class(class)),
                (None, Kind::Layer(op, _)) => format!("torch.nn.{}", op.name()),
                (None, Kind::Sequential) => "torch.nn.Sequential".to_owned(),
                (None, Kind::List) => "torch.nn.ModuleList".to_owned(),
                _ => return at(line, "the type of this module is not followed"),
            },
            Value::Int(_) => "int".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::Float(_) => "float".to_owned(),
            Value::Text(_) => "str".to_owned(),
            Value::List(_) => "list".to_owned(),
            Value::Tuple(_) => "tuple".to_owned(),
            Value::Dict(_) => "dict".to_owned(),
            Value::Partial(_) => "functools.partial".to_owned(),
            Value::Tensor(_) => "torch.Tensor".to_owned(),
            Value::None => "NoneType".to_owned(),
            Value::Class(_) => "type".to_owned(),
            _ => return at(line, "the type of this is not followed"),
        };
        Ok(Value::Name(name.into()))
    }

    /// `isinstance` of one kind or a tuple of kinds, which may hold tuples; `None` if that is not known.
    fn is_one_of(&mut self, value: &Value, kind: &Value, line: usize) -> Result<Option<bool>> {
        let (Value::List(_) | Value::Tuple(_)) = kind else {
            return Ok(self.is_a(value, kind));
        };
        let mut answer = Some(false);
        for kind in self.items(kind, line)? {
            match self.deeper(line, |run| run.is_one_of(value, &kind, line))? {
                Some(true) => return Ok(Some(true)),
                Some(false) => {}
                None => answer = None,
            }
        }
        Ok(answer)
    }

    fn is_a(&self, value: &Value, kind: &Value) -> Option<bool> {
        let name = match kind {
            Value::Name(name) => short(name),
            Value::Class(wanted) => {
                let Value::Module(id) = value else {
                    return Some(false);
                };
                let class = self.heap.modules[id.0].class;
                return Some(class.is_some_and(|class| self.module.classes[class].lineage.contains(wanted)));
            }
            _ => return None,
        };
        Some(match value {
            Value::Unread | Value::Name(_) | Value::Iterator(_) => return None,
            Value::Int(_) => name == "int",
            Value::Bool(_) => matches!(name, "bool" | "int"),
            Value::Float(_) => name == "float",
            Value::Text(_) => name == "str",
            Value::List(_) => matches!(name, "list" | "Sequence" | "Iterable" | "Collection"),
            Value::Tuple(_) => matches!(name, "tuple" | "Sequence" | "Iterable" | "Collection" | "Size"),
            Value::Dict(_) => matches!(name, "dict" | "OrderedDict" | "Mapping" | "Iterable" | "Collection"),
            Value::Tensor(_) => matches!(name, "Tensor"),
            Value::Module(id) => match &self.heap.modules[id.0].kind {
                Kind::Object => name == "object",
                _ if name == "Module" => true,
                Kind::Layer(op, _) if self.heap.modules[id.0].class.is_none() => {
                    let own = op.name();
                    own == name
                        || matches!((own, name), ("Conv2d" | "ConvTranspose2d", "_ConvNd"))
                        || own == "ConvTranspose2d" && name == "_ConvTransposeNd"
                        || own == "BatchNorm2d" && matches!(name, "_BatchNorm" | "_NormBase")
                        || own == "InstanceNorm2d" && matches!(name, "_InstanceNorm" | "_NormBase")
                        || own == "clamp" && matches!(name, "Hardtanh" | "ReLU6")
                }
                Kind::Sequential => name == "Sequential",
                Kind::List => matches!(name, "ModuleList" | "ParameterList"),
                Kind::Dict => matches!(name, "ModuleDict" | "ParameterDict"),
                Kind::Plain if self.heap.modules[id.0].class.is_some() => false,
                _ => return None,
            },
            _ => return None,
        })
    }
}
