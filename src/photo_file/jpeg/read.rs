//! The file's headers (T.81, annex B), and the order in which its scans are decoded.

use super::decode::{Tables, decode_scan};
use super::{BLOCK, Colour, Component, Jpeg, Scan, Segment};
use crate::limits::{IMAGE_PIXELS, MAX_JPEG_SCANS};

/// Why a JPEG cannot be read as coefficients and written again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Four components, or two.
    Components,
    /// Arithmetic coding.
    Arithmetic,
    /// Other than 8 bits a sample.
    Precision,
    /// Lossless or hierarchical.
    Process,
    /// Cut off, damaged, or at odds with the standard.
    Damaged,
}

/// Reads a JPEG's coefficients and everything else that it holds up to its end marker.
pub fn read(bytes: &[u8]) -> Result<Jpeg, Refusal> {
    let mut reader = Reader { bytes, at: 2, tables: Tables::default(), quantisation: Default::default(), jpeg: None };
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return Err(Refusal::Damaged);
    }
    let mut segments = Vec::new();
    loop {
        let marker = reader.marker()?;
        if marker == 0xd9 {
            break;
        }
        let data = reader.segment()?;
        match marker {
            0xc4 => reader.tables.define(data).ok_or(Refusal::Damaged)?,
            0xdb => reader.define_quantisation(data)?,
            0xdd => reader.tables.restart_interval = usize::from(u16_at(data, 0)?),
            0xc0..=0xc2 => reader.frame(marker, data)?,
            0xc9..=0xcb => return Err(Refusal::Arithmetic),
            0xc3 | 0xc5..=0xc7 | 0xcd..=0xcf => return Err(Refusal::Process),
            0xcc => return Err(Refusal::Arithmetic),
            0xda => reader.scan(data)?,
            0xe0..=0xef | 0xfe => segments.push(Segment { marker, data: data.to_vec() }),
            // DNL, DHP, EXP and what the standard keeps to itself.
            _ => return Err(Refusal::Damaged),
        }
    }
    let mut jpeg = reader.jpeg.ok_or(Refusal::Damaged)?;
    let is_whole = (0..jpeg.components.len()).all(|index| {
        let has_dc = |scan: &Scan| scan.first == 0 && scan.components.contains(&index);
        jpeg.scans.iter().any(has_dc)
    });
    if !is_whole {
        return Err(Refusal::Damaged);
    }
    jpeg.colour = colour(&jpeg, &segments);
    jpeg.segments = segments;
    Ok(jpeg)
}

/// What the components stand for, as libjpeg decides it: by Adobe's segment, by JFIF's, by their names.
fn colour(jpeg: &Jpeg, segments: &[Segment]) -> Colour {
    if jpeg.components.len() == 1 {
        return Colour::Gray;
    }
    let has = |marker, name: &[u8]| segments.iter().find(|s| s.marker == marker && s.data.starts_with(name));
    let is_rgb = if has(0xe0, b"JFIF\0").is_some() {
        false
    } else if let Some(adobe) = has(0xee, b"Adobe") {
        adobe.data.get(11) == Some(&0)
    } else {
        jpeg.components.iter().map(|component| component.id).eq(*b"RGB")
    };
    if is_rgb { Colour::Rgb } else { Colour::YCbCr }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    tables: Tables,
    quantisation: [Option<[u16; BLOCK]>; 4],
    jpeg: Option<Jpeg>,
}

impl<'a> Reader<'a> {
    /// The next marker's second byte. Only fill bytes may stand before it.
    fn marker(&mut self) -> Result<u8, Refusal> {
        if self.byte()? != 0xff {
            return Err(Refusal::Damaged);
        }
        loop {
            match self.byte()? {
                0xff => {}
                0 => return Err(Refusal::Damaged),
                marker => return Ok(marker),
            }
        }
    }

    fn byte(&mut self) -> Result<u8, Refusal> {
        let byte = self.bytes.get(self.at).copied().ok_or(Refusal::Damaged)?;
        self.at += 1;
        Ok(byte)
    }

