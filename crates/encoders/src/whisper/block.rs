//! A layer of the encoder: attention of every frame to every other, then a network of one hidden layer,
//! each over normalised rows and added to what was there.

use ambivox_nn::{Matrix, product_into};
use pulp::Arch;

use super::config::Config;
use super::linear::Linear;
use crate::EncoderError;
use crate::activation::gelu_all;
use crate::attention::softmax;
use crate::norm::LayerNorm;
use crate::scope::Scope;

/// Frames whose attention is computed together: few enough that their scores stay in the cache.
const QUERIES: usize = 256;

/// Added by layer normalisation to the variance, as PyTorch does where nothing else is said.
pub(super) const EPSILON: f64 = 1e-5;

pub(super) struct Block {
    width: usize,
    heads: usize,
    before_attention: LayerNorm,
    /// Queries, scaled, then keys, then values.
    projections: Linear,
    out: Linear,
    before_network: LayerNorm,
    hidden: Linear,
    output: Linear,
}

impl Block {
    pub(super) fn read(scope: &Scope, config: &Config) -> Result<Self, EncoderError> {
        let (width, heads) = (config.d_model, config.encoder_attention_heads);
        let inner = config.encoder_ffn_dim;
        let attention = scope.at("self_attn");
        let square =
            |part: &str| Linear::read(&attention.at(&format!("{part}_proj")), [width, width]);
        let norm = |part: &str| LayerNorm::read(&scope.at(part), width, EPSILON);
        let scale = ((width / heads) as f32).sqrt().recip();
        Ok(Self {
            width,
            heads,
            before_attention: norm("self_attn_layer_norm")?,
            projections: Linear::beside([square("q")?.times(scale), square("k")?, square("v")?]),
            out: square("out")?,
            before_network: norm("final_layer_norm")?,
            hidden: Linear::read(&scope.at("fc1"), [inner, width])?,
            output: Linear::read(&scope.at("fc2"), [width, inner])?,
        })
    }

    /// Takes rows through the layer, in place.
    pub(super) fn apply(&self, rows: &mut [f32]) {
        let attended = self.attend(&self.projections.of(&self.before_attention.of(rows)));
        self.out.add(&attended, rows);
        let mut hidden = self.hidden.of(&self.before_network.of(rows));
        gelu_all(&mut hidden);
        self.output.add(&hidden, rows);
    }

    /// What every frame attends to, head beside head.
    fn attend(&self, projected: &[f32]) -> Vec<f32> {
        let (width, of_head) = (self.width, self.width / self.heads);
        let frames = projected.len() / (3 * width);
        let part = |from: usize, rows: usize| {
            Matrix::strided(&projected[from..], [rows, of_head], [3 * width, 1])
        };
        let mut out = vec![0.0; frames * width];
        let mut scores = vec![0.0; QUERIES.min(frames) * frames];
        let mut mixed = vec![0.0; QUERIES.min(frames) * of_head];
        for head in (0..width).step_by(of_head) {
            let (keys, values) = (part(width + head, frames), part(2 * width + head, frames));
            for start in (0..frames).step_by(QUERIES) {
                let count = QUERIES.min(frames - start);
                let (scores, mixed) =
                    (&mut scores[..count * frames], &mut mixed[..count * of_head]);
                let queries = part(start * 3 * width + head, count);
                product_into(scores, queries, keys.transposed(), false, 1);
                Arch::new().dispatch(|| scores.chunks_exact_mut(frames).for_each(softmax));
                product_into(mixed, Matrix::new(scores, frames), values, false, 1);
                let places = out[start * width..].chunks_exact_mut(width);
                for (place, mixed) in places.zip(mixed.chunks_exact(of_head)) {
                    place[head..head + of_head].copy_from_slice(mixed);
                }
            }
        }
        out
    }
}
