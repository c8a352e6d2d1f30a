//! `infill pack`: what is written is right in itself, and what would not run is refused before anything is written.

mod program;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use program::{outcome, reference};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const PAGE: &str = "<!doctype html>\n<html lang=\"en\" data-site=\"00\">\n<title>infill</title>\n";
const NO_LIST: &str = "const SITE = { version: '', headers: {}, now: {}, later: {} };";

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A new folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("pack-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) -> String {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A page as `cargo xtask dist` writes it, of two files.
fn page(folder: &Path) -> String {
    let (reader, photo) = ("site", "photo");
    let list = json!({
        "version": "0123456789abcdef", "headers": {"X": "y"},
        "now": {"index.html": digest(PAGE.as_bytes()), "www/document/site.js": digest(reader.as_bytes())},
        "later": {"www/samples/pig.jpg": digest(photo.as_bytes())},
    });
    write(&folder.join("page/index.html"), PAGE);
    write(&folder.join("page/sw.js"), format!("// before\nconst SITE = {list};\n// after\n"));
    write(&folder.join("page/infill.json"), "{}\n");
    write(&folder.join("page/www/document/site.js"), reader);
    write(&folder.join("page/www/samples/pig.jpg"), photo);
    folder.join("page").to_str().unwrap().to_owned()
}

/// Every file below a folder, by path.
fn files(folder: &Path, prefix: &str) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        match path.is_dir() {
            true => all.extend(files(&path, &format!("{name}/"))),
            false => all.extend([(name, std::fs::read(&path).unwrap())]),
        }
    }
    all
}

#[test]
fn a_packed_site_is_right_in_itself() {
    let folder = folder("right");
    let (page, output) = (page(&folder), folder.join("site"));
    let (weights, class) = (reference("networks/context-encoder.pth"), reference("classes/context_encoder.py"));
    let site = output.to_str().unwrap();
    let flags =
        ["--class", &class, "--title", "A & <b>", "--licence", "MIT", "--hide", "speed", "--mask-means", "known"];
    let arguments = [&["pack", &weights, "--page", &page, "--output", site][..], &flags].concat();
    let (status, stdout, stderr) = outcome(&arguments);
    assert_eq!((status, stderr.as_str()), (0, ""), "{stdout}");

    let written = files(&output, "");
    let text = |path: &str| String::from_utf8(written[path].clone()).unwrap();
    assert_eq!(written["site/models/context-encoder.pth"], std::fs::read(&weights).unwrap());
    assert_eq!(text("site/class.py"), std::fs::read_to_string(&class).unwrap());
    let described: Value = serde_json::from_str(&text("infill.json")).unwrap();
    let model = json!({
        "name": "ContextEncoder", "file": "site/models/context-encoder.pth", "bytes": written["site/models/context-encoder.pth"].len(),
        "sha256": digest(&written["site/models/context-encoder.pth"]), "class": "site/class.py",
        "feed": {"maskMeans": "known"}, "licence": "MIT",
    });
    assert_eq!(described, json!({"title": "A & <b>", "models": [model], "hide": ["speed"]}));

    // The service worker knows the page's new hash, and the page that of all files as they were before.
    let html = text("index.html");
    assert!(html.contains("<title>A &amp; &lt;b&gt;</title>"), "{html}");
    let script = text("sw.js");
    let list = script.lines().find_map(|line| line.strip_prefix("const SITE = ")).unwrap().strip_suffix(';').unwrap();
    let known: Value = serde_json::from_str(list).unwrap();
    assert_eq!(known["now"]["index.html"], digest(html.as_bytes()));
    assert_eq!((&known["headers"]["X"], known["version"].as_str().unwrap().len()), (&json!("y"), 16));
    assert_ne!(known["version"], "0123456789abcdef");
    let (_, rest) = html.split_once(" data-site=\"").unwrap();
    let (hash, _) = rest.split_once('"').unwrap();
    let mut before = written.clone();
    before.insert("index.html".to_owned(), html.replace(&format!(" data-site=\"{hash}\""), "").into_bytes());
    before.insert("sw.js".to_owned(), script.replace(&format!("const SITE = {list};"), NO_LIST).into_bytes());
    let lines: String = before.iter().map(|(path, bytes)| format!("{}  {path}\n", digest(bytes))).collect();
    assert_eq!(hash, digest(lines.as_bytes()));
}

