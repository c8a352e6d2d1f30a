//! A network that only this file knows: identified, explained, listed, fed and run, without another line anywhere.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::{Arc, Once};

use infill::checkpoint::{self, Checkpoint};
use infill::engine::EngineKind;
use infill::error::Code;
use infill::models::config::{BLOCKS, WIDTH};
use infill::models::load::{self, Loaded};
use infill::models::{
    ArchConfig, ArchParameter, Blend, Channel, ChannelRange, ClassHint, Conventions, HoleValue, InputTensor, KeyRules,
    Keys, MaskMeans, ModelSpec, Range, Role, SizeRule, Source, register, registry, spelling,
};
use infill::network::{Activation, Conv2d, Network};
use infill::pipeline::{self, FillOptions, Mask, Photo, Sharpen};
use infill::report;

const SIDE: usize = 48;

/// `head.0`, any number of `blocks.N`, `tail`: one colour for the whole picture, where weights are 0.
fn network(config: &ArchConfig) -> Network {
    let w = config.width();
    let mut net = Network::new();
    let x = net.input("x", 5);
    let mut y = net.node("head.0", Conv2d::new(5, w, 3).padding(1), &[x]);
    for index in 0..config.get(BLOCKS) {
        y = net.node(format!("blocks.{index}"), Conv2d::new(w, w, 1), &[y]);
        y = net.node(format!("relu.{index}"), Activation::ReLU, &[y]);
    }
    let y = net.node("tail", Conv2d::new(w, 3, 1), &[y]);
    net.returns(y)
}

/// Known pixels less a half, the photo with a black hole, and a channel of 0.25.
fn conventions(_: &ArchConfig) -> Conventions {
    let known = Channel { source: Source::Mask, range: ChannelRange::Fixed(Range::ZeroOne), offset: -0.5 };
    let channels = [&[known][..], &Channel::masked_rgb(), &[Channel::unit(Source::Constant(0.25))]].concat();
    Conventions {
        inputs: vec![InputTensor::new(channels)],
        input_range: Range::MinusOneOne,
        output_range: Range::MinusOneOne,
        hole_value: HoleValue::Constant(-1.0),
        mask_means: MaskMeans::Known,
        blend: Blend::Pasted,
        size: SizeRule::free(4, 64),
        ..Conventions::rgb_and_mask()
    }
}

fn spec() -> ModelSpec {
    let blocks = |keys: &Keys<'_>| Some((0..8).take_while(|n| keys.has(&format!("blocks.{n}.weight"))).count());
    let unread = (Arc::new(|_: &ArchConfig, key: &str| key == "step") as _, "The step is not read.".to_owned());
    ModelSpec {
        parameters: vec![ArchParameter::voted(WIDTH, 16), ArchParameter::read(BLOCKS, 3, blocks)],
        keys: KeyRules { unread: Some(unread), ..KeyRules::default() },
        licence: "a test's own".to_owned(),
        about: vec!["It paints everything in one colour.".to_owned()],
        class: Some(ClassHint { class: "OneColour".to_owned(), mistaken_for: "context-encoder".to_owned() }),
        ..ModelSpec::new("one-colour", "OneColour", network, conventions)
    }
    .benchmarked("one-colour", &[64])
}

/// What one channel of ones gives to others: edges everywhere.
fn giver() -> ModelSpec {
    let network = |config: &ArchConfig| {
        let mut net = Network::new();
        let x = net.input("x", 1);
        let y = net.node("gives.0", Conv2d::new(1, config.width(), 1), &[x]);
        let y = net.node("gives.1", Conv2d::new(config.width(), 1, 1), &[y]);
        net.returns(y)
    };
    let conventions = |_: &ArchConfig| Conventions {
        inputs: vec![InputTensor::new([Channel::unit(Source::KnownEdges)])],
        output_range: Range::ZeroOne,
        ..Conventions::rgb_and_mask()
    };
    ModelSpec {
        parameters: vec![ArchParameter::voted(WIDTH, 7)],
        role: Role::Gives(Source::Edges),
        ..ModelSpec::new("edges-everywhere", "EdgesEverywhere", network, conventions)
    }
}

fn add() {
    static ADDED: Once = Once::new();
    ADDED.call_once(|| {
        register(spec()).unwrap();
        register(giver()).unwrap();
    });
}

/// A safetensors file of these tensors; each is filled with one value.
fn file(tensors: &[(String, Vec<usize>, f32)]) -> Box<dyn Checkpoint> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (key, shape, value) in tensors {
        let start = data.len();
        let count = shape.iter().product::<usize>();
        data.extend((0..count).flat_map(|_| value.to_le_bytes()));
        let entry = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]});
        header.insert(key.clone(), entry);
    }
    let header = serde_json::Value::Object(header).to_string();
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat();
    checkpoint::open(Cursor::new(bytes), "one.safetensors").unwrap()
}

/// Weights at width 6 with two blocks: 0 everywhere but in the last bias.
fn weights(bias: f32) -> Box<dyn Checkpoint> {
    let config = ArchConfig::new([(WIDTH, 6), (BLOCKS, 2)]);
    let value = |key: &str| if key == "tail.bias" { bias } else { 0.0 };
    let parameters = network(&config).parameters().into_iter();
    let mut tensors: Vec<_> = parameters.map(|p| (format!("model.{}", p.key), p.shape, value(&p.key))).collect();
    tensors.push(("model.step".to_owned(), vec![1], 7.0));
    file(&tensors)
}

