//! PyTorch's layers and functions by name, with their arguments.

use super::at;
use super::value::{Given, Heap, Kind, Value};
use crate::error::Result;
use crate::limits::MAX_LAYER_NUMBER;
use crate::network::{
    Activation, BatchNorm2d, Conv2d, ConvTranspose2d, InstanceNorm2d, Op, Pad2d, PaddingMode, Pair, Shape,
    UpsampleMode, unsigned,
};

/// What a class may be made of, for people.
pub const KNOWN: &str = "Conv2d, ConvTranspose2d, BatchNorm2d, InstanceNorm2d, ReLU, LeakyReLU, Tanh, Sigmoid, the padding layers, Upsample by a whole factor, Dropout, Identity, torch.cat over channels, sums, and numbers times a tensor.";

/// The arguments of one call, looked up by name; `names` gives their places.
struct Arguments<'a> {
    layer: &'a str,
    names: &'a [&'a str],
    given: &'a Given,
    heap: &'a Heap,
    line: usize,
}

impl<'a> Arguments<'a> {
    /// Nothing may be given that is not read.
    fn new(layer: &'a str, names: &'a [&'a str], given: &'a Given, heap: &'a Heap, line: usize) -> Result<Self> {
        match given.named.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            Some((name, _)) => at(line, format!("{layer}: the argument {name} is not read")),
            None if given.args.len() > names.len() => at(line, format!("{layer} has too many arguments")),
            None => Ok(Self { layer, names, given, heap, line }),
        }
    }

    /// `None` stands for an argument that is not given.
    fn get(&self, name: &str) -> Option<&Value> {
        let place = self.names.iter().position(|own| *own == name).unwrap_or(usize::MAX);
        self.given.get(place, name).filter(|value| !matches!(value, Value::None))
    }

    fn wrong<T>(&self, name: &str) -> Result<T> {
        at(self.line, format!("{}: the argument {name} is not read like this", self.layer))
    }

    fn size(&self, name: &str, value: &Value) -> Result<usize> {
        match value {
            Value::Int(number) if *number > MAX_LAYER_NUMBER => {
                let text = format!("{name} is {number}, and infill reads up to {MAX_LAYER_NUMBER}");
                at(self.line, format!("{}: {text}", self.layer))
            }
            Value::Int(number) => {
                unsigned(name, *number).or_else(|text| at(self.line, format!("{}: {text}", self.layer)))
            }
            _ => self.wrong(name),
        }
    }

    fn number(&self, name: &str, default: Option<usize>) -> Result<usize> {
        match (self.get(name), default) {
            (Some(value), _) => self.size(name, value),
            (None, Some(default)) => Ok(default),
            (None, None) => at(self.line, format!("{} needs the argument {name}", self.layer)),
        }
    }

    fn list(&self, name: &str) -> Option<&[Value]> {
        match self.get(name) {
            Some(Value::List(id)) => Some(&self.heap.lists[id.0]),
            _ => None,
        }
    }

    /// An int, or (height, width).
    fn pair(&self, name: &str, default: Option<usize>) -> Result<Pair> {
        match self.list(name) {
            Some([height, width]) => Ok((self.size(name, height)?, self.size(name, width)?)),
            Some([both]) => self.size(name, both).map(|side| (side, side)),
            Some(_) => self.wrong(name),
            None => self.number(name, default).map(|side| (side, side)),
        }
    }

