//! Which part of the photo a network sees for one hole, and at what size.

use super::Rect;
use crate::models::{Beyond, OutputCovers, SizeRule};

/// A window of the photo, possibly reaching beyond its borders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Left edge in the photo; may be negative.
    pub x: i64,
    /// Top edge in the photo; may be negative.
    pub y: i64,
    /// Size in photo pixels.
    pub size: (usize, usize),
    /// Size of the network's input.
    pub input: (usize, usize),
    /// What it shows beyond the photo's borders.
    pub beyond: Beyond,
}

/// Chooses the window for a hole: the hole fills at most half of each side where the photo allows it, and nothing is
/// scaled up to the largest size at which the network draws well; a photo of at most that size is shown whole.
pub fn choose(rule: SizeRule, covers: OutputCovers, hole: Rect, width: usize, height: usize) -> Window {
    let longest = hole.width.max(hole.height);
    let wanted = if width.max(height) <= rule.largest { rule.largest } else { rule.preferred };
    let side = (2 * longest).max(wanted);
    // Beyond the photo there is nothing to learn from, but the hole must be inside in any case.
    let side = match covers {
        OutputCovers::Field => side.min(width.max(height)).max(longest),
        OutputCovers::Centre => side.min(width.max(height)).max(2 * longest),
    };
    if rule.fixed {
        let input = (rule.preferred, rule.preferred);
        let size = (side, side);
        return Window {
            x: place(hole.x, hole.width, side, width, covers),
            y: place(hole.y, hole.height, side, height, covers),
            size,
            input,
            beyond: Beyond::Reflected,
        };
    }
    let scale = (side as f64 / rule.largest as f64).max(1.0);
    let fit = |available: usize| {
        let cells = (available.min(side) as f64 / scale).ceil() as usize;
        let cells = cells.max(1).next_multiple_of(rule.multiple);
        (((cells as f64 * scale).round() as usize).max(1), cells)
    };
    let ((w, input_width), (h, input_height)) = (fit(width), fit(height));
    Window {
        x: place(hole.x, hole.width, w, width, covers),
        y: place(hole.y, hole.height, h, height, covers),
        size: (w, h),
        input: (input_width, input_height),
        beyond: Beyond::Reflected,
    }
}

/// Centres the window on the hole and shifts it inwards where that helps.
fn place(start: usize, length: usize, size: usize, available: usize, covers: OutputCovers) -> i64 {
    let centred = start as i64 + (length as i64 - size as i64) / 2;
    match covers {
        OutputCovers::Centre => centred,
        OutputCovers::Field if size >= available => -((size - available) as i64 / 2),
        OutputCovers::Field => centred.clamp(0, (available - size) as i64),
    }
}

impl Window {
    /// Index of a photo's pixel among the window's, row by row; `None` if it lies outside.
    pub fn index_of(&self, x: usize, y: usize) -> Option<usize> {
        let inside = |at: usize, start: i64, size: usize| {
            usize::try_from(i64::try_from(at).ok()? - start).ok().filter(|&at| at < size)
        };
        Some(inside(y, self.y, self.size.1)? * self.size.0 + inside(x, self.x, self.size.0)?)
    }

