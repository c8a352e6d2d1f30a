//! Pixels to tensors: one window at the network's size, in the network's own conventions.

use super::canny::canny;
use super::options::SecondInput;
use super::resample::{harmonic, resize};
use super::window::Window;
use super::{FillOptions, Rect};
use crate::error::Result;
use crate::models::{Channel, Colour, Conventions, HoleValue, InputTensor, MaskMeans, Range, Source};
use crate::tensor::Tensor;

/// A window at the network's input size.
pub struct Scene {
    /// Input size.
    pub size: (usize, usize),
    /// RGB in 0..1, averaged over known pixels only; 0 where none is known.
    pub rgb: [Vec<f32>; 3],
    /// 1 where any photo pixel is to be filled, else 0.
    pub hole: Vec<f32>,
}

/// Gray weights of scikit-image's `rgb2gray`.
const GRAY: [f64; 3] = [0.2125, 0.7154, 0.0721];

/// A byte picture read through the window, one plane in 0..1.
pub fn plane(
    bytes: &[u8],
    channels: usize,
    channel: usize,
    source: Rect,
    window: &Window,
    photo: (usize, usize),
) -> Vec<f32> {
    let (w, h) = window.size;
    let columns: Vec<usize> = (0..w).map(|x| window.beyond.source(window.x + x as i64, photo.0) - source.x).collect();
    let mut out = Vec::with_capacity(w * h);
    for y in 0..h {
        let row = (window.beyond.source(window.y + y as i64, photo.1) - source.y) * source.width;
        out.extend(columns.iter().map(|x| f32::from(bytes[(row + x) * channels + channel]) / 255.0));
    }
    out
}

impl Scene {
    /// From the window's RGBA and hole bytes of the `source` rectangle.
    pub fn new(rgba: &[u8], holes: &[u8], source: Rect, window: &Window, photo: (usize, usize)) -> Self {
        let hole = plane(holes, 1, 0, source, window, photo);
        let known: Vec<f32> = hole.iter().map(|&h| if h > 0.5 { 0.0 } else { 1.0 }).collect();
        let cover = resize(&known, window.size, window.input);
        let rgb = [0, 1, 2].map(|channel| {
            let mut values = plane(rgba, 4, channel, source, window, photo);
            values.iter_mut().zip(&known).for_each(|(v, k)| *v *= k);
            let mut small = resize(&values, window.size, window.input);
            small.iter_mut().zip(&cover).for_each(|(v, c)| *v = if *c > 1e-3 { (*v / c).clamp(0.0, 1.0) } else { 0.0 });
            small
        });
        let hole = cover.iter().map(|&c| if c < 0.999 { 1.0 } else { 0.0 }).collect();
        Self { size: window.input, rgb, hole }
    }

    /// A plane in 0..1 as the network gets it: in its range, with its hole value.
    fn masked_picture(&self, plane: &[f32], colour: Option<Colour>, range: Range, hole_value: HoleValue) -> Vec<f32> {
        let ranged = |v: f32| range.from_unit(v, colour);
        match hole_value {
            HoleValue::Constant(hole) => {
                let pixels = plane.iter().zip(&self.hole);
                pixels.map(|(&v, &h)| if h > 0.5 { hole } else { ranged(v) }).collect()
            }
            HoleValue::Smooth => {
                let known: Vec<f32> = self.hole.iter().map(|h| 1.0 - h).collect();
                harmonic(plane, &known, self.size).into_iter().map(ranged).collect()
            }
        }
    }

    fn known(&self) -> Vec<f32> {
        self.hole.iter().map(|h| 1.0 - h).collect()
    }

    fn mask(&self, mask_means: MaskMeans) -> Vec<f32> {
        match mask_means {
            MaskMeans::Hole => self.hole.clone(),
            MaskMeans::Known => self.known(),
        }
    }

    /// Gray in 0..1 as scikit-image has it.
    pub fn gray(&self) -> Vec<f64> {
        let [r, g, b] = &self.rgb;
        let mix = |i: usize| GRAY[0] * f64::from(r[i]) + GRAY[1] * f64::from(g[i]) + GRAY[2] * f64::from(b[i]);
        (0..r.len()).map(mix).collect()
    }

    /// Canny's edges of the known part, 0 or 1.
    pub fn edges(&self, sigma: f32) -> Vec<f32> {
        let known: Vec<bool> = self.hole.iter().map(|&h| h < 0.5).collect();
        let edges = canny(&self.gray(), &known, self.size.0, self.size.1, f64::from(sigma));
        edges.into_iter().map(|e| if e { 1.0 } else { 0.0 }).collect()
    }

    /// Lets the user's edges stand inside the hole: `drawn` and `erased` are shares of each pixel, at the input's size.
    pub fn draw_edges(&self, edges: &mut [f32], drawn: &[f32], erased: &[f32]) {
        for (((edge, &hole), &drawn), &erased) in edges.iter_mut().zip(&self.hole).zip(drawn).zip(erased) {
            // A line thinner than a pixel is still a line.
            match hole > 0.5 {
                true if drawn > 0.25 => *edge = 1.0,
                true if erased > 0.5 => *edge = 0.0,
                _ => {}
            }
        }
    }

