//! What exporters change of a known network's weights. A batch norm is folded into the convolution in front of it: the file
//! holds the product, and where the convolution had no bias, the norm's summand as its bias. A stored tensor that is added may
//! be a product of two, under the name that `checkpoint::onnx` gives summands. Only files of graphs are read so.

use super::identify::KeyDiff;
use crate::checkpoint::StateDict;
use crate::checkpoint::onnx::OPERANDS;
use crate::network::{Network, Node, Op};

/// A norm's parameters that every batch norm has: factor, summand, mean, variance.
const PARAMETERS: usize = 4;

/// The convolution that a norm reads, and whether it has a bias of its own.
fn convolution<'n>(network: &'n Network, norm: &Node) -> Option<(&'n Node, bool)> {
    let node = network.nodes.get(norm.inputs.first()?.node)?;
    match &node.op {
        Op::Conv2d(conv) => Some((node, conv.bias)),
        Op::ConvTranspose2d(conv) => Some((node, conv.bias)),
        _ => None,
    }
}

/// The key of the bias that a convolution has got by folding.
fn new_bias(convolution: &Node) -> Option<String> {
    Some(format!("{}.bias", convolution.keys.first()?.strip_suffix(".weight")?))
}

/// Whether a key names a number of the graph rather than of a module: exporters invent names for those.
fn is_of_graph(key: &str) -> bool {
    let is_operand = OPERANDS.iter().any(|operand| key.ends_with(operand));
    !key.contains('.') || key.starts_with("onnx::") || key.starts_with('/') || is_operand
}

/// The name of what a module adds, where its own is lost.
fn summand(key: &str) -> Option<String> {
    Some(format!("{}{}", key.rsplit_once('.')?.0, OPERANDS[0]))
}

/// Takes stored tensors whose name is lost out of the faults.
fn excuse_summands(network: &Network, dict: &StateDict, diff: &mut KeyDiff) {
    for node in network.nodes.iter() {
        let (Op::Stored(stored), [key]) = (&node.op, &node.keys[..]) else { continue };
        let Some(summand) = summand(key).filter(|_| diff.missing.contains(key)) else { continue };
        if dict.tensors.iter().any(|tensor| tensor.key == summand && tensor.shape == stored.shape) {
            diff.missing.retain(|missing| missing != key);
            diff.fitting += 1;
        }
    }
}

/// Takes out of the faults what folded norms leave out and add.
pub fn excuse(network: &Network, dict: &StateDict, diff: &mut KeyDiff) {
    let Some(norms) = dict.graph_norms else { return };
    diff.is_graph = true;
    diff.unexpected.retain(|key| !is_of_graph(key));
    excuse_summands(network, dict, diff);
    for node in network.nodes.iter().filter(|node| matches!(node.op, Op::BatchNorm2d(_))) {
        let Some(own) = node.keys.get(..PARAMETERS) else { continue };
        let Some((convolution, has_bias)) = convolution(network, node) else { continue };
        if !own.iter().all(|key| diff.missing.contains(key)) {
            continue;
        }
        if !has_bias {
            let Some(bias) = new_bias(convolution) else { continue };
            let channels = node.op.parameters().first().map(|parameter| parameter.shape.clone());
            let fits = dict.tensors.iter().any(|tensor| tensor.key == bias && Some(&tensor.shape) == channels.as_ref());
            if !fits {
                continue;
            }
            diff.unexpected.retain(|key| *key != bias);
        }
        diff.missing.retain(|key| !own.contains(key));
        diff.fitting += PARAMETERS;
        diff.folded_norms += 1;
    }
    // A norm without parameters leaves no key, and one that is folded into a biased convolution none either.
    let count = |is_norm: fn(&Op) -> bool| network.nodes.iter().filter(|node| is_norm(&node.op)).count();
    let batch = count(|op| matches!(op, Op::BatchNorm2d(_)));
    let instance = count(|op| matches!(op, Op::InstanceNorm2d(_)));
    diff.other_norms = batch != norms.batch + diff.folded_norms || instance != norms.instance;
}

/// A parameter that is not in the file under its own key.
pub enum Lifted {
    /// The same number for each of so many channels.
    All(f32, usize),
    /// The values of another key.
    Under(String),
}

