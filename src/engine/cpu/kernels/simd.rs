//! Eight f32 at a time, behind one trait: two 128-bit registers in wasm, one 256-bit register natively, or plain code.

/// Eight lanes. Every function is a handful of instructions.
///
/// # Safety
/// `load`, `store` and `splat_from` read or write 8, 8 and 1 values at the pointer, which need not be aligned.
/// Implementations that need an instruction set may only be used inside functions that enable it.
#[allow(missing_docs)] // the names are the operations
pub trait Simd: Copy {
    fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// One value in all lanes.
    unsafe fn splat_from(from: *const f32) -> Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    /// `self + a * b`, fused where the machine fuses.
    fn madd(self, a: Self, b: Self) -> Self;
    /// Lane-wise `max`.
    fn max(self, other: Self) -> Self;
    /// Lane-wise `min`.
    fn min(self, other: Self) -> Self;
}

/// Plain code; the compiler makes what SIMD it can of it.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[derive(Clone, Copy)]
pub struct Scalar([f32; 8]);

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
impl Simd for Scalar {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; 8])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the trait's contract; an array has the alignment of its elements.
        Self(unsafe { from.cast::<[f32; 8]>().read() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the trait's contract.
        unsafe { to.cast::<[f32; 8]>().write(self.0) }
    }
    #[inline(always)]
    unsafe fn splat_from(from: *const f32) -> Self {
        // SAFETY: the trait's contract.
        Self([unsafe { *from }; 8])
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }
    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] - other.0[i]))
    }
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] * other.0[i]))
    }
    #[inline(always)]
    fn madd(self, a: Self, b: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + a.0[i] * b.0[i]))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| if self.0[i] > other.0[i] { self.0[i] } else { other.0[i] }))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| if self.0[i] < other.0[i] { self.0[i] } else { other.0[i] }))
    }
}

/// AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
pub mod avx {
    use super::Simd;
    use std::arch::x86_64::*;

    /// One 256-bit register.
    #[derive(Clone, Copy)]
    pub struct Avx(__m256);

    // SAFETY (all blocks): only used inside functions that enable avx2 and fma, see the trait's contract.
    impl Simd for Avx {
        #[inline(always)]
        fn splat(value: f32) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_set1_ps(value) })
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_loadu_ps(from) })
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: see above.
            unsafe { _mm256_storeu_ps(to, self.0) }
        }
        #[inline(always)]
        unsafe fn splat_from(from: *const f32) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_broadcast_ss(&*from) })
        }
        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_add_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn minus(self, other: Self) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_sub_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn times(self, other: Self) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_mul_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn madd(self, a: Self, b: Self) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_fmadd_ps(a.0, b.0, self.0) })
        }
        #[inline(always)]
        fn max(self, other: Self) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_max_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn min(self, other: Self) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_min_ps(self.0, other.0) })
        }
    }
}

/// simd128, with relaxed multiply-adds where the build has them.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub mod wasm {
    use super::Simd;
    use std::arch::wasm32::*;

    /// Two 128-bit registers.
    #[derive(Clone, Copy)]
    pub struct Wasm(v128, v128);

    impl Simd for Wasm {
        #[inline(always)]
        fn splat(value: f32) -> Self {
            let v = f32x4_splat(value);
            Self(v, v)
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the trait's contract.
            unsafe { Self(v128_load(from.cast()), v128_load(from.add(4).cast())) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the trait's contract.
            unsafe {
                v128_store(to.cast(), self.0);
                v128_store(to.add(4).cast(), self.1);
            }
        }
        #[inline(always)]
        unsafe fn splat_from(from: *const f32) -> Self {
            // SAFETY: the trait's contract.
            let v = unsafe { v128_load32_splat(from.cast()) };
            Self(v, v)
        }
        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            Self(f32x4_add(self.0, other.0), f32x4_add(self.1, other.1))
        }
        #[inline(always)]
        fn minus(self, other: Self) -> Self {
            Self(f32x4_sub(self.0, other.0), f32x4_sub(self.1, other.1))
        }
        #[inline(always)]
        fn times(self, other: Self) -> Self {
            Self(f32x4_mul(self.0, other.0), f32x4_mul(self.1, other.1))
        }
        #[cfg(target_feature = "relaxed-simd")]
        #[inline(always)]
        fn madd(self, a: Self, b: Self) -> Self {
            Self(f32x4_relaxed_madd(a.0, b.0, self.0), f32x4_relaxed_madd(a.1, b.1, self.1))
        }
        #[cfg(not(target_feature = "relaxed-simd"))]
        #[inline(always)]
        fn madd(self, a: Self, b: Self) -> Self {
            self.plus(Self(f32x4_mul(a.0, b.0), f32x4_mul(a.1, b.1)))
        }
        #[inline(always)]
        fn max(self, other: Self) -> Self {
            Self(f32x4_pmax(other.0, self.0), f32x4_pmax(other.1, self.1))
        }
        #[inline(always)]
        fn min(self, other: Self) -> Self {
            Self(f32x4_pmin(other.0, self.0), f32x4_pmin(other.1, self.1))
        }
    }
}
