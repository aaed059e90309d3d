//! One layer of the transformer: attention and two fully connected layers, each added to its input.

use super::config::Config;
use super::relative::Gates;
use crate::EncoderError;
use crate::activation::gelu;
use crate::attention::Attention;
use crate::linear::Linear;
use crate::norm::LayerNorm;
use crate::rows::add;
use crate::scope::Scope;

/// A layer, whose norms are before or after what they belong to.
#[derive(Debug)]
pub(super) struct Layer {
    attention: Attention,
    gates: Option<Gates>,
    norms: [LayerNorm; 2],
    inner: Linear,
    outer: Linear,
    is_norm_first: bool,
}

impl Layer {
    pub(super) fn read(
        scope: &Scope,
        config: &Config,
        is_gated: bool,
    ) -> Result<Self, EncoderError> {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        let norm = |name: &str| LayerNorm::read(&scope.at(name), width, config.layer_norm_eps);
        let attention = scope.at("attention");
        let dense = scope.at("feed_forward");
        Ok(Self {
            attention: Attention::read(&attention, width, config.num_attention_heads)?,
            gates: is_gated.then(|| Gates::read(&attention, config)).transpose()?,
            norms: [norm("layer_norm")?, norm("final_layer_norm")?],
            inner: Linear::read(&dense.at("intermediate_dense"), width, inner)?,
            outer: Linear::read(&dense.at("output_dense"), inner, width)?,
            is_norm_first: config.do_stable_layer_norm,
        })
    }

    /// The layer's frames × width; `biases` are those of [`super::relative::Distances`], if any.
    pub(super) fn apply(&self, frames: &[f32], biases: &[Vec<f32>]) -> Vec<f32> {
        let attended = self.part(frames, 0, |x| self.attend(x, biases));
        self.part(&attended, 1, |x| self.dense(x))
    }

    /// `x + f(norm(x))`, or `norm(x + f(x))`.
    fn part(&self, x: &[f32], norm: usize, f: impl Fn(&[f32]) -> Vec<f32>) -> Vec<f32> {
        let norm = &self.norms[norm];
        if self.is_norm_first {
            let mut normed = x.to_vec();
            norm.apply(&mut normed);
            let mut out = f(&normed);
            add(&mut out, x);
            return out;
        }
        let mut out = f(x);
        add(&mut out, x);
        norm.apply(&mut out);
        out
    }

    fn attend(&self, x: &[f32], biases: &[Vec<f32>]) -> Vec<f32> {
        let Some(gates) = &self.gates else {
            return self.attention.apply(x, |_, _, _| ());
        };
        let width = self.outer.bias.len();
        self.attention.apply(x, |head, query, scores| {
            let frame = &x[query * width..][..width];
            gates.add_to(scores, [head, query], frame, &biases[head]);
        })
    }

    fn dense(&self, x: &[f32]) -> Vec<f32> {
        let inner = self.inner.apply(x, |row| row.iter_mut().for_each(|x| *x = gelu(*x)));
        self.outer.apply(&inner, |_| ())
    }
}
