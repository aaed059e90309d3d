//! What can be wrong with what Python hands over, and the exceptions that it becomes.

use ambivox_lld::{LldError, SAMPLE_RATE};
use numpy::ndarray::ShapeError;
use pyo3::PyErr;
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};

/// Why there are no descriptors.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The feature set is none.
    #[error(transparent)]
    Set(#[from] LldError),
    /// No array of numpy.
    #[error("signal is no numpy array")]
    NoArray,
    /// Not one channel.
    #[error(
        "signal has shape {0:?}, where one channel is expected, of shape (samples,)\n\
         hint: take one channel, or the mean of all, as signal.mean(axis=…)"
    )]
    Channels(Vec<usize>),
    /// Elements of another type.
    #[error(
        "signal is of dtype {0}, where float32 or float64 (full scale ±1) or int16 (full scale 32768) is \
         expected\n\
         hint: other integers are divided by their full scale first, as (signal / 2**31) for int32"
    )]
    Type(String),
    /// NaN or an infinity, or a number beyond single precision.
    #[error("signal has no finite number at sample {0}")]
    NotFinite(usize),
    /// A rate at which nothing is computed.
    #[error(
        "signal has {0} samples a second, and descriptors are those of {SAMPLE_RATE}\n\
         hint: resample it first, as scipy.signal.resample_poly(signal, {SAMPLE_RATE}, {0})"
    )]
    Rate(u32),
    /// Someone else writes into the array at this moment.
    #[error("signal is being written to")]
    Borrowed,
    /// The table is no table; a mistake of ours.
    #[error("the descriptors do not fill their table: {0}")]
    Shape(#[from] ShapeError),
}

impl From<Fault> for PyErr {
    fn from(fault: Fault) -> Self {
        let text = fault.to_string();
        match fault {
            Fault::NoArray | Fault::Type(_) => PyTypeError::new_err(text),
            Fault::Borrowed | Fault::Shape(_) => PyRuntimeError::new_err(text),
            Fault::Set(_) | Fault::Channels(_) | Fault::NotFinite(_) | Fault::Rate(_) => {
                PyValueError::new_err(text)
            }
        }
    }
}
