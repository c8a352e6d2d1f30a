//! The formats that photos are saved in.

/// A format that infill writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Format {
    Png,
    Jpeg,
    /// Without loss.
    WebP,
}

impl Format {
    /// Every ending of a file's name that means one of them.
    pub const ENDINGS: &[&str] = &["png", "jpg", "jpeg", "webp"];

    /// By a file name's ending, or by the last part of its media type.
    pub fn parse(ending: &str) -> Option<Self> {
        match ending.to_ascii_lowercase().as_str() {
            "png" => Some(Self::Png),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "webp" => Some(Self::WebP),
            _ => None,
        }
    }

    /// By a file's first bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            _ => None,
        }
    }

    /// The format to save in what was opened from this file: its own, or PNG where infill does not write that.
    pub fn like(source: Option<&[u8]>) -> Self {
        source.and_then(Self::of).unwrap_or(Self::Png)
    }

    /// The ending of its files' names.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::WebP => "webp",
        }
    }
}
