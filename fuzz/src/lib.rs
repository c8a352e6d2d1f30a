//! What the fuzz targets share: what is done with an input, and how structured inputs become files.

pub mod checkpoints;
pub mod network;
pub mod pictures;
