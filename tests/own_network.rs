//! A class and its weights on the command line: whether they fit, how they are loaded in Python, and what they fill.

mod program;

use std::path::{Path, PathBuf};

use infill::pipeline::{self, Photo};
use program::{outcome, reference};
use serde_json::Value;

fn report(file: &str, class: &str, more: &[&str]) -> Value {
    let (status, stdout, stderr) = outcome(&[&["inspect", file, "--class", class, "--json"], more].concat());
    assert_eq!((status, stderr.as_str()), (0, ""));
    serde_json::from_str(&stdout).unwrap()
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) -> String {
    std::fs::write(path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// `loading.py` has run these lines in Python, and held what they load against the file's values.
#[test]
fn the_lines_that_load_a_file_are_those_that_python_ran() {
    let lines: Value =
        serde_json::from_str(&std::fs::read_to_string(reference("classes/loading.json")).unwrap()).unwrap();
    let lines = lines.as_object().unwrap();
    assert!(lines.len() >= 10);
    for (file, code) in lines {
        let report = report(&reference(&format!("checkpoints/{file}")), &reference("classes/lines.py"), &[]);
        assert_eq!(report["loading"]["code"], *code, "{file}: run tests/reference/classes/loading.py again");
    }
}

#[test]
fn the_two_questions_are_answered_for_a_class_and_a_file() {
    // The keys are ['iteration', 'generator']: how do they align with this generator?
    let file = reference("networks/context-encoder.pth");
    let found = report(&file, &reference("classes/context_encoder.py"), &[]);
    assert_eq!(found["state"], "fits", "{found}");
    assert!(found["loading"]["code"].as_str().unwrap().contains("weights_only=True)['generator']"), "{found}");
    // Missing key(s) in state_dict: what do I change?
    let file = reference("networks/edgeconnect-inpaint.pth");
    let found = report(&file, &reference("classes/context_encoder.py"), &[]);
    assert_eq!((&found["state"], &found["instead"][0]), (&"other".into(), &"edgeconnect-inpaint".into()), "{found}");
    let found = report(&file, &reference("classes/edgeconnect.py"), &[]);
    assert_eq!((&found["state"], &found["class"]), (&"fits".into(), &"InpaintGenerator".into()), "{found}");
}

#[test]
fn the_smallest_edit_is_shown_as_lines_that_go_and_come() {
    let folder = folder("edit");
    let source = std::fs::read_to_string(reference("classes/context_encoder.py")).unwrap();
    let three = write(&folder.join("three.py"), source.replace("channels=4", "channels=3"));
    let file = reference("networks/context-encoder.pth");
    let (status, stdout, _) = outcome(&["inspect", &file, "--class", &three]);
    assert_eq!(status, 0);
    assert!(stdout.contains("- line 8 |     def __init__(self, channels=3, w: int = 2):"), "{stdout}");
    assert!(stdout.contains("+ line 8 |     def __init__(self, channels=4, w: int = 2):"), "{stdout}");
    // The same from the cell of a notebook, whose lines count from its beginning.
    let cells =
        [("markdown", "# Mine"), ("code", "!pip install torch"), ("code", &source.replace("channels=4", "channels=3"))];
    let cells: Vec<Value> =
        cells.iter().map(|(kind, text)| serde_json::json!({"cell_type": kind, "source": text})).collect();
    let notebook = write(&folder.join("net.ipynb"), serde_json::json!({"cells": cells, "nbformat": 4}).to_string());
    let (_, stdout, _) = outcome(&["inspect", &file, "--class", &notebook]);
    assert!(stdout.contains("- code cell 2, line 8 |     def __init__(self, channels=3, w: int = 2):"), "{stdout}");
}

const SIDE: usize = 96;

/// A photo, a mask of its middle, and where the fill goes.
fn scene(folder: &Path) -> (String, String, String) {
    let png = |colour: &dyn Fn(usize, usize) -> [u8; 4]| {
        let rgba = (0..SIDE * SIDE).flat_map(|i| colour(i % SIDE, i / SIDE)).collect();
        let photo =
            Photo { width: SIDE, height: SIDE, rgba, has_alpha: false, is_gray: false, icc: None, notes: Vec::new() };
        pipeline::encode_photo(&photo).unwrap()
    };
    let photo = png(&|x, y| [(x * 2) as u8, (y * 2) as u8, (x * y % 97) as u8, 255]);
    let middle = |at: usize| (40..60).contains(&at);
    let mask = png(&|x, y| if middle(x) && middle(y) { [255; 4] } else { [0, 0, 0, 255] });
    let out = folder.join("out.png").to_str().unwrap().to_owned();
    (write(&folder.join("photo.png"), photo), write(&folder.join("mask.png"), mask), out)
}

/// The pixels of a fill.
fn filled(folder: &Path, more: &[&str]) -> Result<Vec<u8>, (i32, String)> {
    let (photo, mask, out) = scene(folder);
    let fixed = ["inpaint", "--image", &photo, "--mask", &mask, "--output", &out, "--sharpen", "off"];
    let (status, _, stderr) = outcome(&[&fixed[..], more].concat());
    if status != 0 {
        return Err((status, stderr));
    }
    Ok(pipeline::decode_photo(&std::fs::read(&out).unwrap()).unwrap().rgba)
}

#[test]
fn a_class_fills_as_the_known_network_of_its_weights_does() {
    let folder = folder("class-fills");
    let weights = reference("networks/context-encoder.pth");
    let known = filled(&folder, &["--weights", &weights]).unwrap();
    let class = reference("classes/context_encoder.py");
    let pasted = filled(&folder, &["--weights", &weights, "--class", &class]).unwrap();
    assert!(pasted == known, "the class fills otherwise");
}

#[test]
fn what_goes_in_can_be_said_of_every_network() {
    let folder = folder("feeds");
    let weights = reference("networks/edgeconnect-inpaint.pth");
    let class = reference("classes/edgeconnect.py");
    for network in [&["--weights", &weights][..], &["--weights", &weights, "--class", &class]] {
        let fill = |more: &[&str]| filled(&folder, &[network, more].concat()).unwrap();
        let plain = fill(&[]);
        assert!(fill(&["--takes", "rgb,edges"]) == plain, "the guess is said, and something changes");
        let swapped = fill(&["--takes", "edges,rgb"]);
        assert!(swapped != plain, "the order of the channels makes no difference");
        let feed = write(&folder.join("feed.json"), r#"{"inputs": [["edges", "rgb"]]}"#);
        assert!(fill(&["--feed", &feed]) == swapped, "the file says something else than the flag");
        assert!(fill(&["--feed", &feed, "--takes", "rgb,edges"]) == plain, "flags say less than the file");
        assert!(fill(&["--output-range", "-1..1"]) != plain, "the output's range makes no difference");
        // Noise follows the seed.
        let noise = |seed: &str| fill(&["--takes", "rgb,noise", "--seed", seed]);
        assert!(noise("1") == noise("1") && noise("1") != noise("2"));
    }
}

#[test]
fn what_makes_no_sense_is_wrong_usage_or_names_its_line() {
    let folder = folder("class-refused");
    let (weights, class) = (reference("networks/context-encoder.pth"), reference("classes/context_encoder.py"));
    let refused = |more: &[&str]| filled(&folder, more).unwrap_err();
    let with_class = ["--weights", &weights, "--class", &class];
    for (more, status, part) in [
        (&["--takes", "rgb"][..], 1, "context_encoder.py: line 20: Conv2d"),
        (&["--takes", "rgb,msk"], 2, "msk is not one of"),
        (&["--takes", "rgb,mask", "--takes", "mask"], 1, "line 19: forward takes 1"),
        (&["--model", "default"], 2, "cannot be used with"),
    ] {
        let (found, stderr) = refused(&[&with_class[..], more].concat());
        assert!(found == status && stderr.contains(part), "{more:?}: {found} {stderr}");
    }
    let (status, stderr) = refused(&["--weights", &weights, "--takes", "rgb"]);
    assert!(status == 2 && stderr.contains("takes 4 channels"), "{stderr}");
    assert_eq!(refused(&["--class", &class]).0, 2);
    let feed = write(&folder.join("feed.json"), r#"{"input": 3}"#);
    let (status, stderr) = refused(&[&with_class[..], &["--feed", &feed]].concat());
    assert!(status == 2 && stderr.contains("feed.json"), "{stderr}");
    let source = std::fs::read_to_string(&class).unwrap();
    let unread = write(&folder.join("unread.py"), source.replace("code = self.encoder(x)", "code = torch.topk(x, 3)"));
    let (status, stderr) = refused(&["--weights", &weights, "--class", &unread]);
    assert!(status == 1 && stderr.contains("unread.py: line 20"), "{stderr}");
    let other = reference("networks/edgeconnect-inpaint.pth");
    let (status, stderr) = refused(&["--weights", &other, "--class", &class]);
    assert!(status == 1 && stderr.contains("do not fit the class ContextEncoder"), "{stderr}");
}
