//! Small reads from a [`Source`], bounded by the file's real length.

use std::io::{ErrorKind, SeekFrom};

use super::Source;
use crate::error::{Code, Error, Result};
use crate::sentences::Sentence;

/// An `Err` with this code and message.
pub fn fail<T>(code: Code, text: impl Into<String>) -> Result<T> {
    Err(Error::new(code, text))
}

/// The file ends before what it promises.
pub fn truncated() -> Error {
    Error::said(Sentence::CheckpointCutOff {})
}

/// What the operating system or the browser says of a checkpoint: a file that ends early is cut off.
pub fn unreadable(error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => truncated(),
        _ => Error::new(Code::Io, format!("The file cannot be read: {error}. Open it again.")),
    }
}

/// An allocation of this many bytes was refused.
pub fn out_of_memory(bytes: u64) -> Error {
    Error::said(Sentence::WeightsMemory { bytes })
}

/// A source with its length.
pub struct BoundedReader<S: ?Sized> {
    length: u64,
    source: S,
}

impl<S: Source> BoundedReader<S> {
    /// Asks the source for its length.
    pub fn new(mut source: S) -> Result<Self> {
        let length = source.seek(SeekFrom::End(0)).map_err(unreadable)?;
        Ok(Self { length, source })
    }
}

impl<S: Source + ?Sized> BoundedReader<S> {
    /// Length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Fills `target` from `offset`; `checkpoint-truncated` if the file ends before.
    pub fn read_at(&mut self, offset: u64, target: &mut [u8]) -> Result<()> {
        if offset.checked_add(target.len() as u64).is_none_or(|end| end > self.length) {
            return Err(truncated());
        }
        self.source.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
        self.source.read_exact(target).map_err(unreadable)
    }

    /// The source itself, for readers that keep their own position.
    pub fn source(&mut self) -> &mut S {
        &mut self.source
    }

    /// `count` bytes from `offset`; nothing is allocated beyond the file's end.
    pub fn bytes(&mut self, offset: u64, count: usize) -> Result<Vec<u8>> {
        if offset.checked_add(count as u64).is_none_or(|end| end > self.length) {
            return Err(truncated());
        }
        let mut bytes = vec![0; count];
        self.read_at(offset, &mut bytes)?;
        Ok(bytes)
    }
}

/// Little-endian integers of a buffer; `None` past its end.
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// As [`u16_at`].
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// As [`u16_at`].
pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Has 100 bytes, as it says, until it is read.
    struct Changed(ErrorKind);

    impl Read for Changed {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::from(self.0))
        }
    }

    impl Seek for Changed {
        fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
            Ok(100)
        }
    }

    #[test]
    fn a_file_that_ends_early_is_cut_off_and_one_that_is_gone_cannot_be_read() {
        for (kind, code) in [
            (ErrorKind::UnexpectedEof, Code::CheckpointTruncated),
            (ErrorKind::NotFound, Code::Io),
            (ErrorKind::PermissionDenied, Code::Io),
        ] {
            let mut file = BoundedReader::new(Changed(kind)).unwrap();
            assert_eq!(file.bytes(0, 8).unwrap_err().code, code, "{kind}");
        }
    }
}
