//! Both engines against PyTorch: whole networks at small widths, and a table of layer configurations.
//! The expectations are made by `tests/reference/networks/make.py`.

use std::ops::ControlFlow;
use std::path::PathBuf;

use infill::engine::{Engine, EngineKind, WeightSource};
use infill::error::Result;
use infill::models::NormStatistics;
use infill::models::config::WIDTH;
use infill::network::ops::Add;
use infill::network::{Activation, BatchNorm2d, Conv2d, ConvTranspose2d, Network, Op, Operator, Pad2d, PaddingMode};
use infill::tensor::Tensor;
use infill::{checkpoint, engine, models, threads};
use serde_json::Value;

fn folder() -> PathBuf {
    root().join("tests/reference/networks")
}

/// `numbers` of make.py.
fn numbers(count: usize, seed: u64, low: f64) -> Vec<f32> {
    let value = |i: u64| {
        let u = ((i + seed * 7919).wrapping_mul(2_654_435_761) % (1 << 32)) as f64 / (1u64 << 32) as f64;
        (low + (1.0 - low) * u) as f32
    };
    (1..=count as u64).map(value).collect()
}

fn sizes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
}

fn run(engine: &mut dyn Engine, inputs: &[Tensor]) -> Result<Tensor> {
    engine.run(inputs, &mut |_| ControlFlow::Continue(()))
}

/// Every `step`-th row and column.
fn sampled(tensor: &Tensor, step: usize) -> Vec<f32> {
    let (_, _, h, w) = tensor.nchw().unwrap();
    let planes = tensor.data().chunks_exact(h * w);
    let pick = |plane: &[f32]| -> Vec<f32> {
        plane.chunks_exact(w).step_by(step).flat_map(|row| row.iter().step_by(step).copied()).collect()
    };
    planes.flat_map(pick).collect()
}

