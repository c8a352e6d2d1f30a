//! A static server for the page as it lies in the repository, with the headers of a cross-origin isolated site.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use crate::{build, headers, tools};

/// What is built for it: what opens and saves photos, what selects objects, of those that fill the one that every browser
/// runs and the fastest, and what reads classes.
pub const BUILDS: [build::Build; 6] =
    [build::PICTURES, build::SAVING, build::SELECTING, build::SURE, build::BEST, build::CLASSES];

/// Builds and serves until stopped; takes the next free port if this one is in use.
pub fn run(port: u16) -> Result<()> {
    build::run(&BUILDS, &[])?;
    let listener = (port..port.saturating_add(20)).find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
    let listener = listener.with_context(|| format!("no free port from {port} on"))?;
    println!("infill is at http://localhost:{}/ (Ctrl-C stops it)", listener.local_addr()?.port());
    for stream in listener.incoming().flatten() {
        // Read anew each time, so that an edit of the policy shows.
        let headers: String = headers::all()?.into_iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        std::thread::spawn(move || {
            // A browser that goes away is no fault of ours.
            let _ = answer(stream, &headers);
        });
    }
    Ok(())
}

fn answer(mut stream: TcpStream, headers: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or("/"));
    let found = file(target).and_then(|path| std::fs::read(&path).ok().map(|bytes| (path, bytes)));
    let (status, kind, body) = match found {
        Some((path, bytes)) if method == "GET" || method == "HEAD" => ("200 OK", mime(&path), bytes),
        // The page takes another build then.
        None if is_of_another_build(target) => ("204 No Content", "text/plain; charset=utf-8", Vec::new()),
        _ => ("404 Not Found", "text/plain; charset=utf-8", b"Not found".to_vec()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\n\
         {headers}Connection: close\r\n\r\n",
        body.len()
    )?;
    if method == "GET" {
        stream.write_all(&body)?;
    }
    stream.flush()
}

/// The file a request names, if it belongs to the site.
fn file(target: &str) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.trim_start_matches('/');
    let path = Path::new(if path.is_empty() { "index.html" } else { path });
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    let public = ["index.html", "sw.js", "infill.json", "infill.js"].iter().any(|file| path == Path::new(file))
        || path.starts_with("www")
        || path.starts_with("pkg");
    (plain && public).then(|| tools::root().join(path))
}

/// Whether a request is for a build of the crate that only `dist` makes.
fn is_of_another_build(target: &str) -> bool {
    build::SHIPPED.iter().any(|build| target.starts_with(&format!("/pkg/{}/", build.name)))
}

/// MIME types of what the site holds.
fn mime(path: &Path) -> &'static str {
    match path.extension().and_then(|e| e.to_str()).unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" => "image/jpeg",
        "webp" => "image/webp",
        "txt" | "tsv" | "md" | "ts" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_site_is_served() {
        let files = ["/", "/index.html?x=1", "/sw.js", "/infill.json", "/www/main.js", "/pkg/relaxed/infill_bg.wasm"];
        for target in files {
            assert!(file(target).is_some(), "{target}");
        }
        for target in ["/Cargo.toml", "/www/../Cargo.toml", "/.git/config", "//etc/passwd", "/../x", "/src/lib.rs"] {
            assert!(file(target).is_none(), "{target}");
        }
    }
}
