//! Convolutions by minimal filtering: 3x3 ones (dilated ones fall apart into interleaved plain ones) by F(4x4, 3x3), and
//! those that consist of 2x2 ones (kernel 4 at stride 2, transposed kernel 4 and 3 at stride 2) by F(3x3, 2x2).
//!
//! Tiles are transformed, multiplied by one matrix per point, and transformed back, some tens at a time. A thread does all
//! three for its tiles, in scratch of its own, so that threads meet once a layer.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::geometry::{Convolution, Geometry, Phase, Raw};
use super::kernels::product::{Product, product};
use super::kernels::winograd::{Gather, Points, Scatter, Side, finish, transform};
use super::kernels::{Epilogue, LANES, Shared};
use super::view::View;
use crate::engine::cancelled;
use crate::error::Result;
use crate::threads;

/// Fewer channels than this are not worth the transforms.
const LEAST_CHANNELS: usize = 32;
/// Scratch for transformed tiles and products that still stays in a cache, values of a thread.
const SCRATCH: usize = 1 << 20;
/// Scratch of all threads together, values: memory is a layer's, not a machine's.
const ALL_SCRATCH: usize = 1 << 21;
/// Tiles transformed together: few enough to stay near, enough to pay for reading the weights once more.
const MOST_TILES: usize = 96;
const LEAST_TILES: usize = 16;
/// Multiplications between two looks at the watcher.
const LOOK_MACS: usize = 1 << 29;

/// Along one axis: output `first + every * i` reads, as point `j` of a tile that begins at `i`, input
/// `base + step * (i + j)`.
#[derive(Clone, Copy, Debug)]
struct Axis {
    first: usize,
    every: usize,
    base: isize,
    step: isize,
}

impl Axis {
    fn count(self, size: usize) -> usize {
        size.saturating_sub(self.first).div_ceil(self.every)
    }
}

/// Classes of output pixels that share weights.
pub struct Group {
    sides: (Side, Side),
    /// Rows and columns of each class, one pair per source.
    classes: Vec<Vec<(Axis, Axis)>>,
    /// `[point with weights of its own][output / 8][source][input][8]`.
    pub weights: Vec<f32>,
}

/// A layer with transformed weights.
pub struct Tiled {
    /// Places.
    pub geometry: Geometry,
    groups: Vec<Group>,
    bias: Vec<f32>,
}

/// What a layer becomes, before its weights are looked at.
pub struct Form {
    /// Transforms of the tile's sides.
    pub sides: (Side, Side),
    classes: Vec<Vec<(Axis, Axis)>>,
    /// By source: kernel rows and columns of its taps.
    pub taps: Vec<(Vec<usize>, Vec<usize>)>,
}

