//! What a file cannot tell: how a network is fed, and what its output means. Guessed per network, shown, and changeable.

/// Gives each variant its word: one spelling for flags, JSON and reports.
macro_rules! spelled {
    ($type:ident, $($variant:ident = $word:literal),+) => {
        impl $type {
            /// The words of the command line and of JSON.
            pub const WORDS: &[&str] = &[$($word),+];

            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// What a word stands for.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

/// Value range of a network's pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// 0 to 1.
    ZeroOne,
    /// -1 to 1.
    MinusOneOne,
    /// 0 to 1 less the mean of ImageNet's pictures, divided by their deviation, colour by colour.
    ImageNet,
}
spelled!(Range, ZeroOne = "0..1", MinusOneOne = "-1..1", ImageNet = "imagenet");

/// Mean and deviation of ImageNet's red, green and blue, as torchvision's weights have them.
const IMAGENET: [(f32, f32); 3] = [(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)];

impl Range {
    /// The middle of this range in 0..1, and how much of 0..1 a step of 1 is. What has no colour counts as green.
    fn middle(self, colour: Option<Colour>) -> (f32, f32) {
        match self {
            Self::ZeroOne => (0.0, 1.0),
            Self::MinusOneOne => (0.5, 0.5),
            Self::ImageNet => IMAGENET[colour.unwrap_or(Colour::Green) as usize],
        }
    }

    /// A value of 0..1 in this range.
    pub fn from_unit(self, value: f32, colour: Option<Colour>) -> f32 {
        let (middle, step) = self.middle(colour);
        (value - middle) / step
    }

    /// A value of this range in 0..1.
    pub fn to_unit(self, value: f32, colour: Option<Colour>) -> f32 {
        let (middle, step) = self.middle(colour);
        value * step + middle
    }
}

/// What stands in the hole of a network's input picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HoleValue {
    /// One value, in the input's range.
    Constant(f32),
    /// What surrounds the hole, continued smoothly.
    Smooth,
}

/// What a 1 in the mask channel says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskMeans {
    /// 1 is to be filled.
    Hole,
    /// 1 is known.
    Known,
}
spelled!(MaskMeans, Hole = "hole", Known = "known");

/// Which part of the input's field of view the output shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputCovers {
    /// The whole field, at whatever resolution.
    Field,
    /// The centre half (Pathak's context encoder).
    Centre,
}
spelled!(OutputCovers, Field = "field", Centre = "centre");

/// Which mean and variance batch norms take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormStatistics {
    /// Those gathered in training, as in `eval()`.
    Stored,
    /// Those of the picture at hand, as in `train()` with a batch of one.
    Picture,
}
spelled!(NormStatistics, Stored = "stored", Picture = "picture");

/// How the output is put into the photo where nothing sharpens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blend {
    /// Colours are matched where output and photo meet, and the hole's rim is blended inwards.
    Matched,
    /// As it is, which is how the authors of some networks run them.
    Pasted,
}
spelled!(Blend, Matched = "matched", Pasted = "pasted");

/// What a network is shown beyond the photo's borders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// The photo mirrored at its last pixels' centres, which occur once.
    Reflected,
    /// The photo mirrored at its border: its last pixels occur twice.
    Symmetric,
}
spelled!(Beyond, Reflected = "reflected", Symmetric = "symmetric");

impl Beyond {
    /// The photo's row or column, of `size`, that position `at` shows.
    pub fn source(self, at: i64, size: usize) -> usize {
        let size = size as i64;
        let folded = match self {
            Self::Reflected if size < 2 => 0,
            Self::Reflected => {
                let folded = at.rem_euclid(2 * (size - 1));
                folded.min(2 * (size - 1) - folded)
            }
            Self::Symmetric => {
                let folded = at.rem_euclid(2 * size.max(1));
                folded.min(2 * size.max(1) - 1 - folded)
            }
        };
        folded as usize
    }
}

/// A colour channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Colour {
    Red,
    Green,
    Blue,
}

impl Colour {
    /// Red, green and blue: the order of every picture here.
    pub const RGB: [Self; 3] = [Self::Red, Self::Green, Self::Blue];
}

/// What one channel of an input shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// The photo, its hole set to the conventions' hole value.
    Masked(Colour),
    /// The photo with whatever its hole holds.
    Whole(Colour),
    /// The photo's gray (scikit-image's `rgb2gray`), its hole set to the hole value.
    Gray,
    /// The mask, in the conventions' polarity.
    Mask,
    /// 1 where the photo is known, whatever the polarity.
    Known,
    /// Edges of the photo, completed inside the hole by a network that gives them, and by what the user drew.
    Edges,
    /// Edges of what is known, none inside the hole.
    KnownEdges,
    /// A second picture; where none is given, what [`crate::pipeline::SecondInput`] says.
    Second(Colour),
    /// Random numbers of a normal distribution, which follow from the seed of the fill.
    Noise,
    /// One number everywhere.
    Constant(f32),
}

