//! PyTorch's layers and functions by name, with their arguments.

use std::collections::HashMap;

use super::at;
use super::value::{Module, Value};
use crate::error::Result;
use crate::network::{
    Activation, BatchNorm2d, Conv2d, ConvTranspose2d, InstanceNorm2d, Op, Pad2d, PaddingMode, Pair, UpsampleMode,
    unsigned,
};

/// The arguments of one call, looked up by place or name.
struct Arguments<'a> {
    layer: &'a str,
    args: &'a [Value],
    named: &'a HashMap<String, Value>,
    line: usize,
}

impl Arguments<'_> {
    fn get(&self, place: usize, name: &str) -> Option<&Value> {
        self.args.get(place).or_else(|| self.named.get(name))
    }

    fn wrong<T>(&self, name: &str) -> Result<T> {
        at(self.line, format!("{}: the argument {name} is not read like this", self.layer))
    }

    fn size(&self, name: &str, value: &Value) -> Result<usize> {
        match value {
            Value::Int(number) => {
                unsigned(name, *number).or_else(|text| at(self.line, format!("{}: {text}", self.layer)))
            }
            _ => self.wrong(name),
        }
    }

    fn number(&self, place: usize, name: &str, default: Option<usize>) -> Result<usize> {
        match (self.get(place, name), default) {
            (Some(value), _) => self.size(name, value),
            (None, Some(default)) => Ok(default),
            (None, None) => at(self.line, format!("{} needs the argument {name}", self.layer)),
        }
    }

    /// An int, or (height, width).
    fn pair(&self, place: usize, name: &str, default: Option<usize>) -> Result<Pair> {
        match self.get(place, name) {
            Some(Value::List(sides)) if sides.len() == 2 => {
                Ok((self.size(name, &sides[0])?, self.size(name, &sides[1])?))
            }
            Some(Value::List(_)) => self.wrong(name),
            _ => self.number(place, name, default).map(|side| (side, side)),
        }
    }

    fn flag(&self, place: usize, name: &str, default: bool) -> Result<bool> {
        match self.get(place, name) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::Int(number)) => Ok(*number != 0),
            Some(_) => self.wrong(name),
        }
    }

    fn float(&self, place: usize, name: &str, default: f64) -> Result<f64> {
        match self.get(place, name) {
            None => Ok(default),
            Some(Value::Float(number)) => Ok(*number),
            Some(Value::Int(number)) => Ok(*number as f64),
            Some(_) => self.wrong(name),
        }
    }

    fn padding_mode(&self, place: usize) -> Result<PaddingMode> {
        match self.get(place, "padding_mode") {
            None => Ok(PaddingMode::Zeros),
            Some(Value::Text(text)) => match text.as_str() {
                "zeros" => Ok(PaddingMode::Zeros),
                "reflect" => Ok(PaddingMode::Reflect),
                "replicate" => Ok(PaddingMode::Replicate),
                "circular" => Ok(PaddingMode::Circular),
                _ => self.wrong("padding_mode"),
            },
            Some(_) => self.wrong("padding_mode"),
        }
    }

    /// Nothing may be given that is not read.
    fn only(&self, names: &[&str]) -> Result<()> {
        let unknown = self.named.keys().find(|name| !names.contains(&name.as_str()));
        match unknown {
            Some(name) => at(self.line, format!("{}: the argument {name} is not read", self.layer)),
            None if self.args.len() > names.len() => at(self.line, format!("{} has too many arguments", self.layer)),
            None => Ok(()),
        }
    }
}

