//! Masks as other programs save them: which pixels each of them means, and how it is said.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use infill::error::Code;
use infill::pipeline::{MaskChannel, MaskOptions, MaskReading, decode_mask, read_mask};

const WIDTH: usize = 40;
const HEIGHT: usize = 30;
const SIZE: (usize, usize) = (WIDTH, HEIGHT);

/// The hole that every mask here means.
fn is_hole(x: usize, y: usize) -> bool {
    (10..22).contains(&x) && (8..20).contains(&y)
}

fn hole() -> Vec<u8> {
    (0..WIDTH * HEIGHT).map(|i| if is_hole(i % WIDTH, i / WIDTH) { 255 } else { 0 }).collect()
}

/// A PNG with one RGBA colour in the hole and another around it.
fn two_colours(inside: [u8; 4], around: [u8; 4]) -> Vec<u8> {
    picture(|x, y| if is_hole(x, y) { inside } else { around })
}

fn picture(colour: impl Fn(usize, usize) -> [u8; 4]) -> Vec<u8> {
    let rgba: Vec<u8> = (0..WIDTH * HEIGHT).flat_map(|i| colour(i % WIDTH, i / WIDTH)).collect();
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(&rgba, WIDTH as u32, HEIGHT as u32, ExtendedColorType::Rgba8).unwrap();
    bytes
}

