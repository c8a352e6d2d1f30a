//! Operations without weights, on NHWC values.

use super::{Value, reflected};
use crate::network::{Activation, Pad2d, UpsampleMode};

/// Channels outermost to channels innermost.
pub fn from_nchw(planes: &[f32], channels: usize, height: usize, width: usize) -> Value {
    let area = height * width;
    let mut value = Value::zeros(channels, height, width);
    for (c, plane) in planes.chunks_exact(area.max(1)).enumerate() {
        for (pixel, v) in value.data.chunks_exact_mut(channels).zip(plane) {
            pixel[c] = *v;
        }
    }
    value
}

/// Channels innermost to channels outermost.
pub fn to_nchw(x: &Value) -> Vec<f32> {
    let mut out = Vec::with_capacity(x.data.len());
    for c in 0..x.channels {
        out.extend(x.data.iter().skip(c).step_by(x.channels));
    }
    out
}

/// A padding layer.
pub fn pad(p: &Pad2d, x: &Value) -> Value {
    let (height, width) = (x.height + p.top + p.bottom, x.width + p.left + p.right);
    let mut out = Value::zeros(x.channels, height, width);
    let columns: Vec<Option<usize>> =
        (0..width).map(|c| reflected(c as isize - p.left as isize, x.width, p.mode)).collect();
    for (y, row) in out.data.chunks_exact_mut(width * x.channels).enumerate() {
        let Some(from) = reflected(y as isize - p.top as isize, x.height, p.mode) else { continue };
        let line = &x.data[from * x.width * x.channels..][..x.width * x.channels];
        for (pixel, column) in row.chunks_exact_mut(x.channels).zip(&columns) {
            if let Some(column) = column {
                pixel.copy_from_slice(&line[column * x.channels..][..x.channels]);
            }
        }
    }
    out
}

/// `nn.Upsample`: nearest, or bilinear with `align_corners=False`.
pub fn upsample(scale: usize, mode: UpsampleMode, x: &Value) -> Value {
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
    let c = x.channels;
    let (rows, columns) = (taps(x.height), taps(x.width));
    let mut out = Value::zeros(c, x.height * scale, x.width * scale);
    let mut mixed = vec![0.0f32; x.width * c];
    for (row, &(y0, y1, fy)) in out.data.chunks_exact_mut(x.width * scale * c).zip(&rows) {
        let (above, below) = (&x.data[y0 * x.width * c..][..x.width * c], &x.data[y1 * x.width * c..][..x.width * c]);
        for ((m, a), b) in mixed.iter_mut().zip(above).zip(below) {
            *m = a + (b - a) * fy;
        }
        for (pixel, &(x0, x1, fx)) in row.chunks_exact_mut(c).zip(&columns) {
            let (left, right) = (&mixed[x0 * c..][..c], &mixed[x1 * c..][..c]);
            for ((v, a), b) in pixel.iter_mut().zip(left).zip(right) {
                *v = a + (b - a) * fx;
            }
        }
    }
    out
}

/// `torch.cat(.., dim=1)`.
pub fn cat(args: &[&Value]) -> Value {
    let channels = args.iter().map(|a| a.channels).sum();
    let mut out = Value::zeros(channels, args[0].height, args[0].width);
    let mut start = 0;
    for arg in args {
        for (pixel, from) in out.data.chunks_exact_mut(channels).zip(arg.data.chunks_exact(arg.channels)) {
            pixel[start..start + arg.channels].copy_from_slice(from);
        }
        start += arg.channels;
    }
    out
}

/// Element-wise sum.
pub fn add(args: &[&Value]) -> Value {
    let mut out = args[0].clone();
    for arg in &args[1..] {
        out.data.iter_mut().zip(&arg.data).for_each(|(a, b)| *a += b);
    }
    out
}

/// `nn.InstanceNorm2d` without parameters, and the activation after it. Two passes: mean, then variance around it.
pub fn instance_norm(eps: f64, activation: Option<Activation>, mut x: Value) -> Value {
    let c = x.channels;
    let count = (x.height * x.width) as f64;
    let (mut mean, mut var) = (vec![0.0f64; c], vec![0.0f64; c]);
    // Rows are summed in f32, the rows' sums in f64: exact enough and quick.
    let per_row = |row: &[f32], sums: &mut [f64], term: &dyn Fn(usize, f32) -> f32| {
        let mut line = vec![0.0f32; c];
        for pixel in row.chunks_exact(c) {
            line.iter_mut().zip(pixel).enumerate().for_each(|(i, (sum, &v))| *sum += term(i, v));
        }
        sums.iter_mut().zip(line).for_each(|(sum, v)| *sum += f64::from(v));
    };
    for row in x.data.chunks_exact(x.width * c) {
        per_row(row, &mut mean, &|_, v| v);
    }
    let centre: Vec<f32> = mean.iter().map(|m| (m / count) as f32).collect();
    for row in x.data.chunks_exact(x.width * c) {
        per_row(row, &mut var, &|i, v| (v - centre[i]) * (v - centre[i]));
    }
    let factor: Vec<f32> = var.iter().map(|v| (1.0 / (v / count + eps).sqrt()) as f32).collect();
    for pixel in x.data.chunks_exact_mut(c) {
        for ((v, m), f) in pixel.iter_mut().zip(&centre).zip(&factor) {
            *v = (*v - m) * f;
        }
    }
    match activation {
        Some(activation) => activate(activation, x),
        None => x,
    }
}

/// `x * scale + offset` per channel.
pub fn scale(scale: &[f32], offset: &[f32], mut x: Value) -> Value {
    for pixel in x.data.chunks_exact_mut(x.channels) {
        for ((v, s), o) in pixel.iter_mut().zip(scale).zip(offset) {
            *v = *v * s + o;
        }
    }
    x
}

/// `x * scale + offset`.
pub fn affine(scale: f32, offset: f32, mut x: Value) -> Value {
    x.data.iter_mut().for_each(|v| *v = *v * scale + offset);
    x
}

/// An activation, in place.
pub fn activate(activation: Activation, mut x: Value) -> Value {
    activate_slice(activation, &mut x.data);
    x
}

/// An activation over any values.
pub fn activate_slice(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::ReLU => values.iter_mut().for_each(|v| *v = v.max(0.0)),
        Activation::LeakyReLU { slope } => values.iter_mut().for_each(|v| *v = if *v > 0.0 { *v } else { *v * slope }),
        Activation::Sigmoid => values.iter_mut().for_each(|v| *v = 1.0 / (1.0 + (-*v).exp())),
        Activation::Tanh => values.iter_mut().for_each(|v| *v = v.tanh()),
    }
}
