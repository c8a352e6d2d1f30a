//! What a photo's file tells beside its pixels: kept where it stays true, edited where it would not, whatever the format.

pub mod exif;
pub mod iptc;
pub mod xmp;

use crate::limits::MAX_METADATA_BYTES;

/// What has to change in the metadata of a photo that was edited. Thumbnails and previews go in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// The EXIF orientation to write, where one is given; `None` leaves it.
    pub orientation: Option<u16>,
    /// Width and height to write, where they are given; `None` leaves them.
    pub size: Option<(u32, u32)>,
    /// Leave out where the photo was taken.
    pub without_place: bool,
}

/// Resolution: pixels across and down for each unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Density {
    /// Pixels across.
    pub across: u32,
    /// Pixels down.
    pub down: u32,
    /// Pixels a metre; otherwise the two only give the pixels' shape.
    pub is_per_metre: bool,
}

/// Metadata that every format has a place for, except where a field says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// EXIF, from TIFF's header on.
    pub exif: Option<Vec<u8>>,
    /// XMP's packet.
    pub xmp: Option<Vec<u8>>,
    /// Photoshop's image resources, with IPTC-IIM. WebP has no place for them.
    pub resources: Option<Vec<u8>>,
    /// Resolution. WebP gives it in EXIF only.
    pub density: Option<Density>,
    /// A JPEG's comments, in an unknown encoding.
    pub comments: Vec<Vec<u8>>,
    /// PNG chunks that only PNG has: what its numbers mean as colours, and text.
    pub chunks: Vec<([u8; 4], Vec<u8>)>,
}

impl Metadata {
    /// Edits everything; what cannot be edited, or is longer than anyone writes, is dropped.
    pub fn edit(&mut self, edit: &Edit) {
        let is_short = |bytes: &Vec<u8>| (1..=MAX_METADATA_BYTES).contains(&bytes.len());
        self.exif = self.exif.take().filter(is_short).and_then(|exif| exif::edit(exif, edit));
        self.xmp = self.xmp.take().filter(is_short).and_then(|packet| xmp::edit(&packet, edit, false));
        self.resources = self.resources.take().filter(is_short).map(|resources| iptc::edit(&resources, edit));
        if edit.without_place {
            // As ImageMagick names EXIF's tags in text chunks.
            self.chunks.retain(|(_, data)| !data.starts_with(b"exif:GPS"));
        }
    }

    /// Whether it tells where the photo was taken.
    pub fn has_place(&self) -> bool {
        let edit = Edit { without_place: true, ..Edit::default() };
        let is_short = |bytes: &&Vec<u8>| bytes.len() <= MAX_METADATA_BYTES;
        // What goes with the place, and would stay otherwise, tells one.
        let in_xmp = |packet: &Vec<u8>| xmp::edit(packet, &edit, false) != xmp::edit(packet, &Edit::default(), false);
        let in_iptc = |resources: &Vec<u8>| {
            let edited = iptc::edit(resources, &edit);
            iptc::records(&edited) != iptc::records(resources)
        };
        self.exif.as_ref().filter(is_short).is_some_and(|exif| exif::has_place(exif))
            || self.xmp.as_ref().filter(is_short).is_some_and(in_xmp)
            || self.resources.as_ref().filter(is_short).is_some_and(in_iptc)
            || self.chunks.iter().any(|(_, data)| data.starts_with(b"exif:GPS"))
    }
}

/// Where a JPEG seems to begin: its start marker, and the first byte of the next one.
pub fn find_jpeg(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| {
        four[..3] == [0xff, 0xd8, 0xff] && matches!(four[3], 0xc0..=0xc4 | 0xdb | 0xdd | 0xe0..=0xef | 0xfe)
    })
}
