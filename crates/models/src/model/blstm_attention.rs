//! The model `blstm-attention`: the paper's network over an utterance's frames (METHOD, "Network").

mod network;

use std::collections::BTreeMap;

use ambivox_nn::{Encoder, State};
use ambivox_settings::{Pipeline, TrainingSettings};
use candle_core::{Tensor, Var};
use serde::{Deserialize, Serialize};

use super::{checked, fault_of_shares};
use crate::checkpoint::{Fault, LARGEST, Metadata, NamedTensor, Tensors, key, values};
use crate::descent::{Descent, Differentiable, state};
use crate::{
    Batch, FRAMES_PER_BATCH, Learner, MeanVariance, Model, ModelError, ModelKind, Prediction,
    Predictor, Rows, Scaling, ScalingKind, Shape, batches_by_length,
};
use network::{attention_entries, dims};

pub use network::Network;

/// Its checkpoints do not say what they are, as the first there were.
pub(super) const KIND: ModelKind = ModelKind {
    name: Pipeline::PAPERS_MODEL,
    open: checked::<NetworkSettings>,
    in_checkpoints: None,
    read,
};

/// Name of the metadata that no other kind has.
const NETWORK: &str = "network";

/// Where attention looks (METHOD, "Network").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttentionOver {
    /// Over the BLSTM's outputs; `u` has one entry per output, the class layer follows.
    Blstm,
    /// Over the class layer's outputs per frame; `u` has one entry per class (eqs. 1–3 to the letter).
    Logits,
}

/// What has a dropout mask of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DropoutMask {
    /// Every frame.
    #[default]
    Frame,
    /// Every utterance: all its frames lack the same units, which pooling does not average away (Gal and
    /// Ghahramani 2016).
    Utterance,
}

impl DropoutMask {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    fn is_of_frames(&self) -> bool {
        *self == Self::Frame
    }
}

/// Section `[model]` with `kind = "blstm-attention"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSettings {
    /// Units of the first, fully connected layer (512 in the paper).
    pub linear: usize,
    /// Units of the LSTM in each direction (128 in the paper).
    pub lstm: usize,
    /// Share of activations dropped after the first layer and after the BLSTM (0.5 in the paper).
    pub dropout: f64,
    /// Whether frames or utterances have a mask each; frames where left out.
    #[serde(default, skip_serializing_if = "DropoutMask::is_of_frames")]
    pub dropout_mask: DropoutMask,
    /// Where attention looks.
    pub attention_over: AttentionOver,
    /// Share dropped of the pooled vector, before the class layer; none where left out. A mask for each frame
    /// is averaged away over the frames of an utterance, so that nothing else regularises that layer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pooled_dropout: f64,
    /// What the biases of the forget gates begin with; drawn as PyTorch draws them where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forget_bias: Option<f64>,
}

impl NetworkSettings {
    /// Those of the paper alone: units of the first layer and of each direction, dropout, and attention.
    pub fn plain([linear, lstm]: [usize; 2], dropout: f64, attention_over: AttentionOver) -> Self {
        let dropout_mask = DropoutMask::Frame;
        Self {
            linear,
            lstm,
            dropout,
            dropout_mask,
            attention_over,
            pooled_dropout: 0.0,
            forget_bias: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(share: &f64) -> bool {
    *share == 0.0
}

impl Model for NetworkSettings {
    fn fault(&self) -> Option<String> {
        let shares =
            [("model.dropout", self.dropout), ("model.pooled_dropout", self.pooled_dropout)];
        let bias = self.forget_bias.is_some_and(|bias| !bias.is_finite());
        fault_of_shares(&shares)
            .or_else(|| bias.then(|| "model.forget_bias: a finite number".to_owned()))
    }

    fn reads_vectors(&self) -> bool {
        false
    }

    fn learns_by_any_loss(&self) -> bool {
        true
    }

    fn sizes(&self) -> Vec<(&'static str, usize)> {
        vec![("model.linear", self.linear), ("model.lstm", self.lstm)]
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
        let inputs = shape.single(Pipeline::PAPERS_MODEL)?;
        Ok(Box::new(Descent::new(Network::new(self, inputs, classes, seed)?, training)))
    }
}

impl Differentiable for Network {
    fn variables(&self) -> Vec<Var> {
        self.variables()
    }

    fn copy(&self) -> candle_core::Result<Self> {
        self.copy()
    }

    fn logits(&self, utterances: &[&Rows<'_>], dropout_seed: u64) -> Result<Tensor, ModelError> {
        let batch = Batch::new(utterances, self.inputs())?;
        Ok(self.training_logits(&batch, dropout_seed)?)
    }
}

impl Predictor for Network {
    fn inputs(&self) -> usize {
        self.encoder.dims().inputs
    }

    fn classes(&self) -> usize {
        self.output_bias.elem_count()
    }

    fn parameters(&self) -> usize {
        self.variables().iter().map(|variable| variable.elem_count()).sum()
    }

    fn reads_vectors(&self) -> bool {
        false
    }

    fn sizes(&self) -> Vec<(&'static str, usize)> {
        Model::sizes(&self.settings)
    }

    /// They are computed in batches of similar length, so that memory stays bounded.
    fn predict(&self, utterances: &[&Rows<'_>]) -> Result<Vec<Prediction>, ModelError> {
        let lengths: Vec<usize> = utterances.iter().map(|u| u.len() / self.inputs()).collect();
        let mut predictions = vec![None; utterances.len()];
        for positions in batches_by_length(&lengths, FRAMES_PER_BATCH) {
            let members: Vec<&Rows<'_>> = positions.iter().map(|&i| utterances[i]).collect();
            let batch = Batch::new(&members, self.inputs())?;
            for (i, prediction) in positions.into_iter().zip(self.predict_batch(&batch)?) {
                predictions[i] = Some(prediction);
            }
        }
        Ok(predictions.into_iter().flatten().collect())
    }

    fn state(&self) -> Result<State, ModelError> {
        state(self)
    }

    fn metadata(&self) -> serde_json::Result<BTreeMap<&'static str, String>> {
        Ok(BTreeMap::from([(NETWORK, serde_json::to_string(self.settings())?)]))
    }

    /// They have PyTorch's names, layouts and gate order (i, f, g, o); `lstm.bias` is the sum of
    /// PyTorch's two biases.
    fn tensors(&self) -> candle_core::Result<Vec<NamedTensor>> {
        let theta = self.theta.to_vec1::<f32>()?;
        let slots = self.encoder.dims().tensors().into_iter();
        let mut named: Vec<NamedTensor> = slots
            .map(|slot| (slot.name.to_owned(), slot.shape, theta[slot.range].to_vec()))
            .collect();
        for (name, var) in self.heads() {
            named.push((name.to_owned(), var.dims().to_vec(), values(var)?));
        }
        Ok(named)
    }
}

/// Reads one from a checkpoint.
pub(crate) fn read(
    metadata: &Metadata,
    tensors: &Tensors<'_>,
    classes: usize,
) -> Result<(Box<dyn Predictor>, Scaling), Fault> {
    let settings: NetworkSettings = metadata.json(NETWORK)?;
    let scaling = metadata.json::<MeanVariance>(key::NORMALISER)?.checked()?;
    let inputs = scaling.mean.len();
    check_sizes(&settings, inputs, classes)?;
    let network = network(tensors, settings, inputs, classes)?;
    Ok((Box::new(network), Scaling::MeanVariance(scaling)))
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
    tensors: &Tensors<'_>,
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
