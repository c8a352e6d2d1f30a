//! Weights as minimal filtering multiplies them: G w Gᵀ for every pair of channels.

use super::decomposition::{Choice, Decomposition, decompositions};
use crate::engine::WeightSource;
use crate::engine::cpu::geometry::{ConvWeights, Convolution, Geometry, read_weight};
use crate::engine::cpu::kernels::LANES;
use crate::engine::cpu::kernels::winograd::{PLAIN, transform_filters};
use crate::error::Result;
use crate::network::Node;
use crate::threads;

/// Output pixels that share weights, and these.
pub struct Group {
    /// The pixels.
    pub form: Decomposition,
    /// Outputs of the layer.
    outputs: usize,
    /// `[point with weights of its own][output / 8][source][input][8]`, or if they are held plain
    /// `[output / 8][input][tap][8]`.
    pub weights: Vec<f32>,
    /// Whether they are transformed for every run.
    pub late: bool,
}

impl Group {
    /// Values of the weights as tiles multiply them.
    pub fn transformed_len(&self) -> usize {
        if self.late { self.weights.len() / PLAIN * self.form.own() } else { self.weights.len() }
    }

    /// Transforms weights that are held plain, `[point][output / 8][input][8]`.
    pub fn transform_into(&self, to: &mut [f32]) {
        let blocks = self.outputs / LANES;
        let filters = self.weights.len() / blocks;
        let mut by_block = by_block(to, blocks, self.transformed_len() / self.form.own() / blocks);
        threads::chunks(&mut by_block, 1, &|block, points| {
            transform_filters(&self.weights[block * filters..][..filters], &mut points[0]);
        });
    }

    /// The weights of the first eight outputs as tiles multiply them: `[point][source][input][8]`.
    pub fn first_block(&self) -> Vec<f32> {
        let blocks = self.outputs / LANES;
        let length = self.transformed_len() / self.form.own() / blocks;
        if !self.late {
            return self.weights.chunks_exact(length).step_by(blocks).flatten().copied().collect();
        }
        let mut block = vec![0.0; length * self.form.own()];
        let mut points: Vec<&mut [f32]> = block.chunks_exact_mut(length).collect();
        transform_filters(&self.weights[..self.weights.len() / blocks], &mut points);
        block
    }
}

/// For every block of eight outputs its values of every point: a task gets one of these.
fn by_block(weights: &mut [f32], blocks: usize, length: usize) -> Vec<Vec<&mut [f32]>> {
    let mut all: Vec<Vec<&mut [f32]>> = (0..blocks).map(|_| Vec::new()).collect();
    for (index, block) in weights.chunks_exact_mut(length).enumerate() {
        all[index % blocks].push(block);
    }
    all
}

/// All weights of a layer, and some as they were.
pub struct WinogradWeights {
    /// By form.
    pub groups: Vec<Group>,
    /// `[8][inputs][taps]`: the first eight outputs' plain weights.
    pub sample: Vec<f32>,
}

impl WinogradWeights {
    /// Zeros for a layer that has a [`cost`](super::decomposition::cost).
    pub fn empty(geometry: &Geometry, choice: Choice) -> Self {
        let (inputs, outputs) = geometry.layer.channels();
        let group = |form: Decomposition| {
            let values = if choice.late { PLAIN } else { form.own() * form.taps.len() } * inputs * outputs;
            Group { form, outputs, weights: vec![0.0; values], late: choice.late }
        };
        let (height, width) = geometry.layer.kernel();
        let groups = decompositions(geometry, choice.tile).unwrap_or_default().into_iter().map(group).collect();
        Self { groups, sample: vec![0.0; LANES * inputs * height * width] }
    }

