//! EXIF (a TIFF structure), edited where it lies: nothing is moved, so that offsets which only the camera's maker knows stay
//! right.

use std::ops::Range;

use super::Edit;
use crate::limits::MAX_IFD_ENTRIES;

const IMAGE_WIDTH: u16 = 0x100;
const IMAGE_LENGTH: u16 = 0x101;
const STRIP_OFFSETS: u16 = 0x111;
const ORIENTATION: u16 = 0x112;
const STRIP_BYTE_COUNTS: u16 = 0x117;
const THUMBNAIL_OFFSET: u16 = 0x201;
const THUMBNAIL_LENGTH: u16 = 0x202;
const EXIF_IFD: u16 = 0x8769;
const GPS_IFD: u16 = 0x8825;
/// The one tag of GPS that every such IFD has, place or none: its version.
const GPS_VERSION: u16 = 0;
const MAKER_NOTE: u16 = 0x927c;
const PIXEL_X: u16 = 0xa002;
const PIXEL_Y: u16 = 0xa003;

/// Bytes of one entry of an IFD.
const ENTRY: usize = 12;
/// Most IFDs that follow each other; cameras write two.
const MAX_CHAIN: usize = 8;

/// Edits a block of EXIF, which begins with TIFF's header; `None` if it is none.
///
/// The thumbnail goes, and so does every other JPEG inside, because they show what the photo showed before. Without the
/// place, GPS goes, and so does the maker's note: cameras write places there too, each in a way of its own.
pub fn edit(mut bytes: Vec<u8>, edit: &Edit) -> Option<Vec<u8>> {
    let mut tiff = Tiff::new(&mut bytes)?;
    let first = tiff.u32(4)? as usize;
    let count = usize::from(tiff.u16(first)?);
    // Whatever lies about its place must not wipe out what the rest depends on.
    let kept = first..first + 2 + count.min(MAX_IFD_ENTRIES) * ENTRY + 4;
    tiff.drop_thumbnails(&kept);
    tiff.drop_jpegs(&kept);
    if let Some(orientation) = edit.orientation {
        tiff.set(first, ORIENTATION, u32::from(orientation));
    }
    let details = tiff.value(first, EXIF_IFD).map(|at| at as usize);
    if let Some((width, height)) = edit.size {
        tiff.set(first, IMAGE_WIDTH, width);
        tiff.set(first, IMAGE_LENGTH, height);
        if let Some(details) = details {
            tiff.set(details, PIXEL_X, width);
            tiff.set(details, PIXEL_Y, height);
        }
    }
    if edit.without_place {
        for ifd in [Some(first), details].into_iter().flatten() {
            tiff.drop_ifd(ifd, GPS_IFD, &kept);
            tiff.remove(ifd, MAKER_NOTE, &kept);
        }
    }
    Some(bytes)
}

/// Whether a block of EXIF tells where the photo was taken, in tags that everybody reads.
pub fn has_place(bytes: &[u8]) -> bool {
    let mut bytes = bytes.to_vec();
    let Some(tiff) = Tiff::new(&mut bytes) else { return false };
    let Some(first) = tiff.u32(4).map(|at| at as usize) else { return false };
    let details = tiff.value(first, EXIF_IFD).map(|at| at as usize);
    let places = [Some(first), details].into_iter().flatten().filter_map(|ifd| tiff.value(ifd, GPS_IFD));
    places.map(|at| at as usize).any(|ifd| tiff.entries(ifd).iter().any(|entry| entry.tag != GPS_VERSION))
}

/// Bytes up to the end marker of the JPEG that begins here, past those of the thumbnails inside it.
fn jpeg_length(bytes: &[u8]) -> usize {
    let mut depth = 0;
    for (at, pair) in bytes.windows(2).enumerate() {
        match pair {
            [0xff, 0xd8] => depth += 1,
            [0xff, 0xd9] if depth == 1 => return at + 2,
            [0xff, 0xd9] => depth -= 1,
            _ => {}
        }
    }
    bytes.len()
}

struct Tiff<'a> {
    bytes: &'a mut Vec<u8>,
    is_big_endian: bool,
}

/// One tag of an IFD, and where it lies.
struct Entry {
    at: usize,
    tag: u16,
    kind: u16,
    count: u32,
}

