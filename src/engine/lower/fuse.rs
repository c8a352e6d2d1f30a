//! Turns nodes into steps one after another, and lets each step do what follows it.

use super::{Convolution, Epilogue, FusedPadding, Lowered, Pointwise, Step, SumPart, Value, Work, is_fixed_norm};
use crate::network::{Network, Op, Pad2d, PaddingMode, Shapes, ValueId};

/// Sides at which the shapes of a network are looked at before anything is fused; the first that it takes.
const PROBES: [usize; 5] = [256, 512, 64, 128, 1024];

pub struct Builder<'a> {
    network: &'a Network,
    /// For every node, who reads it.
    users: Vec<Vec<usize>>,
    /// Shapes at a usual size; sums are fused where these are alike.
    shapes: Option<Shapes>,
    /// By node and output, the value that holds its result.
    holders: Vec<Vec<Option<usize>>>,
    /// By node, the padding that its only reader does on the way.
    padding: Vec<Option<FusedPadding>>,
    steps: Vec<Step>,
    values: Vec<Value>,
}

impl<'a> Builder<'a> {
    pub fn new(network: &'a Network) -> Self {
        let mut users = vec![Vec::new(); network.nodes.len()];
        for (index, node) in network.nodes.iter().enumerate() {
            node.inputs.iter().for_each(|value| users[value.node].push(index));
        }
        Self {
            network,
            users,
            shapes: match &network.traced[..] {
                [] => PROBES.iter().find_map(|&side| network.shapes(&network.square_inputs(side)).ok()),
                traced => network.shapes(traced).ok(),
            },
            holders: network.nodes.iter().map(|node| vec![None; node.op.outputs()]).collect(),
            padding: vec![None; network.nodes.len()],
            steps: Vec::new(),
            values: Vec::new(),
        }
    }

    pub fn finish(self) -> Lowered {
        let output = self.held(self.network.output());
        Lowered { steps: self.steps, values: self.values, output }
    }

    /// The value that holds a result: its node came before.
    fn held(&self, value: ValueId) -> usize {
        self.holders[value.node][value.output].expect("a node's inputs come before it")
    }

    fn new_value(&mut self, of: ValueId) -> usize {
        self.values.push(Value { of, border: None });
        self.values.len() - 1
    }

    fn hold(&mut self, value: ValueId, holder: usize) {
        self.holders[value.node][value.output] = Some(holder);
    }

    /// The only node that reads this one's only output, unless it is the network's result.
    fn only_user(&self, node: usize) -> Option<usize> {
        match self.users[node][..] {
            [user] if self.network.output().node != node && self.holders[node].len() == 1 => Some(user),
            _ => None,
        }
    }

    fn push(&mut self, node: usize, work: Work, inputs: Vec<usize>, output: usize) {
        self.hold(ValueId::first(node), output);
        let epilogue = Epilogue::default();
        self.steps.push(Step { nodes: vec![node], work, inputs, outputs: vec![output], epilogue });
    }

    /// A step of its own for a copy with other contents beyond the border.
    fn copy(&mut self, from: usize, to: usize, mode: PaddingMode) {
        let work = Work::Copy(Pad2d::all(0, mode));
        let (inputs, outputs) = (vec![from], vec![to]);
        self.steps.push(Step { nodes: Vec::new(), work, inputs, outputs, epilogue: Epilogue::default() });
    }

    /// Whether two values have one shape at the usual size.
    fn alike(&self, a: ValueId, b: ValueId) -> bool {
        self.shapes.as_ref().is_some_and(|shapes| shapes[a] == shapes[b])
    }

    /// One node, unless a step before it does it already.
    pub fn node(&mut self, index: usize) {
        if self.holders[index].iter().all(Option::is_some) {
            return;
        }
        let node = &self.network.nodes[index];
        if self.needs_image(&node.op) && !node.inputs.iter().all(|&input| self.is_image(input)) {
            return self.fresh(index, Work::Loops);
        }
        match &node.op {
            Op::Input(_) => self.source(index, Work::Input),
            Op::Stored(_) => self.source(index, Work::Stored),
            Op::Conv2d(_) | Op::ConvTranspose2d(_) => self.convolution(index),
            Op::Pad2d(pad) => self.pad(index, pad),
            op if is_fixed_norm(op) => self.in_place(index, Work::FixedNorm),
            Op::BatchNorm2d(_) | Op::InstanceNorm2d(_) => self.in_place(index, Work::OwnNorm),
            op if Pointwise::of(op).is_some() => self.in_place(index, Work::Function),
            Op::Affine(_) => self.in_place(index, Work::Affine),
            Op::Upsample(_) => self.fresh(index, Work::Upsample),
            Op::Cat(cat) if cat.dim == 1 => self.fresh(index, Work::Cat),
            Op::Add(_) => self.fresh(index, Work::Add),
            Op::Mul(_) => self.fresh(index, Work::Mul),
            Op::Gated(gated) => self.fresh(index, Work::Gated(gated.activation)),
            Op::ContextualAttention(op) => self.fresh(index, Work::Attention(*op)),
            Op::Standardize(_) => self.in_place(index, Work::Standardize),
            Op::Rfft2(_) => self.fourier(index, Work::Rfft2),
            Op::Irfft2(_) => self.fourier(index, Work::Irfft2),
            _ => self.fresh(index, Work::Loops),
        }
    }

