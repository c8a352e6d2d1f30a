//! How a PyTorch class spells operators: names, arguments in their places, and how they become an operator. The reader of
//! pasted classes looks everything up here.

use super::{Op, PaddingMode, Pair};
use crate::network::Shape;

/// Where a name is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A layer of `torch.nn`.
    Module,
    /// A function of `torch` or `torch.nn.functional` on one tensor, or a method of the tensor. The tensor is no argument.
    Function,
}

/// One way of writing an operator.
pub struct Spelling {
    /// Names without what stands before the last dot.
    pub names: &'static [&'static str],
    /// Where they are called.
    pub kind: Kind,
    /// Arguments by name, in PyTorch's order.
    pub arguments: &'static [&'static str],
    /// Reads the arguments; `None` is a layer that does nothing in `eval()`. Errors are for people.
    pub read: fn(&dyn Arguments) -> Result<Option<Op>, String>,
}

/// The arguments of one call. `None` of Python stands for an argument that is not given.
pub trait Arguments {
    /// The name that was called.
    fn name(&self) -> &str;
    /// Whether this argument was given.
    fn given(&self, name: &str) -> bool;
    /// A count, or the default; without one the argument is needed.
    fn count(&self, name: &str, default: Option<usize>) -> Result<usize, String>;
    /// An int, or (height, width).
    fn pair(&self, name: &str, default: Option<usize>) -> Result<Pair, String>;
    /// An int or a list of ints.
    fn counts(&self, name: &str) -> Result<Vec<usize>, String>;
    /// An int, or (height, width), either of which may be None.
    fn open_pair(&self, name: &str) -> Result<(Option<usize>, Option<usize>), String>;
    /// Left, right, top, bottom; an int stands for all.
    fn sides(&self, name: &str) -> Result<[usize; 4], String>;
    /// A bool.
    fn flag(&self, name: &str, default: bool) -> Result<bool, String>;
    /// A number.
    fn float(&self, name: &str, default: f64) -> Result<f64, String>;
    /// A number for both sides, or one for each.
    fn floats(&self, name: &str) -> Result<(f64, f64), String>;
    /// A text, if it is one.
    fn text(&self, name: &str) -> Option<String>;
    /// The shape of the tensor that the function is called on, where it is known.
    fn input(&self) -> Option<Shape>;

    /// What to say of an argument whose value cannot be read.
    fn unread(&self, name: &str) -> String {
        format!("the argument {name} is not read like this")
    }

    /// `zeros` or, to `F.pad`, `constant`.
    fn padding_mode(&self, name: &str) -> Result<PaddingMode, String> {
        match (self.text(name).as_deref(), self.given(name)) {
            (None, false) | (Some("zeros" | "constant"), _) => Ok(PaddingMode::Zeros),
            (Some("reflect"), _) => Ok(PaddingMode::Reflect),
            (Some("replicate"), _) => Ok(PaddingMode::Replicate),
            (Some("circular"), _) => Ok(PaddingMode::Circular),
            _ => Err(self.unread(name)),
        }
    }
}

/// The spelling of this name.
pub fn find(kind: Kind, name: &str) -> Option<&'static Spelling> {
    let mut all = super::SPELLINGS.iter().flat_map(|file| file.iter());
    all.find(|spelling| spelling.kind == kind && spelling.names.contains(&name))
}

/// Every layer that can be read, for people: the first name of each spelling.
pub fn modules() -> Vec<&'static str> {
    let all = super::SPELLINGS.iter().flat_map(|file| file.iter());
    all.filter(|spelling| spelling.kind == Kind::Module).flat_map(|spelling| spelling.names.first().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn no_name_is_spelled_twice() {
        let mut seen = std::collections::HashSet::new();
        for spelling in super::super::SPELLINGS.iter().flat_map(|file| file.iter()) {
            for name in spelling.names {
                assert!(seen.insert((spelling.kind == Kind::Module, name)), "{name}");
            }
        }
        assert!(modules().contains(&"Conv2d"));
        assert!(find(Kind::Module, "Conv2d").is_some() && find(Kind::Function, "Conv2d").is_none());
    }
}
