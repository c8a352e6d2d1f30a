//! How tasks share out the pixels of one output, so that all can write at once and none where another does.
//!
//! A [`Grid`] sees an output (NHWC) as classes of pixels: the phases of a transposed convolution, the residues of a dilated
//! one, or one class of all. A class falls into tiles of some rows and columns. A [`Part`] is the exclusive right to write
//! some channels of the pixels of some tiles; [`Grid::split`] makes sure that parts do not overlap.

use std::ops::Range;

use super::product::{Product, Targets, product_at};
use super::winograd::{Points, Scatter, WinogradVariant, inverse_transform_at};
use super::{Epilogue, Shared};

/// Positions `first, first + every, ..` along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lattice {
    /// The first position, less than `every`.
    pub first: usize,
    /// Distance to the next, at least 1.
    pub every: usize,
}

impl Lattice {
    /// Positions along an axis of this size.
    pub fn count(self, size: usize) -> usize {
        size.saturating_sub(self.first).div_ceil(self.every)
    }
}

/// Where the interior of an output lies in its slice.
#[derive(Clone, Copy, Debug)]
pub struct Interior {
    /// Where its first pixel starts.
    pub start: usize,
    /// Values from one row to the next.
    pub pitch: usize,
    /// Values of a pixel; `start` and `pitch` are multiples of it.
    pub pixel: usize,
    /// Rows.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
}

/// An output's pixels by class and tile.
pub struct Grid {
    interior: Interior,
    /// Rows and columns of each class.
    classes: Vec<(Lattice, Lattice)>,
    /// Rows and columns of a tile.
    tile: (usize, usize),
    /// Index of each class's first tile, and at the end the number of tiles.
    starts: Vec<usize>,
}

/// A tile: its class, and the index of its first pixel among the class's rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Index of the class.
    pub class: usize,
    /// Index among the class's rows.
    pub row: usize,
    /// Index among the class's columns.
    pub column: usize,
}

/// What a part may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Tiles, counted through all classes.
    pub tiles: Range<usize>,
    /// Channels of their pixels.
    pub channels: Range<usize>,
}

impl Grid {
    /// The pixels of `interior` as these classes (rows and columns of each) in tiles of `tile` rows and columns.
    ///
    /// Panics if two classes share a pixel, or if the classes have not one distance along each axis.
    pub fn new(interior: Interior, classes: Vec<(Lattice, Lattice)>, tile: (usize, usize)) -> Self {
        assert!(tile.0 > 0 && tile.1 > 0 && interior.pixel > 0);
        assert!(interior.width.checked_mul(interior.pixel).is_some_and(|length| length <= interior.pitch));
        if let Some(&(rows, columns)) = classes.first() {
            let fits = |lattice: Lattice, every: usize| lattice.every == every && lattice.first < every;
            assert!(classes.iter().all(|c| fits(c.0, rows.every) && fits(c.1, columns.every)));
            let mut sorted = classes.clone();
            sorted.sort_unstable();
            assert!(sorted.windows(2).all(|pair| pair[0] != pair[1]), "two classes share their pixels");
        }
        let mut starts = vec![0];
        for (rows, columns) in &classes {
            let count = |lattice: &Lattice, size, side| lattice.count(size).div_ceil(side);
            let tiles = count(rows, interior.height, tile.0) * count(columns, interior.width, tile.1);
            starts.push(starts[starts.len() - 1] + tiles);
        }
        Self { interior, classes, tile, starts }
    }

    /// The tiles of these classes.
    pub fn tiles_of(&self, classes: Range<usize>) -> Range<usize> {
        self.starts[classes.start]..self.starts[classes.end]
    }

