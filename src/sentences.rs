//! What errors say to the page's visitors: a sentence is a stable id with named values.
//!
//! The English text is here and nowhere else; every other language has a table of the page
//! (`www/strings/`), which is given the id and the values. `tests/sentences.rs` keeps the list that the page's tables are
//! held against, and that whole kinds of errors are said this way.

use std::fmt;

use crate::error::Code;

/// What varies in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number, written as the reader's language writes it.
    Number(u64),
    /// A name from a file or a class, as it is.
    Text(String),
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A name that English says with its article, such as "an EdgeConnect generator".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithArticle(
    /// The name alone.
    pub String,
);

impl fmt::Display for WithArticle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&article(&self.0))
    }
}

impl From<WithArticle> for Value {
    fn from(name: WithArticle) -> Self {
        Self::Text(name.0)
    }
}

/// The name with its article.
pub fn article(name: &str) -> String {
    let vowel = name.starts_with(['A', 'E', 'I', 'O', 'U', 'a', 'e', 'i', 'o', 'u']);
    format!("{} {name}", if vowel { "an" } else { "a" })
}

/// A sentence as the page's tables know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its stable id, such as `mask-turned`.
    pub id: &'static str,
    /// The error that it belongs to.
    pub code: Code,
    /// The English text, with the names of its values in braces.
    pub english: &'static str,
    /// The names of its values.
    pub names: &'static [&'static str],
}

macro_rules! sentences {
    ($($name:ident { $($value:ident: $kind:ty),* } of $code:ident = $id:literal, $english:literal;)*) => {
        /// A sentence with its values.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Sentence {
            $(#[doc = $english] $name { $(#[doc = concat!("`{", stringify!($value), "}`")] $value: $kind),* },)*
        }

        impl Sentence {
            /// Every sentence, for tests and for the page's tables.
            pub const ALL: &'static [Entry] = &[
                $(Entry { id: $id, code: Code::$code, english: $english, names: &[$(stringify!($value)),*] },)*
            ];

            /// Its stable id.
            pub fn id(&self) -> &'static str {
                match self { $(Self::$name { .. } => $id,)* }
            }

            /// The error that it belongs to.
            pub fn code(&self) -> Code {
                match self { $(Self::$name { .. } => Code::$code,)* }
            }

            /// What it says in English.
            pub fn english(&self) -> String {
                match self { $(Self::$name { $($value),* } => format!($english, $($value = $value),*),)* }
            }

            /// Its values by name.
            pub fn values(&self) -> Vec<(&'static str, Value)> {
                match self { $(Self::$name { $($value),* } => vec![$((stringify!($value), $value.clone().into())),*],)* }
            }
        }
    };
}

