//! From an array of numpy to mono samples of full scale ±1.

use ambivox_lld::SAMPLE_RATE;
use numpy::{Element, PyArray1, PyArrayMethods as _, PyUntypedArray, PyUntypedArrayMethods as _};
use pyo3::prelude::*;

use crate::fault::Fault;

/// Full scale of 16 bits, which the product divides by when it reads a file of such.
const FULL_SCALE: f32 = 32_768.0;

/// The samples of an array of one dimension, aligned and of the machine's own byte order, in whatever
/// strides. They are copied, since nothing keeps other threads from writing to the array.
///
/// # Errors
/// It is no such array, or a sample is no finite number of single precision.
pub(crate) fn read(signal: &Bound<'_, PyAny>) -> Result<Vec<f32>, Fault> {
    let array = signal.cast::<PyUntypedArray>().map_err(|_| Fault::NoArray)?;
    if array.ndim() != 1 {
        return Err(Fault::Channels(array.shape().to_vec()));
    }
    let samples = converted(signal, |sample: f32| sample)
        .or_else(|| converted(signal, |sample: f64| sample as f32))
        .or_else(|| converted(signal, |sample: i16| f32::from(sample) / FULL_SCALE))
        .unwrap_or_else(|| Err(Fault::Type(array.dtype().to_string())))?;
    match samples.iter().position(|sample| !sample.is_finite()) {
        Some(at) => Err(Fault::NotFinite(at)),
        None => Ok(samples),
    }
}

/// The samples of an array of this type; none where it is of another.
fn converted<T: Element + Copy>(
    signal: &Bound<'_, PyAny>,
    convert: impl Fn(T) -> f32,
) -> Option<Result<Vec<f32>, Fault>> {
    let array = signal.cast::<PyArray1<T>>().ok()?;
    let samples = array.try_readonly().map(|samples| {
        let samples = samples.as_array();
        samples.iter().map(|&sample| convert(sample)).collect()
    });
    Some(samples.map_err(|_| Fault::Borrowed))
}

/// Samples at the rate of all descriptors.
///
/// # Errors
/// They are at another.
pub(crate) fn at_product_rate(samples: Vec<f32>, rate: u32) -> Result<Vec<f32>, Fault> {
    if rate == SAMPLE_RATE { Ok(samples) } else { Err(Fault::Rate(rate)) }
}