/// The groups of a layer, if it has this form.
pub fn forms(geometry: &Geometry) -> Option<Vec<Form>> {
    let wide = |channels: usize| channels >= LEAST_CHANNELS && channels.is_multiple_of(LANES);
    let (inputs, outputs) = geometry.shape.channels();
    if !wide(inputs) || !wide(outputs) {
        return None;
    }
    match &geometry.shape {
        Convolution::Plain(c) if c.kernel_size == (3, 3) && c.stride == (1, 1) => {
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
            Some(vec![Form { sides: (Side::F43, Side::F43), classes, taps }])
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
            Some(vec![Form { sides: (Side::F32, Side::F32), classes: vec![class.to_vec()], taps: taps.to_vec() }])
        }
        Convolution::Transposed(c) if c.stride == (2, 2) && c.dilation == (1, 1) => {
            let side = |phase: &Phase| match phase.taps.len() {
                1 => Some(Side::F31),
                2 => Some(Side::F32),
                _ => None,
            };
            let axis = |p: &Phase| Axis { first: p.first, every: p.every, base: p.taps[0].offset, step: 1 };
            let kernels = |p: &Phase| p.taps.iter().map(|tap| tap.kernel).collect::<Vec<_>>();
            let mut forms = Vec::new();
            for row in &geometry.rows {
                for column in &geometry.columns {
                    forms.push(Form {
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

/// `(packed values, multiplications, tiles)` of a layer in this form at an output size; `None` if it has none.
pub fn cost(geometry: &Geometry, height: usize, width: usize) -> Option<(usize, u64, usize)> {
    let (inputs, outputs) = geometry.shape.channels();
    let (mut values, mut macs, mut all) = (0, 0, 0);
    for form in forms(geometry)? {
        let points = form.sides.0.points() * form.sides.1.points();
        let size = form.taps.len() * inputs * outputs;
        let tiles = |axis: Axis, side: Side, size: usize| axis.count(size).div_ceil(side.outputs());
        let count: usize = form
            .classes
            .iter()
            .map(|class| tiles(class[0].0, form.sides.0, height) * tiles(class[0].1, form.sides.1, width))
            .sum();
        values += size * form.sides.0.weights().len() * form.sides.1.weights().len();
        macs += (count * points) as u64 * size as u64;
        all += count;
    }
    Some((values, macs, all))
}

/// A tile: its class, and the index of its first output along both axes.
#[derive(Clone, Copy)]
struct Tile {
    class: usize,
    y: usize,
    x: usize,
}

impl Tiled {
    /// Transforms the weights. The layer must have a [`cost`].
    pub fn new(geometry: Geometry, raw: &Raw) -> Self {
        let groups = forms(&geometry)
            .unwrap_or_default()
            .into_iter()
            .map(|form| Group { weights: weights(&geometry, &form, raw), sides: form.sides, classes: form.classes })
            .collect();
        Self { bias: raw.padded_bias(), groups, geometry }
    }

    /// The groups, in the order of [`forms`].
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// For tests that damage them.
    #[cfg(test)]
    pub fn groups_mut(&mut self) -> &mut [Group] {
        &mut self.groups
    }

    /// Values of the packed weights.
    pub fn packed(&self) -> usize {
        self.groups.iter().map(|group| group.weights.len()).sum()
    }

    fn tiles(group: &Group, to: &View) -> Vec<Tile> {
        let mut tiles = Vec::new();
        for (class, axes) in group.classes.iter().enumerate() {
            let (rows, columns) = axes[0];
            for y in (0..rows.count(to.shape.height)).step_by(group.sides.0.outputs()) {
                for x in (0..columns.count(to.shape.width)).step_by(group.sides.1.outputs()) {
                    tiles.push(Tile { class, y, x });
                }
            }
        }
        tiles
    }

    /// Channels per point of transformed tiles, and points.
    fn depth(&self, group: &Group) -> (usize, usize) {
        let sources = group.classes.first().map_or(1, Vec::len);
        (sources * self.geometry.shape.channels().0, group.sides.0.points() * group.sides.1.points())
    }

    /// Values of scratch per tile.
    fn per_tile(&self, group: &Group) -> usize {
        let (depth, points) = self.depth(group);
        points * (depth + self.geometry.shape.channels().1)
    }

    /// Tiles that are transformed together where so many threads share the work.
    fn batch(&self, group: &Group, tiles: usize, threads: usize) -> usize {
        let most = SCRATCH.min(ALL_SCRATCH / threads) / self.per_tile(group);
        let most = most.clamp(LEAST_TILES, MOST_TILES);
        // As many batches for every thread.
        tiles.div_ceil(tiles.div_ceil(most).next_multiple_of(threads)).max(LEAST_TILES.min(tiles)).max(1)
    }

    /// Values of scratch that one of so many threads needs for this output.
    fn share(&self, to: &View, threads: usize) -> usize {
        let need = |group: &Group| self.per_tile(group) * self.batch(group, Self::tiles(group, to).len(), threads);
        self.groups.iter().map(need).max().unwrap_or(0)
    }

    /// Values of scratch that so many threads need for this output.
    pub fn scratch(&self, to: &View, threads: usize) -> usize {
        threads * self.share(to, threads)
    }

    /// Runs the layer; `tell` is asked now and then whether to go on. The scratch is for `threads`, and so many take part
    /// at most.
    pub fn run(
        &self,
        (x, from): (&[f32], &View),
        (out, to): (&mut [f32], &View),
        epilogue: Epilogue<'_>,
        (scratch, threads): (&mut [f32], usize),
        tell: &mut dyn FnMut(f32) -> ControlFlow<()>,
    ) -> Result<()> {
        let (out, share) = (Shared::new(out), self.share(to, threads));
        let scratch = Shared::new(scratch);
        let tiles: Vec<Vec<Tile>> = self.groups.iter().map(|group| Self::tiles(group, to)).collect();
        let (mut batches, mut most) = (Vec::new(), 1);
        for (index, (group, tiles)) in self.groups.iter().zip(&tiles).enumerate() {
            let size = self.batch(group, tiles.len(), threads);
            let starts = (0..tiles.len()).step_by(size);
            batches.extend(starts.map(|start| (index, start..(start + size).min(tiles.len()))));
            let (depth, points) = self.depth(group);
            most = most.max(size * points * depth * self.geometry.shape.channels().1);
        }
        let together = (LOOK_MACS / most).max(1).next_multiple_of(threads);
        for (part, now) in batches.chunks(together).enumerate() {
            if tell((part * together) as f32 / batches.len() as f32).is_break() {
                return Err(cancelled());
            }
            let next = AtomicUsize::new(0);
            threads::parallel(threads, &|thread| {
                let mine = scratch.part(thread * share, share);
                while let Some((group, range)) = now.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let work = (&self.groups[*group], &tiles[*group][range.clone()]);
                    self.tiles_run(work, (x, from), (&out, to), epilogue, mine);
                }
            });
        }
        Ok(())
    }

    /// Some tiles of a group, on the calling thread.
    fn tiles_run(
        &self,
        (group, tiles): (&Group, &[Tile]),
        (x, from): (&[f32], &View),
        (out, to): (&Shared, &View),
        epilogue: Epilogue<'_>,
        scratch: &mut [f32],
    ) {
        let (inputs, outputs) = self.geometry.shape.channels();
        let (depth, points) = self.depth(group);
        let count = tiles.len();
        let (transformed, products) = scratch.split_at_mut(points * count * depth);
        let products = &mut products[..points * count * outputs];

        let (ny, nx) = (group.sides.0.points(), group.sides.1.points());
        let target = Shared::new(transformed);
        for (t, tile) in tiles.iter().enumerate() {
            let mut pixels = [None; 36];
            for (source, (rows, columns)) in group.classes[tile.class].iter().enumerate() {
                for j in 0..ny {
                    let y = rows.base + rows.step * (tile.y + j) as isize;
                    for i in 0..nx {
                        pixels[j * nx + i] = from.at_stored(y, columns.base + columns.step * (tile.x + i) as isize);
                    }
                }
                let gather = Gather { input: x, pixels: &pixels[..ny * nx], channels: inputs };
                let points = Points { stride: count * depth, start: t * depth + source * inputs };
                transform(group.sides, &gather, &target, points);
            }
        }

        let target = Shared::new(products);
        let (sy, sx) = group.sides;
        let own = sy.weights().len() * sx.weights().len();
        let per_weight = depth * outputs;
        for weight in 0..own {
            // Every tile at every point that multiplies with these weights.
            let takes =
                |point: &usize| sy.weight_of(point / nx) * sx.weights().len() + sx.weight_of(point % nx) == weight;
            let places: Vec<usize> =
                (0..points).filter(takes).flat_map(|point| point * count..(point + 1) * count).collect();
            let p = Product {
                input: transformed,
                rows: &places.iter().map(|place| place * depth).collect::<Vec<_>>(),
                segments: &[0],
                length: depth,
                weights: &group.weights[weight * per_weight..][..per_weight],
                first_block: 0,
                bias: &[],
                targets: &places.iter().map(|place| place * outputs).collect::<Vec<_>>(),
                channels: outputs,
            };
            product(&p, &target, Epilogue::default());
        }

        let (my, mx) = (group.sides.0.outputs(), group.sides.1.outputs());
        let products: &[f32] = products;
        for (t, tile) in tiles.iter().enumerate() {
            let (rows, columns) = group.classes[tile.class][0];
            let mut pixels = [None; 16];
            for j in 0..my {
                let y = rows.first + rows.every * (tile.y + j);
                for i in 0..mx {
                    let x = columns.first + columns.every * (tile.x + i);
                    let inside = y < to.shape.height && x < to.shape.width;
                    pixels[j * mx + i] = inside.then(|| to.at(y, x));
                }
            }
            let scatter = Scatter { pixels: &pixels[..my * mx], channels: outputs, bias: &self.bias };
            let points = Points { stride: count * outputs, start: t * outputs };
            finish(group.sides, products, points, &scatter, out, epilogue);
        }
    }
}

/// G w Gᵀ for every pair of channels, laid out as in [`Group::weights`].
fn weights(geometry: &Geometry, form: &Form, raw: &Raw) -> Vec<f32> {
    let (inputs, outputs) = geometry.shape.channels();
    let (gy, gx) = (form.sides.0.weights(), form.sides.1.weights());
    let width = geometry.shape.kernel().1;
    let (points, depth, blocks) = (gy.len() * gx.len(), form.taps.len() * inputs, outputs / LANES);
    let mut packed = vec![0.0; points * depth * outputs];
    let target = Shared::new(&mut packed);
    threads::parallel(blocks, &|block| {
        for (source, (rows, columns)) in form.taps.iter().enumerate() {
            for input in 0..inputs {
                let mut taps = [[0.0f32; LANES]; 9];
                for (i, row) in rows.iter().enumerate() {
                    for (j, column) in columns.iter().enumerate() {
                        for (lane, value) in taps[i * columns.len() + j].iter_mut().enumerate() {
                            let output = block * LANES + lane;
                            let at = geometry.shape.weight_index(output, input) + row * width + column;
                            *value = raw.weight[at] * raw.scale[output];
                        }
                    }
                }
                // Along the columns first, then along the rows.
                let mut half = [[0.0f32; LANES]; 18];
                for (i, _) in rows.iter().enumerate() {
                    for (p, g) in gx.iter().enumerate() {
                        for (j, factor) in g.iter().enumerate() {
                            let tap = taps[i * columns.len() + j];
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
                        let point = q * gx.len() + p;
                        let at = ((point * blocks + block) * depth + source * inputs + input) * LANES;
                        target.part(at, LANES).copy_from_slice(&sum);
                    }
                }
            }
        }
    });
    packed
}
