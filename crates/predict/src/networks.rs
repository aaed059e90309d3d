//! The networks of a bundle, whatever they read.

use std::path::Path;

use ambivox_frontends::{Pooling, of_layer, pool_columns};
use ambivox_models::{Checkpoint, ModelError, Prediction, Rows};
use ambivox_settings::{Bundle, BundledNetwork, Features, Normalisation, read_bounded};
use fs_err as fs;

use crate::reader::Reader;
use crate::{Encoders, PredictError};

/// Bytes of a bundle's networks at most, all together: what they take in memory.
const MOST_BYTES: u64 = 4 << 30;

/// At least one network, all with the same classes and descriptors.
pub(crate) struct Networks {
    members: Vec<Checkpoint>,
    /// Where the networks read one vector of a window: what makes it, as of an utterance of just its
    /// frames.
    pooling: Option<Box<dyn Pooling>>,
    /// Which of the pooled values each network reads, where they read different layers of an encoder.
    layers: Option<Vec<Vec<usize>>>,
}

/// Refuses values whose normalisation cannot be had here.
fn refuse_normalised(normalisation: Normalisation) -> Result<(), PredictError> {
    let over = match normalisation {
        Normalisation::Training => return Ok(()),
        Normalisation::Speaker => "all that a speaker has said",
        Normalisation::Corpus => "all of a corpus",
    };
    Err(PredictError::Normalised { over })
}

/// What all of them say of a window, averaged.
pub(crate) struct Said {
    /// Probability of every class.
    pub(crate) probabilities: Vec<f64>,
    /// Attention to every frame, where they attend to any.
    pub(crate) attention: Option<Vec<f32>>,
}

impl Networks {
    /// Reads the networks of a bundle, and makes ready what they all read, with an encoder where they need one.
    pub(crate) fn load(
        folder: &Path,
        bundle: &Bundle,
        encoders: Encoders<'_>,
    ) -> Result<(Self, Reader), PredictError> {
        let members = load(folder, bundle)?;
        let Features { mut frontend, pooling, normalisation } = members[0].features.clone();
        refuse_normalised(normalisation)?;
        let differ = bundle.encoder.is_some()
            && members.iter().any(|member| member.features.frontend != frontend);
        if differ {
            frontend.settings.insert(LAYER.to_owned(), "nested".into());
        }
        let reader = Reader::open(&frontend, bundle, encoders)?;
        let columns = reader.columns();
        let pooling = pool_columns(&pooling, &columns, reader.added_rows())?;
        let read = pooling.as_ref().map_or(columns.as_slice(), |pooling| pooling.columns());
        let layers = members.iter().map(|member| places(member, read));
        let layers = differ.then(|| layers.collect::<Vec<_>>());
        let of = if pooling.is_some() { "an utterance" } else { "a frame" };
        for (number, (network, member)) in bundle.networks.iter().zip(&members).enumerate() {
            let values = layers.as_ref().map_or(read.len(), |layers| layers[number].len());
            let width = Width { values, of };
            alike(&members[0], member, &width).map_err(|message| PredictError::Unlike {
                file: folder.join(&network.file),
                message,
            })?;
        }
        Ok((Self { members, pooling, layers }, reader))
    }

    /// Names of the classes, in the order of all probabilities.
    pub(crate) fn classes(&self) -> &[String] {
        &self.members[0].classes
    }

    /// Whether they attend to frames.
    pub(crate) fn have_attention(&self) -> bool {
        self.pooling.is_none()
    }

    /// What they say of windows, each row-major frames × descriptors, of at least one frame.
    pub(crate) fn say(&self, windows: &[&[f32]]) -> Result<Vec<Said>, PredictError> {
        match &self.pooling {
            None => self.said(windows),
            Some(pooling) => {
                let summed_up: Vec<Vec<f32>> =
                    windows.iter().map(|window| pooling.pool(window)).collect();
                self.said(&summed_up.iter().map(Vec::as_slice).collect::<Vec<_>>())
            }
        }
    }

    /// What they say of what they read of each window.
    fn said(&self, rows: &[&[f32]]) -> Result<Vec<Said>, PredictError> {
        let said = self.members.iter().enumerate().map(|(number, member)| {
            let Some(layers) = &self.layers else { return predict(member, rows) };
            let own = |row: &&[f32]| layers[number].iter().map(|&at| row[at]).collect::<Vec<f32>>();
            let own: Vec<Vec<f32>> = rows.iter().map(own).collect();
            predict(member, &own.iter().map(Vec::as_slice).collect::<Vec<_>>())
        });
        let said = said.collect::<Result<Vec<_>, _>>()?;
        let of_window = |i| said.iter().map(|of_member| &of_member[i]).collect::<Vec<_>>();
        Ok((0..rows.len()).map(|i| averaged(&of_window(i))).collect())
    }
}

