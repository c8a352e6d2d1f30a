//! Attacks and accidents: each file ends in its one clear error, quickly, and nothing panics or runs.
//! Made by `tests/hostile/make.py`; the same files are read in the browser by the end-to-end tests.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek};
use std::path::PathBuf;

use infill::error::{Code, Result};
use infill::{checkpoint, pipeline, report};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/hostile")
}

fn expected(table: &str) -> BTreeMap<String, String> {
    serde_json::from_slice(&std::fs::read(folder().join(table)).unwrap()).unwrap()
}

/// Opens, reports and reads every tensor.
fn read_all(bytes: Vec<u8>, name: &str) -> Result<usize> {
    let mut checkpoint = checkpoint::open(Cursor::new(bytes), name)?;
    let _ = report::inspect(checkpoint.as_ref(), name);
    let tensors: Vec<_> = checkpoint.state_dicts().iter().flat_map(|dict| dict.tensors.clone()).collect();
    tensors.iter().map(|tensor| checkpoint.read(tensor).map(|values| values.len())).sum()
}

#[test]
fn every_file_ends_in_its_code() {
    let rows = expected("expected.json");
    assert!(rows.len() > 90, "{}", rows.len());
    let mut wrong = Vec::new();
    for (name, code) in &rows {
        let bytes = std::fs::read(folder().join("files").join(name)).unwrap();
        let opened = checkpoint::open(Cursor::new(bytes.clone()), name).map(drop);
        let found = match (opened, read_all(bytes, name)) {
            (Err(error), _) => {
                assert!(error.message.contains(name.as_str()), "{name} is not named: {error}");
                assert!(error.message.len() < 400, "{name}: {error}");
                error.code.as_str().to_owned()
            }
            (Ok(()), Ok(_)) => "ok".to_owned(),
            (Ok(()), Err(error)) => format!("ok-but-reading:{}", error.code.as_str()),
        };
        if found != *code {
            wrong.push(format!("{name}: {found} instead of {code}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!PathBuf::from("/tmp/infill-was-here").exists(), "a pickle was executed");
}

/// What each file of another program is, and the next step, in one sentence.
#[test]
fn files_of_other_programs_are_named_with_what_to_do() {
    let cases = [
        ("gguf", "GGUF file", "it was made from"),
        ("tflite", "TensorFlow Lite", "converted from"),
        ("h5", "HDF5", "PyTorch version"),
        ("npy", "one NumPy array", "save_file"),
        ("saved-model.pb", "SavedModel", "PyTorch version"),
        ("graph.pb", "TensorFlow graph", "PyTorch version"),
        ("graph.meta", ".meta", "PyTorch version"),
        ("tensorflow.index", "index of a TensorFlow checkpoint", "PyTorch version"),
        ("tensorflow.data", "bare numbers", "PyTorch version"),
        ("error.json", "JSON that begins", "Download"),
        ("entry-not-found.pth", "\"Entry not found\"", "Download"),
        ("shards.index.json", "index of weights in several files", "command line"),
        ("lua.t7", "Lua Torch", "torchfile"),
        ("keras", "Keras model", "PyTorch version"),
        ("pt2", "exported program", "torch.export.load('foreign-pt2')"),
        ("npz", "NumPy arrays", "numpy.load('foreign-npz')"),
        ("two.zip", "gen.pth, dis.pth", "unpack it"),
        ("stylegan.pkl", "NVIDIA", "pickle.load(open('foreign-stylegan.pkl', 'rb'))['G_ema']"),
        ("data.pkl", "the data.pkl out of", "zip the whole folder"),
        ("arrays.pkl", "NumPy arrays", "torch.from_numpy"),
        ("arrays.pth", "NumPy arrays", "torch.from_numpy"),
    ];
    for (name, what, next) in cases {
        let name = format!("foreign-{name}");
        let bytes = std::fs::read(folder().join("files").join(&name)).unwrap();
        let error = checkpoint::open(Cursor::new(bytes), &name).map(drop).unwrap_err();
        assert!(error.message.contains(what) && error.message.contains(next), "{name}: {error}");
    }
}

#[test]
fn every_picture_ends_in_its_code() {
    let rows = expected("pictures.json");
    assert!(rows.len() > 15, "{}", rows.len());
    for (name, code) in &rows {
        let bytes = std::fs::read(folder().join("pictures").join(name)).unwrap();
        let found = pipeline::decode_photo(&bytes).map_or_else(|error| error.code.as_str(), |_| "ok");
        assert_eq!(found, code, "{name}");
    }
}

/// Cases 26 and 27 of the table in `tests/README.md`.
#[test]
fn an_animated_webp_is_told_and_cmyk_is_refused_by_its_name() {
    let read = |name: &str| std::fs::read(folder().join("pictures").join(name)).unwrap();
    let photo = pipeline::decode_photo(&read("webp-animated.webp")).unwrap();
    assert_eq!((photo.width, photo.height, photo.notes), (9, 7, vec!["animated".to_owned()]));
    // The first of its frames is red, the second blue.
    assert!(photo.rgba.chunks_exact(4).all(|pixel| pixel == [200, 30, 40, 255]), "{:?}", &photo.rgba[..4]);
    let error = pipeline::decode_photo(&read("jpeg-cmyk.jpg")).unwrap_err();
    assert!(error.code == Code::ImageFormat && error.message.contains("CMYK"), "{error}");
}

#[test]
fn damaged_pictures_never_panic() {
    let mut random = random();
    for name in expected("pictures.json").into_keys() {
        let original = std::fs::read(folder().join("pictures").join(&name)).unwrap();
        for _ in 0..if original.len() < 1000 { 400 } else { 0 } {
            let mut bytes = original.clone();
            for _ in 0..1 + random(4) {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }
            let _ = pipeline::decode_photo(&bytes[..bytes.len() - random(2) * random(bytes.len())]);
        }
    }
}

#[test]
fn files_cut_at_every_37th_byte_never_panic() {
    let mut folders = vec![folder().join("files"), folder().join("../reference/checkpoints")];
    folders.push(folder().join("../reference/networks"));
    let mut cuts = 0;
    for file in folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap()) {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if bytes.len() > 64 << 10 || path.extension().is_some_and(|e| e == "py" || e == "json") {
            continue;
        }
        for end in (0..bytes.len()).step_by(37) {
            let _ = read_all(bytes[..end].to_vec(), "cut");
            cuts += 1;
        }
    }
    assert!(cuts > 5000, "{cuts}");
}

/// Numbers below a limit, the same in every run (xorshift).
fn random() -> impl FnMut(usize) -> usize {
    let mut seed = 0x2545_f491_4f6c_dd1du64;
    move |limit: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % limit as u64) as usize
    }
}

#[test]
fn damaged_bytes_never_panic() {
    let mut random = random();
    let folder = folder().join("../reference/checkpoints");
    for name in
        ["zip.pth", "legacy2.pth", "plain.safetensors", "training.pth", "scripted.pt", "deflated.pth", "tar.pth"]
    {
        let original = std::fs::read(folder.join(name)).unwrap();
        for _ in 0..300 {
            let mut bytes = original.clone();
            for _ in 0..1 + random(4) {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }
            let _ = read_all(bytes, name);
        }
    }
}

/// A file that changes or ends after so many reads.
struct Changing {
    bytes: Cursor<Vec<u8>>,
    reads: usize,
    /// Gone (an error), or other bytes.
    is_gone: bool,
}

impl Read for Changing {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        self.reads = self.reads.saturating_sub(1);
        if self.reads == 0 && self.is_gone {
            return Err(std::io::Error::from(std::io::ErrorKind::NotFound));
        }
        let count = self.bytes.read(target)?;
        if self.reads == 0 {
            target[..count].iter_mut().for_each(|byte| *byte ^= 0x5a);
        }
        Ok(count)
    }
}

