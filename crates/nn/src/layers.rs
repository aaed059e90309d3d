//! Fully connected layers with leaky ReLU between them, for vectors of one utterance each.

use candle_core::{Device, Result, Tensor, Var};
use candle_nn::ops::leaky_relu;
use rand::RngExt;

use crate::{NnError, Rows, init, product, read, rng};

/// `Linear → (leaky ReLU → dropout → Linear)…`, from rows `[utterances, inputs]` to
/// `[utterances, outputs]`.
///
/// Leaky ReLU is max(x, leak·x). Cloning shares the variables; [`Dense::copy`] does not.
#[derive(Debug, Clone)]
pub struct Dense {
    /// From the inputs to the outputs.
    pub layers: Vec<Layer>,
    /// Slope of the leaky ReLU below 0.
    pub leak: f64,
}

/// One layer.
#[derive(Debug, Clone)]
pub struct Layer {
    /// `[outputs, inputs]`.
    pub weight: Var,
    /// `[outputs]`.
    pub bias: Var,
}

/// Dropout of the hidden layers in one training step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HiddenDropout {
    /// Share of activations dropped, from 0 to below 1; the others are scaled by 1/(1 − rate).
    pub rate: f64,
    /// Seed of this step's masks; every step needs its own.
    pub seed: u64,
}

impl Dense {
    /// A new stack of layers of these widths, inputs first and outputs last; drawn from `seed` and
    /// the stack's own `name` as Glorot and Bengio (2010) propose: weights uniform in
    /// ±√(6 / (inputs + outputs) of the layer), biases 0.
    pub fn new(name: &str, widths: &[usize], leak: f64, seed: u64) -> Result<Self> {
        let layer = |(number, pair): (usize, &[usize])| {
            let name = format!("{name}.{number}");
            Layer::new(&name, pair[0], pair[1], seed)
        };
        let layers = widths.windows(2).enumerate().map(layer).collect::<Result<_>>()?;
        Ok(Self { layers, leak })
    }

    /// Values per utterance that it reads.
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.weight.dims()[1])
    }

    /// Values per utterance that it gives.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.bias.elem_count())
    }

    /// Number of parameters in all.
    pub fn parameters(&self) -> usize {
        self.variables().iter().map(|variable| variable.elem_count()).sum()
    }

    /// The variables to optimise, always in the same order.
    pub fn variables(&self) -> Vec<Var> {
        self.layers.iter().flat_map(|layer| [layer.weight.clone(), layer.bias.clone()]).collect()
    }

    /// An independent copy, which later updates of this one leave alone.
    pub fn copy(&self) -> Result<Self> {
        let copy = |var: &Var| Var::from_tensor(&var.as_detached_tensor().copy()?);
        let layer =
            |Layer { weight, bias }: &Layer| Ok(Layer { weight: copy(weight)?, bias: copy(bias)? });
        Ok(Self { layers: self.layers.iter().map(layer).collect::<Result<_>>()?, leak: self.leak })
    }

    /// Outputs for a training step, with gradients for every variable.
    pub fn training_output(&self, rows: &Tensor, dropout: HiddenDropout) -> Result<Tensor> {
        let mut masks = Masks::new(dropout);
        self.run(rows, |var| var.as_tensor().clone(), |hidden| masks.apply(hidden))
    }

    /// Outputs without dropout; gradients reach `rows`, but none of the variables.
    pub fn fixed_output(&self, rows: &Tensor) -> Result<Tensor> {
        self.run(rows, Var::as_detached_tensor, Ok)
    }

    fn run(
        &self,
        rows: &Tensor,
        values: impl Fn(&Var) -> Tensor,
        mut dropout: impl FnMut(Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let mut rows = rows.clone();
        for (number, Layer { weight, bias }) in self.layers.iter().enumerate() {
            if number > 0 {
                rows = dropout(leaky_relu(&rows, self.leak)?)?;
            }
            rows = product(&rows, &values(weight).t()?)?.broadcast_add(&values(bias))?;
        }
        Ok(rows)
    }
}

