//! `infill forward`: a network on tensors as they are, to be compared with PyTorch.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use safetensors::{Dtype, tensor::TensorView};

use super::Loading;
use crate::checkpoint;
use crate::engine::{Engine, EngineKind};
use crate::error::{Code, Error, Result};
use crate::models::load::{self, Loaded};
use crate::models::{NormStatistics, exported, pasted};
use crate::network::Shape;
use crate::tensor::Tensor;
use crate::torch_source;

#[derive(clap::Args)]
pub struct Arguments {
    /// A checkpoint.
    #[arg(long)]
    weights: PathBuf,
    /// Network id, where the file holds several.
    #[arg(long)]
    model: Option<String>,
    /// Take the keys by position where only their names differ (`infill inspect` shows the mapping).
    #[arg(long)]
    by_position: bool,
    /// A Python file or notebook with the network's class: read, never executed. The last class whose keys are the file's is taken.
    #[arg(long, conflicts_with_all = ["model", "by_position", "norm_statistics"])]
    class: Option<PathBuf>,
    /// What the class is made with, such as 'Net(4, 3, ngf=64)': its defaults, and a line such as net = Net(4, 3) in the
    /// file, are taken otherwise.
    #[arg(long, requires = "class")]
    class_args: Option<String>,
    /// Which of the tensors that the class returns is written, counted from 0: the one that looks like a picture otherwise.
    #[arg(long, requires = "class")]
    returned: Option<usize>,
    /// Which mean and variance batch norms take: those stored in the file, or the picture's own.
    #[arg(long, value_parser = PossibleValuesParser::new(NormStatistics::WORDS))]
    norm_statistics: Option<String>,
    /// Of weights that lie in the file plain and averaged (EMA), take the plain ones.
    #[arg(long)]
    no_ema: bool,
    /// safetensors with `x`, or `x1` and `x2`: NCHW f32.
    #[arg(long)]
    input: PathBuf,
    /// safetensors to write `y` to.
    #[arg(long)]
    output: PathBuf,
    /// Which engine runs it.
    #[arg(long, default_value = "reference", value_parser = ["fast", "reference"])]
    engine: String,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let inputs = read_inputs(&arguments.input)?;
    let kind = if arguments.engine == "fast" { EngineKind::Fast } else { EngineKind::Reference };
    let name = super::file_name(&arguments.weights);
    if let Some(path) = &arguments.class {
        let mut checkpoint = super::open_copy(&arguments.weights, arguments.no_ema)?;
        let sides = |x: &Tensor| x.nchw().map(|(_, channels, height, width)| Shape::image(channels, height, width));
        let shapes = inputs.iter().map(|(_, x)| sides(x)).collect::<Result<Vec<_>>>()?;
        let source = super::read_source(path)?;
        let options = torch_source::Options {
            class_args: arguments.class_args.as_deref().unwrap_or_default(),
            returned: arguments.returned,
            file: &pasted::shapes_of(checkpoint.as_ref()),
        };
        let classes = torch_source::networks(&source, &shapes, options);
        let classes = classes.map_err(|e| super::in_source(e, &source, path))?.into_iter();
        let classes = classes.map(|class| (class.name, class.network.map_err(|e| super::in_source(e, &source, path))));
        let (mut engine, class) = load::engine_for(checkpoint.as_mut(), &name, classes.collect(), kind)?;
        say_which(&class);
        // What the class reads of `x.shape[0]` is the number of one picture.
        if inputs.iter().any(|(_, x)| x.shape()[0] > 1) {
            let text = "A pasted class is followed for one picture: give it one picture at a time.";
            return Err(Error::new(Code::InputShape, text));
        }
        return finish(arguments, engine.as_mut(), inputs);
    }
    if arguments.model.is_none() && !arguments.by_position && arguments.norm_statistics.is_none() {
        let mut checkpoint = super::open_checkpoint(&arguments.weights)?;
        if checkpoint.graph().is_some() {
            let sides =
                |x: &Tensor| Shape::of(x.shape()).ok_or_else(|| Error::new(Code::InputShape, "Too many dimensions."));
            let shapes = inputs.iter().map(|(_, x)| sides(x)).collect::<Result<Vec<_>>>()?;
            let (mut engine, _) = exported::engine_for(checkpoint.as_mut(), &name, &shapes, kind)?;
            return finish(arguments, engine.as_mut(), inputs);
        }
    }
    let is_chosen = arguments.model.is_some() || arguments.by_position || arguments.norm_statistics.is_some();
    let mut checkpoint = super::open_checkpoint(&arguments.weights)?;
    if !is_chosen && checkpoint.graph().is_some() {
        let too_deep = || Error::new(Code::InputShape, "The input has too many dimensions.");
        let shapes =
            inputs.iter().map(|(_, x)| Shape::of(x.shape()).ok_or_else(too_deep)).collect::<Result<Vec<_>>>()?;
        let (mut engine, _) = exported::engine_for(checkpoint.as_mut(), &name, &shapes, kind)?;
        return finish(arguments, engine.as_mut(), inputs);
    }
    if let Some(mut engine) = exported_engine(arguments, &name, &inputs, kind)? {
        return finish(arguments, engine.as_mut(), inputs);
    }
    let how = Loading {
        choice: arguments.model.as_deref(),
        by_position: arguments.by_position,
        norm_statistics: arguments.norm_statistics.as_deref(),
        no_ema: arguments.no_ema,
        side: None,
        kind,
    };
    let mut loaded = super::load_networks(&arguments.weights, &how)?;
    loaded.retain(|network| fits(network, &inputs));
    // Of the same network twice (an averaged copy, two discriminators), no flag could choose: the preferred place is first.
    loaded.dedup_by_key(|network| network.model.id.clone());
    let mut network = match loaded.len() {
        1 => loaded.remove(0),
        0 => {
            let given: Vec<String> =
                inputs.iter().map(|(name, tensor)| format!("{name} {:?}", tensor.shape())).collect();
            return Err(Error::new(
                Code::InputShape,
                format!("{name}: no network in it takes {}.", given.join(" and ")),
            ));
        }
        _ => {
            let ids: Vec<&str> = loaded.iter().map(|network| network.model.id.as_str()).collect();
            let text =
                format!("{name} holds several networks that take this input. Choose with --model: {}.", ids.join(", "));
            return Err(Error::new(Code::ModelAmbiguous, text));
        }
    };
    finish(arguments, network.engine.as_mut(), inputs)
}

