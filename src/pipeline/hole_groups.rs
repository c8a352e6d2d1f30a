//! Holes that lie apart are filled one after another, each in a window of its own.

use super::{Mask, Rect};
use crate::limits::{MAX_COMPARED_HOLES, MAX_HOLE_GROUPS};
use crate::ordering;

/// Groups of holes, by cells of a coarse grid.
pub struct HoleGroups {
    cell: usize,
    columns: usize,
    labels: Vec<u32>,
    /// The pixel-exact box of each group, larger ones first.
    pub boxes: Vec<(u32, Rect)>,
}

impl HoleGroups {
    /// Groups the holes of a mask; empty if there are none.
    pub fn of(mask: &Mask) -> Self {
        let mut cell = 8;
        loop {
            let groups = Self::with_cell(mask, cell);
            if groups.boxes.len() <= MAX_HOLE_GROUPS || cell > mask.width.max(mask.height) {
                return groups;
            }
            cell *= 2;
        }
    }

    fn with_cell(mask: &Mask, cell: usize) -> Self {
        let (columns, rows) = (mask.width.div_ceil(cell), mask.height.div_ceil(cell));
        // 0: no hole; 1: hole without a label; from 2: label + 2.
        let mut labels = vec![0u32; columns * rows];
        for (y, row) in mask.holes.chunks_exact(mask.width).enumerate() {
            for (cells, holes) in labels[y / cell * columns..].iter_mut().zip(row.chunks(cell)) {
                if holes.iter().any(|&hole| hole > 127) {
                    *cells = 1;
                }
            }
        }
        let mut count = 0;
        for start in 0..labels.len() {
            if labels[start] == 1 {
                flood(&mut labels, columns, rows, start, count + 2);
                count += 1;
            }
        }
        let mut groups = Self { cell, columns, labels, boxes: Vec::new() };
        groups.measure(mask, count);
        // Every two are compared, again after each that are joined: where there are so many, coarser cells join them.
        if groups.boxes.len() <= MAX_COMPARED_HOLES {
            groups.merge();
        }
        groups
    }

    /// Which group a pixel's cell belongs to.
    pub fn label(&self, x: usize, y: usize) -> u32 {
        self.labels[y / self.cell * self.columns + x / self.cell]
    }

    fn measure(&mut self, mask: &Mask, count: u32) {
        let mut boxes: Vec<Option<Rect>> = vec![None; count as usize];
        for (y, row) in mask.holes.chunks_exact(mask.width).enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, hole)| **hole > 127) {
                let pixel = Rect { x, y, width: 1, height: 1 };
                if let Some(slot) = boxes.get_mut(self.label(x, y) as usize - 2) {
                    *slot = Some(slot.map_or(pixel, |rect| rect.union(pixel)));
                }
            }
        }
        self.boxes = boxes.into_iter().enumerate().filter_map(|(i, rect)| Some((i as u32 + 2, rect?))).collect();
    }

    /// Joins groups so near that each would lie in the other's immediate surroundings.
    fn merge(&mut self) {
        let near = |a: Rect, b: Rect| {
            let reach = a.width.max(a.height).min(b.width.max(b.height)) / 3;
            a.grown(reach, usize::MAX / 2, usize::MAX / 2).touches(b)
        };
        let mut at = 0;
        while at < self.boxes.len() {
            let found = (at + 1..self.boxes.len()).find(|&other| near(self.boxes[at].1, self.boxes[other].1));
            let Some(other) = found else {
                at += 1;
                continue;
            };
            let (gone, rect) = self.boxes.remove(other);
            let (kept, own) = &mut self.boxes[at];
            *own = own.union(rect);
            let kept = *kept;
            self.labels.iter_mut().filter(|label| **label == gone).for_each(|label| *label = kept);
            at = 0;
        }
        ordering::sort_by_key(&mut self.boxes, |(label, rect)| (std::cmp::Reverse(rect.width * rect.height), *label));
    }
}

/// Labels all hole cells that touch, corners included.
fn flood(labels: &mut [u32], columns: usize, rows: usize, start: usize, label: u32) {
    let mut stack = vec![start];
    labels[start] = label;
    while let Some(at) = stack.pop() {
        let (x, y) = (at % columns, at / columns);
        for ny in y.saturating_sub(1)..(y + 2).min(rows) {
            for nx in x.saturating_sub(1)..(x + 2).min(columns) {
                let next = ny * columns + nx;
                if labels[next] == 1 {
                    labels[next] = label;
                    stack.push(next);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn mask(width: usize, height: usize, rects: &[Rect]) -> Mask {
        let mut holes = vec![0; width * height];
        for r in rects {
            for y in r.y..r.y + r.height {
                holes[y * width + r.x..][..r.width].fill(255);
            }
        }
        Mask::new(width, height, holes).unwrap()
    }

    #[test]
    fn far_holes_stay_apart_and_near_ones_join() {
        let a = Rect { x: 10, y: 10, width: 30, height: 30 };
        let b = Rect { x: 300, y: 200, width: 20, height: 40 };
        let c = Rect { x: 44, y: 12, width: 20, height: 20 };
        let groups = HoleGroups::of(&mask(400, 300, &[a, b, c]));
        let boxes: Vec<Rect> = groups.boxes.iter().map(|(_, rect)| *rect).collect();
        assert_eq!(boxes, [a.union(c), b]);
        assert_eq!(groups.label(12, 12), groups.label(60, 14));
        assert_ne!(groups.label(12, 12), groups.label(310, 210));
    }

    #[test]
    fn scattered_dots_become_few_windows() {
        let dots: Vec<Rect> =
            (0..40).flat_map(|y| (0..40).map(move |x| Rect { x: x * 100, y: y * 100, width: 2, height: 2 })).collect();
        let groups = HoleGroups::of(&mask(4000, 4000, &dots));
        assert!(groups.boxes.len() <= MAX_HOLE_GROUPS);
    }

    /// Forty thousand specks of dust: comparing each with each took ten times as long as this allows.
    #[test]
    fn a_dusty_mask_is_grouped_at_once() {
        let row = |y: usize| (0..235).map(move |x| Rect { x: x * 17, y: y * 17, width: 1, height: 1 });
        let dust = mask(4000, 3000, &(0..176).flat_map(row).collect::<Vec<_>>());
        let start = crate::clock::now_ms();
        let groups = HoleGroups::of(&dust);
        assert!(crate::clock::now_ms() - start < 1000.0);
        assert!(groups.boxes.len() <= MAX_HOLE_GROUPS);
    }
}