    /// These tiles in order: by class, then row by row.
    pub fn tiles(&self, tiles: Range<usize>) -> impl Iterator<Item = Tile> + '_ {
        let mut class = self.starts.partition_point(|&start| start <= tiles.start).saturating_sub(1);
        let mut across = self.across(class);
        let from = tiles.start - self.starts[class];
        let (mut y, mut x) = (from.checked_div(across).unwrap_or(0), from.checked_rem(across).unwrap_or(0));
        tiles.map(move |index| {
            while index >= self.starts[class + 1] {
                (class, y, x) = (class + 1, 0, 0);
                across = self.across(class);
            }
            let tile = Tile { class, row: y * self.tile.0, column: x * self.tile.1 };
            x += 1;
            if x == across {
                (y, x) = (y + 1, 0);
            }
            tile
        })
    }

    /// Tiles side by side in a class.
    fn across(&self, class: usize) -> usize {
        self.classes.get(class).map_or(0, |(_, columns)| columns.count(self.interior.width).div_ceil(self.tile.1))
    }

    /// Shares out `out`, one part for each share.
    ///
    /// Panics if the grid or a share does not lie inside, or if two shares overlap: they must come in ascending order of
    /// tiles, and those of the same tiles in ascending order of channels.
    pub fn split<'a>(&'a self, out: &'a mut [f32], shares: impl IntoIterator<Item = Share>) -> Vec<Part<'a>> {
        let Interior { start, pitch, pixel, height, width } = self.interior;
        let end = height.checked_sub(1).map_or(Some(0), |last| {
            last.checked_mul(pitch)?.checked_add(width.checked_mul(pixel)?)?.checked_add(start)
        });
        assert!(end.is_some_and(|end| end <= out.len()));
        let (out, all) = (Shared::new(out), self.starts[self.starts.len() - 1]);
        let mut parts: Vec<Part<'a>> = Vec::new();
        for share in shares {
            let (tiles, channels) = (&share.tiles, &share.channels);
            assert!(tiles.start <= tiles.end && tiles.end <= all);
            assert!(channels.start <= channels.end && channels.end <= pixel);
            let apart = |last: &Share| {
                tiles.start >= last.tiles.end || (*tiles == last.tiles && channels.start >= last.channels.end)
            };
            assert!(parts.last().is_none_or(|part| apart(&part.share)), "two shares overlap");
            parts.push(Part { grid: self, share, out });
        }
        parts
    }

    /// Where an output pixel starts, from its indices among the class's rows and columns.
    fn at(&self, class: usize, row: usize, column: usize) -> usize {
        let (rows, columns) = self.classes[class];
        let (y, x) = (rows.first + row * rows.every, columns.first + column * columns.every);
        self.interior.start + y * self.interior.pitch + x * self.interior.pixel
    }
}

/// The exclusive right to write some channels of some pixels.
pub struct Part<'a> {
    grid: &'a Grid,
    share: Share,
    out: Shared<'a>,
}

