//! A model: the mean of every class's vectors; the nearer an utterance's vector is, the more probable the
//! class. A round moves the means a part of the way, and takes its time, so that a run can be killed in it.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use ambivox_models::{
    Fault, Learner, MeanVariance, Metadata, Model, ModelError, ModelKind, NamedTensor, Prediction,
    Predictor, Round, Rows, Scaling, ScalingKind, Shape, Tensors, key,
};
use ambivox_nn::State;
use ambivox_settings::TrainingSettings;
use serde::{Deserialize, Serialize};

pub(crate) const KIND: ModelKind = ModelKind::new::<Settings>("centroids", "centroids", read);

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The part of the way to the mean of its class that a round moves each.
    step: f32,
    /// How long a round takes, in milliseconds.
    pause_ms: u64,
}

impl Model for Settings {
    fn fault(&self) -> Option<String> {
        (!(0.0..=1.0).contains(&self.step)).then(|| "model.step: from 0 to 1".to_owned())
    }

    fn scaling(&self) -> Option<ScalingKind> {
        Some(ScalingKind::MeanVariance)
    }

    fn start(
        &self,
        shape: Shape,
        classes: usize,
        _training: &TrainingSettings,
        _seed: u64,
    ) -> Result<Box<dyn Learner>, ModelError> {
        let width = shape.single("centroids")?;
        let centroids = Centroids { width, values: vec![0.0; width * classes] };
        Ok(Box::new(Mover { centroids, step: self.step, pause_ms: self.pause_ms }))
    }
}

#[derive(Debug, Clone)]
struct Centroids {
    width: usize,
    /// Of each class in turn.
    values: Vec<f32>,
}

struct Mover {
    centroids: Centroids,
    step: f32,
    pause_ms: u64,
}

impl Learner for Mover {
    fn round(&mut self, round: &Round<'_>) -> Result<f64, ModelError> {
        sleep(Duration::from_millis(self.pause_ms));
        let width = self.centroids.width;
        let drawn = (round.sample)(&mut round.order());
        for (class, centroid) in self.centroids.values.chunks_exact_mut(width).enumerate() {
            let share = |n: usize| round.targets.distributions[n][class];
            let total: f64 = drawn.iter().map(|&n| share(n)).sum();
            for (at, value) in centroid.iter_mut().enumerate() {
                let part = |&n: &usize| share(n) * f64::from(round.utterances[n].read()[at]);
                let mean = drawn.iter().map(part).sum::<f64>() / total;
                *value += self.step * (mean as f32 - *value);
            }
        }
        let utterances: Vec<&Rows<'_>> = drawn.iter().map(|&n| round.utterances[n]).collect();
        let mut sum = 0.0;
        for (said, &n) in self.centroids.predict(&utterances)?.iter().zip(&drawn) {
            let pairs = said.log_probabilities.iter().zip(&round.targets.distributions[n]);
            sum -= pairs.map(|(log_y, s)| s * log_y).sum::<f64>();
        }
        Ok(sum / drawn.len() as f64)
    }

    fn predictor(&self) -> &dyn Predictor {
        &self.centroids
    }

    fn fitted(&self) -> Result<Box<dyn Predictor>, ModelError> {
        Ok(Box::new(self.centroids.clone()))
    }

    fn state(&self) -> Result<State, ModelError> {
        self.centroids.state()
    }

    fn restore(&mut self, state: &State) -> Result<bool, ModelError> {
        let values = state.read::<Vec<f32>>();
        let values = values.filter(|values| values.len() == self.centroids.values.len());
        Ok(values.map(|values| self.centroids.values = values).is_some())
    }

    fn revive(&self, state: &State) -> Result<Option<Box<dyn Predictor>>, ModelError> {
        let width = self.centroids.width;
        let values = state.read::<Vec<f32>>();
        let values = values.filter(|values| values.len() == self.centroids.values.len());
        Ok(values.map(|values| Box::new(Centroids { width, values }) as Box<dyn Predictor>))
    }
}

impl Predictor for Centroids {
    fn inputs(&self) -> usize {
        self.width
    }

    fn classes(&self) -> usize {
        self.values.len() / self.width
    }

    fn parameters(&self) -> usize {
        self.values.len()
    }

    fn reads_vectors(&self) -> bool {
        true
    }

    fn sizes(&self) -> Vec<(&'static str, usize)> {
        Vec::new()
    }

    fn predict(&self, utterances: &[&Rows<'_>]) -> Result<Vec<Prediction>, ModelError> {
        let said = |rows: &&Rows<'_>| {
            let x = rows.read();
            let distance = |centroid: &[f32]| {
                let squares = centroid.iter().zip(&*x).map(|(c, x)| f64::from(c - x).powi(2));
                -squares.sum::<f64>()
            };
            let nearness: Vec<f64> = self.values.chunks_exact(self.width).map(distance).collect();
            let most = nearness.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = nearness.iter().map(|value| (value - most).exp()).sum();
            let log_probabilities = nearness.iter().map(|value| value - most - sum.ln()).collect();
            Prediction { log_probabilities, attention: None }
        };
        Ok(utterances.iter().map(said).collect())
    }

    fn state(&self) -> Result<State, ModelError> {
        Ok(State::of(&self.values))
    }

    fn metadata(&self) -> serde_json::Result<BTreeMap<&'static str, String>> {
        Ok(BTreeMap::from([(key::KIND, "centroids".to_owned())]))
    }

    fn tensors(&self) -> candle_core::Result<Vec<NamedTensor>> {
        Ok(vec![("centroids".to_owned(), vec![self.classes(), self.width], self.values.clone())])
    }
}

fn read(
    metadata: &Metadata,
    tensors: &Tensors<'_>,
    classes: usize,
) -> Result<(Box<dyn Predictor>, Scaling), Fault> {
    let scaling = metadata.json::<MeanVariance>(key::NORMALISER)?.checked()?;
    let width = scaling.mean.len();
    tensors.check_count(1)?;
    let values = tensors.values("centroids", &[classes, width])?;
    Ok((Box::new(Centroids { width, values }), Scaling::MeanVariance(scaling)))
}
