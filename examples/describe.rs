//! Prints every network's description as published, and its rows in the benchmark, as JSON: what `cargo xtask bench` builds
//! the same networks from for other engines. `cargo run --release --example describe`

use infill::models::{ModelSpec, registry};
use infill::network::{Network, ParameterKind};
use serde_json::{Value, json};

fn main() {
    let models: Vec<Value> = registry().iter().map(|model| describe(model)).collect();
    println!("{}", json!({ "models": models }));
}

fn describe(model: &ModelSpec) -> Value {
    let config = model.published();
    let conventions = model.conventions(&config);
    let built = model.network_for(&config, &conventions);
    let rows = model.benchmarks.iter().map(|row| json!({"name": row.name, "side": row.side}));
    let rows: Vec<Value> = rows.collect();
    json!({"id": model.id, "benchmarks": rows, "fixed": conventions.size.fixed, "network": network(model, &built)})
}

fn network(model: &ModelSpec, network: &Network) -> Value {
    let nodes = network.nodes.iter().map(|node| {
        let inputs: Vec<usize> = node.inputs.iter().map(|value| value.node).collect();
        json!({"path": node.path, "op": node.op.name(), "arguments": node.op, "inputs": inputs})
    });
    let parameters = network.parameters().into_iter().map(|p| {
        let kind = match p.kind {
            ParameterKind::Trained => "trained",
            ParameterKind::Statistic => "statistic",
            ParameterKind::Counter => "counter",
        };
        // Of what is never trained, the values are known.
        json!({"key": p.key, "shape": p.shape, "kind": kind, "values": model.keys.fixed_values(&p)})
    });
    json!({
        "nodes": nodes.collect::<Vec<_>>(),
        "output": network.output().node,
        "parameters": parameters.collect::<Vec<_>>(),
    })
}
