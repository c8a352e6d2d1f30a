//! The inner loops, and the only home of `unsafe` in the engine.
//!
//! [`product`] multiplies gathered rows with packed weights; [`winograd`] holds the transforms around it; [`pass`] are
//! one-pass operations. Each is written once over [`simd::Simd`] and compiled for what the build or the machine has.
//! Bounds are checked once per call, not per value. What cannot be checked is the contract of [`Shared`]: tasks that run
//! side by side write different places.

pub mod pass;
pub mod product;
pub mod simd;
pub mod winograd;

use crate::network::Activation;

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

/// Runs `$function::<S>(args)` with the widest instructions there are.
macro_rules! dispatch {
    ($name:ident => $body:ident($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)?) => {
        #[allow(clippy::too_many_arguments)]
        #[inline]
        pub(in crate::engine::fast) unsafe fn $name($($arg: $type),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                unsafe fn wide($($arg: $type),*) $(-> $out)? {
                    // SAFETY: the caller's contract.
                    unsafe { $body::<$crate::engine::fast::kernels::simd::avx::Avx>($($arg),*) }
                }
                if $crate::engine::fast::kernels::has_avx() {
                    // SAFETY: the machine has AVX2 and FMA; else the caller's contract.
                    return unsafe { wide($($arg),*) };
                }
            }
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            // SAFETY: the caller's contract.
            return unsafe { $body::<$crate::engine::fast::kernels::simd::wasm::Wasm>($($arg),*) };
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            // SAFETY: the caller's contract.
            unsafe { $body::<$crate::engine::fast::kernels::simd::Scalar>($($arg),*) }
        }
    };
}
pub(crate) use dispatch;

/// Whether the AVX2 kernels run here.
#[cfg(target_arch = "x86_64")]
pub fn has_avx() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

/// A slice that several tasks write at once, each its own places.
#[derive(Clone, Copy)]
pub struct Shared {
    start: *mut f32,
    length: usize,
}

// SAFETY: see the module's contract: tasks write different places.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// Shares a slice for as long as the caller keeps it borrowed.
    pub fn new(values: &mut [f32]) -> Self {
        Self { start: values.as_mut_ptr(), length: values.len() }
    }

    /// A place in it.
    ///
    /// # Safety
    /// `at + count` must lie inside.
    #[inline(always)]
    unsafe fn place(&self, at: usize, count: usize) -> *mut f32 {
        debug_assert!(at + count <= self.length, "{at} + {count} > {}", self.length);
        // SAFETY: inside the slice.
        unsafe { self.start.add(at) }
    }

    /// Stores eight values. Panics if they do not lie inside.
    pub fn store(&self, at: usize, values: &[f32; LANES]) {
        assert!(at.checked_add(LANES).is_some_and(|end| end <= self.length));
        // SAFETY: inside the slice, and by the module's contract this task's alone.
        unsafe { self.start.add(at).cast::<[f32; LANES]>().write_unaligned(*values) }
    }
}

/// What happens to an output value before it is stored: `activation(sum)`, then the residual.
#[derive(Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// Applied to the sum.
    pub activation: Option<Activation>,
    /// Values to be added afterwards, laid out as the output is.
    pub plus: Option<&'a [f32]>,
}

/// An activation on eight lanes.
#[inline(always)]
fn activate<S: simd::Simd>(activation: Option<Activation>, x: S) -> S {
    match activation {
        None => x,
        Some(Activation::ReLU) => x.max(S::splat(0.0)),
        // Right for every slope: the positive part as it is, the negative one scaled.
        Some(Activation::LeakyReLU { slope }) => x.max(S::splat(0.0)).madd(x.min(S::splat(0.0)), S::splat(slope)),
        Some(other) => {
            let mut values = [0.0; LANES];
            // SAFETY: eight values.
            unsafe {
                x.store(values.as_mut_ptr());
                values.iter_mut().for_each(|v| *v = pass::activation(other, *v));
                S::load(values.as_ptr())
            }
        }
    }
}
