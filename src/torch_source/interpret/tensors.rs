//! Tensors: how they are made, read, viewed, and changed in place.

use super::super::at;
use super::super::tensor::{Content, Kind, Layout, Storage, Tensor, View};
use super::super::value::{Id, Value};
use super::Run;
use crate::error::Result;
use crate::limits::{MAX_CLASS_ITEMS, MAX_CLASS_SCAN_PER_STEP};
use crate::network::ops::{Binary, Constant, Expand, Permute, Reach, Reshape, SliceScatter, Steps, Stored, Unary};
use crate::network::{Input, Op, Shape, ValueId};

impl Run<'_> {
    /// A network input.
    pub(super) fn input(&mut self, name: &str, shape: Shape, line: usize) -> Result<Value> {
        let op = Input { channels: shape.channels() };
        self.network.node(name, op, &[]);
        self.shapes.push(vec![shape]);
        self.spend(1, line)?;
        let value = ValueId::first(self.network.nodes.len() - 1);
        Ok(Value::Tensor(self.fresh(value, Kind::Float, Some(Layout::rows(shape)))))
    }

    /// A tensor of its own storage that holds this value.
    pub(super) fn fresh(&mut self, value: ValueId, kind: Kind, layout: Option<Layout>) -> Id {
        let shape = self.shape_of(value);
        let storage = self.storage(Content::Known(value), shape);
        self.heap.tensors.push(Tensor { storage, steps: Vec::new(), shape, kind, seen: Some((value, 0)), layout });
        Id(self.heap.tensors.len() - 1)
    }

    /// A tensor of this shape whose values have no value of the network yet.
    pub(super) fn without_value(&mut self, content: Content, shape: Shape, kind: Kind) -> Id {
        let storage = self.storage(content, shape);
        let layout = Some(Layout::rows(shape));
        self.heap.tensors.push(Tensor { storage, steps: Vec::new(), shape, kind, seen: None, layout });
        Id(self.heap.tensors.len() - 1)
    }

    fn storage(&mut self, content: Content, shape: Shape) -> Id {
        let owner = None;
        self.heap.storages.push(Storage { content, shape, version: 0, entangled: false, owner });
        Id(self.heap.storages.len() - 1)
    }

    pub(super) fn tensor(&self, id: Id) -> &Tensor {
        &self.heap.tensors[id.0]
    }

    /// Numbers that are part of the class.
    pub(super) fn constant_tensor(&mut self, value: crate::tensor::Tensor, kind: Kind, line: usize) -> Result<Id> {
        let value = self.node(Constant::new(value).into(), &[], "constant", line)?;
        let rows = Layout::rows(self.shape_of(value));
        Ok(self.fresh(value, kind, Some(rows)))
    }

    /// A single number as a tensor without dimensions.
    pub(super) fn scalar(&mut self, number: f64, line: usize) -> Result<Id> {
        let value = crate::tensor::Tensor::new(Vec::new(), vec![number as f32])?;
        self.constant_tensor(value, Kind::Float, line)
    }

    /// Adds a node; functions are named after themselves.
    pub(super) fn node(&mut self, op: Op, inputs: &[ValueId], path: &str, line: usize) -> Result<ValueId> {
        let count = self.network.nodes.len();
        if count > MAX_CLASS_ITEMS {
            return at(line, "the network has too many layers");
        }
        let name = if path.is_empty() { op.name() } else { path };
        self.spend(1 + name.len() / MAX_CLASS_SCAN_PER_STEP, line)?;
        op.check().or_else(|text| at(line, format!("{}: {text}", op.name())))?;
        let shapes: Vec<Shape> = inputs.iter().map(|&input| self.shape_of(input)).collect();
        let (least, most) = op.arity();
        if !(least..=most).contains(&inputs.len()) {
            return at(line, format!("{} takes another number of tensors", op.name()));
        }
        let outputs = op.infer(&shapes).or_else(|text| at(line, format!("{}: {text}", op.name())))?;
        if outputs.iter().any(|shape| shape.checked_elements().is_none_or(|count| count == 0)) {
            return at(line, format!("{} gives a tensor of {outputs:?}, which cannot be held", op.name()));
        }
        let own_keys = !op.parameters().is_empty();
        let times = self.taken.entry(name.to_owned()).or_insert(0);
        *times += 1;
        let name = if *times > 1 && !own_keys { format!("{name}@{count}") } else { name.to_owned() };
        self.shapes.push(outputs);
        Ok(self.network.node(name, op, inputs))
    }

    /// What a function of PyTorch gives: a tensor of its own.
    pub(super) fn op(&mut self, op: impl Into<Op>, inputs: &[Id], kind: Kind, line: usize) -> Result<Id> {
        self.op_at(op, inputs, kind, "", line)
    }

    /// [`Self::op`] of a module at this path.
    pub(super) fn op_at(
        &mut self,
        op: impl Into<Op>,
        inputs: &[Id],
        kind: Kind,
        path: &str,
        line: usize,
    ) -> Result<Id> {
        let op = op.into();
        let values = inputs.iter().map(|&input| self.read(input, line)).collect::<Result<Vec<_>>>()?;
        let keeps = op.arity() == (1, 1) && op.reach() == Reach::Pixel;
        let value = self.node(op, &values, path, line)?;
        let shape = self.shape_of(value);
        let is_rows = |id: &Id| {
            let tensor = self.tensor(*id);
            tensor.layout.as_ref().is_some_and(|layout| layout.is_rows(tensor.shape))
        };
        let layout = match inputs {
            _ if inputs.iter().all(is_rows) => Some(Layout::rows(shape)),
            [x] if keeps => self.tensor(*x).layout.clone().filter(|layout| layout.is_dense(shape)),
            _ => None,
        };
        Ok(self.fresh(value, kind, layout))
    }

    /// The value that a tensor has now.
    pub(super) fn read(&mut self, id: Id, line: usize) -> Result<ValueId> {
        let tensor = self.tensor(id).clone();
        let storage = self.heap.storages[tensor.storage.0].clone();
        if let Some((value, version)) = tensor.seen
            && version == storage.version
        {
            return Ok(value);
        }
        let mut value = self.content(tensor.storage, line)?;
        for (step, _) in &tensor.steps {
            value = self.viewed(value, step, line)?;
        }
        self.heap.tensors[id.0].seen = Some((value, storage.version));
        Ok(value)
    }

    /// The value of a storage's whole.
    fn content(&mut self, id: Id, line: usize) -> Result<ValueId> {
        let storage = self.heap.storages[id.0].clone();
        match storage.content {
            Content::Known(value) => Ok(value),
            Content::Unknown(why) => at(line, format!("this depends on {why}, which no file of weights holds")),
            Content::Registered => {
                let Some((module, name)) = &storage.owner else {
                    return at(line, "this parameter belongs to no module: assign it to self");
                };
                let Some(path) = self.paths.get(module) else {
                    return match self.paths.is_empty() {
                        true => at(line, "this depends on a parameter's first value, which the weights replace"),
                        false => at(line, "this parameter's module belongs to no attribute of the network"),
                    };
                };
                let key = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
                let shape = storage.shape.sides().to_vec();
                self.spend(1 + key.len() / MAX_CLASS_SCAN_PER_STEP, line)?;
                let op = Stored { shape };
                op_check(&op.clone().into(), line)?;
                self.shapes.push(vec![storage.shape]);
                let value = self.network.node_with_keys(&key, op, &[], vec![key.clone()]);
                self.heap.storages[id.0].content = Content::Known(value);
                Ok(value)
            }
        }
    }

    /// One step of a view as a node.
    fn viewed(&mut self, value: ValueId, view: &View, line: usize) -> Result<ValueId> {
        let op: Op = match view {
            View::Reshape(shape) => reshape(*shape),
            View::Permute(dims) => Permute { dims: dims.clone() }.into(),
            View::Part(Steps { dim, start, step: 1, length }) => {
                crate::network::ops::Slice { dim: *dim, start: *start, length: *length }.into()
            }
            View::Part(steps) => (*steps).into(),
            View::Expand(shape) => Expand { size: shape.sides().to_vec() }.into(),
        };
        self.node(op, &[value], "", line)
    }

    /// Another look at the same memory.
    pub(super) fn view(&mut self, id: Id, view: View, line: usize) -> Result<Id> {
        let from = self.tensor(id).clone();
        let known = matches!(self.heap.storages[from.storage.0].content, Content::Known(_));
        let (shape, seen) = if known {
            let value = self.read(id, line)?;
            let value = self.viewed(value, &view, line)?;
            (self.shape_of(value), Some((value, self.heap.storages[from.storage.0].version)))
        } else {
            (self.shape_after(&view, from.shape, line)?, None)
        };
        let layout = from.layout.as_ref().and_then(|layout| layout.after(&view, from.shape, shape));
        let mut steps = from.steps.clone();
        steps.push((view, from.shape));
        self.spend(steps.len(), line)?;
        self.heap.tensors.push(Tensor { storage: from.storage, steps, shape, kind: from.kind, seen, layout });
        Ok(Id(self.heap.tensors.len() - 1))
    }

    /// The shape after a step of a view, of what has no value yet.
    fn shape_after(&self, view: &View, from: Shape, line: usize) -> Result<Shape> {
        let op: Op = match view {
            View::Reshape(shape) => reshape(*shape),
            View::Permute(dims) => Permute { dims: dims.clone() }.into(),
            View::Part(steps) => (*steps).into(),
            View::Expand(shape) => Expand { size: shape.sides().to_vec() }.into(),
        };
        op.infer(&[from]).map(|shapes| shapes[0]).or_else(|text| at(line, text))
    }

    /// `reshape`: a view where the memory allows it, or else a copy; where the layout is not followed, either.
    pub(super) fn reshape(&mut self, id: Id, shape: Shape, line: usize) -> Result<Id> {
        let from = self.tensor(id).clone();
        if from.shape == shape {
            return self.view(id, View::Reshape(shape), line);
        }
        match &from.layout {
            Some(layout) if layout.reshaped(from.shape, shape).is_some() => self.view(id, View::Reshape(shape), line),
            Some(_) => self.rows(reshape(shape), id, line),
            None => {
                let copy = self.rows(reshape(shape), id, line)?;
                self.entangle(id, copy);
                Ok(copy)
            }
        }
    }

    /// A copy by this operator, row by row in memory.
    fn rows(&mut self, op: Op, id: Id, line: usize) -> Result<Id> {
        let kind = self.tensor(id).kind;
        let copy = self.op(op, &[id], kind, line)?;
        self.heap.tensors[copy.0].layout = Some(Layout::rows(self.tensor(copy).shape));
        Ok(copy)
    }

    /// `contiguous()`: the tensor itself or a copy.
    pub(super) fn contiguous(&mut self, id: Id, line: usize) -> Result<Id> {
        let tensor = self.tensor(id).clone();
        match &tensor.layout {
            Some(layout) if layout.is_rows(tensor.shape) => Ok(id),
            Some(_) => self.copied(id, line),
            None => {
                let copy = self.copied(id, line)?;
                self.entangle(id, copy);
                Ok(copy)
            }
        }
    }

    /// A tensor of the same values and its own memory, row by row.
    pub(super) fn copied(&mut self, id: Id, line: usize) -> Result<Id> {
        let value = self.read(id, line)?;
        let tensor = self.tensor(id);
        let (kind, rows) = (tensor.kind, Layout::rows(tensor.shape));
        Ok(self.fresh(value, kind, Some(rows)))
    }

    /// Notes that two tensors may share memory.
    fn entangle(&mut self, a: Id, b: Id) {
        for id in [a, b] {
            let storage = self.tensor(id).storage;
            self.heap.storages[storage.0].entangled = true;
        }
    }

    /// Changes a tensor in place to the values of another of the same shape.
    pub(super) fn overwrite(&mut self, id: Id, result: &Value, line: usize) -> Result<()> {
        let Value::Tensor(result) = result else {
            return at(line, "a tensor is expected here");
        };
        let (target, source) = (self.tensor(id).clone(), self.tensor(*result).clone());
        if self.is_first_value(id) {
            return Ok(());
        }
        if source.shape != target.shape {
            let text =
                format!("output with shape {:?} doesn't match the broadcast shape {:?}", target.shape, source.shape);
            return at(line, text);
        }
        if source.kind > target.kind {
            return at(line, "the result is of another kind (int or float) than what it is written to");
        }
        let value = self.read(*result, line)?;
        self.write(id, value, line)
    }

    /// Whether this is a parameter or buffer whose first value is set, which the weights replace.
    fn is_first_value(&self, id: Id) -> bool {
        let storage = &self.heap.storages[self.tensor(id).storage.0];
        self.paths.is_empty() && matches!(storage.content, Content::Registered)
    }

    /// Fills a tensor with random numbers: nobody can tell what its storage holds, unless the weights replace it.
    pub(super) fn forget(&mut self, id: Id) {
        if !self.is_first_value(id) {
            let storage = self.tensor(id).storage;
            self.heap.storages[storage.0].content = Content::Unknown("random numbers");
            self.heap.storages[storage.0].version += 1;
        }
    }

    /// Gives a tensor's part of its storage these values: everybody who looks at it sees them.
    fn write(&mut self, id: Id, value: ValueId, line: usize) -> Result<()> {
        let tensor = self.tensor(id).clone();
        if self.heap.storages[tensor.storage.0].entangled {
            return at(
                line,
                "whether this changes another tensor too depends on the memory's layout, which is not followed",
            );
        }
        // What each step of the view starts from.
        let whole = if tensor.steps.is_empty() { None } else { Some(self.content(tensor.storage, line)?) };
        let mut before: Vec<ValueId> = whole.into_iter().collect();
        for (step, _) in tensor.steps.iter().take(tensor.steps.len().saturating_sub(1)) {
            let last = before[before.len() - 1];
            before.push(self.viewed(last, step, line)?);
        }
        let mut new = value;
        for ((step, shape), &before) in tensor.steps.iter().zip(&before).rev() {
            let (op, inputs): (Op, Vec<ValueId>) = match step {
                View::Reshape(_) => (reshape(*shape), vec![new]),
                View::Permute(dims) => {
                    let place = |dim: usize| dims.iter().position(|&own| own == dim).unwrap_or(0);
                    (Permute { dims: (0..dims.len()).map(place).collect() }.into(), vec![new])
                }
                View::Part(steps) => (SliceScatter(*steps).into(), vec![before, new]),
                View::Expand(_) => {
                    return at(
                        line,
                        "more than one element of the written-to tensor refers to a single memory location",
                    );
                }
            };
            new = self.node(op, &inputs, "", line)?;
        }
        let storage = &mut self.heap.storages[tensor.storage.0];
        storage.content = Content::Known(new);
        storage.version += 1;
        let version = storage.version;
        self.heap.tensors[id.0].seen = Some((value, version));
        Ok(())
    }

    /// `x.copy_(value)`, and `x[...] = value`: the value is broadcast and converted.
    pub(super) fn copy_into(&mut self, id: Id, value: &Value, line: usize) -> Result<()> {
        if self.is_first_value(id) {
            return Ok(());
        }
        let source = self.as_tensor(value, line)?;
        let target = self.tensor(id).clone();
        let mut source = self.cast(source, target.kind, line)?;
        if self.tensor(source).shape != target.shape {
            // Leading sides of 1 go.
            let sides = self.tensor(source).shape.sides().to_vec();
            let extra = sides.len().saturating_sub(target.shape.sides().len());
            if sides[..extra].iter().all(|&side| side == 1)
                && let (true, Some(shape)) = (extra > 0, Shape::of(&sides[extra..]))
            {
                source = self.rows(reshape(shape), source, line)?;
            }
            let kind = self.tensor(source).kind;
            source = self.op(Expand { size: target.shape.sides().to_vec() }, &[source], kind, line)?;
        }
        let value = self.read(source, line)?;
        self.write(id, value, line)
    }

    /// A tensor or a number as a tensor.
    pub(super) fn as_tensor(&mut self, value: &Value, line: usize) -> Result<Id> {
        match value {
            Value::Tensor(id) => Ok(*id),
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
                let id = self.scalar(super::arithmetic::float(value).unwrap_or(0.0), line)?;
                self.heap.tensors[id.0].kind = match value {
                    Value::Int(_) => Kind::Int,
                    Value::Bool(_) => Kind::Bool,
                    _ => Kind::Float,
                };
                Ok(id)
            }
            Value::Unread => at(line, "this depends on what infill does not follow"),
            _ => at(line, "a tensor is expected here"),
        }
    }

    /// A tensor as another kind: floats are cut off to ints, and what is not 0 is true.
    pub(super) fn cast(&mut self, id: Id, kind: Kind, line: usize) -> Result<Id> {
        let own = self.tensor(id).kind;
        match (own, kind) {
            _ if own == kind => Ok(id),
            (Kind::Float, Kind::Int) => self.op(Unary::Trunc, &[id], kind, line),
            (_, Kind::Bool) => {
                let zero = self.scalar(0.0, line)?;
                self.op(Binary::Ne, &[id, zero], kind, line)
            }
            _ => {
                let value = self.read(id, line)?;
                let layout = self.tensor(id).layout.clone().filter(|layout| layout.is_dense(self.tensor(id).shape));
                Ok(self.fresh(value, kind, layout))
            }
        }
    }
}

fn reshape(shape: Shape) -> Op {
    Reshape { shape: shape.sides().iter().map(|&side| Some(side)).collect() }.into()
}

fn op_check(op: &Op, line: usize) -> Result<()> {
    op.check().or_else(|text| at(line, text))
}
