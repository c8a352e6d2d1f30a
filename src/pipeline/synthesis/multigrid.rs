//! A screened Poisson equation on the pixels of a hole, by multigrid (Briggs et al. 2000, "A Multigrid Tutorial").
//!
//! Rows are worked on in bands of a fixed height that see each other as they were before the sweep, so that the result
//! does not depend on the number of threads.

use crate::threads::chunks;

/// Sweeps of Gauss-Seidel on each way through a scale, and V-cycles.
const SWEEPS: usize = 2;
const CYCLES: usize = 5;
/// Rows of pixels in a task.
const BAND: usize = 64;

/// One value for each channel; the last is spare, so that a pixel is one 128-bit register.
pub type Value = [f32; 4];

/// Solves `sum of (e - neighbour) + screen * e = source` over the free pixels; `e` is 0 elsewhere.
pub fn solve(source: &[Value], free: Vec<bool>, size: (usize, usize), screen: f32) -> Vec<Value> {
    let mut grids = vec![Grid { size, free, screen }];
    while let Some(coarser) = grids.last().and_then(Grid::coarser) {
        grids.push(coarser);
    }
    let mut e = vec![[0.0; 4]; source.len()];
    for _ in 0..CYCLES {
        cycle(&grids, &mut e, source);
    }
    e
}

fn cycle(grids: &[Grid], e: &mut [Value], source: &[Value]) {
    let Some((grid, coarser)) = grids.split_first() else { return };
    if coarser.is_empty() {
        (0..4 * SWEEPS).for_each(|sweep| grid.relax(e, source, sweep % 2 == 0));
        return;
    }
    (0..SWEEPS).for_each(|sweep| grid.relax(e, source, sweep % 2 == 0));
    let residual = grid.restricted_residual(e, source);
    let mut correction = vec![[0.0; 4]; residual.len()];
    cycle(coarser, &mut correction, &residual);
    grid.add(e, &correction);
    (0..SWEEPS).for_each(|sweep| grid.relax(e, source, sweep % 2 == 1));
}

fn plus(a: Value, b: Value) -> Value {
    std::array::from_fn(|c| a[c] + b[c])
}

/// The equation at one scale.
struct Grid {
    size: (usize, usize),
    free: Vec<bool>,
    screen: f32,
}

impl Grid {
    /// Half the size; a cell is free if all its pixels are.
    fn coarser(&self) -> Option<Self> {
        let (width, height) = self.size;
        let (w, h) = (width.div_ceil(2), height.div_ceil(2));
        let mut free = vec![true; w * h];
        for (y, row) in self.free.chunks_exact(width).enumerate() {
            row.iter().enumerate().for_each(|(x, &open)| free[y / 2 * w + x / 2] &= open);
        }
        let worth = width.min(height) > 4 && free.contains(&true);
        worth.then_some(Self { size: (w, h), free, screen: self.screen * 4.0 })
    }

    /// Gauss-Seidel, forwards or backwards.
    fn relax(&self, e: &mut [Value], source: &[Value], forward: bool) {
        let (width, height) = self.size;
        let copy = |row: Option<usize>| {
            row.filter(|&row| row < height).map(|row| e[row * width..][..width].to_vec()).unwrap_or_default()
        };
        let beside: Vec<_> =
            (0..height).step_by(BAND).map(|first| (copy(first.checked_sub(1)), copy(Some(first + BAND)))).collect();
        chunks(e, BAND * width, &|band, rows| {
            let (above, below) = &beside[band];
            let count = rows.len() / width;
            for line in 0..count {
                let y = if forward { line } else { count - 1 - line };
                let (before, rest) = rows.split_at_mut(y * width);
                let (row, after) = rest.split_at_mut(width);
                let up = if y > 0 { &before[(y - 1) * width..] } else { above };
                let down = after.get(..width).unwrap_or(below);
                let start = (band * BAND + y) * width;
                let (free, source) = (&self.free[start..][..width], &source[start..][..width]);
                for step in 0..width {
                    let x = if forward { step } else { width - 1 - step };
                    if free[x] {
                        let (sum, count) = around(up, row, down, x);
                        let scale = 1.0 / (count + self.screen);
                        row[x] = plus(source[x], sum).map(|v| v * scale);
                    }
                }
            }
        });
    }

