//! Which convolutions are made of small filters, and what minimal filtering costs them.

use crate::engine::cpu::geometry::{Convolution, Geometry, Phase};
use crate::engine::cpu::kernels::LANES;
use crate::engine::cpu::kernels::winograd::WinogradVariant;
use crate::network::Conv2d;

/// Fewer channels than this are not worth the transforms.
const MIN_CHANNELS: usize = 32;

/// Larger dilations fall apart into more interleaved convolutions than there are pixels.
const MAX_DILATION: usize = 64;

/// Along one axis: output `first + every * i` reads, as point `j` of a tile that begins at `i`, input
/// `base + step * (i + j)`.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// The first output.
    pub first: usize,
    /// Distance to the next.
    pub every: usize,
    /// The first input.
    pub base: isize,
    /// Distance between the inputs of a tile.
    pub step: isize,
}

impl Axis {
    /// Outputs along an axis of this size.
    pub fn count(self, size: usize) -> usize {
        size.saturating_sub(self.first).div_ceil(self.every)
    }
}

/// Outputs of a tile along a side: more save more multiplications and make the weights grow more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tile {
    /// Two: 2x2 filters become 9 values.
    Small,
    /// Four of a 3x3 filter, which becomes 36 values; three of a 2x2 one, which becomes 16.
    Large,
}

/// How a layer runs on transformed weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its tiles.
    pub tile: Tile,
    /// Whether its weights are held as they are, and transformed anew for every run: a quarter of the memory of 3x3
    /// filters with large tiles, which no other layer may ask for.
    pub late: bool,
}

impl From<Tile> for Choice {
    fn from(tile: Tile) -> Self {
        Self { tile, late: false }
    }
}

/// Output pixels of a layer that share weights.
pub struct Decomposition {
    /// Transforms of the tile's sides.
    pub sides: (WinogradVariant, WinogradVariant),
    /// Rows and columns of each class of pixels, one pair per source.
    pub classes: Vec<Vec<(Axis, Axis)>>,
    /// By source: kernel rows and columns of its taps.
    pub taps: Vec<(Vec<usize>, Vec<usize>)>,
}

impl Decomposition {
    /// Multiplications per channel pair and tile of one source.
    pub fn points(&self) -> usize {
        self.sides.0.points() * self.sides.1.points()
    }

    /// Points that have weights of their own.
    pub fn own(&self) -> usize {
        self.sides.0.weights().len() * self.sides.1.weights().len()
    }
}

/// What a layer falls into with tiles of this size, if it has small filters.
pub fn decompositions(geometry: &Geometry, tile: Tile) -> Option<Vec<Decomposition>> {
    let wide = |channels: usize| channels >= MIN_CHANNELS && channels.is_multiple_of(LANES);
    let (inputs, outputs) = geometry.layer.channels();
    if geometry.layer.groups() > 1 || !wide(inputs) || !wide(outputs) {
        return None;
    }
    let dense = |c: &Conv2d| c.stride == (1, 1) && c.dilation.0.max(c.dilation.1) <= MAX_DILATION;
    match &geometry.layer {
        Convolution::Plain(c) if c.kernel_size == (3, 3) && dense(c) && tile == Tile::Large => {
            // Residues of the dilation; the first tap tells the padding.
            let axes = |phase: &Phase, dilation: usize| -> Vec<Axis> {
                let axis = |r: usize| Axis {
                    first: r,
                    every: dilation,
                    base: r as isize + phase.taps[0].offset,
                    step: dilation as isize,
                };
                (0..dilation).map(axis).collect()
            };
            let columns = axes(&geometry.columns[0], c.dilation.1);
            let rows = axes(&geometry.rows[0], c.dilation.0);
            let classes = rows.iter().flat_map(|&y| columns.iter().map(move |&x| vec![(y, x)])).collect();
            let taps = vec![(vec![0, 1, 2], vec![0, 1, 2])];
            Some(vec![Decomposition { sides: (WinogradVariant::F43, WinogradVariant::F43), classes, taps }])
        }
        Convolution::Plain(c) if c.kernel_size == (4, 4) && c.stride == (2, 2) && c.dilation == (1, 1) => {
            let axis = |phase: &Phase, parity: usize| Axis {
                first: 0,
                every: 1,
                base: phase.taps[0].offset + parity as isize,
                step: 2,
            };
            let sources = [(0, 0), (0, 1), (1, 0), (1, 1)];
            let class = sources.map(|(y, x)| (axis(&geometry.rows[0], y), axis(&geometry.columns[0], x)));
            let taps = sources.map(|(y, x)| (vec![y, y + 2], vec![x, x + 2]));
            let side = side(tile, 2)?;
            Some(vec![Decomposition { sides: (side, side), classes: vec![class.to_vec()], taps: taps.to_vec() }])
        }
        Convolution::Transposed(c) if c.stride == (2, 2) && c.dilation == (1, 1) => {
            let side = |phase: &Phase| side(tile, phase.taps.len());
            let axis = |p: &Phase| Axis { first: p.first, every: p.every, base: p.taps[0].offset, step: 1 };
            let kernels = |p: &Phase| p.taps.iter().map(|tap| tap.kernel).collect::<Vec<_>>();
            let mut forms = Vec::new();
            for row in &geometry.rows {
                for column in &geometry.columns {
                    forms.push(Decomposition {
                        sides: (side(row)?, side(column)?),
                        classes: vec![vec![(axis(row), axis(column))]],
                        taps: vec![(kernels(row), kernels(column))],
                    });
                }
            }
            Some(forms)
        }
        _ => None,
    }
}

fn side(tile: Tile, taps: usize) -> Option<WinogradVariant> {
    match (tile, taps) {
        (Tile::Small, 1) => Some(WinogradVariant::F21),
        (Tile::Small, 2) => Some(WinogradVariant::F22),
        (Tile::Large, 1) => Some(WinogradVariant::F31),
        (Tile::Large, 2) => Some(WinogradVariant::F32),
        _ => None,
    }
}

/// `(packed values, multiplications, tiles)` of a layer at an output size; `None` if it has no small filters.
pub fn cost(geometry: &Geometry, tile: Tile, height: usize, width: usize) -> Option<(usize, u64, usize)> {
    let (inputs, outputs) = geometry.layer.channels();
    let (mut values, mut macs, mut all) = (0, 0, 0);
    for form in decompositions(geometry, tile)? {
        let size = form.taps.len() * inputs * outputs;
        let tiles = |axis: Axis, side: WinogradVariant, size: usize| axis.count(size).div_ceil(side.outputs());
        let count: usize = form
            .classes
            .iter()
            .map(|class| tiles(class[0].0, form.sides.0, height) * tiles(class[0].1, form.sides.1, width))
            .sum();
        values += size * form.own();
        macs += (count * form.points()) as u64 * size as u64;
        all += count;
    }
    Some((values, macs, all))
}
