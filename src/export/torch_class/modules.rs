//! Which modules a class registers, and how each is reached.

use std::collections::{HashMap, HashSet};

use super::super::unwritten;
use crate::error::Result;
use crate::network::ops::norm::Statistics;
use crate::network::{Network, Node, Op, ParameterKind, ValueId};
use crate::python::quoted;

/// Words that are no names in Python.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];
/// Layers of an `nn.Sequential` that are not there (dropouts), for each that is.
const MOST_GAPS: usize = 1;

/// What is registered at a path.
enum Member {
    /// A layer of PyTorch's: the expression that makes it.
    Layer(String),
    /// A tensor: its shape, and what it is for.
    Tensor(Vec<usize>, ParameterKind),
    /// Layers one after the other.
    Sequence(Vec<String>),
    /// Members of its own.
    Group(Vec<(String, Member)>),
}

/// How a group is made.
#[derive(PartialEq, Eq)]
enum Kind {
    List,
    Dict,
    Group,
}

/// The modules of a network.
pub struct Modules {
    root: Vec<(String, Member)>,
    /// Nodes that are no module: their tensors are registered by themselves.
    functional: HashSet<usize>,
    /// The first node of each `nn.Sequential`: its path and its last node.
    pub sequences: HashMap<usize, (String, usize)>,
}

/// Whether an operator is a layer of `torch.nn` by itself.
fn is_layer(op: &Op) -> bool {
    match op {
        Op::BatchNorm2d(norm) => norm.statistics == Statistics::Stored,
        Op::Conv2d(_)
        | Op::ConvTranspose2d(_)
        | Op::InstanceNorm2d(_)
        | Op::Activation(_)
        | Op::Pad2d(_)
        | Op::Upsample(_)
        | Op::MaxPool2d(_)
        | Op::AvgPool2d(_) => true,
        _ => false,
    }
}

/// `nn.Conv2d(3, 8, 3)`.
pub fn made(op: &Op) -> String {
    let text = op.written();
    let call = text.split("  #").next().unwrap_or_default();
    format!("nn.{call}")
}

/// Whether a node's keys are those of a module at its path.
fn has_own_keys(node: &Node) -> bool {
    let parameters = node.op.parameters();
    let own = parameters.iter().map(|parameter| format!("{}.{}", node.path, parameter.name));
    node.keys.iter().cloned().eq(own)
}

impl Modules {
    /// The modules of this network. `network-invalid` for a layer with parameters of a kind that no class is written for.
    pub fn of(network: &Network) -> Result<Self> {
        let functional = functional(network);
        let sequences = sequences(network, &functional);
        let mut modules = Self { root: Vec::new(), functional, sequences };
        let mut inside: HashSet<usize> = HashSet::new();
        for (index, node) in network.nodes.iter().enumerate() {
            if let Some((path, last)) = modules.sequences.get(&index) {
                inside.extend(index..=*last);
                insert(&mut modules.root, path, Member::Sequence(sequence(&network.nodes[index..=*last])));
            }
            let parameters = node.op.parameters();
            if inside.contains(&index) || parameters.is_empty() {
                continue;
            }
            if modules.is_module(index) {
                insert(&mut modules.root, &node.path, Member::Layer(made(&node.op)));
                continue;
            }
            if !matches!(
                node.op,
                Op::Conv2d(_) | Op::ConvTranspose2d(_) | Op::BatchNorm2d(_) | Op::InstanceNorm2d(_) | Op::Stored(_)
            ) {
                return Err(unwritten(&node.path, node.op.name(), "a class"));
            }
            for (key, parameter) in node.keys.iter().zip(parameters) {
                insert(&mut modules.root, key, Member::Tensor(parameter.shape, parameter.kind));
            }
        }
        Ok(modules)
    }

    /// Whether a node is called as a module.
    pub fn is_module(&self, index: usize) -> bool {
        !self.functional.contains(&index)
    }

    /// Whether some group is one that PyTorch has no class for.
    pub fn needs_group(&self) -> bool {
        fn any(members: &[(String, Member)]) -> bool {
            members.iter().any(|(_, member)| match member {
                Member::Group(own) => kind(own) == Kind::Group || any(own),
                _ => false,
            })
        }
        any(&self.root)
    }

