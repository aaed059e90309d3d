//! The kernels on the emulator: against the operator on the CPU, and under every check.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor, Var};
use tempfile::TempDir;

use super::emulator::{self, Build, Emulator, Memory};
use super::encoder::{Forward, Inputs};
use super::{Argument, Gpu, Part, PartMut, Shape};
use crate::op::Call;
use crate::{Dims, Dropout, Encoder, Packing};

/// An emulator, compiled.
struct Compiled {
    folder: TempDir,
    build: Build,
}

impl Compiled {
    fn new(build: Build) -> Self {
        let folder = TempDir::new().unwrap();
        emulator::compile(build, folder.path());
        Self { folder, build }
    }

    fn start(&self) -> Emulator {
        Emulator::start(&self.folder.path().join("emulator"))
    }
}

/// A batch with parameters and the gradient of its pooled vectors.
struct Problem {
    call: Call,
    frames: Vec<f32>,
    theta: Vec<f32>,
    attention: Vec<f32>,
    gradient: Vec<f32>,
}

/// Pooled vectors, and gradients of `theta` and `attention`.
struct Answer {
    pooled: Vec<f32>,
    theta: Vec<f32>,
    attention: Vec<f32>,
}

/// Numbers from −1 to 1.
fn numbers(seed: u64, count: usize, scale: f32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((state >> 40) as f32 / (1u32 << 23) as f32 - 1.0) * scale
    };
    (0..count).map(|_| next()).collect()
}

fn part(memory: &Memory, length: usize) -> Part<'_, Memory> {
    Part { memory, range: 0..length }
}

impl Problem {
    fn new(dims: Dims, lengths: &[usize], dropout: Option<Dropout>) -> Self {
        let packing = Arc::new(Packing::new(lengths).unwrap());
        Self {
            frames: numbers(1, packing.frames() * dims.inputs, 2.0),
            theta: numbers(2, dims.parameters(), 0.3),
            attention: numbers(3, dims.outputs(), 1.0),
            gradient: numbers(4, lengths.len() * dims.outputs(), 1.0),
            call: Call { dims, packing, dropout },
        }
    }

    fn on_cpu(&self) -> Result<Answer> {
        let cpu = &Device::Cpu;
        let Call { dims, packing, dropout } = &self.call;
        let frames = Tensor::from_slice(&self.frames, (packing.frames(), dims.inputs), cpu)?;
        let theta = Var::from_slice(&self.theta, self.theta.len(), cpu)?;
        let attention = Var::from_slice(&self.attention, self.attention.len(), cpu)?;
        let pooled = Encoder::new(*dims).encode(&frames, &theta, &attention, packing, *dropout)?;
        let gradient = Tensor::from_slice(&self.gradient, pooled.dims(), cpu)?;
        let gradients = (&pooled * gradient)?.sum_all()?.backward()?;
        Ok(Answer {
            pooled: pooled.flatten_all()?.to_vec1()?,
            theta: gradients.get(&theta).unwrap().to_vec1()?,
            attention: gradients.get(&attention).unwrap().to_vec1()?,
        })
    }

    fn on(&self, gpu: &Emulator) -> Result<Answer> {
        let [frames, theta, attention, gradient] =
            [&self.frames, &self.theta, &self.attention, &self.gradient].map(|v| gpu.upload(v));
        let (frames, theta, attention, gradient) = (frames?, theta?, attention?, gradient?);
        let inputs = Inputs {
            frames: part(&frames, self.frames.len()),
            theta: part(&theta, self.theta.len()),
            attention: part(&attention, self.attention.len()),
        };
        let (forward, pooled) = Forward::run(gpu, self.call.clone(), &inputs)?;
        let gradient = part(&gradient, self.gradient.len());
        let gradients = forward.back(gpu, &inputs, gradient)?;
        Ok(Answer {
            pooled: gpu.read(&pooled)?,
            theta: gpu.read(&gradients.theta)?,
            attention: gpu.read(&gradients.attention)?,
        })
    }
}

/// Largest difference, relative to the largest value of the reference.
fn distance(got: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(got.len(), expected.len());
    assert!(got.iter().all(|x| x.is_finite()));
    let scale = expected.iter().fold(1e-6f32, |m, x| m.max(x.abs()));
    got.iter().zip(expected).fold(0.0f32, |m, (a, b)| m.max((a - b).abs())) / scale
}

/// A pass forward and back agrees with the CPU's, part by part.
fn agrees(gpu: &Emulator, problem: &Problem) {
    let (got, expected) = (problem.on(gpu).unwrap(), problem.on_cpu().unwrap());
    let mut parts = vec![
        ("pooled", distance(&got.pooled, &expected.pooled)),
        ("attention", distance(&got.attention, &expected.attention)),
    ];
    for slot in problem.call.dims.tensors() {
        let range = slot.range;
        parts.push((slot.name, distance(&got.theta[range.clone()], &expected.theta[range])));
    }
    for (name, distance) in parts {
        // Sums of some thousand terms in f32, in two orders; the CPU's tanh is good to 4e-7.
        assert!(distance < 2e-5, "{name}: {distance:e} in {:?}", problem.call);
    }
}

