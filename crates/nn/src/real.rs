//! The two number types the operator works in, scalar and in vector registers.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

use pulp::{Simd, WithSimd};

use crate::arithmetic::{dispatch, rounds_twice};

/// `f32` or `f64`.
pub(crate) trait Real:
    Copy
    + Debug
    + Default
    + Send
    + Sync
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + 'static
{
    /// A vector register of this type.
    type Lanes<S: Simd>: Copy;

    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;

    /// The nearest value to `x`.
    fn of(x: f64) -> Self;
    /// This value in double precision.
    fn wide(self) -> f64;
    /// e to this power, the same bits on every machine.
    fn exp(self) -> Self;
    /// `self · b + c`, rounded once.
    fn fused(self, b: Self, c: Self) -> Self;

    /// Values in a register.
    fn lanes<S: Simd>() -> usize;
    /// A slice as registers; its length is a multiple of [`Real::lanes`].
    fn registers<S: Simd>(slice: &[Self]) -> &[Self::Lanes<S>];
    /// As [`Real::registers`], to write.
    fn registers_mut<S: Simd>(slice: &mut [Self]) -> &mut [Self::Lanes<S>];
    /// The value in every lane.
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Lanes<S>;
    /// Sum, lane by lane.
    fn lanes_add<S: Simd>(simd: S, a: Self::Lanes<S>, b: Self::Lanes<S>) -> Self::Lanes<S>;
    /// Difference, lane by lane.
    fn lanes_sub<S: Simd>(simd: S, a: Self::Lanes<S>, b: Self::Lanes<S>) -> Self::Lanes<S>;
    /// Product, lane by lane.
    fn lanes_mul<S: Simd>(simd: S, a: Self::Lanes<S>, b: Self::Lanes<S>) -> Self::Lanes<S>;
    /// `a · b + c`, rounded once, but for [`rounds_twice`].
    fn lanes_mul_add<S: Simd>(
        simd: S,
        a: Self::Lanes<S>,
        b: Self::Lanes<S>,
        c: Self::Lanes<S>,
    ) -> Self::Lanes<S>;
    /// Hyperbolic tangent, lane by lane.
    fn lanes_tanh<S: Simd>(simd: S, x: Self::Lanes<S>) -> Self::Lanes<S>;

    /// Logistic function 1/(1 + e⁻ˣ) = ½ + ½ tanh(x/2).
    #[inline(always)]
    fn lanes_sigmoid<S: Simd>(simd: S, x: Self::Lanes<S>) -> Self::Lanes<S> {
        let half = Self::splat(simd, Self::of(0.5));
        let tanh = Self::lanes_tanh(simd, Self::lanes_mul(simd, half, x));
        Self::lanes_mul_add(simd, half, tanh, half)
    }
}

/// Values of type `T` in a register of those that are used.
pub(crate) fn lanes<T: Real>() -> usize {
    struct Lanes<T>(PhantomData<T>);
    impl<T: Real> WithSimd for Lanes<T> {
        type Output = usize;
        fn with_simd<S: Simd>(self, _: S) -> usize {
            T::lanes::<S>()
        }
    }
    dispatch(Lanes::<T>(PhantomData))
}

/// Beyond ±this the rational approximation of tanh is ±1 to the last bit of `f32`.
const TANH_LIMIT: f32 = 7.905_311;

/// tanh x ≈ x·P(x²)/Q(x²): coefficients of P, highest power first. These are the minimax
/// coefficients in common use in Eigen and XLA; the error is below 4e-7 (tested here).
const TANH_P: [f32; 7] = [
    -2.760_768_5e-16,
    2.000_187_9e-13,
    -8.604_671_5e-11,
    5.122_297_1e-8,
    1.485_722_4e-5,
    6.372_619_3e-4,
    4.893_524_6e-3,
];

/// Coefficients of Q, highest power first.
const TANH_Q: [f32; 4] = [1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3];

/// Horner's rule in vector registers.
#[inline(always)]
fn polynomial<S: Simd>(simd: S, x: S::f32s, coefficients: &[f32]) -> S::f32s {
    let mut sum = simd.splat_f32s(coefficients[0]);
    for &c in &coefficients[1..] {
        sum = f32::lanes_mul_add(simd, sum, x, simd.splat_f32s(c));
    }
    sum
}