    /// The lines of `__init__`.
    pub fn registered(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, member) in &self.root {
            let is_buffer = matches!(member, Member::Tensor(_, kind) if *kind != ParameterKind::Trained);
            let (before, after) = match (is_buffer, is_name(name)) {
                (true, _) => (format!("self.register_buffer({}, ", quoted(name)), ")"),
                (false, true) => (format!("self.{name} = "), ""),
                (false, false) => (format!("self.add_module({}, ", quoted(name)), ")"),
            };
            emit(member, &before, after, 0, &mut lines);
        }
        if lines.is_empty() { vec!["pass".to_owned()] } else { lines }
    }

    /// The expression that gives the module or tensor at a path.
    pub fn reached(&self, path: &str) -> String {
        let (mut expression, mut members, mut at) = ("self".to_owned(), &self.root, Kind::Group);
        for name in path.split('.') {
            expression = match at {
                Kind::List => format!("{expression}[{name}]"),
                Kind::Dict => format!("{expression}[{}]", quoted(name)),
                Kind::Group if is_name(name) => format!("{expression}.{name}"),
                Kind::Group => format!("getattr({expression}, {})", quoted(name)),
            };
            match members.iter().find(|(own, _)| own == name) {
                Some((_, Member::Group(own))) => (members, at) = (own, kind(own)),
                // A layer's own tensor.
                _ => at = Kind::Group,
            }
        }
        expression
    }
}

/// Nodes whose parameters no module at their path could hold: under keys of another path, or with other things inside.
fn functional(network: &Network) -> HashSet<usize> {
    let holds = |node: &&Node| !node.op.parameters().is_empty();
    let mut paths: HashSet<&str> = HashSet::new();
    for node in network.nodes.iter().filter(holds) {
        for key in node.keys.iter().filter(|_| !has_own_keys(node) || !is_layer(&node.op)) {
            // A tensor by itself, and so a group around it.
            paths.extend(key.match_indices('.').map(|(dot, _)| &key[..dot]));
        }
        paths.extend(node.path.match_indices('.').map(|(dot, _)| &node.path[..dot]));
    }
    let is_functional = |node: &Node| !is_layer(&node.op) || !has_own_keys(node) || paths.contains(node.path.as_str());
    let nodes = network.nodes.iter().enumerate().filter(|(_, node)| holds(node));
    nodes.filter(|(_, node)| is_functional(node)).map(|(index, _)| index).collect()
}

/// The path before the last dot, and the number after it.
fn numbered(path: &str) -> Option<(&str, usize)> {
    let (parent, number) = path.rsplit_once('.')?;
    Some((parent, number.parse().ok()?))
}

/// Runs of layers that can be one `nn.Sequential`.
fn sequences(network: &Network, functional: &HashSet<usize>) -> HashMap<usize, (String, usize)> {
    let mut uses: HashMap<ValueId, usize> = HashMap::new();
    let output = network.output();
    for value in network.nodes.iter().flat_map(|node| &node.inputs).chain([&output]) {
        *uses.entry(*value).or_default() += 1;
    }
    let nodes = &network.nodes;
    let fits = |index: usize| is_layer(&nodes[index].op) && !functional.contains(&index);
    let follows = |index: usize, before: usize| {
        nodes[index].inputs == [ValueId::first(before)] && uses.get(&ValueId::first(before)) == Some(&1)
    };
    let (mut found, mut index) = (HashMap::new(), 0);
    while index < nodes.len() {
        let first = index;
        index += 1;
        let Some((parent, mut number)) = numbered(&nodes[first].path).filter(|_| fits(first)) else { continue };
        while let Some((_, next)) =
            nodes.get(index).and_then(|node| numbered(&node.path)).filter(|(own, _)| *own == parent)
            && fits(index)
            && next > number
            && follows(index, index - 1)
        {
            (number, index) = (next, index + 1);
        }
        let is_inside = |path: &str| path.strip_prefix(parent).is_some_and(|rest| rest.starts_with('.'));
        let elsewhere = nodes.iter().enumerate().any(|(other, node)| {
            !(first..index).contains(&other)
                && !node.op.parameters().is_empty()
                && (node.keys.iter().any(|key| is_inside(key)) || is_inside(&node.path) || node.path == parent)
        });
        let count = index - first;
        let is_dense = number < count * (1 + MOST_GAPS);
        let has_weights = nodes[first..index].iter().any(|node| !node.op.parameters().is_empty());
        if count > 1 && is_dense && has_weights && !elsewhere {
            found.insert(first, (parent.to_owned(), index - 1));
        }
    }
    found
}

