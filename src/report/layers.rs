//! The rows of the inspector: every node of a network, with shapes, the size formula filled in, and its cost.

use serde::Serialize;

use crate::network::ops::Geometry;
use crate::network::{Cost, Network, ParameterKind};

/// One node of the network, in execution order.
#[derive(Debug, Serialize)]
pub struct LayerReport {
    /// PyTorch module path, or a readable name for inputs and functions.
    pub path: String,
    /// PyTorch's class or function, such as `ConvTranspose2d`.
    pub kind: &'static str,
    /// How PyTorch would write it, arguments that are not defaults included.
    pub call: String,
    /// Indices of the rows it reads.
    pub inputs: Vec<usize>,
    /// Channels, height and width of its output.
    pub shape: [usize; 3],
    /// How its height and width come about, with the numbers filled in; `None` where the size does not change.
    pub formula: Option<String>,
    /// Trained parameters.
    pub parameters: u64,
    /// Multiply-adds.
    pub macs: u64,
    /// For convolutions: what "Explain this layer" draws.
    pub geometry: Option<Geometry>,
}

/// Every row for square inputs of this side; empty if the network does not take that size.
pub fn layers(network: &Network, side: usize) -> Vec<LayerReport> {
    let inputs = network.square_inputs(side);
    let (Ok(shapes), Ok(costs)) = (network.shapes(&inputs), network.costs(&inputs)) else { return Vec::new() };
    let row = |(index, cost): (usize, Cost)| {
        let node = &network.nodes[index];
        let output = shapes.outputs(index)[0];
        let input = node.inputs.first().map_or(output, |&value| shapes[value]);
        let trained = node.op.parameters().into_iter().filter(|own| own.kind == ParameterKind::Trained);
        LayerReport {
            path: node.path.clone(),
            kind: node.op.name(),
            call: node.op.written(),
            inputs: node.inputs.iter().map(|value| value.node).collect(),
            shape: [output.channels(), output.height(), output.width()],
            formula: node.op.formula(input, output),
            parameters: trained.map(|own| own.shape.iter().product::<usize>() as u64).sum(),
            macs: cost.macs,
            geometry: node.op.geometry(input),
        }
    };
    costs.into_iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::config::WIDTH;
    use crate::models::registry;

    #[test]
    fn every_known_network_has_rows_that_add_up() {
        for model in registry() {
            let config = model.published().with(WIDTH, 8);
            let net = model.network(&config);
            let rows = layers(&net, model.conventions(&config).size.preferred);
            assert_eq!(rows.len(), net.nodes.len(), "{}", model.id);
            assert_eq!(rows.iter().map(|row| row.parameters).sum::<u64>(), net.parameter_count(), "{}", model.id);
        }
    }

    #[test]
    fn a_formula_holds_the_numbers_of_its_layer() {
        use crate::network::ConvTranspose2d;
        let mut net = Network::new();
        let input = net.input("x", 3);
        let up = ConvTranspose2d::new(3, 4, 4).stride(2usize).padding(1usize).output_padding((1usize, 0usize));
        let node = net.node("up", up, &[input]);
        let rows = layers(&net.returns(node), 5);
        assert_eq!(rows[1].call, "ConvTranspose2d(3, 4, 4, stride=2, padding=1, output_padding=(1, 0))");
        assert_eq!(rows[1].shape, [4, 11, 10]);
        let formula = rows[1].formula.as_deref();
        assert_eq!(formula, Some("(5 - 1)*2 - 2*1 + 1*(4 - 1) + 1 + 1 = 11; (5 - 1)*2 - 2*1 + 1*(4 - 1) + 0 + 1 = 10"));
    }
}
