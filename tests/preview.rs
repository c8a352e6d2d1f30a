//! What is shown before a run: edges and who may change them, the tensors that go in, a discriminator's scores.

use std::ops::ControlFlow;
use std::path::PathBuf;

use infill::engine::{EngineKind, Step};
use infill::error::Code;
use infill::models::load::{self, Loaded};
use infill::pipeline::{self, FillOptions, Mask, Photo, Sharpen};
use infill::tensor::Tensor;

const SIDE: usize = 96;

/// A bright disc on dark ground: it has edges all around the hole.
fn photo(width: usize, height: usize) -> Photo {
    let pixel = |i: usize| {
        let (x, y) = ((i % width) as i64 - 40, (i / width) as i64 - 40);
        if x * x + y * y < 30 * 30 { [230, 210, 190, 255] } else { [30, 50, 60, 255] }
    };
    let rgba = (0..width * height).flat_map(pixel).collect();
    Photo { width, height, rgba, has_alpha: false, is_gray: false, icc: None, notes: Vec::new() }
}

fn hole() -> Mask {
    let inside = |i: usize| (30..60).contains(&(i % SIDE)) && (30..70).contains(&(i / SIDE));
    Mask::new(SIDE, SIDE, (0..SIDE * SIDE).map(|i| if inside(i) { 255 } else { 0 }).collect()).unwrap()
}

fn load(names: &[&str]) -> Vec<Loaded> {
    load_for(EngineKind::Fast, names)
}

fn load_for(kind: EngineKind, names: &[&str]) -> Vec<Loaded> {
    let read = |name: &&str| {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/networks").join(name);
        let mut file = infill::checkpoint::open(std::fs::File::open(path).unwrap(), name).unwrap();
        load::load(file.as_mut(), name, None, kind).unwrap()
    };
    names.iter().flat_map(read).collect()
}

fn on(_: Step<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn fill(models: &mut [Loaded], edges: Option<Vec<u8>>) -> Vec<u8> {
    let options = FillOptions { edges, sharpen: Sharpen::Off, ..FillOptions::default() };
    let patches = pipeline::fill(&photo(SIDE, SIDE), &hole(), models, &options, &mut on).unwrap();
    patches.into_iter().flat_map(|patch| patch.rgba).collect()
}

/// What the user says: `inside` the hole, `outside` elsewhere.
fn said(inside: impl Fn(usize, usize) -> u8, outside: u8) -> Vec<u8> {
    let hole = hole();
    let byte = |i: usize| if hole.holes[i] > 127 { inside(i % SIDE, i / SIDE) } else { outside };
    (0..SIDE * SIDE).map(byte).collect()
}

#[test]
fn drawn_edges_steer_the_fill_inside_the_hole_only() {
    for names in [&["edgeconnect-inpaint.pth"][..], &["edgeconnect-edge.pth", "edgeconnect-inpaint.pth"]] {
        let mut models = load(names);
        let plain = fill(&mut models, None);
        let line = |_: usize, y: usize| if y == 50 { 255 } else { 128 };
        assert_ne!(fill(&mut models, Some(said(line, 128))), plain, "{names:?}: a line makes no difference");
        assert_eq!(fill(&mut models, Some(said(|_, _| 128, 128))), plain, "{names:?}: as found is not as found");
        assert_eq!(fill(&mut models, Some(said(|_, _| 128, 255))), plain, "{names:?}: edges outside the hole count");
        assert_eq!(fill(&mut models, Some(said(line, 255))), fill(&mut models, Some(said(line, 0))), "{names:?}");
    }
}

#[test]
fn erasing_takes_the_generators_proposal_back() {
    let mut models = load(&["edgeconnect-edge.pth", "edgeconnect-inpaint.pth"]);
    let plain = fill(&mut models, None);
    let erased = fill(&mut models, Some(said(|_, _| 0, 128)));
    assert_ne!(erased, plain);
    // Canny alone has no edge inside the hole: there is nothing to erase.
    let mut alone = load(&["edgeconnect-inpaint.pth"]);
    assert_eq!(fill(&mut alone, Some(said(|_, _| 0, 128))), fill(&mut alone, None));
}

/// What the check against the reference compares is the fill at hand: its inputs, of the network that paints.
#[test]
fn the_engines_are_compared_on_the_inputs_of_the_fill() {
    let mut models = load(&["edgeconnect-edge.pth", "edgeconnect-inpaint.pth"]);
    let options = FillOptions::default();
    let (main, inputs) =
        pipeline::painting_inputs(&photo(SIDE, SIDE), &hole(), &mut models, &options, &mut on).unwrap();
    assert_eq!(models[main].model.id, "edgeconnect-inpaint");
    let shown = pipeline::preview(&photo(SIDE, SIDE), &hole(), &mut models[main..=main], &options).unwrap();
    let planes = inputs[0].data().chunks_exact(shown[0].size.0 * shown[0].size.1);
    // Its edges are completed, which the preview leaves to the run: the picture's three channels are the same.
    for (plane, channel) in planes.zip(&shown).take(3) {
        let range = plane.iter().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v)));
        assert_eq!(range, channel.range, "{}", channel.label);
    }
    let mut reference = load_for(EngineKind::Reference, &["edgeconnect-inpaint.pth"]).remove(0);
    let mut watch = on;
    let (fast, reference) = (models[main].engine.as_mut(), reference.engine.as_mut());
    let compared = infill::engine::compare::compare(fast, reference, &inputs, &mut watch);
    let found = infill::engine::run::ready(compared).unwrap();
    assert!(found.largest < 1e-3 && found.layers.len() > 10, "{}", found.largest);
    assert_eq!((found.output.columns, found.output.rows), shown[0].size);
}

