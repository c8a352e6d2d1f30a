//! Photoshop's image resources, which hold IPTC-IIM: a list of blocks, each with a number.

use super::Edit;

/// IPTC-IIM records.
const IIM: u16 = 0x0404;
/// MD5 of those records.
const IIM_DIGEST: u16 = 0x0425;
/// Thumbnails (old and new), and copies of EXIF and XMP, which are told elsewhere.
const DROPPED: [u16; 5] = [0x0409, 0x040c, 0x0422, 0x0423, 0x0424];
/// Data sets of record 2 that tell a place: content location, city, sublocation, state, country.
const PLACES: [u8; 7] = [26, 27, 90, 92, 95, 100, 101];

/// Edits image resources; what cannot be read ends them.
pub fn edit(resources: &[u8], edit: &Edit) -> Vec<u8> {
    let mut out = Vec::with_capacity(resources.len());
    let mut rest = resources;
    while let Some(Resource { id, head, data, after }) = next(rest) {
        rest = after;
        match id {
            id if DROPPED.contains(&id) => {}
            IIM_DIGEST if edit.without_place => {}
            IIM if edit.without_place => put(&mut out, head, &without_place(data)),
            _ => put(&mut out, head, data),
        }
    }
    out
}

/// IIM records alone, as one resource.
pub fn resource(records: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, b"8BIM\x04\x04\0\0", records);
    out
}

/// The IIM records among image resources.
pub fn records(resources: &[u8]) -> Option<&[u8]> {
    let mut rest = resources;
    while let Some(Resource { id, data, after, .. }) = next(rest) {
        if id == IIM {
            return Some(data);
        }
        rest = after;
    }
    None
}

/// One image resource.
struct Resource<'a> {
    id: u16,
    /// Everything before the length: signature, number, name.
    head: &'a [u8],
    data: &'a [u8],
    /// What follows it.
    after: &'a [u8],
}

fn next(bytes: &[u8]) -> Option<Resource<'_>> {
    let id = bytes.get(4..6).filter(|_| bytes.starts_with(b"8BIM"))?;
    let name = usize::from(*bytes.get(6)?);
    // Name and data are padded to even lengths.
    let (head, rest) = bytes.split_at_checked(6 + (name + 2) / 2 * 2)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length) as usize;
    let (data, after) = rest.split_at_checked(length)?;
    let id = u16::from_be_bytes([id[0], id[1]]);
    Some(Resource { id, head, data, after: after.get(length % 2..).unwrap_or_default() })
}

fn put(out: &mut Vec<u8>, head: &[u8], data: &[u8]) {
    out.extend(head);
    out.extend((data.len() as u32).to_be_bytes());
    out.extend(data);
    if data.len() % 2 == 1 {
        out.push(0);
    }
}

/// IIM records without those that tell a place; what cannot be read ends them.
fn without_place(records: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(records.len());
    let mut rest = records;
    while let &[0x1c, record, set, l1, l0, ..] = rest {
        let length = u16::from_be_bytes([l1, l0]);
        // A longer length follows in as many bytes as the low bits say; nothing that is kept has one.
        let Some(end) = 5usize.checked_add(usize::from(length)).filter(|&end| length < 0x8000 && end <= rest.len())
        else {
            return out;
        };
        if record != 2 || !PLACES.contains(&set) {
            out.extend(&rest[..end]);
        }
        rest = &rest[end..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn places_and_thumbnails_go_and_the_rest_stays() {
        let iim = b"\x1c\x02\x5a\0\x05Paris\x1c\x02\x78\0\x03abc";
        let mut resources = resource(iim);
        put(&mut resources, b"8BIM\x04\x0c\0\0", b"thumbnail");
        put(&mut resources, b"8BIM\x03\xed\x01x", b"dpi");
        let kept = edit(&resources, &Edit { without_place: true, ..Edit::default() });
        assert_eq!(records(&kept).unwrap(), b"\x1c\x02\x78\0\x03abc");
        assert!(!kept.windows(9).any(|part| part == b"thumbnail") && kept.ends_with(b"dpi\0"));
        assert_eq!(records(&edit(&resources, &Edit::default())).unwrap(), iim);
        for end in 0..resources.len() {
            edit(&resources[..end], &Edit { without_place: true, ..Edit::default() });
        }
    }
}