    /// Whether a kernel of its own does this, which knows rows and columns of one picture alone.
    fn needs_image(&self, op: &Op) -> bool {
        matches!(op, Op::Conv2d(_) | Op::ConvTranspose2d(_) | Op::Pad2d(_) | Op::Upsample(_) | Op::Cat(_))
            || matches!(op, Op::BatchNorm2d(_) | Op::InstanceNorm2d(_) | Op::Standardize(_) | Op::Gated(_))
            || matches!(op, Op::ContextualAttention(_))
    }

    /// Whether a value is `[1, C, H, W]`: a class may put windows, or anything, in a batch's place.
    fn is_image(&self, value: ValueId) -> bool {
        let traced = self.shapes.as_ref().filter(|_| !self.network.traced.is_empty());
        traced.is_none_or(|shapes| matches!(shapes[value].sides(), [1, _, _, _]))
    }

    fn source(&mut self, index: usize, work: Work) {
        let value = self.new_value(ValueId::first(index));
        self.push(index, work, Vec::new(), value);
    }

    /// A step that writes new values.
    fn fresh(&mut self, index: usize, work: Work) {
        let inputs = self.network.nodes[index].inputs.iter().map(|&value| self.held(value)).collect();
        let outputs: Vec<usize> =
            (0..self.holders[index].len()).map(|output| self.new_value(ValueId { node: index, output })).collect();
        self.push(index, work, inputs, outputs[0]);
        for (output, &value) in outputs.iter().enumerate() {
            self.hold(ValueId { node: index, output }, value);
        }
        if let Some(step) = self.steps.last_mut() {
            step.outputs = outputs;
        }
    }

    /// A step that changes its input where it lies: the value itself if nobody else reads it, else a copy.
    fn in_place(&mut self, index: usize, work: Work) {
        let input = self.network.nodes[index].inputs[0];
        let mut value = self.held(input);
        if self.only_user(input.node) != Some(index) || self.padding[input.node].is_some() {
            let copy = self.new_value(ValueId::first(index));
            self.copy(value, copy, PaddingMode::Zeros);
            value = copy;
        }
        let function = Pointwise::of(&self.network.nodes[index].op).filter(|_| work == Work::Function);
        let fuses = work != Work::Affine;
        self.push(index, work, vec![value], value);
        if let (Some(step), Some(function)) = (self.steps.last_mut(), function) {
            step.epilogue.function = function;
        }
        if fuses {
            self.fuse(index);
        }
    }

    /// A padding layer in front of a single convolution without padding becomes that convolution's border.
    fn pad(&mut self, index: usize, pad: &Pad2d) {
        let input = self.network.nodes[index].inputs[0];
        let reader = self.only_user(index).map(|user| &self.network.nodes[user].op);
        let bare = matches!(reader, Some(Op::Conv2d(conv)) if conv.padding == (0, 0));
        let value = self.held(input);
        let agrees = self.values[value].border.is_none_or(|mode| mode == pad.mode);
        if bare && agrees && self.padding[input.node].is_none() {
            self.padding[index] = Some(FusedPadding { top: pad.top, left: pad.left, mode: pad.mode });
            self.hold(ValueId::first(index), value);
            self.values[value].border = Some(pad.mode);
        } else {
            self.fresh(index, Work::Copy(pad.clone()));
        }
    }

    fn convolution(&mut self, index: usize) {
        let node = &self.network.nodes[index];
        let input = node.inputs[0];
        let (padding, mode) = match &node.op {
            Op::Conv2d(conv) => (conv.padding, conv.padding_mode),
            _ => ((1, 1), PaddingMode::Zeros),
        };
        let fused = self.padding[input.node];
        let value = match fused {
            // Nothing beyond the border is read, so that any border will do.
            None if padding == (0, 0) => self.held(input),
            _ => self.with_border(input, fused.map_or(mode, |padding| padding.mode)),
        };
        let (part, output) = match self.summed_with(index) {
            None => (SumPart::Whole, None),
            Some((_, other)) => match self.holders[other][0] {
                None => (SumPart::First, None),
                Some(value) => (SumPart::Second, Some(value)),
            },
        };
        let last = self.summed_with(index).map_or(index, |(sum, _)| sum);
        let norm = self.only_user(last).filter(|&next| is_fixed_norm(&self.network.nodes[next].op));
        let output = output.unwrap_or_else(|| self.new_value(ValueId::first(index)));
        self.push(index, Work::Convolution(Convolution { padding: fused, norm, part }), vec![value], output);
        if part == SumPart::First {
            return;
        }
        if let (SumPart::Second, Some(step)) = (part, self.steps.last_mut()) {
            step.epilogue.accumulate = true;
            self.fused(last);
        }
        if let Some(norm) = norm {
            self.fused(norm);
        }
        self.fuse(norm.unwrap_or(last));
    }

