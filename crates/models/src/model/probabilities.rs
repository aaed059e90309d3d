//! The model `probabilities`: no learning; an utterance's vector has the probability of every class, as a
//! model from elsewhere gave it out of fold.

use std::collections::BTreeMap;

use ambivox_nn::State;
use ambivox_settings::TrainingSettings;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Fault, Metadata, NamedTensor, Tensors, key};
use crate::predict::of_vectors;
use crate::{
    Learner, MeanVariance, Model, ModelError, ModelKind, Prediction, Predictor, Round, Rows,
    Scaling, ScalingKind, Shape,
};

pub(super) const KIND: ModelKind = ModelKind::new::<ProbabilitiesSettings>(NAME, NAME, read);

/// Its name, also in a checkpoint's metadata.
const NAME: &str = "probabilities";

/// Probabilities below this are raised to it, so that every logarithm is finite.
const LEAST: f64 = 1e-12;

/// Section `[model]` with `kind = "probabilities"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbabilitiesSettings {}

impl ProbabilitiesSettings {
    /// How far the sum of an utterance's probabilities may be from 1.
    const TOLERANCE: f64 = 1e-3;

    /// Why these values are not the probabilities of all classes, if they are not.
    pub fn fault_of(values: &[f32]) -> Option<String> {
        if let Some(value) = values.iter().find(|value| **value < 0.0) {
            return Some(format!("{value} is below 0"));
        }
        let sum: f64 = values.iter().copied().map(f64::from).sum();
        // A sum that is no number is wrong as well.
        let is_one = (sum - 1.0).abs() <= Self::TOLERANCE;
        (!is_one).then(|| format!("the sum is {sum:.4}"))
    }
}

impl Model for ProbabilitiesSettings {
    fn scaling(&self) -> Option<ScalingKind> {
        None
    }

    /// Probabilities are told apart by their columns' names alone.
    fn fault_of_columns(&self, columns: &[String], classes: &[String]) -> Option<String> {
        (columns != classes).then(|| {
            format!(
                "the columns of probabilities are {}, and the classes {}\n\
                 hint: name the columns as the classes, and list these in split.classes in their order",
                columns.join(", "),
                classes.join(", ")
            )
        })
    }

    fn start(
        &self,
        shape: Shape,
        classes: usize,
        _training: &TrainingSettings,
        _seed: u64,
    ) -> Result<Box<dyn Learner>, ModelError> {
        if shape.values() != classes {
            return Err(unfit(format!("{} values for {classes} classes", shape.values())));
        }
        Ok(Box::new(Given { classes }))
    }
}

fn unfit(message: String) -> ModelError {
    ModelError::Unfit { kind: NAME, message }
}

/// The probabilities that an utterance's vector has.
#[derive(Debug, Clone)]
struct Given {
    classes: usize,
}

impl Learner for Given {
    /// Learns nothing; the mean of `CE/w` of what is given, over the utterances drawn.
    fn round(&mut self, round: &Round<'_>) -> Result<f64, ModelError> {
        let positions = (round.sample)(&mut round.order());
        let drawn: Vec<&Rows<'_>> = positions.iter().map(|&n| round.utterances[n]).collect();
        let mut sum = 0.0;
        for (&n, given) in positions.iter().zip(self.predict(&drawn)?) {
            let pairs = round.targets.distributions[n].iter().zip(&given.log_probabilities);
            let entropy: f64 = pairs.map(|(s, log_y)| -s * log_y).sum();
            sum += entropy / round.targets.weights[n];
        }
        Ok(sum / positions.len() as f64)
    }

    fn predictor(&self) -> &dyn Predictor {
        self
    }

    fn fitted(&self) -> Result<Box<dyn Predictor>, ModelError> {
        Ok(Box::new(self.clone()))
    }

    fn state(&self) -> Result<State, ModelError> {
        Predictor::state(self)
    }

    fn restore(&mut self, state: &State) -> Result<bool, ModelError> {
        Ok(self.revive(state)?.is_some())
    }

    fn revive(&self, state: &State) -> Result<Option<Box<dyn Predictor>>, ModelError> {
        let is_own = state.read::<usize>() == Some(self.classes);
        Ok(is_own.then(|| Box::new(self.clone()) as Box<dyn Predictor>))
    }
}

