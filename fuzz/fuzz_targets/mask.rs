//! Any bytes, read as a mask in every way that a mask can be read, and as an edge map.
#![no_main]
use arbitrary::Arbitrary;
use infill::pipeline::{self, MaskChannel, MaskOptions};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    grow: u16,
    channel: u8,
    bytes: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    // Its own size where it opens, so that more than the size is checked.
    let size = match pipeline::decode_photo(input.bytes) {
        Ok(photo) if photo.width * photo.height <= 1 << 18 => (photo.width, photo.height),
        Ok(_) => return,
        Err(_) => (8, 8),
    };
    let _ = pipeline::decode_edges(input.bytes, size.0, size.1);
    let channel = MaskChannel::parse(MaskChannel::WORDS[usize::from(input.channel) % MaskChannel::WORDS.len()]);
    let read = |is_inverted| pipeline::read_mask(input.bytes, size, MaskOptions { channel, is_inverted });
    match (read(false), read(true)) {
        (Ok(plain), Ok(inverted)) => {
            let pairs = plain.mask.holes.iter().zip(&inverted.mask.holes);
            assert!(pairs.clone().all(|(a, b)| (*a == 0 && *b == 255) || (*a == 255 && *b == 0)));
            assert!((0.0..=1.0).contains(&plain.share));
            let mut grown = plain.mask.clone();
            grown.grow(u32::from(input.grow) % 1025);
            assert!(grown.holes.iter().zip(&plain.mask.holes).all(|(after, before)| after >= before));
            let saved = pipeline::encode_mask(&plain.mask).expect("a mask can be saved");
            let again = pipeline::decode_mask(&saved, size.0, size.1).expect("and opened");
            assert!(again.holes == plain.mask.holes, "saving changed the mask");
        }
        (plain, inverted) => assert_eq!(plain.map(drop).map_err(|e| e.code), inverted.map(drop).map_err(|e| e.code)),
    }
});
