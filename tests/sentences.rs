//! What errors say in other languages: the list that the page's tables are held against (`tests/page/strings.mjs`), and
//! which kinds of errors are said by sentences alone.

use std::path::Path;

use infill::error::Code;
use infill::sentences::Sentence;
use serde_json::json;

/// The list, as the enums of the crate have it.
const LIST: &str = "tests/page/sentences.json";
/// Set to write the list anew.
const WRITE: &str = "INFILL_WRITE_SENTENCES";

/// Kinds of errors that are said in every language of the page, whole.
const WHOLE: &[&str] = &[
    "CheckpointTruncated",
    "WeightsNotFinite",
    "Cancelled",
    "OutOfMemory",
    "ImageFormat",
    "ImageCorrupt",
    "ImageLimit",
    "MaskSize",
    "MaskEmpty",
    "MaskFull",
    "ModelMismatch",
];

#[test]
fn the_page_has_the_list_of_all_codes_and_sentences() {
    let sentences: Vec<_> = Sentence::ALL
        .iter()
        .map(|each| json!({"id": each.id, "code": each.code.as_str(), "english": each.english, "values": each.names}))
        .collect();
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let list = serde_json::to_string_pretty(&json!({"codes": codes, "sentences": sentences})).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(LIST);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &list).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, list, "{LIST} is not what the crate says: {WRITE}=1 cargo test --test sentences writes it anew");
}

/// The command line is English, as is what only it does; the crate's own sentences are what the other files are about.
fn is_said_elsewhere(path: &str) -> bool {
    path.contains("/cli/")
        || path.contains("/export/")
        || path.ends_with("/sentences.rs")
        || path.ends_with("/error.rs")
}

#[test]
fn whole_kinds_are_said_by_sentences_alone() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.to_string_lossy().replace('\\', "/");
            if !name.ends_with(".rs") || is_said_elsewhere(&name) {
                continue;
            }
            read += 1;
            let text: String = std::fs::read_to_string(&path).unwrap().split_whitespace().collect();
            for kind in WHOLE {
                for call in ["Error::new(Code::", "fail(Code::"] {
                    assert!(!text.contains(&format!("{call}{kind},")), "{name}: {kind} is said without a sentence");
                }
            }
        }
    }
    assert!(read > 100, "{read} files");
    for kind in WHOLE {
        let is_said = Sentence::ALL.iter().any(|each| format!("{:?}", each.code) == *kind);
        assert!(is_said, "{kind} has no sentence");
    }
}