/// The layer of this name; `None` if there is none.
pub fn layer(name: &str, args: &[Value], named: &HashMap<String, Value>, line: usize) -> Result<Option<Module>> {
    let a = Arguments { layer: name, args, named, line };
    let op: Op = match name {
        "Conv2d" => {
            a.only(&[
                "in_channels",
                "out_channels",
                "kernel_size",
                "stride",
                "padding",
                "dilation",
                "groups",
                "bias",
                "padding_mode",
            ])?;
            let conv = Conv2d::new(
                a.number(0, "in_channels", None)?,
                a.number(1, "out_channels", None)?,
                a.pair(2, "kernel_size", None)?,
            );
            let conv = conv.stride(a.pair(3, "stride", Some(1))?).padding(match same_padding(&a)? {
                Some(padding) => padding,
                None => a.pair(4, "padding", Some(0))?,
            });
            let conv = conv.dilation(a.pair(5, "dilation", Some(1))?).groups(a.number(6, "groups", Some(1))?);
            conv.bias(a.flag(7, "bias", true)?).padding_mode(a.padding_mode(8)?).into()
        }
        "ConvTranspose2d" => {
            a.only(&[
                "in_channels",
                "out_channels",
                "kernel_size",
                "stride",
                "padding",
                "output_padding",
                "groups",
                "bias",
                "dilation",
                "padding_mode",
            ])?;
            let conv = ConvTranspose2d::new(
                a.number(0, "in_channels", None)?,
                a.number(1, "out_channels", None)?,
                a.pair(2, "kernel_size", None)?,
            );
            let conv = conv.stride(a.pair(3, "stride", Some(1))?).padding(a.pair(4, "padding", Some(0))?);
            let conv =
                conv.output_padding(a.pair(5, "output_padding", Some(0))?).groups(a.number(6, "groups", Some(1))?);
            let conv = conv.bias(a.flag(7, "bias", true)?).dilation(a.pair(8, "dilation", Some(1))?);
            conv.padding_mode(a.padding_mode(9)?).into()
        }
        "BatchNorm2d" => {
            a.only(&["num_features", "eps", "momentum", "affine", "track_running_stats"])?;
            if !a.flag(4, "track_running_stats", true)? {
                return a.wrong("track_running_stats");
            }
            let mut norm = BatchNorm2d::new(a.number(0, "num_features", None)?);
            (norm.eps, norm.affine) = (a.float(1, "eps", 1e-5)?, a.flag(3, "affine", true)?);
            norm.into()
        }
        "InstanceNorm2d" => {
            a.only(&["num_features", "eps", "momentum", "affine", "track_running_stats"])?;
            let mut norm = InstanceNorm2d::new(a.number(0, "num_features", None)?);
            (norm.eps, norm.affine) = (a.float(1, "eps", 1e-5)?, a.flag(3, "affine", false)?);
            norm.track_running_stats = a.flag(4, "track_running_stats", false)?;
            norm.into()
        }
        "ReLU" => Activation::ReLU.into(),
        "LeakyReLU" => Activation::LeakyReLU { slope: a.float(0, "negative_slope", 0.01)? as f32 }.into(),
        "Tanh" => Activation::Tanh.into(),
        "Sigmoid" => Activation::Sigmoid.into(),
        "ReflectionPad2d" | "ReplicationPad2d" | "ZeroPad2d" | "CircularPad2d" => {
            let mode = match name {
                "ReflectionPad2d" => PaddingMode::Reflect,
                "ReplicationPad2d" => PaddingMode::Replicate,
                "CircularPad2d" => PaddingMode::Circular,
                _ => PaddingMode::Zeros,
            };
            let [left, right, top, bottom] = match a.get(0, "padding") {
                Some(Value::List(sides)) if sides.len() == 4 => {
                    let side = |at: usize| a.size("padding", &sides[at]);
                    [side(0)?, side(1)?, side(2)?, side(3)?]
                }
                Some(Value::List(_)) => return a.wrong("padding"),
                _ => [a.number(0, "padding", None)?; 4],
            };
            Pad2d { left, right, top, bottom, mode }.into()
        }
        "Upsample" | "UpsamplingNearest2d" | "UpsamplingBilinear2d" => {
            a.only(&["size", "scale_factor", "mode", "align_corners"])?;
            let scale = match a.get(1, "scale_factor") {
                Some(Value::Float(number)) if number.fract() == 0.0 && (1.0..64.0).contains(number) => *number as usize,
                _ => a.number(1, "scale_factor", None)?,
            };
            let mode = match (a.get(2, "mode"), a.flag(3, "align_corners", false)?) {
                (None, false) if name != "UpsamplingBilinear2d" => UpsampleMode::Nearest,
                (Some(Value::Text(text)), false) if text == "nearest" => UpsampleMode::Nearest,
                (Some(Value::Text(text)), false) if text == "bilinear" => UpsampleMode::Bilinear,
                _ => return at(line, "Upsample: nearest, and bilinear without align_corners, are read"),
            };
            Op::Upsample { scale, mode }
        }
        "Identity" | "Dropout" | "Dropout2d" => return Ok(Some(Module::Nothing)),
        _ => return Ok(None),
    };
    Ok(Some(Module::Layer(op)))
}