impl Source {
    /// Which colour it shows, if one.
    pub fn colour(self) -> Option<Colour> {
        match self {
            Self::Masked(colour) | Self::Whole(colour) | Self::Second(colour) => Some(colour),
            _ => None,
        }
    }
}

/// The range of a channel's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelRange {
    /// That of the network's pictures.
    Picture,
    /// This one, whatever the pictures have.
    Fixed(Range),
}

/// One channel of an input tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Channel {
    /// What it shows.
    pub source: Source,
    /// The range of its values.
    pub range: ChannelRange,
    /// Added to every value: MI-GAN's mask is known - 0.5.
    pub offset: f32,
}

impl Channel {
    /// A channel in the range of the network's pictures.
    pub const fn picture(source: Source) -> Self {
        Self { source, range: ChannelRange::Picture, offset: 0.0 }
    }

    /// A channel of 0 to 1: a mask, edges.
    pub const fn unit(source: Source) -> Self {
        Self { source, range: ChannelRange::Fixed(Range::ZeroOne), offset: 0.0 }
    }

    /// The photo's three colours, the hole set to the hole value.
    pub fn masked_rgb() -> [Self; 3] {
        Colour::RGB.map(|colour| Self::picture(Source::Masked(colour)))
    }

    /// The second picture's three colours.
    pub fn second_rgb() -> [Self; 3] {
        Colour::RGB.map(|colour| Self::picture(Source::Second(colour)))
    }

    /// The range of its values under these conventions.
    pub fn values(&self, conventions: &Conventions) -> Range {
        match self.range {
            ChannelRange::Picture => conventions.input_range,
            ChannelRange::Fixed(range) => range,
        }
    }
}

/// One input tensor `[1, channels, H, W]`.
#[derive(Clone, Debug, PartialEq)]
pub struct InputTensor {
    /// Its channels, in order.
    pub channels: Vec<Channel>,
}

impl InputTensor {
    /// A tensor of these channels.
    pub fn new(channels: impl Into<Vec<Channel>>) -> Self {
        Self { channels: channels.into() }
    }

    /// What a picture-to-picture network of this many channels is most likely fed: gray or RGB with its hole filled, then the
    /// mask; of six, a second picture. Channels beyond are 0.
    pub fn of_channels(count: usize) -> Self {
        let mask = Channel::unit(Source::Mask);
        let gray = Channel::picture(Source::Gray);
        let mut channels = match count {
            0..=2 => vec![gray, mask],
            6 => [Channel::masked_rgb(), Channel::second_rgb()].concat(),
            _ => [&Channel::masked_rgb()[..], &[mask]].concat(),
        };
        channels.resize(count, Channel::unit(Source::Constant(0.0)));
        Self { channels }
    }

    /// A tensor of these words, each of which is one channel or three: see [`InputTensor::WORDS`]. The message names a word
    /// that is none.
    pub fn from_words(words: &[impl AsRef<str>]) -> Result<Self, String> {
        let each = |word: &str| -> Result<Vec<Channel>, String> {
            Ok(match word {
                "rgb" => Channel::masked_rgb().to_vec(),
                "photo" => Colour::RGB.map(|colour| Channel::picture(Source::Whole(colour))).to_vec(),
                "second" => Channel::second_rgb().to_vec(),
                "gray" => vec![Channel::picture(Source::Gray)],
                "mask" => vec![Channel::unit(Source::Mask)],
                "known" => vec![Channel::unit(Source::Known)],
                "edges" => vec![Channel::unit(Source::Edges)],
                "noise" => vec![Channel::unit(Source::Noise)],
                "zeros" => vec![Channel::unit(Source::Constant(0.0))],
                "ones" => vec![Channel::unit(Source::Constant(1.0))],
                other => return Err(format!("{other} is not one of {}", Self::WORDS.join(", "))),
            })
        };
        let channels = words.iter().map(|word| each(word.as_ref())).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { channels: channels.concat() })
    }

    /// What the channels of an input may show: the photo with its hole set to the hole value (three channels), the photo with
    /// whatever its hole holds (three), a second picture (three), and single channels.
    pub const WORDS: &[&str] = &["rgb", "photo", "second", "gray", "mask", "known", "edges", "noise", "zeros", "ones"];

    /// The words of its channels, where neighbouring colours are one word; an offset or an order of colours that no word says
    /// is lost.
    pub fn words(&self) -> Vec<&'static str> {
        let mut words = Vec::new();
        for channel in &self.channels {
            match channel.source {
                Source::Masked(Colour::Red) => words.push("rgb"),
                Source::Whole(Colour::Red) => words.push("photo"),
                Source::Second(Colour::Red) => words.push("second"),
                Source::Masked(_) | Source::Whole(_) | Source::Second(_) => {}
                Source::Gray => words.push("gray"),
                Source::Mask => words.push("mask"),
                Source::Known => words.push("known"),
                Source::Edges | Source::KnownEdges => words.push("edges"),
                Source::Noise => words.push("noise"),
                Source::Constant(1.0) => words.push("ones"),
                Source::Constant(_) => words.push("zeros"),
            }
        }
        words
    }

    /// RGB with its hole set to the hole value, and more channels after it.
    pub fn masked_rgb_and(more: &[Channel]) -> Self {
        Self::new([&Channel::masked_rgb()[..], more].concat())
    }
}

