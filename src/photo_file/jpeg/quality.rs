//! Quality as a number from 1 to 100: the scale of the Independent JPEG Group, which most programs mean by it.

use super::{BLOCK, ZIGZAG};

/// T.81, table K.1, row by row.
const LUMA: [u16; BLOCK] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
];
/// T.81, table K.2, row by row.
const CHROMA: [u16; BLOCK] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99,
];

/// The quantisation table of a quality, in zigzag order, for luma or chroma.
pub fn table(quality: u8, is_chroma: bool) -> [u16; BLOCK] {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    let base = if is_chroma { &CHROMA } else { &LUMA };
    ZIGZAG.map(|at| ((u32::from(base[usize::from(at)]) * percent + 50) / 100).clamp(1, 255) as u16)
}

/// The quality whose tables are nearest to those of a JPEG's first components; `None` without any table. Of a file that
/// this cannot read otherwise, too.
pub fn estimate_quality(bytes: &[u8]) -> Option<u8> {
    let tables = tables(bytes);
    let luma = tables[0]?;
    let distance = |quality: u8| {
        let of = |found: &[u16; BLOCK], is_chroma| {
            let pairs = found.iter().zip(table(quality, is_chroma));
            pairs.map(|(&a, b)| u32::from(a.abs_diff(b))).sum::<u32>()
        };
        of(&luma, false) + tables[1].map_or(0, |chroma| of(&chroma, true))
    };
    (1..=100).rev().min_by_key(|&quality| distance(quality))
}

/// The file's first two quantisation tables, in zigzag order.
fn tables(bytes: &[u8]) -> [Option<[u16; BLOCK]>; 2] {
    let mut tables = [None; 2];
    let mut at = 2;
    while let Some(&[0xff, marker, l1, l0]) = bytes.get(at..at + 4)
        && marker != 0xda
    {
        let length = usize::from(u16::from_be_bytes([l1, l0])).max(2);
        let mut data = bytes.get(at + 4..at + 2 + length).filter(|_| marker == 0xdb).unwrap_or_default();
        while let Some((&head, rest)) = data.split_first() {
            let is_wide = head >> 4 != 0;
            let Some((values, rest)) = rest.split_at_checked(if is_wide { 2 * BLOCK } else { BLOCK }) else { break };
            let value = |k: usize| match is_wide {
                true => u16::from_be_bytes([values[2 * k], values[2 * k + 1]]),
                false => u16::from(values[k]),
            };
            if let Some(slot) = tables.get_mut(usize::from(head & 15)) {
                *slot = Some(std::array::from_fn(value));
            }
            data = rest;
        }
        at += 2 + length;
    }
    tables
}
