//! From an opened checkpoint to networks that run: align, fold, build, check for NaN.

use serde_json::{Value, json};

use super::fold::{self, Stored};
use super::identify::{self, KeyDiff, Match, Mismatch, align_parts, by_key, identify};
use super::{Conventions, HoleValue, InputKind, MODELS, MaskMeans, Model, OutputCovers, Range, Widths, by_id};
use crate::checkpoint::{Checkpoint, StateDict, TensorInfo};
use crate::engine::{self, Engine, EngineKind, WeightSource};
use crate::error::{Code, Error, Result};
use crate::network::{Network, Op};

/// A network with its weights, ready to run, and what is known about it.
pub struct Loaded {
    /// The architecture.
    pub model: &'static Model,
    /// Channel counts read from the file.
    pub widths: Widths,
    /// The network itself.
    pub engine: Box<dyn Engine>,
    /// How it is fed; a copy that the user may change.
    pub conventions: Conventions,
    /// The file it came from.
    pub file: String,
    /// Trained parameters.
    pub parameters: u64,
}

impl Loaded {
    /// Takes the memory of a run, so that the first does not wait for it: of the least that such a network is run at,
    /// because memory is never given back. What does not fit is said when it is run.
    pub fn prepare(&mut self) {
        const USUAL: usize = 256;
        let size = self.conventions.size;
        let side = if size.fixed { size.preferred } else { size.preferred.min(USUAL) };
        let shapes = self.engine.network().square_inputs(side);
        let _ = self.engine.prepare(&shapes);
    }

    /// What the page shows: `{id, name, width, parameters, file, engine, conventions}`.
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.model.id,
            "name": self.model.name,
            "width": self.widths.base,
            "parameters": self.parameters,
            "file": self.file,
            "engine": self.engine.name(),
            "licence": self.model.licence,
            "conventions": conventions_json(&self.conventions),
        })
    }
}

/// Conventions in the spelling of the command line's flags.
pub fn conventions_json(c: &Conventions) -> Value {
    let range = |range: Range| match range {
        Range::ZeroOne => "0..1",
        Range::MinusOneOne => "-1..1",
    };
    json!({
        "range": range(c.input_range),
        "outputRange": range(c.output_range),
        "holeValue": match c.hole_value { HoleValue::Constant(value) => json!(value), HoleValue::Smooth => json!("smooth") },
        "maskMeans": match c.mask_means { MaskMeans::Hole => "hole", MaskMeans::Known => "known" },
        "outputCovers": match c.output_covers { OutputCovers::Field => "field", OutputCovers::Centre => "centre" },
        "inputs": match c.inputs {
            InputKind::RgbMask => "rgb-mask",
            InputKind::RgbEdges => "rgb-edges",
            InputKind::GrayEdgesMask => "gray-edges-mask",
            InputKind::Pair => "pair",
            InputKind::Score => "score",
        },
        "multiple": c.size.multiple,
        "preferred": c.size.preferred,
    })
}

/// Loads every network of the file, or the one chosen by id.
///
/// `model-unknown` if the keys belong to no known network, `model-mismatch` with every key at fault and both shapes
/// if some do not fit, `weights-not-finite` naming the tensor.
pub fn load(
    checkpoint: &mut dyn Checkpoint,
    file: &str,
    choice: Option<&str>,
    kind: EngineKind,
) -> Result<Vec<Loaded>> {
    let matches = matches(checkpoint, choice).map_err(|e| e.in_file(file))?;
    matches.iter().map(|found| build(checkpoint, found, file, kind).map_err(|e| e.in_file(file))).collect()
}

/// Loads a network whose keys have other names, each by its position; see [`Match::renamed`].
///
/// `model-mismatch` if no network of the file has the shapes of a known one in its order (or of the chosen one).
pub fn load_by_position(
    checkpoint: &mut dyn Checkpoint,
    file: &str,
    choice: Option<&str>,
    kind: EngineKind,
) -> Result<Vec<Loaded>> {
    let fits = |found: &Match| !found.renamed.is_empty() && choice.is_none_or(|id| id == found.model.id);
    let found = identify(checkpoint).into_iter().find(fits).ok_or_else(|| {
        let text =
            "These weights do not have a known network's shapes in its order, so they cannot be mapped by position.";
        Error::new(Code::ModelMismatch, text).in_file(file)
    })?;
    Ok(vec![build(checkpoint, &found, file, kind).map_err(|e| e.in_file(file))?])
}