impl Part<'_> {
    /// What it may write.
    pub fn share(&self) -> &Share {
        &self.share
    }

    /// Its tiles.
    pub fn tiles(&self) -> impl Iterator<Item = Tile> + '_ {
        self.grid.tiles(self.share.tiles.clone())
    }

    /// Its pixels, if the grid's tiles are single pixels, ready for products.
    ///
    /// Panics if the tiles are larger.
    pub fn pixels(&mut self) -> Pixels<'_> {
        assert!(self.grid.tile == (1, 1));
        let targets = self.tiles().map(|tile| self.grid.at(tile.class, tile.row, tile.column)).collect();
        Pixels { share: &self.share, pixel: self.grid.interior.pixel, targets, out: self.out }
    }

    /// Writes its channels of one pixel, if the grid is one class of single pixels.
    ///
    /// Panics if it is not, or if the pixel is not its own, or if there are not as many values as channels.
    pub fn write(&mut self, row: usize, column: usize, values: &[f32], epilogue: Epilogue<'_>) {
        let Interior { width, pixel, .. } = self.grid.interior;
        let [(Lattice { every: 1, .. }, Lattice { every: 1, .. })] = self.grid.classes[..] else {
            panic!("more than one class of pixels")
        };
        assert!(self.grid.tile == (1, 1) && column < width && values.len() == self.share.channels.len());
        assert!(row.checked_mul(width).is_some_and(|start| self.share.tiles.contains(&(start + column))));
        let start = self.grid.at(0, row, column);
        let at = start + self.share.channels.start;
        // SAFETY: `Grid::split` has made sure that the pixel lies inside, and that these channels are this part's own.
        let target = unsafe { std::slice::from_raw_parts_mut(self.out.place(at, values.len()), values.len()) };
        target.copy_from_slice(values);
        if let Some(map) = epilogue.map {
            target.iter_mut().for_each(|value| *value += map[start / pixel]);
        }
        epilogue.activation.apply(target);
        if let Some(plus) = epilogue.plus {
            super::elementwise::add(target, &plus[at..][..values.len()]);
        }
    }

    /// Transforms the products of one of its tiles into output pixels; see [`inverse_transform`](super::winograd::inverse_transform).
    ///
    /// Panics if the tile is not its own, or if it does not own the first `bias.len()` channels.
    pub fn inverse_transform(
        &mut self,
        tile: Tile,
        sides: (WinogradVariant, WinogradVariant),
        (from, points): (&[f32], Points),
        bias: &[f32],
        epilogue: Epilogue<'_>,
    ) {
        let (my, mx) = self.grid.tile;
        let Tile { class, row, column } = tile;
        assert!(self.owns(tile) && self.share.channels.start == 0 && bias.len() <= self.share.channels.end);
        let (rows, columns) = self.grid.classes[class];
        let (height, width) = (rows.count(self.grid.interior.height), columns.count(self.grid.interior.width));
        let mut pixels = [None; 16];
        for (index, pixel) in pixels.iter_mut().enumerate().take(my * mx) {
            let (y, x) = (row + index / mx, column + index % mx);
            *pixel = (y < height && x < width).then(|| self.grid.at(class, y, x));
        }
        let scatter =
            Scatter { pixels: &pixels[..my * mx], pixel: self.grid.interior.pixel, channels: bias.len(), bias };
        // SAFETY: the tile's pixels and these channels are this part's own, and it is borrowed mutably.
        unsafe { inverse_transform_at(sides, from, points, &scatter, &self.out, epilogue) }
    }

    /// Whether a tile is one of its own.
    fn owns(&self, tile: Tile) -> bool {
        let (my, mx) = self.grid.tile;
        let (Some(&start), across) = (self.grid.starts.get(tile.class), self.grid.across(tile.class)) else {
            return false;
        };
        let (y, x) = (tile.row / my, tile.column / mx);
        let whole = tile.row.is_multiple_of(my) && tile.column.is_multiple_of(mx) && x < across;
        let index = y.checked_mul(across).and_then(|tiles| tiles.checked_add(start + x));
        whole
            && index.is_some_and(|index| self.share.tiles.contains(&index) && index < self.grid.starts[tile.class + 1])
    }
}

/// A part's pixels, borrowed from it.
pub struct Pixels<'a> {
    share: &'a Share,
    pixel: usize,
    targets: Vec<usize>,
    out: Shared<'a>,
}

