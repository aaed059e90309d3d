//! Trains a small stack of fully connected layers on label distributions, of which one is in doubt:
//! `cargo run -p ambivox-nn --example soft_labels`.

use std::error::Error;
use std::io::{Write as _, stdout};

use ambivox_nn::{
    CrossEntropy, Dense, HiddenDropout, Loss as _, Optimiser, Targets, exp, log_softmax,
};
use candle_core::{Device, Tensor};

const STEPS: u64 = 200;

fn main() -> Result<(), Box<dyn Error>> {
    // Four utterances, two values each; annotators agree on the first three and not on the last.
    let rows = Tensor::new(&[[0.0_f32, 1.0], [1.0, 0.0], [0.0, 0.8], [0.5, 0.5]], &Device::Cpu)?;
    let targets = Targets {
        distributions: vec![vec![1.0, 0.0], vec![0.0, 1.0], vec![1.0, 0.0], vec![0.6, 0.4]],
        weights: vec![1.0; 4],
    };
    let all = [0, 1, 2, 3];
    let layers = Dense::new("example", &[2, 8, 2], 0.01, 0)?;
    let mut adam = Optimiser::new(layers.variables(), 0.02, 0.0);
    for seed in 0..STEPS {
        let logits = layers.training_output(&rows, HiddenDropout { rate: 0.1, seed })?;
        adam.descend(&CrossEntropy.of(&logits, targets.scaled(&all), &all)?)?;
    }
    let probabilities = exp(&log_softmax(&layers.fixed_output(&rows)?)?)?.to_vec2::<f32>()?;
    for (target, predicted) in targets.distributions.iter().zip(probabilities) {
        writeln!(stdout(), "target {target:.2?}  predicted {predicted:.2?}")?;
    }
    Ok(())
}
