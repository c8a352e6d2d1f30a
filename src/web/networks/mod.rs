//! Reading checkpoints and filling photos.

mod blob;
#[cfg(feature = "reference")]
mod check;
#[cfg(feature = "classes")]
mod classes;
mod forward;
mod models;
mod photo;
mod preview;
mod speed;
mod threads;
mod warm;

#[cfg(feature = "reference")]
pub use check::check;
#[cfg(feature = "classes")]
pub use classes::python;
pub use forward::Forward;
pub use models::{Models, models};
#[cfg(target_feature = "atomics")]
pub use threads::join_threads;
pub use threads::{simd, thread_count};
