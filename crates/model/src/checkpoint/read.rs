//! Reading a checkpoint, whose bytes may come from anywhere.

use std::collections::BTreeMap;

use ambivox_blstm::{Dims, Encoder};
use ambivox_settings::NetworkSettings;
use candle_core::{Device, Var};
use safetensors::{Dtype, SafeTensors};
use serde::de::DeserializeOwned;

use super::{Checkpoint, FORMAT, Normalisation, key};
use crate::Network;
use crate::network::{attention_entries, dims};

/// Largest size of a layer. It keeps the sizes computed from a file far from overflow.
pub(super) const LARGEST: usize = 1 << 16;

/// Largest header in bytes. It is read into memory several times over, and even the largest layers need
/// no more.
const LARGEST_HEADER: u64 = 1 << 24;

/// What is wrong with the file, in words that follow its name.
pub(super) type Fault = String;

pub(super) fn checkpoint(bytes: &[u8]) -> Result<Checkpoint, Fault> {
    let (metadata, tensors) = parts(bytes, None)?;
    let settings: NetworkSettings = metadata.json(key::NETWORK)?;
    let classes: Vec<String> = metadata.json(key::CLASSES)?;
    let normalisation: Normalisation = metadata.json(key::NORMALISER)?;
    check_normalisation(&normalisation)?;
    check_sizes(&settings, normalisation.mean.len(), classes.len())?;
    let network = network(&tensors, settings, normalisation.mean.len(), classes.len())?;
    Ok(Checkpoint {
        network,
        classes,
        feature_set: metadata.json(key::FEATURE_SET)?,
        normalisation,
    })
}

/// The two parts of a file of this kind.
pub(super) fn parts<'a>(
    bytes: &'a [u8],
    kind: Option<&str>,
) -> Result<(Metadata, Tensors<'a>), Fault> {
    let fault = |error: safetensors::SafeTensorError| {
        format!("not readable as safetensors ({error}); is the file whole?")
    };
    check_header(bytes)?;
    let metadata = Metadata::read(bytes).map_err(fault)?;
    metadata.check_kind(kind)?;
    Ok((metadata, Tensors(SafeTensors::deserialize(bytes).map_err(fault)?)))
}

/// A file begins with the length of its header. Whether all of it is there, its reader says.
fn check_header(bytes: &[u8]) -> Result<(), Fault> {
    let length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
    (length <= LARGEST_HEADER)
        .then_some(())
        .ok_or_else(|| format!("its header has {length} bytes; expected at most {LARGEST_HEADER}"))
}

pub(super) struct Metadata(BTreeMap<String, String>);

impl Metadata {
    fn read(bytes: &[u8]) -> Result<Self, safetensors::SafeTensorError> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let entries = header.metadata().iter().flatten();
        Ok(Self(entries.map(|(key, value)| (key.clone(), value.clone())).collect()))
    }

    fn check_kind(&self, expected: Option<&str>) -> Result<(), Fault> {
        let named = |kind: Option<&str>| {
            kind.map_or("a network of frames".to_owned(), |kind| format!("a {kind}"))
        };
        let found = self.0.get(key::KIND).map(String::as_str);
        (found == expected)
            .then_some(())
            .ok_or_else(|| format!("it holds {}; expected {}", named(found), named(expected)))
    }

    /// The value of `key` read as JSON, after the format's version has been found to be ours.
    pub(super) fn json<T: DeserializeOwned>(&self, key: &str) -> Result<T, Fault> {
        match self.0.get(key::FORMAT).map(String::as_str) {
            Some(FORMAT) => {}
            Some(other) => {
                return Err(format!("its format is {other:?}; this version reads {FORMAT:?}"));
            }
            None => return Err("its metadata has no \"format\"; Ambivox did not write it".into()),
        }
        let text = self.0.get(key).ok_or_else(|| format!("its metadata has no {key:?}"))?;
        serde_json::from_str(text).map_err(|error| format!("metadata {key:?}: {error}"))
    }
}

fn check_normalisation(normalisation: &Normalisation) -> Result<(), Fault> {
    let Normalisation { mean, sd } = normalisation;
    if mean.len() != sd.len() {
        return Err(format!("normaliser: {} means but {} deviations", mean.len(), sd.len()));
    }
    let usable = |(mean, sd): (&f32, &f32)| mean.is_finite() && sd.is_finite() && *sd > 0.0;
    match mean.iter().zip(sd).position(|pair| !usable(pair)) {
        Some(column) => Err(format!(
            "normaliser: column {column} has mean {} and deviation {}; expected finite numbers and a \
             deviation above 0",
            mean[column], sd[column]
        )),
        None => Ok(()),
    }
}

fn check_sizes(settings: &NetworkSettings, inputs: usize, classes: usize) -> Result<(), Fault> {
    let sizes = [
        ("values per frame", inputs, 1),
        ("network.linear", settings.linear, 1),
        ("network.lstm", settings.lstm, 1),
        ("classes", classes, 2),
    ];
    let dropout = settings.dropout;
    if !(0.0..1.0).contains(&dropout) {
        return Err(format!("network.dropout: {dropout}; expected from 0 to below 1"));
    }
    match sizes.into_iter().find(|&(_, size, least)| !(least..=LARGEST).contains(&size)) {
        Some((name, size, least)) => {
            Err(format!("{name}: {size}; expected from {least} to {LARGEST}"))
        }
        None => Ok(()),
    }
}

fn network(
    tensors: &Tensors,
    settings: NetworkSettings,
    inputs: usize,
    classes: usize,
) -> Result<Network, Fault> {
    let dims = dims(&settings, inputs);
    let pooled = 2 * settings.lstm;
    tensors.check_count(dims.tensors().len() + Network::HEADS.len())?;
    let [attention, output_weight, output_bias] = Network::HEADS;
    Ok(Network {
        encoder: Encoder::new(dims),
        theta: tensors.theta(dims)?,
        attention: tensors.var(attention, &[attention_entries(&settings, classes)])?,
        output_weight: tensors.var(output_weight, &[classes, pooled])?,
        output_bias: tensors.var(output_bias, &[classes])?,
        settings,
    })
}

pub(super) struct Tensors<'a>(SafeTensors<'a>);

impl Tensors<'_> {
    pub(super) fn check_count(&self, expected: usize) -> Result<(), Fault> {
        let found = self.0.len();
        (found == expected)
            .then_some(())
            .ok_or_else(|| format!("it has {found} tensors; expected {expected}"))
    }

    fn theta(&self, dims: Dims) -> Result<Var, Fault> {
        let mut theta = Vec::new();
        for slot in dims.tensors() {
            theta.extend(self.values(slot.name, &slot.shape)?);
        }
        let length = theta.len();
        Var::from_vec(theta, length, &Device::Cpu).map_err(|e| e.to_string())
    }

    pub(super) fn var(&self, name: &str, shape: &[usize]) -> Result<Var, Fault> {
        Var::from_vec(self.values(name, shape)?, shape, &Device::Cpu).map_err(|e| e.to_string())
    }

    fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Fault> {
        let view = self.0.tensor(name).map_err(|_| format!("it has no tensor {name:?}"))?;
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            let (dtype, found) = (view.dtype(), view.shape());
            return Err(format!(
                "tensor {name:?} is {dtype:?} of shape {found:?}; expected F32 of shape {shape:?}"
            ));
        }
        let bytes = view.data().as_chunks::<4>().0;
        let values: Vec<f32> = bytes.iter().map(|&b| f32::from_le_bytes(b)).collect();
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(format!("tensor {name:?}: value {at} is {}", values[at])),
            None => Ok(values),
        }
    }
}
