//! A pasted class as a network that fills: what goes in and what comes out are guessed, as the conventions that every known
//! network has.

use std::sync::Arc;

use super::for_class::{self, Fit};
use super::identify::{Match, identify};
use super::load::Loaded;
use super::prose::faults;
use super::{
    ArchConfig, Blend, Conventions, HoleValue, InputTensor, MaskMeans, ModelSpec, NormStatistics, OutputCovers, Range,
    Role, SizeRule,
};
use crate::checkpoint::Checkpoint;
use crate::engine::EngineKind;
use crate::error::{Code, Error, Result};
use crate::network::ops::norm::Statistics;
use crate::network::ops::{Affine, Clamp};
use crate::network::{Activation, Network, Op, Shape, ValueId};
use crate::sentences::Sentence;
use crate::torch_source::{self, Described, Description, Given, Options};

/// Id of every pasted class.
pub const ID: &str = "class";

/// A pasted class, and what a person says of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pasted<'a> {
    /// The Python file.
    pub source: &'a str,
    /// What the class is made with, such as `Net(4, 3)`; empty if the file, its defaults or the weights say.
    pub class_args: &'a str,
    /// Which of the tensors that `forward` returns is the picture.
    pub returned: Option<usize>,
    /// Channels of each of its inputs, where somebody says what they show.
    pub channels: Option<&'a [usize]>,
    /// Side of the squares that it runs on, pixels; the first of the common ones that it takes if `None`.
    pub side: Option<usize>,
    /// Whether keys of the file that the class has not are left out, as `strict=False` does.
    pub leaves_out: bool,
}

/// Keys and shapes of all weights of a file.
pub fn shapes_of(checkpoint: &dyn Checkpoint) -> Vec<(String, Vec<usize>)> {
    let first = checkpoint.state_dicts().first().map(|dict| dict.tensors.iter()).into_iter().flatten();
    first.map(|tensor| (tensor.key.clone(), tensor.shape.clone())).collect()
}

/// Every class of the file, the last one first, on inputs that it takes. The codes of [`torch_source::networks`].
pub fn described(pasted: &Pasted<'_>, file: &[(String, Vec<usize>)]) -> Result<Vec<Described>> {
    let options = Options { class_args: pasted.class_args, returned: pasted.returned, file };
    torch_source::pictured(pasted.source, Given { channels: pasted.channels, side: pasted.side }, options)
}

/// The class whose keys fit best, and how.
pub fn best<'a>(
    checkpoint: &dyn Checkpoint,
    classes: &'a [Described],
) -> Option<(&'a Described, &'a Description, Fit)> {
    let fits = classes.iter().filter_map(|class| {
        let description = class.network.as_ref().ok()?;
        Some((class, description, for_class::fit(checkpoint, description)?))
    });
    // Of equal ones the first.
    fits.reduce(|best, next| if next.2.diff.faults().len() < best.2.diff.faults().len() { next } else { best })
}

/// Whether a fit is one that runs: keys that only the file has may be left out if somebody says so.
pub fn runs(fit: &Fit, leaves_out: bool) -> bool {
    let diff = &fit.diff;
    diff.is_empty() || leaves_out && diff.missing.is_empty() && diff.mismatched.is_empty() && diff.fitting > 0
}

/// Loads the class of `pasted` whose keys are the file's, ready to fill.
///
/// `network-invalid` naming the line that is not followed, `model-mismatch` with every key at fault if no class fits, or if
/// the class scores pictures instead of painting them, and the codes of [`super::load::load`].
pub fn load(checkpoint: &mut dyn Checkpoint, file: &str, pasted: &Pasted<'_>, kind: EngineKind) -> Result<Loaded> {
    let classes = described(pasted, &shapes_of(checkpoint))?;
    load_described(checkpoint, file, pasted, classes, kind)
}

/// The same of classes that are followed already.
pub fn load_described(
    checkpoint: &mut dyn Checkpoint,
    file: &str,
    pasted: &Pasted<'_>,
    classes: Vec<Described>,
    kind: EngineKind,
) -> Result<Loaded> {
    let found = matched(checkpoint, file, pasted, &classes)?;
    Loaded::of(checkpoint, found, file, kind).map_err(|e| e.in_file(file))
}