/// Which networks of the file would be loaded: all that fit, or the chosen one.
pub fn matches(checkpoint: &dyn Checkpoint, choice: Option<&str>) -> Result<Vec<Match>> {
    let Some(id) = choice else {
        let found = identify(checkpoint);
        let Some(best) = found.first() else { return Err(unknown(checkpoint)) };
        let fitting: Vec<Match> = found.iter().filter(|m| m.fits()).cloned().collect();
        return if fitting.is_empty() { Err(misfit(checkpoint, best, None)) } else { Ok(fitting) };
    };
    let model = by_id(id).ok_or_else(|| {
        let known: Vec<&str> = MODELS.iter().map(|m| m.id).collect();
        Error::new(Code::Usage, format!("There is no model {id}. Choose one of: {}.", known.join(", ")))
    })?;
    let dicts = checkpoint.state_dicts().iter().enumerate();
    let aligned = dicts.flat_map(|(index, dict)| align_parts(model, dict, index));
    let best = aligned.max_by(|a, b| a.confidence.total_cmp(&b.confidence)).ok_or_else(|| unknown(checkpoint))?;
    if best.fits() {
        return Ok(vec![best]);
    }
    let other = identify(checkpoint).into_iter().find(|m| m.fits() && m.model.id != id);
    // `default` was the starter's name once; what was written for it goes on.
    match other {
        Some(starter) if id == "default" && starter.model.id == "starter" => Ok(vec![starter]),
        other => Err(misfit(checkpoint, &best, other.as_ref())),
    }
}

/// Whether a state dict lies where training scripts keep a discriminator.
pub fn is_sibling(dict: &StateDict) -> bool {
    let places = dict.wrapper.iter().map(String::as_str).chain([dict.prefix.trim_end_matches('.')]);
    places.into_iter().any(|place| ["discriminator", "netD", "netD_state_dict", "D", "D_ema"].contains(&place))
}

fn unknown(checkpoint: &dyn Checkpoint) -> Error {
    let keys: Vec<String> = checkpoint.state_dicts().iter().flat_map(|d| &d.tensors).map(|t| t.key.clone()).collect();
    let first: Vec<&str> = keys.iter().take(4).map(String::as_str).collect();
    let known: Vec<&str> = MODELS.iter().map(|m| m.name).collect();
    let mut text = format!(
        "No known network has these keys: {}{}. infill runs {}.",
        first.join(", "),
        if keys.len() > 4 { ", ..." } else { "" },
        known.join(", ")
    );
    if checkpoint.state_dicts().iter().all(is_sibling) {
        text = format!("This file holds a discriminator, which does not paint: load the generator's file. {text}");
    }
    Error::new(Code::ModelUnknown, text).with_keys(keys)
}

/// The name with its article.
pub fn article(name: &str) -> String {
    let vowel = name.starts_with(['A', 'E', 'I', 'O', 'U', 'a', 'e', 'i', 'o', 'u']);
    format!("{} {name}", if vowel { "an" } else { "a" })
}

/// In PyTorch's own format, with every key and both shapes.
fn misfit(checkpoint: &dyn Checkpoint, found: &Match, other: Option<&Match>) -> Error {
    let mut lines = Vec::new();
    match other {
        Some(other) => lines.push(format!(
            "This is {}, not {}. Load it as {}, or use the class {} in your code.",
            article(other.model.name),
            article(found.model.name),
            other.model.id,
            other.model.name
        )),
        None if !found.renamed.is_empty() => lines.push(format!(
            "{} Load it by position (on the command line, --by-position), or rename the keys.",
            found.why
        )),
        None => {
            lines.push(format!("These weights do not fit {} (base width {}).", found.model.name, found.widths.base))
        }
    }
    lines.extend(faults(&found.missing, &found.unexpected, &found.mismatched));
    if other.is_none() {
        let siblings = &checkpoint.state_dicts()[found.dict].siblings;
        let tail = if siblings.is_empty() { String::new() } else { format!(" (beside: {})", siblings.join(", ")) };
        lines.push(format!("Save the whole network's state_dict() again, or choose the model it was made for{tail}."));
    }
    Error::new(Code::ModelMismatch, lines.join("\n")).with_keys(found.faults())
}

/// What PyTorch would say of these keys.
fn faults(missing: &[String], unexpected: &[String], mismatched: &[Mismatch]) -> Vec<String> {
    let quote = |keys: &[String]| keys.iter().map(|k| format!("\"{k}\"")).collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    if !missing.is_empty() {
        lines.push(format!("Missing key(s) in state_dict: {}.", quote(missing)));
    }
    if !unexpected.is_empty() {
        lines.push(format!("Unexpected key(s) in state_dict: {}.", quote(unexpected)));
    }
    for m in mismatched {
        lines.push(format!(
            "size mismatch for {}: the checkpoint has {:?}, the network {:?}.",
            m.key, m.found, m.expected
        ));
    }
    lines
}

