//! What reading a hostile file may take: every allocation is counted, for the files under `tests/hostile/` and for
//! pickles and headers tuned to run into every cap at once.

mod counting;

use std::io::Cursor;
use std::path::PathBuf;

use counting::{Counting, peak_of};
use infill::{checkpoint, pipeline};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What the issue allows beyond the tensors' own size.
const MOST: usize = 64 << 20;

/// Opens the file; returns the peak beyond what was in use, and how it ended.
fn peak(bytes: &[u8], name: &str) -> (usize, String) {
    let (peak, outcome) = peak_of(|| checkpoint::open(Cursor::new(bytes.to_vec()), name));
    // The copy of the file itself is the test's, not the reader's.
    let code = outcome.map_or_else(|e| e.code.as_str().to_owned(), |_| "ok".to_owned());
    (peak.saturating_sub(bytes.len()), code)
}

/// A zip of a pickle, stored or deflated, and of one value of four bytes.
fn zipped(pickle: &[u8], deflate: bool) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes, deflate) in [("a/data.pkl", pickle, deflate), ("a/data/0", &[0; 4][..], false)] {
        let body = if deflate { miniz_oxide::deflate::compress_to_vec(bytes, 6) } else { bytes.to_vec() };
        let mut fields = vec![20, 0, 0, 0, if deflate { 8 } else { 0 }, 0, 0, 0, 0, 0];
        fields.extend(crc32fast::hash(bytes).to_le_bytes());
        fields.extend((body.len() as u32).to_le_bytes());
        fields.extend((bytes.len() as u32).to_le_bytes());
        fields.extend([name.len() as u8, 0, 0, 0]);
        let start = out.len() as u32;
        directory.extend(
            [&b"PK\x01\x02\x14\x00"[..], &fields[..], &[0; 10], &start.to_le_bytes(), name.as_bytes()].concat(),
        );
        out.extend([&b"PK\x03\x04"[..], &fields[..], name.as_bytes(), &body].concat());
    }
    let (start, size) = (out.len() as u32, directory.len() as u32);
    out.extend(directory);
    out.extend(
        [&b"PK\x05\x06\0\0\0\0\x02\0\x02\0"[..], &size.to_le_bytes()[..], &start.to_le_bytes(), &[0, 0]].concat(),
    );
    out
}

/// A string opcode.
fn string(text: &str) -> Vec<u8> {
    [&b"X"[..], &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

/// Pickles that stop just below or run into the caps: values, strings, memo, items, marks, and all of them.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let repeat = |part: &[u8], times: usize| part.repeat(times);
    let strings = |times: usize| (0..times).flat_map(|i| string(&format!("{i:0900}"))).collect::<Vec<u8>>();
    let all = [
        b"\x80\x04".to_vec(),
        strings(6000),
        repeat(b"]\x94", 200_000),
        repeat(b"(", 200_000),
        b"]".to_vec(),
        repeat(b"(K\x01K\x02K\x03", 20_000),
        b"l".to_vec(),
        b"(".to_vec(),
        repeat(b"h\x00h\x00", 200_000),
        b"d".to_vec(),
        repeat(b")", 60_000),
        repeat(b"h\x00", 250_000),
        b".".to_vec(),
    ]
    .concat();
    let tensor = [
        b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec(),
        string("storage"),
        b"ctorch\nFloatStorage\n".to_vec(),
        string("0"),
        string("cpu"),
        b"K\x01tQK\x00))\x89NtR".to_vec(),
    ]
    .concat();
    let mut shared = [b"\x80\x02".to_vec(), tensor, b"q\x000(".to_vec()].concat();
    // One key of a thousand bytes and one tensor, in sixty dicts of many keys each.
    for dict in 0..60 {
        shared.extend(string(&format!("d{dict}")));
        shared.extend(b"}(");
        for key in 0..90 {
            shared.extend(string(&format!("{key:0990}.{dict}")));
            shared.extend(b"h\x00");
        }
        shared.extend(b"u");
    }
    shared.extend(b"d.");
    vec![
        ("values", [repeat(b"N", 2_000_000), b".".to_vec()].concat()),
        ("lists", [repeat(b"]", 2_000_000), b".".to_vec()].concat()),
        ("strings", [strings(30_000), b".".to_vec()].concat()),
        ("classes", [b"c".to_vec(), vec![b'm'; 900], b"\nn\n".to_vec()].concat().repeat(30_000)),
        ("memo", [b"N".to_vec(), repeat(b"\x94", 5_000_000), b".".to_vec()].concat()),
        ("marks", [repeat(b"(", 5_000_000), b".".to_vec()].concat()),
        (
            "items",
            [b"Nq\x000".to_vec(), [b"(".to_vec(), repeat(b"h\x00", 100_000), b"l".to_vec()].concat().repeat(30)]
                .concat(),
        ),
        ("bytes", [b"B".to_vec(), (30u32 << 20).to_le_bytes().to_vec(), vec![0; 30 << 20], b".".to_vec()].concat()),
        ("everything", all),
        ("shared keys", shared),
    ]
}

/// A safetensors file of many tensors without elements, under long keys.
fn header(tensors: usize, key_bytes: usize) -> Vec<u8> {
    let entry =
        |i: usize| format!("\"{i:0key_bytes$}\":{{\"dtype\":\"F32\",\"shape\":[0,1,1,1],\"data_offsets\":[0,0]}}");
    let text = format!("{{{}}}", (0..tensors).map(entry).collect::<Vec<_>>().join(","));
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

#[test]
fn no_file_takes_more_than_64_megabytes_before_it_is_refused() {
    let mut worst = (0, String::new());
    let mut hold = |bytes: &[u8], name: String| {
        let (bytes_used, outcome) = peak(bytes, "x.pth");
        println!("{:6.1} MB  {name}: {outcome}", bytes_used as f64 / 1e6);
        assert!(bytes_used <= MOST, "{name} took {bytes_used} bytes ({outcome})");
        if bytes_used > worst.0 {
            worst = (bytes_used, name);
        }
    };
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/files");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        hold(&std::fs::read(&path).unwrap(), path.file_name().unwrap().to_string_lossy().into_owned());
    }
    for (name, pickle) in bombs() {
        hold(&zipped(&pickle, false), format!("{name}, stored"));
        hold(&zipped(&pickle, true), format!("{name}, deflated"));
    }
    hold(&header(50_000, 250), "safetensors of 50,000 long keys".to_owned());
    hold(&header(90_000, 60), "safetensors of 90,000 tensors".to_owned());
    println!("most: {:.1} MB by {}", worst.0 as f64 / 1e6, worst.1);
    assert!(worst.0 > 1 << 20, "nothing was counted");
    pictures();
}

/// A small picture takes what the metadata and the pixels of a small picture may take.
fn pictures() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/pictures");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let (peak, outcome) = peak_of(|| pipeline::decode_photo(&bytes));
        println!("{:6.1} MB  {}: {:?}", peak as f64 / 1e6, path.display(), outcome.map(|_| ()).map_err(|e| e.code));
        assert!(peak <= 3 * MOST, "{} took {peak} bytes", path.display());
    }
}
