//! The boundary in a real worker: blobs, errors with codes, and a fill.

use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_test::wasm_bindgen_test as test;
use web_sys::Blob;

use super::{Models, decode_photo, encode_mask, encode_photo, models};

const DEFAULT: &[u8] = include_bytes!("../../www/models/default.safetensors");
const LEGACY: &[u8] = include_bytes!("../../tests/reference/networks/context-encoder.pth");

fn blob(bytes: &[u8]) -> Blob {
    let parts: Array = [Uint8Array::from(bytes)].into_iter().collect();
    Blob::new_with_u8_array_sequence(&parts).unwrap()
}

fn code(error: &JsValue) -> String {
    Reflect::get(error, &"code".into()).unwrap().as_string().unwrap()
}

#[test]
fn a_checkpoint_is_read_through_its_blob() {
    let mut models = Models::new();
    let text = models.load("a", blob(LEGACY), "gen.pth", None, false).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["loaded"][0]["id"], "context-encoder");
    assert_eq!(report["loaded"][0]["width"], 2);
    assert_eq!(report["report"]["container"], "legacy");
    assert_eq!(report["report"]["wrapper"][0], "generator");
    assert_eq!(report["report"]["prefix"], "module.");
}

#[test]
fn every_known_network_is_listed() {
    let rows: serde_json::Value = serde_json::from_str(&models()).unwrap();
    let ids: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, crate::models::registry().iter().map(|model| model.id.clone()).collect::<Vec<_>>());
    assert!(rows.as_array().unwrap().iter().all(|row| row["name"].is_string()));
}

#[test]
fn a_file_that_is_cut_off_is_refused_with_its_code() {
    let error = Models::new().load("a", blob(&LEGACY[..5000]), "gen.pth", None, false).unwrap_err();
    assert_eq!(code(&error), "checkpoint-truncated");
    let error = Models::new().load("a", blob(b"<html>"), "gen.pth", None, false).unwrap_err();
    assert_eq!(code(&error), "checkpoint-not-weights");
}

#[test]
fn a_misfit_carries_the_report_and_every_key() {
    let error = Models::new().load("a", blob(LEGACY), "gen.pth", Some("image-pair".to_owned()), false).unwrap_err();
    assert_eq!(code(&error), "model-mismatch");
    let keys = Array::from(&Reflect::get(&error, &"keys".into()).unwrap());
    assert!(keys.length() > 50);
    assert!(Reflect::get(&error, &"report".into()).unwrap().as_string().unwrap().contains("context-encoder"));
}

#[test]
fn a_hole_is_filled_and_the_rest_kept() {
    let (width, height) = (40usize, 30usize);
    let rgba: Vec<u8> = (0..width * height).flat_map(|i| [(i % 40 * 6) as u8, (i / 40 * 8) as u8, 90, 255]).collect();
    let mut mask = vec![0; width * height];
    for y in 10..18 {
        mask[y * width + 12..y * width + 22].fill(255);
    }
    let mut models = Models::new();
    models.load("shipped", blob(DEFAULT), "default.safetensors", None, false).unwrap();
    let progress = Closure::<dyn FnMut(f32, String)>::new(|_, _| {});
    let function: &js_sys::Function = wasm_bindgen::JsCast::unchecked_ref(progress.as_ref());
    let pixels = Uint8Array::from(&rgba[..]);
    let patches = models.inpaint("shipped", pixels, width, height, false, mask, "{}", function, None, None).unwrap();
    assert_eq!(patches.length(), 1);
    let patch = patches.get(0);
    let number = |key: &str| Reflect::get(&patch, &key.into()).unwrap().as_f64().unwrap() as usize;
    assert_eq!((number("x"), number("y"), number("width"), number("height")), (12, 10, 10, 8));
}

#[test]
fn photos_survive_encoding() {
    let rgba: Vec<u8> = (0..64u8).flat_map(|i| [i, 2 * i, 3 * i, 255 - i]).collect();
    let png = encode_photo(rgba.clone(), 16, 4, true, false, None).unwrap();
    let photo = decode_photo(&png).unwrap();
    let back = Uint8Array::new(&Reflect::get(&photo, &"rgba".into()).unwrap()).to_vec();
    assert_eq!(back, rgba);
    assert_eq!(code(&decode_photo(&encode_mask(vec![0; 4], 2, 2).unwrap()[..20]).unwrap_err()), "image-corrupt");
}
