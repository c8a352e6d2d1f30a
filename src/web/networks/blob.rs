//! Random access to a dropped file: `Blob.slice` read by `FileReaderSync`, which only workers have.

use std::io::{self, Read, Seek, SeekFrom};

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, FileReaderSync};

/// Small reads are served from a buffer of this many bytes; larger ones go straight to their target.
const BUFFER_BYTES: u64 = 256 << 10;

/// A `Blob` as `Read + Seek`.
pub struct BlobSource {
    blob: Blob,
    reader: FileReaderSync,
    length: u64,
    position: u64,
    buffer: Vec<u8>,
    buffer_start: u64,
}

impl BlobSource {
    /// A source over the blob, positioned at its start.
    pub fn new(blob: Blob) -> Result<Self, JsValue> {
        let length = blob.size() as u64;
        Ok(Self { blob, reader: FileReaderSync::new()?, length, position: 0, buffer: Vec::new(), buffer_start: 0 })
    }

    fn slice(&self, start: u64, end: u64) -> io::Result<Uint8Array> {
        let slice = self.blob.slice_with_f64_and_f64(start as f64, end as f64).map_err(unreadable)?;
        let buffer = self.reader.read_as_array_buffer(&slice).map_err(unreadable)?;
        let bytes = Uint8Array::new(&buffer);
        if u64::from(bytes.length()) != end - start {
            return Err(io::Error::other("The file changed while it was being read. Drop it again."));
        }
        Ok(bytes)
    }
}

fn unreadable(error: JsValue) -> io::Error {
    let name = error.dyn_ref::<js_sys::Error>().map(|e| String::from(e.name())).unwrap_or_default();
    let tail = if name.is_empty() { String::new() } else { format!(" ({name})") };
    io::Error::other(format!("The browser can no longer read this file{tail}. It was moved or changed: drop it again."))
}

impl Read for BlobSource {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.position);
        let wanted = left.min(target.len() as u64);
        if wanted == 0 {
            return Ok(0);
        }
        if wanted >= BUFFER_BYTES {
            let count = wanted.min(16 << 20);
            let bytes = self.slice(self.position, self.position + count)?;
            bytes.copy_to(&mut target[..count as usize]);
            self.position += count;
            return Ok(count as usize);
        }
        let buffered = self.buffer_start..self.buffer_start + self.buffer.len() as u64;
        if !buffered.contains(&self.position) {
            let end = (self.position + BUFFER_BYTES).min(self.length);
            self.buffer = self.slice(self.position, end)?.to_vec();
            self.buffer_start = self.position;
        }
        let from = (self.position - self.buffer_start) as usize;
        let count = (self.buffer.len() - from).min(wanted as usize);
        target[..count].copy_from_slice(&self.buffer[from..from + count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for BlobSource {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}
