//! What a user may set for a fill; the same fields on the page and on the command line.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::Deserialize;

use crate::error::{Code, Error, Result};
use crate::limits::{MAX_INPUT_TENSORS, MAX_INPUT_WORDS};
use crate::models::{Conventions, HoleValue, InputTensor, MaskMeans, NormStatistics, OutputCovers, Range};

/// A number that a user may set. The command line and the page's JSON check it against the same range, where it comes in.
pub struct Setting<T> {
    /// What it is called, for people.
    pub name: &'static str,
    /// The values it may have.
    pub range: RangeInclusive<T>,
}

/// Canny's sigma, pixels of the network's input: below 0.1 nothing is smoothed; above 50 no edge is left.
pub const SIGMA: Setting<f32> = Setting { name: "sigma", range: 0.1..=50.0 };
/// Longest side of the network's input, pixels: below, a network sees nothing; above, a tab's memory ends.
pub const SIDE: Setting<usize> = Setting { name: "side", range: 64..=1024 };
/// What a hole's pixels are set to, in the network's own value range.
pub const HOLE_VALUE: Setting<f32> = Setting { name: "hole value", range: -1000.0..=1000.0 };
/// How far a mask may be grown, pixels.
pub const GROW: Setting<u32> = Setting { name: "grow", range: 0..=1024 };

impl<T: PartialOrd + Display + FromStr> Setting<T> {
    /// The value, unless it lies outside the range or is no number; the message names the range.
    pub fn check(&self, value: T) -> Result<T, String> {
        match self.range.contains(&value) {
            true => Ok(value),
            false => Err(self.expected()),
        }
    }

    /// The value of a text.
    pub fn parse(&self, text: &str) -> Result<T, String> {
        text.parse().map_err(|_| self.expected()).and_then(|value| self.check(value))
    }

    fn expected(&self) -> String {
        format!("{} must be a number from {} to {}", self.name, self.range.start(), self.range.end())
    }
}

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
    /// Canny's sigma in pixels of the network's input (EdgeConnect), within [`SIGMA`]; 2 unless given.
    #[serde(deserialize_with = "sigma", default)]
    pub sigma: Option<f32>,
    /// What the user says of the edges inside the hole, one byte for each of the photo's pixels: from 192 there is an
    /// edge, below 64 there is none, between stands what Canny and the edge generator found. Outside the hole theirs stand.
    #[serde(skip)]
    pub edges: Option<Vec<u8>>,
    /// Longest side of the network's input, pixels, within [`SIDE`], where the network takes any size; 512 for EdgeConnect
    /// unless given.
    #[serde(deserialize_with = "side", default)]
    pub side: Option<usize>,
    /// The second picture of a pair network, RGBA of the photo's size.
    #[serde(skip)]
    pub second: Option<Vec<u8>>,
    /// What a pair network's second input shows when no picture is given.
    pub second_input: SecondInput,
    /// What the channels of the painting network's input tensors show: words of [`InputTensor::WORDS`], one list for each
    /// tensor, that fill exactly its channels.
    #[serde(deserialize_with = "inputs", default)]
    pub inputs: Option<Vec<Vec<String>>>,
    #[serde(deserialize_with = "range", default)]
    /// Value range of the network's pictures.
    pub range: Option<Range>,
    /// Value range of its output, where that is another one.
    #[serde(deserialize_with = "range", default)]
    pub output_range: Option<Range>,
    /// What the hole's pixels are set to: a number within [`HOLE_VALUE`], or `smooth`.
    #[serde(deserialize_with = "hole_value", default)]
    pub hole_value: Option<HoleValue>,
    /// Mask polarity.
    #[serde(deserialize_with = "mask_means", default)]
    pub mask_means: Option<MaskMeans>,
    /// What the output covers.
    #[serde(deserialize_with = "output_covers", default)]
    pub output_covers: Option<OutputCovers>,
    /// Which mean and variance batch norms take, for a network that was built so (`Loaded::use_statistics`).
    #[serde(deserialize_with = "norm_statistics", default)]
    pub norm_statistics: Option<NormStatistics>,
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
    /// From the page's JSON; an unknown field, one of a wrong type or a number outside its range is a `usage` error.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|e| Error::new(Code::Usage, format!("A setting makes no sense: {e}.")))
    }

    /// The network's conventions with the user's changes; which statistics its norms take was decided when it was built.
    pub fn conventions(&self, guessed: &Conventions) -> Conventions {
        let mut size = guessed.size;
        if let Some(side) = self.side.filter(|_| !size.fixed) {
            size.preferred = side.next_multiple_of(size.multiple);
            size.largest = size.preferred;
        }
        Conventions {
            size,
            input_range: self.range.unwrap_or(guessed.input_range),
            output_range: self.output_range.or(self.range).unwrap_or(guessed.output_range),
            hole_value: self.hole_value.unwrap_or(guessed.hole_value),
            mask_means: self.mask_means.unwrap_or(guessed.mask_means),
            output_covers: self.output_covers.unwrap_or(guessed.output_covers),
            ..guessed.clone()
        }
    }
}

