//! What loading a network may take beside its weights as packed: never a second copy of a large layer.

mod counting;

use std::io::Cursor;
use std::ops::ControlFlow;

use counting::{Counting, peak_of};
use infill::engine::EngineKind;
use infill::models::config::{BOTTLENECK, WIDTH};
use infill::models::{self, load};
use infill::network::Network;
use infill::tensor::Tensor;
use infill::{checkpoint, threads};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A file of this model at half its width.
fn file(id: &str) -> (Vec<u8>, Network) {
    let model = models::by_id(id).unwrap();
    let published = model.published();
    let halves = published
        .find(BOTTLENECK)
        .map(|wide| published.clone().with(BOTTLENECK, wide / 2))
        .unwrap_or(published.clone());
    let network = model.network(&halves.with(WIDTH, published.width() / 2));
    let (mut header, mut end) = (serde_json::Map::new(), 0);
    for parameter in network.parameters() {
        let start = end;
        end += 4 * parameter.shape.iter().product::<usize>();
        let entry = serde_json::json!({"dtype": "F32", "shape": parameter.shape, "data_offsets": [start, end]});
        header.insert(parameter.key, entry);
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
    file.extend((0..end / 4).flat_map(|i| (((i * 37) % 101) as f32 / 5000.0 + 0.001).to_le_bytes()));
    (file, network)
}

/// Most of image-pair's weights are one layer, which is transformed; most of ContextEncoder's are computed directly.
#[test]
fn a_layer_is_packed_while_it_is_read() {
    threads::set_count(1);
    for id in ["image-pair", "context-encoder"] {
        let (bytes, network) = file(id);
        let size = bytes.len();
        let (peak, loaded) = peak_of(|| {
            let mut checkpoint = checkpoint::open(Cursor::new(bytes), "half.safetensors").unwrap();
            load::load(checkpoint.as_mut(), "half.safetensors", None, EngineKind::Fast).unwrap()
        });
        let mut loaded = loaded.into_iter().next().unwrap();
        let inputs: Vec<Tensor> = network
            .inputs()
            .map(|(_, _, channels)| Tensor::new([1, channels, 512, 512], vec![0.5; channels << 18]).unwrap())
            .collect();
        loaded.engine.run(&inputs, &mut |_| ControlFlow::Continue(())).unwrap();
        let packed = loaded.engine.report().unwrap().weight_bytes as usize;
        println!("{id}: {size} bytes of file, {packed} as packed, {peak} at the peak of loading");
        assert!(packed > size && peak >= packed, "{id}: {packed} of {size}, peak {peak}");
        // Beside the weights: a piece of the file, and a row of a layer that the piece ended in.
        assert!(peak <= packed + packed / 16, "{id}: {peak} bytes at the peak for {packed} as packed");
    }
}