impl Seek for Changing {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.bytes.seek(to)
    }
}

#[test]
fn a_file_that_changes_or_vanishes_while_it_is_read_ends_in_an_error() {
    let folder = folder().join("../reference/checkpoints");
    for name in ["zip.pth", "legacy2.pth", "plain.safetensors", "deflated.pth", "tar.pth"] {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let all = |reads, is_gone| -> Result<usize> {
            let source = Changing { bytes: Cursor::new(bytes.clone()), reads, is_gone };
            let mut checkpoint = checkpoint::open(source, name)?;
            let tensors: Vec<_> = checkpoint.state_dicts().iter().flat_map(|dict| dict.tensors.clone()).collect();
            tensors.iter().map(|tensor| checkpoint.read(tensor).map(|values| values.len())).sum()
        };
        let whole = (1..).find(|&reads| all(reads, true).is_ok()).unwrap();
        assert!(whole > 5, "{name} is read in {whole} pieces");
        for reads in 1..whole {
            assert_eq!(all(reads, true).unwrap_err().code, Code::Io, "{name} vanishes at read {reads}");
            // Other bytes may be other values where nothing checks them, but they never panic.
            let changed = all(reads, false);
            let is_checked = ["zip.pth", "deflated.pth"].contains(&name);
            assert!(!is_checked || changed.is_err(), "{name} changes at read {reads} and nobody notices");
        }
    }
}

#[test]
fn a_file_of_4_gigabytes_is_refused_by_its_size() {
    struct Huge(u64);
    impl std::io::Read for Huge {
        fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
            target.fill(0);
            Ok(target.len())
        }
    }
    impl std::io::Seek for Huge {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0 = match to {
                std::io::SeekFrom::Start(at) => at,
                std::io::SeekFrom::End(offset) => 4_100_000_000u64.saturating_add_signed(offset),
                std::io::SeekFrom::Current(offset) => self.0.saturating_add_signed(offset),
            };
            Ok(self.0)
        }
    }
    let error = checkpoint::open(Huge(0), "huge.pth").map(drop).unwrap_err();
    assert_eq!(error.code, Code::CheckpointLimit);
    assert!(error.message.contains("4100000000"), "{error}");
}