fn hold_network(id: &str, kind: EngineKind, tolerance: f32) {
    let table: Value = serde_json::from_slice(&std::fs::read(folder().join("networks.json")).unwrap()).unwrap();
    let row = &table[id];
    let name = row["file"].as_str().unwrap();
    let mut checkpoint = checkpoint::open(std::fs::File::open(folder().join(name)).unwrap(), name).unwrap();
    let mut loaded = models::load::load(checkpoint.as_mut(), name, None, kind).unwrap();
    assert_eq!(loaded.len(), 1, "{id}");
    let network = &mut loaded[0];
    assert_eq!(network.model.id, row["model"].as_str().unwrap_or(id));
    let low = if id.starts_with("image-pair") { -1.0 } else { 0.0 };
    let inputs: Vec<Tensor> = row["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(i, shape)| Tensor::new(sizes(shape), numbers(sizes(shape).iter().product(), i as u64 + 1, low)).unwrap())
        .collect();
    let output = run(network.engine.as_mut(), &inputs).unwrap();
    assert_eq!(output.shape(), sizes(&row["shape"]), "{id}");
    let found = sampled(&output, row["step"].as_u64().unwrap() as usize);
    let expected: Vec<f32> = row["y"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect();
    assert_eq!(found.len(), expected.len());
    let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("{id}: max abs error {worst:e}");
    assert!(worst <= tolerance, "{id}: max abs error {worst:e}");
}

macro_rules! networks {
    ($($name:ident = $id:literal,)*) => { $(
        #[test]
        fn $name() {
            hold_network($id, EngineKind::Reference, 1e-4);
            // Sums in another order: the same bound holds.
            hold_network($id, EngineKind::Fast, 1e-4);
        }
    )* };
}
networks! {
    context_encoder = "context-encoder",
    edgeconnect_inpaint = "edgeconnect-inpaint",
    edgeconnect_edge_with_spectral_norm = "edgeconnect-edge",
    edgeconnect_edge_without_spectral_norm = "edgeconnect-edge-without-spectral-norm",
    image_pair_generator_with_its_own_bottleneck = "image-pair",
    image_pair_discriminator = "image-pair-discriminator",
    context_unet = "default",
}

/// A file of `published.json`: a published network at small widths, in a form in which people save it.
fn hold_published(name: &str) {
    let table: Value = serde_json::from_slice(&std::fs::read(folder().join("published.json")).unwrap()).unwrap();
    let row = &table[name];
    let file = row["file"].as_str().unwrap();
    let open = || checkpoint::open(std::fs::File::open(folder().join(file)).unwrap(), file);
    let shape = sizes(&row["inputs"][0]);
    let low = row["low"].as_f64().unwrap();
    let mut inputs = vec![Tensor::new(shape.clone(), numbers(shape.iter().product(), 1, low)).unwrap()];
    inputs.extend(row["mask"].is_object().then(|| spots(&row["mask"], &shape)));
    let expected: Vec<f32> = row["y"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect();
    for (kind, tolerance) in [(EngineKind::Reference, 1e-4), (EngineKind::Fast, 1e-3)] {
        let mut loaded = models::load::load(open().unwrap().as_mut(), file, None, kind).unwrap();
        assert_eq!(loaded.len(), 1, "{name}");
        let network = &mut loaded[0];
        // There is no published MI-GAN of 64 pixels.
        assert_eq!(network.model.id, row["model"].as_str().unwrap().replace("migan-64", "migan"));
        if let Some(statistics) = row["statistics"].as_str().and_then(NormStatistics::parse) {
            network.use_statistics(statistics, kind, open).unwrap();
            assert_eq!(network.conventions.norm_statistics, Some(statistics));
        }
        let output = run(network.engine.as_mut(), &inputs).unwrap();
        assert_eq!(output.shape(), sizes(&row["shape"]), "{name}");
        let found = sampled(&output, row["step"].as_u64().unwrap() as usize);
        assert_eq!(found.len(), expected.len());
        let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{name}, {kind:?}: max abs error {worst:e}");
        assert!(worst <= tolerance, "{name}, {kind:?}: max abs error {worst:e}");
    }
}

/// `spots` of make_published.py, or what they leave, as equal channels of a mask.
fn spots(mask: &Value, image: &[usize]) -> Tensor {
    let (channels, known) = (mask["channels"].as_u64().unwrap() as usize, mask["known"].as_bool().unwrap());
    let hole = |value: f32| f32::from(u8::from((value > 0.8) != known));
    let plane: Vec<f32> = numbers(image[2] * image[3], 2, -1.0).into_iter().map(hole).collect();
    Tensor::new([1, channels, image[2], image[3]], plane.repeat(channels)).unwrap()
}

macro_rules! published {
    ($($name:ident = $row:literal,)*) => { $(
        #[test]
        fn $name() {
            hold_published($row);
        }
    )* };
}
published! {
    pix2pix_with_stored_batch_norms = "pix2pix-unet-bn",
    pix2pix_with_batch_norms_of_the_picture = "pix2pix-unet-bn-picture",
    pix2pix_with_instance_norms = "pix2pix-unet-in",
    pix2pix_with_dropout_and_four_channels = "pix2pix-unet-dropout",
    pix2pix_with_dropout_and_norms_of_the_picture = "pix2pix-unet-dropout-picture",
    pix2pix_with_statistics_of_instance_norms = "pix2pix-unet-old-stats",
    cyclegan_with_nine_blocks = "cyclegan-resnet-in",
    cyclegan_with_dropout = "cyclegan-resnet-in-dropout",
    cyclegan_with_dropout_and_batch_norms = "cyclegan-resnet-bn-dropout",
    cyclegan_with_batch_norms_of_the_picture = "cyclegan-resnet-bn-dropout-picture",
    cyclegan_with_statistics_of_instance_norms = "cyclegan-resnet-old-stats",
    pytorch_gan_context_encoder = "pytorch-gan-context-encoder",
    pytorch_gan_context_encoder_with_norms_of_the_picture = "pytorch-gan-context-encoder-picture",
    migan_of_64_pixels = "migan-64",
    migan_as_torchscript = "migan-64-scripted",
    migan_256 = "migan-256",
    migan_512 = "migan-512",
    lama_of_three_blocks_as_lightning_saves_it = "lama-lightning",
    lama_of_three_blocks_at_odd_sides = "lama-lightning-odd",
    lama_as_torchscript = "lama-scripted",
    lama_as_torchscript_at_odd_sides = "lama-scripted-odd",
    lama_with_large_statistics = "lama-gen-state-dict",
    lama_with_large_statistics_at_odd_sides = "lama-gen-state-dict-odd",
    aot_gan = "aot-gan",
    aot_gan_at_odd_sides = "aot-gan-odd",
    deepfillv2 = "deepfillv2",
    deepfillv2_at_odd_sides = "deepfillv2-odd",
    deepfillv2_with_tensorflows_padding = "deepfillv2-tf",
    deepfillv2_with_tensorflows_padding_at_odd_sides = "deepfillv2-tf-odd",
    deepfillv2_without_attention = "deepfillv2-plain",
    deepfillv2_without_attention_at_odd_sides = "deepfillv2-plain-odd",
    partial_convolutions = "partial-convolution",
    partial_convolutions_of_five_halvings = "partial-convolution-of-five",
}

#[test]
fn every_published_row_has_a_test() {
    let table: Value = serde_json::from_slice(&std::fs::read(folder().join("published.json")).unwrap()).unwrap();
    let source = include_str!("networks.rs");
    for name in table.as_object().unwrap().keys() {
        assert!(source.contains(&format!("= \"{name}\",")), "{name} has no test");
    }
}

/// Inputs and PyTorch's outputs, written where the weights were trained.
#[test]
fn trained_weights_give_what_pytorch_gives() {
    hold_example("starter-example", |kind| {
        let file = std::fs::File::open(root().join("train/starter.safetensors")).unwrap();
        let mut file = checkpoint::open(file, "starter").unwrap();
        models::load::load(file.as_mut(), "starter", Some("default"), kind).unwrap().pop().unwrap()
    });
    hold_example("default-example", |kind| models::load::default_model(kind).unwrap());
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn hold_example(example: &str, load: impl Fn(EngineKind) -> models::load::Loaded) {
    let path = root().join("tests/fixtures").join(example).with_extension("safetensors");
    let mut file = checkpoint::open(std::fs::File::open(path).unwrap(), "example").unwrap();
    let infos = file.state_dicts()[0].tensors.clone();
    let mut read = |key: &str| {
        let info = infos.iter().find(|info| info.key == key).unwrap();
        Tensor::new(info.shape.clone(), file.read(info).unwrap()).unwrap()
    };
    let (x, y) = (read("x"), read("y"));
    for kind in [EngineKind::Reference, EngineKind::Fast] {
        let mut model = load(kind);
        let found = run(model.engine.as_mut(), std::slice::from_ref(&x)).unwrap();
        let worst = found.data().iter().zip(y.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= 1e-4, "{example}, {kind:?}: max abs error {worst:e}");
    }
}

/// Transformed, direct and narrow convolutions, norms and sums: whoever does them, the bytes are the same.
#[test]
fn any_number_of_threads_gives_the_same_output() {
    let mut default = models::load::default_model(EngineKind::Fast).unwrap();
    let pair = models::by_id("image-pair").unwrap();
    let network = pair.network(&pair.published().with(WIDTH, 16));
    let mut pair = engine::build(EngineKind::Fast, &network, &mut Seeded { network: &network, seed: 5 }).unwrap();
    let input = |channels: usize, seed: u64| {
        Tensor::new([1, channels, 96, 128], numbers(channels * 96 * 128, seed, 0.0)).unwrap()
    };
    let mut outputs = Vec::new();
    for count in [1, 2, 3, 8, 2] {
        threads::set_count(count);
        let one = run(default.engine.as_mut(), &[input(4, 1)]).unwrap();
        let other = run(pair.as_mut(), &[input(3, 2), input(3, 3)]).unwrap();
        outputs.push((one.data().to_vec(), other.data().to_vec()));
    }
    assert!(outputs.windows(2).all(|two| two[0] == two[1]));
}

/// The weights of the layer table: `weight` from seed + 1, `bias` from seed + 2.
struct Seeded<'a> {
    network: &'a Network,
    seed: u64,
}

impl WeightSource for Seeded<'_> {
    fn take(&mut self, key: &str) -> Result<Vec<f32>> {
        let parameter = self.network.parameters().into_iter().find(|p| p.key == key).unwrap();
        let offset = if key.ends_with("weight") { 1 } else { 2 };
        Ok(numbers(parameter.shape.iter().product(), self.seed + offset, -1.0))
    }
}

fn layer(row: &Value) -> Op {
    let pair = |name: &str| {
        let list = sizes(&row[name]);
        (list[0], list[1])
    };
    let number = |name: &str| row[name].as_u64().unwrap() as usize;
    let bias = row["bias"].as_bool().unwrap();
    if row["op"] == "Conv2d" {
        let mode = match row["padding_mode"].as_str().unwrap() {
            "zeros" => PaddingMode::Zeros,
            "reflect" => PaddingMode::Reflect,
            "replicate" => PaddingMode::Replicate,
            _ => PaddingMode::Circular,
        };
        let conv = Conv2d::new(number("in"), number("out"), pair("kernel")).stride(pair("stride"));
        let conv = conv.padding(pair("padding")).dilation(pair("dilation"));
        return conv.groups(number("groups")).bias(bias).padding_mode(mode).into();
    }
    let conv = ConvTranspose2d::new(number("in"), number("out"), pair("kernel")).stride(pair("stride"));
    let conv = conv.padding(pair("padding")).dilation(pair("dilation")).output_padding(pair("output_padding"));
    conv.groups(number("groups")).bias(bias).into()
}

/// What PyTorch says differently from time to time, by what it is about.
fn same_meaning(theirs: &str, ours: &str) -> bool {
    let phrases = ["adding size should be less than", "wrapping around more than once", "adding value causes wrapping"];
    phrases.iter().any(|phrase| theirs.contains(phrase)) && ours.contains("adding")
}

#[test]
fn layer_table() {
    let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(folder().join("layers.json")).unwrap()).unwrap();
    let values: Vec<f32> = std::fs::read(folder().join("layers.f32"))
        .unwrap()
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    let mut at = 0;
    let (mut valid, mut invalid) = ([0, 0], 0);
    for (seed, row) in rows.iter().enumerate() {
        let seed = seed as u64;
        let op = layer(row);
        let transposed = usize::from(matches!(op, Op::ConvTranspose2d(_)));
        let shape = sizes(&row["x"]);
        let mut network = Network::new();
        let x = network.input("x", shape[1]);
        let y = network.node("layer", op, &[x]);
        let network = network.returns(y);
        let x = Tensor::new(shape.clone(), numbers(shape.iter().product(), seed, -1.0)).unwrap();
        let with = |kind| {
            engine::build(kind, &network, &mut Seeded { network: &network, seed })
                .and_then(|mut engine| run(engine.as_mut(), std::slice::from_ref(&x)))
        };
        let outcome = with(EngineKind::Reference);
        if let Some(theirs) = row["error"].as_str() {
            let ours = outcome.err().unwrap_or_else(|| panic!("row {seed} must be refused: {theirs}")).message;
            invalid += 1;
            // A constructor's message is PyTorch's own; at run time ours stands behind the layer's name.
            let words = |text: &str| text.trim_end_matches('.').to_owned();
            assert!(
                ours.contains(&words(theirs)) || theirs.contains(&words(&ours)) || same_meaning(theirs, &ours),
                "row {seed}: {ours} instead of {theirs}"
            );
            continue;
        }
        let found = outcome.unwrap_or_else(|e| panic!("row {seed}: {e}"));
        assert_eq!(found.shape(), sizes(&row["y"]), "row {seed}");
        let expected = &values[at..at + found.data().len()];
        at += expected.len();
        let scale = expected.iter().fold(1.0f32, |m, v| m.max(v.abs()));
        let worst = found.data().iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= 1e-4 * scale, "row {seed}: max abs error {worst:e} at scale {scale}");
        let fast = with(EngineKind::Fast).unwrap_or_else(|e| panic!("row {seed}: {e}"));
        let worst = fast.data().iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(fast.shape() == found.shape() && worst <= 1e-4 * scale, "row {seed}: fast, max abs error {worst:e}");
        valid[transposed] += 1;
    }
    println!("{} Conv2d, {} ConvTranspose2d, {invalid} refused", valid[0], valid[1]);
    assert_eq!(at, values.len());
    assert!(valid[0] >= 300 && valid[1] >= 600, "{valid:?}");
}