    /// The part of the photo that the window reads.
    pub fn source(&self, width: usize, height: usize) -> Rect {
        let side = |start: i64, length: usize, size: usize| {
            let read = (start..start + length as i64).map(|at| self.beyond.source(at, size));
            // Mirroring reaches each pixel of one interval: its ends suffice.
            read.fold((usize::MAX, 0), |(low, high), at| (low.min(at), high.max(at)))
        };
        let ((left, right), (top, bottom)) = (side(self.x, self.size.0, width), side(self.y, self.size.1, height));
        Rect { x: left, y: top, width: right - left + 1, height: bottom - top + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const FREE: SizeRule = SizeRule::free(8, 256);
    const FIXED: SizeRule = SizeRule::fixed(512);

    #[test]
    fn small_holes_are_seen_unscaled() {
        let hole = Rect { x: 1000, y: 20, width: 60, height: 40 };
        let window = choose(FREE, OutputCovers::Field, hole, 4000, 3000);
        assert_eq!(window, Window { x: 902, y: 0, size: (256, 256), input: (256, 256), beyond: Beyond::Reflected });
    }

    #[test]
    fn large_holes_fill_half_the_window() {
        let hole = Rect { x: 1000, y: 1000, width: 1000, height: 800 };
        let window = choose(FREE, OutputCovers::Field, hole, 4000, 3000);
        assert_eq!((window.size, window.input), ((2000, 2000), (256, 256)));
        assert_eq!((window.x, window.y), (500, 400));
    }

    #[test]
    fn a_network_that_draws_well_at_more_sizes_sees_more() {
        let lama = SizeRule::free(64, 512).up_to(1024);
        let seen = |hole: Rect, width, height| {
            let window = choose(lama, OutputCovers::Field, hole, width, height);
            (window.size, window.input)
        };
        let small = Rect { x: 300, y: 200, width: 60, height: 40 };
        // A photo that it can take is seen whole.
        assert_eq!(seen(small, 1000, 667), ((1024, 704), (1024, 704)));
        // Of a larger one the hole's surroundings are, and a large hole's unscaled as far as that goes.
        assert_eq!(seen(small, 1100, 800), ((512, 512), (512, 512)));
        let large = |side| Rect { x: 1000, y: 1000, width: side, height: side };
        assert_eq!(seen(large(400), 4000, 3000), ((832, 832), (832, 832)));
        assert_eq!(seen(large(1000), 4000, 3000), ((2000, 2000), (1024, 1024)));
    }

    #[test]
    fn with_less_memory_windows_become_smaller_down_to_the_preferred_one() {
        let mut rule = SizeRule::free(64, 512).up_to(1024);
        let mut sides = vec![];
        while let Some(smaller) = rule.smaller() {
            sides.push(smaller.largest);
            rule = smaller;
        }
        assert_eq!(sides, [768, 576, 512]);
        assert_eq!(SizeRule::fixed(512).smaller(), None);
    }

    #[test]
    fn every_photo_size_gives_a_legal_input_that_holds_the_hole() {
        for (width, height) in [(1, 1), (1, 5000), (5000, 3), (33, 77), (640, 480)] {
            for rule in [FREE, FIXED] {
                for covers in [OutputCovers::Field, OutputCovers::Centre] {
                    let hole = Rect { x: 0, y: height / 3, width, height: height - height / 3 };
                    let window = choose(rule, covers, hole, width, height);
                    assert!(
                        window.input.0.is_multiple_of(rule.multiple) && window.input.1.is_multiple_of(rule.multiple),
                        "{window:?}"
                    );
                    assert!(window.x <= 0 && window.x + window.size.0 as i64 >= width as i64, "{window:?}");
                    assert!(window.y <= hole.y as i64, "{window:?}");
                    assert!(window.y + window.size.1 as i64 >= height as i64, "{window:?}");
                    let source = window.source(width, height);
                    assert!(source.x + source.width <= width && source.y + source.height <= height);
                }
            }
        }
    }

    #[test]
    fn pixels_outside_the_window_have_no_place_in_it() {
        let window = Window { x: -2, y: 3, size: (5, 4), input: (8, 8), beyond: Beyond::Symmetric };
        assert_eq!((window.index_of(0, 3), window.index_of(2, 6)), (Some(2), Some(19)));
        // One to the right is not the first of the next row, and one above is none.
        assert_eq!((window.index_of(3, 3), window.index_of(0, 2), window.index_of(0, 7)), (None, None, None));
    }

    #[test]
    fn mirroring_repeats_the_edge_where_it_should() {
        let seen = |beyond: Beyond| (-3..7).map(|at| beyond.source(at, 4)).collect::<Vec<usize>>();
        assert_eq!(seen(Beyond::Reflected), [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]);
        // `numpy.pad(numpy.arange(4), 3, mode="symmetric")`.
        assert_eq!(seen(Beyond::Symmetric), [2, 1, 0, 0, 1, 2, 3, 3, 2, 1]);
        assert_eq!([Beyond::Reflected, Beyond::Symmetric].map(|beyond| beyond.source(-5, 1)), [0, 0]);
    }
}