    /// Left, right, top, bottom; an int stands for all.
    fn sides(&self, name: &str) -> Result<[usize; 4]> {
        match self.list(name) {
            Some([left, right, top, bottom]) => {
                let side = |value: &Value| self.size(name, value);
                Ok([side(left)?, side(right)?, side(top)?, side(bottom)?])
            }
            Some(_) => self.wrong(name),
            None => Ok([self.number(name, None)?; 4]),
        }
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool> {
        match self.get(name) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::Int(number)) => Ok(*number != 0),
            Some(_) => self.wrong(name),
        }
    }

    fn float(&self, name: &str, default: f64) -> Result<f64> {
        match self.get(name) {
            None => Ok(default),
            Some(Value::Float(number)) => Ok(*number),
            Some(Value::Int(number)) => Ok(*number as f64),
            Some(_) => self.wrong(name),
        }
    }

    /// `zeros` or, to `F.pad`, `constant`.
    fn padding_mode(&self, name: &str) -> Result<PaddingMode> {
        match self.get(name) {
            None => Ok(PaddingMode::Zeros),
            Some(Value::Text(text)) => match &**text {
                "zeros" | "constant" => Ok(PaddingMode::Zeros),
                "reflect" => Ok(PaddingMode::Reflect),
                "replicate" => Ok(PaddingMode::Replicate),
                "circular" => Ok(PaddingMode::Circular),
                _ => self.wrong(name),
            },
            Some(_) => self.wrong(name),
        }
    }

    /// `padding` of a convolution: sizes, `'same'` or `'valid'`.
    fn padding(&self) -> Result<Pair> {
        let Some(Value::Text(text)) = self.get("padding") else { return self.pair("padding", Some(0)) };
        let ((kh, kw), (dh, dw)) = (self.pair("kernel_size", None)?, self.pair("dilation", Some(1))?);
        // What the kernel reaches over; half of it goes before, half behind.
        let reach = |kernel: usize, dilation: usize| kernel.saturating_sub(1).checked_mul(dilation);
        match (&**text, reach(kh, dh), reach(kw, dw)) {
            ("valid", ..) => Ok((0, 0)),
            ("same", ..) if self.pair("stride", Some(1))? != (1, 1) => {
                at(self.line, "padding='same' is not supported for strided convolutions")
            }
            ("same", Some(h), Some(w)) if h % 2 == 0 && w % 2 == 0 => Ok((h / 2, w / 2)),
            ("same", ..) => {
                let text = "padding='same' with an even kernel pads one side more, which is not read: use a padding layer before it";
                at(self.line, format!("{}: {text}", self.layer))
            }
            _ => self.wrong("padding"),
        }
    }

    /// A norm's `(num_features, eps, affine, track_running_stats)`.
    fn norm(&self, affine: bool, tracked: bool) -> Result<(usize, f64, bool, bool)> {
        let (affine, tracked) = (self.flag("affine", affine)?, self.flag("track_running_stats", tracked)?);
        Ok((self.number("num_features", None)?, self.float("eps", 1e-5)?, affine, tracked))
    }

    /// The whole factor from the input's shape to `size`.
    fn factor(&self, shape: Option<Shape>) -> Result<usize> {
        let Some(Shape { height, width, .. }) = shape else {
            let text = "a size is not read, because it depends on the input: give scale_factor";
            return at(self.line, format!("{}: {text}", self.layer));
        };
        let (h, w) = self.pair("size", None)?;
        let factor = h / height.max(1);
        let sides = height.checked_mul(factor).zip(width.checked_mul(factor));
        match (1..64).contains(&factor) && sides == Some((h, w)) {
            true => Ok(factor),
            false => {
                let text = format!("{height} x {width} to {h} x {w} is not a whole factor, which alone is read");
                at(self.line, format!("{}: {text}", self.layer))
            }
        }
    }

    /// `Upsample` and `interpolate`; `shape` is the input's, where it is known.
    fn upsample(&self, default: &str, shape: Option<Shape>) -> Result<Op> {
        let scale = match self.get("scale_factor") {
            _ if self.get("size").is_some() => self.factor(shape)?,
            Some(Value::Float(number)) if number.fract() == 0.0 && (1.0..64.0).contains(number) => *number as usize,
            _ => {
                let (height, width) = self.pair("scale_factor", None)?;
                if height != width || !(1..64).contains(&height) {
                    return self.wrong("scale_factor");
                }
                height
            }
        };
        let mode = match self.get("mode") {
            Some(Value::Text(text)) => &**text,
            Some(_) => return self.wrong("mode"),
            None => default,
        };
        let mode = match (mode, self.flag("align_corners", default == "bilinear")?) {
            // A whole factor leaves both no choice.
            ("nearest" | "nearest-exact", _) => UpsampleMode::Nearest,
            ("bilinear", false) => UpsampleMode::Bilinear,
            _ => {
                let text = "nearest, and bilinear without align_corners, are read";
                return at(self.line, format!("{}: {text}", self.layer));
            }
        };
        Ok(Op::Upsample { scale, mode })
    }
}

const CONVOLUTION: [&str; 9] =
    ["in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias", "padding_mode"];
const TRANSPOSED: [&str; 10] = [
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
];
const NORM: [&str; 5] = ["num_features", "eps", "momentum", "affine", "track_running_stats"];