/// What stands around a convolution with groups is not lost: padding before it, norm, function and sum after it.
#[test]
fn what_stands_around_a_convolution_with_groups_is_done() {
    let layers: [Op; 2] = [Conv2d::new(6, 6, 3).groups(6).into(), ConvTranspose2d::new(6, 6, 3).groups(2).into()];
    for op in layers {
        let mut network = Network::new();
        let x = network.input("x", 6);
        let y = network.node("pad", Pad2d::reflection(1), &[x]);
        let y = network.node("layer", op.clone(), &[y]);
        let y = network.node("norm", BatchNorm2d::new(6), &[y]);
        let y = network.node("leaky", Activation::LeakyReLU { slope: 0.2 }, &[y]);
        let z = network.node("other", Conv2d::new(6, 6, 1), &[y]);
        let y = network.node("sum", Add, &[y, z]);
        let network = network.returns(y);
        let x = Tensor::new([1, 6, 8, 9], numbers(6 * 72, 3, -1.0)).unwrap();
        let [fast, reference] = [EngineKind::Fast, EngineKind::Reference].map(|kind| {
            let mut engine = engine::build(kind, &network, &mut Positive(&network)).unwrap();
            run(engine.as_mut(), std::slice::from_ref(&x)).unwrap()
        });
        let scale = reference.data().iter().fold(1.0f32, |most, v| most.max(v.abs()));
        let worst = fast.data().iter().zip(reference.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= 1e-5 * scale, "{op:?}: {worst:e} at scale {scale}");
    }
}

