//! The encoder against PyTorch, against finite differences, and against itself: padding, batch
//! order and threads change nothing.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use ambivox_nn::{Dims, Dropout, Encoder, Packing};
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

    /// Pooled vector and attention weights of every utterance, by inference in `f32`.
    fn infer(&self, encoder: &Encoder) -> Vec<(Vec<f64>, Vec<f64>)> {
        let (packing, frames) = self.packed();
        let tensor = |values: &[f64], shape: &[usize]| {
            let tensor = Tensor::from_slice(values, shape, &Device::Cpu).unwrap();
            tensor.to_dtype(DType::F32).unwrap()
        };
        let encoded = encoder
            .encode_with_attention(
                &tensor(&frames, &[packing.frames(), self.dims.inputs]),
                &tensor(&self.theta, &[self.theta.len()]),
                &tensor(&self.attention, &[self.attention.len()]),
                &packing,
            )
            .unwrap();
        let pooled = encoded.pooled.to_dtype(DType::F64).unwrap().to_vec2().unwrap();
        let wide = |weights: Vec<f32>| weights.into_iter().map(f64::from).collect();
        pooled.into_iter().zip(encoded.attention.into_iter().map(wide)).collect()
    }

    fn loss(&self, encoder: &Encoder) -> f64 {
        let pooled = self.solve(encoder, DType::F64).unwrap().pooled;
        pooled.iter().zip(&self.factors).map(|(a, b)| a * b).sum()
    }
}

/// Largest difference, relative to the largest value of the reference; absolute where that is 0.
fn distance(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let scale = expected.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let largest = got.iter().zip(expected).fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
    assert!(got.iter().all(|x| x.is_finite()));
    if scale == 0.0 { largest } else { largest / scale }
}

/// A problem as `fixtures/make.py` also makes it, and its answer by PyTorch in double precision.
#[derive(serde::Deserialize)]
struct Fixture {
    name: String,
    inputs: usize,
    linear: usize,
    lstm: usize,
    lengths: Vec<usize>,
    pooled: Vec<f64>,
    weights: Vec<Vec<f64>>,
    theta_gradient: Vec<f64>,
    attention_gradient: Vec<f64>,
}

impl Fixture {
    fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("fixtures/encoder.json")).unwrap()
    }

    fn problem(&self) -> Problem {
        let dims = Dims { inputs: self.inputs, linear: self.linear, lstm: self.lstm };
        Problem::random(dims, &self.lengths, None)
    }
}

#[test]
fn agrees_with_pytorch() {
    for fixture in Fixture::all() {
        let problem = fixture.problem();
        let encoder = Encoder::new(problem.dims);
        for (dtype, tolerance) in [(DType::F64, 1e-11), (DType::F32, 1e-5)] {
            let answer = problem.solve(&encoder, dtype).unwrap();
            let mut pairs = vec![
                ("pooled vectors", &answer.pooled[..], &fixture.pooled[..]),
                ("gradient of u", &answer.attention, &fixture.attention_gradient),
            ];
            for slot in problem.dims.tensors() {
                let expected = &fixture.theta_gradient[slot.range.clone()];
                pairs.push((slot.name, &answer.theta[slot.range], expected));
            }
            for (what, got, expected) in pairs {
                let distance = distance(got, expected);
                assert!(distance < tolerance, "{}: {what}: {dtype:?}: {distance:e}", fixture.name);
            }
        }
    }
}

#[test]
fn attention_weights_agree_with_pytorch() {
    for fixture in Fixture::all() {
        let problem = fixture.problem();
        let found = problem.infer(&Encoder::new(problem.dims));
        for ((_, found), expected) in found.iter().zip(&fixture.weights) {
            assert!(distance(found, expected) < 1e-5, "{}", fixture.name);
        }
        let pooled: Vec<f64> = found.into_iter().flat_map(|(pooled, _)| pooled).collect();
        assert!(distance(&pooled, &fixture.pooled) < 1e-5, "{}", fixture.name);
    }
}

/// A parameter of a problem: of θ, or of the attention vector.
type Parameters = fn(&mut Problem) -> &mut Vec<f64>;

