//! A network's weights, taken from a state dict: found under whatever name, folded, and checked as they are taken.

use super::KeyRules;
use super::config::Keys;
use super::fold::{self, Stored};
use super::lifted::{self, Lifted};
use super::names::KeyNames;
use super::spec::KeyTransform;
use crate::checkpoint::{Checkpoint, TensorInfo};
use crate::engine::WeightSource;
use crate::error::{Error, Result};
use crate::network::{Network, Op};
use crate::sentences::Sentence;

/// The weights of one state dict.
pub struct Weights<'a> {
    /// The opened file.
    pub checkpoint: &'a mut dyn Checkpoint,
    /// Index into [`Checkpoint::state_dicts`].
    pub dict: usize,
    /// How the network's keys are spelled there.
    pub names: &'a KeyNames,
    /// What the file may leave out, or hold in another form.
    pub rules: &'a KeyRules,
    /// The description.
    pub network: &'a Network,
}

/// `weights-not-finite` if one of these values, the first of which is the tensor's value `first`, is not.
fn finite(key: &str, first: usize, values: &[f32]) -> Result<()> {
    let Some(at) = values.iter().position(|v| !v.is_finite()) else { return Ok(()) };
    let (value, position) = (values[at].to_string(), (first + at) as u64);
    Err(Error::said(Sentence::WeightNotFinite { key: key.to_owned(), value, position }).with_keys(vec![key.to_owned()]))
}

/// What is wrong with a key.
fn wrong(key: &str, sentence: fn(String) -> Sentence) -> Error {
    Error::said(sentence(key.to_owned())).with_keys(vec![key.to_owned()])
}

