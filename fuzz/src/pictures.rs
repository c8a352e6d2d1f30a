//! Files that may be pictures.

use infill::pipeline;

/// Pictures larger than this are decoded, but not encoded again.
const MOST_PIXELS: usize = 1 << 18;

/// Decodes a picture; one that opens comes back the same once it was saved.
pub fn everything(bytes: &[u8]) {
    let _ = pipeline::check_picture_head(bytes);
    let Ok(photo) = pipeline::decode_photo(bytes) else { return };
    assert_eq!(photo.rgba.len(), photo.width * photo.height * 4);
    if photo.width * photo.height > MOST_PIXELS {
        return;
    }
    let saved = pipeline::encode_photo(&photo).expect("a photo that opened can be saved");
    let again = pipeline::decode_photo(&saved).expect("a photo that was saved can be opened");
    assert_eq!((again.width, again.height), (photo.width, photo.height));
    assert!(again.rgba == photo.rgba, "saving changed pixels");
    assert_eq!(again.icc, photo.icc);
}
