//! `infill.json` of a packed site, within the limits that the page reads it by (`www/document/site.js`).

use serde_json::{Map, Value, json};

use super::page::digest;
use super::{Arguments, Files};
use crate::models::{HoleValue, MaskMeans, NormStatistics, OutputCovers, Range};
use crate::pipeline::FillOptions;

/// Longest title and name, UTF-16 units.
pub const MAX_TITLE: usize = 80;
/// Longest line about something, UTF-16 units.
pub const MAX_LINE: usize = 200;
/// What a site may hide.
pub const PARTS: [&str; 4] = ["weights", "class", "samples", "speed"];
/// The page's languages.
pub const LANGUAGES: [&str; 2] = ["en", "zh-Hans"];

/// A text for one line; the message says how long it may be.
pub fn line(text: &str, most: usize) -> Result<String, String> {
    let trimmed = text.trim();
    match trimmed.encode_utf16().count() {
        0 => Err("it must not be empty".to_owned()),
        length if length > most => Err(format!("it has more than {most} characters")),
        _ => Ok(trimmed.to_owned()),
    }
}

/// A photo of the site, by paths.
pub struct SampleFiles {
    /// The photo.
    pub file: String,
    /// What it is called.
    pub name: String,
    /// Its mask.
    pub mask: Option<String>,
}

/// What the site is made of.
pub struct Described<'a> {
    /// What somebody said.
    pub arguments: &'a Arguments,
    /// How the network is fed, where that is not as guessed.
    pub options: &'a FillOptions,
    /// The network's own name.
    pub name: String,
    /// Path of the weights.
    pub weights: String,
    /// Path of the class.
    pub class: Option<String>,
    /// Photos to try; the page's own where there is none.
    pub samples: Vec<SampleFiles>,
}

impl Described<'_> {
    /// The file's text.
    pub fn json(&self, files: &Files) -> String {
        let arguments = self.arguments;
        let mut site = Map::new();
        let mut say = |key: &str, value: Option<Value>| site.extend(value.map(|value| (key.to_owned(), value)));
        say("title", arguments.title.as_ref().map(|title| json!(title)));
        say("language", arguments.language.as_ref().map(|language| json!(language)));
        say("models", Some(json!([self.model(files)])));
        say("samples", (!self.samples.is_empty()).then(|| self.samples.iter().map(sample).collect()));
        say("hide", (!arguments.hide.is_empty()).then(|| json!(arguments.hide)));
        format!("{:#}\n", Value::Object(site))
    }

    fn model(&self, files: &Files) -> Value {
        let arguments = self.arguments;
        let weights = files.get(&self.weights).map_or(&[][..], Vec::as_slice);
        let name: String = self.name.chars().take(MAX_TITLE / 2).collect();
        let mut model = Map::new();
        let mut say = |key: &str, value: Option<Value>| model.extend(value.map(|value| (key.to_owned(), value)));
        say("name", Some(json!(arguments.name.as_ref().unwrap_or(&name))));
        say("file", Some(json!(self.weights)));
        say("bytes", Some(json!(weights.len())));
        say("sha256", Some(json!(digest(weights))));
        say("class", self.class.as_ref().map(|class| json!(class)));
        say("classArgs", arguments.class.class_args.as_ref().map(|call| json!(call)));
        say("returned", arguments.class.returned.map(|index| json!(index)));
        say("leaveOut", arguments.class.leave_out.then_some(json!(true)));
        say("feed", feed(self.options));
        say("description", arguments.description.as_ref().map(|line| json!(line)));
        say("licence", arguments.licence.as_ref().map(|line| json!(line)));
        Value::Object(model)
    }
}

fn sample(sample: &SampleFiles) -> Value {
    let SampleFiles { file, name, mask } = sample;
    match mask {
        Some(mask) => json!({"file": file, "name": name, "mask": mask}),
        None => json!({"file": file, "name": name}),
    }
}

/// How the network is fed, in the words of `--feed`; `None` where nobody said anything.
fn feed(options: &FillOptions) -> Option<Value> {
    let mut feed = Map::new();
    let mut say = |key: &str, value: Option<Value>| feed.extend(value.map(|value| (key.to_owned(), value)));
    say("inputs", options.inputs.as_ref().map(|inputs| json!(inputs)));
    say("range", options.range.map(Range::as_str).map(Value::from));
    say("outputRange", options.output_range.map(Range::as_str).map(Value::from));
    say("holeValue", options.hole_value.map(hole_value));
    say("maskMeans", options.mask_means.map(MaskMeans::as_str).map(Value::from));
    say("outputCovers", options.output_covers.map(OutputCovers::as_str).map(Value::from));
    say("normStatistics", options.norm_statistics.map(NormStatistics::as_str).map(Value::from));
    say("side", options.side.map(Value::from));
    (!feed.is_empty()).then_some(Value::Object(feed))
}

/// A number as somebody wrote it: 0.1 is no 0.10000000149.
fn hole_value(value: HoleValue) -> Value {
    match value {
        HoleValue::Smooth => json!("smooth"),
        HoleValue::Constant(value) => json!(value.to_string().parse::<f64>().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_said_is_not_there() {
        assert_eq!(feed(&FillOptions::default()), None);
        let options = FillOptions {
            hole_value: Some(HoleValue::Constant(0.1)),
            range: Some(Range::MinusOneOne),
            inputs: Some(vec![vec!["rgb".to_owned()]]),
            side: Some(128),
            ..FillOptions::default()
        };
        let expected = json!({"inputs": [["rgb"]], "range": "-1..1", "holeValue": 0.1, "side": 128});
        assert_eq!(feed(&options), Some(expected.clone()));
        // What is written is what --feed reads.
        assert_eq!(FillOptions::from_json(&expected.to_string()).unwrap(), options);
    }

    #[test]
    fn lines_are_as_long_as_the_page_takes_them() {
        assert_eq!(line(" a ", 3).unwrap(), "a");
        assert!(line("  ", 3).is_err() && line("abcd", 3).is_err());
        // The page counts UTF-16 units.
        assert!(line("\u{1f600}\u{1f600}", 3).is_err());
    }
}
