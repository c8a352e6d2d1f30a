//! A small photo, any mask and any options: outside the mask nothing changes, and the result has a place for every pixel.
#![no_main]
use std::cell::RefCell;
use std::ops::ControlFlow;

use arbitrary::{Arbitrary, Result, Unstructured};
use infill::engine::EngineKind;
use infill::models::load::{self, Loaded};
use infill::pipeline::{self, FillOptions, Mask, Photo, Sharpen};
use libfuzzer_sys::fuzz_target;

#[derive(Debug)]
struct Input {
    photo: Photo,
    mask: Mask,
    options: FillOptions,
    has_network: bool,
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let (width, height) = (u.int_in_range(1..=48)?, u.int_in_range(1..=48)?);
        let (has_alpha, is_gray) = (u.arbitrary()?, u.arbitrary()?);
        let seed: u32 = u.arbitrary()?;
        let mut rgba = Vec::with_capacity(width * height * 4);
        let given: Vec<u8> = (0..u.int_in_range(0..=64)?).map(|_| u.arbitrary()).collect::<Result<_>>()?;
        for at in 0..width * height {
            let number = |channel: usize| {
                let own = given.get((at * 3 + channel) % given.len().max(1)).copied().unwrap_or(0);
                own.wrapping_add((seed.wrapping_mul(at as u32 * 3 + channel as u32) >> 24) as u8)
            };
            let colour = if is_gray { [number(0); 3] } else { [number(0), number(1), number(2)] };
            rgba.extend(colour);
            rgba.push(if has_alpha { number(3) } else { 255 });
        }
        let mut holes = vec![0; width * height];
        for _ in 0..u.int_in_range(0..=6)? {
            let (x, y) = (u.int_in_range(0..=width - 1)?, u.int_in_range(0..=height - 1)?);
            let (right, bottom) = (u.int_in_range(x..=width - 1)?, u.int_in_range(y..=height - 1)?);
            let value = u.arbitrary()?;
            (y..=bottom).for_each(|row| holes[row * width + x..=row * width + right].fill(value));
        }
        let options = FillOptions {
            seed: u.arbitrary()?,
            sharpen: *u.choose(&[Sharpen::Auto, Sharpen::On, Sharpen::Off])?,
            side: u.arbitrary::<bool>()?.then_some(64),
            ..FillOptions::default()
        };
        let photo = Photo { width, height, rgba, has_alpha, is_gray, icc: None, notes: Vec::new() };
        Ok(Self { photo, mask: Mask { width, height, holes }, options, has_network: u.ratio(1, 8)? })
    }
}

thread_local! {
    static NETWORK: RefCell<Vec<Loaded>> = RefCell::new(vec![network()]);
}

/// A ContextUNet of small widths.
fn network() -> Loaded {
    const FILE: &[u8] = include_bytes!("../../tests/reference/networks/context-unet.pth");
    let mut file = infill::checkpoint::open(std::io::Cursor::new(FILE), "context-unet.pth").expect("it opens");
    load::load(file.as_mut(), "context-unet.pth", None, EngineKind::Fast).expect("it loads").remove(0)
}

fuzz_target!(|input: Input| {
    let Input { photo, mask, options, has_network } = input;
    let watch = &mut |_: infill::engine::Step<'_>| ControlFlow::Continue(());
    let patches = match has_network {
        true => NETWORK.with_borrow_mut(|models| pipeline::fill(&photo, &mask, models, &options, watch)),
        false => pipeline::fill(&photo, &mask, &mut [], &options, watch),
    };
    let Ok(patches) = patches else { return };
    let mut filled = photo.clone();
    pipeline::apply(&mut filled, &patches);
    let pairs = photo.rgba.chunks_exact(4).zip(filled.rgba.chunks_exact(4)).zip(&mask.holes);
    for (at, ((before, after), hole)) in pairs.enumerate() {
        assert!(*hole > 127 || before == after, "pixel {at} lies outside the mask");
        assert!(!photo.is_gray || (after[0] == after[1] && after[1] == after[2]), "pixel {at} of a gray photo");
    }
});