    /// What is left of the source, summed over the cells of the coarser grid: fluxes add up.
    fn restricted_residual(&self, e: &[Value], source: &[Value]) -> Vec<Value> {
        let (width, height) = self.size;
        let w = width.div_ceil(2);
        let mut coarse = vec![[0.0; 4]; w * height.div_ceil(2)];
        let line = |y: usize| if y < height { &e[y * width..][..width] } else { &[] };
        chunks(&mut coarse, BAND / 2 * w, &|band, cells| {
            for (i, cells) in cells.chunks_exact_mut(w).enumerate() {
                let first = band * BAND + 2 * i;
                for y in first..(first + 2).min(height) {
                    let (up, row, down) = (y.checked_sub(1).map_or(&[][..], line), line(y), line(y + 1));
                    for x in (0..width).filter(|x| self.free[y * width + x]) {
                        let (sum, count) = around(up, row, down, x);
                        let (whole, scale) = (plus(source[y * width + x], sum), count + self.screen);
                        let left = std::array::from_fn(|c| whole[c] - scale * row[x][c]);
                        cells[x / 2] = plus(cells[x / 2], left);
                    }
                }
            }
        });
        coarse
    }

    /// Adds the coarse correction, bilinearly.
    fn add(&self, e: &mut [Value], coarse: &[Value]) {
        let (width, height) = self.size;
        let (w, h) = (width.div_ceil(2), height.div_ceil(2));
        let side = |at: usize, size: usize| {
            let near = at / 2;
            let far = if at.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(size - 1) };
            (near, far)
        };
        let mix = |a: Value, b: Value| -> Value { std::array::from_fn(|c| 0.75 * a[c] + 0.25 * b[c]) };
        chunks(e, BAND * width, &|band, rows| {
            for (i, row) in rows.chunks_exact_mut(width).enumerate() {
                let y = band * BAND + i;
                let (y0, y1) = side(y, h);
                for x in (0..width).filter(|x| self.free[y * width + x]) {
                    let (x0, x1) = side(x, w);
                    let line = |y: usize| mix(coarse[y * w + x0], coarse[y * w + x1]);
                    row[x] = plus(row[x], mix(line(y0), line(y1)));
                }
            }
        });
    }
}

/// Sum of the neighbours' values and their number; `up` and `down` are empty beyond the picture.
#[inline(always)]
fn around(up: &[Value], row: &[Value], down: &[Value], x: usize) -> (Value, f32) {
    let beside = [up.get(x), down.get(x), x.checked_sub(1).and_then(|x| row.get(x)), row.get(x + 1)];
    beside.into_iter().flatten().fold(([0.0; 4], 0.0), |(sum, count), value| (plus(sum, *value), count + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_step_at_the_rim_is_spread_over_the_hole() {
        // A row of 40 pixels, free in the middle; the difference into the hole asks for a rise of 10.
        let (width, height) = (40, 40);
        let free: Vec<bool> = (0..width * height).map(|at| (10..30).contains(&(at % width))).collect();
        let mut source = vec![[0.0; 4]; width * height];
        for row in 0..height {
            source[row * width + 10] = [10.0; 4];
        }
        let e = solve(&source, free, (width, height), 0.0);
        let row: Vec<f32> = e[20 * width..21 * width].iter().map(|v| v[0]).collect();
        assert!(row[9] == 0.0 && row[30] == 0.0);
        assert!((row[10] - 9.5).abs() < 0.3, "{row:?}");
        assert!((row[20] - 4.8).abs() < 0.5, "{row:?}");
    }

    #[test]
    fn several_bands_solve_one_equation() {
        // Much higher than a band, at an odd size, so that every kind of border occurs.
        let (width, height) = (37, 5 * BAND + 3);
        let free: Vec<bool> =
            (0..width * height).map(|at| at % width != 0 && at % 11 != 3 && at / width + 1 != height).collect();
        let source: Vec<Value> =
            (0..width * height).map(|at| [(at % 7) as f32 - 3.0, 1.0, at as f32 * 1e-4, 0.0]).collect();
        let screen = 0.01;
        let e = solve(&source, free.clone(), (width, height), screen);
        let grid = Grid { size: (width, height), free, screen };
        let line = |y: usize| if y < height { &e[y * width..][..width] } else { &[] };
        for at in (0..width * height).filter(|&at| grid.free[at]) {
            let (x, y) = (at % width, at / width);
            let (sum, count) = around(y.checked_sub(1).map_or(&[][..], line), line(y), line(y + 1), x);
            for c in 0..4 {
                let left = source[at][c] + sum[c] - (count + screen) * e[at][c];
                assert!(left.abs() < 0.05, "{left} at {x}, {y}");
            }
        }
    }
}