sentences! {
    // Pictures that are none, or none that is read here
    PictureIsEmpty {} of ImageFormat = "picture-is-empty", "This is an empty file. Open a PNG, JPEG or WebP picture.";
    PictureIsGif {} of ImageFormat = "picture-is-gif", "This is a GIF picture. Open a PNG, JPEG or WebP picture.";
    PictureIsAvif {} of ImageFormat = "picture-is-avif", "This is an AVIF or HEIC picture, or a video. Open a PNG, JPEG or WebP picture.";
    PictureIsBmp {} of ImageFormat = "picture-is-bmp", "This is a BMP picture. Open a PNG, JPEG or WebP picture.";
    PictureIsTiff {} of ImageFormat = "picture-is-tiff", "This is a TIFF picture. Open a PNG, JPEG or WebP picture.";
    PictureIsPdf {} of ImageFormat = "picture-is-pdf", "This is a PDF. Open a PNG, JPEG or WebP picture.";
    PictureIsMarkup {} of ImageFormat = "picture-is-markup", "This is an SVG drawing or a web page. Open a PNG, JPEG or WebP picture.";
    PictureIsArchive {} of ImageFormat = "picture-is-archive", "This is an archive or a checkpoint. Open a PNG, JPEG or WebP picture.";
    PictureIsUnknown {} of ImageFormat = "picture-is-unknown", "This is no picture that infill knows. Open a PNG, JPEG or WebP picture.";
    PictureUnread {} of ImageFormat = "picture-unread", "This kind of picture is not read. Save it as a PNG or JPEG of 8 bits a channel.";
    JpegArithmetic {} of ImageFormat = "jpeg-arithmetic", "This is a JPEG with arithmetic coding, which few programs read. Save it as an ordinary JPEG or PNG.";
    JpegProcess {} of ImageFormat = "jpeg-process", "This is a lossless or hierarchical JPEG, which few programs read. Save it as an ordinary JPEG or PNG.";
    JpegPrecision {} of ImageFormat = "jpeg-precision", "This is a JPEG of more than 8 bits a channel. Save it as a PNG, or as a JPEG of 8 bits.";
    JpegCmyk {} of ImageFormat = "jpeg-cmyk", "This is a CMYK JPEG. Save it as an RGB JPEG or PNG, or open it in the page, where the browser converts it.";

    // Pictures that are damaged
    PictureDamaged {} of ImageCorrupt = "picture-damaged", "The picture is damaged, and nothing of it can be decoded. Copy or export it again.";
    PicturePalette {} of ImageCorrupt = "picture-palette", "The picture is damaged: its palette is no list of 1 to 256 colours. Copy or export it again.";
    PictureCutOff {} of ImageCorrupt = "picture-cut-off", "The picture is damaged: a part of it ends beyond the end of the file, so the file is cut off. Copy or export it again.";
    MaskDamaged {} of ImageCorrupt = "mask-damaged", "The mask is damaged or cut off, so a part of it is unknown. Copy or export it again.";
    EdgesDamaged {} of ImageCorrupt = "edges-damaged", "The edge map is damaged or cut off, so a part of it is unknown. Copy or export it again.";

    // Pictures that are too large
    PictureFile { bytes: u64, most: u64 } of ImageLimit = "picture-file", "The picture's file has {bytes} bytes; infill opens up to {most}.";
    PicturePixels { width: u64, height: u64, megapixels: u64, side: u64 } of ImageLimit = "picture-pixels", "The picture claims {width} x {height} pixels; infill opens up to {megapixels} megapixels and sides up to {side}.";
    PictureTooShort { width: u64, height: u64, bytes: u64 } of ImageLimit = "picture-too-short", "The picture claims {width} x {height} pixels; a file of {bytes} bytes cannot hold them.";
    PictureMemory {} of ImageLimit = "picture-memory", "The picture needs more memory than infill allows.";
    PictureFrame {} of ImageLimit = "picture-frame", "The picture holds a frame that is larger than infill opens.";
    SavedSide { side: u64 } of ImageLimit = "saved-side", "infill saves sides up to {side} pixels.";
    SavedWebp { side: u64 } of ImageLimit = "saved-webp", "A WebP has sides of at most {side} pixels. Save the photo as a PNG.";

    // Masks
    MaskSize { width: u64, height: u64, photo_width: u64, photo_height: u64 } of MaskSize = "mask-size", "The mask has {width} x {height} pixels, but the photo has {photo_width} x {photo_height}. Save the mask at the photo's size.";
    MaskTurned { width: u64, height: u64, photo_width: u64, photo_height: u64 } of MaskSize = "mask-turned", "The mask has {width} x {height} pixels, but the photo has {photo_width} x {photo_height}. A quarter turn would make it fit: infill opens photos upright, as their EXIF orientation says. Turn the mask, or make it from the upright photo.";
    MaskLength { pixels: u64, width: u64, height: u64 } of MaskSize = "mask-length", "The mask has {pixels} pixels instead of {width} x {height}.";
    EdgesSize { width: u64, height: u64, photo_width: u64, photo_height: u64 } of MaskSize = "edges-size", "The edge map has {width} x {height} pixels, but the photo has {photo_width} x {photo_height}. Save the edge map at the photo's size.";
    EdgesTurned { width: u64, height: u64, photo_width: u64, photo_height: u64 } of MaskSize = "edges-turned", "The edge map has {width} x {height} pixels, but the photo has {photo_width} x {photo_height}. A quarter turn would make it fit: infill opens photos upright, as their EXIF orientation says. Turn the edge map, or make it from the upright photo.";
    EdgesLength { width: u64, height: u64 } of MaskSize = "edges-length", "The edges must have the photo's {width} x {height} pixels.";
    MaskEmpty {} of MaskEmpty = "mask-empty", "Nothing is masked. Paint over what should go.";
    MaskFull {} of MaskFull = "mask-full", "Everything is masked, so there is nothing to continue. Leave some of the photo.";
    HoleSurrounded {} of MaskFull = "hole-surrounded", "Nothing around this hole is known. Leave some of the photo.";

    // Runs
    Cancelled {} of Cancelled = "cancelled", "Cancelled.";
    RunMemory { need: u64, room: u64 } of OutOfMemory = "run-memory", "This run needs {need} MB, and there is room for {room} MB. Choose a smaller size for the network.";
    RunMemoryLargest { need: u64, room: u64, side: u64 } of OutOfMemory = "run-memory-largest", "This run needs {need} MB, and there is room for {room} MB. Choose a smaller size for the network. The largest that fits is {side} pixels.";
    SizeMemoryLargest { side: u64 } of OutOfMemory = "size-memory-largest", "There is not enough memory for this size of the network. The largest that fits is {side} pixels.";
    RunMemoryUncounted { room: u64 } of OutOfMemory = "run-memory-uncounted", "This run needs more memory than can be counted, and there is room for {room} MB. Choose a smaller size for the network.";
    RunMemoryRefused {} of OutOfMemory = "run-memory-refused", "There is not enough memory. Choose a smaller size for the network.";
    LayerMemory { layer: String, op: String, shape: String } of OutOfMemory = "layer-memory", "{layer} ({op}): its output of shape {shape} cannot be held in memory. Choose a smaller size for the network.";
    WeightsMemory { bytes: u64 } of OutOfMemory = "weights-memory", "There is not enough memory for {bytes} bytes of weights. Close other tabs or programs.";
    OutputNotFinite {} of WeightsNotFinite = "output-not-finite", "The network's output is not finite, so there is nothing to show. Its weights or value range are wrong.";
    WeightNotFinite { key: String, value: String, position: u64 } of WeightsNotFinite = "weight-not-finite", "{key} holds {value} at position {position}, so the network would only give garbage. The training diverged: take an earlier checkpoint.";

    // Weights that cannot be read, or do not fit
    CheckpointCutOff {} of CheckpointTruncated = "checkpoint-cut-off", "The file is cut off. Copy or download it again.";
    WeightsOfAnother { found: WithArticle, wanted: WithArticle, id: String, class: String } of ModelMismatch = "weights-of-another", "This is {found}, not {wanted}. Load it as {id}, or use the class {class} in your code.";
    WeightsByPosition { count: u64, name: String } of ModelMismatch = "weights-by-position", "All {count} shapes are those of {name}, in its order, under other names. Load it by position (on the command line, --by-position), or rename the keys.";
    WeightsMisfit { name: String } of ModelMismatch = "weights-misfit", "These weights do not fit {name}.";
    WeightsMisfitWidth { name: String, width: u64 } of ModelMismatch = "weights-misfit-width", "These weights do not fit {name} (base width {width}).";
    WeightsInNoOrder {} of ModelMismatch = "weights-in-no-order", "These weights do not have a known network's shapes in its order, so they cannot be mapped by position.";
    ClassMisfit { class: String } of ModelMismatch = "class-misfit", "These weights do not fit the class {class}.";
    ClassNoPicture { class: String, shape: String } of ModelMismatch = "class-no-picture", "{class} gives {shape}, which is no picture, so it cannot fill.";
    ClassScores { class: String } of ModelMismatch = "class-scores", "{class} scores pictures, and does not paint. Paste the generator's class.";
    KeyMissing { key: String } of ModelMismatch = "key-missing", "{key} is missing.";
    KeySpectral { key: String, weight: String } of ModelMismatch = "key-spectral", "{key}: weight_u and weight_v do not fit {weight}.";
    KeyWeightNorm { key: String } of ModelMismatch = "key-weight-norm", "{key}: weight_g does not fit weight_v.";
    KeyNoTensor { key: String } of ModelMismatch = "key-no-tensor", "{key}: it is no single tensor.";
    KeyNoNumber { key: String } of ModelMismatch = "key-no-number", "{key}: its factor is no single number.";

    // Networks of another kind than is asked for
    PainterMissing { names: String } of ModelMismatch = "painter-missing", "{names} does not paint pictures by itself. Load a generator.";
    PartnerMissing { names: String, partner: String } of ModelMismatch = "partner-missing", "{names} does not paint pictures by itself. Load {partner} too.";
    NothingPaints {} of ModelMismatch = "nothing-paints", "No network here paints.";
    NothingTakesEdges {} of ModelMismatch = "nothing-takes-edges", "No network here takes edges.";
    NothingScores {} of ModelMismatch = "nothing-scores", "There is no discriminator in this file.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn ids_are_unique_and_kebab_case() {
        let mut seen = std::collections::HashSet::new();
        for Entry { id, .. } in Sentence::ALL {
            assert!(seen.insert(id), "{id} twice");
            assert!(id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{id}");
        }
    }

    #[test]
    fn an_error_keeps_its_sentence_with_its_values() {
        let sentence = Sentence::PictureTooShort { width: 30_000, height: 2, bytes: 70 };
        let error = Error::said(sentence.clone()).in_file("a.png");
        assert_eq!(error.code, Code::ImageLimit);
        assert_eq!(error.message, "a.png: The picture claims 30000 x 2 pixels; a file of 70 bytes cannot hold them.");
        assert_eq!(error.sentence.as_deref(), Some(&sentence));
        assert_eq!(sentence.values(), [("width", 30_000.into()), ("height", 2.into()), ("bytes", 70.into())]);
    }
}
