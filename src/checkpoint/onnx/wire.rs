//! Protobuf's wire format, read where it lies: fields of a message one after another, nothing held but a window of the file
//! ([encoding](https://protobuf.dev/programming-guides/encoding/)).

use super::super::Source;
use super::super::bytes::{BoundedReader, fail, truncated};
use crate::error::{Code, Result};
use crate::limits::{KEY_BYTES, NAME_BYTES, ONNX_FIELDS};

/// Bytes of the file that are held at a time.
const WINDOW_BYTES: usize = 1 << 16;
/// Bytes of the longest varint.
const VARINT_BYTES: u32 = 10;

/// A part of the file: what is left of a message, or a field's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub at: u64,
    /// Where it ends.
    pub end: u64,
}

impl Span {
    /// Bytes.
    pub fn length(self) -> u64 {
        self.end.saturating_sub(self.at)
    }
}

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 5.
    Fixed32(u32),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2: a message, a string, bytes, or packed numbers.
    Bytes(Span),
}

/// The file, read field by field.
pub struct Wire<'f, S: Source> {
    file: &'f mut BoundedReader<S>,
    /// Where the window begins.
    start: u64,
    window: Vec<u8>,
    /// Fields and packed numbers read so far.
    fields: u64,
    /// Bytes of text kept so far.
    text: usize,
}

/// `checkpoint-corrupt` with these words.
pub fn corrupt<T>(text: &str) -> Result<T> {
    fail(Code::CheckpointCorrupt, format!("The ONNX file is damaged: {text}."))
}

impl<'f, S: Source> Wire<'f, S> {
    /// Begins to read a file.
    pub fn new(file: &'f mut BoundedReader<S>) -> Self {
        Self { file, start: 0, window: Vec::new(), fields: 0, text: 0 }
    }

    /// The whole file as one message.
    pub fn whole(&self) -> Span {
        Span { at: 0, end: self.file.length() }
    }

    fn byte(&mut self, at: u64) -> Result<u8> {
        let held = at.checked_sub(self.start).and_then(|index| self.window.get(usize::try_from(index).ok()?));
        if let Some(byte) = held {
            return Ok(*byte);
        }
        let left = self.file.length().checked_sub(at).filter(|&left| left > 0).ok_or_else(truncated)?;
        self.window = self.file.bytes(at, left.min(WINDOW_BYTES as u64) as usize)?;
        self.start = at;
        self.window.first().copied().ok_or_else(truncated)
    }

    /// Bytes of a span, which the caller knows to be short.
    pub fn bytes(&mut self, span: Span) -> Result<Vec<u8>> {
        self.file.bytes(span.at, usize::try_from(span.length()).map_err(|_| truncated())?)
    }

    /// Counts what is read: a file of gigabytes may be nothing but fields of two bytes.
    fn count(&mut self) -> Result<()> {
        self.fields += 1;
        match self.fields <= ONNX_FIELDS {
            true => Ok(()),
            false => fail(Code::CheckpointLimit, format!("The ONNX file has more than {ONNX_FIELDS} fields.")),
        }
    }