/// Values between 0.5 and 1.5, which a variance may have.
struct Positive<'a>(&'a Network);

impl WeightSource for Positive<'_> {
    fn take(&mut self, key: &str) -> Result<Vec<f32>> {
        let parameter = self.0.parameters().into_iter().find(|p| p.key == key).unwrap();
        Ok(numbers(parameter.shape.iter().product(), key.len() as u64, 0.0).into_iter().map(|v| v + 0.5).collect())
    }
}

#[test]
fn convolutions_with_groups_have_kernels_of_their_own() {
    let layers: [(Op, &str); 5] = [
        (Conv2d::new(16, 16, 3).groups(16).into(), "depthwise"),
        (Conv2d::new(16, 48, 4).stride(2).groups(16).into(), "depthwise"),
        (ConvTranspose2d::new(16, 16, 4).stride(2).groups(16).into(), "depthwise"),
        (Conv2d::new(16, 16, 3).groups(4).into(), "grouped"),
        (ConvTranspose2d::new(16, 8, 3).groups(2).into(), "grouped"),
    ];
    for (op, kernel) in layers {
        let mut network = Network::new();
        let x = network.input("x", 16);
        let y = network.node("layer", op.clone(), &[x]);
        let network = network.returns(y);
        let mut fast = engine::build(EngineKind::Fast, &network, &mut Seeded { network: &network, seed: 3 }).unwrap();
        run(fast.as_mut(), &[Tensor::zeros([1, 16, 8, 8])]).unwrap();
        let report = fast.report().unwrap();
        let layer = report.layers.iter().find(|layer| layer.path == "layer").unwrap();
        assert_eq!(layer.kernel, kernel, "{op:?}");
    }
}