fn build(checkpoint: &mut dyn Checkpoint, found: &Match, file: &str, kind: EngineKind) -> Result<Loaded> {
    let network = identify::network(found);
    let names = Names { renamed: &found.renamed, prefix: &found.prefix, put_back: "" };
    let mut weights = Weights { checkpoint, dict: found.dict, names, network: &network };
    let engine = engine::build(kind, &network, &mut weights)?;
    Ok(Loaded {
        model: found.model,
        widths: found.widths,
        engine,
        conventions: found.model.conventions,
        file: file.to_owned(),
        parameters: network.parameter_count(),
    })
}

/// Where a network's keys lie in the file.
struct Names<'a> {
    /// Key by key, where only the names differ.
    renamed: &'a [(String, String)],
    /// What all keys begin with in the file, and what in the network instead.
    prefix: &'a str,
    put_back: &'a str,
}

impl Names<'_> {
    fn of(&self, key: &str) -> String {
        let renamed =
            self.renamed.iter().find(|(network_key, _)| network_key == key).map(|(_, file_key)| file_key.clone());
        renamed.unwrap_or_else(|| format!("{}{}", self.prefix, key.strip_prefix(self.put_back).unwrap_or(key)))
    }
}

/// The weights of one state dict, folded and checked as they are taken.
struct Weights<'a> {
    checkpoint: &'a mut dyn Checkpoint,
    dict: usize,
    names: Names<'a>,
    network: &'a Network,
}

/// How a description's keys are best found in a file.
struct Fit {
    dict: usize,
    prefix: String,
    put_back: String,
    diff: KeyDiff,
}

impl Fit {
    fn faults(&self) -> usize {
        self.diff.missing.len() + self.diff.unexpected.len() + self.diff.mismatched.len()
    }
}

/// The fit with the fewest keys at fault: as the keys are, with a prefix put back that was stripped (a class may well
/// keep all its layers under `model.`), or within a part of the state dict.
fn fit(checkpoint: &dyn Checkpoint, network: &Network) -> Option<Fit> {
    let mut fits = Vec::new();
    for (dict, keys) in checkpoint.state_dicts().iter().enumerate() {
        let back = keys.prefix.match_indices('.').map(|(dot, _)| &keys.prefix[..dot]);
        let back = back.map(|head| head.rfind('.').map_or(0, |dot| dot + 1)).map(|from| keys.prefix[from..].to_owned());
        let moved = back.map(|put_back| (String::new(), put_back));
        let parts = identify::parts(keys).into_iter().map(|prefix| (prefix, String::new()));
        for (prefix, put_back) in std::iter::once(Default::default()).chain(moved).chain(parts) {
            let mut part = identify::part(keys, &prefix);
            if !put_back.is_empty() {
                part.to_mut().tensors.iter_mut().for_each(|tensor| tensor.key.insert_str(0, &put_back));
            }
            fits.push(Fit { dict, prefix, put_back, diff: identify::compare_keys(network, &part) });
        }
    }
    fits.into_iter().min_by_key(|fit| (fit.faults(), std::cmp::Reverse(fit.diff.fitting)))
}

/// An engine for the first of these classes whose keys and shapes are the file's.
///
/// `model-mismatch` with every key at fault if none fits; a class that could not be followed keeps its own error.
pub fn engine_for(
    checkpoint: &mut dyn Checkpoint,
    file: &str,
    classes: Vec<(String, Result<Network>)>,
    kind: EngineKind,
) -> Result<Box<dyn Engine>> {
    let (mut best, mut fault): (Option<(String, Network, Fit)>, Option<Error>) = (None, None);
    for (name, network) in classes {
        match network {
            Ok(network) => {
                let Some(fit) = fit(checkpoint, &network) else { continue };
                if best.as_ref().is_none_or(|(.., before)| fit.faults() < before.faults()) {
                    best = Some((name, network, fit));
                }
            }
            Err(error) => fault = fault.or(Some(error)),
        }
    }
    let none = || Error::new(Code::CheckpointNoTensors, "The file holds no weights.");
    match (best, fault) {
        (Some((_, network, fit)), _) if fit.faults() == 0 => {
            let names = Names { renamed: &[], prefix: &fit.prefix, put_back: &fit.put_back };
            let mut weights = Weights { checkpoint, dict: fit.dict, names, network: &network };
            engine::build(kind, &network, &mut weights).map_err(|e| e.in_file(file))
        }
        // The class that was meant is more likely the one that cannot be followed than one that fits nowhere.
        (Some((.., fit)), Some(fault)) if fit.diff.fitting * 2 < fit.diff.wanted => Err(fault),
        (None, Some(fault)) => Err(fault),
        (Some((name, _, fit)), _) => {
            let mut lines = vec![format!("These weights do not fit the class {name}.")];
            lines.extend(faults(&fit.diff.missing, &fit.diff.unexpected, &fit.diff.mismatched));
            let mismatched = fit.diff.mismatched.iter().map(|m| m.key.clone());
            let keys = fit.diff.missing.iter().chain(&fit.diff.unexpected).cloned().chain(mismatched).collect();
            Err(Error::new(Code::ModelMismatch, lines.join("\n")).with_keys(keys).in_file(file))
        }
        (None, None) => Err(none()),
    }
}

