//! Guided patch synthesis: the photo's own detail at full resolution.
