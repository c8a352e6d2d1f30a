//! Published networks that infill does not run, told by their keys so that people know what they hold.

use crate::checkpoint::StateDict;

/// A published network that is not run.
pub struct Relative {
    /// Name for people.
    pub name: &'static str,
    /// What would be missing to run it, as a sentence; empty where nothing more is to be said.
    pub needs: &'static str,
    /// Parts of keys (or of what lies beside the state dict) that all must occur.
    keys: &'static [&'static str],
    /// Parts of which none may occur.
    without: &'static [&'static str],
    /// A shape that some tensor must have, where names alone would fit others too; empty where they suffice.
    shape: &'static [usize],
    /// Whether its keys would fit, or nearly fit, a network that is run, whose picture would be wrong.
    withheld: bool,
}

/// One whose keys are like no other's.
const fn named(name: &'static str, keys: &'static [&'static str]) -> Relative {
    Relative { name, needs: "", keys, without: &[], shape: &[], withheld: false }
}

/// One that is another network's sibling.
const fn sibling(name: &'static str, keys: &'static [&'static str], needs: &'static str) -> Relative {
    Relative { name, needs, keys, without: &[], shape: &[], withheld: true }
}

const RELATIVES: [Relative; 9] = [
    sibling(
        "LaMa MPE",
        &["str_state_dict"],
        "It is LaMa that also takes the distance and the direction to the hole's edge, which infill does not compute.",
    ),
    sibling(
        "LaMa with local Fourier units",
        &["convg2g.lfu."],
        "Its spectral transforms have a second unit, over quarters of the picture.",
    ),
    sibling("LaMa with gates", &["ffc.gate."], "Its local and global features pass each other through gates."),
    sibling(
        "LaMa with squeeze and excitation",
        &["convg2g.fu.se."],
        "Its Fourier units weigh their channels by the mean of the whole spectrum.",
    ),
    Relative {
        without: &["10.conv_block."],
        ..sibling(
            "LaMa without Fourier convolutions (regular or dilated)",
            &["13.conv_block."],
            "It is another network of the same authors, with plain or dilated residual blocks.",
        )
    },
    named("LaMa", &["ffc.convl2l"]),
    named("MI-GAN in its training form, or CoModGAN", &["encoder.b", "synthesis.b"]),
    named("EdgeConnect's discriminator", &["conv1.0.weight_orig", "conv5.0.weight_orig"]),
    // Every DCGAN calls its layers so; this one has a bottleneck of 4000 channels.
    Relative { shape: &[4000, 512, 4, 4], ..named("Pathak's Context Encoder", &["main.0.weight"]) },
];

impl Relative {
    fn is(&self, dict: &StateDict) -> bool {
        let occurs = |part: &&str| {
            let beside = || dict.siblings.iter().any(|name| name == part);
            dict.tensors.iter().any(|tensor| tensor.key.contains(*part)) || beside()
        };
        let has_shape = self.shape.is_empty() || dict.tensors.iter().any(|tensor| tensor.shape == self.shape);
        has_shape && self.keys.iter().all(occurs) && !self.without.iter().any(occurs)
    }

    /// What it is, in sentences that begin with "They look like".
    pub fn told(&self) -> String {
        let needs = if self.needs.is_empty() { String::new() } else { format!(" {}", self.needs) };
        format!("They look like {}, which infill does not run.{needs}", self.name)
    }
}

/// The network that these keys look like, if it is one of those.
pub fn relative(dict: &StateDict) -> Option<&'static Relative> {
    RELATIVES.iter().find(|relative| relative.is(dict))
}

/// Whether these keys must not be taken for those of a network that is run.
pub fn is_withheld(dict: &StateDict) -> bool {
    RELATIVES.iter().any(|relative| relative.withheld && relative.is(dict))
}
