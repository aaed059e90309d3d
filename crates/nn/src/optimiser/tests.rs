//! Clipping and the optimiser, against candle's own.

use candle_core::Device;
use candle_nn::{AdamW, Optimizer, ParamsAdamW};

use super::*;

const RATE: f64 = 0.1;

fn variables() -> Vec<Var> {
    let var = |values: &[f32]| Var::new(values, &Device::Cpu).unwrap();
    vec![var(&[3.0, 0.0]), var(&[4.0])]
}

/// Half the sum of squares, whose gradient is the variable itself.
fn loss(variables: &[Var]) -> Tensor {
    let square = |v: &Var| v.sqr().unwrap().sum_all().unwrap();
    let squares = variables.iter().map(square).reduce(|a, b| (a + b).unwrap());
    (squares.unwrap() * 0.5).unwrap()
}

fn gradients(variables: &[Var]) -> Vec<Option<Tensor>> {
    let optimiser = Optimiser::new(variables.to_vec(), RATE, 0.0);
    optimiser.gradients(&loss(variables)).unwrap()
}

fn values_of(variable: &Var) -> Vec<f32> {
    variable.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn long_gradients_are_scaled_together() {
    let gradients = gradients(&variables());
    assert_eq!(norm(&gradients).unwrap(), 5.0);
    assert_eq!(scale(&gradients, 1.0).unwrap(), 0.2);
}

#[test]
fn short_gradients_are_left_alone() {
    let gradients = gradients(&variables());
    assert_eq!(scale(&gradients, 6.0).unwrap(), 1.0);
    assert_eq!(scale(&gradients, 0.0).unwrap(), 1.0);
}

/// Adam's first step is the learning rate times the gradient's sign, wherever it is not tiny.
#[test]
fn first_step_of_adam_is_known() {
    let variables = variables();
    let mut optimiser = Optimiser::new(variables.clone(), RATE, 0.0);
    optimiser.step(&loss(&variables)).unwrap();
    let first = values_of(&variables[0]);
    assert!((first[0] - 2.9).abs() < 1e-6 && first[1] == 0.0, "{first:?}");
    assert!((values_of(&variables[1])[0] - 3.9).abs() < 1e-6);
}

/// Several pieces, a matrix, and a variable that the loss does not depend on.
fn many_variables() -> Vec<Var> {
    let value = |i: usize| ((i * 7919 % 2003) as f32 - 1000.0) * 1e-3;
    let var = |count: usize, shape: &[usize]| {
        Var::from_vec((0..count).map(value).collect(), shape, &Device::Cpu).unwrap()
    };
    vec![var(2 * PIECE + 77, &[2 * PIECE + 77]), var(12, &[3, 4]), var(5, &[5])]
}

/// A loss whose gradients change from step to step; that of the matrix is not contiguous.
fn moving_loss(variables: &[Var], step: usize) -> Tensor {
    let long = variables[0].affine(1.0, 0.1 * step as f64).unwrap().sqr().unwrap();
    let factors = Tensor::arange(0f32, 12.0, &Device::Cpu).unwrap().reshape((4, 3)).unwrap();
    let matrix = (variables[1].t().unwrap() * factors).unwrap().sum_all().unwrap();
    (long.sum_all().unwrap() + matrix).unwrap()
}

/// Four steps by candle's Adam, clipped as [`Optimiser`] clips.
fn reference(longest: f64) -> Vec<Var> {
    let variables = many_variables();
    let params =
        ParamsAdamW { lr: 0.1, beta1: BETA_1, beta2: BETA_2, eps: EPSILON, weight_decay: 0.0 };
    let mut adam = AdamW::new(variables.clone(), params).unwrap();
    for step in 0..4 {
        let mut store = moving_loss(&variables, step).backward().unwrap();
        let list: Vec<_> = variables.iter().map(|v| store.get(v).cloned()).collect();
        let factor = scale(&contiguous(&list), longest).unwrap();
        for (variable, gradient) in variables.iter().zip(list) {
            gradient.map(|g| store.insert(variable, (g * factor).unwrap()));
        }
        adam.step(&store).unwrap();
    }
    variables
}

fn contiguous(gradients: &[Option<Tensor>]) -> Vec<Option<Tensor>> {
    gradients.iter().map(|g| g.as_ref().map(|g| g.contiguous().unwrap())).collect()
}

#[test]
fn agrees_with_candle_to_the_bit_whatever_the_number_of_threads() {
    for longest in [0.0, 1.0, 1e6] {
        let expected: Vec<_> = reference(longest).iter().map(values_of).collect();
        for threads in 1..=4 {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let variables = many_variables();
            let mut optimiser = Optimiser::new(variables.clone(), RATE, longest);
            pool.install(|| {
                (0..4).for_each(|s| optimiser.step(&moving_loss(&variables, s)).unwrap());
            });
            assert_eq!(variables.iter().map(values_of).collect::<Vec<_>>(), expected);
        }
    }
}

#[test]
fn the_norm_is_that_of_all_values() {
    let variables = many_variables();
    let squares = variables.iter().flat_map(values_of).map(|x| f64::from(x).powi(2));
    let expected = squares.sum::<f64>().sqrt();
    let found = norm(&gradients(&variables)).unwrap();
    assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
}
