//! The module `_ambivox`: descriptors of numpy arrays, by `crates/lld` in the process that asks.
//!
//! What people import is the package `ambivox` around it, in `python/ambivox`, which has its interface in
//! Python's words.

#![cfg(feature = "module")]

mod fault;
mod signal;

use ambivox_lld::{FeatureSet, Frames};
use numpy::ndarray::Array2;
use numpy::{IntoPyArray as _, PyArray2};
use pyo3::prelude::*;

use fault::Fault;

/// A feature set with all that does not depend on the samples prepared. Any number of threads may use it
/// at a time.
#[pyclass(frozen, module = "ambivox._ambivox")]
struct Extractor {
    /// Names of the descriptors, in column order.
    #[pyo3(get)]
    names: Vec<String>,
    /// From the start of one frame to the start of the next, in ms.
    #[pyo3(get)]
    step_ms: u32,
    prepared: ambivox_lld::Extractor,
}

impl Extractor {
    fn new(set: &FeatureSet) -> Result<Self, Fault> {
        let (names, step_ms) = (set.columns(), set.step_ms);
        Ok(Self { names, step_ms, prepared: ambivox_lld::Extractor::new(set)? })
    }
}

#[pymethods]
impl Extractor {
    /// The built-in set of that name; `ValueError` where there is none, with the names there are.
    #[staticmethod]
    fn builtin(name: &str) -> Result<Self, Fault> {
        Self::new(&FeatureSet::builtin(name)?)
    }

    /// The set that a TOML text describes; `ValueError` where it describes none, with the key at fault.
    #[staticmethod]
    fn from_toml(text: &str) -> Result<Self, Fault> {
        Self::new(&FeatureSet::from_toml(text)?)
    }

    /// Descriptors of a mono signal, an aligned array of one dimension: frames × descriptors. Other threads
    /// of Python go on meanwhile.
    fn process<'py>(
        &self,
        py: Python<'py>,
        signal: &Bound<'py, PyAny>,
        rate: u32,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let samples = signal::read(signal)?;
        let frames = py.detach(|| {
            let samples = signal::at_product_rate(samples, rate)?;
            Ok::<_, Fault>(self.prepared.clone().process(&samples))
        })?;
        Ok(table(frames)?.into_pyarray(py))
    }
}

/// The frames' own memory as an array.
fn table(frames: Frames) -> Result<Array2<f32>, Fault> {
    let shape = (frames.len(), frames.width());
    Ok(Array2::from_shape_vec(shape, frames.into_data())?)
}

/// Names of the built-in feature sets.
#[pyfunction]
fn sets() -> Vec<&'static str> {
    FeatureSet::builtin_names().collect()
}

#[pymodule]
mod _ambivox {
    #[pymodule_export]
    use super::{Extractor, sets};
}