    /// The input tensors of a network with these conventions.
    pub fn inputs(&self, c: &Conventions, options: &FillOptions, planes: &Planes) -> Result<Vec<Tensor>> {
        let tensor = |input: &InputTensor| {
            let channels = input.channels.iter().map(|channel| self.channel(channel, c, options, planes));
            Tensor::new([1, input.channels.len(), self.size.1, self.size.0], channels.collect::<Vec<_>>().concat())
        };
        c.inputs.iter().map(tensor).collect()
    }

    /// One channel's values.
    fn channel(&self, channel: &Channel, c: &Conventions, options: &FillOptions, planes: &Planes) -> Vec<f32> {
        let (range, colour) = (channel.values(c), channel.source.colour());
        let mut values = match channel.source {
            Source::Constant(value) => vec![value; self.hole.len()],
            Source::Noise => noise(options.seed, self.hole.len()),
            Source::Masked(own) => self.masked_picture(&self.rgb[own as usize], colour, range, c.hole_value),
            Source::Gray => {
                let gray: Vec<f32> = self.gray().into_iter().map(|v| v as f32).collect();
                self.masked_picture(&gray, colour, range, c.hole_value)
            }
            Source::Second(own) if planes.second.is_none() && options.second_input == SecondInput::Photo => {
                self.masked_picture(&self.rgb[own as usize], colour, range, c.hole_value)
            }
            source => {
                let plane = self.plane(source, c, options, planes);
                plane.into_iter().map(|v| range.from_unit(v, colour)).collect()
            }
        };
        values.iter_mut().for_each(|value| *value += channel.offset);
        values
    }

    /// What a source shows, in 0..1; nothing where it was not given.
    fn plane(&self, source: Source, c: &Conventions, options: &FillOptions, planes: &Planes) -> Vec<f32> {
        let given = |source: Source| planes.given(source).map(<[f32]>::to_vec);
        let none = || vec![0.0; self.hole.len()];
        match source {
            Source::Mask => self.mask(c.mask_means),
            Source::Known => self.known(),
            Source::Whole(colour) => self.rgb[colour as usize].clone(),
            Source::KnownEdges => {
                let edges = given(source).unwrap_or_else(none);
                edges.iter().zip(&self.hole).map(|(edge, hole)| edge * (1.0 - hole)).collect()
            }
            Source::Second(colour) => match (&planes.second, options.second_input) {
                (Some(second), _) => second[colour as usize].clone(),
                (None, SecondInput::Edges) => given(Source::Edges).unwrap_or_else(none),
                (None, _) => self.mask(c.mask_means),
            },
            source => given(source).unwrap_or_else(none),
        }
    }
}

/// Numbers of the standard normal distribution (Box and Muller), the same for the same seed.
fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x2545_f491_4f6c_dd1d) | 1;
    // xorshift64*: its upper bits are random enough.
    let mut unit = move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as f32 / (1u32 << 24) as f32
    };
    let mut next = move || (-2.0 * (1.0 - unit()).ln()).sqrt() * (std::f32::consts::TAU * unit()).cos();
    (0..count).map(|_| next()).collect()
}

/// Planes in 0..1 at the input's size that do not follow from the photo and its mask alone.
#[derive(Default)]
pub struct Planes {
    /// The second picture.
    pub second: Option<[Vec<f32>; 3]>,
    /// Sources that were computed before: edges, and what other networks give.
    pub computed: Vec<(Source, Vec<f32>)>,
}

impl Planes {
    /// The plane that was computed for this source.
    pub fn given(&self, source: Source) -> Option<&[f32]> {
        self.computed.iter().find(|(own, _)| *own == source).map(|(_, plane)| plane.as_slice())
    }

    /// Computes a source anew.
    pub fn set(&mut self, source: Source, plane: Vec<f32>) {
        self.computed.retain(|(own, _)| *own != source);
        self.computed.push((source, plane));
    }
}

/// A name for people of what a channel shows.
pub fn label(channel: &Channel, second: bool, options: &FillOptions) -> &'static str {
    const RGB: [&str; 3] = ["red", "green", "blue"];
    const SECOND: [&str; 3] = ["red of the second photo", "green of the second photo", "blue of the second photo"];
    match channel.source {
        Source::Masked(colour) | Source::Whole(colour) => RGB[colour as usize],
        Source::Gray => "gray",
        Source::Mask => "mask",
        Source::Known => "known",
        Source::Edges | Source::KnownEdges => "edges",
        Source::Noise => "noise",
        Source::Constant(_) => "constant",
        Source::Second(colour) if second => SECOND[colour as usize],
        Source::Second(colour) => match options.second_input {
            SecondInput::Photo => RGB[colour as usize],
            SecondInput::Edges => "edges",
            SecondInput::Mask => "mask",
        },
    }
}
