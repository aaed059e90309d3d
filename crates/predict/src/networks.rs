//! The networks of a bundle, whatever they read.

use std::path::{Path, PathBuf};

use ambivox_lld::{FeatureSet, Functionals};
use ambivox_model::{Checkpoint, FunctionalsCheckpoint, ModelError, Prediction};
use ambivox_settings::{Bundle, BundledNetwork, FeatureSetText, Method, read_bounded};
use fs_err as fs;

use crate::PredictError;

/// Bytes of a bundle's networks at most, all together: what they take in memory.
const MOST_BYTES: u64 = 4 << 30;

/// At least one network, all of one kind, with the same classes and descriptors.
pub(crate) enum Networks {
    /// They read the frames of a window, and attend to them.
    OfFrames(Vec<Checkpoint>),
    /// They read the functionals of a window, those of an utterance of just its frames.
    OfFunctionals(Vec<FunctionalsCheckpoint>, Functionals),
}

/// What all of them say of a window, averaged.
pub(crate) struct Said {
    /// Probability of every class.
    pub(crate) probabilities: Vec<f64>,
    /// Attention to every frame, where they attend to any.
    pub(crate) attention: Option<Vec<f32>>,
}

/// What a network reads and says, as far as all of a bundle must agree.
#[derive(Clone, Copy)]
struct Form<'a> {
    classes: &'a [String],
    feature_set: &'a FeatureSetText,
    inputs: usize,
}

impl Networks {
    /// Reads the networks of a bundle, and the feature set that they share.
    pub(crate) fn load(folder: &Path, bundle: &Bundle) -> Result<(Self, FeatureSet), PredictError> {
        let of_functionals = Method::ALL
            .iter()
            .any(|method| method.uses_functionals() && method.id() == bundle.method);
        if of_functionals {
            let members = load(folder, bundle, FunctionalsCheckpoint::parse)?;
            let set = feature_set(&members[0].feature_set)?;
            let functionals = Functionals::new(&set);
            let width = Width { values: functionals.columns().len(), of: "an utterance" };
            agree(folder, bundle, &width, members.iter().map(form_of_functionals))?;
            Ok((Self::OfFunctionals(members, functionals), set))
        } else {
            let members = load(folder, bundle, of_frames)?;
            let set = feature_set(&members[0].feature_set)?;
            let width = Width { values: set.columns().len(), of: "a frame" };
            agree(folder, bundle, &width, members.iter().map(form_of_frames))?;
            Ok((Self::OfFrames(members), set))
        }
    }

    /// Names of the classes, in the order of all probabilities.
    pub(crate) fn classes(&self) -> &[String] {
        match self {
            Self::OfFrames(members) => &members[0].classes,
            Self::OfFunctionals(members, _) => &members[0].classes,
        }
    }

    /// What they say of windows, each row-major frames × descriptors, of at least one frame.
    pub(crate) fn say(&self, windows: &[&[f32]]) -> Result<Vec<Said>, PredictError> {
        match self {
            Self::OfFrames(members) => {
                let said = members.iter().map(|member| predict(member, windows));
                let said = said.collect::<Result<Vec<_>, _>>()?;
                let of_window = |i| said.iter().map(|of_member| &of_member[i]).collect::<Vec<_>>();
                Ok((0..windows.len()).map(|i| averaged(&of_window(i))).collect())
            }
            Self::OfFunctionals(members, functionals) => {
                let summed_up: Vec<Vec<f32>> =
                    windows.iter().filter_map(|window| functionals.of_rows(window)).collect();
                let said = members.iter().map(|member| classify(member, &summed_up));
                let said = said.collect::<Result<Vec<_>, _>>()?;
                let averaged = |i: usize| {
                    let probabilities = mean(said.iter().map(|of_member| of_member[i].clone()));
                    Said { probabilities, attention: None }
                };
                Ok((0..summed_up.len()).map(averaged).collect())
            }
        }
    }
}

fn averaged(said: &[&Prediction]) -> Said {
    let attention = said.iter().map(|p| p.attention.iter().copied().map(f64::from).collect());
    let attention = mean(attention).into_iter().map(|a| a as f32).collect();
    Said { probabilities: mean(said.iter().map(|p| p.probabilities())), attention: Some(attention) }
}