#[test]
fn edges_of_another_size_are_refused() {
    let options = FillOptions { edges: Some(vec![0; 9]), ..FillOptions::default() };
    let mut models = load(&["edgeconnect-inpaint.pth"]);
    let error = pipeline::fill(&photo(SIDE, SIDE), &hole(), &mut models, &options, &mut on).unwrap_err();
    assert_eq!(error.code, Code::MaskSize);
    let png = pipeline::encode_mask(&hole()).unwrap();
    assert_eq!(pipeline::decode_edges(&png, SIDE, SIDE).unwrap(), hole().holes);
    assert_eq!(pipeline::decode_edges(&png, SIDE, 7).unwrap_err().code, Code::MaskSize);
}

#[test]
fn the_edges_shown_are_those_of_the_window() {
    let mut models = load(&["edgeconnect-edge.pth", "edgeconnect-inpaint.pth"]);
    let (photo, hole, options) = (photo(SIDE, SIDE), hole(), FillOptions::default());
    let mut with = |propose| pipeline::edges(&photo, &hole, &mut models, &options, propose, &mut on).unwrap();
    let (canny, complete) = (with(false), with(true));
    assert_eq!((canny.len(), canny[0].input, (canny[0].x, canny[0].y)), (1, (SIDE, SIDE), (0, 0)));
    let inside = |map: &[u8]| (0..map.len()).filter(|&i| hole.holes[i] > 127 && map[i] > 0).count();
    assert_eq!(inside(&canny[0].values), 0, "Canny saw an edge inside the hole");
    assert!(canny[0].values.iter().filter(|&&v| v == 255).count() > 50, "Canny saw no edge outside the hole");
    assert!(inside(&complete[0].values) > 0, "the edge generator proposes nothing");
    let wide = FillOptions { sigma: Some(4.0), ..FillOptions::default() };
    let wide = pipeline::edges(&photo, &hole, &mut models, &wide, false, &mut on).unwrap();
    assert_ne!(wide[0].values, canny[0].values, "sigma makes no difference");
    let small = FillOptions { side: Some(64), ..FillOptions::default() };
    let small = pipeline::edges(&photo, &hole, &mut models, &small, false, &mut on).unwrap();
    assert!(small[0].input.0.max(small[0].input.1) <= 64, "{:?}", small[0].input);
    let error = pipeline::edges(&photo, &hole, &mut load(&["edgeconnect-edge.pth"]), &options, false, &mut on);
    assert_eq!(error.map(drop).unwrap_err().code, Code::ModelMismatch);
}

