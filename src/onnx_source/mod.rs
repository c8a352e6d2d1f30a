//! An ONNX graph becomes a network description: followed node by node for inputs of certain sizes, never executed.
//!
//! What a graph computes of sizes, and all that depends on no input, is computed while it is read (`fold`); what is left are
//! layers. One file for each family of operators says how they are followed; what none knows ends in an error that names the
//! operator, its node and the opset. `docs/onnx.md` lists them.

mod call;
mod fold;
mod functions;
mod layers;
mod places;
mod reductions;
mod resize;
mod spectra;
mod trace;
mod value;
mod windows;

use crate::checkpoint::onnx::{Graph, Port};
use crate::error::{Code, Error, Result};
use crate::network::{Network, Shape};
use crate::torch_source::{Description, Returned, picture, pruned};
use call::Call;
use trace::Trace;
use value::{Content, Value};

/// What an operator gives, or why it is not followed.
type Given = std::result::Result<Vec<Value>, String>;
/// How an operator is followed.
type Follow = fn(&mut Trace<'_>, &Call<'_>) -> Given;

/// Every operator that is followed, by family.
const OPERATORS: [&[(&str, Follow)]; 7] = [
    functions::OPERATORS,
    layers::OPERATORS,
    places::OPERATORS,
    windows::OPERATORS,
    reductions::OPERATORS,
    resize::OPERATORS,
    spectra::OPERATORS,
];

fn invalid<T>(text: impl Into<String>) -> Result<T> {
    Err(Error::new(Code::NetworkInvalid, text))
}

/// What the graph computes of inputs of these shapes; `returned` says which of its outputs is taken, the one that looks like
/// a picture otherwise.
///
/// `network-invalid` naming the node that is not followed, `input-shape` if the graph takes other inputs.
pub fn describe(graph: &Graph, inputs: &[Shape], returned: Option<usize>) -> Result<Description> {
    fits(graph, inputs)?;
    let mut trace = Trace::new(graph, inputs)?;
    trace.run()?;
    let outputs = graph.outputs.iter().map(|port| trace.value(&port.name)).collect::<Result<Vec<_>>>()?;
    let given = graph.outputs.iter().zip(&outputs);
    let given: Vec<Returned> =
        given.map(|(port, value)| Returned { place: port.name.clone(), shape: value.shape }).collect();
    let taken = match returned {
        Some(taken) if taken < outputs.len() => Some(taken),
        Some(taken) => {
            return invalid(format!("The graph has {} outputs, and there is no number {taken}.", outputs.len()));
        }
        None => picture(&given, inputs),
    };
    let Some((taken, value)) = taken.and_then(|taken| Some((taken, outputs.get(taken)?))) else {
        return invalid("The ONNX graph gives no picture.");
    };
    let Content::Run(id) = value.content else {
        return invalid("What the ONNX graph gives does not depend on its inputs.");
    };
    let network = Network { traced: inputs.to_vec(), ..pruned(trace.network, id) };
    network.check()?;
    Ok(Description { network, unused: Vec::new(), returned: given, taken })
}

fn fits(graph: &Graph, inputs: &[Shape]) -> Result<()> {
    let takes = || {
        let one = |port: &Port| format!("{} {}", port.name, sides_of(port));
        graph.inputs.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let is_like = |(port, shape): (&Port, &Shape)| match &port.sides {
        None => true,
        Some(sides) => {
            sides.len() == shape.sides().len()
                && sides.iter().zip(shape.sides()).all(|(own, given)| own.is_none_or(|own| own == *given))
        }
    };
    if inputs.len() != graph.inputs.len() || !graph.inputs.iter().zip(inputs).all(is_like) {
        let text = format!("The ONNX graph takes {}, and was given {inputs:?}.", takes());
        return Err(Error::new(Code::InputShape, text));
    }
    for port in &graph.inputs {
        // Whole pictures, whose arithmetic wraps around, are no network's.
        if !matches!(port.element, 0 | 1 | 10 | 11 | 16) {
            let text = format!("The input {} of the ONNX graph takes no floats, so it is no bare network.", port.name);
            return invalid(text + " Export the generator by itself, with float32 tensors.");
        }
    }
    Ok(())
}

/// The sides of a port as PyTorch prints them, those that vary as `?`.
fn sides_of(port: &Port) -> String {
    let side = |side: &Option<usize>| side.map_or("?".to_owned(), |side| side.to_string());
    let sides = port.sides.iter().flatten().map(side).collect::<Vec<_>>();
    format!("[{}]", sides.join(", "))
}

/// Sides that are tried where the graph leaves them open, the most common first.
const SIDES: [usize; 5] = [256, 512, 128, 64, 1024];

/// The graph on pictures that it takes: of the sides that it says, or of `side`, or else of the first of the common ones.
/// `returned` as for [`describe`].
///
/// The codes of [`describe`], and `network-invalid` if it takes no square pictures.
pub fn pictured(graph: &Graph, side: Option<usize>, returned: Option<usize>) -> Result<Description> {
    if graph.inputs.is_empty() {
        return invalid("The ONNX graph has no inputs.");
    }
    let sides = side.map_or(SIDES.to_vec(), |side| vec![side]);
    let mut first = None;
    for side in sides {
        let shapes = graph.inputs.iter().map(|port| square(graph, port, side)).collect::<Result<Vec<_>>>()?;
        match describe(graph, &shapes, returned) {
            Ok(description) => return Ok(description),
            Err(error) => first = first.or(Some(error)),
        }
        if graph.inputs.iter().all(|port| port.sides.iter().flatten().skip(2).all(Option::is_some)) {
            break;
        }
    }
    first.map_or_else(|| invalid("The ONNX graph takes no pictures."), Err)
}

/// A square picture for an input, as far as the graph leaves it open.
fn square(graph: &Graph, port: &Port, side: usize) -> Result<Shape> {
    let refused = |why: &str| {
        let text = format!("The ONNX graph takes {} of shape {}: {why}.", port.name, sides_of(port));
        Error::new(Code::NetworkInvalid, text)
    };
    let Some(&[batch, channels, height, width]) = port.sides.as_deref() else {
        return Err(refused("a network that fills takes [N, C, H, W]"));
    };
    if batch.is_some_and(|batch| batch != 1) {
        return Err(refused("one picture at a time is filled. Export it with a batch of one"));
    }
    let (height, width) = (height.or(width).unwrap_or(side), width.or(height).unwrap_or(side));
    if height != width {
        return Err(refused("holes are filled in square windows. Export it with dynamic or equal sides"));
    }
    let channels = channels.unwrap_or_else(|| read_channels(graph, port));
    Ok(Shape::image(channels, height, width))
}

/// Channels of an input whose graph leaves them open: what the first convolution that reads it takes, or three.
fn read_channels(graph: &Graph, port: &Port) -> usize {
    let reads = |name: Option<&String>| name == Some(&port.name);
    let convolution = graph.nodes.iter().find(|node| node.op == "Conv" && reads(node.inputs.first()));
    let weight = convolution.and_then(|node| graph.tensors.get(node.inputs.get(1)?));
    weight.and_then(|weight| weight.info.shape.get(1)).copied().unwrap_or(3)
}

#[cfg(test)]
mod tests;