/// The class of these that the file belongs to, and where its weights lie there. The codes of [`load`].
pub fn matched(checkpoint: &dyn Checkpoint, file: &str, pasted: &Pasted<'_>, classes: &[Described]) -> Result<Match> {
    match best(checkpoint, classes) {
        Some((class, description, fit)) if runs(&fit, pasted.leaves_out) => {
            let spec = spec(class, description, known_conventions(checkpoint, &fit, description))?;
            Ok(found(spec, &fit))
        }
        found => {
            let fault = classes.iter().find_map(|class| class.network.as_ref().err().cloned());
            match (found, fault) {
                (Some((.., fit)), Some(fault)) if fit.diff.fitting * 2 < fit.diff.wanted => Err(fault),
                (None, Some(fault)) => Err(fault),
                (Some((class, _, fit)), _) => {
                    let misfit = Error::said(Sentence::ClassMisfit { class: class.name.clone() });
                    let misfit = misfit.with_lines(&faults(&fit.diff));
                    Err(misfit.with_keys(fit.diff.faults()).in_file(file))
                }
                (None, None) => Err(Error::new(Code::CheckpointNoTensors, "The file holds no weights.")),
            }
        }
    }
}

fn found(spec: ModelSpec, fit: &Fit) -> Match {
    Match {
        model: Arc::new(spec),
        config: ArchConfig::default(),
        dict: fit.dict,
        names: fit.names.clone(),
        confidence: 1.0,
        why: String::new(),
        diff: fit.diff.clone(),
    }
}

/// How the known network that these weights belong to is fed, if it is one and takes as much as the class does.
fn known_conventions(checkpoint: &dyn Checkpoint, fit: &Fit, class: &Description) -> Option<Conventions> {
    let known = identify(checkpoint).into_iter().find(|found| found.fits() && found.dict == fit.dict)?;
    let conventions = known.conventions();
    let own: Vec<usize> = class.network.inputs().map(|(_, _, channels)| channels).collect();
    let same = conventions.inputs.iter().map(|input| input.channels.len()).eq(own);
    (same && known.model.role == Role::Paints).then_some(conventions)
}

/// The class as an architecture of its own. `model-mismatch` if it gives no picture.
pub(super) fn spec(class: &Described, description: &Description, known: Option<Conventions>) -> Result<ModelSpec> {
    let name = class.name.clone();
    let output = description.returned[description.taken].shape;
    if output.sides().len() != 4 || output.height() < 2 || output.width() < 2 {
        return Err(Error::said(Sentence::ClassNoPicture { class: name, shape: format!("{output:?}") }));
    }
    if name.to_ascii_lowercase().contains("discriminator") {
        return Err(Error::said(Sentence::ClassScores { class: name }));
    }
    let side = description.network.traced.first().map_or(256, Shape::height);
    let mut conventions = known.unwrap_or_else(|| guessed(&name, &description.network));
    conventions.size = SizeRule::fixed(side);
    conventions.norm_statistics = statistics(&description.network);
    let network = description.network.clone();
    Ok(ModelSpec::new(ID, &name, move |_| network.clone(), move |_| conventions.clone()))
}

/// Stored, where every batch norm takes those; a class that asks for the picture's own is left as it is.
fn statistics(network: &Network) -> Option<NormStatistics> {
    let mut norms = network.nodes.iter().filter_map(|node| match &node.op {
        Op::BatchNorm2d(norm) => Some(norm.statistics),
        _ => None,
    });
    let first = norms.next()?;
    (first == Statistics::Stored && norms.all(|other| other == first)).then_some(NormStatistics::Stored)
}

/// How a network is most likely fed, from the names and channels of its inputs and from what it ends in.
pub fn guessed(class: &str, network: &Network) -> Conventions {
    let inputs: Vec<(ValueId, String, usize)> =
        network.inputs().map(|(id, name, channels)| (id, name.to_ascii_lowercase(), channels)).collect();
    let class = class.to_ascii_lowercase();
    let words: Vec<Vec<&str>> = inputs
        .iter()
        .enumerate()
        .map(|(index, (_, name, channels))| words(name, *channels, index, inputs.len(), &class))
        .collect();
    let output_range = network.output.and_then(|output| ending(network, output)).unwrap_or(Range::ZeroOne);
    let takes_edges = words.iter().flatten().any(|word| *word == "edges");
    Conventions {
        // Every word is one of the list.
        inputs: words
            .iter()
            .map(|words| InputTensor::from_words(words).unwrap_or_else(|_| InputTensor::of_channels(0)))
            .collect(),
        input_range: output_range,
        output_range,
        // EdgeConnect's way, and that of those who followed it.
        hole_value: HoleValue::Constant(if takes_edges { 1.0 } else { 0.0 }),
        mask_means: polarity(network, &inputs, &words),
        output_covers: OutputCovers::Field,
        blend: Blend::Matched,
        size: SizeRule::fixed(256),
        norm_statistics: None,
        ..Conventions::rgb_and_mask()
    }
}

