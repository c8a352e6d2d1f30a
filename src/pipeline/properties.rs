//! Properties of what the pipeline is made of, over random numbers; `tests/properties.rs` has those of the whole.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::composite::feather;
use super::hole_groups::HoleGroups;
use super::resample::{extend, resize};
use super::window::choose;
use super::{Mask, Rect};
use crate::models::{Beyond, OutputCovers, SizeRule};

/// The same cases in every run, unless a number of them is asked for (`PROPTEST_CASES`).
fn cases(count: u32) -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig { cases: count, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() },
    }
}

/// A photo's size, and a rectangle in it.
fn hole_in_photo(most: usize) -> impl Strategy<Value = (usize, usize, Rect)> {
    (1..=most, 1..=most)
        .prop_flat_map(|(width, height)| ((Just(width), Just(height)), (0..width, 0..height)))
        .prop_flat_map(|((width, height), (x, y))| (Just((width, height, x, y)), 1..=width - x, 1..=height - y))
        .prop_map(|((width, height, x, y), w, h)| (width, height, Rect { x, y, width: w, height: h }))
}

fn size_rule() -> impl Strategy<Value = SizeRule> {
    (0usize..=6, 1usize..=16, 0usize..=16, any::<bool>()).prop_map(|(power, times, more, fixed)| {
        let (multiple, preferred) = (1 << power, times << power);
        if fixed {
            SizeRule::fixed(preferred)
        } else {
            SizeRule::free(multiple, preferred).up_to(preferred + more * multiple)
        }
    })
}

proptest! {
    #![proptest_config(cases(3000))]

    /// A network is always shown the whole hole, at a size it takes, and nothing is read outside the photo.
    #[test]
    fn every_window_holds_its_hole((width, height, hole) in hole_in_photo(6000), rule in size_rule(), covers in prop_oneof![Just(OutputCovers::Field), Just(OutputCovers::Centre)]) {
        let window = choose(rule, covers, hole, width, height);
        prop_assert!(window.input.0.is_multiple_of(rule.multiple) && window.input.1.is_multiple_of(rule.multiple), "{window:?}");
        prop_assert!(window.input.0 > 0 && window.input.1 > 0 && window.size.0 > 0 && window.size.1 > 0);
        for (x, y) in [(hole.x, hole.y), (hole.x + hole.width - 1, hole.y + hole.height - 1)] {
            prop_assert!(window.index_of(x, y).is_some(), "{x}, {y} is not in {window:?}");
        }
        let source = window.source(width, height);
        prop_assert!(source.width > 0 && source.height > 0);
        prop_assert!(source.x + source.width <= width && source.y + source.height <= height, "{source:?}");
    }

    #[test]
    fn mirrored_positions_lie_inside_and_change_by_one(at in -100_000i64..100_000, size in 1usize..3000) {
        for beyond in [Beyond::Reflected, Beyond::Symmetric] {
            let (here, next) = (beyond.source(at, size), beyond.source(at + 1, size));
            prop_assert!(here < size && next < size);
            // Where the edge is repeated, it stays there for one step.
            let stays = size == 1 || (beyond == Beyond::Symmetric && (at + 1).rem_euclid(size as i64) == 0);
            prop_assert!(here.abs_diff(next) == usize::from(!stays));
        }
    }
}

/// A small plane of this size.
fn plane(width: usize, height: usize) -> impl Strategy<Value = Vec<f32>> {
    proptest::collection::vec(0.0f32..=1.0, width * height)
}