impl Pixels<'_> {
    /// Writes a product, one row for each pixel; see [`product`](super::product::product).
    ///
    /// Panics if it has other channels than the part.
    pub fn product(&mut self, p: &Product<'_>, epilogue: Epilogue<'_>) {
        let (own, channels) = (&self.share.channels, &p.channels);
        assert!(own.start <= channels.start && channels.end <= own.end);
        let targets = Targets { starts: &self.targets, pixel: self.pixel };
        // SAFETY: the targets are the part's own pixels, which it lends exclusively, and so are the channels.
        unsafe { product_at(p, targets, &self.out, epilogue) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::LANES;
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn lattice(first: usize, every: usize) -> Lattice {
        Lattice { first, every }
    }

    fn four_phases(tile: (usize, usize)) -> Grid {
        let interior = Interior { start: 20, pitch: 40, pixel: 4, height: 7, width: 9 };
        let classes = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(y, x)| (lattice(y, 2), lattice(x, 2)));
        Grid::new(interior, classes.to_vec(), tile)
    }

    fn share(tiles: Range<usize>, channels: Range<usize>) -> Share {
        Share { tiles, channels }
    }

    #[test]
    fn tiles_cover_every_pixel_once() {
        for tile in [(1, 1), (3, 2), (4, 4)] {
            let grid = four_phases(tile);
            let all = grid.tiles_of(0..4);
            let mut seen = vec![0; 20 + 7 * 40];
            for Tile { class, row, column } in grid.tiles(all.clone()) {
                let (rows, columns) = grid.classes[class];
                for y in row..(row + tile.0).min(rows.count(7)) {
                    (column..(column + tile.1).min(columns.count(9))).for_each(|x| seen[grid.at(class, y, x)] += 1);
                }
            }
            let pixels = (0..7).flat_map(|y| (0..9).map(move |x| 20 + y * 40 + x * 4)).collect::<Vec<_>>();
            assert!(pixels.iter().all(|&at| seen[at] == 1), "{tile:?}");
            assert_eq!(seen.iter().sum::<usize>(), pixels.len());
            // From the middle on they are the same.
            let whole: Vec<Tile> = grid.tiles(all.clone()).collect();
            for start in all.clone() {
                assert!(grid.tiles(start..all.end).eq(whole[start..].iter().copied()), "{tile:?} from {start}");
            }
        }
    }

    #[test]
    fn a_part_writes_its_own_pixels_and_channels_only() {
        let grid = four_phases((1, 1));
        let mut out = vec![7.0; 300];
        let tiles = grid.tiles_of(1..2);
        let mut parts = grid.split(&mut out, [share(tiles.clone(), 1..3)]);
        let rows = vec![0; tiles.len()];
        let p = Product {
            input: &[2.0],
            rows: &rows,
            segments: &[0],
            length: 1,
            weights: &[0.5; LANES],
            channels: 1..3,
            bias: &[],
        };
        parts[0].pixels().product(&p, Epilogue::default());
        // Even rows, odd columns, channels 1 and 2.
        let mut expected = vec![7.0; 300];
        for (y, x) in (0..7).step_by(2).flat_map(|y| (1..9).step_by(2).map(move |x| (y, x))) {
            expected[20 + y * 40 + x * 4 + 1..][..2].fill(1.0);
        }
        assert_eq!(out, expected);
    }

    #[cfg(not(target_arch = "wasm32"))]
    mod refused {
        use super::*;

        #[test]
        #[should_panic(expected = "overlap")]
        fn the_same_tiles() {
            four_phases((1, 1)).split(&mut [0.0; 300], [share(0..5, 0..4), share(4..6, 0..4)]);
        }

        #[test]
        #[should_panic(expected = "overlap")]
        fn the_same_channels() {
            four_phases((1, 1)).split(&mut [0.0; 300], [share(0..5, 0..3), share(0..5, 2..4)]);
        }

        #[test]
        #[should_panic(expected = "share their pixels")]
        fn the_same_classes() {
            let interior = Interior { start: 0, pitch: 8, pixel: 1, height: 8, width: 8 };
            Grid::new(interior, vec![(lattice(1, 2), lattice(0, 2)); 2], (1, 1));
        }

        #[test]
        #[should_panic]
        fn a_slice_that_is_too_short() {
            four_phases((1, 1)).split(&mut [0.0; 295], [share(0..5, 0..4)]);
        }

        #[test]
        #[should_panic]
        fn the_tile_of_another_part() {
            let (grid, mut out) = (four_phases((3, 3)), [0.0; 300]);
            let mut parts = grid.split(&mut out, [share(0..1, 0..4), share(1..2, 0..4)]);
            let tile = Tile { class: 0, row: 0, column: 3 };
            let points = Points { stride: LANES, start: 0 };
            parts[0].inverse_transform(
                tile,
                (WinogradVariant::F31, WinogradVariant::F31),
                (&[0.0; 9 * LANES], points),
                &[],
                Epilogue::default(),
            );
        }
    }
}
