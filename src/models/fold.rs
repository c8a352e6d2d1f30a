//! Parametrised weights, folded to the plain `weight` that the network description expects.
//!
//! Spectral norm (Miyato et al. 2018; `torch.nn.utils.spectral_norm`): `weight_orig / (u^T W v)`, with W flattened
//! to a matrix whose rows are dimension 0, or dimension 1 for ConvTranspose2d. Weight norm
//! (Salimans & Kingma 2016): `g * v / |v|`, norm over all dimensions but the first.

use crate::checkpoint::TensorInfo;

/// How a weight is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// As it is.
    Plain(String),
    /// Spectral norm: the keys of `weight_orig`, `u` and `v`.
    Spectral([String; 3]),
    /// Spectral norm whose module takes a step towards the singular vectors before every use, in `eval()` too, as that of
    /// many repositories from before PyTorch had its own: the keys of `weight_bar`, `u` and `v`. `v` is not read: it follows
    /// from `u`.
    SteppedSpectral([String; 3]),
    /// Spectral norm whose `v` follows from `u` in the same way, the keys of `weight_bar` and `u`: files without a `v`.
    SteppedWithoutV([String; 2]),
    /// Spectral norm as before PyTorch 1.0, which stores the folded weight too, and in `eval()` takes it as it is: its key,
    /// then those of what it was folded from, which are not read.
    Folded(Vec<String>),
    /// Weight norm: the keys of `g` and `v`.
    WeightNorm([String; 2]),
}

impl Stored {
    /// All keys this form takes from the state dict.
    pub fn keys(&self) -> &[String] {
        match self {
            Stored::Plain(key) => std::slice::from_ref(key),
            Stored::Spectral(keys) | Stored::SteppedSpectral(keys) => keys,
            Stored::WeightNorm(keys) | Stored::SteppedWithoutV(keys) => keys,
            Stored::Folded(keys) => keys,
        }
    }

    /// The keys whose values are read.
    pub fn read_keys(&self) -> &[String] {
        match self {
            Stored::Folded(keys) => &keys[..1],
            other => other.keys(),
        }
    }

    /// The key whose shape is the weight's.
    pub fn shaped_key(&self) -> &str {
        match self {
            Stored::Plain(key) => key,
            Stored::Spectral([orig, ..]) | Stored::SteppedSpectral([orig, ..]) | Stored::SteppedWithoutV([orig, _]) => {
                orig
            }
            Stored::Folded(keys) => &keys[0],
            Stored::WeightNorm([_, v]) => v,
        }
    }
}

/// Finds how `key` is stored; `find` looks a key of the state dict up. `None` if it is not there in any form.
pub fn stored<'a>(key: &str, find: &dyn Fn(&str) -> Option<&'a TensorInfo>) -> Option<Stored> {
    let (module, name) = key.rsplit_once('.').unwrap_or(("", key));
    let path = |tail: &str| if module.is_empty() { tail.to_owned() } else { format!("{module}.{tail}") };
    let is_there = |key: &String| find(key).is_some();
    let stepped = ["weight_bar", "weight_u", "weight_v"].map(path);
    // What is stored beside `weight_bar` is the weight of the forward pass before.
    let is_stepped = name == "weight" && stepped[..2].iter().all(is_there);
    if find(key).is_some() && !is_stepped {
        let before = ["weight_orig", "weight_u"].map(path);
        if name != "weight" || !before.iter().all(is_there) {
            return Some(Stored::Plain(key.to_owned()));
        }
        let rest = before.into_iter().chain([path("weight_v")].into_iter().filter(is_there));
        return Some(Stored::Folded(std::iter::once(key.to_owned()).chain(rest).collect()));
    }
    if name != "weight" {
        return None;
    }
    let without_v = ["weight_bar", "weight_u"].map(path);
    let triples = [
        ["weight_orig", "weight_u", "weight_v"],
        ["parametrizations.weight.original", "parametrizations.weight.0._u", "parametrizations.weight.0._v"],
    ];
    let pairs = [["weight_g", "weight_v"], ["parametrizations.weight.original0", "parametrizations.weight.original1"]];
    let there = |keys: &[String]| keys.iter().all(|key| find(key).is_some());
    triples
        .into_iter()
        .map(|names| Stored::Spectral(names.map(path)))
        .chain([Stored::SteppedSpectral(stepped), Stored::SteppedWithoutV(without_v)])
        .chain(pairs.into_iter().map(|names| Stored::WeightNorm(names.map(path))))
        .find(|form| there(form.keys()))
}

/// `weight_orig / (u^T W v)`; `rows` is the dimension that makes the matrix's rows.
pub fn spectral(mut weight: Vec<f32>, shape: &[usize], rows: usize, u: &[f32], v: &[f32]) -> Vec<f32> {
    let (outer, inner) = (shape[..rows].iter().product::<usize>(), shape[rows + 1..].iter().product::<usize>());
    let mut sigma = 0.0f64;
    for o in 0..outer {
        for (r, &u) in u.iter().enumerate() {
            let line = &weight[(o * shape[rows] + r) * inner..][..inner];
            let dot: f64 = line.iter().zip(&v[o * inner..]).map(|(&w, &v)| f64::from(w) * f64::from(v)).sum();
            sigma += dot * f64::from(u);
        }
    }
    weight.iter_mut().for_each(|w| *w = (f64::from(*w) / sigma) as f32);
    weight
}

