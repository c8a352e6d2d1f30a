//! The published page as `cargo xtask dist` writes it: read, made sure of, and written again with more files.
//!
//! What it says of itself stays right: the hash that the page shows is that of the site as it is packed, formed as
//! `docs/reproducing.md` has it, and the service worker's list has the page's own new hash.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Files, read};
use crate::cli::{file_name, io_error, write_file};
use crate::error::{Code, Error, Result};

/// The line of `sw.js` that the list of files takes the place of.
const NO_LIST: &str = "const SITE = { version: '', headers: {}, now: {}, later: {} };";
const LIST: &str = "const SITE = ";
/// The attribute of the page that holds the hash of the site.
const HASH: &str = " data-site=\"";
/// What reads `infill.json`: a page without it knows nothing of the models of a site.
const READER: &str = "www/document/site.js";

/// The published page.
pub struct Page {
    /// Its files, by path within the site.
    files: BTreeMap<String, PathBuf>,
    /// `index.html` before its hash was written into it.
    html: String,
    /// `sw.js` before the list was written into it.
    script: String,
    /// What its service worker knows: version, headers, and hashes by path.
    list: Value,
}

/// What was written.
pub struct Written {
    /// Number of files.
    pub files: usize,
    /// Bytes, all together.
    pub bytes: u64,
}

impl Page {
    /// Reads the page and makes sure that its files are those that it was built with.
    ///
    /// `io` if there is no built page, if it is of a version without `infill.json`, or if a file is another.
    pub fn open(folder: &Path) -> Result<Self> {
        let name = file_name(folder);
        let fault = |text: String| Error::new(Code::Io, text);
        let build = "Build the page with cargo xtask dist, or name a built one with --page FOLDER.";
        let (html, script) = (folder.join("index.html"), folder.join("sw.js"));
        if !html.is_file() || !script.is_file() {
            return Err(fault(format!("There is no published page in {}. {build}", folder.to_string_lossy())));
        }
        let (html, script) = (text(&html)?, text(&script)?);
        let line = script.lines().find(|line| line.starts_with(LIST)).unwrap_or_default();
        let list = line.strip_prefix(LIST).and_then(|rest| rest.strip_suffix(';'));
        let list: Option<Value> = list.and_then(|list| serde_json::from_str(list).ok());
        let list = list.ok_or_else(|| fault(format!("{name} holds the page's sources. {build}")))?;
        if list["now"][READER].is_null() {
            return Err(fault(format!(
                "The page in {name} is of an older version, which reads no infill.json. {build}"
            )));
        }
        let mut files = BTreeMap::new();
        find(folder, "", &mut files)?;
        for (path, expected) in ["now", "later"].iter().flat_map(|part| list[part].as_object()).flatten() {
            let found = files.get(path).map(|file| read(file)).transpose()?;
            if found.map(|bytes| digest(&bytes)).as_deref() != expected.as_str() {
                let text = format!("{path} in {name} is not as the page was built. {build}");
                return Err(fault(text));
            }
        }
        let script = script.replacen(line, NO_LIST, 1);
        Ok(Self { files, html: without_hash(&html), script, list })
    }