/// `weights-not-finite` if one of these values, the first of which is the tensor's value `first`, is not.
fn finite(info: &TensorInfo, first: usize, values: &[f32]) -> Result<()> {
    let Some(at) = values.iter().position(|v| !v.is_finite()) else { return Ok(()) };
    let text = format!(
        "{} holds {} at position {}, so the network would only give garbage. The training diverged: take an earlier \
         checkpoint.",
        info.key,
        values[at],
        first + at
    );
    Err(Error::new(Code::WeightsNotFinite, text).with_keys(vec![info.key.clone()]))
}

fn gone(key: &str) -> Error {
    Error::new(Code::ModelMismatch, format!("{key} is missing.")).with_keys(vec![key.to_owned()])
}

impl Weights<'_> {
    /// How this key is stored, and the tensors it is made of.
    fn stored(&self, key: &str) -> Result<(Stored, Vec<TensorInfo>)> {
        let dict = self.checkpoint.state_dicts().get(self.dict).ok_or_else(|| gone(key))?;
        let tensors = by_key(dict);
        let find = |key: &str| tensors.get(key).copied();
        let stored = fold::stored(&self.names.of(key), &find).ok_or_else(|| gone(key))?;
        let infos = stored.keys().iter().filter_map(|k| find(k).cloned()).collect();
        Ok((stored, infos))
    }
}

impl WeightSource for Weights<'_> {
    fn pieces(&mut self, key: &str, each: &mut dyn FnMut(&[f32]) -> Result<()>) -> Result<()> {
        let (stored, infos) = self.stored(key)?;
        let (Stored::Plain(_), [info]) = (stored, &infos[..]) else { return each(&self.take(key)?) };
        let mut done = 0;
        self.checkpoint.pieces(info, &mut |piece| {
            finite(info, done, piece)?;
            done += piece.len();
            each(piece)
        })
    }

    fn take(&mut self, key: &str) -> Result<Vec<f32>> {
        let (stored, infos) = self.stored(key)?;
        let mut parts = Vec::with_capacity(infos.len());
        for info in &infos {
            let values = self.checkpoint.read(info)?;
            finite(info, 0, &values)?;
            parts.push(values);
        }
        let wrong =
            |text: &str| Error::new(Code::ModelMismatch, format!("{key}: {text}")).with_keys(vec![key.to_owned()]);
        match (stored, parts.len()) {
            (Stored::Plain(_), 1) => Ok(parts.remove(0)),
            (Stored::Spectral(_), 3) => {
                let shape = &infos[0].shape;
                let module = key.strip_suffix(".weight").unwrap_or(key);
                let transposed =
                    self.network.nodes.iter().any(|n| n.path == module && matches!(n.op, Op::ConvTranspose2d(_)));
                let rows = usize::from(transposed);
                let height = shape.get(rows).copied().unwrap_or(0);
                if height == 0 || parts[1].len() != height || parts[2].len() * height != parts[0].len() {
                    return Err(wrong("weight_u and weight_v do not fit weight_orig"));
                }
                let (u, v) = (std::mem::take(&mut parts[1]), std::mem::take(&mut parts[2]));
                Ok(fold::spectral(parts.remove(0), shape, rows, &u, &v))
            }
            (Stored::WeightNorm(_), 2) => {
                if parts[0].is_empty() || parts[1].len() % parts[0].len() != 0 || parts[0].len() != infos[1].shape[0] {
                    return Err(wrong("weight_g does not fit weight_v"));
                }
                let v = parts.remove(1);
                Ok(fold::weight_norm(&parts[0], v))
            }
            _ => Err(gone(key)),
        }
    }
}

/// The model that the native binary embeds.
#[cfg(not(target_arch = "wasm32"))]
pub fn default_model(kind: EngineKind) -> Result<Loaded> {
    const BYTES: &[u8] = include_bytes!("../../www/models/default.safetensors");
    let name = "the default model";
    let mut checkpoint = crate::checkpoint::open(std::io::Cursor::new(BYTES), name)?;
    let mut loaded = load(checkpoint.as_mut(), name, None, kind)?;
    loaded.pop().ok_or_else(|| Error::new(Code::Internal, "The default model is empty."))
}
