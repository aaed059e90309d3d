//! Frames side by side: one vector register holds one value of several consecutive frames.
//!
//! Every stage is written once, over [`Lanes`] of any width, without a shuffle and without fused
//! multiply-add. A frame's values therefore go through the same roundings whatever the instruction
//! set: all of them give the same bits, scalar code included.

use std::ops::{Add, Div, Mul, Range, Sub};

use pulp::{Simd, cast};

/// Frames that are computed together: as many as the widest register has lanes. Narrower ones take
/// several turns, so that rows come out at the same samples on every machine.
pub(crate) const BLOCK: usize = 16;

/// Bytes of the widest register.
const ALIGNMENT: usize = 64;

/// One single-precision value of each of `S::F32_LANES` frames.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<S: Simd> {
    simd: S,
    register: S::f32s,
}

impl<S: Simd> Lanes<S> {
    /// The values in a register.
    #[inline(always)]
    pub(crate) fn of(simd: S, register: S::f32s) -> Self {
        Self { simd, register }
    }

    /// The same value for every frame.
    #[inline(always)]
    pub(crate) fn splat(simd: S, value: f32) -> Self {
        Self::of(simd, simd.splat_f32s(value))
    }

    /// The first values of `values`, one for each frame.
    #[inline(always)]
    pub(crate) fn read(simd: S, values: &[f32]) -> Self {
        Self::of(simd, S::as_simd_f32s(values).0[0])
    }

    /// The register, to be stored.
    #[inline(always)]
    pub(crate) fn register(self) -> S::f32s {
        self.register
    }

    /// The bits of the values.
    #[inline(always)]
    pub(crate) fn bits(self) -> S::u32s {
        cast(self.register)
    }

    /// The values that have these bits.
    #[inline(always)]
    pub(crate) fn from_bits(simd: S, bits: S::u32s) -> Self {
        Self::of(simd, cast(bits))
    }

    /// Absolute values.
    #[inline(always)]
    pub(crate) fn abs(self) -> Self {
        let bits = self.simd.and_u32s(self.bits(), self.simd.splat_u32s(0x7fff_ffff));
        Self::from_bits(self.simd, bits)
    }

    /// Square roots, correctly rounded.
    #[inline(always)]
    pub(crate) fn sqrt(self) -> Self {
        Self::of(self.simd, self.simd.sqrt_f32s(self.register))
    }

    /// Which lanes are below `other`'s.
    #[inline(always)]
    pub(crate) fn below(self, other: Self) -> S::m32s {
        self.simd.less_than_f32s(self.register, other.register)
    }

    /// Which lanes are not above `other`'s.
    #[inline(always)]
    pub(crate) fn at_most(self, other: Self) -> S::m32s {
        self.simd.less_than_or_equal_f32s(self.register, other.register)
    }

    /// Which lanes are the same as `other`'s.
    #[inline(always)]
    pub(crate) fn equals(self, other: Self) -> S::m32s {
        self.simd.equal_f32s(self.register, other.register)
    }

    /// `self` where `mask` is set, `other` elsewhere.
    #[inline(always)]
    pub(crate) fn where_set(self, mask: S::m32s, other: Self) -> Self {
        Self::from_bits(self.simd, self.simd.select_u32s(mask, self.bits(), other.bits()))
    }

    /// The larger of two values.
    #[inline(always)]
    pub(crate) fn max(self, other: Self) -> Self {
        Self::of(self.simd, self.simd.max_f32s(self.register, other.register))
    }

    /// The values in double precision.
    #[inline(always)]
    pub(crate) fn widen(self) -> Wide<S> {
        let mut wide = Wide::zero(self.simd);
        let narrow = [self.register];
        for (to, &from) in wide.values_mut().iter_mut().zip(values_of::<S>(&narrow)) {
            *to = f64::from(from);
        }
        wide
    }

    /// Writes the values into `out`, one for each frame.
    #[inline(always)]
    pub(crate) fn write(self, out: &mut [f32]) {
        out.copy_from_slice(values_of::<S>(&[self.register]));
    }
}