    /// What follows a segment's length.
    fn segment(&mut self) -> Result<&'a [u8], Refusal> {
        let length = usize::from(u16_at(self.bytes, self.at)?);
        let data = self.bytes.get(self.at + 2..self.at + length).ok_or(Refusal::Damaged)?;
        self.at += length;
        Ok(data)
    }

    fn define_quantisation(&mut self, mut data: &[u8]) -> Result<(), Refusal> {
        while let Some((&head, rest)) = data.split_first() {
            let (is_wide, slot) = (head >> 4, usize::from(head & 15));
            let bytes = if is_wide == 1 { 2 * BLOCK } else { BLOCK };
            if is_wide > 1 || slot > 3 {
                return Err(Refusal::Damaged);
            }
            let (values, rest) = rest.split_at_checked(bytes).ok_or(Refusal::Damaged)?;
            let table = std::array::from_fn(|k| match is_wide {
                1 => u16::from_be_bytes([values[2 * k], values[2 * k + 1]]),
                _ => u16::from(values[k]),
            });
            if table.contains(&0) {
                return Err(Refusal::Damaged);
            }
            self.quantisation[slot] = Some(table);
            data = rest;
        }
        Ok(())
    }

    fn frame(&mut self, process: u8, data: &[u8]) -> Result<(), Refusal> {
        let &[precision, h1, h0, w1, w0, count, ref components @ ..] = data else { return Err(Refusal::Damaged) };
        let (width, height) = (usize::from(u16::from_be_bytes([w1, w0])), usize::from(u16::from_be_bytes([h1, h0])));
        match (precision, count) {
            (8, 1 | 3) => {}
            (8, _) => return Err(Refusal::Components),
            _ => return Err(Refusal::Precision),
        }
        let is_large = (width * height) as u64 > IMAGE_PIXELS;
        if self.jpeg.is_some() || width == 0 || height == 0 || is_large || components.len() != 3 * usize::from(count) {
            return Err(Refusal::Damaged);
        }
        let component = |part: &[u8; 3]| Component {
            id: part[0],
            across: usize::from(part[1] >> 4),
            down: usize::from(part[1] & 15),
            slot: part[2],
            table: [0; BLOCK],
            blocks: (0, 0),
            padded: (0, 0),
            coefficients: Vec::new(),
        };
        let components: Vec<Component> = components.as_chunks::<3>().0.iter().map(component).collect();
        let is_fine = |c: &Component| (1..=4).contains(&c.across) && (1..=4).contains(&c.down) && c.slot < 4;
        if !components.iter().all(is_fine) {
            return Err(Refusal::Damaged);
        }
        let colour = Colour::Gray;
        let (scans, segments) = (Vec::new(), Vec::new());
        let mut jpeg = Jpeg { width, height, process, colour, components, scans, segments };
        jpeg.lay_out();
        self.jpeg = Some(jpeg);
        Ok(())
    }

    /// Reads a scan's header, and its coefficients into the components.
    fn scan(&mut self, data: &[u8]) -> Result<(), Refusal> {
        let jpeg = self.jpeg.as_mut().ok_or(Refusal::Damaged)?;
        let (scan, selectors) = header(jpeg, data, self.tables.restart_interval).ok_or(Refusal::Damaged)?;
        if jpeg.scans.len() >= MAX_JPEG_SCANS || !follows(jpeg, &scan) {
            return Err(Refusal::Damaged);
        }
        for &index in &scan.components {
            let component = &mut jpeg.components[index];
            if component.coefficients.is_empty() {
                // A table holds from the component's first scan on.
                component.table = self.quantisation[usize::from(component.slot)].ok_or(Refusal::Damaged)?;
                component.coefficients = vec![0; component.padded.0 * component.padded.1 * BLOCK];
            }
        }
        let length =
            decode_scan(jpeg, &scan, &selectors, &self.tables, &self.bytes[self.at..]).ok_or(Refusal::Damaged)?;
        self.at += length;
        jpeg.scans.push(scan);
        Ok(())
    }
}

/// A scan's header, and which DC and AC table each of its components takes.
fn header(jpeg: &Jpeg, data: &[u8], restart_interval: usize) -> Option<(Scan, Vec<(usize, usize)>)> {
    let (&count, rest) = data.split_first()?;
    let (parts, rest) = rest.split_at_checked(2 * usize::from(count))?;
    let &[first, last, approximation] = rest else { return None };
    let mut components = Vec::new();
    let mut selectors = Vec::new();
    for part in parts.as_chunks::<2>().0 {
        let index = jpeg.components.iter().position(|component| component.id == part[0])?;
        // In the order of the frame, and each once.
        if components.last().is_some_and(|&before| before >= index) || part[1] >> 4 > 3 || part[1] & 15 > 3 {
            return None;
        }
        components.push(index);
        selectors.push((usize::from(part[1] >> 4), usize::from(part[1] & 15)));
    }
    let scan = Scan {
        components,
        first: usize::from(first),
        last: usize::from(last),
        high: u32::from(approximation >> 4),
        low: u32::from(approximation & 15),
        restart_interval,
    };
    Some((scan, selectors))
}

/// Whether a scan may come after those before it: every coefficient is sent once, and made more exact bit by bit (T.81,
/// G.1.1.1).
fn follows(jpeg: &Jpeg, scan: &Scan) -> bool {
    let blocks = |&index: &usize| jpeg.components[index].across * jpeg.components[index].down;
    let is_small = scan.components.len() == 1 || scan.components.iter().map(blocks).sum::<usize>() <= 10;
    if scan.components.is_empty() || !is_small {
        return false;
    }
    if !jpeg.is_progressive() {
        let is_whole = (scan.first, scan.last, scan.high, scan.low) == (0, 63, 0, 0);
        let is_new = scan.components.iter().all(|&index| jpeg.components[index].coefficients.is_empty());
        return is_whole && is_new;
    }
    let is_band = match scan.first {
        0 => scan.last == 0,
        first => first <= scan.last && scan.last < BLOCK && scan.components.len() == 1,
    };
    let is_step = scan.low <= 13 && (scan.high == 0 || scan.high == scan.low + 1);
    let has_dc = |index: usize| left_out(jpeg, index, 0).is_some();
    let is_next = |index: usize| {
        let sent = |k: usize| left_out(jpeg, index, k);
        (scan.first == 0 || has_dc(index))
            && (scan.first..=scan.last).all(|k| sent(k) == (scan.high > 0).then_some(scan.high))
    };
    is_band && is_step && scan.components.iter().all(|&index| is_next(index))
}

/// How many low bits of a coefficient the scans have left out so far; `None` if it was not sent at all.
pub fn left_out(jpeg: &Jpeg, component: usize, k: usize) -> Option<u32> {
    let covers = |scan: &&Scan| scan.components.contains(&component) && (scan.first..=scan.last).contains(&k);
    jpeg.scans.iter().rev().find(covers).map(|scan| scan.low)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Refusal> {
    let pair = bytes.get(at..at + 2).ok_or(Refusal::Damaged)?;
    Ok(u16::from_be_bytes([pair[0], pair[1]]))
}