/// The layer of this name; `None` if there is none.
pub fn layer(name: &str, given: &Given, heap: &Heap, line: usize) -> Result<Option<Kind>> {
    let read = |names: &'static [&'static str]| Arguments::new(name, names, given, heap, line);
    let op: Op = match name {
        "Conv2d" => {
            let a = read(&CONVOLUTION)?;
            let (inputs, outputs) = (a.number("in_channels", None)?, a.number("out_channels", None)?);
            Conv2d::new(inputs, outputs, a.pair("kernel_size", None)?)
                .stride(a.pair("stride", Some(1))?)
                .padding(a.padding()?)
                .dilation(a.pair("dilation", Some(1))?)
                .groups(a.number("groups", Some(1))?)
                .bias(a.flag("bias", true)?)
                .padding_mode(a.padding_mode("padding_mode")?)
                .into()
        }
        "ConvTranspose2d" => {
            let a = read(&TRANSPOSED)?;
            let (inputs, outputs) = (a.number("in_channels", None)?, a.number("out_channels", None)?);
            ConvTranspose2d::new(inputs, outputs, a.pair("kernel_size", None)?)
                .stride(a.pair("stride", Some(1))?)
                .padding(a.pair("padding", Some(0))?)
                .output_padding(a.pair("output_padding", Some(0))?)
                .dilation(a.pair("dilation", Some(1))?)
                .groups(a.number("groups", Some(1))?)
                .bias(a.flag("bias", true)?)
                .padding_mode(a.padding_mode("padding_mode")?)
                .into()
        }
        "BatchNorm2d" | "SyncBatchNorm" => {
            let a = read(&NORM)?;
            let (num_features, eps, affine, tracked) = a.norm(true, true)?;
            if !tracked {
                return at(
                    line,
                    format!(
                        "{name}: without running statistics its result depends on the whole batch, which is not read"
                    ),
                );
            }
            BatchNorm2d { num_features, eps, affine }.into()
        }
        "InstanceNorm2d" => {
            let (num_features, eps, affine, track_running_stats) = read(&NORM)?.norm(false, false)?;
            InstanceNorm2d { num_features, eps, affine, track_running_stats }.into()
        }
        "LeakyReLU" => leaky(&read(&["negative_slope", "inplace"])?)?,
        "ReLU" | "Tanh" | "Sigmoid" => {
            read(&["inplace"])?;
            match name {
                "ReLU" => Activation::ReLU,
                "Tanh" => Activation::Tanh,
                _ => Activation::Sigmoid,
            }
            .into()
        }
        "ReflectionPad2d" | "ReplicationPad2d" | "ZeroPad2d" | "CircularPad2d" => {
            let mode = match name {
                "ReflectionPad2d" => PaddingMode::Reflect,
                "ReplicationPad2d" => PaddingMode::Replicate,
                "CircularPad2d" => PaddingMode::Circular,
                _ => PaddingMode::Zeros,
            };
            let [left, right, top, bottom] = read(&["padding"])?.sides("padding")?;
            Pad2d { left, right, top, bottom, mode }.into()
        }
        "Upsample" => read(&["size", "scale_factor", "mode", "align_corners", "recompute_scale_factor"])?
            .upsample("nearest", None)?,
        "UpsamplingNearest2d" => read(&["size", "scale_factor"])?.upsample("nearest", None)?,
        // align_corners=True, which is refused.
        "UpsamplingBilinear2d" => read(&["size", "scale_factor"])?.upsample("bilinear", None)?,
        "Identity" | "Dropout" | "Dropout2d" | "AlphaDropout" | "FeatureAlphaDropout" => {
            return Ok(Some(Kind::Nothing));
        }
        _ => return Ok(None),
    };
    Ok(Some(Kind::Layer(op)))
}

fn leaky(a: &Arguments<'_>) -> Result<Op> {
    Ok(Activation::LeakyReLU { slope: a.float("negative_slope", 0.01)? as f32 }.into())
}

/// A function of `torch` or `torch.nn.functional` on one tensor of this shape, where it is known; `None` if there is
/// none of this name.
pub fn function(name: &str, given: &Given, heap: &Heap, shape: Option<Shape>, line: usize) -> Result<Option<Op>> {
    let read = |names: &'static [&'static str]| Arguments::new(name, names, given, heap, line);
    Ok(Some(match name {
        "relu" | "relu_" => Activation::ReLU.into(),
        "leaky_relu" | "leaky_relu_" => leaky(&read(&["input", "negative_slope", "inplace"])?)?,
        "tanh" | "tanh_" => Activation::Tanh.into(),
        "sigmoid" | "sigmoid_" => Activation::Sigmoid.into(),
        "pad" => {
            let a = read(&["input", "pad", "mode", "value"])?;
            if a.float("value", 0.0)? != 0.0 {
                return a.wrong("value");
            }
            let mode = a.padding_mode("mode")?;
            let [left, right, top, bottom] = a.sides("pad")?;
            Pad2d { left, right, top, bottom, mode }.into()
        }
        "interpolate" | "upsample" => {
            let names = &["input", "size", "scale_factor", "mode", "align_corners", "recompute_scale_factor"];
            read(names)?.upsample("nearest", shape)?
        }
        _ => return Ok(None),
    }))
}
