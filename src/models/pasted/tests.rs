//! What is guessed of pasted classes.

use super::*;
use crate::models::Source;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A class of this name whose `forward` takes these arguments.
fn conventions(name: &str, arguments: &str, channels: &[usize], body: &str) -> Conventions {
    let count: usize = channels.iter().sum();
    let source = format!(
        "import torch\nimport torch.nn as nn\n\nclass {name}(nn.Module):\n    def __init__(self):\n        \
         super().__init__()\n        self.a = nn.Conv2d({count}, 3, 3, padding=1)\n\n    def forward(self, {arguments}):\n        \
         {body}\n"
    );
    let given = Given { channels: Some(channels), side: Some(16) };
    let classes = torch_source::pictured(&source, given, Options::default()).unwrap();
    guessed(name, &classes[0].network.as_ref().unwrap().network)
}

fn words(conventions: &Conventions) -> Vec<Vec<&'static str>> {
    conventions.inputs.iter().map(InputTensor::words).collect()
}

#[test]
fn names_and_channels_say_what_goes_in() {
    let of = |name: &str, arguments: &str, channels: &[usize]| {
        let all = arguments.replace("self, ", "");
        words(&conventions(name, arguments, channels, &format!("return self.a(torch.cat([{all}], 1))")))
    };
    assert_eq!(of("Net", "x", &[3]), [vec!["rgb"]]);
    assert_eq!(of("Net", "x", &[4]), [vec!["rgb", "mask"]]);
    assert_eq!(of("Net", "x", &[1]), [vec!["gray"]]);
    assert_eq!(of("Net", "x", &[2]), [vec!["gray", "mask"]]);
    assert_eq!(of("Net", "x", &[5]), [vec!["rgb", "ones", "mask"]]);
    assert_eq!(of("Net", "x", &[6]), [vec!["rgb", "second"]]);
    assert_eq!(of("Net", "x", &[9]), [vec!["rgb", "mask", "zeros", "zeros", "zeros", "zeros", "zeros"]]);
    assert_eq!(of("EdgeNet", "x", &[4]), [vec!["rgb", "edges"]]);
    assert_eq!(of("Net", "image, mask", &[3, 1]), [vec!["rgb"], vec!["mask"]]);
    assert_eq!(of("Net", "masked, edges", &[3, 1]), [vec!["rgb"], vec!["edges"]]);
    assert_eq!(of("Net", "x, masks", &[3, 3]), [vec!["rgb"], vec!["mask", "mask", "mask"]]);
    assert_eq!(of("Net", "x1, x2", &[3, 3]), [vec!["rgb"], vec!["second"]]);
    assert_eq!(of("Net", "x, z", &[3, 2]), [vec!["rgb"], vec!["noise", "noise"]]);
}

#[test]
fn the_last_function_says_the_range() {
    let of = |body: &str| {
        let found = conventions("Net", "x", &[3], body);
        (found.input_range, found.output_range)
    };
    assert_eq!(of("return torch.tanh(self.a(x))").1, Range::MinusOneOne);
    assert_eq!(of("return torch.sigmoid(self.a(x))"), (Range::ZeroOne, Range::ZeroOne));
    assert_eq!(of("return (torch.tanh(self.a(x)) + 1) / 2").1, Range::ZeroOne);
    assert_eq!(of("return torch.clamp(self.a(x), -1, 1)").1, Range::MinusOneOne);
    assert_eq!(of("return self.a(x)").1, Range::ZeroOne);
    // Not what lies behind the last layer.
    assert_eq!(of("return self.a(torch.tanh(x))").1, Range::ZeroOne);
}

#[test]
fn what_the_class_does_with_its_mask_says_its_polarity() {
    let of = |body: &str| conventions("Net", "x, mask", &[3, 1], body).mask_means;
    assert_eq!(of("return self.a(torch.cat([x, mask], 1))"), MaskMeans::Hole);
    assert_eq!(of("return self.a(torch.cat([x * mask, mask], 1))"), MaskMeans::Known);
    assert_eq!(of("return self.a(torch.cat([x * (1 - mask), mask], 1))"), MaskMeans::Hole);
}

#[test]
fn words_and_tensors_are_each_others() {
    for words in
        [&["rgb", "mask"][..], &["mask", "photo"], &["gray", "edges", "known", "noise", "zeros", "ones"], &["second"]]
    {
        let tensor = InputTensor::from_words(words).unwrap();
        assert_eq!(tensor.words(), words);
    }
    assert!(InputTensor::from_words(&["rbg"]).unwrap_err().contains("rbg is not one of rgb"));
    assert!(conventions("Net", "x", &[4], "return self.a(x)").takes(Source::Mask));
}
