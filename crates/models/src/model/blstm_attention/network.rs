//! The network as candle variables (METHOD, "Network").

use super::{AttentionOver, DropoutMask, NetworkSettings};
use ambivox_nn::{Dims, Dropout, Encoded, Encoder, HiddenDropout, product, theta, uniform};
use candle_core::{Result, Tensor, Var};

use crate::Batch;

/// `Linear + ReLU → dropout → bidirectional LSTM → dropout → attention pooling → class layer`.
///
/// The softmax of eq. 3 is not part of it: it gives logits, so that the loss can take a stable
/// logarithm. Cloning shares the variables; [`Network::copy`] does not.
#[derive(Debug, Clone)]
pub struct Network {
    pub(crate) settings: NetworkSettings,
    pub(crate) encoder: Encoder,
    pub(crate) theta: Var,
    pub(crate) attention: Var,
    pub(crate) output_weight: Var,
    pub(crate) output_bias: Var,
}

impl Network {
    /// Names of the tensors beside θ, in the order of [`Network::heads`].
    pub(crate) const HEADS: [&'static str; 3] = ["attention", "output.weight", "output.bias"];

    pub(crate) fn heads(&self) -> [(&'static str, &Var); 3] {
        let [attention, weight, bias] = Self::HEADS;
        [(attention, &self.attention), (weight, &self.output_weight), (bias, &self.output_bias)]
    }

    /// A new network for frames of `inputs` values and `classes` classes, drawn from `seed` as
    /// PyTorch draws by default.
    pub fn new(
        settings: &NetworkSettings,
        inputs: usize,
        classes: usize,
        seed: u64,
    ) -> Result<Self> {
        let dims = dims(settings, inputs);
        let pooled = 2 * dims.lstm;
        let scores = attention_entries(settings, classes);
        let [attention, output_weight, output_bias] = Self::HEADS;
        Ok(Self {
            settings: settings.clone(),
            encoder: Encoder::new(dims),
            theta: theta(dims, seed, settings.forget_bias)?,
            attention: uniform(attention, &[scores], scores, seed)?,
            output_weight: uniform(output_weight, &[classes, pooled], pooled, seed)?,
            output_bias: uniform(output_bias, &[classes], pooled, seed)?,
        })
    }

    /// The settings it was made from.
    pub fn settings(&self) -> &NetworkSettings {
        &self.settings
    }

    /// The variables to optimise, always in the same order.
    pub fn variables(&self) -> Vec<Var> {
        [&self.theta, &self.attention, &self.output_weight, &self.output_bias]
            .map(Var::clone)
            .into()
    }

    /// An independent copy, which later updates of this network leave alone.
    pub fn copy(&self) -> Result<Self> {
        let copy = |var: &Var| Var::from_tensor(&var.as_detached_tensor().copy()?);
        Ok(Self {
            settings: self.settings.clone(),
            encoder: self.encoder.clone(),
            theta: copy(&self.theta)?,
            attention: copy(&self.attention)?,
            output_weight: copy(&self.output_weight)?,
            output_bias: copy(&self.output_bias)?,
        })
    }

    /// Logits `[utterances, classes]` for a training step, with gradients for every variable.
    /// `dropout_seed` selects the dropout masks and must differ from step to step.
    pub fn training_logits(&self, batch: &Batch, dropout_seed: u64) -> Result<Tensor> {
        let rate = self.settings.dropout;
        let by_utterance = self.settings.dropout_mask == DropoutMask::Utterance;
        let dropout = Dropout { rate, seed: dropout_seed, by_utterance };
        let dropout = (rate > 0.0).then_some(dropout);
        let u = self.frame_attention(&self.attention, &self.output_weight)?;
        let pooled =
            self.encoder.encode(&batch.frames, &self.theta, &u, &batch.packing, dropout)?;
        let rate = self.settings.pooled_dropout;
        let pooled = HiddenDropout { rate, seed: dropout_seed }.of(&pooled)?;
        class_layer(&pooled, &self.output_weight, &self.output_bias)
    }

    /// Logits `[utterances, classes]` without dropout and without gradients, and the attention
    /// weights α of every utterance's frames.
    pub fn inference_logits(&self, batch: &Batch) -> Result<(Tensor, Vec<Vec<f32>>)> {
        let [theta, attention, weight, bias] =
            [&self.theta, &self.attention, &self.output_weight, &self.output_bias]
                .map(Var::as_detached_tensor);
        let u = self.frame_attention(&attention, &weight)?;
        let Encoded { pooled, attention } =
            self.encoder.encode_with_attention(&batch.frames, &theta, &u, &batch.packing)?;
        Ok((class_layer(&pooled, &weight, &bias)?, attention))
    }

    /// The vector that scores the BLSTM's outputs `h_t`, `[2·lstm]`.
    ///
    /// With attention over logits, eqs. 1–3 put the class layer `z_t = W·h_t + b` before the
    /// attention. The score is `z_t·u = h_t·(Wᵀu) + b·u`, and `b·u`, the same for all t, leaves the
    /// softmax alone. The pooled logits are `Σ α_t·(W·h_t + b) = W·(Σ α_t·h_t) + b`, since the `α_t`
    /// sum to 1. So the same operator serves both, with `Wᵀu` in place of `u`.
    fn frame_attention(&self, attention: &Tensor, output_weight: &Tensor) -> Result<Tensor> {
        match self.settings.attention_over {
            AttentionOver::Blstm => Ok(attention.clone()),
            AttentionOver::Logits => product(&attention.unsqueeze(0)?, output_weight)?.squeeze(0),
        }
    }
}

pub(super) fn dims(settings: &NetworkSettings, inputs: usize) -> Dims {
    Dims { inputs, linear: settings.linear, lstm: settings.lstm }
}

/// Length of u.
pub(super) fn attention_entries(settings: &NetworkSettings, classes: usize) -> usize {
    match settings.attention_over {
        AttentionOver::Blstm => 2 * settings.lstm,
        AttentionOver::Logits => classes,
    }
}

fn class_layer(pooled: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    product(pooled, &weight.t()?)?.broadcast_add(bias)
}

#[cfg(test)]
mod tests;