    /// Writes the page with these files beside its own, or in the place of its own.
    pub fn write(&self, output: &Path, own: &Files, title: Option<&str>) -> Result<Written> {
        let html = title.map_or_else(|| self.html.clone(), |title| titled(&self.html, title));
        let mut hashes = BTreeMap::new();
        let mut bytes = 0;
        for (path, file) in &self.files {
            if !own.contains_key(path) && !["index.html", "sw.js"].contains(&path.as_str()) {
                let content = read(file)?;
                bytes += content.len() as u64;
                write(output, path, &content)?;
                hashes.insert(path.clone(), digest(&content));
            }
        }
        for (path, content) in own {
            bytes += content.len() as u64;
            write(output, path, content)?;
            hashes.insert(path.clone(), digest(content));
        }
        hashes.insert("index.html".to_owned(), digest(html.as_bytes()));
        hashes.insert("sw.js".to_owned(), digest(self.script.as_bytes()));
        let lines: String = hashes.iter().map(|(path, hash)| format!("{hash}  {path}\n")).collect();
        let html = with_hash(&html, &digest(lines.as_bytes()))?;
        hashes.insert("index.html".to_owned(), digest(html.as_bytes()));
        hashes.remove("sw.js");
        let script = self.script.replacen(NO_LIST, &format!("{LIST}{};", self.listed(&hashes)), 1);
        for (path, content) in [("index.html", &html), ("sw.js", &script)] {
            bytes += content.len() as u64;
            write(output, path, content.as_bytes())?;
        }
        Ok(Written { files: hashes.len() + 1, bytes })
    }

    /// The list for the service worker: the page's own files, of which only the page itself is another now. What this site
    /// adds to them is not in it: its service worker asks the host for that.
    fn listed(&self, hashes: &BTreeMap<String, String>) -> Value {
        let mut list = self.list.clone();
        list["version"] = json!(digest(json!(hashes).to_string().as_bytes())[..16]);
        list["now"]["index.html"] = json!(hashes["index.html"]);
        list
    }
}

/// The SHA-256 of some bytes, as `sha256sum` writes it.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| io_error(path, "read", &error))
}

/// All files below a folder, by path within the site.
fn find(folder: &Path, prefix: &str, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|error| io_error(folder, "read", &error))?;
    for entry in entries {
        let path = entry.map_err(|error| io_error(folder, "read", &error))?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            find(&path, &format!("{name}/"), files)?;
        } else {
            files.insert(name, path);
        }
    }
    Ok(())
}

fn write(output: &Path, path: &str, bytes: &[u8]) -> Result<()> {
    let target = output.join(path);
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(|error| io_error(folder, "written", &error))?;
    }
    write_file(&target, bytes)
}

/// `index.html` as it was before its hash was written into it.
fn without_hash(html: &str) -> String {
    let Some(start) = html.find(HASH) else { return html.to_owned() };
    let end = html[start + HASH.len()..].find('"').map_or(start, |length| start + HASH.len() + length + 1);
    format!("{}{}", &html[..start], &html[end..])
}

/// The hash as an attribute of the root element.
fn with_hash(html: &str, hash: &str) -> Result<String> {
    let end = html.find("<html").and_then(|start| html[start..].find('>').map(|length| start + length));
    let end = end.ok_or_else(|| Error::new(Code::Io, "index.html has no root element: build the page again."))?;
    Ok(format!("{}{HASH}{hash}\"{}", &html[..end], &html[end..]))
}

/// The page under another title, which links and bookmarks show before any script runs.
fn titled(html: &str, title: &str) -> String {
    let escaped = title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (start, end) = (html.find("<title>"), html.find("</title>"));
    match (start, end) {
        (Some(start), Some(end)) if start < end => format!("{}<title>{escaped}{}", &html[..start], &html[end..]),
        _ => html.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTML: &str = "<!doctype html>\n<html lang=\"en\">\n<title>infill</title>\n";

    #[test]
    fn the_hash_goes_in_and_out_of_the_page() {
        let hashed = with_hash(HTML, "ab12").unwrap();
        assert_eq!(hashed, "<!doctype html>\n<html lang=\"en\" data-site=\"ab12\">\n<title>infill</title>\n");
        assert_eq!(without_hash(&hashed), HTML);
        assert_eq!(without_hash(HTML), HTML);
    }

    #[test]
    fn a_title_is_text() {
        let page = titled(HTML, "</title><img src=x onerror=alert(1)> & more");
        let expected = "<title>&lt;/title&gt;&lt;img src=x onerror=alert(1)&gt; &amp; more</title>";
        assert!(page.contains(expected), "{page}");
    }
}