/// The singular vectors after one step of power iteration from `u`: `v = W^T u / |W^T u|`, then `u = W v / |W v|`. The rows of
/// W are dimension 0.
pub fn stepped(weight: &[f32], u: &[f32]) -> [Vec<f32>; 2] {
    let columns = weight.len() / u.len().max(1);
    let normalized = |values: Vec<f64>| {
        let norm = values.iter().map(|x| x * x).sum::<f64>().sqrt() + 1e-12;
        values.into_iter().map(|x| x / norm).collect::<Vec<f64>>()
    };
    let mut v = vec![0.0; columns];
    for (row, &u) in weight.chunks_exact(columns.max(1)).zip(u) {
        v.iter_mut().zip(row).for_each(|(v, &w)| *v += f64::from(w) * f64::from(u));
    }
    let v = normalized(v);
    let along = |row: &[f32]| row.iter().zip(&v).map(|(&w, v)| f64::from(w) * v).sum();
    let u = normalized(weight.chunks_exact(columns.max(1)).map(along).collect());
    [u, v].map(|vector| vector.into_iter().map(|x| x as f32).collect())
}

/// `g * v / |v|`, the norm taken over all dimensions but the first.
pub fn weight_norm(g: &[f32], mut v: Vec<f32>) -> Vec<f32> {
    let inner = v.len() / g.len().max(1);
    for (line, &g) in v.chunks_exact_mut(inner.max(1)).zip(g) {
        let norm = line.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        line.iter_mut().for_each(|x| *x = (f64::from(*x) * f64::from(g) / norm) as f32);
    }
    v
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn spectral_norm_of_a_rank_one_matrix_is_its_only_singular_value() {
        // W = 3 * u v^T with unit u, v: sigma is 3 and the folded weight is u v^T.
        let (u, v) = ([0.6f32, 0.8], [0.0f32, 1.0, 0.0]);
        let weight: Vec<f32> = u.iter().flat_map(|&a| v.iter().map(move |&b| 3.0 * a * b)).collect();
        let folded = spectral(weight.clone(), &[2, 3], 0, &u, &v);
        assert!(folded.iter().zip(&weight).all(|(f, w)| (f - w / 3.0).abs() < 1e-6), "{folded:?}");
        // The same with rows in dimension 1, as ConvTranspose2d has them: W^T.
        let transposed: Vec<f32> = v.iter().flat_map(|&b| u.iter().map(move |&a| 3.0 * a * b)).collect();
        let folded = spectral(transposed.clone(), &[3, 2], 1, &u, &v);
        assert!(folded.iter().zip(&transposed).all(|(f, w)| (f - w / 3.0).abs() < 1e-6), "{folded:?}");
    }

    #[test]
    fn the_forms_of_spectral_norm_are_told_apart() {
        let tensor = |key: &&str| TensorInfo::named(*key, &[1]);
        let form = |names: &[&str]| {
            let tensors: Vec<TensorInfo> = names.iter().map(tensor).collect();
            stored("weight", &|key| tensors.iter().find(|tensor| tensor.key == key))
        };
        let keys = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(form(&["weight"]), Some(Stored::Plain("weight".to_owned())));
        let before = form(&["weight_orig", "weight", "weight_u"]).unwrap();
        assert_eq!(before, Stored::Folded(keys(&["weight", "weight_orig", "weight_u"])));
        assert_eq!((before.shaped_key(), before.read_keys().len()), ("weight", 1));
        assert!(matches!(form(&["weight_orig", "weight_u", "weight_v"]), Some(Stored::Spectral(_))));
        assert!(matches!(form(&["weight_bar", "weight_u", "weight_v"]), Some(Stored::SteppedSpectral(_))));
        assert!(matches!(form(&["weight", "weight_bar", "weight_u", "weight_v"]), Some(Stored::SteppedSpectral(_))));
        assert!(matches!(form(&["weight_bar", "weight_u"]), Some(Stored::SteppedWithoutV(_))));
        assert_eq!(form(&["weight_orig", "weight_u"]), None);
    }

    /// By numpy: `v = W.T @ u; v /= norm(v); u = W @ v; u /= norm(u)` of `[[1, 2], [3, 4]]` and `[1, 0]`.
    #[test]
    fn a_step_of_power_iteration_follows_u_alone() {
        let [u, v] = stepped(&[1.0, 2.0, 3.0, 4.0], &[1.0, 0.0]);
        for (found, expected) in v.iter().chain(&u).zip([0.447_213_6, 0.894_427_2, 0.413_802_9, 0.910_366_4]) {
            assert!((found - expected).abs() < 1e-6, "{u:?} {v:?}");
        }
    }

    #[test]
    fn weight_norm_scales_each_row_to_g() {
        let folded = weight_norm(&[2.0, 10.0], vec![3.0, 4.0, 0.0, 5.0]);
        for (found, expected) in folded.iter().zip([1.2, 1.6, 0.0, 10.0]) {
            assert!((found - expected).abs() < 1e-6, "{folded:?}");
        }
    }
}