/// What a parameter is that an exporter has left out; a folded norm changes nothing but what the folding left to it. `None` for
/// what no exporter leaves out.
pub fn value(network: &Network, key: &str) -> Option<Lifted> {
    let node = network.nodes.iter().find(|node| node.keys.iter().any(|own| own == key))?;
    let norm = match &node.op {
        Op::BatchNorm2d(norm) => norm,
        Op::Stored(_) => return summand(key).map(Lifted::Under),
        _ => return None,
    };
    let (convolution, has_bias) = convolution(network, node)?;
    let number = match node.keys.iter().position(|own| own == key)? {
        0 => 1.0,
        1 if !has_bias => return Some(Lifted::Under(new_bias(convolution)?)),
        1 | 2 => 0.0,
        3 => (1.0 - norm.eps) as f32,
        _ => return None,
    };
    Some(Lifted::All(number, norm.num_features))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::TensorInfo;
    use crate::checkpoint::onnx::GraphNorms;
    use crate::models::identify::compare_keys;
    use crate::models::{ArchConfig, KeyRules};
    use crate::network::{BatchNorm2d, Conv2d};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn network(has_bias: bool) -> Network {
        let mut network = Network::new();
        let x = network.input("x", 3);
        let x = network.node("conv", Conv2d::new(3, 5, 3).bias(has_bias), &[x]);
        let y = network.node("norm", BatchNorm2d::new(5), &[x]);
        network.returns(y)
    }

    fn dict(keys: &[(&str, &[usize])], graph_norms: Option<GraphNorms>) -> StateDict {
        let tensor = |&(key, shape): &(&str, &[usize])| TensorInfo::named(key, shape);
        StateDict { tensors: keys.iter().map(tensor).collect(), graph_norms, ..StateDict::default() }
    }

    fn diff(has_bias: bool, keys: &[(&str, &[usize])], is_graph: bool) -> KeyDiff {
        compared(has_bias, keys, is_graph.then(GraphNorms::default))
    }

    fn compared(has_bias: bool, keys: &[(&str, &[usize])], norms: Option<GraphNorms>) -> KeyDiff {
        compare_keys(&network(has_bias), &dict(keys, norms), &KeyRules::default(), &ArchConfig::default())
    }

    #[test]
    fn a_folded_norm_is_missed_nowhere_but_in_other_files() {
        let folded: [(&str, &[usize]); 2] = [("conv.weight", &[5, 3, 3, 3]), ("conv.bias", &[5])];
        let found = diff(false, &folded, true);
        assert!(found.is_empty() && found.folded_norms == 1 && found.fitting == found.wanted, "{found:?}");
        assert!(diff(true, &folded, true).is_empty());
        let found = diff(false, &folded, false);
        assert_eq!((found.missing.len(), found.unexpected.len()), (4, 1), "a checkpoint has its norms");
        // Without the bias that folding gives, the norm is lost.
        assert_eq!(diff(false, &folded[..1], true).missing.len(), 4);
        let numbers: [(&str, &[usize]); 3] = [folded[0], folded[1], ("onnx::Mul_3", &[])];
        assert!(diff(false, &numbers, true).is_empty(), "the graph's own numbers are nobody's keys");
        for norms in [GraphNorms { batch: 1, instance: 0 }, GraphNorms { batch: 0, instance: 1 }] {
            assert!(!compared(false, &folded, Some(norms)).is_empty(), "the graph norms otherwise: {norms:?}");
        }
    }

    #[test]
    fn it_changes_nothing_but_what_folding_left_to_it() {
        let network = network(false);
        assert!(matches!(value(&network, "norm.weight"), Some(Lifted::All(1.0, 5))));
        assert!(matches!(value(&network, "norm.bias"), Some(Lifted::Under(key)) if key == "conv.bias"));
        let Some(Lifted::All(var, 5)) = value(&network, "norm.running_var") else { panic!("it has a variance") };
        assert_eq!((f64::from(var) + 1e-5).sqrt() as f32, 1.0);
        assert!(value(&network, "conv.bias").is_none());
    }
}
