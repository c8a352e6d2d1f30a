//! From an opened checkpoint to networks that run: align, fold, build, check for NaN.

use std::sync::Arc;

use serde_json::{Value, json};

use super::identify::{Match, align_parts, identify};
use super::prose::{misfit, unknown};
use super::spelling::{conventions_json, role_word};
use super::weights::Weights;
use super::{ArchConfig, Conventions, ModelSpec, NormStatistics, by_id, is_withheld, registry};
use crate::checkpoint::Checkpoint;
use crate::engine::{self, Engine, EngineKind, WeightSource};
use crate::error::{Code, Error, Result};
use crate::network::Network;
use crate::sentences::Sentence;

pub use super::for_class::engine_for;

/// A network with its weights, ready to run, and what is known about it.
pub struct Loaded {
    /// The architecture.
    pub model: Arc<ModelSpec>,
    /// Its numbers, as the file gives them away.
    pub config: ArchConfig,
    /// The network itself.
    pub engine: Box<dyn Engine>,
    /// How it is fed; a copy that the user may change.
    pub conventions: Conventions,
    /// The file it came from.
    pub file: String,
    /// Trained parameters.
    pub parameters: u64,
    /// Where its weights lie in that file.
    found: Match,
}

impl Loaded {
    /// Takes the memory of a run, so that the first does not wait for it: of the least that such a network is run at,
    /// because memory is never given back. What does not fit is said when it is run.
    pub fn prepare(&mut self) {
        const USUAL: usize = 256;
        let size = self.conventions.size;
        let side = if size.fixed { size.preferred } else { size.preferred.min(USUAL).next_multiple_of(size.multiple) };
        let shapes = self.engine.network().square_inputs(side);
        let _ = self.engine.prepare(&shapes);
    }

    /// The network of a match, from the file that it was found in. The codes of [`load`].
    pub(super) fn of(checkpoint: &mut dyn Checkpoint, found: Match, file: &str, kind: EngineKind) -> Result<Self> {
        build(checkpoint, found, file, kind)
    }

    /// How sure it is that the file is this network's, in one sentence.
    pub fn why(&self) -> String {
        super::prose::why(&self.found)
    }

    /// How its keys lie in the file.
    pub fn found(&self) -> &Match {
        &self.found
    }

    /// Another engine for the same network, from the same file opened anew: with the statistics that
    /// [`Loaded::conventions`] say. The codes of [`load`].
    pub fn rebuild(&self, checkpoint: &mut dyn Checkpoint, kind: EngineKind) -> Result<Box<dyn Engine>> {
        engine(checkpoint, &self.found, &self.conventions, kind).map_err(|e| e.in_file(&self.file))
    }

    /// From now on norms take these statistics; nothing happens where they do already, or where no norm stores any.
    /// `checkpoint` opens the network's file anew. The codes of [`load`].
    pub fn use_statistics(
        &mut self,
        statistics: NormStatistics,
        kind: EngineKind,
        checkpoint: impl FnOnce() -> Result<Box<dyn Checkpoint>>,
    ) -> Result<()> {
        if self.conventions.norm_statistics.is_none_or(|own| own == statistics) {
            return Ok(());
        }
        let before = self.conventions.norm_statistics.replace(statistics);
        match checkpoint().and_then(|mut checkpoint| self.rebuild(checkpoint.as_mut(), kind)) {
            Ok(engine) => {
                self.engine = engine;
                Ok(())
            }
            Err(error) => {
                self.conventions.norm_statistics = before;
                Err(error)
            }
        }
    }

    /// What the page shows: `{id, name, width, parameters, file, engine, licence, role, conventions}`.
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.model.id,
            "name": self.model.name,
            "width": self.config.width(),
            "parameters": self.parameters,
            "file": self.file,
            "engine": self.engine.name(),
            "licence": self.model.licence,
            "role": role_word(self.model.role),
            "conventions": conventions_json(&self.conventions, self.model.role),
        })
    }
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
    matches.into_iter().map(|found| build(checkpoint, found, file, kind).map_err(|e| e.in_file(file))).collect()
}

/// Loads a network whose keys have other names, each by its position; see [`super::KeyNames::renamed`].
///
/// `model-mismatch` if no network of the file has the shapes of a known one in its order (or of the chosen one).
pub fn load_by_position(
    checkpoint: &mut dyn Checkpoint,
    file: &str,
    choice: Option<&str>,
    kind: EngineKind,
) -> Result<Vec<Loaded>> {
    let found = match_by_position(checkpoint, choice).map_err(|error| error.in_file(file))?;
    Ok(vec![build(checkpoint, found, file, kind).map_err(|e| e.in_file(file))?])
}

/// The weights of a match under the keys of a description that was built from it, whatever form the file has them in.
pub fn weights<'a>(
    checkpoint: &'a mut dyn Checkpoint,
    found: &'a Match,
    network: &'a Network,
) -> impl WeightSource + 'a {
    Weights { checkpoint, dict: found.dict, names: &found.names, rules: &found.model.keys, network }
}

/// The match of a network whose keys have other names; see [`load_by_position`].
pub fn match_by_position(checkpoint: &dyn Checkpoint, choice: Option<&str>) -> Result<Match> {
    let fits = |found: &Match| !found.names.renamed.is_empty() && choice.is_none_or(|id| id == found.model.id);
    let found = identify(checkpoint).into_iter().find(fits);
    found.ok_or_else(|| Error::said(Sentence::WeightsInNoOrder {}))
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
        let known: Vec<String> = registry().iter().map(|model| model.id.clone()).collect();
        Error::new(Code::Usage, format!("There is no model {id}. Choose one of: {}.", known.join(", ")))
    })?;
    let dicts = checkpoint.state_dicts().iter().enumerate().filter(|(_, dict)| !is_withheld(dict));
    let aligned = dicts.flat_map(|(index, dict)| align_parts(&model, dict, index));
    let best = aligned.max_by(|a, b| a.confidence.total_cmp(&b.confidence)).ok_or_else(|| unknown(checkpoint))?;
    if best.fits() {
        return Ok(vec![best]);
    }
    match identify(checkpoint).into_iter().find(|m| m.fits() && m.model.id != id) {
        Some(other) if other.model.former_ids.iter().any(|former| former == id) => Ok(vec![other]),
        other => Err(misfit(checkpoint, &best, other.as_ref())),
    }
}

fn build(checkpoint: &mut dyn Checkpoint, found: Match, file: &str, kind: EngineKind) -> Result<Loaded> {
    let conventions = found.conventions();
    let engine = engine(checkpoint, &found, &conventions, kind)?;
    Ok(Loaded {
        model: Arc::clone(&found.model),
        config: found.config.clone(),
        parameters: engine.network().parameter_count(),
        engine,
        conventions,
        file: file.to_owned(),
        found,
    })
}

fn engine(
    checkpoint: &mut dyn Checkpoint,
    found: &Match,
    conventions: &Conventions,
    kind: EngineKind,
) -> Result<Box<dyn Engine>> {
    let network = &found.model.network_for(&found.config, conventions);
    engine::build(kind, network, &mut weights(checkpoint, found, network))
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
