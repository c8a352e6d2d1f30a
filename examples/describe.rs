//! Prints every network's description at its published widths as JSON: what `cargo xtask bench` builds the same
//! networks from for other engines. `cargo run --release --example describe`

use infill::models::MODELS;
use infill::network::{Activation, Network, Op, PaddingMode, ParameterKind, UpsampleMode};
use serde_json::{Value, json};

fn main() {
    let models: Vec<Value> = MODELS
        .iter()
        .map(|model| json!({"id": model.id, "network": network(&(model.network)(model.published))}))
        .collect();
    println!("{}", json!({ "models": models }));
}

fn network(network: &Network) -> Value {
    let nodes = network.nodes.iter().map(|node| {
        let inputs: Vec<usize> = node.inputs.iter().map(|id| id.0).collect();
        json!({"path": node.path, "op": node.op.name(), "arguments": arguments(&node.op), "inputs": inputs})
    });
    let parameters = network.parameters().into_iter().map(|p| {
        let kind = match p.kind {
            ParameterKind::Trained => "trained",
            ParameterKind::Statistic => "statistic",
            ParameterKind::Counter => "counter",
        };
        json!({"key": p.key, "shape": p.shape, "kind": kind})
    });
    json!({
        "nodes": nodes.collect::<Vec<_>>(),
        "output": network.output().0,
        "parameters": parameters.collect::<Vec<_>>(),
    })
}

/// The operation's arguments under PyTorch's names; pairs are `[height, width]`.
fn arguments(op: &Op) -> Value {
    let pair = |(h, w): (usize, usize)| [h, w];
    match op {
        Op::Input { channels } => json!({"channels": channels}),
        Op::Conv2d(c) => json!({
            "in_channels": c.in_channels, "out_channels": c.out_channels, "kernel_size": pair(c.kernel_size),
            "stride": pair(c.stride), "padding": pair(c.padding), "dilation": pair(c.dilation), "groups": c.groups,
            "bias": c.bias, "padding_mode": mode(c.padding_mode),
        }),
        Op::ConvTranspose2d(c) => json!({
            "in_channels": c.in_channels, "out_channels": c.out_channels, "kernel_size": pair(c.kernel_size),
            "stride": pair(c.stride), "padding": pair(c.padding), "output_padding": pair(c.output_padding),
            "dilation": pair(c.dilation), "groups": c.groups, "bias": c.bias,
        }),
        Op::BatchNorm2d(n) => json!({"num_features": n.num_features, "eps": n.eps, "affine": n.affine}),
        Op::InstanceNorm2d(n) => json!({
            "num_features": n.num_features, "eps": n.eps, "affine": n.affine,
            "track_running_stats": n.track_running_stats,
        }),
        Op::Activation(Activation::LeakyReLU { slope }) => json!({"negative_slope": slope}),
        Op::Pad2d(p) => json!({"padding": [p.left, p.right, p.top, p.bottom], "mode": mode(p.mode)}),
        Op::Upsample { scale, mode } => json!({
            "scale_factor": scale,
            "mode": match mode { UpsampleMode::Nearest => "nearest", UpsampleMode::Bilinear => "bilinear" },
        }),
        Op::Affine { scale, offset } => json!({"scale": scale, "offset": offset}),
        Op::Activation(_) | Op::Cat | Op::Add => json!({}),
    }
}

fn mode(mode: PaddingMode) -> &'static str {
    match mode {
        PaddingMode::Zeros => "zeros",
        PaddingMode::Reflect => "reflect",
        PaddingMode::Replicate => "replicate",
        PaddingMode::Circular => "circular",
    }
}