/// How the sides of the input are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeRule {
    /// Both sides must be a multiple of this.
    pub multiple: usize,
    /// Side the network was trained at: smaller windows are not asked of it.
    pub preferred: usize,
    /// Longest side at which it draws as well, at least `preferred`: up to it a window is shown unscaled, and a photo
    /// whole; beyond, the window is resampled to it.
    pub largest: usize,
    /// Whether the input must be a square of `preferred`.
    pub fixed: bool,
}

impl SizeRule {
    /// A square of this side, and nothing else.
    pub const fn fixed(side: usize) -> Self {
        Self { multiple: side, preferred: side, largest: side, fixed: true }
    }

    /// Any sides that are multiples of `multiple`; windows are resampled to `preferred`.
    pub const fn free(multiple: usize, preferred: usize) -> Self {
        Self { multiple, preferred, largest: preferred, fixed: false }
    }

    /// The same, but that windows up to this side are shown unscaled.
    pub const fn up_to(self, largest: usize) -> Self {
        Self { largest, ..self }
    }

    /// The rule to try where there is no memory for this one's largest window; `None` if that is what it prefers.
    pub fn smaller(self) -> Option<Self> {
        let less = (self.largest * 3 / 4 / self.multiple * self.multiple).max(self.preferred);
        (less < self.largest).then_some(Self { largest: less, ..self })
    }
}

/// How a network is fed, and what its output means.
#[derive(Clone, Debug, PartialEq)]
pub struct Conventions {
    /// The input tensors, in the order of `forward`'s arguments.
    pub inputs: Vec<InputTensor>,
    /// Value range of the input pictures.
    pub input_range: Range,
    /// Value range of the output; what lies outside is cut off.
    pub output_range: Range,
    /// What the hole's pixels are set to.
    pub hole_value: HoleValue,
    /// Mask polarity.
    pub mask_means: MaskMeans,
    /// What the output covers.
    pub output_covers: OutputCovers,
    /// How the output is put into the photo.
    pub blend: Blend,
    /// Sizes.
    pub size: SizeRule,
    /// What it sees where its window reaches beyond the photo.
    pub beyond: Beyond,
    /// Which mean and variance its batch norms take; `None` if it has no norm that stores any.
    pub norm_statistics: Option<NormStatistics>,
}

impl Conventions {
    /// RGB with its hole at the middle of -1..1, and a mask of which 1 is the hole; any side.
    pub fn rgb_and_mask() -> Self {
        Self {
            inputs: vec![InputTensor::masked_rgb_and(&[Channel::unit(Source::Mask)])],
            input_range: Range::MinusOneOne,
            output_range: Range::MinusOneOne,
            hole_value: HoleValue::Constant(0.0),
            mask_means: MaskMeans::Hole,
            output_covers: OutputCovers::Field,
            blend: Blend::Matched,
            size: SizeRule::free(1, 256),
            beyond: Beyond::Reflected,
            norm_statistics: Some(NormStatistics::Stored),
        }
    }

    /// Every channel of every input.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.inputs.iter().flat_map(|input| &input.channels)
    }

    /// Whether an input shows this.
    pub fn takes(&self, source: Source) -> bool {
        self.channels().any(|channel| channel.source == source)
    }

    /// Whether an input shows a second picture.
    pub fn takes_second(&self) -> bool {
        self.channels().any(|channel| matches!(channel.source, Source::Second(_)))
    }
}