/// The layers of an `nn.Sequential`, with something that does nothing where a dropout was.
fn sequence(nodes: &[Node]) -> Vec<String> {
    let mut layers = Vec::new();
    for node in nodes {
        let (_, number) = numbered(&node.path).unwrap_or_default();
        layers.resize(number.max(layers.len()), "nn.Identity()".to_owned());
        layers.push(made(&node.op));
    }
    layers
}

fn insert(members: &mut Vec<(String, Member)>, path: &str, member: Member) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let at = members.iter().position(|(own, _)| own == name);
    let Some(rest) = rest else {
        // A module that is called twice is there already.
        if at.is_none() {
            members.push((name.to_owned(), member));
        }
        return;
    };
    let at = at.unwrap_or_else(|| {
        members.push((name.to_owned(), Member::Group(Vec::new())));
        members.len() - 1
    });
    if let Member::Group(own) = &mut members[at].1 {
        insert(own, rest, member);
    }
}

fn is_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !KEYWORDS.contains(&name)
}

fn kind(members: &[(String, Member)]) -> Kind {
    let is_module = |member: &Member| !matches!(member, Member::Tensor(..));
    if members.iter().any(|(name, member)| name.parse::<usize>().is_err() || !is_module(member)) {
        return Kind::Group;
    }
    let in_order = members.iter().enumerate().all(|(at, (name, _))| *name == at.to_string());
    if in_order { Kind::List } else { Kind::Dict }
}

/// The lines that make a member, after `before` and with `after` behind them.
fn emit(member: &Member, before: &str, after: &str, depth: usize, lines: &mut Vec<String>) {
    let indent = "    ".repeat(depth);
    let mut block = |open: &str, items: &mut dyn FnMut(&mut Vec<String>), close: &str| {
        lines.push(format!("{indent}{before}{open}"));
        items(lines);
        lines.push(format!("{indent}{close}{after}"));
    };
    match member {
        Member::Layer(made) => lines.push(format!("{indent}{before}{made}{after}")),
        Member::Tensor(shape, kind) => {
            let sides = shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let dtype = if *kind == ParameterKind::Counter { ", dtype=torch.long" } else { "" };
            let empty = format!("torch.zeros(({sides}{}){dtype})", if shape.len() == 1 { "," } else { "" });
            let made = if *kind == ParameterKind::Trained { format!("nn.Parameter({empty})") } else { empty };
            lines.push(format!("{indent}{before}{made}{after}"));
        }
        Member::Sequence(layers) => block(
            "nn.Sequential(",
            &mut |lines| lines.extend(layers.iter().map(|layer| format!("{indent}    {layer},"))),
            ")",
        ),
        Member::Group(members) => {
            let (open, close) = match kind(members) {
                Kind::List => ("nn.ModuleList([", "])"),
                Kind::Dict => ("nn.ModuleDict({", "})"),
                Kind::Group if members.iter().all(|(name, _)| is_name(name)) => ("Group(", ")"),
                Kind::Group => ("Group(**{", "})"),
            };
            let named = |name: &str| match open {
                "nn.ModuleList([" => String::new(),
                "Group(" => format!("{name}="),
                _ => format!("{}: ", quoted(name)),
            };
            let mut items = |lines: &mut Vec<String>| {
                members.iter().for_each(|(name, member)| emit(member, &named(name), ",", depth + 1, lines));
            };
            block(open, &mut items, close);
        }
    }
}