    /// Transforms the weight of `node` while it is read, so that there is never a second copy of it.
    pub fn read(
        geometry: &Geometry,
        choice: Choice,
        raw: &ConvWeights,
        node: &Node,
        weights: &mut dyn WeightSource,
    ) -> Result<Self> {
        let mut all = Self::empty(geometry, choice);
        let row = row(geometry);
        // The beginning of a row that the next piece goes on with.
        let mut held: Vec<f32> = Vec::with_capacity(row);
        read_weight(node, &geometry.layer, weights, &mut |start, mut piece| {
            let mut at = (start - held.len()) / row;
            if !held.is_empty() {
                let (first, rest) = piece.split_at(piece.len().min(row - held.len()));
                held.extend_from_slice(first);
                piece = rest;
                if held.len() < row {
                    return;
                }
                all.pack(geometry, at, &held, &raw.scale);
                held.clear();
                at += 1;
            }
            let (whole, rest) = piece.split_at(piece.len() / row * row);
            all.pack(geometry, at, whole, &raw.scale);
            held.extend_from_slice(rest);
        })?;
        Ok(all)
    }

    /// Transforms whole rows of PyTorch's layout, from row `start` on; see [`row`].
    pub fn pack(&mut self, geometry: &Geometry, start: usize, values: &[f32], scale: &[f32]) {
        let (inputs, outputs) = geometry.layer.channels();
        let (height, width) = geometry.layer.kernel();
        let (taps, rows) = (height * width, values.len() / row(geometry));
        // Blocks of eight outputs and the inputs that are here, and where a pair's taps are among the values.
        let (blocks, here) = match geometry.layer {
            Convolution::Plain(_) => (start..start + rows, 0..inputs),
            Convolution::Transposed(_) => (0..outputs / LANES, start..start + rows),
        };
        let at = |output: usize, input: usize| match geometry.layer {
            Convolution::Plain(_) => ((output - start * LANES) * inputs + input) * taps,
            Convolution::Transposed(_) => ((input - start) * outputs + output) * taps,
        };
        if blocks.start == 0 && rows > 0 {
            for (lane, kept) in self.sample.chunks_exact_mut(inputs * taps).enumerate() {
                for input in here.clone() {
                    kept[input * taps..][..taps].copy_from_slice(&values[at(lane, input)..][..taps]);
                }
            }
        }
        for Group { form, weights, late, .. } in &mut self.groups {
            let depth = form.taps.len() * inputs;
            let length = if *late { PLAIN * inputs } else { depth } * LANES;
            let mut by_block = by_block(weights, outputs / LANES, length);
            threads::chunks(&mut by_block[blocks.clone()], 1, &|index, points| {
                let block = blocks.start + index;
                for (source, (rows, columns)) in form.taps.iter().enumerate() {
                    for input in here.clone() {
                        let mut filter = [[0.0f32; LANES]; 9];
                        let places = rows.iter().flat_map(|row| columns.iter().map(move |c| row * width + c));
                        for (eight, tap) in filter.iter_mut().zip(places) {
                            for (lane, value) in eight.iter_mut().enumerate() {
                                let output = block * LANES + lane;
                                *value = values[at(output, input) + tap] * scale[output];
                            }
                        }
                        if *late {
                            points[0][0][input * PLAIN * LANES..][..PLAIN * LANES]
                                .copy_from_slice(filter.as_flattened());
                            continue;
                        }
                        transform(form, &filter, |point, sum| {
                            points[0][point][(source * inputs + input) * LANES..][..LANES].copy_from_slice(&sum);
                        });
                    }
                }
            });
        }
    }
}

/// Values of PyTorch's layout that are transformed together: an input of a transposed convolution, eight outputs of a
/// plain one.
fn row(geometry: &Geometry) -> usize {
    let (inputs, outputs) = geometry.layer.channels();
    let (height, width) = geometry.layer.kernel();
    height
        * width
        * match geometry.layer {
            Convolution::Plain(_) => inputs * LANES,
            Convolution::Transposed(_) => outputs,
        }
}

