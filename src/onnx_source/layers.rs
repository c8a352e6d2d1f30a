//! Operators with weights.

use super::call::Call;
use super::functions::{affine, difference, one, product, sum};
use super::places::{part, permuted};
use super::trace::Trace;
use super::value::Value;
use super::{Follow, Given};
use crate::checkpoint::onnx::Numbers;
use crate::network::ops::norm::Statistics;
use crate::network::ops::{
    BatchNorm2d, Conv2d, ConvTranspose2d, ConvTransposeWith, ConvWith, GroupNorm, InstanceNorm2d, LayerNorm, Linear,
    MatMul, PReLU, Pad2d, PaddingMode, Pair, Unary,
};

/// How the operators of this file are followed.
pub const OPERATORS: &[(&str, Follow)] = &[
    ("Conv", convolution),
    ("ConvTranspose", transposed),
    ("BatchNormalization", batch_norm),
    ("InstanceNormalization", instance_norm),
    ("LayerNormalization", layer_norm),
    ("GroupNormalization", group_norm),
    ("PRelu", prelu),
    ("Gemm", gemm),
    ("MatMul", |t, c| one(matmul(t, c.input(0)?, c.input(1)?))),
];

/// What a convolution's window does, and what is padded before and behind: `[[top, left], [bottom, right]]`.
struct Window {
    kernel: Pair,
    stride: Pair,
    dilation: Pair,
    pads: [Pair; 2],
}

fn sides_of(weight: &Value) -> Result<[usize; 4], String> {
    let sides = weight.shape.sides();
    sides.try_into().map_err(|_| format!("its weight has the shape {sides:?}, and infill runs those of pictures"))
}

/// Pads as ONNX lists them, all before those behind.
fn pads(call: &Call<'_>) -> Result<[Pair; 2], String> {
    let Some(list) = call.ints("pads")? else { return Ok([(0, 0); 2]) };
    let sides: Vec<usize> = list.iter().filter_map(|&pad| usize::try_from(pad).ok()).collect();
    match sides[..] {
        [top, left, bottom, right] if list.len() == 4 => Ok([(top, left), (bottom, right)]),
        _ => Err(format!("its pads {list:?} are not four numbers")),
    }
}

/// The pads of `auto_pad` for a side.
fn same(side: usize, kernel: usize, stride: usize, dilation: usize, is_upper: bool) -> (usize, usize) {
    let reach = kernel.saturating_sub(1).saturating_mul(dilation).saturating_add(1);
    let out = side.div_ceil(stride.max(1));
    let all = out.saturating_sub(1).saturating_mul(stride).saturating_add(reach).saturating_sub(side);
    let (less, more) = (all / 2, all - all / 2);
    if is_upper { (less, more) } else { (more, less) }
}

fn window(call: &Call<'_>, x: &Value, kernel: Pair) -> Result<Window, String> {
    let (stride, dilation) = (call.pair("strides", 1)?, call.pair("dilations", 1)?);
    let auto = call.text("auto_pad", "NOTSET")?;
    let pads = match auto {
        "NOTSET" | "" => pads(call)?,
        "VALID" => [(0, 0); 2],
        "SAME_UPPER" | "SAME_LOWER" => {
            let (_, height, width) = x.shape.planes()?;
            let is_upper = auto == "SAME_UPPER";
            let rows = same(height, kernel.0, stride.0, dilation.0, is_upper);
            let columns = same(width, kernel.1, stride.1, dilation.1, is_upper);
            [(rows.0, columns.0), (rows.1, columns.1)]
        }
        other => return Err(format!("its auto_pad is {other}")),
    };
    Ok(Window { kernel, stride, dilation, pads })
}

/// Zeros around a picture: top, left, bottom, right.
pub fn zero_padded(trace: &mut Trace<'_>, x: &Value, [before, behind]: [Pair; 2]) -> Result<Value, String> {
    let pad = Pad2d { left: before.1, right: behind.1, top: before.0, bottom: behind.0, mode: PaddingMode::Zeros };
    trace.emit(pad, std::slice::from_ref(x))
}

/// The keys of weight and bias, if both are weights as the file holds them.
fn keys(weight: &Value, bias: Option<&Value>, outputs: usize) -> Option<Vec<String>> {
    let mut keys = vec![weight.key()?.to_string()];
    if let Some(bias) = bias {
        keys.push(bias.key().filter(|_| bias.shape.elements() == outputs as u64)?.to_string());
    }
    Some(keys)
}

