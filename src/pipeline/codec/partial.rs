//! What can be shown of a damaged picture: the rows that a decoder has written before it fails.

use image::{ColorType, DynamicImage, ImageBuffer, ImageDecoder, Pixel};

/// Decodes until the decoder fails; what is missing stays black, or clear where the picture has alpha. `None` if nothing
/// could be decoded.
///
/// 16 bits become 8, because a decoder that fails leaves them in the byte order of the file.
pub fn partial(decoder: Box<dyn ImageDecoder + '_>) -> Option<DynamicImage> {
    let ((width, height), color) = (decoder.dimensions(), decoder.color_type());
    let mut bytes = vec![0; usize::try_from(decoder.total_bytes()).ok()?];
    // That it fails is known; what it has written until then is what this is about.
    let _ = decoder.read_image_boxed(&mut bytes);
    if bytes.iter().all(|&byte| byte == 0) {
        return None;
    }
    if color.bytes_per_pixel() > color.channel_count() {
        bytes = bytes.into_iter().step_by(2).collect();
    }
    Some(match color {
        ColorType::L8 | ColorType::L16 => DynamicImage::ImageLuma8(buffer(width, height, bytes)?),
        ColorType::La8 | ColorType::La16 => DynamicImage::ImageLumaA8(buffer(width, height, bytes)?),
        ColorType::Rgb8 | ColorType::Rgb16 => DynamicImage::ImageRgb8(buffer(width, height, bytes)?),
        ColorType::Rgba8 | ColorType::Rgba16 => DynamicImage::ImageRgba8(buffer(width, height, bytes)?),
        _ => return None,
    })
}

fn buffer<P: Pixel<Subpixel = u8>>(width: u32, height: u32, bytes: Vec<u8>) -> Option<ImageBuffer<P, Vec<u8>>> {
    ImageBuffer::from_raw(width, height, bytes)
}
