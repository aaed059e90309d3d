//! The network against its equations, in f64 and frame by frame.

mod reference;

use candle_core::D;
use candle_nn::ops::softmax;

use super::*;
use crate::{Predictor as _, Rows};

const WIDTH: usize = 3;
const CLASSES: usize = 4;

fn settings(attention_over: AttentionOver) -> NetworkSettings {
    NetworkSettings::plain([8, 5], 0.5, attention_over)
}

fn network(attention_over: AttentionOver) -> Network {
    Network::new(&settings(attention_over), WIDTH, CLASSES, 3).unwrap()
}

fn utterances() -> Vec<Vec<f32>> {
    let values = |frames: usize, phase: f32| {
        (0..frames * WIDTH).map(|i| (i as f32 * 0.7 + phase).sin() * 2.0).collect()
    };
    vec![values(4, 0.0), values(9, 1.0), values(1, 2.0)]
}

fn batch() -> Batch {
    let utterances = utterances();
    let rows: Vec<Rows<'_>> = utterances.into_iter().map(Rows::from).collect();
    Batch::new(&rows.iter().collect::<Vec<_>>(), WIDTH).unwrap()
}

/// log-softmax cross-entropy against class 1 for every utterance: some scalar of the logits.
fn loss(logits: &Tensor) -> Tensor {
    let log_y = candle_nn::ops::log_softmax(logits, D::Minus1).unwrap();
    log_y.narrow(1, 1, 1).unwrap().mean_all().unwrap().neg().unwrap()
}

fn row(tensor: &Tensor, utterance: usize) -> Vec<f32> {
    tensor.get(utterance).unwrap().to_vec1().unwrap()
}

#[test]
fn same_seed_same_network() {
    let [a, b, c] = [3, 3, 4].map(|seed| {
        let network = Network::new(&settings(AttentionOver::Blstm), WIDTH, CLASSES, seed).unwrap();
        row(&network.inference_logits(&batch()).unwrap().0, 0)
    });
    assert_eq!(a, b);
    assert_ne!(a, c);
}

#[test]
fn parameters_are_counted() {
    // 8·3+8, twice 20·(8+5+1), u, W, b.
    let shared = 32 + 2 * 20 * 14 + 4 * 10 + 4;
    assert_eq!(network(AttentionOver::Blstm).parameters(), shared + 10);
    assert_eq!(network(AttentionOver::Logits).parameters(), shared + 4);
}

/// The BLSTM's outputs `h_t` of one utterance, by the reference.
fn outputs(network: &Network, frames: &[f32]) -> Vec<Vec<f64>> {
    let dims = network.encoder.dims();
    let theta: Vec<f64> =
        network.theta.to_vec1::<f32>().unwrap().into_iter().map(f64::from).collect();
    reference::blstm(dims, &theta, &frames.iter().map(|&v| f64::from(v)).collect::<Vec<_>>())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn wide(tensor: &Tensor) -> Vec<f64> {
    let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    values.into_iter().map(f64::from).collect()
}

/// Attention weights of eq. 1 from scores.
fn attention_weights(scores: &[f64]) -> Vec<f64> {
    let powers: Vec<f64> = scores.iter().map(|s| s.exp()).collect();
    let total: f64 = powers.iter().sum();
    powers.iter().map(|p| p / total).collect()
}

/// Class layer per frame.
fn class_outputs(network: &Network, h: &[f64]) -> Vec<f64> {
    let (weight, bias) = (wide(&network.output_weight), wide(&network.output_bias));
    weight.chunks_exact(h.len()).zip(bias).map(|(row, b)| dot(row, h) + b).collect()
}

fn weighted_sum(alpha: &[f64], vectors: &[Vec<f64>]) -> Vec<f64> {
    (0..vectors[0].len()).map(|k| alpha.iter().zip(vectors).map(|(a, v)| a * v[k]).sum()).collect()
}

fn assert_close(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((f64::from(*found) - expected).abs() < 2e-6, "{found} {expected}");
    }
}

/// Eqs. 1–2, then the class layer; tolerance that of f32.
#[test]
fn attention_over_the_blstm_follows_the_equations() {
    let network = network(AttentionOver::Blstm);
    let (logits, attention) = network.inference_logits(&batch()).unwrap();
    for (n, frames) in utterances().iter().enumerate() {
        let h = outputs(&network, frames);
        let u = wide(&network.attention);
        let alpha = attention_weights(&h.iter().map(|h| dot(h, &u)).collect::<Vec<_>>());
        assert_close(&attention[n], &alpha);
        let expected = class_outputs(&network, &weighted_sum(&alpha, &h));
        assert_close(&row(&logits, n), &expected);
    }
}

