//! The bidirectional LSTM written out frame by frame from its definition, in f64.

use ambivox_nn::Dims;

/// `h_t` of every frame of one utterance, both directions side by side.
pub(super) fn blstm(dims: Dims, theta: &[f64], frames: &[f64]) -> Vec<Vec<f64>> {
    let linear = (part(dims, theta, "linear.weight"), part(dims, theta, "linear.bias"));
    let inputs: Vec<Vec<f64>> = frames
        .chunks_exact(dims.inputs)
        .map(|frame| affine(linear.0, linear.1, frame).iter().map(|x| x.max(0.0)).collect())
        .collect();
    let forward = direction(dims, theta, "", &inputs);
    let reversed: Vec<Vec<f64>> = inputs.into_iter().rev().collect();
    let backward = direction(dims, theta, "_reverse", &reversed);
    forward.into_iter().zip(backward.into_iter().rev()).map(|(f, b)| [f, b].concat()).collect()
}

/// Outputs of one direction, whose weights' names end in `suffix`, in the order of its inputs.
fn direction(dims: Dims, theta: &[f64], suffix: &str, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let named = |name: &str| part(dims, theta, &format!("{name}{suffix}"));
    let mut state = (vec![0.0; dims.lstm], vec![0.0; dims.lstm]);
    let mut outputs = Vec::new();
    for input in inputs {
        let from_input = affine(named("lstm.weight_ih"), named("lstm.bias"), input);
        let gates = affine(named("lstm.weight_hh"), &from_input, &state.0);
        state = cells(&gates, &state.1);
        outputs.push(state.0.clone());
    }
    outputs
}

/// Next `(h, c)` from gates before their functions, in the order i, f, g, o.
fn cells(gates: &[f64], c: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let n = c.len();
    let next = |unit: usize| {
        let gate = |g: usize| gates[g * n + unit];
        let c = sigmoid(gate(1)) * c[unit] + sigmoid(gate(0)) * gate(2).tanh();
        (sigmoid(gate(3)) * c.tanh(), c)
    };
    (0..n).map(next).unzip()
}

fn part<'a>(dims: Dims, theta: &'a [f64], name: &str) -> &'a [f64] {
    let slot = dims.tensors().into_iter().find(|slot| slot.name == name).unwrap();
    &theta[slot.range]
}

fn affine(weight: &[f64], bias: &[f64], x: &[f64]) -> Vec<f64> {
    let rows = weight.chunks_exact(x.len()).zip(bias);
    rows.map(|(row, b)| b + row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>()).collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
