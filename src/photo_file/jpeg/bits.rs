//! Bits of entropy-coded data, in and out, with the zero byte that follows every 0xff (T.81, F.1.2.3).

/// Reads bits up to the next marker; after it come zeros, which [`Bits::is_overrun`] tells.
pub struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    buffer: u64,
    count: u32,
    /// Zeros in the buffer that are not in the file.
    padding: u32,
}

impl<'a> Bits<'a> {
    /// From the first byte of entropy-coded data.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, buffer: 0, count: 0, padding: 0 }
    }

    fn fill(&mut self) {
        while self.count <= 48 {
            let byte = match self.bytes.get(self.at) {
                Some(0xff) if self.bytes.get(self.at + 1) == Some(&0) => {
                    self.at += 2;
                    0xff
                }
                None | Some(0xff) => {
                    self.padding += 8;
                    0
                }
                Some(&byte) => {
                    self.at += 1;
                    byte
                }
            };
            self.buffer = self.buffer << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    /// The next 16 bits, without taking them.
    pub fn peek16(&mut self) -> u32 {
        if self.count < 16 {
            self.fill();
        }
        (self.buffer >> (self.count - 16)) as u32 & 0xffff
    }

    /// Takes bits that were looked at; at most 16.
    pub fn skip(&mut self, count: u32) {
        self.count -= count;
    }

    /// The next bits as a number; at most 16.
    pub fn take(&mut self, count: u32) -> u32 {
        if self.count < count {
            self.fill();
        }
        self.count -= count;
        (self.buffer >> self.count) as u32 & ((1 << count) - 1)
    }

    /// Whether bits were taken that are not in the file.
    pub fn is_overrun(&self) -> bool {
        // Endless padding would overflow its counter only after half a gigabyte of it, and it is asked long before.
        self.padding > self.count
    }

    /// Goes on behind the restart marker of this number; false if it does not come next.
    pub fn restart(&mut self, number: usize) -> bool {
        // Whatever is in the buffer is the padding of the last byte, or lies beyond the marker.
        let has_whole_bytes = self.count - self.padding.min(self.count) >= 8;
        while self.bytes.get(self.at) == Some(&0xff) && self.bytes.get(self.at + 1) == Some(&0xff) {
            self.at += 1;
        }
        let is_next = self.bytes.get(self.at..self.at + 2) == Some(&[0xff, 0xd0 + (number % 8) as u8]);
        if self.is_overrun() || has_whole_bytes || !is_next {
            return false;
        }
        *self = Self { at: self.at + 2, ..Self::new(self.bytes) };
        true
    }

    /// Where the next marker is, as an offset from the first byte.
    pub fn end(&self) -> usize {
        self.at
    }
}

/// Collects bits into entropy-coded data.
pub struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    buffer: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, buffer: 0, count: 0 }
    }

    /// Appends the low `count` bits; at most 16.
    pub fn put(&mut self, bits: u32, count: u32) {
        self.buffer = self.buffer << count | u64::from(bits & ((1 << count) - 1));
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.buffer >> self.count) as u8;
            self.out.push(byte);
            if byte == 0xff {
                self.out.push(0);
            }
        }
    }

    /// Fills the last byte with ones.
    pub fn flush(&mut self) {
        if self.count > 0 {
            self.put(0x7f, 8 - self.count);
        }
    }

    /// Ends an interval with its restart marker.
    pub fn restart(&mut self, number: usize) {
        self.flush();
        self.out.extend([0xff, 0xd0 + (number % 8) as u8]);
    }
}
