//! What a user points at.

/// A click, or a stroke over a part of the photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// Places in photo pixels; those outside the photo count for nothing.
    pub points: Vec<(f32, f32)>,
    /// Whether the place belongs to the selection, or does not.
    pub adds: bool,
}
