//! Huffman tables: those of a file, and the best ones for what is to be written.

use super::bits::Bits;

/// Longest code, bits.
const LONGEST: usize = 16;

/// A table for decoding (T.81, annex C and F.2.2.3).
#[derive(Clone)]
pub struct DecodeTable {
    /// For each length: the first code that is too large for it, shifted to 16 bits; all ones beyond the last length.
    limits: [u32; LONGEST + 1],
    /// For each length: what is to be added to a code to find its symbol.
    offsets: [i32; LONGEST + 1],
    symbols: Vec<u8>,
    /// For the first 9 bits: length and symbol; 0 where the code is longer.
    short: Vec<(u8, u8)>,
}

const SHORT: u32 = 9;

impl DecodeTable {
    /// From the counts of codes of 1 to 16 bits and their symbols; `None` if the counts are no prefix code.
    pub fn new(counts: &[u8; LONGEST], symbols: &[u8]) -> Option<Self> {
        let mut table =
            Self { limits: [0; 17], offsets: [0; 17], symbols: symbols.to_vec(), short: vec![(0, 0); 1 << SHORT] };
        let (mut code, mut index) = (0u32, 0usize);
        for length in 1..=LONGEST {
            let count = usize::from(counts[length - 1]);
            table.offsets[length] = index as i32 - code as i32;
            for symbol in symbols.get(index..index + count)? {
                if length as u32 <= SHORT {
                    let first = (code << (SHORT - length as u32)) as usize;
                    let entries = table.short.get_mut(first..first + (1 << (SHORT - length as u32)))?;
                    entries.fill((length as u8, *symbol));
                }
                code += 1;
            }
            if code > 1 << length {
                return None;
            }
            index += count;
            table.limits[length] = code << (LONGEST - length);
            code <<= 1;
        }
        Some(table)
    }

    /// The next symbol; `None` for bits that are no code.
    pub fn decode(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let next = bits.peek16();
        let (length, symbol) = self.short[(next >> (16 - SHORT)) as usize];
        if length > 0 {
            bits.skip(u32::from(length));
            return Some(symbol);
        }
        let length = (1..=LONGEST).find(|&length| next < self.limits[length])?;
        bits.skip(length as u32);
        let code = (next >> (LONGEST - length)) as i32;
        self.symbols.get(usize::try_from(code + self.offsets[length]).ok()?).copied()
    }
}

/// A table for encoding.
#[derive(Clone, Debug)]
pub struct EncodeTable {
    /// Codes of 1 to 16 bits.
    pub counts: [u8; LONGEST],
    /// In the order of their codes.
    pub symbols: Vec<u8>,
    /// Code and length of each symbol; length 0 for those without.
    codes: Vec<(u16, u8)>,
}

impl EncodeTable {
    /// The shortest code for symbols that come this often, of at most 16 bits, without the code of all ones (T.81, K.2).
    pub fn optimal(frequencies: &[u64; 256]) -> Self {
        let lengths = code_lengths(frequencies);
        let mut per_length = [0usize; 258];
        lengths.iter().filter(|&&length| length > 0).for_each(|&length| per_length[length] += 1);
        shorten(&mut per_length);
        let mut symbols: Vec<u8> = (0..=255).filter(|&symbol| lengths[usize::from(symbol)] > 0).collect();
        symbols.sort_by_key(|&symbol| lengths[usize::from(symbol)]);
        let counts = std::array::from_fn(|at| per_length[at + 1] as u8);
        Self { codes: codes(&counts, &symbols), counts, symbols }
    }

    /// Code and length.
    pub fn code(&self, symbol: u8) -> (u16, u8) {
        self.codes[usize::from(symbol)]
    }
}

