//! What a user may set for a fill; the same fields on the page and on the command line.

use serde::Deserialize;

use crate::error::{Code, Error, Result};
use crate::models::{Conventions, HoleValue, MaskMeans, OutputCovers, Range};

/// Whether the photo's own detail is brought into the fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sharpen {
    /// Where the network's output is coarser than the photo, and after networks that are trained for it.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// Settings of one fill; everything has a default.
#[derive(Clone, Debug, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FillOptions {
    /// Another seed gives another variant of the patch synthesis.
    pub seed: u64,
    /// Sharpen from the photo.
    pub sharpen: Sharpen,
    /// Canny's sigma in pixels of the network's input (EdgeConnect); 2 unless given.
    pub sigma: Option<f32>,
    /// What the user says of the edges inside the hole, one byte for each of the photo's pixels: from 192 there is an
    /// edge, below 64 there is none, between stands what Canny and the edge generator found. Outside the hole theirs stand.
    #[serde(skip)]
    pub edges: Option<Vec<u8>>,
    /// Longest side of the network's input, pixels, where the network takes any size; 512 for EdgeConnect unless given.
    #[serde(deserialize_with = "side", default)]
    pub side: Option<usize>,
    /// The second picture of a pair network, RGBA of the photo's size.
    #[serde(skip)]
    pub second: Option<Vec<u8>>,
    /// What a pair network's second input shows when no picture is given.
    pub second_input: SecondInput,
    #[serde(deserialize_with = "range", default)]
    /// Value range of the network's pictures.
    pub range: Option<Range>,
    /// What the hole's pixels are set to: a number in the input's range, or `smooth`.
    #[serde(deserialize_with = "hole_value", default)]
    pub hole_value: Option<HoleValue>,
    /// Mask polarity.
    #[serde(deserialize_with = "mask_means", default)]
    pub mask_means: Option<MaskMeans>,
    /// What the output covers.
    #[serde(deserialize_with = "output_covers", default)]
    pub output_covers: Option<OutputCovers>,
}

/// The second input of a pair network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecondInput {
    /// The mask as three channels: -1 known, 1 hole.
    #[default]
    Mask,
    /// The photo's edges.
    Edges,
    /// The photo itself.
    Photo,
}

impl FillOptions {
    /// From the page's JSON; an unknown or wrong-typed field is a `usage` error.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|e| Error::new(Code::Usage, format!("A setting makes no sense: {e}.")))
    }

    /// The network's conventions with the user's changes.
    pub fn conventions(&self, guessed: Conventions) -> Conventions {
        let mut size = guessed.size;
        if let Some(side) = self.side.filter(|_| !size.fixed) {
            size.preferred = side.next_multiple_of(size.multiple);
        }
        Conventions {
            size,
            input_range: self.range.unwrap_or(guessed.input_range),
            output_range: self.range.unwrap_or(guessed.output_range),
            hole_value: self.hole_value.unwrap_or(guessed.hole_value),
            mask_means: self.mask_means.unwrap_or(guessed.mask_means),
            output_covers: self.output_covers.unwrap_or(guessed.output_covers),
            ..guessed
        }
    }
}

/// `0..1` or `-1..1`.
pub fn parse_range(text: &str) -> Option<Range> {
    match text {
        "0..1" => Some(Range::ZeroOne),
        "-1..1" => Some(Range::MinusOneOne),
        _ => None,
    }
}

/// A number, or `smooth`.
pub fn parse_hole_value(text: &str) -> Option<HoleValue> {
    match text {
        "smooth" => Some(HoleValue::Smooth),
        number => number.parse().ok().filter(|value: &f32| value.is_finite()).map(HoleValue::Constant),
    }
}

/// `hole` or `known`.
pub fn parse_mask_means(text: &str) -> Option<MaskMeans> {
    match text {
        "hole" => Some(MaskMeans::Hole),
        "known" => Some(MaskMeans::Known),
        _ => None,
    }
}

/// `field` or `centre`.
pub fn parse_output_covers(text: &str) -> Option<OutputCovers> {
    match text {
        "field" => Some(OutputCovers::Field),
        "centre" => Some(OutputCovers::Centre),
        _ => None,
    }
}

/// Sides that a user may ask for: below, a network sees nothing; above, a tab's memory ends.
pub const SIDES: std::ops::RangeInclusive<usize> = 64..=1024;

fn side<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let side = Option::<usize>::deserialize(deserializer)?;
    match side.is_none_or(|side| SIDES.contains(&side)) {
        true => Ok(side),
        false => Err(serde::de::Error::custom(format!("side must lie in {} to {}", SIDES.start(), SIDES.end()))),
    }
}

fn hole_value<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<HoleValue>, D::Error> {
    use serde_json::Value;
    let unknown = || serde::de::Error::custom("holeValue must be a number or \"smooth\"");
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => parse_hole_value(&text).map(Some).ok_or_else(unknown),
        value => value.as_f64().map(|value| Some(HoleValue::Constant(value as f32))).ok_or_else(unknown),
    }
}

macro_rules! spelled {
    ($name:ident, $type:ty, $parse:path, $words:literal) => {
        fn $name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<$type>, D::Error> {
            let text = Option::<String>::deserialize(deserializer)?;
            let unknown = |text: String| serde::de::Error::custom(format!("{text} is not one of {}", $words));
            text.map(|text| $parse(&text).ok_or_else(|| unknown(text))).transpose()
        }
    };
}
spelled!(range, Range, parse_range, "0..1, -1..1");
spelled!(mask_means, MaskMeans, parse_mask_means, "hole, known");
spelled!(output_covers, OutputCovers, parse_output_covers, "field, centre");

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn json_is_read_strictly() {
        let options =
            FillOptions::from_json(r#"{"seed": 3, "sharpen": "off", "range": "-1..1", "maskMeans": "known"}"#);
        let options = options.unwrap();
        assert_eq!((options.seed, options.sharpen), (3, Sharpen::Off));
        assert_eq!((options.range, options.mask_means), (Some(Range::MinusOneOne), Some(MaskMeans::Known)));
        assert_eq!(FillOptions::from_json(r#"{"range": "0..2"}"#).unwrap_err().code, Code::Usage);
        assert_eq!(FillOptions::from_json(r#"{"side": 100000}"#).unwrap_err().code, Code::Usage);
        assert_eq!(FillOptions::from_json(r#"{"sed": 1}"#).unwrap_err().code, Code::Usage);
        let hole = |value: &str| FillOptions::from_json(&format!(r#"{{"holeValue": {value}}}"#)).map(|o| o.hole_value);
        assert_eq!(hole("0.5").unwrap(), Some(HoleValue::Constant(0.5)));
        assert_eq!(hole(r#""smooth""#).unwrap(), Some(HoleValue::Smooth));
        assert_eq!(hole(r#""rough""#).unwrap_err().code, Code::Usage);
    }
}
