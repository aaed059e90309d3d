//! The encoder against PyTorch, against finite differences, and against itself: padding, batch
//! order and threads change nothing.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use ambivox_blstm::{Dims, Dropout, Encoder, Packing};
use candle_core::{DType, Device, Result, Tensor, Var};
use proptest::prelude::*;

/// A small linear congruential generator: tests need variety, not quality.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0
    }

    fn take(&mut self, count: usize, scale: f64) -> Vec<f64> {
        (0..count).map(|_| self.next() * scale).collect()
    }
}

/// A batch with parameters and factors of a scalar loss Σ pooled · factors.
struct Problem {
    dims: Dims,
    utterances: Vec<Vec<f64>>,
    theta: Vec<f64>,
    attention: Vec<f64>,
    factors: Vec<f64>,
    dropout: Option<Dropout>,
}

/// Loss, pooled vectors and gradients of a problem.
struct Answer {
    pooled: Vec<f64>,
    theta: Vec<f64>,
    attention: Vec<f64>,
}

impl Problem {
    fn random(dims: Dims, lengths: &[usize], dropout: Option<Dropout>) -> Self {
        let mut numbers = Numbers(42);
        let frames = |&length: &usize| numbers.take(length * dims.inputs, 2.0);
        let utterances: Vec<_> = lengths.iter().map(frames).collect();
        let theta = numbers.take(dims.parameters(), 0.5);
        let attention = numbers.take(dims.outputs(), 1.0);
        let factors = numbers.take(lengths.len() * dims.outputs(), 1.0);
        Self { dims, utterances, theta, attention, factors, dropout }
    }

    fn packed(&self) -> (Arc<Packing>, Vec<f64>) {
        let lengths: Vec<_> = self.utterances.iter().map(|u| u.len() / self.dims.inputs).collect();
        let packing = Packing::new(&lengths).unwrap();
        let slices: Vec<&[f64]> = self.utterances.iter().map(Vec::as_slice).collect();
        let frames = packing.pack(&slices, self.dims.inputs).unwrap();
        (Arc::new(packing), frames)
    }

    fn solve(&self, encoder: &Encoder, dtype: DType) -> Result<Answer> {
        let cpu = &Device::Cpu;
        let tensor = |values: &[f64], shape: &[usize]| {
            Tensor::from_slice(values, shape, cpu)?.to_dtype(dtype)
        };
        let (packing, frames) = self.packed();
        let frames = tensor(&frames, &[packing.frames(), self.dims.inputs])?;
        let theta = Var::from_tensor(&tensor(&self.theta, &[self.theta.len()])?)?;
        let attention = Var::from_tensor(&tensor(&self.attention, &[self.attention.len()])?)?;
        let pooled = encoder.encode(&frames, &theta, &attention, &packing, self.dropout)?;
        let loss = (&pooled * tensor(&self.factors, pooled.dims())?)?.sum_all()?;
        let gradients = loss.backward()?;
        let list = |t: &Tensor| t.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>();
        Ok(Answer {
            pooled: list(&pooled)?,
            theta: list(gradients.get(&theta).unwrap())?,
            attention: list(gradients.get(&attention).unwrap())?,
        })
    }

    fn loss(&self, encoder: &Encoder) -> f64 {
        let pooled = self.solve(encoder, DType::F64).unwrap().pooled;
        pooled.iter().zip(&self.factors).map(|(a, b)| a * b).sum()
    }
}

/// Largest difference, relative to the largest value of the reference.
fn distance(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let scale = expected.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let largest = got.iter().zip(expected).fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
    largest / scale
}

#[derive(serde::Deserialize)]
struct Fixture {
    inputs: usize,
    linear: usize,
    lstm: usize,
    lengths: Vec<usize>,
    frames: Vec<Vec<f64>>,
    theta: Vec<f64>,
    attention: Vec<f64>,
    factors: Vec<f64>,
    pooled: Vec<f64>,
    weights: Vec<Vec<f64>>,
    theta_gradient: Vec<f64>,
    attention_gradient: Vec<f64>,
}

fn fixture() -> (Fixture, Problem) {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/encoder.json")).unwrap();
    let dims = Dims { inputs: fixture.inputs, linear: fixture.linear, lstm: fixture.lstm };
    let problem = Problem {
        dims,
        utterances: fixture.frames.clone(),
        theta: fixture.theta.clone(),
        attention: fixture.attention.clone(),
        factors: fixture.factors.clone(),
        dropout: None,
    };
    (fixture, problem)
}

#[test]
fn agrees_with_pytorch() {
    let (fixture, problem) = fixture();
    let encoder = Encoder::new(problem.dims);
    for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-5)] {
        let answer = problem.solve(&encoder, dtype).unwrap();
        for (got, expected) in [
            (&answer.pooled, &fixture.pooled),
            (&answer.theta, &fixture.theta_gradient),
            (&answer.attention, &fixture.attention_gradient),
        ] {
            let distance = distance(got, expected);
            assert!(distance < tolerance, "{dtype:?}: {distance:e}");
        }
    }
}