    /// The varint that a span begins with; the span goes on behind it.
    pub fn varint(&mut self, span: &mut Span) -> Result<u64> {
        self.count()?;
        let mut value = 0u64;
        for index in 0..VARINT_BYTES {
            if span.at >= span.end {
                return if span.end >= self.file.length() { Err(truncated()) } else { corrupt("a number is cut off") };
            }
            let byte = self.byte(span.at)?;
            span.at += 1;
            value |= u64::from(byte & 0x7f).checked_shl(7 * index).unwrap_or(0);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        corrupt("a number has more than ten bytes")
    }

    fn fixed(&mut self, span: &mut Span, count: u64) -> Result<u64> {
        let part = self.part(span, count)?;
        let mut raw = [0; 8];
        for (index, target) in raw.iter_mut().take(count as usize).enumerate() {
            *target = self.byte(part.at + index as u64)?;
        }
        Ok(u64::from_le_bytes(raw))
    }

    /// The next `count` bytes of a span.
    fn part(&mut self, span: &mut Span, count: u64) -> Result<Span> {
        let end = span.at.checked_add(count).filter(|&end| end <= self.file.length()).ok_or_else(truncated)?;
        if end > span.end {
            return corrupt("a part reaches past the one that holds it");
        }
        let part = Span { at: span.at, end };
        span.at = end;
        Ok(part)
    }

    /// The next field of a message: its number and value; `None` at the message's end.
    pub fn field(&mut self, span: &mut Span) -> Result<Option<(u64, Field)>> {
        if span.at >= span.end {
            return Ok(None);
        }
        let tag = self.varint(span)?;
        let value = match tag & 7 {
            0 => Field::Varint(self.varint(span)?),
            1 => Field::Fixed64(self.fixed(span, 8)?),
            2 => {
                let length = self.varint(span)?;
                Field::Bytes(self.part(span, length)?)
            }
            5 => Field::Fixed32(self.fixed(span, 4)? as u32),
            other => return corrupt(&format!("a field has the wire type {other}")),
        };
        match tag >> 3 {
            0 => corrupt("a field has the number 0"),
            number => Ok(Some((number, value))),
        }
    }

    /// A name. `checkpoint-limit` if it is too long, `checkpoint-corrupt` if it is no text.
    pub fn name(&mut self, field: Field) -> Result<String> {
        let Field::Bytes(span) = field else { return corrupt("a name is no text") };
        if span.length() > NAME_BYTES as u64 {
            let text = format!("A name has {} bytes; at most {NAME_BYTES} are read.", span.length());
            return fail(Code::CheckpointLimit, text);
        }
        self.text += span.length() as usize;
        if self.text > KEY_BYTES {
            return fail(Code::CheckpointLimit, format!("All names together have more than {KEY_BYTES} bytes."));
        }
        let bytes = self.bytes(span)?;
        String::from_utf8(bytes).or_else(|_| corrupt("a name is not UTF-8"))
    }
}

/// A message within a field. `checkpoint-corrupt` if it is none.
pub fn message(field: Field) -> Result<Span> {
    match field {
        Field::Bytes(span) => Ok(span),
        _ => corrupt("a number stands where a message should"),
    }
}

/// A whole number within a field.
pub fn number(field: Field) -> Result<i64> {
    match field {
        Field::Varint(value) => Ok(value as i64),
        _ => corrupt("something else stands where a whole number should"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn first(bytes: &[u8]) -> Result<Option<(u64, Field)>> {
        let mut file = BoundedReader::new(Cursor::new(bytes.to_vec())).unwrap();
        let mut wire = Wire::new(&mut file);
        let mut span = wire.whole();
        wire.field(&mut span)
    }

    #[test]
    fn fields_are_protobufs() {
        assert_eq!(first(&[0x08, 0x96, 0x01]).unwrap(), Some((1, Field::Varint(150))));
        assert_eq!(first(&[0x12, 2, 7, 8]).unwrap(), Some((2, Field::Bytes(Span { at: 2, end: 4 }))));
        assert_eq!(first(&[0x15, 0, 0, 0x80, 0x3f]).unwrap(), Some((2, Field::Fixed32(1.0f32.to_bits()))));
        let minus = [&[0x08][..], &[0xff; 9], &[0x01]].concat();
        assert_eq!(first(&minus).unwrap(), Some((1, Field::Varint(u64::MAX))));
        assert_eq!(first(&[]).unwrap(), None);
    }

    #[test]
    fn what_is_cut_off_or_no_protobuf_is_an_error() {
        for (bytes, code) in [
            (&[0x12, 200, 1][..], Code::CheckpointTruncated),
            (&[0x08, 0x80], Code::CheckpointTruncated),
            (&[0x08], Code::CheckpointTruncated),
            (&[0x15, 0, 0], Code::CheckpointTruncated),
            (&[0x0b, 0], Code::CheckpointCorrupt),
            (&[0x00, 0], Code::CheckpointCorrupt),
            (&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], Code::CheckpointCorrupt),
        ] {
            assert_eq!(first(bytes).unwrap_err().code, code, "{bytes:?}");
        }
    }
}
