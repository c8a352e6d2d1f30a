//! The weights' first values, which a file of weights has done with: what only sets them need not be followed.

use super::super::parser::{Expression, Node, Statement};

/// Whether a method of this name sets the weights' first values, which is nothing to a file of weights.
pub(super) fn sets_weights(name: &str) -> bool {
    let has = |part: &str| name.contains(part);
    name == "reset_parameters" || name == "initialize" || has("init") && (has("weight") || has("param"))
}

/// The methods that loops over the whole network begin with.
pub(super) fn is_walk(over: &Expression) -> bool {
    let walks = ["modules", "named_modules", "parameters", "named_parameters", "buffers", "named_buffers"];
    match &over.node {
        Node::Call(callee, _) => matches!(&callee.node, Node::Attribute(_, name) if walks.contains(&name.as_str())),
        _ => false,
    }
}

/// Whether these statements may change anything but the weights' first values.
pub(super) fn changes_more(body: &[Statement]) -> bool {
    body.iter().any(|statement| match statement {
        Statement::Assign(targets, _) => targets.iter().any(is_change),
        Statement::Augment(target, ..) => is_change(target),
        Statement::Delete(targets) => targets.iter().any(is_change),
        Statement::For(_, target, _, body, other) => is_change(target) || changes_more(body) || changes_more(other),
        Statement::While(_, body, other) | Statement::If(_, body, other) | Statement::Try(_, body, other) => {
            changes_more(body) || changes_more(other)
        }
        Statement::With(_, body) => changes_more(body),
        Statement::Define(function) => function.parse_error.is_some() || changes_more(&function.body),
        Statement::Expression(call) => is_changing_call(call),
        Statement::Global(_) | Statement::Nonlocal(_) => true,
        _ => false,
    })
}

/// A target that is no mere name and no weight's values.
fn is_change(target: &Expression) -> bool {
    match &target.node {
        Node::Name(_) => false,
        Node::Attribute(_, name) => !matches!(name.as_str(), "data" | "requires_grad"),
        Node::Index(owner, _) => match &owner.node {
            Node::Attribute(_, name) => !matches!(name.as_str(), "data" | "weight" | "bias"),
            _ => true,
        },
        Node::Tuple(targets) | Node::List(targets) => targets.iter().any(|target| is_change(&target.value)),
        _ => true,
    }
}

/// A call that is none of `nn.init`'s, of a tensor's own methods in place, or of those that set first values or print.
fn is_changing_call(call: &Expression) -> bool {
    let Node::Call(callee, _) = &call.node else {
        return false;
    };
    match &callee.node {
        Node::Name(name) => !matches!(name.as_str(), "print") && !sets_weights(name) && !name.ends_with('_'),
        Node::Attribute(owner, name) => {
            let of_init = matches!(&owner.node, Node::Name(name) | Node::Attribute(_, name) if name == "init");
            let is_first_value = name.ends_with('_') || sets_weights(name) || of_init;
            !is_first_value && !matches!(name.as_str(), "apply" | "manual_seed" | "warn" | "info")
        }
        _ => true,
    }
}