/// Registers as the values in them.
#[inline(always)]
fn values_of<S: Simd>(registers: &[S::f32s]) -> &[f32] {
    bytemuck::cast_slice(registers)
}

impl<S: Simd> Add for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::of(self.simd, self.simd.add_f32s(self.register, other.register))
    }
}

impl<S: Simd> Sub for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self::of(self.simd, self.simd.sub_f32s(self.register, other.register))
    }
}

impl<S: Simd> Mul for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::of(self.simd, self.simd.mul_f32s(self.register, other.register))
    }
}

impl<S: Simd> Div for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self::of(self.simd, self.simd.div_f32s(self.register, other.register))
    }
}

impl<S: Simd> Mul<f32> for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, factor: f32) -> Self {
        self * Self::splat(self.simd, factor)
    }
}

/// One double-precision value of each of `S::F32_LANES` frames.
#[derive(Clone, Copy)]
pub(crate) struct Wide<S: Simd> {
    simd: S,
    /// Scalar code needs the first only.
    registers: [S::f64s; 2],
}

impl<S: Simd> Wide<S> {
    /// Zeros.
    #[inline(always)]
    pub(crate) fn zero(simd: S) -> Self {
        Self { simd, registers: [simd.splat_f64s(0.0); 2] }
    }

    #[inline(always)]
    fn values_mut(&mut self) -> &mut [f64] {
        &mut bytemuck::cast_slice_mut(&mut self.registers)[..S::F32_LANES]
    }

    /// The values, one for each frame; zeros beyond.
    #[inline(always)]
    pub(crate) fn values(mut self) -> [f64; BLOCK] {
        let mut values = [0.0; BLOCK];
        values[..S::F32_LANES].copy_from_slice(self.values_mut());
        values
    }

    /// What `f` makes of each frame's value, in single precision.
    #[inline(always)]
    pub(crate) fn map(self, f: impl Fn(f64) -> f64) -> Lanes<S> {
        let mut mapped = [0.0; BLOCK];
        for (to, &from) in mapped.iter_mut().zip(&self.values()).take(S::F32_LANES) {
            *to = f(from) as f32;
        }
        Lanes::read(self.simd, &mapped)
    }
}

impl<S: Simd> Add for Wide<S> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let ([a, b], [c, d], simd) = (self.registers, other.registers, self.simd);
        Self { simd, registers: [simd.add_f64s(a, c), simd.add_f64s(b, d)] }
    }
}

impl<S: Simd> Mul for Wide<S> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let ([a, b], [c, d], simd) = (self.registers, other.registers, self.simd);
        Self { simd, registers: [simd.mul_f64s(a, c), simd.mul_f64s(b, d)] }
    }
}

impl<S: Simd> Mul<f64> for Wide<S> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, factor: f64) -> Self {
        self * Self { simd: self.simd, registers: [self.simd.splat_f64s(factor); 2] }
    }
}

/// Memory for values of a block's frames: rows of one register each.
pub(crate) struct Rows {
    memory: Vec<f32>,
    /// Where the first aligned register begins.
    start: usize,
    count: usize,
}

impl Rows {
    /// `count` rows of zeros.
    pub(crate) fn new(count: usize) -> Self {
        let memory = vec![0.0; count * BLOCK + ALIGNMENT / size_of::<f32>()];
        let start = memory.as_ptr().align_offset(ALIGNMENT);
        Self { memory, start, count }
    }

    /// The rows as registers.
    #[inline(always)]
    pub(crate) fn get<S: Simd>(&self) -> &[S::f32s] {
        S::as_simd_f32s(&self.memory[self.span::<S>()]).0
    }

    /// The rows as registers, to be written.
    #[inline(always)]
    pub(crate) fn get_mut<S: Simd>(&mut self) -> &mut [S::f32s] {
        let span = self.span::<S>();
        S::as_mut_simd_f32s(&mut self.memory[span]).0
    }

    #[inline(always)]
    fn span<S: Simd>(&self) -> Range<usize> {
        self.start..self.start + self.count * S::F32_LANES
    }
}

impl Clone for Rows {
    /// Memory of the same size; what was in it is scratch and not copied.
    fn clone(&self) -> Self {
        Self::new(self.count)
    }
}