/// `padding='same'` and `'valid'`.
fn same_padding(a: &Arguments<'_>) -> Result<Option<Pair>> {
    let Some(Value::Text(text)) = a.get(4, "padding") else { return Ok(None) };
    let ((kh, kw), (dh, dw)) = (a.pair(2, "kernel_size", None)?, a.pair(5, "dilation", Some(1))?);
    let half = |kernel: usize, dilation: usize| (kernel % 2 == 1).then(|| dilation * (kernel - 1) / 2);
    match (text.as_str(), half(kh, dh), half(kw, dw)) {
        ("valid", ..) => Ok(Some((0, 0))),
        ("same", Some(h), Some(w)) => Ok(Some((h, w))),
        _ => a.wrong("padding"),
    }
}

/// A function of `torch` or `torch.nn.functional` on one tensor; `None` if there is none of this name.
pub fn function(name: &str, args: &[Value], named: &HashMap<String, Value>, line: usize) -> Result<Option<Op>> {
    let a = Arguments { layer: name, args, named, line };
    Ok(Some(match name {
        "relu" | "relu_" => Activation::ReLU.into(),
        "leaky_relu" | "leaky_relu_" => {
            Activation::LeakyReLU { slope: a.float(1, "negative_slope", 0.01)? as f32 }.into()
        }
        "tanh" => Activation::Tanh.into(),
        "sigmoid" => Activation::Sigmoid.into(),
        "pad" => {
            let Some(Value::List(sides)) = a.get(1, "pad") else { return a.wrong("pad") };
            let mode = match a.get(2, "mode") {
                None => PaddingMode::Zeros,
                Some(Value::Text(text)) => match text.as_str() {
                    "constant" => PaddingMode::Zeros,
                    "reflect" => PaddingMode::Reflect,
                    "replicate" => PaddingMode::Replicate,
                    "circular" => PaddingMode::Circular,
                    _ => return a.wrong("mode"),
                },
                Some(_) => return a.wrong("mode"),
            };
            let sides = sides.iter().map(|side| a.size("pad", side)).collect::<Result<Vec<_>>>()?;
            let &[left, right, top, bottom] = &sides[..] else { return a.wrong("pad") };
            Pad2d { left, right, top, bottom, mode }.into()
        }
        "interpolate" | "upsample" => {
            let scale = match a.get(2, "scale_factor") {
                Some(Value::Float(number)) if number.fract() == 0.0 && (1.0..64.0).contains(number) => *number as usize,
                _ => a.number(2, "scale_factor", None)?,
            };
            let mode = match (a.get(3, "mode"), a.flag(4, "align_corners", false)?) {
                (None, false) => UpsampleMode::Nearest,
                (Some(Value::Text(text)), false) if text == "nearest" => UpsampleMode::Nearest,
                (Some(Value::Text(text)), false) if text == "bilinear" => UpsampleMode::Bilinear,
                _ => return a.wrong("mode"),
            };
            Op::Upsample { scale, mode }
        }
        _ => return Ok(None),
    }))
}