/// Eqs. 1–3 to the letter: the class layer per frame, attention over its outputs.
#[test]
fn attention_over_logits_follows_the_equations() {
    let network = network(AttentionOver::Logits);
    let (logits, attention) = network.inference_logits(&batch()).unwrap();
    for (n, frames) in utterances().iter().enumerate() {
        let z: Vec<Vec<f64>> =
            outputs(&network, frames).iter().map(|h| class_outputs(&network, h)).collect();
        let u = wide(&network.attention);
        let alpha = attention_weights(&z.iter().map(|z| dot(z, &u)).collect::<Vec<_>>());
        assert_close(&attention[n], &alpha);
        assert_close(&row(&logits, n), &weighted_sum(&alpha, &z));
    }
}

#[test]
fn an_utterance_does_not_depend_on_its_batch() {
    let network = network(AttentionOver::Blstm);
    let (together, _) = network.inference_logits(&batch()).unwrap();
    for (n, frames) in utterances().into_iter().enumerate() {
        let alone = Batch::new(&[&frames.into()], WIDTH).unwrap();
        let (logits, _) = network.inference_logits(&alone).unwrap();
        assert_close(&row(&logits, 0), &wide(&together.get(n).unwrap()));
    }
}

/// Central differences of the loss along the gradient of every variable, in both modes: checks the
/// path from the class layer through Wᵀu to the operator. Without dropout; tolerance that of f32.
#[test]
fn gradients_agree_with_differences() {
    for mode in [AttentionOver::Blstm, AttentionOver::Logits] {
        let settings = NetworkSettings { dropout: 0.0, ..settings(mode) };
        let network = Network::new(&settings, WIDTH, CLASSES, 3).unwrap();
        let value = || loss(&network.training_logits(&batch(), 0).unwrap());
        let gradients = value().backward().unwrap();
        for variable in network.variables() {
            let gradient = gradients.get(&variable).unwrap().clone();
            let length =
                gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
            let step = 1e-2 / f64::from(length);
            let start = variable.as_detached_tensor().copy().unwrap();
            let at = |scale: f64| {
                variable.set(&(&start + (&gradient * scale).unwrap()).unwrap()).unwrap();
                f64::from(value().to_scalar::<f32>().unwrap())
            };
            let slope = (at(step) - at(-step)) / 2e-2;
            variable.set(&start).unwrap();
            assert!(
                (slope - f64::from(length)).abs() < 1e-3 * f64::from(length) + 2e-5,
                "{slope} {length}"
            );
        }
    }
}

#[test]
fn dropout_follows_its_seed_and_is_off_at_inference() {
    let network = network(AttentionOver::Blstm);
    let logits = |seed| row(&network.training_logits(&batch(), seed).unwrap(), 1);
    assert_eq!(logits(1), logits(1));
    assert_ne!(logits(1), logits(2));
    let inference = || row(&network.inference_logits(&batch()).unwrap().0, 1);
    assert_eq!(inference(), inference());
    assert_ne!(logits(1), inference());
}

#[test]
fn a_copy_is_independent() {
    let network = network(AttentionOver::Blstm);
    let copy = network.copy().unwrap();
    let before = row(&copy.inference_logits(&batch()).unwrap().0, 0);
    for variable in network.variables() {
        variable.set(&variable.zeros_like().unwrap()).unwrap();
    }
    assert_eq!(row(&copy.inference_logits(&batch()).unwrap().0, 0), before);
    assert_eq!(row(&network.inference_logits(&batch()).unwrap().0, 0), [0.0; CLASSES]);
}

#[test]
fn predictions_keep_the_order_of_the_utterances() {
    let network = network(AttentionOver::Blstm);
    let utterances = utterances();
    let rows: Vec<Rows<'_>> = utterances.iter().map(|values| values.as_slice().into()).collect();
    let predictions = network.predict(&rows.iter().collect::<Vec<_>>()).unwrap();
    let (logits, _) = network.inference_logits(&batch()).unwrap();
    let expected = softmax(&logits, D::Minus1).unwrap();
    for (n, prediction) in predictions.iter().enumerate() {
        assert_close(&row(&expected, n), &prediction.probabilities());
        let attention = prediction.attention.as_ref().unwrap();
        assert_eq!(attention.len(), utterances[n].len() / WIDTH);
        assert!((attention.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
    assert!(network.predict(&[&Rows::from(&[1.0; WIDTH + 1])]).is_err());
}

#[test]
fn a_batch_of_another_width_is_refused() {
    let network = network(AttentionOver::Blstm);
    let batch = Batch::new(&[&Rows::from(&[0.0; 4])], 2).unwrap();
    let message = network.inference_logits(&batch).unwrap_err().to_string();
    assert!(message.contains("frames"), "{message}");
}