/// One filter for eight outputs: along the columns first, then along the rows.
fn transform(form: &Decomposition, filter: &[[f32; LANES]; 9], mut store: impl FnMut(usize, [f32; LANES])) {
    let (gy, gx) = (form.sides.0.weights(), form.sides.1.weights());
    let (height, width) = (gy[0].len(), gx[0].len());
    let mut half = [[0.0f32; LANES]; 18];
    for i in 0..height {
        for (p, g) in gx.iter().enumerate() {
            for (j, factor) in g.iter().enumerate() {
                let tap = filter[i * width + j];
                half[i * gx.len() + p].iter_mut().zip(tap).for_each(|(v, t)| *v += factor * t);
            }
        }
    }
    for (q, g) in gy.iter().enumerate() {
        for p in 0..gx.len() {
            let mut sum = [0.0f32; LANES];
            for (i, factor) in g.iter().enumerate() {
                sum.iter_mut().zip(half[i * gx.len() + p]).for_each(|(v, t)| *v += factor * t);
            }
            store(q * gx.len() + p, sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::decomposition::Tile;
    use super::*;
    use crate::network::{Conv2d, ConvTranspose2d, Op};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Gives its values so many at a time, whatever they belong to.
    struct Torn(Vec<f32>, usize);

    impl WeightSource for Torn {
        fn take(&mut self, _: &str) -> Result<Vec<f32>> {
            Ok(self.0.clone())
        }

        fn pieces(&mut self, _: &str, each: &mut dyn FnMut(&[f32]) -> Result<()>) -> Result<()> {
            self.0.chunks(self.1).try_for_each(each)
        }
    }

    #[test]
    fn pieces_that_end_anywhere_give_the_same_weights() {
        let layers: [Op; 3] = [
            Conv2d::new(40, 32, 3).padding(1).into(),
            Conv2d::new(32, 40, 4).stride(2).padding(1).into(),
            ConvTranspose2d::new(40, 32, 3).stride(2).padding(1).into(),
        ];
        for op in layers {
            let geometry = Geometry::new(Convolution::of(&op).unwrap(), None);
            let count = geometry.layer.weights();
            let weight: Vec<f32> = (0..count).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
            let scale: Vec<f32> = (0..geometry.layer.channels().1).map(|i| 1.0 + i as f32 / 8.0).collect();
            let raw = ConvWeights { weight: Vec::new(), bias: vec![0.0; scale.len()], scale };
            let keys = vec!["layer.weight".to_owned()];
            let node = Node { path: "layer".to_owned(), op: op.clone(), inputs: Vec::new(), keys };
            let mut whole = WinogradWeights::empty(&geometry, Tile::Large.into());
            whole.pack(&geometry, 0, &weight, &raw.scale);
            for length in [1, 100, 289, 4099, count] {
                let mut source = Torn(weight.clone(), length);
                let read = WinogradWeights::read(&geometry, Tile::Large.into(), &raw, &node, &mut source).unwrap();
                assert_eq!(read.sample, whole.sample, "{op:?} in pieces of {length}");
                let same = read.groups.iter().zip(&whole.groups).all(|(a, b)| a.weights == b.weights);
                assert!(same, "{op:?} in pieces of {length}");
            }
            for wrong in [count - 1, count + 1] {
                let mut source = Torn(weight.iter().copied().cycle().take(wrong).collect(), 1000);
                assert!(
                    WinogradWeights::read(&geometry, Tile::Large.into(), &raw, &node, &mut source).is_err(),
                    "{op:?}: {wrong}"
                );
            }
        }
    }

    #[test]
    fn weights_held_plain_become_the_same() {
        let geometry = Geometry::new(Convolution::of(&Conv2d::new(40, 32, 3).padding(1).into()).unwrap(), None);
        let weight: Vec<f32> = (0..geometry.layer.weights()).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
        let scale: Vec<f32> = (0..32).map(|i| 1.0 + i as f32 / 8.0).collect();
        let packed = |late: bool| {
            let mut weights = WinogradWeights::empty(&geometry, Choice { tile: Tile::Large, late });
            weights.pack(&geometry, 0, &weight, &scale);
            weights.groups.remove(0)
        };
        let (early, late) = (packed(false), packed(true));
        assert_eq!(late.weights.len() * 4, early.weights.len());
        let mut transformed = vec![f32::NAN; late.transformed_len()];
        late.transform_into(&mut transformed);
        let close = |a: &[f32], b: &[f32]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close(&transformed, &early.weights) && close(&late.first_block(), &early.first_block()));
    }
}
