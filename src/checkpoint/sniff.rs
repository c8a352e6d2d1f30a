//! What a file is, by its bytes and never by its name.

use super::bytes::{BoundedReader, fail};
use super::{Container, Source, foreign};
use crate::error::{Code, Error, Result};

const LEGACY: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";

/// The container, or an error that says what the file is instead; `name` stands in the lines of Python that make a
/// checkpoint of it.
pub fn container<S: Source + ?Sized>(file: &mut BoundedReader<S>, name: &str) -> Result<Container> {
    let head = file.bytes(0, file.length().min(foreign::HEAD_BYTES) as usize)?;
    match &head[..] {
        // First, because the length of a header may read as the beginning of anything, such as ` <` or `PK`. Its upper
        // half is zero below 4 GB, and `{` does not follow four zeros where another format begins.
        bytes if bytes.len() >= 9 && bytes[8] == b'{' && bytes[4..8] == [0; 4] => Ok(Container::Safetensors),
        bytes if is_onnx(bytes) => Ok(Container::Onnx),
        [] => fail(Code::CheckpointFormat, "The file is empty. Copy or download it again."),
        bytes if bytes.starts_with(b"PK\x03\x04") => Ok(Container::Zip),
        // An archive without entries, or the end of one.
        bytes if bytes.starts_with(b"PK") => {
            fail(Code::CheckpointNotWeights, "This is no checkpoint but an empty or split zip archive.")
        }
        // Other protocols write the same magic number with another PROTO byte or as decimal text.
        bytes if bytes.starts_with(LEGACY) || legacy(bytes) => Ok(Container::Legacy),
        bytes if bytes.get(257..262) == Some(b"ustar") => Ok(Container::Tar),
        bytes if bytes.len() >= 9 && bytes[7] == 0x80 && bytes[..7] == [0; 7] => Ok(Container::Safetensors),
        bytes if bytes.len() >= 2 && bytes[0] == 0x80 && bytes[1] <= 5 => Err(foreign::pickle(file, name)?),
        bytes => match foreign::by_head(file, bytes)? {
            Some(error) => Err(error),
            None if bytes.len() >= 9 && bytes[8] == b'{' => Ok(Container::Safetensors),
            None => Err(foreign::bare_numbers(bytes, file.length()).unwrap_or_else(unknown)),
        },
    }
}

fn unknown() -> Error {
    let text = "This is no checkpoint that infill knows: neither zip nor legacy PyTorch, nor safetensors, nor ONNX.";
    Error::new(Code::CheckpointFormat, text)
}

/// Whether this begins as ONNX does: field 1 (`ir_version`), a small number, which is 3 and more since anybody writes it, and the field that follows it.
fn is_onnx(head: &[u8]) -> bool {
    const NEXT: [u8; 8] = [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72];
    matches!(head, [0x08, 3..=32, next, _, ..] if NEXT.contains(next))
}

/// The legacy magic number at the start, whatever protocol wrote it.
fn legacy(head: &[u8]) -> bool {
    const DECIMAL: &[u8] = b"L119547037146038801333356L";
    const NUMBER: &[u8] = LEGACY.split_at(4).1.split_at(10).0;
    let early = &head[..head.len().min(40)];
    early.windows(NUMBER.len()).any(|w| w == NUMBER) || early.windows(DECIMAL.len()).any(|w| w == DECIMAL)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_safetensors_header_of_any_length_is_one() {
        // Lengths whose bytes read as whitespace and `<`, `PK`, gzip, a pickle, and every other of two bytes.
        for length in (9..=u64::from(u16::MAX)).step_by(7).chain([15_392, 0x4b50, 0x8b1f, 0x0280, 0x3c_0a_0d, 0x3c]) {
            let bytes = [&length.to_le_bytes()[..], &b"{".repeat(40)].concat();
            let mut file = BoundedReader::new(std::io::Cursor::new(bytes)).unwrap();
            assert_eq!(container(&mut file, "x.pth").unwrap(), Container::Safetensors, "{length}");
        }
    }

    #[test]
    fn a_web_page_is_no_safetensors_whatever_stands_at_its_place() {
        let mut file =
            BoundedReader::new(std::io::Cursor::new(b"<script>{\"error\": \"sign in\"}</script>".to_vec())).unwrap();
        assert_eq!(container(&mut file, "x.pth").unwrap_err().code, Code::CheckpointNotWeights);
    }
}