impl<'a> Tiff<'a> {
    fn new(bytes: &'a mut Vec<u8>) -> Option<Self> {
        let is_big_endian = match bytes.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        Some(Self { bytes, is_big_endian })
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let pair = [*self.bytes.get(at)?, *self.bytes.get(at + 1)?];
        Some(if self.is_big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes: [u8; 4] = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(target) = self.bytes.get_mut(at..at + bytes.len()) {
            target.copy_from_slice(bytes);
        }
    }

    fn put_u16(&mut self, at: usize, value: u16) {
        let bytes = if self.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.put(at, &bytes);
    }

    fn put_u32(&mut self, at: usize, value: u32) {
        let bytes = if self.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.put(at, &bytes);
    }

    /// The tags of an IFD, as far as they lie within the block.
    fn entries(&self, ifd: usize) -> Vec<Entry> {
        let count = usize::from(self.u16(ifd).unwrap_or(0)).min(MAX_IFD_ENTRIES);
        let entry = |index: usize| {
            let at = ifd + 2 + index * ENTRY;
            Some(Entry { at, tag: self.u16(at)?, kind: self.u16(at + 2)?, count: self.u32(at + 4)? })
                .filter(|entry| entry.at + ENTRY <= self.bytes.len())
        };
        (0..count).map_while(entry).collect()
    }

    fn entry(&self, ifd: usize, tag: u16) -> Option<Entry> {
        self.entries(ifd).into_iter().find(|entry| entry.tag == tag)
    }

    /// Where a tag's values lie, if not in its entry; within the block.
    fn outside(&self, entry: &Entry) -> Option<Range<usize>> {
        let size = match entry.kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 => 8,
            _ => return None,
        };
        let length = usize::try_from(entry.count).ok()?.checked_mul(size)?;
        if length <= 4 {
            return None;
        }
        let start = self.u32(entry.at + 8)? as usize;
        let end = start.checked_add(length)?;
        (end <= self.bytes.len()).then_some(start..end)
    }

    /// A tag's number: one SHORT or LONG.
    fn value(&self, ifd: usize, tag: u16) -> Option<u32> {
        let entry = self.entry(ifd, tag).filter(|entry| entry.count == 1)?;
        match entry.kind {
            3 => self.u16(entry.at + 8).map(u32::from),
            4 | 13 => self.u32(entry.at + 8),
            _ => None,
        }
    }

    /// Sets a tag that is there and is one number.
    fn set(&mut self, ifd: usize, tag: u16, value: u32) {
        let Some(entry) = self.entry(ifd, tag).filter(|entry| entry.count == 1) else { return };
        match (entry.kind, u16::try_from(value)) {
            (3, Ok(value)) => self.put_u16(entry.at + 8, value),
            (4, _) => self.put_u32(entry.at + 8, value),
            _ => {}
        }
    }

    /// Overwrites with zeros, unless that would touch the header or what is to be kept.
    fn blank(&mut self, range: Range<usize>, kept: &Range<usize>) {
        let end = range.end.min(self.bytes.len());
        let touches = range.start < kept.end && kept.start < end;
        if range.start >= 8 && range.start < end && !touches {
            self.bytes[range.start..end].fill(0);
        }
    }

    /// Overwrites an IFD and the values of its tags.
    fn blank_ifd(&mut self, ifd: usize, kept: &Range<usize>) {
        let entries = self.entries(ifd);
        for entry in &entries {
            if let Some(range) = self.outside(entry) {
                self.blank(range, kept);
            }
        }
        let end = ifd.saturating_add(2 + entries.len() * ENTRY + 4);
        self.blank(ifd..end, kept);
    }

    /// Drops the IFDs behind the first one, and the thumbnails that they describe.
    fn drop_thumbnails(&mut self, kept: &Range<usize>) {
        let link = kept.end - 4;
        let mut ifd = self.u32(link).unwrap_or(0) as usize;
        self.put_u32(link, 0);
        for _ in 0..MAX_CHAIN {
            if ifd == 0 {
                return;
            }
            for (offset, length) in [(THUMBNAIL_OFFSET, THUMBNAIL_LENGTH), (STRIP_OFFSETS, STRIP_BYTE_COUNTS)] {
                if let (Some(start), Some(length)) = (self.value(ifd, offset), self.value(ifd, length)) {
                    let start = start as usize;
                    self.blank(start..start.saturating_add(length as usize), kept);
                }
            }
            let count = self.entries(ifd).len();
            let next = self.u32(ifd.saturating_add(2 + count * ENTRY)).unwrap_or(0) as usize;
            self.blank_ifd(ifd, kept);
            ifd = next;
        }
    }

    /// Overwrites every JPEG within the block, such as the preview in a maker's note.
    fn drop_jpegs(&mut self, kept: &Range<usize>) {
        let mut at = 0;
        while let Some(found) = super::find_jpeg(&self.bytes[at..]) {
            let start = at + found;
            at = start + jpeg_length(&self.bytes[start..]);
            self.blank(start..at, kept);
        }
    }

    /// Drops a tag and the IFD that it points to.
    fn drop_ifd(&mut self, ifd: usize, tag: u16, kept: &Range<usize>) {
        if let Some(at) = self.value(ifd, tag) {
            self.blank_ifd(at as usize, kept);
        }
        self.remove(ifd, tag, kept);
    }

    /// Takes a tag out of its IFD, and overwrites its values.
    fn remove(&mut self, ifd: usize, tag: u16, kept: &Range<usize>) {
        let entries = self.entries(ifd);
        let Some(entry) = entries.iter().find(|entry| entry.tag == tag) else { return };
        if let Some(range) = self.outside(entry) {
            self.blank(range, kept);
        }
        // The tags behind it and the link to the next IFD move up.
        let end = (ifd + 2 + entries.len() * ENTRY + 4).min(self.bytes.len());
        if entry.at + ENTRY <= end {
            self.bytes.copy_within(entry.at + ENTRY..end, entry.at);
            self.bytes[end - ENTRY..end].fill(0);
            self.put_u16(ifd, entries.len() as u16 - 1);
        }
    }
}