impl Weights<'_> {
    /// How this key is stored, and the tensors it is made of; `None` if it is not there.
    fn stored(&self, key: &str) -> Option<(Stored, Vec<TensorInfo>)> {
        let keys = Keys::of(self.checkpoint.state_dicts().get(self.dict)?);
        let find = |key: &str| keys.tensor(key);
        let stored = fold::stored(&self.names.file_key(key), &find)?;
        let infos = stored.read_keys().iter().filter_map(|k| find(k).cloned()).collect();
        Some((stored, infos))
    }

    fn read(&mut self, info: &TensorInfo) -> Result<Vec<f32>> {
        let values = self.checkpoint.read(info)?;
        finite(&self.names.shown(&info.key), 0, &values)?;
        Ok(values)
    }

    /// The values of a parameter that the file leaves out.
    fn fixed(&self, key: &str) -> Result<Vec<f32>> {
        let parameter = self.network.parameters().into_iter().find(|parameter| parameter.key == key);
        parameter
            .and_then(|parameter| self.rules.fixed_values(&parameter))
            .ok_or_else(|| wrong(key, |key| Sentence::KeyMissing { key }))
    }

    /// The values of a parameter that is not in the file: of a norm that was folded, or those that it always has.
    fn absent(&mut self, key: &str) -> Result<Vec<f32>> {
        let is_graph = self.checkpoint.state_dicts().get(self.dict).is_some_and(|dict| dict.graph_norms.is_some());
        match lifted::value(self.network, key).filter(|_| is_graph) {
            Some(Lifted::All(value, count)) => Ok(vec![value; count]),
            Some(Lifted::Under(bias)) => {
                let gone = || wrong(key, |key| Sentence::KeyMissing { key });
                let (_, infos) = self.stored(&bias).ok_or_else(gone)?;
                self.read(infos.first().ok_or_else(gone)?)
            }
            None => self.fixed(key),
        }
    }

    /// The dimension that makes the rows of a spectral norm's matrix.
    fn rows(&self, key: &str) -> usize {
        let module = key.strip_suffix(".weight").unwrap_or(key);
        let is_transposed = |op: &Op| matches!(op, Op::ConvTranspose2d(_));
        usize::from(self.network.nodes.iter().any(|node| node.path == module && is_transposed(&node.op)))
    }

    fn folded(&self, key: &str, stored: &Stored, infos: &[TensorInfo], mut parts: Vec<Vec<f32>>) -> Result<Vec<f32>> {
        match (stored, parts.len()) {
            (Stored::Plain(_) | Stored::Folded(_), 1) => Ok(parts.remove(0)),
            (Stored::Spectral(_), 3) => {
                let (shape, rows) = (&infos[0].shape, self.rows(key));
                let height = shape.get(rows).copied().unwrap_or(0);
                if height == 0 || parts[1].len() != height || parts[2].len() * height != parts[0].len() {
                    return Err(wrong(key, |key| Sentence::KeySpectral { key, weight: "weight_orig".to_owned() }));
                }
                let (u, v) = (std::mem::take(&mut parts[1]), std::mem::take(&mut parts[2]));
                Ok(fold::spectral(parts.remove(0), shape, rows, &u, &v))
            }
            (Stored::SteppedSpectral(_) | Stored::SteppedWithoutV(_), 2..=3) => {
                let (shape, height) = (&infos[0].shape, parts[1].len());
                let fits_v = parts.get(2).is_none_or(|v| v.len() * height == parts[0].len());
                if height == 0 || shape.first() != Some(&height) || !fits_v {
                    return Err(wrong(key, |key| Sentence::KeySpectral { key, weight: "weight_bar".to_owned() }));
                }
                let [u, v] = fold::stepped(&parts[0], &parts[1]);
                Ok(fold::spectral(parts.remove(0), shape, 0, &u, &v))
            }
            (Stored::WeightNorm(_), 2) => {
                if parts[0].is_empty()
                    || !parts[1].len().is_multiple_of(parts[0].len())
                    || parts[0].len() != infos[1].shape[0]
                {
                    return Err(wrong(key, |key| Sentence::KeyWeightNorm { key }));
                }
                let v = parts.remove(1);
                Ok(fold::weight_norm(&parts[0], v))
            }
            _ => Err(wrong(key, |key| Sentence::KeyMissing { key })),
        }
    }

    /// From the form in which files hold these values to the description's.
    fn transform(
        &mut self,
        key: &str,
        transform: KeyTransform,
        infos: &[TensorInfo],
        values: &mut [f32],
    ) -> Result<()> {
        match transform {
            KeyTransform::ReverseKernel => {
                let kernel = infos[0].shape.iter().skip(2).product::<usize>().max(1);
                values.chunks_exact_mut(kernel).for_each(<[f32]>::reverse);
            }
            KeyTransform::Times(factor) => {
                // A file may hold the product already, and then no factor.
                let Some((_, infos)) = self.stored(&factor) else { return Ok(()) };
                let [ref info] = infos[..] else { return Err(wrong(&factor, |key| Sentence::KeyNoTensor { key })) };
                let [factor] = self.read(info)?[..] else {
                    return Err(wrong(key, |key| Sentence::KeyNoNumber { key }));
                };
                values.iter_mut().for_each(|value| *value *= factor);
            }
        }
        Ok(())
    }
}

impl WeightSource for Weights<'_> {
    fn pieces(&mut self, key: &str, each: &mut dyn FnMut(&[f32]) -> Result<()>) -> Result<()> {
        let (Some((Stored::Plain(_), infos)), None) = (self.stored(key), self.rules.transform(key)) else {
            return each(&self.take(key)?);
        };
        let info = infos.first().ok_or_else(|| wrong(key, |key| Sentence::KeyMissing { key }))?;
        let (key, mut done) = (self.names.shown(&info.key), 0);
        self.checkpoint.pieces(info, &mut |piece| {
            finite(&key, done, piece)?;
            done += piece.len();
            each(piece)
        })
    }

    fn take(&mut self, key: &str) -> Result<Vec<f32>> {
        let Some((stored, infos)) = self.stored(key) else { return self.absent(key) };
        let parts = infos.iter().map(|info| self.read(info)).collect::<Result<Vec<_>>>()?;
        let mut values = self.folded(key, &stored, &infos, parts)?;
        if let Some(transform) = self.rules.transform(key) {
            self.transform(key, transform, &infos, &mut values)?;
        }
        Ok(values)
    }
}