/// Central differences of about 150 of some parameters, against their gradients.
fn check_differences(problem: &mut Problem, parameters: Parameters, gradients: &[f64]) {
    let (encoder, step) = (Encoder::new(problem.dims), 1e-5);
    for index in (0..gradients.len()).step_by(gradients.len().div_ceil(150)) {
        let kept = parameters(problem)[index];
        let mut loss_at = |value: f64| {
            parameters(problem)[index] = value;
            problem.loss(&encoder)
        };
        let expected = (loss_at(kept + step) - loss_at(kept - step)) / (2.0 * step);
        loss_at(kept);
        let got = gradients[index];
        let close = (got - expected).abs() < 1e-8 + 1e-6 * expected.abs();
        assert!(close, "parameter {index} of {}: {got} {expected}", gradients.len());
    }
}

/// Sizes above and below a block of units; lengths that differ, that are equal, and of one frame.
#[test]
fn gradients_are_finite_differences() {
    let cases = [(2, &[3, 1, 5][..]), (70, &[3, 1, 5]), (2, &[4, 4]), (3, &[1])];
    for ((lstm, lengths), by_utterance) in
        cases.into_iter().flat_map(|case| [(case, false), (case, true)])
    {
        let dims = Dims { inputs: 2, linear: 3, lstm };
        let dropout = Dropout { rate: 0.3, seed: 5, by_utterance };
        let mut problem = Problem::random(dims, lengths, Some(dropout));
        let answer = problem.solve(&Encoder::new(dims), DType::F64).unwrap();
        check_differences(&mut problem, |p| &mut p.theta, &answer.theta);
        check_differences(&mut problem, |p| &mut p.attention, &answer.attention);
    }
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn threads_change_no_bit() {
    let dims = Dims { inputs: 8, linear: 48, lstm: 40 };
    let dropout = Dropout { rate: 0.5, seed: 9, by_utterance: false };
    let problem = Problem::random(dims, &[300, 20, 170, 1, 300], Some(dropout));
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
fn wrong_shapes_are_named() {
    let dims = Dims { inputs: 2, linear: 3, lstm: 2 };
    let problem = Problem::random(Dims { inputs: 2, linear: 4, lstm: 2 }, &[2], None);
    let error = problem.solve(&Encoder::new(dims), DType::F32).err().unwrap().to_string();
    assert!(error.contains("theta: shape"), "{error}");
}

#[test]
#[cfg(not(feature = "cuda"))]
fn without_the_feature_the_device_is_the_cpu() {
    assert!(ambivox_nn::gpu_or_cpu(0).is_cpu());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Company in a batch, and its order, change no bit of an utterance's pooled vector and
    /// attention, whatever that company holds: no frame of another utterance, and nothing beyond
    /// its own last frame, reaches it.
    #[test]
    fn garbage_beside_an_utterance_changes_no_bit(
        lengths in prop::collection::vec(1usize..20, 1..9),
        own in 1usize..20,
        place in 0usize..9,
        garbage in prop::sample::select(vec![0.0, 1e30, f64::NAN, f64::INFINITY]),
    ) {
        let dims = Dims { inputs: 3, linear: 7, lstm: 6 };
        let encoder = Encoder::new(dims);
        let alone = Problem::random(dims, &[own], None);
        let expected = alone.infer(&encoder);
        let place = place.min(lengths.len());
        let mut together = alone;
        together.utterances =
            lengths.iter().map(|length| vec![garbage; length * dims.inputs]).collect();
        let utterance = Numbers(42).take(own * dims.inputs, 2.0);
        together.utterances.insert(place, utterance);
        let found = together.infer(&encoder);
        prop_assert_eq!(bits(&found[place].0), bits(&expected[0].0));
        prop_assert_eq!(bits(&found[place].1), bits(&expected[0].1));
    }

    /// Gradients of a batch are the sums of those of its utterances, but for rounding.
    #[test]
    fn gradients_add_up(lengths in prop::collection::vec(1usize..20, 1..9)) {
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
            prop_assert_eq!(bits(&alone.pooled), bits(pooled));
            theta.iter_mut().zip(&alone.theta).for_each(|(sum, x)| *sum += x);
        }
        prop_assert!(distance(&together.theta, &theta) < 1e-5);
    }
}