    /// The sum that alone reads a convolution's result, and the convolution whose result it adds, which nothing else reads
    /// either.
    fn summed_with(&self, index: usize) -> Option<(usize, usize)> {
        let sum = self.only_user(index)?;
        let (Op::Add(_), &[a, b]) = (&self.network.nodes[sum].op, &self.network.nodes[sum].inputs[..]) else {
            return None;
        };
        let other = if a.node == index { b.node } else { a.node };
        let alone = other != index && self.only_user(other) == Some(sum);
        let plain = |node: usize| matches!(self.network.nodes[node].op, Op::Conv2d(_));
        let result = ValueId::first(sum);
        let pays = alone && plain(index) && plain(other) && self.alike(a, result) && self.alike(b, result);
        pays.then_some((sum, other))
    }

    /// A transform of what its first input holds; another input tells only its shape.
    fn fourier(&mut self, index: usize, work: Work) {
        let (input, output) = (self.held(self.network.nodes[index].inputs[0]), self.new_value(ValueId::first(index)));
        self.push(index, work, vec![input], output);
        self.fuse(index);
    }

    /// A value for reading with this border: the result's own, or a copy where its border is already another.
    fn with_border(&mut self, value: ValueId, mode: PaddingMode) -> usize {
        let holder = self.held(value);
        match self.values[holder].border {
            Some(other) if other != mode => {
                let copy = self.new_value(self.values[holder].of);
                self.copy(holder, copy, mode);
                self.values[copy].border = Some(mode);
                copy
            }
            _ => {
                self.values[holder].border = Some(mode);
                holder
            }
        }
    }

    /// The last step does this node too.
    fn fused(&mut self, node: usize) {
        if let Some(step) = self.steps.last_mut() {
            step.nodes.push(node);
            self.holders[node][0] = Some(step.outputs[0]);
        }
    }

    /// Lets the last step do what follows `last`: a stored map, functions, a sum with something that is already there.
    fn fuse(&mut self, mut last: usize) {
        while let Some(next) = self.only_user(last) {
            let Some(epilogue) = self.with_next(last, next) else { return };
            let ends = epilogue.plus.is_some();
            if let Some(step) = self.steps.last_mut() {
                step.epilogue = epilogue;
            }
            self.fused(next);
            if ends {
                return;
            }
            last = next;
        }
    }

    /// The last step's epilogue with the node `next` in it, if that is possible.
    fn with_next(&mut self, last: usize, next: usize) -> Option<Epilogue> {
        let epilogue = self.steps.last()?.epilogue.clone();
        let node = &self.network.nodes[next];
        if let Some(function) = epilogue.function.then(&node.op) {
            return Some(Epilogue { function, ..epilogue });
        }
        let &[a, b] = &node.inputs[..] else { return None };
        if !matches!(node.op, Op::Add(_)) || a == b {
            return None;
        }
        let other = if a.node == last { b } else { a };
        let result = ValueId::first(next);
        if !self.alike(ValueId::first(last), result) {
            return None;
        }
        if self.is_map(other, result) && epilogue.function == Pointwise::Identity && epilogue.map.is_none() {
            return Some(Epilogue { map: Some(self.map(other)?), ..epilogue });
        }
        // Only what is there before the step can be added to its result, and not what the step itself writes.
        let (step, value) = (self.steps.last()?, self.holders[other.node][other.output]?);
        let before = other.node < step.nodes[0] && !step.outputs.contains(&value);
        let there = before && self.padding[other.node].is_none() && self.alike(other, result);
        there.then_some(Epilogue { plus: Some(value), ..epilogue })
    }

    /// Whether this is a stored tensor with one number for each pixel of the result.
    fn is_map(&self, value: ValueId, result: ValueId) -> bool {
        let Some(shapes) = &self.shapes else { return false };
        let (Op::Stored(_), &[.., height, width]) = (&self.network.nodes[value.node].op, shapes[value].sides()) else {
            return false;
        };
        let one_channel = shapes[value].elements() == height as u64 * width as u64;
        one_channel && [height, width] == [shapes[result].height(), shapes[result].width()]
    }

    /// The value of a stored map, read before the step that adds it.
    fn map(&mut self, value: ValueId) -> Option<usize> {
        if let Some(holder) = self.holders[value.node][value.output] {
            return Some(holder);
        }
        let step = self.steps.pop()?;
        self.source(value.node, Work::Stored);
        self.steps.push(step);
        self.holders[value.node][value.output]
    }
}