fn gray_jpeg(gray: impl Fn(usize, usize) -> u8, quality: u8) -> Vec<u8> {
    let values: Vec<u8> = (0..WIDTH * HEIGHT).map(|i| gray(i % WIDTH, i / WIDTH)).collect();
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    encoder.write_image(&values, WIDTH as u32, HEIGHT as u32, ExtendedColorType::L8).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> MaskReading {
    read_mask(bytes, SIZE, MaskOptions::default()).unwrap()
}

#[test]
fn a_mask_is_found_wherever_the_file_holds_it() {
    use MaskChannel::{Alpha, Luma, Strongest};
    const CLEAR: [u8; 4] = [0; 4];
    const BLACK: [u8; 4] = [0, 0, 0, 255];
    let cases = [
        ("white on black", [255; 4], BLACK, (Luma, 127)),
        ("white strokes on clear", [255; 4], CLEAR, (Luma, 127)),
        ("white everywhere, the mask in alpha", [255; 4], [255, 255, 255, 0], (Alpha, 127)),
        ("black strokes on clear", BLACK, CLEAR, (Alpha, 127)),
        ("a half red overlay", [255, 0, 0, 128], CLEAR, (Alpha, 127)),
        ("a faint red overlay", [255, 0, 0, 102], CLEAR, (Alpha, 51)),
        ("red on black", [255, 0, 0, 255], BLACK, (Strongest, 127)),
        ("blue on black", [0, 0, 255, 255], BLACK, (Strongest, 127)),
        ("dark gray on black", [100, 100, 100, 255], BLACK, (Strongest, 50)),
        ("0 and 1", [1, 1, 1, 255], BLACK, (Strongest, 0)),
        ("a dark red label", [128, 0, 0, 255], BLACK, (Strongest, 127)),
    ];
    for (what, inside, around, taken) in cases {
        let bytes = two_colours(inside, around);
        let reading = read(&bytes);
        assert!(reading.mask.holes == hole(), "{what}: {:?} above {}", reading.channel, reading.threshold);
        assert_eq!((reading.channel, reading.threshold), taken, "{what}");
        assert_eq!(decode_mask(&bytes, WIDTH, HEIGHT).unwrap().holes, hole(), "{what}");
        assert_eq!(reading.is_plain(), taken == (Luma, 127), "{what}");
    }
}

#[test]
fn a_plain_mask_is_read_by_luma_whatever_its_alpha_and_colours() {
    // Alpha and red would say something else.
    let bytes = picture(|x, y| match (is_hole(x, y), x % 2) {
        (true, 0) => [255, 255, 255, 0],
        (true, _) => [100, 255, 255, 255],
        (false, 0) => [255, 0, 0, 255],
        (false, _) => [127, 127, 127, 0],
    });
    assert!(read(&bytes).is_plain());
    assert_eq!(read(&bytes).mask.holes, hole());
}

#[test]
fn what_says_nothing_stays_empty_or_full() {
    let share = |bytes: &[u8]| {
        let reading = read(bytes);
        assert!(reading.is_plain());
        reading.share
    };
    assert_eq!(share(&picture(|_, _| [0, 0, 0, 255])), 0.0);
    assert_eq!(share(&picture(|_, _| [40, 40, 40, 128])), 0.0);
    assert_eq!(share(&picture(|_, _| [255; 4])), 1.0);
    // Alpha that differs by a level is no mask, and neither is light gray beside white.
    assert_eq!(share(&two_colours([255, 255, 255, 254], [255; 4])), 1.0);
    assert_eq!(share(&two_colours([200, 200, 200, 255], [255; 4])), 1.0);
    // The noise of a JPEG is no mask of labels.
    let noise = |x: usize, y: usize| ((x * 7 + y * 13) % 3) as u8 * 5;
    let jpeg = gray_jpeg(noise, 90);
    let decoded = infill::pipeline::decode_photo(&jpeg).unwrap().rgba;
    assert!(decoded.chunks_exact(4).any(|p| p[0] != decoded[0]), "the noise is gone");
    assert_eq!(share(&jpeg), 0.0);
}

#[test]
fn a_jpeg_of_a_mask_loses_nothing_but_its_noise() {
    let white = |x: usize, y: usize| if is_hole(x, y) { 255 } else { 0 };
    let reading = read(&gray_jpeg(white, 60));
    let wrong = reading.mask.holes.iter().zip(hole()).filter(|(a, b)| **a != *b).count();
    assert!(reading.is_plain() && wrong == 0 && reading.soft_pixels == 0, "{wrong}, {}", reading.soft_pixels);
}

#[test]
fn soft_edges_are_told_and_sharp_ones_are_not() {
    // Distance from the hole's outline, inwards positive.
    let depth = |x: usize, y: usize| {
        let inside = |v: usize, from: i32, to: i32| (v as i32 - from).min(to - 1 - v as i32);
        inside(x, 10, 22).min(inside(y, 8, 20))
    };
    let ramp = |width: i32| gray_jpeg(move |x, y| (128 + depth(x, y) * 255 / width).clamp(0, 255) as u8, 100);
    assert_eq!(read(&ramp(1)).soft_pixels, 0);
    assert_eq!(read(&ramp(2)).soft_pixels, 0, "an antialiased outline");
    assert!(read(&ramp(10)).soft_pixels > 150, "{}", read(&ramp(10)).soft_pixels);
}

#[test]
fn the_channel_and_the_polarity_can_be_said() {
    let bytes = picture(|x, y| {
        [if x < 5 { 255 } else { 0 }, if y < 5 { 255 } else { 0 }, 0, if is_hole(x, y) { 255 } else { 9 }]
    });
    let share = |channel, is_inverted| read_mask(&bytes, SIZE, MaskOptions { channel, is_inverted }).unwrap().share;
    assert_eq!(share(Some(MaskChannel::Red), false), 5.0 / WIDTH as f64);
    assert_eq!(share(Some(MaskChannel::Green), false), 5.0 / HEIGHT as f64);
    assert_eq!(share(Some(MaskChannel::Blue), false), 0.0);
    assert_eq!(share(Some(MaskChannel::Blue), true), 1.0);
    let alpha = read_mask(&bytes, SIZE, MaskOptions { channel: Some(MaskChannel::Alpha), is_inverted: false }).unwrap();
    assert_eq!(alpha.mask.holes, hole());
    // Inverted: exactly the other pixels, for every kind of mask.
    for bytes in [bytes, two_colours([1, 1, 1, 255], [0, 0, 0, 255]), two_colours([100, 0, 0, 255], [0, 0, 0, 255])] {
        let inverted = read_mask(&bytes, SIZE, MaskOptions { channel: None, is_inverted: true }).unwrap().mask.holes;
        let other: Vec<u8> = read(&bytes).mask.holes.iter().map(|hole| 255 - hole).collect();
        assert_eq!(inverted, other);
    }
}

#[test]
fn a_mask_that_would_fit_after_a_quarter_turn_says_so() {
    let bytes = two_colours([255; 4], [0, 0, 0, 255]);
    let error = decode_mask(&bytes, HEIGHT, WIDTH).unwrap_err();
    assert_eq!(error.code, Code::MaskSize);
    for part in ["40 x 30", "30 x 40", "EXIF"] {
        assert!(error.message.contains(part), "{error}");
    }
    let error = decode_mask(&bytes, HEIGHT, HEIGHT).unwrap_err();
    assert!(error.code == Code::MaskSize && !error.message.contains("EXIF"), "{error}");
}
