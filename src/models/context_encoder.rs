//! The ContextEncoder people paste: two `nn.Sequential`s, nine halvings and eight doublings.
//!
//! 512x512 in, 256x256 out: it is run exactly as it was written and trained. After Pathak et al. 2016,
//! "Context Encoders: Feature Learning by Inpainting".

use super::config::WIDTH;
use super::spec::sentences;
use super::{ArchConfig, ArchParameter, Conventions, ModelSpec, Range, SizeRule};
use crate::network::{Activation, BatchNorm2d, Conv2d, ConvTranspose2d, Network};

/// ContextEncoder: RGB and mask in, RGB out.
pub fn spec() -> ModelSpec {
    let conventions = |_: &ArchConfig| Conventions {
        input_range: Range::ZeroOne,
        output_range: Range::ZeroOne,
        size: SizeRule::fixed(512),
        ..Conventions::rgb_and_mask()
    };
    ModelSpec {
        parameters: vec![ArchParameter::voted(WIDTH, 64)],
        about: sentences(&["It halves nine times and doubles eight times: 512x512 in gives 256x256 out."]),
        ..ModelSpec::new("context-encoder", "ContextEncoder", network, conventions)
    }
    .benchmarked("context-encoder", &[512])
}

/// `[1, 4, 512, 512]` to `[1, 3, 256, 256]`; base width `w` (64 as published).
fn network(config: &ArchConfig) -> Network {
    let w = config.width();
    let mut net = Network::new();
    let x = net.input("x", 4);

    let mut encoder = net.sequential("encoder", x);
    encoder.push(Conv2d::new(4, w, 4).stride(2).padding(1)).push(LEAKY);
    for (inputs, outputs) in [(w, 2 * w), (2 * w, 4 * w), (4 * w, 8 * w)] {
        encoder.push(Conv2d::new(inputs, outputs, 4).stride(2).padding(1)).push(BatchNorm2d::new(outputs)).push(LEAKY);
    }
    for _ in 0..5 {
        encoder.push(Conv2d::new(8 * w, 8 * w, 4).stride(2).padding(1)).push(BatchNorm2d::new(8 * w)).push(LEAKY);
    }
    let code = encoder.end();

    let mut decoder = net.sequential("decoder", code);
    let widths = [8 * w, 8 * w, 8 * w, 8 * w, 8 * w, 4 * w, 2 * w, w];
    for pair in widths.windows(2) {
        let (inputs, outputs) = (pair[0], pair[1]);
        decoder.push(ConvTranspose2d::new(inputs, outputs, 4).stride(2).padding(1));
        decoder.push(BatchNorm2d::new(outputs)).push(Activation::ReLU);
    }
    decoder.push(ConvTranspose2d::new(w, 3, 4).stride(2).padding(1)).push(Activation::Sigmoid);
    let y = decoder.end();
    net.returns(y)
}

const LEAKY: Activation = Activation::LeakyReLU { slope: 0.2 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Shape;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn counts_are_the_published_ones() {
        let net = network(&ArchConfig::new([(WIDTH, 64)]));
        assert_eq!(net.parameter_count(), 43_278_851);
        let shapes = net.shapes(&[Shape::image(4, 512, 512)]).unwrap();
        assert_eq!(shapes[net.output()], Shape::image(3, 256, 256));
        let macs: u64 = net.costs(&[Shape::image(4, 512, 512)]).unwrap().iter().map(|c| c.macs).sum();
        assert!((10.1e9..10.3e9).contains(&(macs as f64)), "{macs}");
    }
}
