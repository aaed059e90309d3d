//! The model `attention-pooling`: fully connected layers over an utterance's frames, averaged by attention
//! that is learned with them. It is the paper's network without its BLSTM (METHOD, "Network"), for frames that
//! know their surroundings already, as an encoder's do.

use std::collections::BTreeMap;

use ambivox_nn::{Dense, HiddenDropout, State, product, uniform};
use ambivox_settings::TrainingSettings;
use candle_core::{Device, Tensor, Var};
use serde::{Deserialize, Serialize};

use super::fault_of_shares;
use crate::batch::frame_count;
use crate::checkpoint::{Fault, Metadata, NamedTensor, Tensors, dense, key, values};
use crate::descent::{Descent, Differentiable, state};
use crate::predict::{log_shares, shares, wide};
use crate::{
    FRAMES_PER_BATCH, Learner, MeanVariance, Model, ModelError, ModelKind, Prediction, Predictor,
    Rows, Scaling, ScalingKind, Shape, batches_by_length,
};

pub(super) const KIND: ModelKind = ModelKind::new::<AttentionPoolingSettings>(NAME, NAME, read);

const NAME: &str = "attention-pooling";
/// Name of the metadata that hold [`Layers`].
const LAYERS: &str = "layers";
/// Name of the tensor of `u`.
const ATTENTION: &str = "attention";

/// Section `[model]` with `kind = "attention-pooling"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttentionPoolingSettings {
    /// Units of the hidden layers after the pooling; there may be none.
    pub hidden: Vec<usize>,
    /// Slope of the leaky ReLU below 0.
    pub leak: f64,
    /// Share dropped of the pooled vector and of hidden activations.
    pub dropout: f64,
}

impl Model for AttentionPoolingSettings {
    fn fault(&self) -> Option<String> {
        fault_of_shares(&[("model.leak", self.leak), ("model.dropout", self.dropout)])
    }

    fn reads_vectors(&self) -> bool {
        false
    }

    fn learns_by_any_loss(&self) -> bool {
        true
    }

    fn sizes(&self) -> Vec<(&'static str, usize)> {
        self.hidden.iter().map(|&units| ("model.hidden", units)).collect()
    }

    fn scaling(&self) -> Option<ScalingKind> {
        Some(ScalingKind::MeanVariance)
    }

    fn start(
        &self,
        shape: Shape,
        classes: usize,
        training: &TrainingSettings,
        seed: u64,
    ) -> Result<Box<dyn Learner>, ModelError> {
        let network = AttentionPooling::new(self, shape.single(NAME)?, classes, seed)?;
        Ok(Box::new(Descent::new(network, training)))
    }
}

/// `attention pooling → dropout → Linear → (leaky ReLU → dropout → Linear)…`, from frames `x_t` to a logit of
/// every class. The pooling is `Σ α_t x_t` with `α = softmax(x_t · u)`, eqs. 1 and 2 of the paper.
#[derive(Debug, Clone)]
pub struct AttentionPooling {
    /// u, `[1, values of a frame]`.
    attention: Var,
    layers: Dense,
    dropout: f64,
}

/// What the layers are beside their tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layers {
    hidden: Vec<usize>,
    leak: f64,
}

impl AttentionPooling {
    /// A new one for frames of `inputs` values and `classes` classes, drawn from `seed`.
    pub fn new(
        settings: &AttentionPoolingSettings,
        inputs: usize,
        classes: usize,
        seed: u64,
    ) -> candle_core::Result<Self> {
        let widths = [&[inputs], settings.hidden.as_slice(), &[classes]].concat();
        Ok(Self {
            attention: uniform(ATTENTION, &[1, inputs], inputs, seed)?,
            layers: Dense::new(NAME, &widths, settings.leak, seed)?,
            dropout: settings.dropout,
        })
    }

    /// The pooled vectors of utterances, one below the other, and each one's α, `[frames, 1]`.
    fn pooled(
        &self,
        utterances: &[&Rows<'_>],
        u: &Tensor,
    ) -> Result<(Tensor, Vec<Tensor>), ModelError> {
        let (mut vectors, mut alphas) = (Vec::new(), Vec::new());
        for (position, rows) in utterances.iter().enumerate() {
            let shape = (frame_count(position, rows.len(), self.inputs())?, self.inputs());
            let frames = Tensor::from_vec(rows.read().into_owned(), shape, &Device::Cpu)?;
            let alpha = shares(&product(&frames, &u.t()?)?)?;
            vectors.push(product(&alpha.t()?, &frames)?);
            alphas.push(alpha);
        }
        Ok((Tensor::cat(&vectors, 0)?, alphas))
    }
}

impl Differentiable for AttentionPooling {
    fn variables(&self) -> Vec<Var> {
        std::iter::once(self.attention.clone()).chain(self.layers.variables()).collect()
    }

    fn copy(&self) -> candle_core::Result<Self> {
        let attention = Var::from_tensor(&self.attention.as_detached_tensor().copy()?)?;
        Ok(Self { attention, layers: self.layers.copy()?, dropout: self.dropout })
    }