#[test]
fn attention_weights_agree_with_pytorch() {
    let (fixture, problem) = fixture();
    let (packing, frames) = problem.packed();
    let tensor = |v: &[f64], shape: &[usize]| Tensor::from_slice(v, shape, &Device::Cpu).unwrap();
    let encoded = Encoder::new(problem.dims)
        .encode_with_attention(
            &tensor(&frames, &[packing.frames(), problem.dims.inputs]),
            &tensor(&problem.theta, &[problem.theta.len()]),
            &tensor(&problem.attention, &[problem.attention.len()]),
            &packing,
        )
        .unwrap();
    for ((got, expected), length) in
        encoded.attention.iter().zip(&fixture.weights).zip(&fixture.lengths)
    {
        assert_eq!(got.len(), *length);
        let got: Vec<f64> = got.iter().map(|&x| f64::from(x)).collect();
        assert!(distance(&got, expected) < 1e-6);
    }
    let pooled: Vec<f64> = encoded.pooled.flatten_all().unwrap().to_vec1().unwrap();
    assert!(distance(&pooled, &fixture.pooled) < 1e-12);
}

/// Central differences of every parameter; sizes above and below a block of units.
#[test]
fn gradients_are_finite_differences() {
    for lstm in [2, 70] {
        let dims = Dims { inputs: 2, linear: 3, lstm };
        let dropout = Some(Dropout { rate: 0.3, seed: 5 });
        let mut problem = Problem::random(dims, &[3, 1, 5], dropout);
        let encoder = Encoder::new(dims);
        let answer = problem.solve(&encoder, DType::F64).unwrap();
        let step = 1e-5;
        let count = problem.theta.len();
        for index in (0..count).step_by(count.div_ceil(150)) {
            let kept = problem.theta[index];
            problem.theta[index] = kept + step;
            let above = problem.loss(&encoder);
            problem.theta[index] = kept - step;
            let below = problem.loss(&encoder);
            problem.theta[index] = kept;
            let expected = (above - below) / (2.0 * step);
            let got = answer.theta[index];
            assert!((got - expected).abs() < 1e-8 + 1e-6 * expected.abs(), "theta[{index}]");
        }
    }
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn threads_change_no_bit() {
    let dims = Dims { inputs: 8, linear: 48, lstm: 40 };
    let problem =
        Problem::random(dims, &[300, 20, 170, 1, 300], Some(Dropout { rate: 0.5, seed: 9 }));
    let solve = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let answer = pool.install(|| problem.solve(&Encoder::new(dims), DType::F32)).unwrap();
        [answer.pooled, answer.theta, answer.attention].map(|v| bits(&v))
    };
    let one = solve(1);
    assert!([2, 3, 4].into_iter().all(|threads| solve(threads) == one));
}

#[test]
fn kept_buffers_change_no_bit() {
    let dims = Dims { inputs: 4, linear: 9, lstm: 5 };
    let encoder = Encoder::new(dims);
    let small = Problem::random(dims, &[3, 2], None);
    let large = Problem::random(dims, &[40, 30, 7], None);
    let first = small.solve(&encoder, DType::F32).unwrap();
    large.solve(&encoder, DType::F32).unwrap();
    let again = small.solve(&encoder, DType::F32).unwrap();
    assert_eq!(bits(&first.theta), bits(&again.theta));
    assert_eq!(bits(&first.pooled), bits(&again.pooled));
}

#[test]
fn long_and_lonely_utterances() {
    let dims = Dims { inputs: 4, linear: 8, lstm: 6 };
    let encoder = Encoder::new(dims);
    let long = Problem::random(dims, &[3190], None).solve(&encoder, DType::F32).unwrap();
    assert!(long.theta.iter().chain(&long.pooled).all(|x| x.is_finite()));
    let single = Problem::random(dims, &[1], None).solve(&encoder, DType::F32).unwrap();
    assert!(single.attention.iter().all(|&x| x.abs() < 1e-7), "one frame leaves nothing to attend");
}

#[test]
fn wrong_shapes_are_named() {
    let dims = Dims { inputs: 2, linear: 3, lstm: 2 };
    let problem = Problem::random(Dims { inputs: 2, linear: 4, lstm: 2 }, &[2], None);
    let error = problem.solve(&Encoder::new(dims), DType::F32).err().unwrap().to_string();
    assert!(error.contains("theta: shape"), "{error}");
}

#[test]
#[cfg(not(feature = "cuda"))]
fn without_the_feature_the_device_is_the_cpu() {
    assert!(ambivox_blstm::gpu_or_cpu(0).is_cpu());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Company in a batch, and its order, change nothing beyond rounding, and the pooled vector of
    /// an utterance not even a bit: no frame of another utterance, and no padding, reaches it.
    #[test]
    fn utterances_do_not_see_each_other(lengths in prop::collection::vec(1usize..20, 1..9)) {
        let dims = Dims { inputs: 3, linear: 7, lstm: 6 };
        let encoder = Encoder::new(dims);
        let problem = Problem::random(dims, &lengths, None);
        let together = problem.solve(&encoder, DType::F32).unwrap();
        let width = dims.outputs();
        let mut theta = vec![0.0; dims.parameters()];
        for index in 0..lengths.len() {
            let alone = Problem {
                dims,
                utterances: vec![problem.utterances[index].clone()],
                theta: problem.theta.clone(),
                attention: problem.attention.clone(),
                factors: problem.factors[index * width..][..width].to_vec(),
                dropout: None,
            };
            let alone = alone.solve(&encoder, DType::F32).unwrap();
            let pooled = &together.pooled[index * width..][..width];
            prop_assert!(distance(&alone.pooled, pooled) < 1e-6);
            theta.iter_mut().zip(&alone.theta).for_each(|(sum, x)| *sum += x);
        }
        prop_assert!(distance(&together.theta, &theta) < 1e-5);
    }
}
