//! The zip container, read by its central directory (APPNOTE 6.3.10): PyTorch's local headers carry zero sizes.

use std::collections::{HashMap, HashSet};

use super::Source;
use super::bytes::{BoundedReader, fail, out_of_memory, truncated, u16_at, u32_at, u64_at};
use super::pickle;
use crate::error::{Code, Error, Result};
use crate::limits::{ARCHIVE_ENTRIES, MAX_ZIP_DIRECTORY_BYTES, NAME_BYTES, PICKLE_BYTES, PICKLE_INFLATED_BYTES};
use crate::ordering;

const END: &[u8] = b"PK\x05\x06";
const END64_LOCATOR: u32 = 0x0706_4b50;
const END64: u32 = 0x0606_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const LOCAL: u32 = 0x0403_4b50;
/// Deflated bytes read, and inflated bytes kept, at a time.
const PIECE_BYTES: usize = 256 << 10;

/// One file of the archive.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Full name.
    pub name: String,
    /// Bytes of the name as stored (it need not be UTF-8).
    name_bytes: u64,
    /// Offset of the local header.
    pub header: u64,
    /// Bytes in the archive.
    pub stored: u64,
    /// Bytes after inflation.
    pub size: u64,
    /// CRC-32 of the inflated bytes.
    pub crc: u32,
    /// Whether it is deflated rather than stored.
    pub deflated: bool,
}

/// The archive's directory.
pub struct Archive {
    /// Entries in directory order.
    pub entries: Vec<Entry>,
    index: HashMap<String, usize>,
}

fn corrupt<T>(text: impl Into<String>) -> Result<T> {
    fail(Code::CheckpointCorrupt, text)
}

impl Archive {
    /// Reads and checks the directory.
    pub fn open<S: Source + ?Sized>(file: &mut BoundedReader<S>) -> Result<Self> {
        let (start, size, count) = end_record(file)?;
        if count > ARCHIVE_ENTRIES as u64 {
            return fail(
                Code::CheckpointLimit,
                format!("The archive lists {count} entries; infill reads at most {ARCHIVE_ENTRIES}."),
            );
        }
        if size > MAX_ZIP_DIRECTORY_BYTES {
            return fail(
                Code::CheckpointLimit,
                format!("The archive's directory has {size} bytes, which is too many."),
            );
        }
        let directory = file.bytes(start, size as usize)?;
        let mut entries = Vec::new();
        let (mut at, mut names) = (0, HashSet::new());
        for _ in 0..count {
            let (entry, next) = entry(&directory, at)?;
            if !names.insert(entry.name.clone()) {
                return corrupt(format!("The archive holds {} twice.", entry.name));
            }
            if entry.name.split(['/', '\\']).any(|part| part == "..") {
                return corrupt(format!("The archive holds the entry {}, which points outside it.", entry.name));
            }
            at = next;
            entries.push(entry);
        }
        no_overlap(&entries, start)?;
        let index = entries.iter().enumerate().map(|(i, e)| (e.name.clone(), i)).collect();
        Ok(Self { entries, index })
    }

    /// The entry of this name.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.index.get(name).and_then(|&i| self.entries.get(i))
    }

    /// The whole entry, inflated, with its CRC checked; at most `cap` bytes.
    pub fn read<S: Source + ?Sized>(file: &mut BoundedReader<S>, entry: &Entry, cap: u64) -> Result<Vec<u8>> {
        if entry.size > cap {
            let text = format!("{} has {} bytes; infill reads at most {cap}.", entry.name, entry.size);
            return fail(Code::CheckpointLimit, text);
        }
        if entry.deflated {
            return inflate(file, entry, 0, entry.size);
        }
        let start = data_start(file, entry)?;
        let bytes = file.bytes(start, entry.size as usize)?;
        if bytes.len() as u64 != entry.size || crc32fast::hash(&bytes) != entry.crc {
            return damaged(entry);
        }
        Ok(bytes)
    }

    /// The pickle of this entry: a stored one is read piece by piece, and its CRC is checked on the way.
    pub fn load_pickle<S: Source>(file: &mut BoundedReader<S>, entry: &Entry) -> Result<(pickle::Heap, pickle::Id)> {
        if entry.deflated {
            return pickle::load_bytes(&Self::read(file, entry, PICKLE_INFLATED_BYTES)?);
        }
        if entry.size > PICKLE_BYTES {
            let text = format!("{} has {} bytes; infill reads at most {PICKLE_BYTES}.", entry.name, entry.size);
            return fail(Code::CheckpointLimit, text);
        }
        let start = data_start(file, entry)?;
        let mut stream = pickle::Stream::new(file.source(), start, start + entry.size);
        let loaded = pickle::load(&mut stream);
        // Damage explains whatever else seems wrong.
        if stream.crc()? == entry.crc { loaded } else { damaged(entry) }
    }
}

