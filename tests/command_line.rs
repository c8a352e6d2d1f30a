//! The command line as a program: exit status, standard output and standard error for input that does not behave.
#![cfg(unix)]

mod program;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use infill::pipeline::{self, Photo};
use program::{infill, outcome};

const ESCAPES: &str = "\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}[2J\r\n\u{9b}31m";

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn write(path: &Path, bytes: &[u8]) -> String {
    std::fs::write(path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Tensors of four zeros each, as safetensors.
fn safetensors(keys: &[&str]) -> Vec<u8> {
    let entry = |at: usize| serde_json::json!({"dtype": "F32", "shape": [1, 1, 2, 2], "data_offsets": [at, at + 16]});
    let header: serde_json::Map<String, serde_json::Value> =
        keys.iter().enumerate().map(|(i, key)| ((*key).to_owned(), entry(16 * i))).collect();
    let header = serde_json::Value::Object(header).to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; 16 * keys.len()]].concat()
}

/// Whether a terminal would act on something other than a line break.
fn acts(text: &str) -> bool {
    text.chars().any(|c| c.is_control() && c != '\n')
}

#[test]
fn keys_and_names_cannot_act_on_a_terminal() {
    let folder = folder("escapes");
    let file = write(&folder.join(format!("a{ESCAPES}.safetensors")), &safetensors(&[&format!("w{ESCAPES}x"), "v"]));
    let input = write(&folder.join("input.safetensors"), &safetensors(&["x"]));
    for more in [&["--json"][..], &["--stats"], &["--against", "context-encoder"], &[]] {
        let (status, stdout, stderr) = outcome(&[&["inspect", &file], more].concat());
        assert_eq!((status, stderr.as_str()), (0, ""), "{more:?}");
        assert!(!acts(&stdout) && stdout.contains("]52;c;"), "{more:?}: {stdout}");
        // A line of its own for each key, and none that a key has begun.
        assert!(!stdout.lines().any(|line| line.starts_with("31m") || line.starts_with('x')), "{stdout}");
    }
    for arguments in [
        &["forward", "--weights", &file, "--input", &input, "--output", "/nowhere/y.safetensors"][..],
        &["forward", "--weights", &input, "--input", &file, "--output", "/nowhere/y.safetensors"],
        &["forward", "--weights", &file, "--model", "context-encoder", "--input", &input, "--output", "/nowhere/y"],
        &["inspect", &format!("/nowhere/{ESCAPES}")],
    ] {
        let (status, stdout, stderr) = outcome(arguments);
        assert_eq!((status, stdout.as_str()), (1, ""), "{arguments:?}");
        assert!(!acts(&stderr) && stderr.starts_with("infill: "), "{stderr}");
        assert!(!stderr.lines().any(|line| line.starts_with("31m")), "{stderr}");
    }
}