#[test]
fn the_preview_shows_each_channel_as_it_goes_in() {
    let mut models = load(&["edgeconnect-edge.pth", "edgeconnect-inpaint.pth"]);
    let (photo, hole) = (photo(SIDE, SIDE), hole());
    let mut with = |options| pipeline::preview(&photo, &hole, &mut models, &options).unwrap();
    let channels = with(FillOptions::default());
    let labels: Vec<&str> = channels.iter().map(|channel| channel.label).collect();
    assert_eq!(labels, ["gray", "edges", "mask", "red", "green", "blue", "edges"]);
    let at = 50 * SIDE + 45;
    // EdgeConnect: the hole is white, and 1 in the mask.
    assert_eq!([0, 2, 3].map(|channel: usize| channels[channel].gray[at]), [255; 3]);
    assert_eq!((channels[2].range, channels[2].gray[0]), ((0.0, 1.0), 0));
    assert_eq!(channels[3].gray[0], photo.rgba[0]);
    let changed = with(FillOptions::from_json(r#"{"holeValue": 0, "maskMeans": "known"}"#).unwrap());
    assert_eq!((changed[3].gray[at], changed[2].gray[at]), (0, 0));
    let signed = with(FillOptions::from_json(r#"{"range": "-1..1"}"#).unwrap());
    assert_eq!(signed[3].range.1, 1.0);
    assert!(signed[3].range.0 < -0.7 && signed[3].gray[0].abs_diff(photo.rgba[0]) <= 1);

    let mut pair = load(&["image-pair.pth"]);
    let channels = pipeline::preview(&photo, &hole, &mut pair, &FillOptions::default()).unwrap();
    let inputs: Vec<&str> = channels.iter().map(|channel| channel.input.as_str()).collect();
    assert_eq!(inputs, ["x1", "x1", "x1", "x2", "x2", "x2"]);
    assert_eq!((channels[3].label, channels[3].range), ("mask", (-1.0, 1.0)));
}

#[test]
fn a_file_with_generator_and_discriminator_paints_and_scores() {
    let mut models = load(&["image-pair-both.pth"]);
    let ids: Vec<&str> = models.iter().map(|model| model.model.id.as_str()).collect();
    assert!(ids.contains(&"image-pair") && ids.contains(&"image-pair-discriminator"), "{ids:?}");
    fill(&mut models, None);
    let photo = photo(256, 256);
    let scores = pipeline::score(&photo, &mut models, &FillOptions::default(), &mut on).unwrap();
    assert_eq!((scores.columns, scores.rows, scores.values.len()), (13, 13, 169));
    assert_eq!((scores.start, scores.step, scores.field), ((-15.0, -15.0), (16.0, 16.0), (94.0, 94.0)));
    let mean = scores.values.iter().sum::<f32>() / 169.0;
    assert!((scores.mean - mean).abs() < 1e-6);
    // At its own size the network sees the photo's bytes: hold it against the network itself.
    let planes = (0..3).flat_map(|c| photo.rgba.chunks_exact(4).map(move |p| f32::from(p[c]) / 255.0 * 2.0 - 1.0));
    let x = Tensor::new([1, 3, 256, 256], planes.collect()).unwrap();
    let judge = models.iter_mut().find(|model| model.model.id == "image-pair-discriminator").unwrap();
    let y = judge.engine.run(&[x], &mut on).unwrap();
    let worst = y.data().iter().zip(&scores.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-5, "{worst}");
}

#[test]
fn pictures_of_any_shape_are_scored() {
    let mut models = load(&["image-pair-discriminator.pth"]);
    for (width, height) in [(1, 1), (700, 20), (30, 900)] {
        let scores = pipeline::score(&photo(width, height), &mut models, &FillOptions::default(), &mut on).unwrap();
        assert!(scores.columns * scores.rows == scores.values.len() && scores.columns > 0 && scores.rows > 0);
        assert!(scores.values.iter().all(|v| (0.0..=1.0).contains(v)));
    }
    let error = pipeline::score(&photo(9, 9), &mut load(&["image-pair.pth"]), &FillOptions::default(), &mut on);
    assert_eq!(error.unwrap_err().code, Code::ModelMismatch);
}