const SMALL: Dims = Dims { inputs: 5, linear: 19, lstm: 13 };
const BATCHES: [&[usize]; 5] = [&[1], &[9], &[1, 1, 1], &[4, 4, 4, 4], &[3, 7, 1, 5, 7]];
const DROPOUT: Option<Dropout> = Some(Dropout { rate: 0.4, seed: 11, by_utterance: false });

fn small_batches_agree(build: Build) {
    if !emulator::is_available() {
        return;
    }
    let compiled = Compiled::new(build);
    for lengths in BATCHES {
        for dropout in [None, DROPOUT] {
            agrees(&compiled.start(), &Problem::new(SMALL, lengths, dropout));
        }
    }
}

#[test]
fn agrees_with_the_cpu_at_full_size() {
    if !emulator::is_available() {
        return;
    }
    let compiled = Compiled::new(Build::Fast);
    for (dims, lengths, dropout) in [
        (Dims { inputs: 32, linear: 512, lstm: 128 }, &[11, 30, 7, 30, 1][..], DROPOUT),
        (Dims { inputs: 32, linear: 65, lstm: 129 }, &[21, 20, 3], None),
        (Dims { inputs: 3, linear: 33, lstm: 31 }, &[300, 299, 1, 40], DROPOUT),
    ] {
        agrees(&compiled.start(), &Problem::new(dims, lengths, dropout));
    }
}

#[test]
fn no_access_is_out_of_bounds_by_address_sanitizer() {
    small_batches_agree(Build::Sanitized);
}

#[test]
fn no_access_is_a_race_out_of_bounds_or_uninitialised() {
    small_batches_agree(Build::Checked);
}

/// A batch for which every barrier of every kernel matters: more frames than one piece of a sum.
fn thorough() -> Problem {
    Problem::new(SMALL, &[100, 3, 99, 70], DROPOUT)
}

#[test]
fn a_barrier_that_is_left_out_is_missed() {
    if !emulator::is_available() {
        return;
    }
    let compiled = Compiled::new(Build::Checked);
    let gpu = compiled.start();
    agrees(&gpu, &thorough());
    let barriers = gpu.barriers();
    assert_eq!(barriers, 12, "barriers in the kernels");
    for number in 0..barriers {
        let gpu = compiled.start();
        gpu.omit_barrier(number as u32);
        let error = thorough().on(&gpu).err().map(|error| error.to_string());
        // Where the value has not been written at all yet, that is said instead.
        let found =
            error.as_ref().is_some_and(|e| e.contains("race:") || e.contains("nobody wrote"));
        assert!(found, "barrier {number}: {error:?}");
    }
}

/// What is said of a faulty kernel.
fn complaint(compiled: &Compiled, kernel: &'static str) -> String {
    let gpu = compiled.start();
    let mut values = gpu.upload(&[0.0; 64]).unwrap();
    let out = Argument::Write(PartMut { memory: &mut values, range: 0..64 });
    let shape = Shape { blocks: [2, 1], threads: [32, 1], shared: 256 };
    let launched = gpu.launch(kernel, shape, vec![out]);
    let error = launched.and_then(|()| gpu.read(&values)).err();
    error.unwrap_or_else(|| panic!("{kernel} passes in {:?}", compiled.build)).to_string()
}

#[test]
fn planted_faults_are_found() {
    if !emulator::is_available() {
        return;
    }
    let checked = Compiled::new(Build::CheckedFaults);
    for (kernel, expected) in [
        ("missing_barrier", "race:"),
        ("between_blocks", "race:"),
        ("past_the_end", "out of bounds:"),
        ("past_shared", "out of bounds:"),
        ("uninitialised", "uninitialised:"),
        ("divergent_barrier", "divergence:"),
    ] {
        let complaint = complaint(&checked, kernel);
        assert!(complaint.contains(expected), "{kernel}: {complaint}");
    }
    let sanitized = Compiled::new(Build::SanitizedFaults);
    for kernel in ["past_the_end", "past_shared"] {
        let complaint = complaint(&sanitized, kernel);
        assert!(complaint.contains("AddressSanitizer"), "{kernel}: {complaint}");
    }
}

#[test]
fn dropout_drops_the_same_units_and_too_many_units_are_refused() {
    if !emulator::is_available() {
        return;
    }
    let compiled = Compiled::new(Build::Fast);
    // One frame, whose attention weight is 1: the pooled vector is the dropped output itself.
    let dims = Dims { inputs: 2, linear: 3, lstm: 200 };
    let problem =
        Problem::new(dims, &[1], Some(Dropout { rate: 0.5, seed: 3, by_utterance: false }));
    let dropped = |answer: Answer| answer.pooled.iter().map(|&x| x == 0.0).collect::<Vec<_>>();
    let got = dropped(problem.on(&compiled.start()).unwrap());
    assert_eq!(got, dropped(problem.on_cpu().unwrap()));
    assert!(got.contains(&true) && got.contains(&false));

    let by_utterance = Some(Dropout { rate: 0.5, seed: 3, by_utterance: true });
    let error = Problem::new(dims, &[1], by_utterance).on(&compiled.start()).err().unwrap();
    assert!(error.to_string().contains("masks by utterance are computed on the CPU"), "{error}");

    let problem = Problem::new(Dims { inputs: 1, linear: 1, lstm: 683 }, &[1], None);
    let error = problem.on(&compiled.start()).err().unwrap().to_string();
    assert!(error.contains("683 units per direction: the GPU kernels hold up to 682"), "{error}");
}
