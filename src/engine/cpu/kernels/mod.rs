//! The inner loops, and the only home of `unsafe` in the engine.
//!
//! [`product`] multiplies gathered rows with packed weights; [`winograd`] holds the transforms around it; [`depthwise`]
//! filters every channel by itself; [`fft`] transforms rows and columns; [`pointwise`] is what happens to their sums before they are stored; [`pass`] are
//! one-pass operations. Each is written once over [`simd::Simd`] and compiled for what the build or the machine has.
//!
//! Every public function is safe for whatever it is called with: it checks all bounds once per call, not per value, and
//! panics where they do not hold. Nothing writes but through a `&mut` slice, or through a [`part::Part`]: several tasks
//! can write one output at once because [`part::Grid::split`] hands out parts that do not overlap.

#![allow(unsafe_code)]

pub mod depthwise;
pub mod elementwise;
pub mod fft;
pub mod part;
pub mod pointwise;
pub mod product;
mod simd;
pub mod winograd;

pub use pointwise::Epilogue;

use std::marker::PhantomData;

/// Output channels of a tile.
pub const LANES: usize = 8;

/// Output pixels of a tile: as many as the registers hold. 5 x 8 is what plain simd128 keeps (its multiply-add needs a
/// temporary), 6 x 8 relaxed simd128, 12 x 8 AVX2.
#[cfg(all(target_arch = "wasm32", not(target_feature = "relaxed-simd")))]
pub const ROWS: usize = 5;
/// Output pixels of a tile.
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
pub const ROWS: usize = 6;
/// Output pixels of a tile.
#[cfg(not(target_arch = "wasm32"))]
pub const ROWS: usize = 12;

/// Defines `unsafe fn $name`, which runs `$body::<S>` with the widest instructions there are. Its contract is `$body`'s.
macro_rules! dispatch {
    ($name:ident => $body:ident($($arg:ident: $type:ty),* $(,)?)) => {
        #[allow(clippy::too_many_arguments)]
        #[inline]
        unsafe fn $name($($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                unsafe fn wide($($arg: $type),*) {
                    // SAFETY: AVX2 and FMA are enabled here, as `Avx` asks for; the rest is the caller's contract.
                    unsafe { $body::<$crate::engine::cpu::kernels::simd::avx::Avx>($($arg),*) }
                }
                if $crate::engine::cpu::kernels::has_avx() {
                    // SAFETY: `has_avx` says that the machine has AVX2 and FMA; the rest is the caller's contract.
                    return unsafe { wide($($arg),*) };
                }
            }
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            // SAFETY: the whole build has simd128; the rest is the caller's contract.
            return unsafe { $body::<$crate::engine::cpu::kernels::simd::wasm::Wasm>($($arg),*) };
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            // SAFETY: plain code needs no instruction set; the rest is the caller's contract.
            unsafe { $body::<$crate::engine::cpu::kernels::simd::Scalar>($($arg),*) }
        }
    };
}
pub(crate) use dispatch;

/// Whether the AVX2 kernels run here.
#[cfg(target_arch = "x86_64")]
pub fn has_avx() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

/// A slice that is borrowed mutably for `'a`, as kernels write it. Copies may write at once, each its own places: that is
/// the contract of [`Shared::place`], and private to the kernels.
#[derive(Clone, Copy)]
struct Shared<'a> {
    start: *mut f32,
    length: usize,
    slice: PhantomData<&'a mut [f32]>,
}

// SAFETY: it stands for a `&mut [f32]`, which may be sent; who writes where is the contract of `place`.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above: a shared reference gives nothing that `place` does not guard.
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    /// Shares a slice for as long as it stays borrowed.
    fn new(values: &'a mut [f32]) -> Self {
        Self { start: values.as_mut_ptr(), length: values.len(), slice: PhantomData }
    }

    /// Where to write `count` values.
    ///
    /// # Safety
    /// `at + count <= length`, and nobody else reads or writes these places while the pointer is used.
    #[inline(always)]
    unsafe fn place(&self, at: usize, count: usize) -> *mut f32 {
        debug_assert!(at + count <= self.length, "{at} + {count} > {}", self.length);
        // SAFETY: the caller keeps `at` inside the slice.
        unsafe { self.start.add(at) }
    }
}