fn convolution(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let (mut x, weight, bias) = (call.input(0)?.clone(), call.input(1)?, call.given(2));
    let [outputs, each, kh, kw] = sides_of(weight)?;
    let groups = call.count("group", 1)?;
    let Window { kernel, stride, dilation, pads } = window(call, &x, (kh, kw))?;
    let padding = if pads[0] == pads[1] { pads[0] } else { (0, 0) };
    if padding != pads[0] || padding != pads[1] {
        x = zero_padded(trace, &x, pads)?;
    }
    match keys(weight, bias, outputs) {
        Some(keys) => {
            let channels = each.checked_mul(groups).ok_or("there are too many groups")?;
            let layer = Conv2d::new(channels, outputs, kernel).stride(stride).padding(padding).dilation(dilation);
            one(trace.emit_keyed(layer.groups(groups).bias(bias.is_some()), &x, keys))
        }
        None => {
            let inputs: Vec<Value> = [x, weight.clone()].into_iter().chain(bias.cloned()).collect();
            one(trace.emit(ConvWith { stride, padding, dilation, groups }, &inputs))
        }
    }
}

/// How much is cut away of what a transposed convolution gives, and by how much that is longer than its input asks:
/// padding before and behind, and the padding of the output.
fn cropping(call: &Call<'_>, x: &Value, kernel: Pair) -> Result<([Pair; 2], Pair), String> {
    let (stride, dilation) = (call.pair("strides", 1)?, call.pair("dilations", 1)?);
    let output_padding = call.pair("output_padding", 0)?;
    let auto = call.text("auto_pad", "NOTSET")?;
    let target = match (call.ints("output_shape")?, auto) {
        (None, "NOTSET" | "") => return Ok((pads(call)?, output_padding)),
        (None, "VALID") => return Ok(([(0, 0); 2], output_padding)),
        (Some(_), _) => call.pair("output_shape", 0)?,
        (None, _) => {
            let (_, height, width) = x.shape.planes()?;
            (height.saturating_mul(stride.0), width.saturating_mul(stride.1))
        }
    };
    let (_, height, width) = x.shape.planes()?;
    let side = |side: usize, stride: usize, kernel: usize, dilation: usize, out: usize, target: usize| {
        let whole = side.saturating_sub(1).saturating_mul(stride).saturating_add(out);
        let whole = whole.saturating_add(kernel.saturating_sub(1).saturating_mul(dilation)).saturating_add(1);
        let all = whole.checked_sub(target).ok_or_else(|| format!("its output side {target} is too large"))?;
        // By the standard the larger half lies behind, unless the upper side is to be alike.
        Ok::<_, String>(if auto == "SAME_UPPER" { (all / 2, all - all / 2) } else { (all - all / 2, all / 2) })
    };
    let rows = side(height, stride.0, kernel.0, dilation.0, output_padding.0, target.0)?;
    let columns = side(width, stride.1, kernel.1, dilation.1, output_padding.1, target.1)?;
    Ok(([(rows.0, columns.0), (rows.1, columns.1)], output_padding))
}

fn transposed(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let (x, weight, bias) = (call.input(0)?, call.input(1)?, call.given(2));
    let [channels, each, kh, kw] = sides_of(weight)?;
    let groups = call.count("group", 1)?;
    let outputs = each.checked_mul(groups).ok_or("there are too many groups")?;
    let (stride, dilation) = (call.pair("strides", 1)?, call.pair("dilations", 1)?);
    let (pads, output_padding) = cropping(call, x, (kh, kw))?;
    let padding = if pads[0] == pads[1] { pads[0] } else { (0, 0) };
    let y = match keys(weight, bias, outputs) {
        Some(keys) => {
            let layer = ConvTranspose2d::new(channels, outputs, (kh, kw)).stride(stride).padding(padding);
            let layer = layer.output_padding(output_padding).dilation(dilation).groups(groups);
            trace.emit_keyed(layer.bias(bias.is_some()), x, keys)?
        }
        None => {
            let inputs: Vec<Value> = [x.clone(), weight.clone()].into_iter().chain(bias.cloned()).collect();
            trace.emit(ConvTransposeWith { stride, padding, output_padding, dilation, groups }, &inputs)?
        }
    };
    if padding == pads[0] && padding == pads[1] {
        return Ok(vec![y]);
    }
    let (_, height, width) = y.shape.planes()?;
    let kept = |side: usize, before: usize, behind: usize| {
        side.checked_sub(before.saturating_add(behind)).filter(|&kept| kept > 0).ok_or("nothing is left of it")
    };
    let y = part(trace, &y, 2, pads[0].0, kept(height, pads[0].0, pads[1].0)?)?;
    one(part(trace, &y, 3, pads[0].1, kept(width, pads[0].1, pads[1].1)?))
}