/// The setting that networks trained together may have of their own.
const LAYER: &str = "layer";

/// Where the values of a network's layer are among those of all.
fn places(member: &Checkpoint, columns: &[String]) -> Vec<usize> {
    let layer = member.features.frontend.settings.get(LAYER).and_then(toml::Value::as_integer);
    let prefix = layer.and_then(|layer| Some(of_layer(usize::try_from(layer).ok()?)));
    let is_own = |name: &String| prefix.as_ref().is_some_and(|prefix| name.starts_with(prefix));
    columns.iter().enumerate().filter(|(_, name)| is_own(name)).map(|(at, _)| at).collect()
}

fn averaged(said: &[&Prediction]) -> Said {
    let attention: Option<Vec<&Vec<f32>>> = said.iter().map(|p| p.attention.as_ref()).collect();
    let attention = attention.map(|of_members| {
        let wide = of_members.into_iter().map(|a| a.iter().copied().map(f64::from).collect());
        mean(wide).into_iter().map(|a| a as f32).collect()
    });
    Said { probabilities: mean(said.iter().map(|p| p.probabilities())), attention }
}

/// Reads every network, if it is the file that was bundled.
fn load(folder: &Path, bundle: &Bundle) -> Result<Vec<Checkpoint>, PredictError> {
    let (mut left, inside) = (MOST_BYTES, fs::canonicalize(folder)?);
    let load = |network: &BundledNetwork| {
        let file = folder.join(&network.file);
        if fs::canonicalize(&file)?.parent() != Some(&inside) {
            return Err(PredictError::Outside(file));
        }
        let content = read_bounded(&file, left)?;
        left -= content.len() as u64;
        let found = blake3::hash(&content).to_string();
        if found != network.digest {
            return Err(PredictError::Changed { file, found, expected: network.digest.clone() });
        }
        Ok(read(&file, &content)?)
    };
    bundle.networks.iter().map(load).collect()
}

/// A network that is no wider than a bundle's may be.
fn read(file: &Path, content: &[u8]) -> Result<Checkpoint, ModelError> {
    let checkpoint = Checkpoint::parse(file, content)?;
    let wide = checkpoint.predictor.sizes().into_iter().find(|(_, size)| *size > Bundle::WIDEST);
    match wide {
        Some((key, size)) => Err(ModelError::Checkpoint {
            file: file.to_owned(),
            message: format!("{key}: {size}; expected from 1 to {} in a bundle", Bundle::WIDEST),
        }),
        None => Ok(checkpoint),
    }
}

/// How many values the feature set gives, and of what.
struct Width {
    values: usize,
    of: &'static str,
}

/// What keeps a network from predicting together with the first, if anything does.
fn alike(first: &Checkpoint, other: &Checkpoint, width: &Width) -> Result<(), String> {
    if other.classes != first.classes {
        return Err(format!("its classes are {:?}, not {:?}", other.classes, first.classes));
    }
    let shared = |member: &Checkpoint| {
        let mut features = member.features.clone();
        features.frontend.settings.remove(LAYER);
        features
    };
    if shared(other) != shared(first) {
        return Err("it reads other features than the first network".to_owned());
    }
    let (inputs, Width { values, of }) = (other.predictor.inputs(), width);
    if inputs != *values {
        return Err(format!("it reads {inputs} values {of}; the feature set has {values}"));
    }
    if other.predictor.reads_vectors() != first.predictor.reads_vectors() {
        return Err("of frames and vectors it reads others than the first network".to_owned());
    }
    Ok(())
}

/// What one network says of what it reads of each window.
fn predict(member: &Checkpoint, rows: &[&[f32]]) -> Result<Vec<Prediction>, PredictError> {
    let rows = rows.iter().map(|rows| Rows::scaled_by(&member.scaling, rows));
    let rows: Vec<Rows<'_>> = rows.collect();
    Ok(member.predictor.predict(&rows.iter().collect::<Vec<_>>())?)
}

/// The mean of vectors of one length, of which there is at least one.
fn mean(mut vectors: impl ExactSizeIterator<Item = Vec<f64>>) -> Vec<f64> {
    let count = vectors.len() as f64;
    let mut sum = vectors.next().unwrap_or_default();
    for vector in vectors {
        sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
    }
    sum.into_iter().map(|sum| sum / count).collect()
}