/// An engine for what the graph of an ONNX file computes of these inputs; `None` if it is no such file, or if somebody says
/// which network its weights are.
fn exported_engine(
    arguments: &Arguments,
    file: &str,
    inputs: &[(String, Tensor)],
    kind: EngineKind,
) -> Result<Option<Box<dyn Engine>>> {
    let is_chosen = arguments.model.is_some() || arguments.by_position || arguments.norm_statistics.is_some();
    let mut checkpoint = super::open_checkpoint(&arguments.weights)?;
    if is_chosen || checkpoint.graph().is_none() {
        return Ok(None);
    }
    let refused = |text: &str| Error::new(Code::InputShape, text);
    if inputs.iter().any(|(_, x)| x.shape().first().is_some_and(|&count| count > 1)) {
        return Err(refused("An ONNX graph is followed for one picture: give it one picture at a time."));
    }
    let shape =
        |(_, x): &(String, Tensor)| Shape::of(x.shape()).ok_or_else(|| refused("There are too many dimensions."));
    let shapes = inputs.iter().map(shape).collect::<Result<Vec<_>>>()?;
    let (engine, description) = exported::engine_for(checkpoint.as_mut(), file, &shapes, kind)?;
    say_which(&description);
    Ok(Some(engine))
}

/// Of several tensors, which one is written.
fn say_which(class: &torch_source::Description) {
    if class.returned.len() > 1 {
        let one = |(index, returned): (usize, &torch_source::Returned)| {
            format!("{index}: {} of {:?}", returned.place, returned.shape)
        };
        let all: Vec<String> = class.returned.iter().enumerate().map(one).collect();
        let text = format!("forward returns several tensors ({}). Number {} is written.", all.join(", "), class.taken);
        super::terminal::note(&text);
    }
}

/// Runs the network and writes what comes out.
fn finish(arguments: &Arguments, engine: &mut dyn Engine, inputs: Vec<(String, Tensor)>) -> Result<()> {
    let tensors: Vec<Tensor> = inputs.into_iter().map(|(_, tensor)| tensor).collect();
    let output = engine.run(&tensors, &mut |_| ControlFlow::Continue(()))?;
    write_safetensors(&arguments.output, "y", &output)
}

/// `x`, or `x1` and `x2`, in that order.
fn read_inputs(path: &Path) -> Result<Vec<(String, Tensor)>> {
    let file = super::file_name(path);
    let mut checkpoint = super::open_checkpoint(path)?;
    let mut tensors = checkpoint.state_dicts().iter().flat_map(|dict| dict.tensors.clone()).collect::<Vec<_>>();
    tensors.sort_by(|a, b| a.key.cmp(&b.key));
    let names: Vec<&str> = tensors.iter().map(|tensor| tensor.key.as_str()).collect();
    if names != ["x"] && names != ["x1", "x2"] {
        let text = format!("{file} must hold one tensor x, or two, x1 and x2. It holds {}.", names.join(", "));
        return Err(Error::new(Code::InputShape, text));
    }
    let mut read = |info: &checkpoint::TensorInfo| -> Result<(String, Tensor)> {
        let values = checkpoint.read(info).map_err(|e| e.in_file(&file))?;
        Ok((info.key.clone(), Tensor::new(info.shape.clone(), values)?))
    };
    tensors.iter().map(&mut read).collect()
}

/// Whether number and channels of the network's inputs are those given.
fn fits(network: &Loaded, inputs: &[(String, Tensor)]) -> bool {
    let wanted: Vec<usize> = network.engine.network().inputs().map(|(_, _, channels)| channels).collect();
    let given: Vec<usize> = inputs.iter().map(|(_, tensor)| tensor.shape().get(1).copied().unwrap_or(0)).collect();
    wanted == given
}

/// One f32 tensor as safetensors.
fn write_safetensors(path: &Path, key: &str, tensor: &Tensor) -> Result<()> {
    let bytes: Vec<u8> = tensor.data().iter().flat_map(|value| value.to_le_bytes()).collect();
    let view = TensorView::new(Dtype::F32, tensor.shape().to_vec(), &bytes);
    let file = view.and_then(|view| safetensors::serialize([(key, view)], None));
    let file = file.map_err(|error| Error::new(Code::Internal, format!("{key} cannot be written: {error}")))?;
    super::write_file(path, &file)
}
