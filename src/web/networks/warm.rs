//! Warming the kernels: a browser compiles a function for speed only after it has run for a while. A small network of
//! every kind of layer does that while the first weights are read, so that the first fill is not the slow one.

use std::ops::ControlFlow;
use std::sync::Once;

use crate::clock;
use crate::engine::{self, EngineKind, WeightSource};
use crate::error::Result;
use crate::network::ops::{Add, Affine};
use crate::network::{
    Activation, BatchNorm2d, Cat, Conv2d, ConvTranspose2d, InstanceNorm2d, Network, Pad2d, Upsample, UpsampleMode,
};
use crate::tensor::Tensor;

/// Enough for a browser to see what is hot; the compiling itself goes on beside the reading.
const MOST_RUNS: usize = 40;
/// Slow machines stop earlier, in ms.
const WARM_MS: f64 = 80.0;
/// Side of the input.
const SIDE: usize = 32;

/// Warms the kernels, the first time it is called. A failure only means a slower first run.
pub fn once() {
    static DONE: Once = Once::new();
    DONE.call_once(|| drop(warm()));
}

fn warm() -> Result<()> {
    let network = network();
    let mut engine = engine::build(EngineKind::Fast, &network, &mut Halves(&network))?;
    let began = clock::now_ms();
    for _ in 0..MOST_RUNS {
        if clock::now_ms() - began > WARM_MS {
            break;
        }
        engine.run(&[Tensor::zeros([1, 4, SIDE, SIDE])], &mut |_| ControlFlow::Continue(()))?;
    }
    Ok(())
}

/// Every kind of layer that a plan has a kernel for, wide enough for the fast ones.
fn network() -> Network {
    const LEAKY: Activation = Activation::LeakyReLU { slope: 0.2 };
    let mut net = Network::new();
    let x = net.input("x", 4);
    let mut layers = net.sequential("down", x);
    layers.push(Conv2d::new(4, 64, 3).padding(1)).push(BatchNorm2d::new(64)).push(LEAKY);
    layers.push(Conv2d::new(64, 64, 3).stride(2).padding(1)).push(Activation::ReLU);
    layers.push(Conv2d::new(64, 64, 4).stride(2).padding(1)).push(InstanceNorm2d::new(64)).push(Activation::ReLU);
    let small = layers.end();
    let mut layers = net.sequential("middle", small);
    layers.push(Pad2d::reflection(2)).push(Conv2d::new(64, 64, 3).dilation(2)).push(InstanceNorm2d::new(64));
    layers.push(Conv2d::new(64, 64, 3).padding(1)).push(Conv2d::new(64, 64, 1)).push(LEAKY);
    let y = layers.end();
    let y = net.node("add", Add, &[small, y]);
    let y = net.node("cat", Cat::CHANNELS, &[small, y]);
    let mut layers = net.sequential("up", y);
    layers.push(ConvTranspose2d::new(128, 64, 4).stride(2).padding(1)).push(Activation::ReLU);
    layers.push(ConvTranspose2d::new(64, 64, 3).stride(2).padding(1).output_padding(1)).push(LEAKY);
    layers.push(Upsample { scale: 2, mode: UpsampleMode::Bilinear });
    layers.push(Pad2d::reflection(3)).push(Conv2d::new(64, 3, 7)).push(Activation::Tanh);
    let y = layers.end();
    let y = net.node("rescale", Affine { scale: 0.5, offset: 0.5 }, &[y]);
    net.returns(y)
}

/// 0.5 for every weight: neither zero nor denormal, and a valid variance.
struct Halves<'a>(&'a Network);

impl WeightSource for Halves<'_> {
    fn take(&mut self, key: &str) -> Result<Vec<f32>> {
        let count = self.0.parameters().into_iter().find(|p| p.key == key).map_or(0, |p| p.shape.iter().product());
        Ok(vec![0.5; count])
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_warming_network_runs() {
        super::warm().unwrap();
    }
}
