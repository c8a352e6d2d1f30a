//! The one error type: a stable code, a sentence for a person, and the keys at fault.
//!
//! Each error says what happened, to which file or key, and what to do. It is made where the fault is
//! seen, travels unchanged, and is shown once: by the command line or by the page.

use std::fmt;

use crate::sentences::Sentence;

/// Result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What went wrong, as a code that scripts and the page's strings table may rely on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, for tests and for the page's table of strings.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The stable spelling, such as `checkpoint-truncated`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// Reading or writing a file failed in the operating system or the browser.
    Io = "io",
    /// The bytes are no checkpoint of any known container.
    CheckpointFormat = "checkpoint-format",
    /// The bytes are something else that people often save under a checkpoint's name (HTML, LFS pointer, archive).
    CheckpointNotWeights = "checkpoint-not-weights",
    /// The file ends before what it promises.
    CheckpointTruncated = "checkpoint-truncated",
    /// The container contradicts itself (CRC, offsets, overlapping entries).
    CheckpointCorrupt = "checkpoint-corrupt",
    /// A pickle does something a data file never does (bad opcode, wrong-typed argument).
    CheckpointPickle = "checkpoint-pickle",
    /// A cap of `limits.rs` is exceeded.
    CheckpointLimit = "checkpoint-limit",
    /// A tensor's dtype or layout is not supported (sparse, quantised, complex, float8).
    CheckpointDtype = "checkpoint-dtype",
    /// A tensor's description does not fit its storage.
    CheckpointTensor = "checkpoint-tensor",
    /// The file is readable but holds no tensor.
    CheckpointNoTensors = "checkpoint-no-tensors",
    /// A weight is NaN or infinite.
    WeightsNotFinite = "weights-not-finite",
    /// No known network has these keys.
    ModelUnknown = "model-unknown",
    /// A network is known, but keys are missing, unexpected or of another shape.
    ModelMismatch = "model-mismatch",
    /// The file holds several networks and none was chosen.
    ModelAmbiguous = "model-ambiguous",
    /// The network description itself is wrong (PyTorch would raise in the constructor).
    NetworkInvalid = "network-invalid",
    /// The input's shape does not suit the network.
    InputShape = "input-shape",
    /// The run was cancelled.
    Cancelled = "cancelled",
    /// The run would need more memory than there is.
    OutOfMemory = "out-of-memory",
    /// The bytes are no image that this crate decodes.
    ImageFormat = "image-format",
    /// The image is damaged.
    ImageCorrupt = "image-corrupt",
    /// The image exceeds a cap of `limits.rs`.
    ImageLimit = "image-limit",
    /// The mask's size is not the photo's.
    MaskSize = "mask-size",
    /// Nothing is masked.
    MaskEmpty = "mask-empty",
    /// Everything is masked, so that nothing is known.
    MaskFull = "mask-full",
    /// The command line, or a setting on the page, makes no sense.
    Usage = "usage",
    /// A fault of this program.
    Internal = "internal",
}

/// An error with a stable code, a message for people, and all keys at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of fault it is.
    pub code: Code,
    /// One or two sentences: what happened, to what, and what to do.
    pub message: String,
    /// Every state-dict key at fault, complete and in order; empty where no key is.
    pub keys: Vec<String>,
    /// What `message` says, for readers of other languages; not every error has it.
    pub sentence: Option<Box<Sentence>>,
}

impl Error {
    /// An error without keys.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), keys: Vec::new(), sentence: None }
    }

    /// The error that a sentence belongs to.
    pub fn said(sentence: Sentence) -> Self {
        let error = Self::new(sentence.code(), sentence.english());
        Self { sentence: Some(Box::new(sentence)), ..error }
    }

    /// The same error with further lines, which its sentence has not: keys and shapes, as PyTorch lists them.
    pub fn with_lines(mut self, lines: &[String]) -> Self {
        for line in lines {
            self.message.push('\n');
            self.message.push_str(line);
        }
        self
    }

    /// The same error, naming the keys at fault.
    pub fn with_keys(mut self, keys: Vec<String>) -> Self {
        self.keys = keys;
        self
    }

    /// The same error with the file's name in front, unless the message names it already.
    pub fn in_file(mut self, file: &str) -> Self {
        if !file.is_empty() && !self.message.contains(file) {
            self.message = format!("{file}: {}", self.message);
        }
        self
    }

    /// The object that `--json` and the worker's protocol carry: `{"error": {"code", "message", "keys"}}`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({"error": {"code": self.code.as_str(), "message": self.message, "keys": self.keys}})
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(any(not(target_arch = "wasm32"), feature = "reference"))]
impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Self::new(Code::Internal, format!("candle: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} twice");
            assert!(text.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{text}");
        }
    }

    #[test]
    fn a_file_is_named_once() {
        let error = Error::new(Code::Io, "gone").in_file("a.pth").in_file("a.pth");
        assert_eq!(error.to_string(), "a.pth: gone");
    }
}