fn loaded(bias: f32) -> Loaded {
    add();
    load::load(weights(bias).as_mut(), "one.safetensors", None, EngineKind::Fast).unwrap().remove(0)
}

fn photo() -> Photo {
    let rgba = (0..SIDE * SIDE).flat_map(|i| [(i % 200) as u8, 90, 40, 255]).collect();
    Photo { width: SIDE, height: SIDE, rgba, has_alpha: false, is_gray: false, icc: None, notes: Vec::new() }
}

fn hole() -> Mask {
    let inside = |i: usize| (10..30).contains(&(i % SIDE)) && (20..40).contains(&(i / SIDE));
    Mask::new(SIDE, SIDE, (0..SIDE * SIDE).map(|i| if inside(i) { 255 } else { 0 }).collect()).unwrap()
}

#[test]
fn it_is_identified_and_explained() {
    add();
    let report = report::inspect(weights(0.0).as_ref(), "one.safetensors");
    let found = &report.networks[0];
    assert_eq!((found.id.as_str(), found.width, found.confidence), ("one-colour", 6, 1.0));
    assert_eq!((found.about.len(), found.licence.as_str(), found.role.as_str()), (1, "a test's own", "paints"));
    assert_eq!(found.conventions["inputs"], "mask-rgb-constant");
    // Two of three blocks: eight layers less two.
    assert_eq!(found.layers.len(), 7);
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code).collect();
    assert!(codes.contains(&"other-class") && codes.contains(&"not-read") && !codes.contains(&"misfit"), "{codes:?}");
    let rows = report::alignment(weights(0.0).as_ref(), "one-colour").unwrap();
    assert!(rows.iter().all(|row| row.verdict == "fits"), "{rows:?}");
}

#[test]
fn it_is_listed_once() {
    add();
    let row = |model: &Arc<ModelSpec>| (model.id == "one-colour").then(|| spelling::listing(model));
    let rows: Vec<_> = registry().iter().filter_map(row).collect();
    let inputs = serde_json::json!([{"name": "x", "channels": 5}]);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0]["name"], &rows[0]["inputs"], &rows[0]["size_multiple"]),
        (&"OneColour".into(), &inputs, &4.into())
    );
    assert_eq!(register(spec()).unwrap_err().code, Code::Usage);
    let unknown = file(&[("nobody.weight".to_owned(), vec![2], 0.0)]);
    assert!(load::matches(unknown.as_ref(), None).map(drop).unwrap_err().message.contains("OneColour"));
}

#[test]
fn it_is_fed_as_it_says_and_paints() {
    let mut models = [loaded(0.5)];
    let options = FillOptions { sharpen: Sharpen::Off, ..FillOptions::default() };
    let channels = pipeline::preview(&photo(), &hole(), &mut models, &options).unwrap();
    let labels: Vec<&str> = channels.iter().map(|channel| channel.label).collect();
    assert_eq!(labels, ["mask", "red", "green", "blue", "constant"]);
    assert_eq!((channels[0].range, channels[4].range), ((-0.5, 0.5), (0.25, 0.25)));
    assert_eq!(channels[1].range.0, -1.0);
    // The mask is shown as 0 and 255, whatever is added to it.
    assert_eq!((channels[0].gray[0], channels[0].gray[25 * SIDE + 15]), (255, 0));
    let patches = pipeline::fill(&photo(), &hole(), &mut models, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    // 0.5 of -1..1 is 0.75 of 0..1, pasted without a blend at the rim.
    assert!(patches[0].rgba.chunks_exact(4).all(|pixel| pixel == [191, 191, 191, 255]), "{:?}", &patches[0].rgba[..16]);
}

#[test]
fn an_engine_is_built_again_from_the_file() {
    let one = loaded(0.25);
    let mut again = one.rebuild(weights(0.75).as_mut(), EngineKind::Reference).unwrap();
    let x = infill::tensor::Tensor::zeros([1, 5, 8, 8]);
    let y = again.run(&[x], &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(y.data().iter().all(|&v| v == 0.75));
}

#[test]
fn what_it_gives_reaches_a_network_that_paints() {
    add();
    let tensors = |bias: f32| {
        let parameters = (giver().network)(&ArchConfig::new([(WIDTH, 3)])).parameters().into_iter();
        let value = |key: &str| if key == "gives.1.bias" { bias } else { 0.0 };
        parameters.map(|p| (p.key.clone(), p.shape, value(&p.key))).collect::<Vec<_>>()
    };
    let fill = |edges: f32| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/networks/edgeconnect-inpaint.pth");
        let mut painter = checkpoint::open(std::fs::File::open(path).unwrap(), "painter").unwrap();
        let mut models = load::load(painter.as_mut(), "painter", None, EngineKind::Fast).unwrap();
        models.extend(load::load(file(&tensors(edges)).as_mut(), "giver", None, EngineKind::Fast).unwrap());
        assert_eq!(models[1].model.id, "edges-everywhere");
        let options = FillOptions::default();
        let maps = pipeline::edges(&photo(), &hole(), &mut models, &options, true, &mut |_| ControlFlow::Continue(()));
        let values = maps.unwrap().remove(0).values;
        let alone = pipeline::fill(&photo(), &hole(), &mut models[1..], &options, &mut |_| ControlFlow::Continue(()));
        let message = alone.map(drop).unwrap_err().message;
        assert!(message.ends_with("Load EdgeConnect InpaintGenerator too."), "{message}");
        values
    };
    assert!(fill(1.0).iter().all(|&v| v == 255));
    assert!(fill(0.0).iter().all(|&v| v == 0));
}
