//! Operations as plain loops that can be read beside PyTorch's documentation: what candle lacks.

use super::WeightSource;
use crate::error::{Code, Error, Result};
use crate::network::{
    BatchNorm2d, Conv2d, ConvTranspose2d, InstanceNorm2d, Node, Op, Pad2d, ParameterKind, UpsampleMode,
};

/// A parameter's name within its module, its shape and its values.
pub type Taken = (&'static str, Vec<usize>, Vec<f32>);

/// Takes one node's parameters.
pub fn take(node: &Node, weights: &mut dyn WeightSource) -> Result<Vec<Taken>> {
    let mut taken = Vec::new();
    for (name, shape, kind) in node.op.parameters() {
        if kind == ParameterKind::Counter {
            continue;
        }
        let key = format!("{}.{name}", node.path);
        let values = weights.take(&key)?;
        if values.len() != shape.iter().product::<usize>() {
            let text = format!("{key} has {} values, but its shape is {shape:?}.", values.len());
            return Err(Error::new(Code::Internal, text));
        }
        taken.push((name, shape, values));
    }
    Ok(taken)
}

/// NCHW values.
pub struct Planes {
    /// `(N, C, H, W)`.
    pub shape: (usize, usize, usize, usize),
    /// Row-major.
    pub data: Vec<f32>,
}

impl Planes {
    fn zeros(n: usize, c: usize, h: usize, w: usize) -> Self {
        Self { shape: (n, c, h, w), data: vec![0.0; n * c * h * w] }
    }
}

/// Looks a parameter up by its name within the module.
type Parameters<'a> = &'a dyn Fn(&str) -> Option<&'a [f32]>;

/// One operation; `internal` error for those that candle runs.
pub fn forward<'a>(op: &Op, x: &Planes, parameter: Parameters<'a>) -> Result<Planes> {
    match op {
        Op::Conv2d(conv) => conv2d(conv, x, required(parameter, "weight")?, parameter("bias")),
        Op::ConvTranspose2d(conv) => conv_transpose2d(conv, x, required(parameter, "weight")?, parameter("bias")),
        Op::BatchNorm2d(norm) => batch_norm(norm, x, parameter),
        Op::InstanceNorm2d(norm) => instance_norm(norm, x, parameter),
        Op::Pad2d(p) => Ok(pad(p, x)),
        Op::Upsample { scale, mode } => Ok(upsample(*scale, *mode, x)),
        _ => Err(Error::new(Code::Internal, format!("{} has no plain form", op.name()))),
    }
}

fn required<'a>(parameter: Parameters<'a>, name: &str) -> Result<&'a [f32]> {
    parameter(name).ok_or_else(|| Error::new(Code::Internal, format!("parameter {name} was not taken")))
}

fn too_small() -> Error {
    Error::new(Code::InputShape, "Calculated output size is too small")
}