#[test]
fn a_pasted_class_runs_the_weights_it_was_saved_with() {
    for (source, file, inputs) in
        [("edgeconnect.py", "edgeconnect-inpaint.pth", &[4][..]), ("pair.py", "image-pair.pth", &[3, 3])]
    {
        let text = std::fs::read_to_string(folder().join("../classes").join(source)).unwrap();
        let shapes: Vec<_> = inputs.iter().map(|&channels| infill::network::Shape::image(channels, 32, 48)).collect();
        let mut networks = infill::torch_source::networks(&text, &shapes, Default::default()).unwrap();
        let network = networks.swap_remove(0).network.unwrap();
        let open = || checkpoint::open(std::fs::File::open(folder().join(file)).unwrap(), file).unwrap();
        let x: Vec<Tensor> = inputs
            .iter()
            .enumerate()
            .map(|(i, &channels)| {
                Tensor::new([1, channels, 32, 48], numbers(channels * 32 * 48, i as u64, 0.0)).unwrap()
            })
            .collect();
        let classes = || vec![("Net".to_owned(), Ok(network.clone()))];
        let (mut pasted, _) =
            models::load::engine_for(open().as_mut(), file, classes(), EngineKind::Reference).unwrap();
        let mut known = models::load::load(open().as_mut(), file, None, EngineKind::Reference).unwrap();
        let (ours, theirs) = (run(pasted.as_mut(), &x).unwrap(), run(known[0].engine.as_mut(), &x).unwrap());
        assert_eq!(ours, theirs, "{source}");
        let other = models::load::engine_for(
            checkpoint::open(std::fs::File::open(folder().join("context-encoder.pth")).unwrap(), "gen.pth")
                .unwrap()
                .as_mut(),
            "gen.pth",
            classes(),
            EngineKind::Reference,
        );
        let error = other.map(drop).unwrap_err();
        assert_eq!(error.code, infill::error::Code::ModelMismatch);
        assert!(error.message.contains("gen.pth") && error.message.contains("Missing key(s)"), "{error}");
    }
}

