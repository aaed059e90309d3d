//! The encoder on a GPU against the encoder on the CPU. Needs a GPU:
//! `cargo test -p ambivox-nn --features cuda --test gpu -- --ignored`.

#![cfg(feature = "cuda")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use ambivox_nn::{Dims, Dropout, Encoder, Packing};
use candle_core::{Device, Result, Tensor, Var};

/// Numbers from −scale to scale.
fn numbers(seed: u64, count: usize, scale: f32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((state >> 40) as f32 / (1u32 << 23) as f32 - 1.0) * scale
    };
    (0..count).map(|_| next()).collect()
}

/// Pooled vectors and gradients of both parameters.
fn solve(
    device: &Device,
    dims: Dims,
    lengths: &[usize],
    dropout: Option<Dropout>,
) -> Result<[Vec<f32>; 3]> {
    let packing = Arc::new(Packing::new(lengths).unwrap());
    let tensor = |seed, count, scale| Tensor::from_vec(numbers(seed, count, scale), count, device);
    let frames = tensor(1, packing.frames() * dims.inputs, 2.0)?;
    let frames = frames.reshape((packing.frames(), dims.inputs))?;
    let theta = Var::from_tensor(&tensor(2, dims.parameters(), 0.1)?)?;
    let attention = Var::from_tensor(&tensor(3, dims.outputs(), 1.0)?)?;
    let pooled = Encoder::new(dims).encode(&frames, &theta, &attention, &packing, dropout)?;
    let factors = tensor(4, lengths.len() * dims.outputs(), 1.0)?.reshape(pooled.shape())?;
    let gradients = (&pooled * factors)?.sum_all()?.backward()?;
    let list = |tensor: &Tensor| tensor.flatten_all()?.to_vec1();
    Ok([
        list(&pooled)?,
        list(gradients.get(&theta).unwrap())?,
        list(gradients.get(&attention).unwrap())?,
    ])
}

/// Largest difference, relative to the largest value of the reference.
fn distance(got: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(got.len(), expected.len());
    assert!(got.iter().all(|x| x.is_finite()));
    let scale = expected.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    got.iter().zip(expected).fold(0.0f32, |m, (a, b)| m.max((a - b).abs())) / scale
}

#[test]
#[ignore = "needs an NVIDIA GPU"]
fn a_gpu_agrees_with_the_cpu() {
    let gpu = Device::new_cuda(0).unwrap();
    let long: Vec<usize> = (0..32).map(|i| 177 + 25 * i).collect();
    let dropout = Some(Dropout { rate: 0.5, seed: 7, by_utterance: false });
    for (lstm, lengths, dropout) in [
        (128, &[450; 32][..], dropout),
        (128, &long, dropout),
        (128, &[1], None),
        (129, &[3, 7, 1, 5, 7], dropout),
    ] {
        let dims = Dims { inputs: 32, linear: 512, lstm };
        let solve = |device| solve(device, dims, lengths, dropout).unwrap();
        let (got, again, expected) = (solve(&gpu), solve(&gpu), solve(&Device::Cpu));
        assert!(got == again, "two runs differ");
        for ((got, expected), name) in
            got.iter().zip(&expected).zip(["pooled", "theta", "attention"])
        {
            // Sums of up to 18,000 terms in f32, in two orders.
            let distance = distance(got, expected);
            assert!(distance < 1e-4, "{name}: {distance:e} for lengths {lengths:?}");
        }
    }
}

#[test]
#[ignore = "needs an NVIDIA GPU"]
fn attention_weights_sum_to_one() {
    let gpu = Device::new_cuda(0).unwrap();
    let dims = Dims { inputs: 2, linear: 3, lstm: 4 };
    let packing = Arc::new(Packing::new(&[5, 9]).unwrap());
    let tensor = |seed, count| Tensor::from_vec(numbers(seed, count, 1.0), count, &gpu).unwrap();
    let frames = tensor(1, packing.frames() * 2).reshape((packing.frames(), 2)).unwrap();
    let (theta, attention) = (tensor(2, dims.parameters()), tensor(3, dims.outputs()));
    let encoder = Encoder::new(dims);
    let encoded = encoder.encode_with_attention(&frames, &theta, &attention, &packing).unwrap();
    assert_eq!(encoded.attention.iter().map(Vec::len).collect::<Vec<_>>(), [5, 9]);
    for weights in encoded.attention {
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}
