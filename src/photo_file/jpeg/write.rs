//! Coefficients to a file: the source's segments, tables and scans, with Huffman tables that suit what is written.

use super::bits::BitWriter;
use super::encode::{Sink, encode_scan};
use super::huffman::EncodeTable;
use super::{BLOCK, Jpeg, Scan};
use crate::error::{Code, Error, Result};

/// Writes a JPEG.
///
/// `internal` if a segment or a coefficient is larger than the format can say.
pub fn write(jpeg: &Jpeg) -> Result<Vec<u8>> {
    let mut out = vec![0xff, 0xd8];
    for segment in &jpeg.segments {
        put_segment(&mut out, segment.marker, &segment.data)?;
    }
    put_quantisation(&mut out, jpeg)?;
    put_frame(&mut out, jpeg)?;
    let mut restart_interval = 0;
    for scan in &jpeg.scans {
        if scan.restart_interval != restart_interval {
            restart_interval = scan.restart_interval;
            put_segment(&mut out, 0xdd, &(restart_interval as u16).to_be_bytes())?;
        }
        put_scan(&mut out, jpeg, scan)?;
    }
    out.extend([0xff, 0xd9]);
    Ok(out)
}

fn too_large() -> Error {
    Error::new(Code::Internal, "A part of the picture is larger than a JPEG can hold. Save it as a PNG.")
}

fn put_segment(out: &mut Vec<u8>, marker: u8, data: &[u8]) -> Result<()> {
    let length = u16::try_from(data.len() + 2).map_err(|_| too_large())?;
    out.extend([0xff, marker]);
    out.extend(length.to_be_bytes());
    out.extend(data);
    Ok(())
}

/// The slot in which a component's table is written: its own, unless an earlier component has another table there.
fn slots(jpeg: &Jpeg) -> Vec<u8> {
    let is_free = |index: usize, slot: u8| {
        let earlier = &jpeg.components[..index];
        earlier.iter().all(|component| component.slot != slot || component.table == jpeg.components[index].table)
    };
    let own = |index: usize| is_free(index, jpeg.components[index].slot);
    match (0..jpeg.components.len()).all(own) {
        true => jpeg.components.iter().map(|component| component.slot).collect(),
        false => (0..jpeg.components.len() as u8).collect(),
    }
}

fn put_quantisation(out: &mut Vec<u8>, jpeg: &Jpeg) -> Result<()> {
    let mut written = Vec::new();
    for (component, slot) in jpeg.components.iter().zip(slots(jpeg)) {
        if written.contains(&slot) {
            continue;
        }
        written.push(slot);
        let is_wide = component.table.iter().any(|&step| step > 255);
        let mut data = vec![u8::from(is_wide) << 4 | slot];
        match is_wide {
            true => data.extend(component.table.iter().flat_map(|step| step.to_be_bytes())),
            false => data.extend(component.table.iter().map(|&step| step as u8)),
        }
        put_segment(out, 0xdb, &data)?;
    }
    Ok(())
}

fn put_frame(out: &mut Vec<u8>, jpeg: &Jpeg) -> Result<()> {
    let side = |side: usize| u16::try_from(side).map(u16::to_be_bytes).map_err(|_| too_large());
    let mut data = vec![8];
    data.extend(side(jpeg.height)?);
    data.extend(side(jpeg.width)?);
    data.push(jpeg.components.len() as u8);
    for (component, slot) in jpeg.components.iter().zip(slots(jpeg)) {
        data.extend([component.id, (component.across << 4 | component.down) as u8, slot]);
    }
    put_segment(out, jpeg.process, &data)
}

/// Which of the two Huffman tables a component takes: the first has one, the others share one.
fn table_of(component: usize) -> usize {
    component.min(1)
}

fn put_scan(out: &mut Vec<u8>, jpeg: &Jpeg, scan: &Scan) -> Result<()> {
    let mut counter = Counter { frequencies: [[[0; 256]; 2]; 2] };
    encode_scan(jpeg, scan, &mut counter).ok_or_else(too_large)?;
    let tables = counter.frequencies.map(|class| class.map(|frequencies| EncodeTable::optimal(&frequencies)));
    for (class, pair) in tables.iter().enumerate() {
        for (slot, table) in pair.iter().enumerate().filter(|(_, table)| !table.symbols.is_empty()) {
            let mut data = vec![(class << 4 | slot) as u8];
            data.extend(table.counts);
            data.extend(&table.symbols);
            put_segment(out, 0xc4, &data)?;
        }
    }
    let mut data = vec![scan.components.len() as u8];
    for &index in &scan.components {
        data.extend([jpeg.components[index].id, (table_of(index) << 4 | table_of(index)) as u8]);
    }
    data.extend([scan.first as u8, scan.last as u8, (scan.high << 4 | scan.low) as u8]);
    put_segment(out, 0xda, &data)?;
    let mut writer = Writer { bits: BitWriter::new(out), tables: &tables };
    encode_scan(jpeg, scan, &mut writer).ok_or_else(too_large)?;
    writer.bits.flush();
    Ok(())
}

/// How often each symbol comes: for DC and AC, for the first component and the others.
struct Counter {
    frequencies: [[[u64; 256]; 2]; 2],
}

impl Sink for Counter {
    fn symbol(&mut self, is_ac: bool, component: usize, symbol: u8) {
        self.frequencies[usize::from(is_ac)][table_of(component)][usize::from(symbol)] += 1;
    }

    fn bits(&mut self, _bits: u32, _count: u32) {}

    fn restart(&mut self, _number: usize) {}
}

struct Writer<'a> {
    bits: BitWriter<'a>,
    tables: &'a [[EncodeTable; 2]; 2],
}

impl Sink for Writer<'_> {
    fn symbol(&mut self, is_ac: bool, component: usize, symbol: u8) {
        let (code, length) = self.tables[usize::from(is_ac)][table_of(component)].code(symbol);
        self.bits.put(u32::from(code), u32::from(length));
    }

    fn bits(&mut self, bits: u32, count: u32) {
        self.bits.put(bits, count);
    }

    fn restart(&mut self, number: usize) {
        self.bits.restart(number);
    }
}

/// Quantised coefficients of a block, in zigzag order, as far as a baseline file can hold them.
pub fn quantise(coefficients: &[f32; BLOCK], table: &[u16; BLOCK]) -> [i16; BLOCK] {
    std::array::from_fn(|k| {
        let most = if k == 0 { 1024.0 } else { 1023.0 };
        (coefficients[k] / f32::from(table[k])).round().clamp(-most, most) as i16
    })
}