macro_rules! vector_operations {
    ($real:ty, $exp:path, $lanes:ident, $count:ident, $as:ident, $as_mut:ident, $splat:ident,
     $add:ident, $sub:ident, $mul:ident, $mul_add:ident) => {
        const ZERO: Self = 0.0;
        const ONE: Self = 1.0;

        #[inline(always)]
        fn exp(self) -> Self {
            $exp(self)
        }
        #[inline(always)]
        fn fused(self, b: Self, c: Self) -> Self {
            <$real>::mul_add(self, b, c)
        }
        #[inline(always)]
        fn lanes<S: Simd>() -> usize {
            S::$count
        }
        #[inline(always)]
        fn registers<S: Simd>(slice: &[Self]) -> &[Self::Lanes<S>] {
            S::$as(slice).0
        }
        #[inline(always)]
        fn registers_mut<S: Simd>(slice: &mut [Self]) -> &mut [Self::Lanes<S>] {
            S::$as_mut(slice).0
        }
        #[inline(always)]
        fn splat<S: Simd>(simd: S, x: Self) -> Self::Lanes<S> {
            simd.$splat(x)
        }
        #[inline(always)]
        fn lanes_add<S: Simd>(simd: S, a: Self::Lanes<S>, b: Self::Lanes<S>) -> Self::Lanes<S> {
            simd.$add(a, b)
        }
        #[inline(always)]
        fn lanes_sub<S: Simd>(simd: S, a: Self::Lanes<S>, b: Self::Lanes<S>) -> Self::Lanes<S> {
            simd.$sub(a, b)
        }
        #[inline(always)]
        fn lanes_mul<S: Simd>(simd: S, a: Self::Lanes<S>, b: Self::Lanes<S>) -> Self::Lanes<S> {
            simd.$mul(a, b)
        }
        #[inline(always)]
        fn lanes_mul_add<S: Simd>(
            simd: S,
            a: Self::Lanes<S>,
            b: Self::Lanes<S>,
            c: Self::Lanes<S>,
        ) -> Self::Lanes<S> {
            if rounds_twice::<S>() { simd.$add(simd.$mul(a, b), c) } else { simd.$mul_add(a, b, c) }
        }
    };
}

impl Real for f32 {
    type Lanes<S: Simd> = S::f32s;

    vector_operations!(
        f32,
        libm::expf,
        f32s,
        F32_LANES,
        as_simd_f32s,
        as_mut_simd_f32s,
        splat_f32s,
        add_f32s,
        sub_f32s,
        mul_f32s,
        mul_add_f32s
    );

    #[inline(always)]
    fn of(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn lanes_tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
        let limit = simd.splat_f32s(TANH_LIMIT);
        let x = simd.max_f32s(simd.min_f32s(x, limit), simd.splat_f32s(-TANH_LIMIT));
        let square = simd.mul_f32s(x, x);
        let p = simd.mul_f32s(x, polynomial(simd, square, &TANH_P));
        simd.div_f32s(p, polynomial(simd, square, &TANH_Q))
    }
}

impl Real for f64 {
    type Lanes<S: Simd> = S::f64s;

    vector_operations!(
        f64,
        libm::exp,
        f64s,
        F64_LANES,
        as_simd_f64s,
        as_mut_simd_f64s,
        splat_f64s,
        add_f64s,
        sub_f64s,
        mul_f64s,
        mul_add_f64s
    );

    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    /// Double precision serves checks, not speed: one lane after the other.
    #[inline(always)]
    fn lanes_tanh<S: Simd>(_: S, x: S::f64s) -> S::f64s {
        let mut lanes = x;
        for lane in bytemuck::cast_slice_mut::<S::f64s, f64>(std::slice::from_mut(&mut lanes)) {
            *lane = libm::tanh(*lane);
        }
        lanes
    }
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::*;

    struct Apply<'a, T>(&'a mut [T]);

    impl<T: Real> WithSimd for Apply<'_, T> {
        type Output = ();
        fn with_simd<S: Simd>(self, simd: S) {
            for lanes in T::registers_mut::<S>(self.0) {
                *lanes = T::lanes_tanh(simd, *lanes);
            }
        }
    }

    #[test]
    fn tanh_is_close_everywhere() {
        let inputs: Vec<f32> = (-160_000..160_000).map(|i| i as f32 * 1e-4).collect();
        let mut outputs = inputs.clone();
        Arch::new().dispatch(Apply(&mut outputs));
        for (&x, &y) in inputs.iter().zip(&outputs) {
            let exact = f64::from(x).tanh();
            assert!((f64::from(y) - exact).abs() <= 4e-7, "tanh({x}) = {y}, not {exact}");
        }
    }

    #[test]
    fn double_tanh_is_the_exact_one() {
        let mut values: Vec<f64> = (-32..32).map(|i| f64::from(i) * 0.37).collect();
        let exact: Vec<f64> = values.iter().map(|x| x.tanh()).collect();
        Arch::new().dispatch(Apply(&mut values));
        for (value, exact) in values.into_iter().zip(exact) {
            assert!((value - exact).abs() <= 2.0 * f64::EPSILON, "{value}, not {exact}");
        }
    }
}
