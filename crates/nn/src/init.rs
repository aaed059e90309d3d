//! Initial parameters, drawn as PyTorch draws them by default.
//!
//! Fully connected layers: weights and biases uniform in ±1/√(inputs of the layer). LSTM: all
//! uniform in ±1/√(units); its bias is the sum of two such draws, because PyTorch keeps two biases
//! that are only ever used as a sum. Attention: uniform in ±1/√(entries), as a layer with one output.

use candle_core::{Device, Var};
use rand::RngExt;

use crate::{Dims, TensorSlot, rng};

/// The flat tensor θ of the operator, of `dims.parameters()` entries; where a forget bias is given, the biases
/// of those gates are it, and all others as without.
pub fn theta(dims: Dims, seed: u64, forget_bias: Option<f64>) -> candle_core::Result<Var> {
    let mut theta = vec![0.0; dims.parameters()];
    for slot in dims.tensors() {
        let values = &mut theta[slot.range.clone()];
        fill_slot(values, &slot, dims, seed);
        if let Some(bias) = forget_bias.filter(|_| slot.name.starts_with("lstm.bias")) {
            // Gates are i, f, g, o.
            values[dims.lstm..2 * dims.lstm].fill(bias as f32);
        }
    }
    Var::from_vec(theta, dims.parameters(), &Device::Cpu)
}

fn fill_slot(values: &mut [f32], slot: &TensorSlot, dims: Dims, seed: u64) {
    let fan_in = if slot.name.starts_with("lstm.") { dims.lstm } else { dims.inputs };
    add_uniform(values, slot.name, bound(fan_in), seed);
    if slot.name.starts_with("lstm.bias") {
        add_uniform(values, &format!("{} (second)", slot.name), bound(fan_in), seed);
    }
}

/// A tensor of `shape` uniform in `±1/√fan_in`, from the stream named after it.
pub fn uniform(name: &str, shape: &[usize], fan_in: usize, seed: u64) -> candle_core::Result<Var> {
    uniform_within(name, shape, bound(fan_in), seed)
}

/// A tensor of `shape` uniform in ±`bound`, from the stream named after it.
pub(crate) fn uniform_within(
    name: &str,
    shape: &[usize],
    bound: f32,
    seed: u64,
) -> candle_core::Result<Var> {
    let mut values = vec![0.0; shape.iter().product()];
    add_uniform(&mut values, name, bound, seed);
    Var::from_vec(values, shape, &Device::Cpu)
}

fn bound(fan_in: usize) -> f32 {
    1.0 / (fan_in as f32).sqrt()
}

fn add_uniform(values: &mut [f32], stream: &str, bound: f32, seed: u64) {
    let mut rng = rng(seed, stream);
    for value in values {
        *value += rng.random_range(-bound..=bound);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIMS: Dims = Dims { inputs: 4, linear: 64, lstm: 16 };

    fn drawn(name: &str) -> Vec<f32> {
        let theta = theta(DIMS, 7, None).unwrap().to_vec1::<f32>().unwrap();
        let slot = DIMS.tensors().into_iter().find(|slot| slot.name == name).unwrap();
        theta[slot.range].to_vec()
    }

    fn variance(values: &[f32]) -> f32 {
        values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32
    }

    /// A uniform variable in ±b has variance b²/3.
    #[test]
    fn layers_have_the_spread_of_pytorch() {
        for (name, expected) in [
            ("linear.weight", 0.25 / 3.0),
            ("lstm.weight_ih", 0.0625 / 3.0),
            ("lstm.weight_hh_reverse", 0.0625 / 3.0),
            ("lstm.bias", 2.0 * 0.0625 / 3.0),
        ] {
            let ratio = variance(&drawn(name)) / expected;
            assert!((0.6..1.5).contains(&ratio), "{name}: variance is {ratio} × the expected");
        }
        assert!(drawn("linear.weight").iter().all(|v| v.abs() <= 0.5));
    }

    #[test]
    fn a_tensor_does_not_depend_on_the_others() {
        let wider = Dims { linear: 128, ..DIMS };
        let all = theta(wider, 7, None).unwrap().to_vec1::<f32>().unwrap();
        let slot = wider.tensors().into_iter().find(|s| s.name == "lstm.bias_reverse").unwrap();
        assert_eq!(all[slot.range], drawn("lstm.bias_reverse"));
        assert_ne!(drawn("lstm.bias"), drawn("lstm.bias_reverse"));
    }

    #[test]
    fn a_forget_bias_changes_nothing_but_those_biases() {
        let [drawn, given] =
            [None, Some(1.0)].map(|bias| theta(DIMS, 7, bias).unwrap().to_vec1::<f32>().unwrap());
        let forget = DIMS.tensors().into_iter().filter(|slot| slot.name.starts_with("lstm.bias"));
        let forget: Vec<usize> =
            forget.flat_map(|slot| slot.range.start + 16..slot.range.start + 32).collect();
        for (at, (drawn, given)) in drawn.iter().zip(&given).enumerate() {
            let expected = if forget.contains(&at) { 1.0 } else { *drawn };
            assert_eq!(*given, expected, "{at}");
        }
        assert_eq!(forget.len(), 32);
    }
}
