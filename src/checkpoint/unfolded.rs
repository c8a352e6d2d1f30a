//! How many values all tensors of a file have together. A file of kilobytes can show one storage in thousands of views, or
//! hold gigabytes of deflated zeros, so their number is compared with the file's length before any value is read.

use super::bytes::fail;
use super::tensors::{PIECE_ELEMENTS, Place, Storage, check};
use super::{StateDict, TensorInfo};
use crate::error::{Code, Result};
use crate::limits::{MAX_UNFOLDED_VALUES, MAX_VALUES_PER_BYTE};

/// Bytes of a value once it is read.
const VALUE_BYTES: u64 = size_of::<f32>() as u64;

/// What all tensors together unfold to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfolded {
    /// Values that are read or inflated, if every tensor is read once, in the order of the file.
    values: u64,
    /// Most values that a file of this length may unfold to.
    most: u64,
}

impl Unfolded {
    /// Adds up the tensors of a file of this length. A tensor that does not fit its storage costs nothing: it is refused.
    pub fn new(dicts: &[StateDict], storages: &[Storage], file_bytes: u64) -> Self {
        let most = file_bytes.saturating_mul(MAX_VALUES_PER_BYTE).max(MAX_UNFOLDED_VALUES);
        let (mut values, mut last) = (0u64, None);
        for tensor in dicts.iter().flat_map(|dict| &dict.tensors) {
            let Some(storage) = storages.get(tensor.storage) else { continue };
            values = values.saturating_add(read(tensor, storage));
            // The storage that was inflated last is kept, but no other.
            if last != Some(tensor.storage) && matches!(&storage.place, Place::Zip(entry) if entry.deflated) {
                values = values.saturating_add(storage.bytes / VALUE_BYTES);
            }
            last = Some(tensor.storage);
        }
        Self { values, most }
    }

    /// `checkpoint-limit` if the file unfolds to more than its length allows.
    pub fn check(&self) -> Result<()> {
        if self.values <= self.most { Ok(()) } else { fail(Code::CheckpointLimit, self.text(self.values)) }
    }

    /// `checkpoint-limit` if so many bytes were inflated, whatever order tensors are read in, and however often.
    pub fn check_inflated(&self, bytes: u64) -> Result<()> {
        let values = bytes / VALUE_BYTES;
        // Several networks may be read from one file, each of them once.
        if values <= self.most.saturating_mul(4) { Ok(()) } else { fail(Code::CheckpointLimit, self.text(values)) }
    }

    fn text(&self, values: u64) -> String {
        format!(
            "The tensors unfold to {values} values, but infill reads at most {} from a file of this length. They are many \
             views of the same storages, or compressed far more than weights can be. Save each tensor as a copy of its \
             own (tensor.clone()), uncompressed.",
            self.most
        )
    }
}

/// Values that are read for one tensor: those it spans, or where it lies scattered the pieces around each.
fn read(tensor: &TensorInfo, storage: &Storage) -> u64 {
    let (count, span) = check(tensor, storage.bytes).unwrap_or_default();
    count.max(span.min(count.saturating_mul(PIECE_ELEMENTS))) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::DType;
    use crate::checkpoint::tensors::contiguous_stride;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn view(shape: &[usize], stride: &[usize]) -> TensorInfo {
        let (shape, stride) = (shape.to_vec(), stride.to_vec());
        TensorInfo { key: "w".to_owned(), shape, stride, dtype: DType::F32, storage: 0, offset: 0 }
    }

    /// What so many tensors like this one unfold to, in a file that holds their storage of 100 MB and nothing else.
    fn outcome(tensor: TensorInfo, times: usize) -> Result<()> {
        let storage = Storage::new(Place::At(0), 100_000_000);
        let dict = StateDict { tensors: vec![tensor; times], ..StateDict::default() };
        Unfolded::new(&[dict], &[storage], 100_000_000).check()
    }

    #[test]
    fn a_storage_may_be_shown_several_times_but_not_without_end() {
        let whole = view(&[5000, 5000], &contiguous_stride(&[5000, 5000]));
        assert!(outcome(whole.clone(), 30).is_ok());
        assert_eq!(outcome(whole, 40).unwrap_err().code, Code::CheckpointLimit);
        // Few values, but each time the whole storage is read for them.
        let scattered = view(&[2000], &[12_500]);
        assert!(outcome(scattered.clone(), 30).is_ok());
        assert_eq!(outcome(scattered, 40).unwrap_err().code, Code::CheckpointLimit);
        let repeated = view(&[4_000_000], &[0]);
        assert!(outcome(repeated.clone(), 190).is_ok());
        assert_eq!(outcome(repeated, 210).unwrap_err().code, Code::CheckpointLimit);
    }
}