    fn logits(&self, utterances: &[&Rows<'_>], dropout_seed: u64) -> Result<Tensor, ModelError> {
        let dropout = HiddenDropout { rate: self.dropout, seed: dropout_seed };
        let (pooled, _) = self.pooled(utterances, self.attention.as_tensor())?;
        Ok(self.layers.training_output(&dropout.of(&pooled)?, dropout)?)
    }
}

impl Predictor for AttentionPooling {
    fn inputs(&self) -> usize {
        self.layers.inputs()
    }

    fn classes(&self) -> usize {
        self.layers.outputs()
    }

    fn parameters(&self) -> usize {
        self.attention.elem_count() + self.layers.parameters()
    }

    fn reads_vectors(&self) -> bool {
        false
    }

    fn sizes(&self) -> Vec<(&'static str, usize)> {
        dense::hidden(&self.layers).into_iter().map(|units| ("model.hidden", units)).collect()
    }

    /// They are computed some at a time, so that memory stays bounded.
    fn predict(&self, utterances: &[&Rows<'_>]) -> Result<Vec<Prediction>, ModelError> {
        let lengths: Vec<usize> = utterances.iter().map(|u| u.len() / self.inputs()).collect();
        let mut predictions = vec![None; utterances.len()];
        for positions in batches_by_length(&lengths, FRAMES_PER_BATCH) {
            let members: Vec<&Rows<'_>> = positions.iter().map(|&i| utterances[i]).collect();
            let (pooled, alphas) = self.pooled(&members, &self.attention.as_detached_tensor())?;
            let logits = self.layers.fixed_output(&pooled)?.to_vec2::<f32>()?;
            for ((i, row), alpha) in positions.into_iter().zip(logits).zip(alphas) {
                predictions[i] = Some(Prediction {
                    log_probabilities: log_shares(&wide(&row)),
                    attention: Some(values(&alpha)?),
                });
            }
        }
        Ok(predictions.into_iter().flatten().collect())
    }

    fn state(&self) -> Result<State, ModelError> {
        state(self)
    }

    fn metadata(&self) -> serde_json::Result<BTreeMap<&'static str, String>> {
        let layers = Layers { hidden: dense::hidden(&self.layers), leak: self.layers.leak };
        Ok(BTreeMap::from([
            (key::KIND, NAME.to_owned()),
            (LAYERS, serde_json::to_string(&layers)?),
        ]))
    }

    fn tensors(&self) -> candle_core::Result<Vec<NamedTensor>> {
        let mut named = dense::tensors(&self.layers)?;
        named.push((
            ATTENTION.to_owned(),
            self.attention.dims().to_vec(),
            values(&self.attention)?,
        ));
        Ok(named)
    }
}

/// Reads one from a checkpoint; its dropout, of which only training knows, is 0.
fn read(
    metadata: &Metadata,
    tensors: &Tensors<'_>,
    classes: usize,
) -> Result<(Box<dyn Predictor>, Scaling), Fault> {
    let Layers { hidden, leak } = metadata.json(LAYERS)?;
    let scaling = metadata.json::<MeanVariance>(key::NORMALISER)?.checked()?;
    let inputs = scaling.mean.len();
    let widths = [&[inputs], hidden.as_slice(), &[classes]].concat();
    tensors.check_count(2 * (widths.len() - 1) + 1)?;
    let layers = dense::read(tensors, &widths, leak)?;
    let attention = tensors.var(ATTENTION, &[1, inputs])?;
    let network = AttentionPooling { attention, layers, dropout: 0.0 };
    Ok((Box::new(network), Scaling::MeanVariance(scaling)))
}

#[cfg(test)]
mod tests {
    use ambivox_nn::{CrossEntropy, Loss as _, Targets};

    use super::*;
    use crate::checkpoint::tests::{TRAINING, assert_reads_back, features_of, with_header};
    use crate::{Checkpoint, Round};

    fn settings(hidden: &[usize], dropout: f64) -> AttentionPoolingSettings {
        AttentionPoolingSettings { hidden: hidden.to_vec(), leak: 0.1, dropout }
    }

    fn network(hidden: &[usize]) -> AttentionPooling {
        AttentionPooling::new(&settings(hidden, 0.0), 2, 3, 5).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            predictor: Box::new(network(&[4])),
            classes: ["happiness", "sadness", "anger"].map(str::to_owned).to_vec(),
            features: features_of("ser32", "none"),
            scaling: Scaling::MeanVariance(MeanVariance {
                mean: vec![0.1, -12.5],
                sd: vec![1e-7, 3.3],
            }),
        }
    }