#[test]
fn output_size_in_forward_chooses_as_pytorch_does() {
    let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(folder().join("output_sizes.json")).unwrap()).unwrap();
    let (mut given, mut refused) = (0, 0);
    for row in rows {
        let pair = |name: &str| {
            let list = sizes(&row[name]);
            (list[0], list[1])
        };
        let conv = ConvTranspose2d::new(1, 1, pair("kernel")).stride(pair("stride")).padding(pair("padding"));
        let chosen = conv.dilation(pair("dilation")).with_output_size(pair("input"), pair("output_size"));
        match row["error"].as_str() {
            None => {
                let conv = chosen.unwrap_or_else(|e| panic!("{row}: {e}"));
                conv.check().unwrap_or_else(|e| panic!("{row}: {e}"));
                let (h, w) = pair("input");
                assert_eq!(conv.output_size(h, w), Some(pair("y")), "{row}");
                given += 1;
            }
            Some(theirs) => {
                let ours =
                    chosen.and_then(|conv| conv.check()).err().unwrap_or_else(|| panic!("{row} must be refused"));
                // PyTorch writes the requested size as it was given, here as a list.
                assert_eq!(
                    ours.replace(['(', ')'], ""),
                    theirs.replace(['(', ')'], "").replacen("size of [", "size of ", 1).replacen("], but", ", but", 1),
                    "{row}"
                );
                refused += 1;
            }
        }
    }
    assert!(given >= 100 && refused >= 40, "{given} given, {refused} refused");
}

#[test]
fn a_run_reports_every_layer_and_can_be_cancelled() {
    let mut model = models::load::default_model(EngineKind::Reference).unwrap();
    let x = Tensor::zeros([1, 4, 32, 32]);
    let (mut seen, mut last) = (0, -1.0);
    let mut watch = |step: engine::Step<'_>| {
        assert!(step.done >= last && step.done <= 1.0);
        last = step.done;
        seen += 1;
        if seen == 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let error = model.engine.run(&[x], &mut watch).unwrap_err();
    assert_eq!(error.code, infill::error::Code::Cancelled);
    assert_eq!(seen, 20);
}

/// Wide 3x3 layers go through Winograd's transforms: held against the reference over odd shapes, to the layer table's bound.
#[test]
fn wide_three_by_three_layers_agree() {
    let modes = [PaddingMode::Zeros, PaddingMode::Reflect, PaddingMode::Replicate, PaddingMode::Circular];
    let mut rows = 0;
    for (index, (height, width)) in [(4, 4), (5, 7), (9, 6), (13, 17), (8, 31)].into_iter().enumerate() {
        for dilation in [(1, 1), (2, 2), (1, 3)] {
            for (padding, mode) in modes.iter().enumerate() {
                let conv = Conv2d::new(32 + 8 * index, 40, 3).padding(padding).dilation(dilation).padding_mode(*mode);
                if conv.output_size(height, width).is_none()
                    || (*mode != PaddingMode::Zeros && padding >= height.min(width))
                {
                    continue;
                }
                let mut network = Network::new();
                let x = network.input("x", conv.in_channels);
                let y = network.node("layer", conv.clone(), &[x]);
                let network = network.returns(y);
                let shape = [1, conv.in_channels, height, width];
                let x = Tensor::new(shape, numbers(shape.iter().product(), 5, -1.0)).unwrap();
                let with = |kind| {
                    let mut engine = engine::build(kind, &network, &mut Seeded { network: &network, seed: 9 }).unwrap();
                    run(engine.as_mut(), std::slice::from_ref(&x)).unwrap()
                };
                let (expected, found) = (with(EngineKind::Reference), with(EngineKind::Fast));
                let scale = expected.data().iter().fold(1.0f32, |m, v| m.max(v.abs()));
                let worst = found.data().iter().zip(expected.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(
                    found.shape() == expected.shape() && worst <= 1e-4 * scale,
                    "{conv:?} {height}x{width}: {worst:e}"
                );
                rows += 1;
            }
        }
    }
    assert!(rows > 30, "{rows}");
}