impl FillOptions {
    /// The input tensors of a painting network, with the user's changes; what a tensor shows already stays as it is.
    ///
    /// `usage` if the words do not fill the network's channels.
    pub fn input_tensors(&self, guessed: &[InputTensor]) -> Result<Vec<InputTensor>> {
        let Some(lists) = &self.inputs else { return Ok(guessed.to_vec()) };
        let channels = |tensors: &[InputTensor]| tensors.iter().map(|tensor| tensor.channels.len()).collect::<Vec<_>>();
        let tensor = |(index, words): (usize, &Vec<String>)| match guessed.get(index) {
            Some(own) if own.words() == *words => Ok(own.clone()),
            _ => InputTensor::from_words(words),
        };
        let tensors = lists.iter().enumerate().map(tensor).collect::<Result<Vec<_>, _>>();
        let tensors = tensors.map_err(|text| Error::new(Code::Usage, format!("{text}.")))?;
        if channels(&tensors) != channels(guessed) {
            let count = |tensors: &[InputTensor]| {
                channels(tensors).iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
            };
            let text = format!(
                "The network takes {} channels, but what is to go in has {}: rgb, photo and second are three channels each, \
                 the others one.",
                count(guessed),
                count(&tensors)
            );
            return Err(Error::new(Code::Usage, text));
        }
        Ok(tensors)
    }
}

/// What an input tensor shows, as the command line spells it: `rgb,mask`. The message names a word that is none.
pub fn parse_input(text: &str) -> Result<Vec<String>, String> {
    let words: Vec<String> = text.split(',').map(|word| word.trim().to_owned()).collect();
    if words.len() > MAX_INPUT_WORDS {
        return Err(format!("an input has at most {MAX_INPUT_WORDS} words"));
    }
    InputTensor::from_words(&words).map(|_| words)
}

/// A number within [`HOLE_VALUE`], or `smooth`; the message says so.
pub fn parse_hole_value(text: &str) -> Result<HoleValue, String> {
    match text {
        "smooth" => Ok(HoleValue::Smooth),
        number => HOLE_VALUE.parse(number).map(HoleValue::Constant).map_err(|text| format!("{text}, or smooth")),
    }
}

fn within<'de, D, T>(deserializer: D, setting: &Setting<T>) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: PartialOrd + Display + FromStr + Deserialize<'de>,
{
    let value = Option::<T>::deserialize(deserializer)?;
    value.map(|value| setting.check(value).map_err(serde::de::Error::custom)).transpose()
}

fn inputs<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Vec<String>>>, D::Error> {
    let lists = Option::<Vec<Vec<String>>>::deserialize(deserializer)?;
    for words in lists.iter().flatten() {
        parse_input(&words.join(",")).map_err(serde::de::Error::custom)?;
    }
    match &lists {
        Some(lists) if lists.len() > MAX_INPUT_TENSORS => {
            Err(serde::de::Error::custom(format!("a network has at most {MAX_INPUT_TENSORS} inputs")))
        }
        _ => Ok(lists),
    }
}