    /// The definition in double precision, without hidden layers.
    #[test]
    fn logits_are_of_the_mean_by_attention() {
        let network = network(&[]);
        let frames = [[0.5_f32, -1.0], [2.0, 0.25], [-0.5, 1.5]];
        let all = |var: &Var| wide(&values(var).unwrap());
        let (u, weight) = (all(&network.attention), all(&network.layers.layers[0].weight));
        let score = |x: &[f32; 2]| u[0] * f64::from(x[0]) + u[1] * f64::from(x[1]);
        let total: f64 = frames.iter().map(|x| score(x).exp()).sum();
        let alpha = frames.each_ref().map(|x| score(x).exp() / total);
        let pooled = [0, 1].map(|at| {
            frames.iter().zip(alpha).map(|(x, alpha)| alpha * f64::from(x[at])).sum::<f64>()
        });
        let logits: Vec<f64> =
            weight.chunks(2).map(|row| row[0] * pooled[0] + row[1] * pooled[1]).collect();
        let expected = log_shares(&logits);
        // Another utterance beside it changes nothing.
        let rows = [Rows::from(vec![3.0, -3.0]), Rows::from(frames.concat())];
        let said = network.predict(&rows.each_ref()).unwrap().remove(1);
        for (found, expected) in said.log_probabilities.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        for (found, expected) in said.attention.unwrap().into_iter().zip(alpha) {
            assert!((f64::from(found) - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn gradients_are_those_of_differences() {
        let network = network(&[4]);
        let rows = [vec![0.5, -1.0, 2.0, 0.25, -0.5, 1.5], vec![1.0, 0.5]].map(Rows::from);
        let loss = || {
            let logits = network.logits(&rows.each_ref(), 1).unwrap();
            CrossEntropy.of(&logits, vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0], &[0, 1]).unwrap()
        };
        let at = || f64::from(loss().to_scalar::<f32>().unwrap());
        let gradients = loss().backward().unwrap();
        let step = 1e-2_f32;
        for var in network.variables() {
            let gradient = values(gradients.get(&var).unwrap()).unwrap();
            let (before, shape) = (values(&var).unwrap(), var.dims().to_vec());
            let put = |values: Vec<f32>| {
                var.set(&Tensor::from_vec(values, &shape[..], &Device::Cpu).unwrap()).unwrap();
            };
            for (n, &gradient) in gradient.iter().enumerate() {
                let moved = |by: f32| {
                    let mut values = before.clone();
                    values[n] += by;
                    put(values);
                    at()
                };
                let slope = (moved(step) - moved(-step)) / f64::from(2.0 * step);
                assert!((slope - f64::from(gradient)).abs() < 2e-3, "{slope} {gradient}");
            }
            put(before);
        }
    }

    /// One frame of twenty says the class, in its second value; its first says which it is.
    fn hidden_in_noise(n: usize) -> Rows<'static> {
        let noise = |t: usize| ((n * 37 + t * 101) % 19) as f32 / 9.0 - 1.0;
        let sign = if n.is_multiple_of(2) { 1.0 } else { -1.0 };
        let frame = |t: usize| if t == n % 20 { [3.0, sign] } else { [0.0, noise(t)] };
        Rows::from((0..20).flat_map(frame).collect::<Vec<f32>>())
    }

    #[test]
    fn attention_finds_the_frames_that_tell() {
        let training = TrainingSettings { batch_size: 16, learning_rate: 0.05, ..TRAINING };
        let mut learner = settings(&[], 0.1).start(Shape::of(2), 2, &training, 1).unwrap();
        let rows: Vec<Rows<'_>> = (0..64).map(hidden_in_noise).collect();
        let utterances: Vec<&Rows<'_>> = rows.iter().collect();
        let gold = |n: usize| if n.is_multiple_of(2) { vec![1.0, 0.0] } else { vec![0.0, 1.0] };
        let targets =
            Targets { distributions: (0..64).map(gold).collect(), weights: vec![1.0; 64] };
        for number in 1..40 {
            let round = Round {
                number,
                seed: 1,
                utterances: &utterances,
                groups: &[0; 64],
                targets: &targets,
                sample: &|_| (0..64).collect(),
                loss: &CrossEntropy,
                normalise_weights: false,
            };
            learner.round(&round).unwrap();
        }
        let said = learner.predictor().predict(&utterances).unwrap();
        for (n, prediction) in said.iter().enumerate() {
            let attention = prediction.attention.as_ref().unwrap();
            assert!(attention[n % 20] > 0.5, "{n}: {attention:?}");
            assert!(prediction.log_probabilities[n % 2] > 0.5_f64.ln());
        }
    }

    #[test]
    fn a_checkpoint_reads_back_what_it_wrote() {
        assert_reads_back(&checkpoint());
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for (from, to, expected) in [
            (r#"\"hidden\":[4]"#, r#"\"hidden\":[5]"#, "expected F32 of shape [5, 2]"),
            (r#"\"hidden\":[4]"#, r#"\"hidden\":[]"#, "it has 5 tensors; expected 3"),
            (r#"\"leak\":0.1"#, r#"\"leak\":1e300"#, "leak: 1"),
            (r#""attention":"#, r#""attendion":"#, r#"no tensor "attention""#),
        ] {
            let bytes = checkpoint().bytes().unwrap();
            let spoiled = with_header(&bytes, from, to);
            let error = Checkpoint::parse(std::path::Path::new("file"), &spoiled).unwrap_err();
            assert!(error.to_string().contains(expected), "{from} → {to}: {error}");
        }
    }
}
