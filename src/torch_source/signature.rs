//! What a class is made with: the arguments of its `__init__`.

use serde::Serialize;

use super::parser::{self, Expression, Module, Node, Parameter, Takes};

/// One argument of a class's `__init__`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its type as the file has it; else what its default's kind suggests; empty if nothing says.
    pub kind: String,
    /// Its default as the file has it; `None` if it must be given.
    pub default: Option<String>,
    /// What it is given: in the file, by the person, or as the weights' shapes decide. `None` if it has its default.
    pub given: Option<String>,
}

/// The parameters of the class's `__init__`, `self` left out; none if it has no `__init__` in the file.
pub fn parameters(module: &Module, class: usize) -> Vec<&Parameter> {
    let own = module.classes[class].lineage.iter();
    let init = own.into_iter().find_map(|&class| module.classes[class].functions.get("__init__"));
    init.into_iter().flat_map(|init| init.parameters.iter().skip(1)).collect()
}

/// The arguments, with what they are given: values by place, then by name.
pub fn arguments(module: &Module, class: usize, given: &[(Option<String>, String)]) -> Vec<Argument> {
    let parameters = parameters(module, class).into_iter();
    let named = parameters.filter(|parameter| matches!(parameter.takes, Takes::One | Takes::Named));
    let by_place: Vec<&String> = given.iter().filter(|(name, _)| name.is_none()).map(|(_, value)| value).collect();
    let argument = |(place, parameter): (usize, &Parameter)| {
        let by_name = given.iter().find(|(name, _)| name.as_deref() == Some(&parameter.name)).map(|(_, value)| value);
        let placed = by_place.get(place).filter(|_| parameter.takes == Takes::One).copied();
        let default = parameter.default.as_ref().map(|_| parameter.default_text.clone());
        Argument {
            name: parameter.name.clone(),
            kind: kind(&parameter.annotation, default.as_deref()),
            default,
            given: by_name.or(placed).cloned(),
        }
    };
    named.enumerate().map(argument).collect()
}

/// The arguments of a call as a person would write them, each with its name if it has one; starred ones are left out.
pub fn given(arguments: &[parser::Argument]) -> Vec<(Option<String>, String)> {
    let plain = arguments.iter().filter(|argument| argument.stars == 0);
    plain.map(|argument| (argument.name.clone(), shown(&argument.value))).collect()
}

fn shown(value: &Expression) -> String {
    let list = |items: &[parser::Argument]| items.iter().map(|item| shown(&item.value)).collect::<Vec<_>>().join(", ");
    match &value.node {
        Node::None => "None".to_owned(),
        Node::Bool(flag) => if *flag { "True" } else { "False" }.to_owned(),
        Node::Int(number) => number.to_string(),
        Node::Float(number) => number.to_string(),
        Node::Text(text) => format!("'{text}'"),
        Node::Name(name) => name.clone(),
        Node::Attribute(owner, name) => format!("{}.{name}", shown(owner)),
        Node::Minus(value) => format!("-{}", shown(value)),
        Node::List(items) => format!("[{}]", list(items)),
        Node::Tuple(items) => format!("({})", list(items)),
        _ => "...".to_owned(),
    }
}

/// The type as it is written, or as a default suggests it.
fn kind(annotation: &str, default: Option<&str>) -> String {
    let text = default.unwrap_or_default();
    let guess = match text {
        "True" | "False" => "bool",
        _ if text.parse::<i64>().is_ok() => "int",
        _ if text.parse::<f64>().is_ok() => "float",
        _ if text.starts_with(['\'', '"']) => "str",
        _ if text.starts_with(['[', '(']) => "list",
        _ => "",
    };
    if annotation.is_empty() { guess.to_owned() } else { annotation.to_owned() }
}
