//! What every processor computes alike is near what this one computes by its own instructions. Alone
//! in its process, which the choice is for.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use ambivox_nn::{Dims, Dropout, Encoder, Packing, compute_portably, product};
use candle_core::{Device, Tensor, Var};

const DIMS: Dims = Dims { inputs: 5, linear: 70, lstm: 9 };
const LENGTHS: [usize; 4] = [31, 300, 1, 7];

fn variable(count: usize, shape: &[usize], scale: f32) -> Var {
    let value = |i: usize| ((i * 7919 % 2003) as f32 / 1001.5 - 1.0) * scale;
    let values = (0..count).map(value).collect::<Vec<_>>();
    Var::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn list(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Logits of a batch, and the gradients of a loss for every parameter, one list after the other.
fn results() -> Vec<Vec<f32>> {
    let packing = Arc::new(Packing::new(&LENGTHS).unwrap());
    let frames = variable(packing.frames() * DIMS.inputs, &[packing.frames(), DIMS.inputs], 1.0);
    let theta = variable(DIMS.parameters(), &[DIMS.parameters()], 0.2);
    let attention = variable(DIMS.outputs(), &[DIMS.outputs()], 0.5);
    let weight = variable(3 * DIMS.outputs(), &[3, DIMS.outputs()], 1.0);
    let dropout = Some(Dropout { rate: 0.5, seed: 3, by_utterance: false });
    let encoder = Encoder::new(DIMS);
    let frames = frames.as_detached_tensor();
    let pooled = encoder.encode(&frames, &theta, &attention, &packing, dropout).unwrap();
    let logits = product(&pooled, &weight.t().unwrap()).unwrap();
    let gradients = logits.sqr().unwrap().sum_all().unwrap().backward().unwrap();
    let of = |variable: &Var| list(gradients.get(variable).unwrap());
    vec![list(&logits), of(&theta), of(&attention), of(&weight)]
}

#[test]
fn portable_results_are_near_those_of_this_processor() {
    let native = results();
    compute_portably();
    let portable = results();
    assert_eq!(results(), portable);
    assert_ne!(native, portable, "the choice changed nothing");
    for (native, portable) in native.iter().zip(&portable) {
        let largest = native.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        for (a, b) in native.iter().zip(portable) {
            assert!((a - b).abs() < 1e-5 * largest, "{a} {b} of {largest}");
        }
    }
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one_thread.install(results), portable);
    let unlike = product(&variable(6, &[2, 3], 1.0), &variable(8, &[2, 4], 1.0));
    assert!(unlike.unwrap_err().to_string().contains("3 columns with 2 rows"));
}
