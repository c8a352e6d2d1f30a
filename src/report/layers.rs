//! The rows of the inspector: every node of a network, with shapes, the size formula filled in, and its cost.

use serde::Serialize;

use crate::network::{Activation, Network, Op, PaddingMode, Shape, UpsampleMode};

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

/// A convolution's geometry; every pair is `[height, width]`.
#[derive(Debug, Serialize)]
#[allow(missing_docs)] // the fields are PyTorch's arguments
pub struct Geometry {
    pub transposed: bool,
    pub input: [usize; 2],
    pub kernel_size: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub output_padding: [usize; 2],
    pub dilation: [usize; 2],
    pub groups: usize,
    pub padding_mode: &'static str,
}

/// Every row for square inputs of this side; empty if the network does not take that size.
pub fn layers(network: &Network, side: usize) -> Vec<LayerReport> {
    let inputs = network.square_inputs(side);
    let (Ok(shapes), Ok(costs)) = (network.shapes(&inputs), network.costs(&inputs)) else { return Vec::new() };
    let rows = network.nodes.iter().zip(shapes.iter().zip(costs));
    rows.map(|(node, (out, cost))| {
        let input = node.inputs.first().map_or(*out, |id| shapes[id.0]);
        let trained = node.op.parameters().into_iter().filter(|p| p.2 == crate::network::ParameterKind::Trained);
        let (kind, call) = spelled(&node.op);
        LayerReport {
            path: node.path.clone(),
            kind,
            call,
            inputs: node.inputs.iter().map(|id| id.0).collect(),
            shape: [out.channels, out.height, out.width],
            formula: formula(&node.op, input, *out),
            parameters: trained.map(|(_, shape, _)| shape.iter().product::<usize>() as u64).sum(),
            macs: cost.macs,
            geometry: geometry(&node.op, input),
        }
    })
    .collect()
}

fn mode_name(mode: PaddingMode) -> &'static str {
    match mode {
        PaddingMode::Zeros => "zeros",
        PaddingMode::Reflect => "reflect",
        PaddingMode::Replicate => "replicate",
        PaddingMode::Circular => "circular",
    }
}

/// `name=value` where the pair is not the default; equal sides as one number.
fn argument(list: &mut Vec<String>, name: &str, (h, w): (usize, usize), default: usize) {
    match (h, w) {
        _ if (h, w) == (default, default) => {}
        _ if h == w => list.push(format!("{name}={h}")),
        _ => list.push(format!("{name}=({h}, {w})")),
    }
}

fn pair((h, w): (usize, usize)) -> String {
    if h == w { h.to_string() } else { format!("({h}, {w})") }
}

/// Class and constructor call, as PyTorch spells them.
fn spelled(op: &Op) -> (&'static str, String) {
    let mut args = Vec::new();
    let kind = match op {
        Op::Input { channels } => {
            args.push(format!("channels={channels}"));
            "input"
        }
        Op::Conv2d(c) => {
            args.extend([c.in_channels.to_string(), c.out_channels.to_string(), pair(c.kernel_size)]);
            argument(&mut args, "stride", c.stride, 1);
            argument(&mut args, "padding", c.padding, 0);
            argument(&mut args, "dilation", c.dilation, 1);
            args.extend((c.groups != 1).then(|| format!("groups={}", c.groups)));
            args.extend((!c.bias).then(|| "bias=False".to_owned()));
            let mode = mode_name(c.padding_mode);
            args.extend((c.padding_mode != PaddingMode::Zeros).then(|| format!("padding_mode='{mode}'")));
            "Conv2d"
        }
        Op::ConvTranspose2d(c) => {
            args.extend([c.in_channels.to_string(), c.out_channels.to_string(), pair(c.kernel_size)]);
            argument(&mut args, "stride", c.stride, 1);
            argument(&mut args, "padding", c.padding, 0);
            argument(&mut args, "output_padding", c.output_padding, 0);
            argument(&mut args, "dilation", c.dilation, 1);
            args.extend((c.groups != 1).then(|| format!("groups={}", c.groups)));
            args.extend((!c.bias).then(|| "bias=False".to_owned()));
            "ConvTranspose2d"
        }
        Op::BatchNorm2d(n) => {
            args.push(n.num_features.to_string());
            "BatchNorm2d"
        }
        Op::InstanceNorm2d(n) => {
            args.push(n.num_features.to_string());
            args.extend(n.affine.then(|| "affine=True".to_owned()));
            args.extend(n.track_running_stats.then(|| "track_running_stats=True".to_owned()));
            "InstanceNorm2d"
        }
        Op::Activation(Activation::ReLU) => "ReLU",
        Op::Activation(Activation::LeakyReLU { slope }) => {
            args.push(slope.to_string());
            "LeakyReLU"
        }
        Op::Activation(Activation::Sigmoid) => "Sigmoid",
        Op::Activation(Activation::Tanh) => "Tanh",
        Op::Pad2d(p) => {
            args.push(format!("({}, {}, {}, {})", p.left, p.right, p.top, p.bottom));
            match p.mode {
                PaddingMode::Zeros => "ZeroPad2d",
                PaddingMode::Reflect => "ReflectionPad2d",
                PaddingMode::Replicate => "ReplicationPad2d",
                PaddingMode::Circular => "CircularPad2d",
            }
        }
        Op::Upsample { scale, mode } => {
            args.push(format!("scale_factor={scale}"));
            args.extend((*mode == UpsampleMode::Bilinear).then(|| "mode='bilinear'".to_owned()));
            "Upsample"
        }
        Op::Cat => return ("cat", "torch.cat(inputs, dim=1)".to_owned()),
        Op::Add => return ("add", "a + b".to_owned()),
        Op::Affine { scale, offset } => return ("affine", format!("x * {scale} + {offset}")),
    };
    (kind, format!("{kind}({})", args.join(", ")))
}

