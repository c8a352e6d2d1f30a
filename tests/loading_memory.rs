//! What loading a network may take beside its weights as packed: never a second copy of a large layer.

mod counting;

use std::io::Cursor;
use std::ops::ControlFlow;

use counting::{Counting, peak_of};
use infill::engine::EngineKind;
use infill::models::{self, Widths, load};
use infill::tensor::Tensor;
use infill::{checkpoint, threads};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The image-pair generator at half its width: three quarters of its weights are one layer, which is computed directly.
fn file() -> Vec<u8> {
    let model = models::by_id("image-pair").unwrap();
    let network = (model.network)(Widths { base: 32, bottleneck: 2000, ..model.published });
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
    file
}

#[test]
fn a_layer_is_packed_while_it_is_read() {
    threads::set_count(1);
    let bytes = file();
    let size = bytes.len();
    let (peak, loaded) = peak_of(|| {
        let mut checkpoint = checkpoint::open(Cursor::new(bytes), "pair.safetensors").unwrap();
        load::load(checkpoint.as_mut(), "pair.safetensors", None, EngineKind::Fast).unwrap()
    });
    let mut network = loaded.into_iter().next().unwrap();
    let input = || Tensor::new([1, 3, 32, 32], vec![0.5; 3 * 32 * 32]).unwrap();
    network.engine.run(&[input(), input()], &mut |_| ControlFlow::Continue(())).unwrap();
    let packed = network.engine.report().unwrap().weight_bytes as usize;
    println!("{size} bytes of file, {packed} as packed, {peak} at the peak of loading");
    assert!(packed > size && peak >= packed, "{packed} of {size}, peak {peak}");
    // The largest transformed layer still has both at once: a tenth here.
    assert!(peak <= packed + packed / 8, "{peak} bytes at the peak for {packed} as packed");
}
