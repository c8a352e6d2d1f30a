//! MI-GAN with the weights that the page ships, beside its published arithmetic (`tests/reference/migan/make.py`).

use std::ops::ControlFlow;
use std::path::PathBuf;

use infill::engine::EngineKind;
use infill::models::load;
use infill::pipeline::{self, FillOptions, Photo, Sharpen};
use infill::{checkpoint, report};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn open() -> Box<dyn checkpoint::Checkpoint> {
    let path = root().join("www/models/migan-512.safetensors");
    checkpoint::open(std::fs::File::open(path).unwrap(), "migan-512.safetensors").unwrap()
}

fn picture(name: &str) -> Photo {
    let bytes = std::fs::read(root().join("tests/reference/migan").join(name)).unwrap();
    pipeline::decode_photo(&bytes).unwrap()
}

#[test]
fn the_shipped_file_says_what_it_is() {
    let report = report::inspect(open().as_ref(), "migan-512.safetensors");
    let network = &report.networks[0];
    assert_eq!((network.id.as_str(), network.confidence, network.dtype), ("migan-512", 1.0, "float16"));
    let metadata = |key: &str| report.metadata.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str());
    assert_eq!((metadata("architecture"), metadata("licence")), (Some("MI-GAN 512"), Some("MIT")));
    let licence = std::fs::read_to_string(root().join("www/models/migan-512.LICENSE.txt")).unwrap();
    assert!(licence.contains("Copyright (c) 2024 Picsart AI Research (PAIR)"));
    assert_eq!(metadata("notice"), Some(licence.as_str()));
    assert!(report.findings.iter().all(|finding| finding.severity == "info"));
}

#[test]
fn a_fill_is_the_published_one_to_a_level() {
    let (photo, expected) = (picture("photo.png"), picture("expected.png"));
    let bytes = std::fs::read(root().join("tests/reference/migan/mask.png")).unwrap();
    let mask = pipeline::decode_mask(&bytes, photo.width, photo.height).unwrap();
    let mut models = load::load(open().as_mut(), "migan-512.safetensors", None, EngineKind::Fast).unwrap();
    let options = FillOptions { sharpen: Sharpen::Off, ..FillOptions::default() };
    let patches = pipeline::fill(&photo, &mask, &mut models, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    let [patch] = &patches[..] else { panic!("{} patches", patches.len()) };
    assert_eq!((patch.rect.width, patch.rect.height), (expected.width, expected.height));
    let pairs = patch.rgba.iter().zip(&expected.rgba);
    let worst = pairs.map(|(found, expected)| found.abs_diff(*expected)).max().unwrap();
    println!("at most {worst} levels apart");
    assert!(worst <= 1, "{worst} levels apart");
    let before = |x: usize, y: usize| photo.rgba[((patch.rect.y + y) * photo.width + patch.rect.x + x) * 4];
    let changed = (0..patch.rect.height)
        .flat_map(|y| (0..patch.rect.width).map(move |x| (x, y)))
        .filter(|&(x, y)| patch.rgba[(y * patch.rect.width + x) * 4] != before(x, y));
    assert!(changed.count() > 3000, "the hole was hardly painted");
}
