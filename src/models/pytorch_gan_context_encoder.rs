//! PyTorch-GAN's context encoder (eriklindernoren/PyTorch-GAN, after Pathak et al. 2016): a picture with a square hole in,
//! the square's content out.

use super::config::{BOTTLENECK, INPUTS, WIDTH};
use super::spec::sentences;
use super::{ArchConfig, ArchParameter, Conventions, HoleValue, InputTensor, ModelSpec, OutputCovers, SizeRule};
use crate::network::{Activation, BatchNorm2d, Conv2d, ConvTranspose2d, Network};

const LEAKY: Activation = Activation::LeakyReLU { slope: 0.2 };
/// The published code gives 0.8 as the second argument of BatchNorm2d, which is eps.
const EPS: f64 = 0.8;

/// The context encoder.
pub fn spec() -> ModelSpec {
    ModelSpec {
        parameters: vec![
            ArchParameter::read(WIDTH, 64, |keys| keys.side("model.0.weight", 0)),
            ArchParameter::read(INPUTS, 3, |keys| keys.side("model.0.weight", 1)),
            ArchParameter::read(BOTTLENECK, 4000, |keys| keys.side("model.14.weight", 0)),
        ],
        about: sentences(&[
            "It sees a picture with a white square hole and gives the content of the square, half as large as the picture: 128x128 in gives 64x64 out.",
            "It has no mask channel: it was trained on holes of that one size. Its batch norms have an eps of 0.8, which no file tells.",
        ]),
        ..ModelSpec::new("pytorch-gan-context-encoder", "PyTorch-GAN context encoder", network, conventions)
    }
}

fn conventions(config: &ArchConfig) -> Conventions {
    Conventions {
        inputs: vec![InputTensor::of_channels(config.get(INPUTS))],
        hole_value: HoleValue::Constant(1.0),
        output_covers: OutputCovers::Centre,
        size: SizeRule::free(32, 128),
        ..Conventions::rgb_and_mask()
    }
}

/// `[1, c, H, W]` to `[1, c, H/2, W/2]`, sides a multiple of 32.
fn network(config: &ArchConfig) -> Network {
    let (w, bottleneck, c) = (config.width(), config.get(BOTTLENECK), config.get(INPUTS));
    let norm = |channels: usize| BatchNorm2d { eps: EPS, ..BatchNorm2d::new(channels) };
    let mut net = Network::new();
    let x = net.input("x", c);
    let mut model = net.sequential("model", x);
    model.push(Conv2d::new(c, w, 4).stride(2).padding(1)).push(LEAKY);
    for (inputs, outputs) in [(w, w), (w, 2 * w), (2 * w, 4 * w), (4 * w, 8 * w)] {
        model.push(Conv2d::new(inputs, outputs, 4).stride(2).padding(1)).push(norm(outputs)).push(LEAKY);
    }
    model.push(Conv2d::new(8 * w, bottleneck, 1));
    for (inputs, outputs) in [(bottleneck, 8 * w), (8 * w, 4 * w), (4 * w, 2 * w), (2 * w, w)] {
        model.push(ConvTranspose2d::new(inputs, outputs, 4).stride(2).padding(1)).push(norm(outputs));
        model.push(Activation::ReLU);
    }
    model.push(Conv2d::new(w, c, 3).padding(1)).push(Activation::Tanh);
    let y = model.end();
    net.returns(y)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn counts_are_the_published_ones() {
        let network = network(&spec().published());
        assert_eq!((network.parameter_count(), network.parameters().len()), (40_401_187, 62));
    }
}
