//! Published networks that infill does not run, told by their keys so that people know what they hold.

use crate::checkpoint::StateDict;

/// Names for people, and parts of keys that all must occur.
const RELATIVES: [(&str, &[&str]); 7] = [
    ("LaMa", &["ffc.convl2l"]),
    ("MI-GAN in its training form, or CoModGAN", &["encoder.b", "synthesis.b"]),
    ("AOT-GAN", &["middle.0.block00.1"]),
    ("DeepFillv2", &["stage1.conv1.conv"]),
    ("a partial convolution network", &["enc_1.conv"]),
    ("EdgeConnect's discriminator", &["conv1.0.weight_orig", "conv5.0.weight_orig"]),
    ("Pathak's Context Encoder", &["main.0.weight", "main."]),
];

/// The network that these keys look like, if it is one of those.
pub fn name(dict: &StateDict) -> Option<&'static str> {
    let holds = |part: &&str| dict.tensors.iter().any(|tensor| tensor.key.contains(*part));
    RELATIVES.iter().find(|(_, parts)| parts.iter().all(holds)).map(|&(name, _)| name)
}