#[test]
fn whoever_reads_may_stop_early() {
    let keys: Vec<String> = (0..20_000).map(|i| format!("layer.{i}.weight")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let file = write(&folder("pipe").join("many.safetensors"), &safetensors(&keys));
    for arguments in [&["inspect", &file, "--json"][..], &["inspect", &file], &["models", "--json"], &["models"]] {
        let mut child = infill(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = infill(&["models"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be written"));
}

#[test]
fn a_file_without_an_end_is_refused_by_its_beginning() {
    let photo = "tests/reference/canny/0-sigma2-gray.png";
    for arguments in [
        &["inpaint", "--image", "/dev/zero", "--mask", photo, "--output", "/nowhere/y.png"][..],
        &["inpaint", "--image", photo, "--mask", "/dev/zero", "--output", "/nowhere/y.png"],
    ] {
        let (status, _, stderr) = outcome(arguments);
        assert_eq!(status, 1);
        assert!(stderr.contains("zero: This is no picture"), "{stderr}");
    }
    let weights = write(&folder("endless").join("x.safetensors"), &safetensors(&["x"]));
    let endless =
        ["forward", "--weights", &weights, "--class", "/dev/zero", "--input", &weights, "--output", "/nowhere/y"];
    let (status, _, stderr) = outcome(&endless);
    assert_eq!(status, 1);
    assert!(stderr.contains("zero: The Python file is longer than"), "{stderr}");
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_the_work() {
    let folder = folder("ending");
    // The pictures are never opened.
    let pictures = ["inpaint", "--image", "/nowhere/a.png", "--mask", "/nowhere/b.png", "--output"];
    for (name, more) in [
        ("y.tiff", &[][..]),
        ("y.png.gif", &[]),
        ("y.png", &["--quality", "80"]),
        ("y.webp", &["--quality", "80"]),
        ("y.jpg", &["--quality", "0"]),
        ("y.jpg", &["--quality", "101"]),
    ] {
        let output = folder.join(name);
        let (status, _, stderr) = outcome(&[&pictures[..], &[output.to_str().unwrap()], more].concat());
        assert_eq!(status, 2, "{name} {more:?}: {stderr}");
        assert!(stderr.contains(".jpg") || stderr.contains("quality"), "{stderr}");
        assert!(!output.exists());
    }
    for (name, more) in [
        ("y.png", &[][..]),
        ("y.PNG", &["--without-place"]),
        ("y", &[]),
        ("y.jpg", &["--quality", "1"]),
        ("y.JPEG", &[]),
        ("y.webp", &[]),
    ] {
        let (status, _, stderr) = outcome(&[&pictures[..], &[name], more].concat());
        assert_eq!(status, 1, "{stderr}");
        assert!(stderr.contains("/nowhere/a.png cannot be read"), "{stderr}");
    }
}

#[test]
fn a_python_file_may_begin_with_a_byte_order_mark() {
    let folder = folder("mark");
    let class = "\u{feff}from torch import nn\r\nclass Net(nn.Module):\r\n    def __init__(self):\r\n        super().__init__()\r\n        self.c = nn.ReLU()\r\n        self.w = nn.Conv2d(1, 1, 2)\r\n    def forward(self, x):\r\n        return self.w(self.c(x))\r\n";
    let class = write(&folder.join("net.py"), class.as_bytes());
    let input = write(&folder.join("x.safetensors"), &safetensors(&["x"]));
    let header = r#"{"w.weight":{"dtype":"F32","shape":[1,1,2,2],"data_offsets":[0,16]},"w.bias":{"dtype":"F32","shape":[1],"data_offsets":[16,20]}}"#;
    let weights = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 20]].concat();
    let weights = write(&folder.join("w.safetensors"), &weights);
    let output = folder.join("y.safetensors");
    let output = output.to_str().unwrap();
    let (status, _, stderr) =
        outcome(&["forward", "--weights", &weights, "--class", &class, "--input", &input, "--output", output]);
    assert_eq!((status, stderr.as_str()), (0, ""));
    assert!(Path::new(output).exists());

    // What a class reads of `x.shape[0]` is the number of one picture.
    let header = r#"{"x":{"dtype":"F32","shape":[2,1,4,4],"data_offsets":[0,128]}}"#;
    let two = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 128]].concat();
    let two = write(&folder.join("two.safetensors"), &two);
    let (status, _, stderr) =
        outcome(&["forward", "--weights", &weights, "--class", &class, "--input", &two, "--output", output]);
    assert!(status != 0 && stderr.contains("one picture at a time"), "{status}: {stderr}");
}

/// pix2pix's batch norms take the picture's statistics unless somebody says otherwise.
#[test]
fn norm_statistics_are_a_flag() {
    let folder = folder("statistics");
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/networks/pix2pix-unet-bn.pth");
    let count = 3 * 256 * 256;
    let header = format!(r#"{{"x":{{"dtype":"F32","shape":[1,3,256,256],"data_offsets":[0,{}]}}}}"#, 4 * count);
    let values: Vec<u8> = (0..count).flat_map(|i| ((i % 251) as f32 / 125.0 - 1.0).to_le_bytes()).collect();
    let input = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &values].concat();
    let input = write(&folder.join("input.safetensors"), &input);
    let output = folder.join("output.safetensors");
    let forward = |more: &[&str]| {
        let arguments = ["forward", "--weights", weights, "--input", &input, "--output", output.to_str().unwrap()];
        let (status, _, stderr) = outcome(&[&arguments[..], more].concat());
        assert_eq!(status, 0, "{stderr}");
        std::fs::read(&output).unwrap()
    };
    let (guess, picture, stored) =
        (forward(&[]), forward(&["--norm-statistics", "picture"]), forward(&["--norm-statistics", "stored"]));
    assert_eq!(guess, picture);
    assert_ne!(guess, stored);
    let wrong = ["forward", "--weights", weights, "--input", &input, "--output", "y", "--norm-statistics", "batch"];
    assert_eq!(outcome(&wrong).0, 2);
}

const SIDE: usize = 32;

/// A PNG of `SIDE` x `SIDE` pixels.
fn png(colour: impl Fn(usize, usize) -> [u8; 4]) -> Vec<u8> {
    let rgba = (0..SIDE * SIDE).flat_map(|i| colour(i % SIDE, i / SIDE)).collect();
    let photo =
        Photo { width: SIDE, height: SIDE, rgba, has_alpha: true, is_gray: false, icc: None, notes: Vec::new() };
    pipeline::encode_photo(&photo).unwrap()
}

/// Status, standard error, and which pixels differ from the photo's, after a fill by `mask`.
fn filled(folder: &Path, mask: &[u8], more: &[&str]) -> (i32, String, usize) {
    let bytes = png(|x, y| [(x * 5) as u8, (y * 5) as u8, (x * y % 7) as u8, 255]);
    let photo = write(&folder.join("photo.png"), &bytes);
    let mask = write(&folder.join("mask.png"), mask);
    let output = folder.join("out.png");
    let _ = std::fs::remove_file(&output);
    let arguments = ["inpaint", "--image", &photo, "--mask", &mask, "--output", output.to_str().unwrap()];
    let (status, _, stderr) = outcome(&[&arguments[..], more].concat());
    let changed = std::fs::read(&output).map_or(0, |filled| {
        let (before, after) = (pipeline::decode_photo(&bytes).unwrap(), pipeline::decode_photo(&filled).unwrap());
        before.rgba.chunks(4).zip(after.rgba.chunks(4)).filter(|(a, b)| a != b).count()
    });
    (status, stderr, changed)
}

#[test]
fn how_a_mask_was_read_is_said_unless_it_is_plain() {
    let folder = folder("mask");
    let square = |inside: [u8; 4], around: [u8; 4]| {
        png(move |x, y| if (12..20).contains(&x) && (12..20).contains(&y) { inside } else { around })
    };
    let none: &[&str] = &["--model", "none"];
    let (black, white) = ([0, 0, 0, 255], [255; 4]);
    let (status, stderr, changed) = filled(&folder, &square(white, black), none);
    assert_eq!((status, stderr.as_str()), (0, ""));
    assert!((1..=64).contains(&changed), "{changed}");
    for (mask, word) in [
        (square(white, [255, 255, 255, 0]), "its alpha (above 127 is filled)"),
        (square([255, 0, 0, 255], black), "strongest (above 127 is filled)"),
        (square([1, 1, 1, 255], black), "strongest (above 0 is filled)"),
    ] {
        let (status, stderr, changed) = filled(&folder, &mask, none);
        assert_eq!(status, 0, "{stderr}");
        assert!(stderr.contains("note: mask.png: ") && stderr.contains(word), "{stderr}");
        assert!((1..=64).contains(&changed), "{changed}");
    }
    // More than half: filled as it says, and not in silence.
    let inverted = square(black, white);
    let (status, stderr, changed) = filled(&folder, &inverted, none);
    assert!(status == 0 && changed > 500 && stderr.contains("94 %") && stderr.contains("--invert"), "{stderr}");
    let (status, stderr, changed) = filled(&folder, &inverted, &["--model", "none", "--invert"]);
    assert_eq!((status, stderr.as_str()), (0, ""));
    assert!((1..=64).contains(&changed), "{changed}");
    let alpha = square([255, 255, 255, 200], [255, 255, 255, 10]);
    let (status, stderr, _) = filled(&folder, &alpha, &["--model", "none", "--mask-channel", "alpha"]);
    assert_eq!((status, stderr.as_str()), (0, ""), "what was asked for is no news");
    let (status, stderr, _) = filled(&folder, &alpha, &["--mask-channel", "cyan"]);
    assert!(status == 2 && stderr.contains("--mask-channel"), "{stderr}");
}

#[test]
fn an_empty_or_full_mask_is_refused_by_the_name_of_its_file() {
    let folder = folder("full");
    for more in [&["--model", "none"][..], &[]] {
        let (status, stderr, changed) = filled(&folder, &png(|_, _| [255; 4]), more);
        assert_eq!((status, changed), (1, 0), "{stderr}");
        assert!(stderr.lines().last().unwrap().starts_with("infill: mask.png: "), "{stderr}");
        let (status, stderr, _) = filled(&folder, &png(|_, _| [0, 0, 0, 255]), more);
        assert!(status == 1 && stderr.starts_with("infill: mask.png: Nothing is masked"), "{stderr}");
    }
    // Growing can mask the rest.
    let (status, stderr, _) =
        filled(&folder, &png(|x, _| if x == 0 { [0, 0, 0, 255] } else { [255; 4] }), &["--grow", "2"]);
    assert!(status == 1 && stderr.contains("infill: mask.png: The whole photo is masked"), "{stderr}");
}

#[test]
fn the_outputs_ending_says_the_format() {
    let folder = folder("formats");
    let source = "tests/reference/metadata/photo-6.jpg";
    let mask = Photo {
        width: 32,
        height: 48,
        rgba: (0..32 * 48).flat_map(|at| if at < 200 { [255; 4] } else { [0, 0, 0, 255] }).collect(),
        has_alpha: false,
        is_gray: false,
        icc: None,
        notes: Vec::new(),
    };
    let mask = write(&folder.join("mask.png"), &pipeline::encode_photo(&mask).unwrap());
    for (name, more, head) in [
        ("a.jpg", &[][..], &b"\xff\xd8\xff"[..]),
        ("b.jpeg", &["--quality", "30", "--without-place"], b"\xff\xd8\xff"),
        ("c.png", &[], b"\x89PNG"),
        ("d.webp", &[], b"RIFF"),
        ("e", &[], b"\x89PNG"),
    ] {
        let output = folder.join(name);
        let paths = ["inpaint", "--image", source, "--mask", &mask, "--output", output.to_str().unwrap()];
        let (status, _, stderr) = outcome(&[&paths[..], &["--model", "none"], more].concat());
        assert_eq!(status, 0, "{stderr}");
        let bytes = std::fs::read(output).unwrap();
        assert!(bytes.starts_with(head), "{name}");
        let has = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        assert!(has(b"Camera") && has(b"A title"), "{name} has lost its metadata");
        assert_eq!(has(b"GPSLatitude"), more.len() < 3, "{name}");
        let saved = pipeline::decode_photo(&bytes).unwrap();
        assert_eq!((saved.width, saved.height, saved.icc.is_some()), (32, 48, true), "{name}");
    }
    // A JPEG that cannot keep its blocks is said to.
    let whole = std::fs::read(source).unwrap();
    let source = write(&folder.join("cut.jpg"), &whole[..whole.len() - 60]);
    let output = folder.join("f.jpg");
    let paths = ["inpaint", "--image", &source, "--mask", &mask, "--output", output.to_str().unwrap()];
    let (status, _, stderr) = outcome(&[&paths[..], &["--model", "none"]].concat());
    assert!(status == 0 && stderr.contains("f.jpg was encoded anew, at quality 85"), "{stderr}");
}

#[test]
fn what_a_user_may_not_expect_of_a_photo_is_said() {
    let folder = folder("turned");
    // An eXIf chunk with orientation 6, after IHDR.
    let mut bytes = png(|x, y| [(x * 5) as u8, (y * 5) as u8, 0, 255]);
    let exif = b"eXIfMM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let chunk = [&(exif.len() as u32 - 4).to_be_bytes()[..], exif, &crc32fast::hash(exif).to_be_bytes()].concat();
    bytes.splice(33..33, chunk);
    let photo = write(&folder.join("turned.png"), &bytes);
    let mask = write(&folder.join("mask.png"), &png(|x, y| if x + y < 8 { [255; 4] } else { [0, 0, 0, 255] }));
    let output = folder.join("out.png");
    let paths = ["inpaint", "--image", &photo, "--mask", &mask, "--output", output.to_str().unwrap()];
    let (status, _, stderr) = outcome(&[&paths[..], &["--model", "none"]].concat());
    assert!(status == 0 && stderr.contains("turned.png was turned upright"), "{stderr}");
    assert!(stderr.contains("mask.png has no EXIF orientation"), "{stderr}");
    // What else a user may not expect of a photo.
    let photo = write(&folder.join("cut.png"), &bytes[..bytes.len() - 12]);
    let paths = ["inpaint", "--image", &photo, "--mask", &mask, "--output", output.to_str().unwrap()];
    let (status, _, stderr) = outcome(&[&paths[..], &["--model", "none"]].concat());
    assert!(status == 0 && stderr.contains("cut.png is damaged or cut off"), "{stderr}");
    let mut deep = Vec::new();
    let values = vec![0x55; SIDE * SIDE * 6];
    PngEncoder::new(&mut deep).write_image(&values, SIDE as u32, SIDE as u32, ExtendedColorType::Rgb16).unwrap();
    let photo = write(&folder.join("deep.png"), &deep);
    let paths = ["inpaint", "--image", &photo, "--mask", &mask, "--output", output.to_str().unwrap()];
    let (status, _, stderr) = outcome(&[&paths[..], &["--model", "none"]].concat());
    assert!(status == 0 && stderr.contains("deep.png has 16 bits a channel"), "{stderr}");
}

#[test]
fn an_object_is_selected_and_a_rough_mask_snapped() {
    let folder = folder("select");
    let inside = |x: usize, y: usize| x.abs_diff(60).pow(2) + y.abs_diff(45).pow(2) <= 25 * 25;
    let rgba =
        (0..120 * 90).flat_map(|i| if inside(i % 120, i / 120) { [200, 60, 40, 255] } else { [60, 90, 140, 255] });
    let photo = Photo {
        width: 120,
        height: 90,
        rgba: rgba.collect(),
        has_alpha: false,
        is_gray: false,
        icc: None,
        notes: Vec::new(),
    };
    let image = write(&folder.join("photo.png"), &pipeline::encode_photo(&photo).unwrap());
    let output = folder.join("mask.png");
    let select = |more: &[&str]| {
        let output = output.to_str().unwrap();
        assert_eq!(outcome(&[&["select", "--image", &image, "--output", output], more].concat()).0, 0, "{more:?}");
        let mask = pipeline::decode_mask(&std::fs::read(output).unwrap(), 120, 90).unwrap();
        (0..120 * 90).filter(|&i| (mask.holes[i] > 127) != inside(i % 120, i / 120)).count()
    };
    let wrong = select(&["--click", "58,44"]);
    assert!(wrong < 60, "{wrong} pixels after a click");
    let rough = folder.join("rough.png");
    let shifted: Vec<u8> = (0..120 * 90).map(|i| if inside(i % 120 + 3, i / 120 + 2) { 255 } else { 0 }).collect();
    let file = pipeline::encode_mask(&pipeline::Mask::new(120, 90, shifted).unwrap()).unwrap();
    let wrong = select(&["--snap", &write(&rough, &file)]);
    assert!(wrong < 60, "{wrong} pixels after snapping");
    let (status, _, stderr) = outcome(&["select", "--image", &image, "--output", "x.png"]);
    assert_eq!(status, 2, "{stderr}");
}
