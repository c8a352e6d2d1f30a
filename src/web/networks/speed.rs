//! What a run took, as the page and the benchmark read it.

use serde_json::{Value, json};

use crate::engine::RunReport;

/// `{threads, simd, weight_bytes, arena_bytes, packing_ms, layers: [{path, op, kernel, ms, macs}]}`; null where nothing is known.
pub fn to_json(report: Option<&RunReport>) -> Value {
    let Some(report) = report else { return Value::Null };
    let layers = report.layers.iter().map(
        |layer| json!({"path": layer.path, "op": layer.op, "kernel": layer.kernel, "ms": layer.ms, "macs": layer.macs}),
    );
    json!({
        "threads": report.threads,
        "simd": report.simd,
        "weight_bytes": report.weight_bytes,
        "arena_bytes": report.arena_bytes,
        "packing_ms": report.packing_ms,
        "layers": layers.collect::<Vec<_>>(),
    })
}
