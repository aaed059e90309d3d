//! The gated relative position bias of WavLM (Chen et al. 2022, §III-B): what a head adds to the score
//! of a key depends on how far it is from the query, times a gate that the query's frame opens.

use super::config::Config;
use crate::EncoderError;
use crate::activation::sigmoid;
use crate::scope::Scope;

/// The biases that all layers share: by bucket of the distance, as in T5 (Raffel et al. 2020).
#[derive(Debug)]
pub(super) struct Distances {
    /// Buckets × heads.
    biases: Vec<f32>,
    heads: usize,
    buckets: usize,
    longest: usize,
}

impl Distances {
    /// The table of the first layer's attention.
    pub(super) fn read(scope: &Scope, config: &Config) -> Result<Self, EncoderError> {
        let (heads, buckets) = (config.num_attention_heads, config.num_buckets);
        let biases = scope.values("rel_attn_embed.weight", (buckets, heads))?;
        Ok(Self { biases, heads, buckets, longest: config.max_bucket_distance })
    }

    /// For every head, the biases of the distances −(frames − 1) to frames − 1, key minus query.
    pub(super) fn biases(&self, frames: usize) -> Vec<Vec<f32>> {
        let last = frames as i64 - 1;
        let buckets: Vec<usize> =
            (-last..=last).map(|distance| bucket(distance, self.buckets, self.longest)).collect();
        let of_head = |head| buckets.iter().map(|b| self.biases[b * self.heads + head]).collect();
        (0..self.heads).map(of_head).collect()
    }
}

/// The bucket of a distance: half of them for keys after the query; of either half, half for single
/// distances and half for logarithmic steps up to `longest`. In `f32`, as the models were trained.
fn bucket(distance: i64, buckets: usize, longest: usize) -> usize {
    let (half, exact) = (buckets / 2, buckets / 4);
    let side = if distance > 0 { half } else { 0 };
    let size = distance.unsigned_abs() as usize;
    if size < exact {
        return side + size;
    }
    let steps = libm::log(longest as f64 / exact as f64) as f32;
    let place = libm::logf(size as f32 / exact as f32) / steps * (half - exact) as f32;
    side + ((exact as f32 + place) as usize).min(half - 1)
}

/// The gates of one layer.
#[derive(Debug)]
pub(super) struct Gates {
    /// For both gates, the weights of a head's values; the file has them in four parts, to be summed.
    weights: [Vec<f32>; 2],
    biases: [f32; 2],
    /// Of each head.
    constants: Vec<f32>,
}

impl Gates {
    pub(super) fn read(scope: &Scope, config: &Config) -> Result<Self, EncoderError> {
        let heads = config.num_attention_heads;
        let size = config.hidden_size / heads;
        let linear = scope.at("gru_rel_pos_linear");
        let weights = linear.values("weight", (8, size))?;
        let biases = linear.values("bias", 8)?;
        let column =
            |half: usize, i: usize| (0..4).map(|k| weights[(4 * half + k) * size + i]).sum();
        let weights = [0, 1].map(|half| (0..size).map(|i| column(half, i)).collect());
        let biases = [biases[..4].iter().sum(), biases[4..].iter().sum()];
        let constants = scope.values("gru_rel_pos_const", (1, heads, 1, 1))?;
        Ok(Self { weights, biases, constants })
    }

    /// Adds to the scores of a query, by its head and its frame, the gated biases of that head.
    pub(super) fn add_to(
        &self,
        scores: &mut [f32],
        [head, query]: [usize; 2],
        frame: &[f32],
        biases: &[f32],
    ) {
        let size = self.weights[0].len();
        let values = &frame[head * size..][..size];
        let [a, b] = [0, 1].map(|gate| {
            let products = values.iter().zip(&self.weights[gate]).map(|(x, w)| x * w);
            sigmoid(products.sum::<f32>() + self.biases[gate])
        });
        let gate = a * (b * self.constants[head] - 1.0) + 2.0;
        let first = scores.len() - 1 - query;
        let biases = &biases[first..][..scores.len()];
        scores.iter_mut().zip(biases).for_each(|(score, &bias)| *score += gate * bias);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn buckets_are_those_of_transformers() {
        let text = include_str!("../../tests-data/wav2vec2/buckets.json");
        let known: BTreeMap<String, Vec<(usize, usize)>> = serde_json::from_str(text).unwrap();
        assert_eq!(known.len(), 2);
        for (setting, runs) in known {
            let sizes: Vec<usize> = setting.split(' ').map(|word| word.parse().unwrap()).collect();
            let expected = runs.iter().flat_map(|&(b, count)| std::iter::repeat_n(b, count));
            for (distance, expected) in (-2100..=2100).zip(expected) {
                assert_eq!(bucket(distance, sizes[0], sizes[1]), expected, "{setting} {distance}");
            }
        }
    }
}