fn sigma<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<f32>, D::Error> {
    within(deserializer, &SIGMA)
}

fn side<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    within(deserializer, &SIDE)
}

fn hole_value<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<HoleValue>, D::Error> {
    use serde_json::Value;
    let value = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::String(text) => parse_hole_value(&text),
        value => parse_hole_value(&value.to_string()),
    };
    value.map(Some).map_err(serde::de::Error::custom)
}

macro_rules! spelled {
    ($name:ident, $type:ty) => {
        fn $name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<$type>, D::Error> {
            let text = Option::<String>::deserialize(deserializer)?;
            let words = || <$type>::WORDS.join(", ");
            let unknown = |text: String| serde::de::Error::custom(format!("{text} is not one of {}", words()));
            text.map(|text| <$type>::parse(&text).ok_or_else(|| unknown(text))).transpose()
        }
    };
}
spelled!(range, Range);
spelled!(mask_means, MaskMeans);
spelled!(output_covers, OutputCovers);
spelled!(norm_statistics, NormStatistics);

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
        let statistics = FillOptions::from_json(r#"{"normStatistics": "picture"}"#).unwrap().norm_statistics;
        assert_eq!(statistics, Some(NormStatistics::Picture));
        let error = FillOptions::from_json(r#"{"normStatistics": "batch"}"#).unwrap_err();
        assert!(error.message.contains("batch is not one of stored, picture"), "{error}");
        assert_eq!(FillOptions::from_json(r#"{"side": 100000}"#).unwrap_err().code, Code::Usage);
        assert_eq!(FillOptions::from_json(r#"{"sed": 1}"#).unwrap_err().code, Code::Usage);
        let hole = |value: &str| FillOptions::from_json(&format!(r#"{{"holeValue": {value}}}"#)).map(|o| o.hole_value);
        assert_eq!(hole("0.5").unwrap(), Some(HoleValue::Constant(0.5)));
        assert_eq!(hole(r#""smooth""#).unwrap(), Some(HoleValue::Smooth));
        assert_eq!(hole(r#""rough""#).unwrap_err().code, Code::Usage);
    }

    #[test]
    fn numbers_outside_their_range_are_refused_by_name() {
        let fields = [
            ("sigma", "sigma", vec!["0", "-3", "0.09", "50.5", "1e8", "-1e39", "1e39", "9223372036854775808", "true"]),
            ("side", "side", vec!["0", "63", "1025", "-1", "64.5", "1e20"]),
            ("holeValue", "hole value", vec!["1001", "-1e39", "2147483648", "1e39", "true", "[0]", r#""NaN""#]),
            ("seed", "", vec!["-1", "0.5", "1e30"]),
        ];
        for (field, name, values) in fields {
            for value in values {
                let error = FillOptions::from_json(&format!(r#"{{"{field}": {value}}}"#)).unwrap_err();
                assert_eq!(error.code, Code::Usage, "{field} {value}");
                assert!(error.message.contains(name) || error.message.contains("invalid"), "{value}: {error}");
            }
        }
        let fine =
            FillOptions::from_json(r#"{"sigma": 0.1, "side": 1024, "holeValue": -1000, "seed": 18446744073709551615}"#);
        assert_eq!(fine.unwrap().sigma, Some(0.1));
        assert_eq!(FillOptions::from_json(r#"{"sigma": null, "side": null}"#).unwrap(), FillOptions::default());
    }

    #[test]
    fn texts_are_held_against_the_same_ranges() {
        for text in ["0", "-3", "NaN", "inf", "-inf", "1e8", "", "two", "50.1"] {
            let message = SIGMA.parse(text).unwrap_err();
            assert_eq!(message, "sigma must be a number from 0.1 to 50", "{text}");
        }
        assert_eq!(SIGMA.parse("50"), Ok(50.0));
        assert!(GROW.parse("2147483647").is_err() && GROW.parse("-1").is_err());
        assert!(parse_hole_value("inf").unwrap_err().ends_with("or smooth"));
    }
}