/// The checksum is wrong.
pub fn damaged<T>(entry: &Entry) -> Result<T> {
    corrupt(format!("{} is damaged (its checksum is wrong). Copy or download the file again.", entry.name))
}

/// `count` inflated bytes of a deflated entry from `first`. The rest is inflated piece by piece, counted into the
/// CRC and dropped, so that memory is bounded by what is asked for.
pub fn inflate<S: Source + ?Sized>(
    file: &mut BoundedReader<S>,
    entry: &Entry,
    first: u64,
    count: u64,
) -> Result<Vec<u8>> {
    use miniz_oxide::inflate::stream::{InflateState, inflate as step};
    use miniz_oxide::{DataFormat, MZFlush, MZStatus};
    let wrong = || Error::new(Code::CheckpointCorrupt, format!("{} does not inflate to its size.", entry.name));
    let end = first.checked_add(count).filter(|&end| end <= entry.size).ok_or_else(wrong)?;
    let mut kept: Vec<u8> = Vec::new();
    kept.try_reserve_exact(usize::try_from(count).map_err(|_| out_of_memory(count))?)
        .map_err(|_| out_of_memory(count))?;
    let (mut state, mut crc) = (InflateState::new_boxed(DataFormat::Raw), crc32fast::Hasher::new());
    let (mut input, mut output) = (vec![0; PIECE_BYTES], vec![0; PIECE_BYTES]);
    let (mut next, stop) = (data_start(file, entry)?, data_start(file, entry)? + entry.stored);
    let (mut from, mut held, mut done) = (0, 0, 0u64);
    loop {
        if from == held && next < stop {
            held = input.len().min((stop - next) as usize);
            file.read_at(next, &mut input[..held])?;
            next += held as u64;
            from = 0;
        }
        let result = step(&mut state, &input[from..held], &mut output, MZFlush::None);
        from += result.bytes_consumed;
        let piece = &output[..result.bytes_written];
        crc.update(piece);
        // The part of this piece that lies in [first, end).
        let cut = |at: u64| at.saturating_sub(done).min(piece.len() as u64) as usize;
        kept.extend_from_slice(&piece[cut(first)..cut(end)]);
        done += piece.len() as u64;
        match result.status {
            Ok(MZStatus::StreamEnd) => break,
            Ok(_) if done <= entry.size && (result.bytes_consumed > 0 || !piece.is_empty()) => {}
            _ => return Err(wrong()),
        }
    }
    if done == entry.size && crc.finalize() == entry.crc { Ok(kept) } else { damaged(entry) }
}

/// Where an entry's bytes begin: after the local header, its name and its extra field.
pub fn data_start<S: Source + ?Sized>(file: &mut BoundedReader<S>, entry: &Entry) -> Result<u64> {
    let mut header = [0; 30];
    file.read_at(entry.header, &mut header)?;
    let field = |at: usize| u64::from(u16_at(&header, at).unwrap_or(0));
    if u32_at(&header, 0) != Some(LOCAL) || field(26) != entry.name_bytes {
        return corrupt(format!("The archive's directory is altered: {} is not where it should be.", entry.name));
    }
    let start = entry.header + 30 + field(26) + field(28);
    if start.checked_add(entry.stored).is_none_or(|end| end > file.length()) {
        return Err(truncated());
    }
    Ok(start)
}