/// How long each symbol's code is in a Huffman tree; the 257th symbol, which takes the code of all ones, is the rarest.
fn code_lengths(frequencies: &[u64; 256]) -> [usize; 257] {
    let mut weights = [0u64; 257];
    weights[..256].copy_from_slice(frequencies);
    weights[256] = 1;
    let mut lengths = [0usize; 257];
    let mut next: [Option<usize>; 257] = [None; 257];
    loop {
        let rarest = |weights: &[u64; 257], but: Option<usize>| {
            let candidates = (0..257).filter(|&at| weights[at] > 0 && Some(at) != but);
            candidates.min_by_key(|&at| (weights[at], std::cmp::Reverse(at)))
        };
        let Some(first) = rarest(&weights, None) else { return lengths };
        let Some(second) = rarest(&weights, Some(first)) else { return lengths };
        weights[first] += weights[second];
        weights[second] = 0;
        // Everything in both trees lies one level deeper now, and the second tree hangs on the first.
        let mut at = first;
        lengths[at] += 1;
        while let Some(after) = next[at] {
            at = after;
            lengths[at] += 1;
        }
        next[at] = Some(second);
        let mut at = Some(second);
        while let Some(symbol) = at {
            lengths[symbol] += 1;
            at = next[symbol];
        }
    }
}

/// Moves codes of more than 16 bits up (T.81, figure K.3), and takes the code of all ones away.
fn shorten(per_length: &mut [usize; 258]) {
    for length in (LONGEST + 1..per_length.len()).rev() {
        while per_length[length] > 0 {
            let Some(shorter) = (1..length - 1).rev().find(|&at| per_length[at] > 0) else { break };
            per_length[length] -= 2;
            per_length[length - 1] += 1;
            per_length[shorter + 1] += 2;
            per_length[shorter] -= 1;
        }
    }
    if let Some(longest) = (1..=LONGEST).rev().find(|&at| per_length[at] > 0) {
        per_length[longest] -= 1;
    }
}

fn codes(counts: &[u8; LONGEST], symbols: &[u8]) -> Vec<(u16, u8)> {
    let mut codes = vec![(0, 0); 256];
    let (mut code, mut symbols) = (0u32, symbols.iter());
    for (length, &count) in (1u8..).zip(counts) {
        for &symbol in symbols.by_ref().take(usize::from(count)) {
            codes[usize::from(symbol)] = (code as u16, length);
            code += 1;
        }
        code <<= 1;
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::super::bits::BitWriter;
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Fibonacci's numbers ask for codes as long as there are symbols, so that the limit is reached.
    #[test]
    fn what_is_encoded_is_decoded_for_any_frequencies() {
        let mut fibonacci = [0u64; 256];
        let (mut a, mut b) = (1u64, 1u64);
        for each in fibonacci.iter_mut().take(60) {
            *each = a;
            (a, b) = (b, a + b);
        }
        let mut one = [0u64; 256];
        one[77] = 5;
        for frequencies in [fibonacci, one, [1; 256]] {
            let table = EncodeTable::optimal(&frequencies);
            let used: Vec<u8> = (0..=255).filter(|&symbol| frequencies[usize::from(symbol)] > 0).collect();
            let mut sorted = table.symbols.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, used);
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            for &symbol in &used {
                let (code, length) = table.code(symbol);
                assert!((1..=16).contains(&length));
                assert!(u32::from(code) + 1 < 1 << length, "all ones");
                writer.put(u32::from(code), u32::from(length));
            }
            writer.flush();
            let decoder = DecodeTable::new(&table.counts, &table.symbols).unwrap();
            let mut bits = Bits::new(&bytes);
            let back: Vec<u8> = used.iter().map(|_| decoder.decode(&mut bits).unwrap()).collect();
            assert_eq!(back, used);
            assert!(!bits.is_overrun());
        }
    }

    #[test]
    fn counts_that_are_no_code_are_refused() {
        let mut counts = [0; 16];
        counts[0] = 3;
        assert!(DecodeTable::new(&counts, &[1, 2, 3]).is_none());
        counts[0] = 2;
        assert!(DecodeTable::new(&counts, &[1]).is_none(), "symbols are missing");
        assert!(DecodeTable::new(&counts, &[1, 2]).is_some());
    }
}
