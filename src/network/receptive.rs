//! Which input pixels an output pixel depends on.

use super::Network;
use super::ops::Reach;

/// Along one axis: output pixel `o` sees the inputs from `o * step + start`, `size` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ReceptiveField {
    pub step: usize,
    pub start: i64,
    pub size: usize,
}

impl Network {
    /// Height and width; `None` unless the network is a chain of convolutions and what works pixel by pixel.
    pub fn receptive_field(&self) -> Option<[ReceptiveField; 2]> {
        let mut fields = [ReceptiveField { step: 1, start: 0, size: 1 }; 2];
        for (index, node) in self.nodes.iter().enumerate() {
            if index == 0 && node.op.arity() == (0, 0) {
                continue;
            }
            if node.inputs.len() != 1 || node.inputs[0].node + 1 != index {
                return None;
            }
            let sides = match node.op.reach() {
                Reach::Pixel => continue,
                Reach::Window(sides) => sides,
                Reach::Everything => return None,
            };
            for (field, side) in fields.iter_mut().zip(sides) {
                let reach = side.kernel.checked_sub(1)?.checked_mul(side.dilation)?.checked_mul(field.step)?;
                field.size = field.size.checked_add(reach)?;
                let before = i64::try_from(side.padding.checked_mul(field.step)?).ok()?;
                field.start = field.start.checked_sub(before)?;
                field.step = field.step.checked_mul(side.stride)?;
            }
        }
        Some(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::by_id;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_cell_of_the_discriminator_sees_94_pixels() {
        let model = by_id("image-pair-discriminator").unwrap();
        let field = ReceptiveField { step: 16, start: -15, size: 94 };
        assert_eq!(model.network(&model.published()).receptive_field(), Some([field; 2]));
        let generator = by_id("context-encoder").unwrap();
        assert_eq!(generator.network(&generator.published()).receptive_field(), None);
    }
}
