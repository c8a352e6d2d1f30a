//! Entropy-coded data to coefficients (T.81, F.2.2 and G.2).

use super::bits::Bits;
use super::huffman::DecodeTable;
use super::scan::Walk;
use super::{BLOCK, Jpeg, Scan};

/// What segments before a scan have set.
#[derive(Default)]
pub struct Tables {
    dc: [Option<DecodeTable>; 4],
    ac: [Option<DecodeTable>; 4],
    /// MCUs between restart markers; 0 for none.
    pub restart_interval: usize,
}

impl Tables {
    /// Takes the tables of a DHT segment; `None` if they are none.
    pub fn define(&mut self, mut data: &[u8]) -> Option<()> {
        while let Some((&head, rest)) = data.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, rest) = rest.split_at_checked(total)?;
            let class = match head >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return None,
            };
            *class.get_mut(usize::from(head & 15))? = Some(DecodeTable::new(counts, symbols)?);
            data = rest;
        }
        Some(())
    }
}

/// Decodes one scan into the components; the number of bytes it takes, or `None` if it is damaged.
pub fn decode_scan(
    jpeg: &mut Jpeg,
    scan: &Scan,
    selectors: &[(usize, usize)],
    tables: &Tables,
    bytes: &[u8],
) -> Option<usize> {
    let walk = Walk::new(jpeg, scan);
    let mut decoder = Decoder { bits: Bits::new(bytes), scan, predictions: [0; 3], eob_run: 0 };
    let is_progressive = jpeg.is_progressive();
    let mut chosen: [(Option<&DecodeTable>, Option<&DecodeTable>); 3] = [(None, None); 3];
    for (&index, &(dc, ac)) in scan.components.iter().zip(selectors) {
        chosen[index] = (tables.dc[dc].as_ref(), tables.ac[ac].as_ref());
    }
    for mcu in 0..walk.count() {
        if scan.restart_interval > 0 && mcu > 0 && mcu % scan.restart_interval == 0 {
            decoder.restart(mcu / scan.restart_interval - 1)?;
        }
        for place in walk.blocks(mcu) {
            let (dc, ac) = chosen[place.component];
            let block = jpeg.components[place.component].block_mut(place.column, place.row);
            match (is_progressive, scan.first, scan.high) {
                (false, ..) => decoder.sequential(place.component, dc?, ac?, block)?,
                (true, 0, 0) => decoder.dc_first(place.component, dc?, block)?,
                (true, 0, _) => decoder.dc_refine(block),
                (true, _, 0) => decoder.ac_first(ac?, block)?,
                (true, ..) => decoder.ac_refine(ac?, block)?,
            }
        }
        if decoder.bits.is_overrun() {
            return None;
        }
    }
    (decoder.eob_run == 0).then_some(decoder.bits.end())
}

struct Decoder<'a> {
    bits: Bits<'a>,
    scan: &'a Scan,
    /// The last DC value of each component.
    predictions: [i32; 3],
    /// Blocks that still end before their band begins.
    eob_run: u32,
}

impl Decoder<'_> {
    fn restart(&mut self, number: usize) -> Option<()> {
        self.predictions = [0; 3];
        (std::mem::take(&mut self.eob_run) == 0 && self.bits.restart(number)).then_some(())
    }

    /// A number of so many bits, whose first bit tells its sign (T.81, F.2.2.1).
    fn receive(&mut self, count: u32) -> i32 {
        if count == 0 {
            return 0;
        }
        let value = self.bits.take(count) as i32;
        if value < 1 << (count - 1) { value - (1 << count) + 1 } else { value }
    }

    fn difference(&mut self, component: usize, table: &DecodeTable) -> Option<i32> {
        let count = u32::from(table.decode(&mut self.bits)?);
        if count > 15 {
            return None;
        }
        self.predictions[component] += self.receive(count);
        i16::try_from(self.predictions[component]).ok().map(i32::from)
    }

    fn sequential(&mut self, component: usize, dc: &DecodeTable, ac: &DecodeTable, block: &mut [i16]) -> Option<()> {
        block[0] = self.difference(component, dc)? as i16;
        let mut k = 1;
        while k < BLOCK {
            let symbol = ac.decode(&mut self.bits)?;
            match (usize::from(symbol >> 4), u32::from(symbol & 15)) {
                (15, 0) => k += 16,
                (_, 0) => return Some(()),
                (run, count) => {
                    k += run;
                    *block.get_mut(k)? = self.receive(count) as i16;
                    k += 1;
                }
            }
        }
        Some(())
    }

    fn dc_first(&mut self, component: usize, table: &DecodeTable, block: &mut [i16]) -> Option<()> {
        block[0] = i16::try_from(self.difference(component, table)? << self.scan.low).ok()?;
        Some(())
    }

    fn dc_refine(&mut self, block: &mut [i16]) {
        block[0] |= (self.bits.take(1) << self.scan.low) as i16;
    }

    /// Blocks, this one included, that have nothing more in their band.
    fn end_of_band(&mut self, run: usize) -> u32 {
        (1 << run) + if run > 0 { self.bits.take(run as u32) } else { 0 }
    }

    fn ac_first(&mut self, table: &DecodeTable, block: &mut [i16]) -> Option<()> {
        if self.eob_run > 0 {
            self.eob_run -= 1;
            return Some(());
        }
        let mut k = self.scan.first;
        while k <= self.scan.last {
            let symbol = table.decode(&mut self.bits)?;
            match (usize::from(symbol >> 4), u32::from(symbol & 15)) {
                (15, 0) => k += 16,
                (run, 0) => {
                    self.eob_run = self.end_of_band(run) - 1;
                    return Some(());
                }
                (run, count) => {
                    k += run;
                    let value = self.receive(count) << self.scan.low;
                    *block.get_mut(..=self.scan.last)?.get_mut(k)? = i16::try_from(value).ok()?;
                    k += 1;
                }
            }
        }
        Some(())
    }

    fn ac_refine(&mut self, table: &DecodeTable, block: &mut [i16]) -> Option<()> {
        let mut k = self.scan.first;
        while self.eob_run == 0 && k <= self.scan.last {
            let symbol = table.decode(&mut self.bits)?;
            let (run, count) = (usize::from(symbol >> 4), symbol & 15);
            if count == 0 && run < 15 {
                self.eob_run = self.end_of_band(run);
                break;
            }
            if count > 1 {
                return None;
            }
            let step = 1i16 << self.scan.low;
            let value = if count == 0 {
                0
            } else if self.bits.take(1) == 1 {
                step
            } else {
                -step
            };
            k = self.refine_over(block, k, run);
            if value != 0 {
                *block.get_mut(..=self.scan.last)?.get_mut(k)? = value;
            }
            k += 1;
        }
        if self.eob_run > 0 {
            self.refine_over(block, k, BLOCK);
            self.eob_run -= 1;
        }
        Some(())
    }

    /// Passes `zeros` coefficients that are 0, and makes all others on the way more exact; where the next zero is.
    fn refine_over(&mut self, block: &mut [i16], from: usize, mut zeros: usize) -> usize {
        let step = 1i16 << self.scan.low;
        for (k, value) in block.iter_mut().enumerate().take(self.scan.last + 1).skip(from) {
            if *value == 0 {
                if zeros == 0 {
                    return k;
                }
                zeros -= 1;
            } else if self.bits.take(1) == 1 && *value & step == 0 {
                *value += if *value > 0 { step } else { -step };
            }
        }
        self.scan.last + 1
    }
}