/// `[C]` as a value that lies along the channels of another.
fn along_channels(trace: &mut Trace<'_>, value: &Value, rank: usize) -> Result<Value, String> {
    let sides: Vec<usize> =
        (0..rank.max(2)).map(|dim| if dim == 1 { value.shape.elements() as usize } else { 1 }).collect();
    trace.reshaped(value, &sides)
}

fn batch_norm(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let x = call.input(0)?;
    let own = [1, 2, 3, 4].map(|index| call.input(index));
    let [weight, bias, mean, var] = own;
    let (weight, bias, mean, var) = (weight?, bias?, mean?, var?);
    let eps = f64::from(call.float("epsilon", 1e-5)?);
    let is_training = call.int("training_mode", 0)? != 0;
    let features = weight.shape.elements() as usize;
    if [bias, mean, var].iter().any(|one| one.shape.elements() != features as u64) {
        return Err("its factors, summands and statistics differ in number".to_owned());
    }
    let sides = x.shape.sides().to_vec();
    let keys: Option<Vec<String>> =
        [weight, bias, mean, var].map(|one| one.key().map(|key| key.to_string())).into_iter().collect();
    match keys {
        Some(mut keys) if (2..=4).contains(&sides.len()) => {
            keys.push(format!("{}.num_batches_tracked", trace.path()));
            let statistics = if is_training { Statistics::Picture } else { Statistics::Stored };
            let norm = BatchNorm2d { eps, statistics, ..BatchNorm2d::new(features) };
            let mut pixels = sides.clone();
            pixels.resize(4, 1);
            let plane = trace.reshaped(x, &pixels)?;
            let y = trace.emit_keyed(norm, &plane, keys)?;
            one(trace.reshaped(&y, &sides))
        }
        _ if is_training => Err("its statistics are the picture's, and its weights are computed".to_owned()),
        _ => {
            let wide = affine(trace, var, 1.0, eps as f32)?;
            let scale = trace.emit(Unary::Rsqrt, &[wide])?;
            let scale = product(trace, &scale, weight)?;
            let [scale, mean, bias] = [&scale, mean, bias].map(|one| along_channels(trace, one, sides.len()));
            let centred = difference(trace, x, &mean?)?;
            let scaled = product(trace, &centred, &scale?)?;
            one(sum(trace, &scaled, &bias?))
        }
    }
}

/// Whether all numbers are known to be this one.
fn all_are(value: &Value, number: f32) -> bool {
    match value.numbers() {
        Some(Numbers::Floats(list)) => list.iter().all(|&own| own == number),
        _ => false,
    }
}

/// Scale and offset of a norm, where the norm has none of its own.
fn scaled(trace: &mut Trace<'_>, x: &Value, weight: &Value, bias: &Value) -> Given {
    let mut y = x.clone();
    if !all_are(weight, 1.0) {
        let weight = along_channels(trace, weight, x.rank())?;
        y = product(trace, &y, &weight)?;
    }
    if !all_are(bias, 0.0) {
        let bias = along_channels(trace, bias, x.rank())?;
        y = sum(trace, &y, &bias)?;
    }
    Ok(vec![y])
}

fn instance_norm(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let (x, weight, bias) = (call.input(0)?, call.input(1)?, call.input(2)?);
    let eps = f64::from(call.float("epsilon", 1e-5)?);
    let sides = x.shape.sides().to_vec();
    let features = *sides.get(1).ok_or("it has no channels")?;
    // Exporters write a group norm as the norm of one row per group.
    let plane = match sides[..] {
        [n, c, length] => trace.reshaped(x, &[n, c, length, 1])?,
        [_, _, _, _] => x.clone(),
        _ => return Err(format!("it norms a value of shape {sides:?}")),
    };
    let is_plain = all_are(weight, 1.0) && all_are(bias, 0.0);
    let has_all = weight.shape.elements() == features as u64;
    let keys = keys(weight, Some(bias), features).filter(|_| has_all && !is_plain);
    let norm = InstanceNorm2d { eps, affine: keys.is_some(), ..InstanceNorm2d::new(features) };
    let is_affine = keys.is_some();
    let y = trace.emit_keyed(norm, &plane, keys.unwrap_or_default())?;
    let y = trace.reshaped(&y, &sides)?;
    if is_affine || is_plain { Ok(vec![y]) } else { scaled(trace, &y, weight, bias) }
}

