//! Conventions and roles in JSON: the words of the command line's flags, for the page and for scripts.

use serde_json::{Value, json};

use super::conventions::{Conventions, HoleValue, InputTensor, NormStatistics, Source};
use super::spec::{ModelSpec, Role};

/// The conventions of a network of this role.
pub fn conventions_json(c: &Conventions, role: Role) -> Value {
    json!({
        "range": c.input_range.as_str(),
        "outputRange": c.output_range.as_str(),
        "holeValue": match c.hole_value { HoleValue::Constant(value) => json!(value), HoleValue::Smooth => json!("smooth") },
        "maskMeans": c.mask_means.as_str(),
        "outputCovers": c.output_covers.as_str(),
        "blend": c.blend.as_str(),
        "beyond": c.beyond.as_str(),
        "normStatistics": c.norm_statistics.map(NormStatistics::as_str),
        "inputs": inputs_word(c, role),
        "words": c.inputs.iter().map(InputTensor::words).collect::<Vec<_>>(),
        "channels": c.inputs.iter().map(|input| groups(input.channels.iter().map(|c| c.source))).collect::<Vec<_>>(),
        "multiple": c.size.multiple,
        "preferred": c.size.preferred,
        "largest": c.size.largest,
        "fixed": c.size.fixed,
    })
}

/// `paints`, `scores`, or what a network gives to others, such as `gives-edges`.
pub fn role_word(role: Role) -> String {
    match role {
        Role::Paints => "paints".to_owned(),
        Role::Gives(source) => format!("gives-{}", group(source)),
        Role::Scores => "scores".to_owned(),
    }
}

/// One line of `infill models --json`.
pub fn listing(model: &ModelSpec) -> Value {
    let config = model.published();
    let network = model.network(&config);
    let inputs: Vec<_> =
        network.inputs().map(|(_, name, channels)| json!({"name": name, "channels": channels})).collect();
    json!({
        "id": model.id, "name": model.name, "inputs": inputs,
        "size_multiple": model.conventions(&config).size.multiple,
    })
}

/// The inputs in one word: `rgb-mask`, `rgb-edges`, `pair`, `score`, ...
fn inputs_word(c: &Conventions, role: Role) -> String {
    match role {
        Role::Scores => "score".to_owned(),
        _ if c.takes_second() => "pair".to_owned(),
        _ => groups(c.channels().map(|channel| channel.source)).join("-"),
    }
}

/// What neighbouring channels show together: three colours are `rgb`.
fn groups(sources: impl Iterator<Item = Source>) -> Vec<&'static str> {
    let mut words: Vec<&'static str> = sources.map(group).collect();
    words.dedup();
    words
}

fn group(source: Source) -> &'static str {
    match source {
        Source::Masked(_) => "rgb",
        Source::Whole(_) => "photo",
        Source::Gray => "gray",
        Source::Mask => "mask",
        Source::Known => "known",
        Source::Edges | Source::KnownEdges => "edges",
        Source::Second(_) => "second",
        Source::Noise => "noise",
        Source::Constant(_) => "constant",
    }
}