proptest! {
    #![proptest_config(cases(400))]

    /// Colours are blended inwards only, and never leave what is there.
    #[test]
    fn blending_writes_the_hole_alone(
        (width, rgb, kinds) in (1usize..20, 1usize..20).prop_flat_map(|(w, h)| (
            Just(w),
            proptest::collection::vec(any::<u8>(), w * h * 3),
            proptest::collection::vec(0u8..3, w * h),
        ))
    ) {
        let [hole, known] = [0, 1].map(|kind| kinds.iter().map(|&each| each == kind).collect::<Vec<bool>>());
        let mut blended = rgb.clone();
        feather(&mut blended, (&hole, &known), width);
        let bounds = |channel: usize| {
            let values = rgb.iter().skip(channel).step_by(3);
            (values.clone().min().copied(), values.max().copied())
        };
        for (at, (before, after)) in rgb.chunks_exact(3).zip(blended.chunks_exact(3)).enumerate() {
            prop_assert!(hole[at] || before == after, "pixel {at}");
            for (channel, value) in after.iter().enumerate() {
                let (least, most) = bounds(channel);
                prop_assert!(Some(*value) >= least && Some(*value) <= most);
            }
        }
    }

    /// A plane of another size stays within the values it had; one of the same size is the same.
    #[test]
    fn planes_keep_their_range(
        ((width, height), values, to) in (1usize..16, 1usize..16).prop_flat_map(|(w, h)| (Just((w, h)), plane(w, h), (1usize..40, 1usize..40)))
    ) {
        let resized = resize(&values, (width, height), to);
        prop_assert_eq!(resized.len(), to.0 * to.1);
        let (least, most) = values.iter().fold((f32::MAX, f32::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
        // Filters that sharpen overshoot by a few hundredths; what is far outside is wrong.
        prop_assert!(resized.iter().all(|v| *v >= least - 0.2 && *v <= most + 0.2));
        if to == (width, height) {
            prop_assert!(resized.iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }

    /// What is known stays as it is; what is not becomes a mean of what is.
    #[test]
    fn continued_planes_keep_what_is_known(
        ((width, height), values, known) in (1usize..16, 1usize..16).prop_flat_map(|(w, h)| (Just((w, h)), plane(w, h), proptest::collection::vec(any::<bool>(), w * h)))
    ) {
        prop_assume!(known.iter().any(|known| *known));
        let weight: Vec<f32> = known.iter().map(|known| f32::from(u8::from(*known))).collect();
        let out = extend(&values, &weight, (width, height));
        let of = |known_values: &mut dyn Iterator<Item = f32>| known_values.fold((f32::MAX, f32::MIN), |(a, b), v| (a.min(v), b.max(v)));
        let (least, most) = of(&mut values.iter().zip(&known).filter(|(_, known)| **known).map(|(v, _)| *v));
        for (at, value) in out.iter().enumerate() {
            prop_assert!(*value >= least - 1e-3 && *value <= most + 1e-3, "value {at}: {value} of {least} to {most}");
        }
    }

    /// Every pixel of a hole belongs to one group, whose box holds it; boxes of groups hold nothing but holes at their rims.
    #[test]
    fn groups_of_holes_cover_the_mask(
        (width, height, holes) in (1usize..120, 1usize..120).prop_flat_map(|(w, h)| (
            Just(w), Just(h), proptest::collection::vec((0..w, 0..h, 1usize..12, 1usize..12), 0..20),
        ))
    ) {
        let mut mask = Mask { width, height, holes: vec![0; width * height] };
        for (x, y, w, h) in holes {
            for row in y..(y + h).min(height) {
                mask.holes[row * width + x..row * width + (x + w).min(width)].fill(255);
            }
        }
        let groups = HoleGroups::of(&mask);
        prop_assert_eq!(groups.boxes.is_empty(), mask.holes.iter().all(|hole| *hole == 0));
        for (at, _) in mask.holes.iter().enumerate().filter(|(_, hole)| **hole > 127) {
            let (x, y) = (at % width, at / width);
            let label = groups.label(x, y);
            let own: Vec<_> = groups.boxes.iter().filter(|(of, _)| *of == label).collect();
            prop_assert_eq!(own.len(), 1);
            let rect = own[0].1;
            prop_assert!(x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height);
        }
    }
}