/// The size formula with the numbers in; one line where both sides agree.
fn formula(op: &Op, input: Shape, out: Shape) -> Option<String> {
    let sides: Vec<String> = match op {
        Op::Conv2d(c) => {
            let side = |n: usize, k: usize, s: usize, p: usize, d: usize, to: usize| {
                format!("floor(({n} + 2*{p} - {d}*({k} - 1) - 1) / {s}) + 1 = {to}")
            };
            vec![
                side(input.height, c.kernel_size.0, c.stride.0, c.padding.0, c.dilation.0, out.height),
                side(input.width, c.kernel_size.1, c.stride.1, c.padding.1, c.dilation.1, out.width),
            ]
        }
        Op::ConvTranspose2d(c) => {
            let side = |n: usize, k: usize, s: usize, p: usize, d: usize, op: usize, to: usize| {
                format!("({n} - 1)*{s} - 2*{p} + {d}*({k} - 1) + {op} + 1 = {to}")
            };
            let (k, s, p, d, o) = (c.kernel_size, c.stride, c.padding, c.dilation, c.output_padding);
            vec![
                side(input.height, k.0, s.0, p.0, d.0, o.0, out.height),
                side(input.width, k.1, s.1, p.1, d.1, o.1, out.width),
            ]
        }
        Op::Pad2d(p) => vec![
            format!("{} + {} + {} = {}", input.height, p.top, p.bottom, out.height),
            format!("{} + {} + {} = {}", input.width, p.left, p.right, out.width),
        ],
        Op::Upsample { scale, .. } => vec![
            format!("{} * {scale} = {}", input.height, out.height),
            format!("{} * {scale} = {}", input.width, out.width),
        ],
        _ => return None,
    };
    Some(if sides[0] == sides[1] { sides[0].clone() } else { sides.join("; ") })
}

fn geometry(op: &Op, input: Shape) -> Option<Geometry> {
    let array = |(h, w): (usize, usize)| [h, w];
    let input = [input.height, input.width];
    match op {
        Op::Conv2d(c) => Some(Geometry {
            transposed: false,
            input,
            kernel_size: array(c.kernel_size),
            stride: array(c.stride),
            padding: array(c.padding),
            output_padding: [0, 0],
            dilation: array(c.dilation),
            groups: c.groups,
            padding_mode: mode_name(c.padding_mode),
        }),
        Op::ConvTranspose2d(c) => Some(Geometry {
            transposed: true,
            input,
            kernel_size: array(c.kernel_size),
            stride: array(c.stride),
            padding: array(c.padding),
            output_padding: array(c.output_padding),
            dilation: array(c.dilation),
            groups: c.groups,
            padding_mode: "zeros",
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{MODELS, Widths};

    #[test]
    fn every_known_network_has_rows_that_add_up() {
        for model in MODELS {
            let net = (model.network)(Widths { base: 8, ..model.published });
            let rows = layers(&net, model.conventions.size.preferred);
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
