//! In how many bits the values of frames are kept.

use half::f16;
use half::slice::HalfFloatSliceExt as _;
use serde::{Deserialize, Serialize};

/// How values of frames are rounded and kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats, as they are computed.
    #[default]
    F32,
    /// 16-bit floats, half the size: eleven significant bits, up to ±65504.
    F16,
}

impl Precision {
    /// Bytes of a value.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => size_of::<f32>(),
            Self::F16 => size_of::<f16>(),
        }
    }

    /// Rounds values to the nearest that can be kept, of two as near the even one; those out of range
    /// become infinite.
    pub fn round(self, values: &mut [f32]) {
        if self == Self::F16 {
            halves(values).convert_to_f32_slice(values);
        }
    }
}

/// Values in 16 bits, rounded as [`Precision::round`] does.
pub fn halves(values: &[f32]) -> Vec<f16> {
    let mut halves = vec![f16::ZERO; values.len()];
    halves.convert_from_f32_slice(values);
    halves
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn f16_has_eleven_bits_and_an_end() {
        // 2048 and 2050 are next to each other; 2049 lies between, 2051 goes to the even 2052.
        let mut values = [2049.0, 2051.0, -65504.0, 65520.0, 1.0e-8, 0.1];
        Precision::F16.round(&mut values);
        assert_eq!(values, [2048.0, 2052.0, -65504.0, f32::INFINITY, 0.0, 0.099_975_586]);
        assert_eq!([Precision::F32, Precision::F16].map(Precision::bytes), [4, 2]);
    }

    proptest! {
        #[test]
        fn what_is_rounded_stays_and_is_near(values in prop::collection::vec(-65504f32..65504.0, 0..40)) {
            let (mut once, mut single) = (values.clone(), values.clone());
            Precision::F16.round(&mut once);
            let mut twice = once.clone();
            Precision::F16.round(&mut twice);
            Precision::F32.round(&mut single);
            prop_assert_eq!(&once, &twice);
            prop_assert_eq!(&single, &values);
            for (value, rounded) in values.iter().zip(&once) {
                prop_assert!((value - rounded).abs() <= value.abs() / 2048.0 + 3e-8);
            }
        }
    }
}