/// `torch.nn.functional.conv2d`, with every padding mode.
fn conv2d(conv: &Conv2d, x: &Planes, weight: &[f32], bias: Option<&[f32]>) -> Result<Planes> {
    let (n, c, h, w) = x.shape;
    let (oh, ow) = conv.output_size(h, w).ok_or_else(too_small)?;
    let ((kh, kw), (sh, sw), (dh, dw), (ph, pw)) = (conv.kernel_size, conv.stride, conv.dilation, conv.padding);
    let (group_in, group_out) = (c / conv.groups, conv.out_channels / conv.groups);
    let mut out = Planes::zeros(n, conv.out_channels, oh, ow);
    for image in 0..n {
        for oc in 0..conv.out_channels {
            let target = &mut out.data[(image * conv.out_channels + oc) * oh * ow..][..oh * ow];
            target.fill(bias.map_or(0.0, |b| b[oc]));
            for ic in 0..group_in {
                let plane = &x.data[(image * c + oc / group_out * group_in + ic) * h * w..][..h * w];
                let taps = &weight[(oc * group_in + ic) * kh * kw..][..kh * kw];
                for (y, row) in target.chunks_exact_mut(ow).enumerate() {
                    for ky in 0..kh {
                        let Some(iy) = conv.padding_mode.source((y * sh + ky * dh) as isize - ph as isize, h) else {
                            continue;
                        };
                        for (x, value) in row.iter_mut().enumerate() {
                            for kx in 0..kw {
                                if let Some(ix) = conv.padding_mode.source((x * sw + kx * dw) as isize - pw as isize, w)
                                {
                                    *value += plane[iy * w + ix] * taps[ky * kw + kx];
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    Ok(out)
}

/// `torch.nn.functional.conv_transpose2d`: every input pixel adds its scaled kernel to the output.
fn conv_transpose2d(conv: &ConvTranspose2d, x: &Planes, weight: &[f32], bias: Option<&[f32]>) -> Result<Planes> {
    let (n, c, h, w) = x.shape;
    let (oh, ow) = conv.output_size(h, w).ok_or_else(too_small)?;
    let ((kh, kw), (sh, sw), (dh, dw), (ph, pw)) = (conv.kernel_size, conv.stride, conv.dilation, conv.padding);
    let (group_in, group_out) = (c / conv.groups, conv.out_channels / conv.groups);
    let mut out = Planes::zeros(n, conv.out_channels, oh, ow);
    for image in 0..n {
        for oc in 0..conv.out_channels {
            let target = &mut out.data[(image * conv.out_channels + oc) * oh * ow..][..oh * ow];
            target.fill(bias.map_or(0.0, |b| b[oc]));
            let group = oc / group_out;
            for ic in group * group_in..(group + 1) * group_in {
                let plane = &x.data[(image * c + ic) * h * w..][..h * w];
                let taps = &weight[(ic * group_out + oc % group_out) * kh * kw..][..kh * kw];
                for iy in 0..h {
                    for ky in 0..kh {
                        let Some(oy) = (iy * sh + ky * dh).checked_sub(ph).filter(|&y| y < oh) else { continue };
                        for ix in 0..w {
                            for kx in 0..kw {
                                let Some(ox) = (ix * sw + kx * dw).checked_sub(pw).filter(|&x| x < ow) else {
                                    continue;
                                };
                                target[oy * ow + ox] += plane[iy * w + ix] * taps[ky * kw + kx];
                            }
                        }
                    }
                }
            }
        }
    }
    Ok(out)
}

fn batch_norm<'a>(norm: &BatchNorm2d, x: &Planes, parameter: Parameters<'a>) -> Result<Planes> {
    let (mean, var) = (required(parameter, "running_mean")?, required(parameter, "running_var")?);
    let (weight, bias) = (parameter("weight"), parameter("bias"));
    Ok(by_channel(x, |c, plane| {
        normalise(plane, f64::from(mean[c]), f64::from(var[c]), norm.eps, weight.map(|w| w[c]), bias.map(|b| b[c]));
    }))
}

fn instance_norm<'a>(norm: &InstanceNorm2d, x: &Planes, parameter: Parameters<'a>) -> Result<Planes> {
    let (weight, bias) = (parameter("weight"), parameter("bias"));
    let tracked = match norm.track_running_stats {
        true => Some((required(parameter, "running_mean")?, required(parameter, "running_var")?)),
        false => None,
    };
    Ok(by_channel(x, |c, plane| {
        let (mean, var) = match tracked {
            Some((mean, var)) => (f64::from(mean[c]), f64::from(var[c])),
            None => {
                let count = plane.len() as f64;
                let mean = plane.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
                let var = plane.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count;
                (mean, var)
            }
        };
        normalise(plane, mean, var, norm.eps, weight.map(|w| w[c]), bias.map(|b| b[c]));
    }))
}

fn by_channel(x: &Planes, mut change: impl FnMut(usize, &mut [f32])) -> Planes {
    let (_, c, h, w) = x.shape;
    let mut out = Planes { shape: x.shape, data: x.data.clone() };
    for (index, plane) in out.data.chunks_exact_mut(h * w).enumerate() {
        change(index % c, plane);
    }
    out
}

fn normalise(plane: &mut [f32], mean: f64, var: f64, eps: f64, weight: Option<f32>, bias: Option<f32>) {
    let scale = f64::from(weight.unwrap_or(1.0)) / (var + eps).sqrt();
    let offset = f64::from(bias.unwrap_or(0.0)) - mean * scale;
    for value in plane {
        *value = (f64::from(*value) * scale + offset) as f32;
    }
}

fn pad(p: &Pad2d, x: &Planes) -> Planes {
    let (n, c, h, w) = x.shape;
    let (oh, ow) = (h + p.top + p.bottom, w + p.left + p.right);
    let mut out = Planes::zeros(n, c, oh, ow);
    for (plane, target) in x.data.chunks_exact(h * w).zip(out.data.chunks_exact_mut(oh * ow)) {
        for (y, row) in target.chunks_exact_mut(ow).enumerate() {
            let Some(iy) = p.mode.source(y as isize - p.top as isize, h) else { continue };
            for (x, value) in row.iter_mut().enumerate() {
                *value = p.mode.source(x as isize - p.left as isize, w).map_or(0.0, |ix| plane[iy * w + ix]);
            }
        }
    }
    out
}

/// `nn.Upsample`: nearest, or bilinear with `align_corners=False`.
fn upsample(scale: usize, mode: UpsampleMode, x: &Planes) -> Planes {
    let (n, c, h, w) = x.shape;
    let (oh, ow) = (h * scale, w * scale);
    let mut out = Planes::zeros(n, c, oh, ow);
    let taps = |size: usize| -> Vec<(usize, usize, f32)> {
        let tap = |o: usize| match mode {
            UpsampleMode::Nearest => (o / scale, o / scale, 0.0),
            UpsampleMode::Bilinear => {
                let at = ((o as f32 + 0.5) / scale as f32 - 0.5).max(0.0);
                let low = (at as usize).min(size - 1);
                (low, (low + 1).min(size - 1), at - low as f32)
            }
        };
        (0..size * scale).map(tap).collect()
    };
    let (rows, columns) = (taps(h), taps(w));
    for (plane, target) in x.data.chunks_exact(h * w).zip(out.data.chunks_exact_mut(oh * ow)) {
        for (row, &(y0, y1, fy)) in target.chunks_exact_mut(ow).zip(&rows) {
            let (above, below) = (&plane[y0 * w..][..w], &plane[y1 * w..][..w]);
            for (value, &(x0, x1, fx)) in row.iter_mut().zip(&columns) {
                let mix = |line: &[f32]| line[x0] + (line[x1] - line[x0]) * fx;
                let (a, b) = (mix(above), mix(below));
                *value = a + (b - a) * fy;
            }
        }
    }
    out
}
