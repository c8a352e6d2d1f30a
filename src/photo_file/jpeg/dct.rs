//! The discrete cosine transform of a block, as T.81 A.3.3 defines it, in f32.

use super::{BLOCK, ZIGZAG};

/// The eight cosines of each frequency, with their norm: orthonormal rows.
pub struct Dct {
    basis: [[f32; 8]; 8],
}

impl Dct {
    /// Computes the cosines.
    pub fn new() -> Self {
        let basis = std::array::from_fn(|u| {
            let norm = if u == 0 { 0.125f64.sqrt() } else { 0.5 };
            std::array::from_fn(|x| {
                let angle = (2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0;
                (norm * angle.cos()) as f32
            })
        });
        Self { basis }
    }

    /// Coefficients in zigzag order, not yet quantised, of samples around 0 (128 less than stored), row by row.
    pub fn forward(&self, samples: &[f32; BLOCK]) -> [f32; BLOCK] {
        let mut rows = [0.0; BLOCK];
        for (y, row) in samples.as_chunks::<8>().0.iter().enumerate() {
            for u in 0..8 {
                rows[y * 8 + u] = (0..8).map(|x| row[x] * self.basis[u][x]).sum();
            }
        }
        let mut natural = [0.0; BLOCK];
        for v in 0..8 {
            for y in 0..8 {
                for u in 0..8 {
                    natural[v * 8 + u] += rows[y * 8 + u] * self.basis[v][y];
                }
            }
        }
        ZIGZAG.map(|at| natural[usize::from(at)])
    }

    /// Samples around 0, row by row and unclamped, of quantised coefficients in zigzag order.
    pub fn inverse(&self, coefficients: &[i16], table: &[u16; BLOCK]) -> [f32; BLOCK] {
        let mut natural = [0.0; BLOCK];
        for ((&at, &value), &step) in ZIGZAG.iter().zip(coefficients).zip(table) {
            natural[usize::from(at)] = f32::from(value) * f32::from(step);
        }
        let mut columns = [0.0; BLOCK];
        for y in 0..8 {
            for v in 0..8 {
                for u in 0..8 {
                    columns[y * 8 + u] += natural[v * 8 + u] * self.basis[v][y];
                }
            }
        }
        let mut out = [0.0; BLOCK];
        for y in 0..8 {
            for x in 0..8 {
                out[y * 8 + x] = (0..8).map(|u| columns[y * 8 + u] * self.basis[u][x]).sum();
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn inverse_undoes_forward_and_a_flat_block_is_its_mean() {
        let dct = Dct::new();
        let samples: [f32; BLOCK] = std::array::from_fn(|at| (at * at % 251) as f32 - 128.0);
        let table = [1; BLOCK];
        let rounded: Vec<i16> = dct.forward(&samples).iter().map(|value| value.round() as i16).collect();
        let back = dct.inverse(&rounded, &table);
        assert!(samples.iter().zip(back).all(|(a, b)| (a - b).abs() < 2.5));
        let flat = dct.forward(&[10.0; BLOCK]);
        assert!((flat[0] - 80.0).abs() < 1e-3 && flat[1..].iter().all(|value| value.abs() < 1e-3));
    }
}
