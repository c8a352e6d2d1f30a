//! The bytes of a pickle, read piecewise, so that no length in the file decides an allocation.

use std::io::SeekFrom;

use crate::checkpoint::Source;
use crate::checkpoint::bytes::{fail, truncated, unreadable};
use crate::error::{Code, Result};
use crate::limits::{PICKLE_BYTES, PICKLE_STRING_BYTES};

const BUFFER_BYTES: usize = 64 << 10;

/// A position in a file, with a buffer ahead of it. Whatever the file is, the code that reads it is there once.
pub struct Stream<'a> {
    source: &'a mut dyn Source,
    /// Offset in the file of the buffer's end.
    next: u64,
    end: u64,
    buffer: Vec<u8>,
    at: usize,
    read: u64,
    crc: crc32fast::Hasher,
}

impl<'a> Stream<'a> {
    /// A stream from `start` to `end` of the file.
    pub fn new(source: &'a mut dyn Source, start: u64, end: u64) -> Self {
        Self { source, next: start, end, buffer: Vec::new(), at: 0, read: 0, crc: crc32fast::Hasher::new() }
    }

    /// Where the next byte lies in the file.
    pub fn position(&self) -> u64 {
        self.next - (self.buffer.len() - self.at) as u64
    }

    fn fill(&mut self) -> Result<()> {
        let count = (self.end - self.next).min(BUFFER_BYTES as u64) as usize;
        if count == 0 {
            return Err(truncated());
        }
        self.buffer.resize(count, 0);
        self.source.seek(SeekFrom::Start(self.next)).map_err(unreadable)?;
        self.source.read_exact(&mut self.buffer).map_err(unreadable)?;
        self.crc.update(&self.buffer);
        self.next += count as u64;
        self.at = 0;
        self.read += count as u64;
        if self.read > PICKLE_BYTES + BUFFER_BYTES as u64 {
            return fail(Code::CheckpointLimit, format!("The pickle is longer than {PICKLE_BYTES} bytes."));
        }
        Ok(())
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8> {
        if self.at == self.buffer.len() {
            self.fill()?;
        }
        self.at += 1;
        Ok(self.buffer[self.at - 1])
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }

    /// The next `count` bytes, if a pickle of weights could hold so long a string.
    pub fn take(&mut self, count: u64) -> Result<Vec<u8>> {
        if count > PICKLE_STRING_BYTES as u64 {
            let text = format!("The pickle holds a string of {count} bytes; at most {PICKLE_STRING_BYTES} are read.");
            return fail(Code::CheckpointLimit, text);
        }
        if count > self.end - self.position() {
            return Err(truncated());
        }
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < count {
            if self.at == self.buffer.len() {
                self.fill()?;
            }
            let part = (self.buffer.len() - self.at).min(count as usize - bytes.len());
            bytes.extend_from_slice(&self.buffer[self.at..self.at + part]);
            self.at += part;
        }
        Ok(bytes)
    }

    /// Passes over the next `count` bytes: nothing of them is kept, so only the pickle's own cap counts.
    pub fn skip(&mut self, count: u64) -> Result<()> {
        if count > PICKLE_BYTES {
            let text = format!("The pickle holds {count} bytes in one piece; at most {PICKLE_BYTES} are read.");
            return fail(Code::CheckpointLimit, text);
        }
        if count > self.end - self.position() {
            return Err(truncated());
        }
        let mut left = count as usize;
        while left > 0 {
            if self.at == self.buffer.len() {
                self.fill()?;
            }
            let part = (self.buffer.len() - self.at).min(left);
            self.at += part;
            left -= part;
        }
        Ok(())
    }

    /// The CRC-32 of everything from start to end, whatever was read of it.
    pub fn crc(mut self) -> Result<u32> {
        while self.next < self.end {
            self.fill()?;
        }
        Ok(self.crc.finalize())
    }

    /// The bytes up to the next newline, which is dropped.
    pub fn line(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return Ok(bytes),
                byte if bytes.len() < PICKLE_STRING_BYTES => bytes.push(byte),
                _ => return fail(Code::CheckpointLimit, "The pickle holds a line that is too long."),
            }
        }
    }
}
