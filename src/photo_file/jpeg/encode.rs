//! Coefficients to entropy-coded symbols (T.81, F.1.2 and G.1.2). The same walk counts the symbols first, and then writes
//! them.

use super::scan::Walk;
use super::{BLOCK, Jpeg, Scan};

/// Most correction bits that wait for their symbol, so that a block's fit as well.
const MAX_CORRECTIONS: usize = 937;
/// Longest run of blocks without anything more.
const MAX_EOB_RUN: u32 = 0x7fff;

/// Takes what a scan consists of.
pub trait Sink {
    /// A Huffman symbol, of a DC or an AC table for this component.
    fn symbol(&mut self, is_ac: bool, component: usize, symbol: u8);
    /// The low `count` bits as they are; at most 16.
    fn bits(&mut self, bits: u32, count: u32);
    /// A restart marker.
    fn restart(&mut self, number: usize);
}

/// Gives a scan to the sink; `None` if a coefficient is larger than symbols can say.
pub fn encode_scan(jpeg: &Jpeg, scan: &Scan, sink: &mut dyn Sink) -> Option<()> {
    let walk = Walk::new(jpeg, scan);
    let mut encoder = Encoder {
        scan,
        sink,
        predictions: [0; 3],
        component: scan.components.first().copied()?,
        eob_run: 0,
        pending: Vec::new(),
    };
    let is_progressive = jpeg.is_progressive();
    for mcu in 0..walk.count() {
        if scan.restart_interval > 0 && mcu > 0 && mcu % scan.restart_interval == 0 {
            encoder.end_run();
            encoder.predictions = [0; 3];
            encoder.sink.restart(mcu / scan.restart_interval - 1);
        }
        for place in walk.blocks(mcu) {
            encoder.component = place.component;
            let block = jpeg.components[place.component].block(place.column, place.row);
            match (is_progressive, scan.first, scan.high) {
                (false, ..) => encoder.sequential(block)?,
                (true, 0, 0) => encoder.dc(i32::from(block[0]) >> scan.low)?,
                (true, 0, _) => encoder.sink.bits((i32::from(block[0]) >> scan.low) as u32, 1),
                (true, _, 0) => encoder.ac_first(block)?,
                (true, ..) => encoder.ac_refine(block),
            }
        }
    }
    encoder.end_run();
    Some(())
}

struct Encoder<'a> {
    scan: &'a Scan,
    sink: &'a mut dyn Sink,
    predictions: [i32; 3],
    /// The one whose block is encoded.
    component: usize,
    /// Blocks that have nothing more in their band, not yet told.
    eob_run: u32,
    /// Correction bits of those blocks.
    pending: Vec<bool>,
}

/// Bits of a number's magnitude.
fn magnitude(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}

impl Encoder<'_> {
    /// The bits of a number; those of a negative one are of one less (T.81, F.1.2.1).
    fn value(&mut self, value: i32, count: u32) {
        self.sink.bits((if value < 0 { value - 1 } else { value }) as u32, count);
    }

    fn dc(&mut self, value: i32) -> Option<()> {
        let difference = value - std::mem::replace(&mut self.predictions[self.component], value);
        let count = magnitude(difference);
        if count > 15 {
            return None;
        }
        self.sink.symbol(false, self.component, count as u8);
        self.value(difference, count);
        Some(())
    }

    fn ac(&mut self, run: usize, value: i32) -> Option<()> {
        let count = magnitude(value);
        if count > 15 {
            return None;
        }
        self.sink.symbol(true, self.component, (run << 4) as u8 | count as u8);
        self.value(value, count);
        Some(())
    }

    fn sequential(&mut self, block: &[i16]) -> Option<()> {
        self.dc(i32::from(block[0]))?;
        let mut run = 0;
        for &value in &block[1..] {
            if value == 0 {
                run += 1;
                continue;
            }
            while run > 15 {
                self.sink.symbol(true, self.component, 0xf0);
                run -= 16;
            }
            self.ac(run, i32::from(value))?;
            run = 0;
        }
        if run > 0 {
            self.sink.symbol(true, self.component, 0);
        }
        Some(())
    }

    fn ac_first(&mut self, block: &[i16]) -> Option<()> {
        let mut run = 0;
        for &value in &block[self.scan.first..=self.scan.last] {
            // Towards zero, unlike DC (T.81, G.1.2.2).
            let value = i32::from(value) / (1 << self.scan.low);
            if value == 0 {
                run += 1;
                continue;
            }
            self.end_run();
            while run > 15 {
                self.sink.symbol(true, self.component, 0xf0);
                run -= 16;
            }
            self.ac(run, value)?;
            run = 0;
        }
        if run > 0 {
            self.eob_run += 1;
            if self.eob_run == MAX_EOB_RUN {
                self.end_run();
            }
        }
        Some(())
    }

    fn ac_refine(&mut self, block: &[i16]) {
        let band = self.scan.first..=self.scan.last;
        let values: Vec<i32> = block[band].iter().map(|&value| i32::from(value) / (1 << self.scan.low)).collect();
        // Zeros after the last coefficient that becomes nonzero belong to the end of the band.
        let last_new = values.iter().rposition(|value| value.abs() == 1);
        let mut run = 0;
        let mut corrections = Vec::with_capacity(BLOCK);
        for (at, &value) in values.iter().enumerate() {
            if value == 0 {
                run += 1;
                continue;
            }
            while run > 15 && last_new.is_some_and(|last| at <= last) {
                self.end_run();
                self.sink.symbol(true, self.component, 0xf0);
                run -= 16;
                self.corrections(&std::mem::take(&mut corrections));
            }
            if value.abs() > 1 {
                corrections.push(value.abs() & 1 == 1);
                continue;
            }
            self.end_run();
            self.sink.symbol(true, self.component, (run << 4) as u8 | 1);
            self.sink.bits(u32::from(value > 0), 1);
            self.corrections(&std::mem::take(&mut corrections));
            run = 0;
        }
        if run > 0 || !corrections.is_empty() {
            self.eob_run += 1;
            self.pending.extend(corrections);
            if self.eob_run == MAX_EOB_RUN || self.pending.len() > MAX_CORRECTIONS {
                self.end_run();
            }
        }
    }

    fn corrections(&mut self, bits: &[bool]) {
        bits.iter().for_each(|&bit| self.sink.bits(u32::from(bit), 1));
    }

    /// Tells the blocks that have nothing more in their band.
    fn end_run(&mut self) {
        if self.eob_run == 0 {
            return;
        }
        let count = magnitude(self.eob_run as i32) - 1;
        self.sink.symbol(true, self.component, (count << 4) as u8);
        self.sink.bits(self.eob_run, count);
        self.eob_run = 0;
        let pending = std::mem::take(&mut self.pending);
        self.corrections(&pending);
    }
}
