//! What a tensor's values are: read, summed up and let go, one tensor at a time.

use std::collections::HashSet;

use serde::Serialize;

use crate::checkpoint::{Checkpoint, TensorInfo};
use crate::error::Result;
use crate::models::identify::identify;

/// Bars of a histogram.
const BINS: usize = 24;

/// One tensor's values in numbers; NaN and infinities are counted and left out of the rest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TensorStats {
    /// Place in the report's list of tensors.
    pub index: usize,
    /// Key without wrapper and prefix.
    pub key: String,
    /// Least finite value; `None` where there is none.
    pub min: Option<f32>,
    /// Greatest finite value.
    pub max: Option<f32>,
    /// Mean.
    pub mean: Option<f64>,
    /// Standard deviation as `torch.std` has it (n - 1); `None` below two values.
    pub std: Option<f64>,
    /// How many values are NaN.
    pub nan: usize,
    /// How many are infinite.
    pub infinite: usize,
    /// Counts in 24 equal steps from `min` to `max`; empty where nothing is finite.
    pub histogram: Vec<usize>,
}

/// Statistics of every tensor, or of those with one of these keys, in the order of the report.
///
/// The codes of [`Checkpoint::read`]; the work is bounded by the file's length.
pub fn stats(checkpoint: &mut dyn Checkpoint, keys: Option<&[String]>) -> Result<Vec<TensorStats>> {
    let infos: Vec<TensorInfo> = checkpoint.state_dicts().iter().flat_map(|dict| dict.tensors.clone()).collect();
    let spelled = super::keys(checkpoint.state_dicts(), &identify(checkpoint));
    let keys: Option<HashSet<&String>> = keys.map(|keys| keys.iter().collect());
    let is_wanted = |key: &String| keys.as_ref().is_none_or(|keys| keys.contains(key));
    let wanted = infos.into_iter().zip(spelled).enumerate().filter(|(_, (_, key))| is_wanted(key));
    wanted.map(|(index, (info, key))| Ok(of(index, key, &checkpoint.read(&info)?))).collect()
}

fn of(index: usize, key: String, values: &[f32]) -> TensorStats {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let count = finite().count();
    let nan = values.iter().filter(|v| v.is_nan()).count();
    let mut stats = TensorStats {
        index,
        key,
        min: None,
        max: None,
        mean: None,
        std: None,
        nan,
        infinite: values.len() - count - nan,
        histogram: Vec::new(),
    };
    if count == 0 {
        return stats;
    }
    let (min, max) = finite().fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)));
    let mean = finite().map(f64::from).sum::<f64>() / count as f64;
    let squares = finite().map(|v| (f64::from(v) - mean).powi(2)).sum::<f64>();
    let mut histogram = vec![0; BINS];
    let (low, width) = (f64::from(min), f64::from(max) - f64::from(min));
    for v in finite() {
        let share = if width > 0.0 { (f64::from(v) - low) / width } else { 0.5 };
        histogram[((share * BINS as f64) as usize).min(BINS - 1)] += 1;
    }
    (stats.min, stats.max, stats.mean) = (Some(min), Some(max), Some(mean));
    stats.std = (count > 1).then(|| (squares / (count - 1) as f64).sqrt());
    stats.histogram = histogram;
    stats
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn what_is_not_finite_is_counted_and_left_out() {
        let found = of(3, "w".into(), &[1.0, f32::NAN, 3.0, f32::INFINITY, 2.0, f32::NAN]);
        assert_eq!((found.index, found.nan, found.infinite), (3, 2, 1));
        assert_eq!((found.min, found.max, found.mean, found.std), (Some(1.0), Some(3.0), Some(2.0), Some(1.0)));
        assert_eq!(found.histogram.iter().sum::<usize>(), 3);
        assert_eq!((found.histogram[0], found.histogram[12], found.histogram[23]), (1, 1, 1));
    }

    #[test]
    fn nothing_and_one_value_have_no_deviation() {
        let none = of(0, "w".into(), &[f32::NAN]);
        assert_eq!((none.min, none.mean, none.std, none.histogram.len()), (None, None, None, 0));
        let one = of(0, "w".into(), &[4.0]);
        assert_eq!((one.min, one.mean, one.std), (Some(4.0), Some(4.0), None));
        assert_eq!(one.histogram.iter().sum::<usize>(), 1);
    }
}