impl Layer {
    fn new(name: &str, inputs: usize, outputs: usize, seed: u64) -> Result<Self> {
        let bound = (6.0 / (inputs + outputs) as f32).sqrt();
        Ok(Self {
            weight: init::uniform_within(name, &[outputs, inputs], bound, seed)?,
            bias: Var::from_vec(vec![0.0_f32; outputs], outputs, &Device::Cpu)?,
        })
    }
}

/// Vectors of `width` values each as a tensor `[utterances, width]`. A vector of another length is
/// an error.
pub fn vectors(utterances: &[&Rows<'_>], width: usize) -> Result<Tensor> {
    if let Some(position) = utterances.iter().position(|vector| vector.len() != width) {
        let values = utterances[position].len();
        return Err(candle_core::Error::wrap(NnError::Vector { position, values, width }));
    }
    Tensor::from_vec(read(utterances).concat(), (utterances.len(), width), &Device::Cpu)
}

impl HiddenDropout {
    /// Activations of which a share is dropped, by a mask of its own stream; all of them at rate 0.
    pub fn of(self, activations: &Tensor) -> Result<Tensor> {
        let mut masks = Masks { rate: self.rate, rng: rng(self.seed, "mask of a pooled vector") };
        masks.apply(activations.clone())
    }
}

/// The masks of one step, one layer after the other.
struct Masks {
    rate: f64,
    rng: rand_chacha::ChaCha8Rng,
}

impl Masks {
    fn new(HiddenDropout { rate, seed }: HiddenDropout) -> Self {
        Self { rate, rng: rng(seed, "masks of hidden layers") }
    }

    fn apply(&mut self, hidden: Tensor) -> Result<Tensor> {
        if self.rate == 0.0 {
            return Ok(hidden);
        }
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        let dropped = |draw: f32| if f64::from(draw) < self.rate { 0.0 } else { kept };
        let draws = (0..hidden.elem_count()).map(|_| dropped(self.rng.random()));
        let mask = Tensor::from_iter(draws, &Device::Cpu)?;
        hidden.mul(&mask.reshape(hidden.shape())?.to_dtype(hidden.dtype())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dense() -> Dense {
        Dense::new("toy", &[3, 5, 2], 0.2, 1).unwrap()
    }

    fn input() -> Tensor {
        Tensor::new(&[[0.5_f32, -1.0, 2.0], [0.1, 0.2, -0.3]], &Device::Cpu).unwrap()
    }

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// x·Wᵀ + b, one output after the other.
    fn by_hand(layer: &Layer, x: &[f64]) -> Vec<f64> {
        let (weight, bias) = (values(&layer.weight), values(&layer.bias));
        let row = |(weights, bias): (&[f32], &f32)| {
            let products = weights.iter().zip(x).map(|(&w, x)| f64::from(w) * x);
            products.sum::<f64>() + f64::from(*bias)
        };
        weight.chunks(x.len()).zip(&bias).map(row).collect()
    }

    #[test]
    fn output_agrees_with_the_definition() {
        let dense = dense();
        let hidden = by_hand(&dense.layers[0], &[0.5, -1.0, 2.0]);
        assert!(hidden.iter().any(|&h| h < 0.0) && hidden.iter().any(|&h| h > 0.0));
        let hidden: Vec<f64> = hidden.iter().map(|&h| if h < 0.0 { 0.2 * h } else { h }).collect();
        let expected = by_hand(&dense.layers[1], &hidden);
        let found = dense.fixed_output(&input()).unwrap().to_vec2::<f32>().unwrap();
        for (found, expected) in found[0].iter().zip(&expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn sizes_and_initial_values_are_as_stated() {
        let dense = Dense::new("toy", &[400, 200, 4], 0.2, 1).unwrap();
        assert_eq!((dense.inputs(), dense.outputs()), (400, 4));
        assert_eq!(dense.parameters(), 400 * 200 + 200 + 200 * 4 + 4);
        let weight = values(&dense.layers[0].weight);
        let bound = (6.0_f32 / 600.0).sqrt();
        assert!(weight.iter().all(|w| w.abs() <= bound));
        let variance = weight.iter().map(|w| f64::from(w * w)).sum::<f64>() / weight.len() as f64;
        assert!((variance / (2.0 / 600.0) - 1.0).abs() < 0.02, "{variance}");
        assert!(values(&dense.layers[0].bias).iter().all(|&b| b == 0.0));
    }

    #[test]
    fn name_and_seed_decide_the_initial_values() {
        let first =
            |name, seed| values(&Dense::new(name, &[3, 5, 2], 0.2, seed).unwrap().layers[0].weight);
        assert_eq!(first("toy", 1), first("toy", 1));
        assert_ne!(first("toy", 1), first("toy", 2));
        assert_ne!(first("toy", 1), first("other", 1));
    }

    #[test]
    fn dropout_drops_its_share_and_keeps_the_mean() {
        let dropped = |rate, seed| {
            let ones = Tensor::ones((100, 200), candle_core::DType::F32, &Device::Cpu).unwrap();
            values(&Masks::new(HiddenDropout { rate, seed }).apply(ones).unwrap())
        };
        let found = dropped(0.25, 3);
        let zeros = found.iter().filter(|&&v| v == 0.0).count() as f64 / found.len() as f64;
        assert!((zeros - 0.25).abs() < 0.02, "{zeros}");
        assert!(found.iter().all(|&v| v == 0.0 || (v - 4.0 / 3.0).abs() < 1e-6));
        assert_eq!(found, dropped(0.25, 3));
        assert_ne!(found, dropped(0.25, 4));
        assert!(dropped(0.0, 3).iter().all(|&v| v == 1.0));
    }

    #[test]
    fn gradients_reach_the_variables_in_training_alone() {
        let dense = dense();
        let dropout = HiddenDropout { rate: 0.0, seed: 0 };
        let trained = dense.training_output(&input(), dropout).unwrap();
        assert_eq!(values(&trained), values(&dense.fixed_output(&input()).unwrap()));
        let gradients = trained.sum_all().unwrap().backward().unwrap();
        assert!(dense.variables().iter().all(|var| gradients.get(var).is_some()));

        let input = Var::from_tensor(&input()).unwrap();
        let fixed = dense.fixed_output(&input).unwrap();
        let gradients = fixed.sum_all().unwrap().backward().unwrap();
        assert!(dense.variables().iter().all(|var| gradients.get(var).is_none()));
        assert!(gradients.get(&input).is_some());
    }

    #[test]
    fn a_copy_stays_as_it_was() {
        let dense = dense();
        let copy = dense.copy().unwrap();
        let before = values(&copy.layers[0].bias);
        dense.layers[0]
            .bias
            .set(&Tensor::ones(5, candle_core::DType::F32, &Device::Cpu).unwrap())
            .unwrap();
        assert_eq!(values(&copy.layers[0].bias), before);
        assert_ne!(values(&dense.layers[0].bias), before);
    }

    #[test]
    fn a_vector_of_another_length_is_named() {
        let [first, second] = [3, 4].map(|count| Rows::from(vec![0.0; count]));
        let message = vectors(&[&first, &second], 3).unwrap_err().to_string();
        assert!(message.starts_with("vector 1 has 4 values; expected 3"), "{message}");
    }

    #[test]
    fn dropout_of_one_tensor_has_a_stream_of_its_own() {
        let ones = Tensor::ones((40, 50), candle_core::DType::F32, &Device::Cpu).unwrap();
        let of = |rate, seed| values(&HiddenDropout { rate, seed }.of(&ones).unwrap());
        assert_eq!(of(0.0, 1), values(&ones));
        assert_eq!(of(0.5, 1), of(0.5, 1));
        assert_ne!(of(0.5, 1), of(0.5, 2));
        let dropped = of(0.25, 1).iter().filter(|value| **value == 0.0).count();
        assert!((400..600).contains(&dropped), "{dropped} of 2000");
    }
}
