//! The networks infill knows, as data: one file per architecture, a registry of them, and how to tell them apart.
//! `docs/adding-a-network.md` leads through adding one.

mod aot_gan;
pub mod config;
mod context_encoder;
mod context_unet;
pub mod conventions;
mod cyclegan_resnet;
mod deepfill;
mod deepfill_zhaoyuzhi;
mod edgeconnect;
pub mod exported;
pub mod fold;
pub mod for_class;
pub mod identify;
mod image_pair;
mod lama;
mod lifted;
pub mod load;
mod migan;
pub mod names;
mod norm_kind;
mod partial_convolution;
pub mod pasted;
mod pix2pix_unet;
mod prose;
mod pytorch_gan_context_encoder;
mod registry;
mod relatives;
pub mod spec;
pub mod spelling;
mod starter;
mod weights;

pub use config::{ArchConfig, ArchParameter, Found, Keys};
pub use conventions::{
    Beyond, Blend, Channel, ChannelRange, Colour, Conventions, HoleValue, InputTensor, MaskMeans, NormStatistics,
    OutputCovers, Range, SizeRule, Source,
};
pub use names::KeyNames;
pub use prose::is_sibling;
pub use registry::{by_id, register, registry};
pub use relatives::{Relative, is_withheld, relative};
pub use spec::{Benchmark, ClassHint, KeyRules, KeyTransform, ModelSpec, Role};

/// Every network, in the order in which they are tried.
fn known() -> Vec<ModelSpec> {
    vec![
        context_encoder::spec(),
        edgeconnect::inpaint(),
        edgeconnect::edge(),
        image_pair::generator(),
        image_pair::discriminator(),
        starter::spec(),
        context_unet::spec(),
        lama::spec(),
        aot_gan::spec(),
        deepfill::pytorch(),
        deepfill::tensorflow(),
        deepfill_zhaoyuzhi::spec(),
        partial_convolution::spec(),
        migan::side_512(),
        migan::side_256(),
        migan::other_side(),
        pix2pix_unet::spec(),
        cyclegan_resnet::spec(),
        pytorch_gan_context_encoder::spec(),
    ]
}
