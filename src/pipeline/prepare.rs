//! Pixels to tensors: one window at the network's size, in the network's own conventions.

use super::canny::canny;
use super::options::SecondInput;
use super::resample::{harmonic, resize};
use super::window::{Window, mirrored};
use super::{FillOptions, Rect};
use crate::error::Result;
use crate::models::{Conventions, HoleValue, InputKind, MaskMeans, Range};
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

/// A byte picture read through the window's mirrored borders, one plane in 0..1.
pub fn plane(
    bytes: &[u8],
    channels: usize,
    channel: usize,
    source: Rect,
    window: &Window,
    photo: (usize, usize),
) -> Vec<f32> {
    let (w, h) = window.size;
    let columns: Vec<usize> = (0..w).map(|x| mirrored(window.x + x as i64, photo.0) - source.x).collect();
    let mut out = Vec::with_capacity(w * h);
    for y in 0..h {
        let row = (mirrored(window.y + y as i64, photo.1) - source.y) * source.width;
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

    fn tensor(&self, planes: Vec<Vec<f32>>) -> Result<Tensor> {
        let count = planes.len();
        Tensor::new([1, count, self.size.1, self.size.0], planes.concat())
    }

    /// A plane in 0..1 as the network gets it: in its range, with its hole value.
    fn masked_picture(&self, plane: &[f32], range: Range, hole_value: HoleValue) -> Vec<f32> {
        let value = |v: f32| match range {
            Range::ZeroOne => v,
            Range::MinusOneOne => v * 2.0 - 1.0,
        };
        match hole_value {
            HoleValue::Constant(hole) => {
                plane.iter().zip(&self.hole).map(|(&v, &h)| if h > 0.5 { hole } else { value(v) }).collect()
            }
            HoleValue::Smooth => {
                let known: Vec<f32> = self.hole.iter().map(|h| 1.0 - h).collect();
                harmonic(plane, &known, self.size).into_iter().map(value).collect()
            }
        }
    }

    /// RGB in the range, with the hole set to the hole value.
    fn picture(&self, c: &Conventions) -> Vec<Vec<f32>> {
        self.rgb.iter().map(|plane| self.masked_picture(plane, c.input_range, c.hole_value)).collect()
    }

    fn mask(&self, c: &Conventions) -> Vec<f32> {
        match c.mask_means {
            MaskMeans::Hole => self.hole.clone(),
            MaskMeans::Known => self.hole.iter().map(|h| 1.0 - h).collect(),
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

    /// The edge generator's input: gray with the hole white, edges outside the hole, mask.
    pub fn edge_input(&self, edges: &[f32], c: &Conventions) -> Result<Tensor> {
        let gray: Vec<f32> = self.gray().into_iter().map(|v| v as f32).collect();
        let edges = edges.iter().zip(&self.hole).map(|(e, h)| e * (1.0 - h));
        self.tensor(vec![self.masked_picture(&gray, Range::ZeroOne, c.hole_value), edges.collect(), self.mask(c)])
    }

    /// A name for every channel of every input, in the order of [`Scene::inputs`].
    pub fn labels(c: &Conventions, second: bool, options: &FillOptions) -> Vec<Vec<&'static str>> {
        const RGB: [&str; 3] = ["red", "green", "blue"];
        let with = |last: &'static str| vec![[&RGB[..], &[last]].concat()];
        match c.inputs {
            InputKind::RgbMask => with("mask"),
            InputKind::RgbEdges => with("edges"),
            InputKind::GrayEdgesMask => vec![vec!["gray", "edges", "mask"]],
            InputKind::Score => vec![RGB.to_vec()],
            InputKind::Pair => {
                let other = match options.second_input {
                    _ if second => ["red of the second photo", "green of the second photo", "blue of the second photo"],
                    SecondInput::Photo => RGB,
                    SecondInput::Edges => ["edges"; 3],
                    SecondInput::Mask => ["mask"; 3],
                };
                vec![RGB.to_vec(), other.to_vec()]
            }
        }
    }

    /// The inputs of a network of this kind; `edges` and `second` are planes at the input's size.
    pub fn inputs(
        &self,
        c: &Conventions,
        options: &FillOptions,
        edges: Option<&[f32]>,
        second: Option<[Vec<f32>; 3]>,
    ) -> Result<Vec<Tensor>> {
        let mut picture = self.picture(c);
        Ok(match c.inputs {
            InputKind::RgbMask => {
                picture.push(self.mask(c));
                vec![self.tensor(picture)?]
            }
            InputKind::RgbEdges => {
                picture.push(edges.map_or_else(|| vec![0.0; self.hole.len()], <[f32]>::to_vec));
                vec![self.tensor(picture)?]
            }
            InputKind::Pair => {
                let signed = |plane: &[f32]| -> Vec<f32> {
                    match c.input_range {
                        Range::ZeroOne => plane.to_vec(),
                        Range::MinusOneOne => plane.iter().map(|v| v * 2.0 - 1.0).collect(),
                    }
                };
                let other = match (second, options.second_input, edges) {
                    (Some(planes), ..) => planes.iter().map(|plane| signed(plane)).collect(),
                    (None, SecondInput::Photo, _) => picture.clone(),
                    (None, SecondInput::Edges, Some(edges)) => vec![signed(edges); 3],
                    _ => vec![signed(&self.mask(c)); 3],
                };
                vec![self.tensor(picture)?, self.tensor(other)?]
            }
            InputKind::GrayEdgesMask => {
                let none = vec![0.0; self.hole.len()];
                vec![self.edge_input(edges.unwrap_or(&none), c)?]
            }
            InputKind::Score => vec![self.tensor(picture)?],
        })
    }
}