/// Reads every network by `parse`, if it is the file that was bundled.
fn load<C>(
    folder: &Path,
    bundle: &Bundle,
    parse: impl Fn(&Path, &[u8]) -> Result<C, ModelError>,
) -> Result<Vec<C>, PredictError> {
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
        Ok(parse(&file, &content)?)
    };
    bundle.networks.iter().map(load).collect()
}

/// A network of frames that is no wider than a bundle's may be.
fn of_frames(file: &Path, content: &[u8]) -> Result<Checkpoint, ModelError> {
    let checkpoint = Checkpoint::parse(file, content)?;
    let settings = checkpoint.network.settings();
    let sizes = [("network.linear", settings.linear), ("network.lstm", settings.lstm)];
    match sizes.into_iter().find(|(_, size)| *size > Bundle::WIDEST) {
        Some((key, size)) => Err(ModelError::Checkpoint {
            file: file.to_owned(),
            message: format!("{key}: {size}; expected from 1 to {} in a bundle", Bundle::WIDEST),
        }),
        None => Ok(checkpoint),
    }
}

fn feature_set(text: &FeatureSetText) -> Result<FeatureSet, PredictError> {
    Ok(match text {
        FeatureSetText::Builtin(name) => FeatureSet::builtin(name)?,
        FeatureSetText::Toml(text) => FeatureSet::from_toml(text)?,
    })
}

fn form_of_frames(member: &Checkpoint) -> Form<'_> {
    let Checkpoint { network, classes, feature_set, .. } = member;
    Form { classes, feature_set, inputs: network.inputs() }
}

fn form_of_functionals(member: &FunctionalsCheckpoint) -> Form<'_> {
    let FunctionalsCheckpoint { classifier, classes, feature_set, .. } = member;
    Form { classes, feature_set, inputs: classifier.inputs() }
}

/// How many values the feature set gives, and of what.
struct Width {
    values: usize,
    of: &'static str,
}

/// An error, which names the file, unless every network goes together with the first.
fn agree<'a>(
    folder: &Path,
    bundle: &Bundle,
    width: &Width,
    forms: impl Iterator<Item = Form<'a>> + Clone,
) -> Result<(), PredictError> {
    let Some(first) = forms.clone().next() else { return Ok(()) };
    for (network, form) in bundle.networks.iter().zip(forms) {
        let file = || -> PathBuf { folder.join(&network.file) };
        alike(&first, &form, width)
            .map_err(|message| PredictError::Unlike { file: file(), message })?;
    }
    Ok(())
}

/// What keeps a network from predicting together with the first, if anything does.
fn alike(first: &Form<'_>, other: &Form<'_>, width: &Width) -> Result<(), String> {
    if other.classes != first.classes {
        return Err(format!("its classes are {:?}, not {:?}", other.classes, first.classes));
    }
    if other.feature_set != first.feature_set {
        return Err("it reads another feature set than the first network".to_owned());
    }
    let (inputs, Width { values, of }) = (other.inputs, width);
    if inputs != *values {
        return Err(format!("it reads {inputs} values {of}; the feature set has {values}"));
    }
    Ok(())
}

/// What one network says of windows of frames.
fn predict(member: &Checkpoint, windows: &[&[f32]]) -> Result<Vec<Prediction>, PredictError> {
    let normalised: Vec<Vec<f32>> = windows.iter().map(|rows| normalise(member, rows)).collect();
    let windows: Vec<&[f32]> = normalised.iter().map(Vec::as_slice).collect();
    Ok(member.network.predict(&windows)?)
}

fn normalise(member: &Checkpoint, rows: &[f32]) -> Vec<f32> {
    let columns = member.normalisation.mean.iter().zip(&member.normalisation.sd).cycle();
    rows.iter().zip(columns).map(|(value, (mean, sd))| (value - mean) / sd).collect()
}

/// Probabilities that one classifier gives to vectors of functionals.
fn classify(
    member: &FunctionalsCheckpoint,
    vectors: &[Vec<f32>],
) -> Result<Vec<Vec<f64>>, PredictError> {
    let mut scaled = vectors.to_vec();
    for vector in &mut scaled {
        member.scaling.apply(vector);
    }
    let scaled: Vec<&[f32]> = scaled.iter().map(Vec::as_slice).collect();
    let said = member.classifier.log_probabilities(&scaled)?;
    Ok(said.into_iter().map(|log_y| log_y.into_iter().map(f64::exp).collect()).collect())
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