/// What the channels of one input show.
fn words(name: &str, channels: usize, index: usize, count: usize, class: &str) -> Vec<&'static str> {
    const SINGLE: [(&str, &[&str]); 3] =
        [("mask", &["mask", "hole", "valid"]), ("edges", &["edge", "sketch"]), ("noise", &["noise", "latent"])];
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    let own = SINGLE.iter().find(|(_, parts)| has(parts)).map(|(word, _)| *word);
    let own = own.or(match name {
        "m" => Some("mask"),
        "z" => Some("noise"),
        "e" if count > 1 => Some("edges"),
        _ => None,
    });
    // `masked` is a picture, and so is what has more channels than a picture.
    if let Some(word) = own.filter(|_| channels <= 3 && !has(&["masked"])) {
        return vec![word; channels];
    }
    let is_edges = class.contains("edge");
    let first = if index == 0 { "rgb" } else { "second" };
    let mut words = match channels {
        0 => vec![],
        1 if index == 0 => vec!["gray"],
        1 => vec!["mask"],
        2 => vec!["gray", "mask"],
        3 if is_edges && count == 1 => vec!["gray", "edges", "mask"],
        3 if has(&["gray", "grey"]) => vec!["gray"; 3],
        3 => vec![first],
        4 if is_edges => vec![first, "edges"],
        4 => vec![first, "mask"],
        5 if is_edges => vec![first, "edges", "mask"],
        // As DeepFill has it: a channel of ones lets borders be told from holes.
        5 => vec![first, "ones", "mask"],
        6 => vec!["rgb", "second"],
        7 => vec!["rgb", "second", "mask"],
        _ => vec![first, "mask"],
    };
    let width: usize = words.iter().map(|word| if matches!(*word, "rgb" | "second") { 3 } else { 1 }).sum();
    words.extend(std::iter::repeat_n("zeros", channels.saturating_sub(width)));
    words
}

/// The range that the last function gives to the output; `None` if none of those that bound it stands there.
fn ending(network: &Network, output: ValueId) -> Option<Range> {
    let mut next = vec![(output, 1.0f32, 0.0f32)];
    // A few nodes back: behind that, a function bounds features and not the picture.
    for _ in 0..24 {
        let (value, scale, offset) = next.pop()?;
        let node = &network.nodes[value.node];
        let bounds = match &node.op {
            Op::Activation(Activation::Tanh) => Some((-1.0, 1.0)),
            Op::Activation(Activation::Sigmoid) => Some((0.0, 1.0)),
            Op::Clamp(Clamp { low, high }) => Some((*low, *high)),
            Op::Affine(affine) => {
                let Affine { scale: factor, offset: summand } = *affine;
                next.extend(node.inputs.iter().map(|&input| (input, scale * factor, scale * summand + offset)));
                continue;
            }
            Op::Conv2d(_) | Op::ConvTranspose2d(_) | Op::BatchNorm2d(_) | Op::Input(_) => continue,
            // What mixes, cuts and resizes leaves the range as it is.
            _ => {
                next.extend(node.inputs.iter().rev().map(|&input| (input, scale, offset)));
                continue;
            }
        };
        let (low, high) = bounds?;
        let low = scale * low + offset;
        let high = scale * high + offset;
        return Some(if low.min(high) < -0.5 { Range::MinusOneOne } else { Range::ZeroOne });
    }
    None
}

/// What a 1 in the mask says, by what the class itself does with it: `x * mask` keeps what is known, `x * (1 - mask)` what
/// the mask leaves.
fn polarity(network: &Network, inputs: &[(ValueId, String, usize)], words: &[Vec<&str>]) -> MaskMeans {
    let is_mask = |value: ValueId| {
        let place = inputs.iter().position(|(id, ..)| *id == value);
        place.is_some_and(|place| words[place].iter().all(|word| *word == "mask"))
    };
    let is_photo = |value: ValueId| {
        let place = inputs.iter().position(|(id, ..)| *id == value);
        place.is_some_and(|place| words[place].first().is_some_and(|word| matches!(*word, "rgb" | "gray")))
    };
    let is_rest = |value: ValueId| {
        let node = &network.nodes[value.node];
        matches!(node.op, Op::Affine(Affine { scale: -1.0, offset: 1.0 })) && node.inputs.iter().all(|&of| is_mask(of))
    };
    let products = network.nodes.iter().filter(|node| matches!(node.op, Op::Mul(_)) && node.inputs.len() == 2);
    for node in products {
        for (photo, mask) in [(node.inputs[0], node.inputs[1]), (node.inputs[1], node.inputs[0])] {
            match is_photo(photo) {
                true if is_mask(mask) => return MaskMeans::Known,
                true if is_rest(mask) => return MaskMeans::Hole,
                _ => {}
            }
        }
    }
    let is_valid = |name: &str| name.contains("valid") || name.contains("known");
    if inputs.iter().any(|(_, name, _)| is_valid(name)) { MaskMeans::Known } else { MaskMeans::Hole }
}

#[cfg(test)]
mod tests;