fn layer_norm(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let (x, weight, bias) = (call.input(0)?, call.input(1)?, call.given(2));
    let axis = x.axis(call.int("axis", -1)?)?;
    let normalized_shape = x.shape.sides()[axis..].to_vec();
    let eps = f64::from(call.float("epsilon", 1e-5)?);
    let fits = |value: &&Value| value.shape.sides() == normalized_shape;
    let keys: Option<Vec<String>> = [Some(weight), bias]
        .into_iter()
        .flatten()
        .map(|one| one.key().filter(|_| fits(&one)))
        .map(|key| Some(key?.to_string()))
        .collect();
    let elementwise_affine = keys.is_some();
    let norm = LayerNorm { normalized_shape, eps, elementwise_affine, bias: bias.is_some() && elementwise_affine };
    let y = trace.emit_keyed(norm, x, keys.unwrap_or_default())?;
    if elementwise_affine {
        return Ok(vec![y]);
    }
    let y = product(trace, &y, weight)?;
    match bias {
        Some(bias) => one(sum(trace, &y, bias)),
        None => Ok(vec![y]),
    }
}

fn group_norm(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let (x, weight, bias) = (call.input(0)?, call.input(1)?, call.input(2)?);
    let num_groups = call.count("num_groups", 0)?;
    let num_channels = *x.shape.sides().get(1).ok_or("it has no channels")?;
    let eps = f64::from(call.float("epsilon", 1e-5)?);
    // Before opset 21 there is one factor for each group.
    if weight.shape.elements() != num_channels as u64 {
        return Err(format!("it has {} factors for {num_channels} channels", weight.shape.elements()));
    }
    let keys = keys(weight, Some(bias), num_channels);
    let norm = GroupNorm { num_groups, num_channels, eps, affine: keys.is_some() };
    let is_affine = keys.is_some();
    let y = trace.emit_keyed(norm, x, keys.unwrap_or_default())?;
    if is_affine { Ok(vec![y]) } else { scaled(trace, &y, weight, bias) }
}

fn prelu(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let (x, slope) = (call.input(0)?, call.input(1)?);
    let count = slope.shape.elements() as usize;
    // `[C, 1, 1]`: the channels are the first of its dimensions, and the second of four of the picture's.
    let lies_right = count == 1
        || slope.rank() + 1 == x.rank() && slope.shape.sides().first() == Some(&count)
        || slope.rank() == x.rank() && slope.shape.sides().get(1) == Some(&count);
    match slope.key() {
        Some(key) if lies_right => {
            let prelu = PReLU { num_parameters: count };
            one(trace.emit_keyed(prelu, x, vec![key.to_string()]))
        }
        _ => {
            let above = trace.emit(crate::network::ops::Activation::ReLU, std::slice::from_ref(x))?;
            let below = difference(trace, x, &above)?;
            let below = product(trace, &below, slope)?;
            one(sum(trace, &above, &below))
        }
    }
}

fn gemm(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let (a, b, c) = (call.input(0)?, call.input(1)?, call.given(2));
    let (alpha, beta) = (call.float("alpha", 1.0)?, call.float("beta", 1.0)?);
    let (turns_a, turns_b) = (call.int("transA", 0)? != 0, call.int("transB", 0)? != 0);
    let turned = |trace: &mut Trace<'_>, x: &Value, turns: bool| match turns {
        true => permuted(trace, x, vec![1, 0]),
        false => Ok(x.clone()),
    };
    if let (&[out_features, in_features], true) = (b.shape.sides(), turns_b && !turns_a && alpha == 1.0 && beta == 1.0)
        && let Some(keys) = keys(b, c, out_features)
    {
        let linear = Linear { in_features, out_features, bias: c.is_some() };
        return one(trace.emit_keyed(linear, a, keys));
    }
    let (a, b) = (turned(trace, a, turns_a)?, turned(trace, b, turns_b)?);
    let mut y = trace.emit(MatMul, &[a, b])?;
    if alpha != 1.0 {
        y = affine(trace, &y, alpha, 0.0)?;
    }
    let Some(c) = c else { return Ok(vec![y]) };
    let c = if beta == 1.0 { c.clone() } else { affine(trace, c, beta, 0.0)? };
    one(sum(trace, &y, &c))
}

/// `a @ b`; a row or column of one dimension is a matrix whose other side is 1.
pub fn matmul(trace: &mut Trace<'_>, a: &Value, b: &Value) -> Result<Value, String> {
    let (is_row, is_column) = (a.rank() == 1, b.rank() == 1);
    let row = if is_row { trace.reshaped(a, &[1, a.shape.elements() as usize])? } else { a.clone() };
    let column = if is_column { trace.reshaped(b, &[b.shape.elements() as usize, 1])? } else { b.clone() };
    let y = trace.emit(MatMul, &[row, column])?;
    let mut sides = y.shape.sides().to_vec();
    if is_column {
        sides.pop();
    }
    if is_row {
        sides.remove(sides.len() - if is_column { 1 } else { 2 });
    }
    trace.reshaped(&y, &sides)
}