/// `(start, size, entries)` of the central directory.
fn end_record<S: Source + ?Sized>(file: &mut BoundedReader<S>) -> Result<(u64, u64, u64)> {
    let tail_length = file.length().min(22 + 65_535);
    let tail_start = file.length() - tail_length;
    let tail = file.bytes(tail_start, tail_length as usize)?;
    let found = tail.windows(4).rposition(|window| window == END).filter(|&at| at + 22 <= tail.len());
    let at = found.ok_or_else(truncated)?;
    let (count, size, start) = (u16_at(&tail, at + 10), u32_at(&tail, at + 12), u32_at(&tail, at + 16));
    let (Some(count), Some(size), Some(start)) = (count, size, start) else { return Err(truncated()) };
    let mut record = (u64::from(start), u64::from(size), u64::from(count));
    if (count == u16::MAX || size == u32::MAX || start == u32::MAX)
        && at >= 20
        && u32_at(&tail, at - 20) == Some(END64_LOCATOR)
    {
        let place = u64_at(&tail, at - 12).ok_or_else(truncated)?;
        let end = file.bytes(place, 56)?;
        if u32_at(&end, 0) != Some(END64) {
            return corrupt("The archive's zip64 record is not where it should be.");
        }
        let field = |at: usize| u64_at(&end, at).ok_or_else(truncated);
        record = (field(48)?, field(40)?, field(32)?);
    }
    let (start, size, _) = record;
    if start.checked_add(size).is_none_or(|end| end > tail_start + at as u64) {
        return corrupt("The archive's directory does not lie within the file.");
    }
    Ok(record)
}

/// The entry at `at` of the central directory, and where the next one begins.
fn entry(directory: &[u8], at: usize) -> Result<(Entry, usize)> {
    let short = || Error::new(Code::CheckpointCorrupt, "The archive's directory is cut off.");
    let word = |offset: usize| u16_at(directory, at + offset).ok_or_else(short);
    let long = |offset: usize| u32_at(directory, at + offset).ok_or_else(short);
    if long(0)? != CENTRAL {
        return corrupt("The archive's directory is damaged.");
    }
    let (flags, method) = (word(8)?, word(10)?);
    let (name_length, extra_length, comment_length) = (word(28)? as usize, word(30)? as usize, word(32)? as usize);
    let name_start = at + 46;
    let extra_start = name_start + name_length;
    let next = extra_start + extra_length + comment_length;
    let name = directory.get(name_start..extra_start).ok_or_else(short)?;
    if name_length > NAME_BYTES {
        return corrupt(format!("The archive holds a name of {name_length} bytes, which no checkpoint needs."));
    }
    let extra = directory.get(extra_start..extra_start + extra_length).ok_or_else(short)?;
    let name = String::from_utf8_lossy(name).into_owned();
    if flags & 1 != 0 {
        return corrupt(format!("{name} is encrypted. Save the checkpoint without a password."));
    }
    if method != 0 && method != 8 {
        return corrupt(format!("{name} is compressed by method {method}, which PyTorch never writes."));
    }
    let (mut stored, mut size, mut header) = (u64::from(long(20)?), u64::from(long(24)?), u64::from(long(42)?));
    let mut wide = zip64_fields(extra).into_iter();
    for field in [&mut size, &mut stored, &mut header] {
        if *field == u64::from(u32::MAX) {
            *field = wide.next().ok_or_else(short)?;
        }
    }
    if method == 0 && stored != size {
        return corrupt(format!("{name} is stored, but its two sizes differ."));
    }
    let name_bytes = name_length as u64;
    Ok((Entry { name, name_bytes, header, stored, size, crc: long(16)?, deflated: method == 8 }, next))
}

/// The 64-bit values of the zip64 extra field, in order.
fn zip64_fields(extra: &[u8]) -> Vec<u64> {
    let mut at = 0;
    while let (Some(id), Some(length)) = (u16_at(extra, at), u16_at(extra, at + 2)) {
        let body = at + 4;
        if id == 1 {
            let end = (body + length as usize).min(extra.len());
            return extra[body..end].chunks_exact(8).filter_map(|chunk| u64_at(chunk, 0)).collect();
        }
        at = body + length as usize;
    }
    Vec::new()
}

/// Refuses entries that share bytes, the trick of the "better zip bomb".
fn no_overlap(entries: &[Entry], directory: u64) -> Result<()> {
    let mut order: Vec<&Entry> = entries.iter().collect();
    ordering::sort_by_key(&mut order, |entry| entry.header);
    for (index, entry) in order.iter().enumerate() {
        let limit = order.get(index + 1).map_or(directory, |next| next.header);
        let least = (30 + entry.name_bytes).checked_add(entry.stored).and_then(|n| n.checked_add(entry.header));
        if least.is_none_or(|end| end > limit) {
            return corrupt(format!("{} overlaps what comes after it in the archive.", entry.name));
        }
    }
    Ok(())
}