impl Predictor for Given {
    fn inputs(&self) -> usize {
        self.classes
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn parameters(&self) -> usize {
        0
    }

    fn reads_vectors(&self) -> bool {
        true
    }

    fn sizes(&self) -> Vec<(&'static str, usize)> {
        Vec::new()
    }

    /// Errors: values that are no probabilities.
    fn predict(&self, utterances: &[&Rows<'_>]) -> Result<Vec<Prediction>, ModelError> {
        for (position, utterance) in utterances.iter().enumerate() {
            if let Some(fault) = ProbabilitiesSettings::fault_of(&utterance.read()) {
                return Err(unfit(format!("of utterance {position} of a batch {fault}")));
            }
        }
        of_vectors(utterances, self.classes, logarithms)
    }

    fn state(&self) -> Result<State, ModelError> {
        Ok(State::of(&self.classes))
    }

    fn metadata(&self) -> serde_json::Result<BTreeMap<&'static str, String>> {
        Ok(BTreeMap::from([(key::KIND, NAME.to_owned())]))
    }

    fn tensors(&self) -> candle_core::Result<Vec<NamedTensor>> {
        Ok(Vec::new())
    }
}

/// Logarithms of probabilities whose sum is brought to 1.
fn logarithms(values: &[f32]) -> Vec<f64> {
    let raised: Vec<f64> = values.iter().map(|&value| f64::from(value).max(LEAST)).collect();
    let sum: f64 = raised.iter().sum();
    raised.into_iter().map(|value| libm::log(value / sum)).collect()
}

/// Reads one from a checkpoint.
pub(crate) fn read(
    metadata: &Metadata,
    tensors: &Tensors<'_>,
    classes: usize,
) -> Result<(Box<dyn Predictor>, Scaling), Fault> {
    let scaling = metadata.json::<MeanVariance>(key::NORMALISER)?.checked()?;
    tensors.check_count(0)?;
    if scaling.mean.len() != classes || classes < 2 {
        return Err(format!("{} values for {classes} classes", scaling.mean.len()));
    }
    Ok((Box::new(Given { classes }), Scaling::MeanVariance(scaling)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ambivox_nn::{CrossEntropy, Targets};

    use super::*;
    use crate::Checkpoint;
    use crate::checkpoint::tests::{TRAINING, features_of, with_header};

    fn learner() -> Box<dyn Learner> {
        ProbabilitiesSettings {}.start(Shape::of(2), 2, &TRAINING, 0).unwrap()
    }

    fn rows(values: &[f32]) -> Rows<'static> {
        values.to_vec().into()
    }

    #[test]
    fn what_is_given_is_predicted_with_a_sum_of_1() {
        let (a, b) = (rows(&[0.75, 0.25]), rows(&[1.0005, 0.0]));
        let learner = learner();
        let predicted = learner.predictor().predict(&[&a, &b]).unwrap();
        let probabilities: Vec<Vec<f64>> =
            predicted.iter().map(Prediction::probabilities).collect();
        for (found, expected) in probabilities.concat().iter().zip([0.75, 0.25, 1.0, 0.0]) {
            assert!((found - expected).abs() < 1e-11, "{probabilities:?}");
        }
        assert!(predicted[1].log_probabilities.iter().all(|log| log.is_finite()));
    }

    #[test]
    fn probabilities_are_not_negative_and_their_sum_is_1() {
        let fault = |values: &[f32]| ProbabilitiesSettings::fault_of(values).unwrap_or_default();
        assert_eq!(fault(&[0.25, 0.75, 0.0]), "");
        assert_eq!(fault(&[0.2501, 0.7504]), "", "within 0.001");
        assert_eq!(fault(&[0.5, 0.502]), "the sum is 1.0020");
        assert_eq!(fault(&[1.5, -0.5]), "-0.5 is below 0");
        assert_eq!(fault(&[f32::NAN, 1.0]), "the sum is NaN");
    }

    #[test]
    fn a_round_learns_nothing_and_tells_the_loss() {
        let utterances = [rows(&[0.75, 0.25]), rows(&[0.5, 0.5])];
        let utterances: Vec<&Rows<'_>> = utterances.iter().collect();
        let distributions = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
        let targets = Targets { distributions, weights: vec![1.0, 2.0] };
        let mut learner = learner();
        let round = Round {
            number: 1,
            seed: 0,
            utterances: &utterances,
            groups: &[0, 1],
            targets: &targets,
            sample: &|_| vec![0, 1],
            loss: &CrossEntropy,
            normalise_weights: false,
        };
        let loss = learner.round(&round).unwrap();
        let expected = f64::midpoint(-(0.75_f64.ln()), -(0.5_f64.ln()) / 2.0);
        assert!((loss - expected).abs() < 1e-12, "{loss} for {expected}");
        let state = learner.state().unwrap();
        assert!(learner.restore(&state).unwrap());
        assert!(!learner.restore(&State::of(&3_usize)).unwrap());
    }

    #[test]
    fn a_checkpoint_reads_back_what_it_wrote() {
        let saved = Checkpoint {
            predictor: learner().fitted().unwrap(),
            classes: ["anger", "sadness"].map(str::to_owned).to_vec(),
            features: features_of("is09", "functionals"),
            scaling: Scaling::MeanVariance(MeanVariance { mean: vec![0.0; 2], sd: vec![1.0; 2] }),
        };
        let bytes = saved.bytes().unwrap();
        let loaded = Checkpoint::parse(Path::new("file"), &bytes).unwrap();
        assert_eq!(loaded.bytes().unwrap(), bytes);
        assert_eq!((loaded.predictor.inputs(), loaded.predictor.classes()), (2, 2));
        let short = with_header(&bytes, "[0.0,0.0]", "[0.0]");
        let short = with_header(&short, "[1.0,1.0]", "[1.0]");
        let error = Checkpoint::parse(Path::new("file"), &short).unwrap_err().to_string();
        assert!(error.contains("1 values for 2 classes"), "{error}");
    }

    #[test]
    fn what_are_no_probabilities_is_refused() {
        let error = learner().predictor().predict(&[&rows(&[2.0, -1.0])]).unwrap_err().to_string();
        assert!(error.contains("of utterance 0 of a batch -1 is below 0"), "{error}");
        let error = ProbabilitiesSettings {}
            .start(Shape::of(3), 2, &TRAINING, 0)
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("3 values for 2 classes"), "{error}");
    }
}
