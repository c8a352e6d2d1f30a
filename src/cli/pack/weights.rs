//! Weights in half precision, as safetensors.

use half::f16;
use safetensors::{Dtype, tensor::TensorView};

use super::Arguments;
use crate::checkpoint::{Checkpoint, DType, TensorInfo};
use crate::error::{Code, Error, Result};
use crate::models::Role;
use crate::models::load::Loaded;

/// A tensor that is written: its key, type, shape and bytes.
type Stored = (String, Dtype, Vec<usize>, Vec<u8>);

/// The state dict of the network that paints, as safetensors in f16 under the network's own keys.
///
/// `weights-not-finite` if a value is too large for f16.
pub fn half(arguments: &Arguments, networks: &[Loaded]) -> Result<Vec<u8>> {
    let mut checkpoint = crate::cli::open_checkpoint(&arguments.weights)?;
    let painter = networks.iter().find(|loaded| loaded.model.role == Role::Paints);
    let found = painter.map(Loaded::found).ok_or_else(|| Error::new(Code::Internal, "Nothing paints."))?;
    let dict = checkpoint.state_dicts().get(found.dict).cloned().unwrap_or_default();
    let view = found.names.view(&dict).into_owned();
    let stored = view.tensors.iter().filter_map(|info| stored(checkpoint.as_mut(), info).transpose());
    let stored: Vec<Stored> = stored.collect::<Result<_>>()?;
    let internal = |error| Error::new(Code::Internal, format!("The weights cannot be written: {error}"));
    let views = stored.iter().map(|(key, dtype, shape, bytes)| {
        TensorView::new(*dtype, shape.clone(), bytes).map(|view| (key.as_str(), view))
    });
    let views = views.collect::<Result<Vec<_>, _>>().map_err(internal)?;
    safetensors::serialize(views, None).map_err(internal)
}

/// One tensor; `None` for counters, which no network computes with.
fn stored(checkpoint: &mut dyn Checkpoint, info: &TensorInfo) -> Result<Option<Stored>> {
    let is_float = matches!(info.dtype, DType::F64 | DType::F32 | DType::F16 | DType::BF16);
    if !is_float && info.key.ends_with("num_batches_tracked") {
        return Ok(None);
    }
    let (mut bytes, mut largest) = (Vec::new(), 0.0f32);
    checkpoint.pieces(info, &mut |values| {
        for &value in values {
            largest = if value.is_finite() { largest.max(value.abs()) } else { largest };
            match is_float {
                true => bytes.extend(f16::from_f32(value).to_le_bytes()),
                false => bytes.extend(value.to_le_bytes()),
            }
        }
        Ok(())
    })?;
    if is_float && largest > f16::MAX.to_f32() {
        let text = format!("{} holds {largest}, which half precision cannot hold. Use --store as-is.", info.key);
        return Err(Error::new(Code::WeightsNotFinite, text).with_keys(vec![info.key.clone()]));
    }
    let dtype = if is_float { Dtype::F16 } else { Dtype::F32 };
    Ok(Some((info.key.clone(), dtype, info.shape.clone(), bytes)))
}