#[test]
fn half_precision_is_half_the_bytes_and_still_fits() {
    let folder = folder("half");
    let (page, output) = (page(&folder), folder.join("site"));
    let (weights, class) = (reference("networks/context-encoder.pth"), reference("classes/context_encoder.py"));
    let site = output.to_str().unwrap();
    for more in [&["--class", class.as_str()][..], &[]] {
        let _ = std::fs::remove_dir_all(&output);
        let arguments = [&["pack", &weights, "--page", &page, "--output", site, "--store", "f16"][..], more].concat();
        assert_eq!(outcome(&arguments).0, 0, "{more:?}: {}", outcome(&arguments).2);
        let stored = output.join("site/models/context-encoder.safetensors");
        let (before, after) = (std::fs::metadata(&weights).unwrap().len(), std::fs::metadata(&stored).unwrap().len());
        assert!(after < before * 6 / 10, "{after} bytes of {before}");
        let found = outcome(&[&["inspect", stored.to_str().unwrap(), "--json"][..], more].concat());
        let report: Value = serde_json::from_str(&found.1).unwrap();
        match more {
            [] => assert_eq!(
                (&report["networks"][0]["missing"], &report["networks"][0]["dtype"]),
                (&json!([]), &json!("float16"))
            ),
            _ => assert_eq!(report["state"], "fits", "{report}"),
        }
    }
}

#[test]
fn what_would_not_run_is_refused_and_nothing_is_written() {
    let folder = folder("refused");
    let (page, output) = (page(&folder), folder.join("site"));
    let site = output.to_str().unwrap();
    let weights = reference("networks/context-encoder.pth");
    let empty = write(&folder.join("empty.pth"), "");
    let picture = write(&folder.join("page.html"), PAGE);
    let scorer = reference("networks/image-pair-discriminator.pth");
    let class = reference("classes/context_encoder.py");
    let other = reference("networks/edgeconnect-inpaint.pth");
    for (arguments, expected) in [
        (vec![empty.as_str()], "empty.pth"),
        (vec![&scorer], "does not paint"),
        (vec![&other, "--class", &class], "do not fit the class ContextEncoder"),
        (vec![&weights, "--takes", "rgb,rgb"], "channels"),
        (vec![&weights, "--image", &picture], "page.html"),
        (vec![&weights, "--image", &picture, "--mask", &picture, "--mask", &picture], "more --mask than --image"),
        (
            vec![&weights, "--page", "/nowhere"],
            "There is no published page in /nowhere. Build the page with cargo xtask dist",
        ),
        (vec![&weights, "--page", env!("CARGO_MANIFEST_DIR")], "holds the page's sources"),
    ] {
        let given = arguments.contains(&"--page");
        let own: &[&str] = if given { &[] } else { &["--page", &page] };
        let (status, stdout, stderr) = outcome(&[&["pack", "--output", site][..], own, &arguments].concat());
        assert!(status != 0 && stdout.is_empty() && stderr.contains(expected), "{arguments:?}: {stderr}");
        assert!(!output.exists(), "{arguments:?} wrote something");
    }
    write(&folder.join("page/www/samples/pig.jpg"), "another");
    let (status, _, stderr) = outcome(&["pack", &weights, "--page", &page, "--output", site]);
    assert!(status == 1 && stderr.contains("www/samples/pig.jpg in page is not as the page was built"), "{stderr}");
    write(&output.join("mine.txt"), "mine");
    let (status, _, stderr) = outcome(&["pack", &weights, "--page", &page, "--output", site]);
    assert!(status == 1 && stderr.contains("site is not empty"), "{stderr}");
}
