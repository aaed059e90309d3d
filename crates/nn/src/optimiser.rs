//! Adam with gradients limited in length, in one pass over each variable.
//!
//! The rule is that of `candle_nn::AdamW` without decay, operation by operation; there it takes a
//! dozen passes and as many fresh tensors, which on short batches is a third of a training step.

use std::cell::RefCell;

use candle_core::{CpuStorage, DType, InplaceOp2, Layout, Result, Storage, Tensor, Var, bail};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The constants that Kingma and Ba (2015) recommend.
const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Values that are worked on and summed as one piece, whatever the number of threads.
const PIECE: usize = 1 << 14;

/// Sums of squares that run side by side within a piece.
const LANES: usize = 8;

/// Adam (Kingma and Ba 2015) with its published constants, on a fixed list of variables.
#[derive(Debug)]
pub struct Optimiser {
    parameters: Vec<Parameter>,
    steps: i32,
    learning_rate: f64,
    max_grad_norm: f64,
}

/// A variable and what Adam keeps of its gradients.
#[derive(Debug)]
struct Parameter {
    variable: Var,
    moments: Moments,
}

/// Running means of the gradient and of its square.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
}

/// What Adam keeps from step to step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimiserState {
    steps: i32,
    moments: Vec<Moments>,
}

impl Optimiser {
    /// `max_grad_norm` is the largest Euclidean norm of a step's gradient; 0 is no limit.
    pub fn new(variables: Vec<Var>, learning_rate: f64, max_grad_norm: f64) -> Self {
        let parameter = |variable: Var| {
            let zeros = vec![0.0; variable.elem_count()];
            Parameter { variable, moments: Moments { first: zeros.clone(), second: zeros } }
        };
        Self {
            parameters: variables.into_iter().map(parameter).collect(),
            steps: 0,
            learning_rate,
            max_grad_norm,
        }
    }

    /// The step size from now on.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }

    /// What it keeps from step to step, as it is now.
    pub fn state(&self) -> OptimiserState {
        let moments = self.parameters.iter().map(|parameter| parameter.moments.clone()).collect();
        OptimiserState { steps: self.steps, moments }
    }

    /// Goes on with what another one of the same variables kept; whether it fits.
    pub fn resume(&mut self, state: OptimiserState) -> bool {
        let lengths = |moments: &Moments| (moments.first.len(), moments.second.len());
        let own = self.parameters.iter().map(|parameter| lengths(&parameter.moments));
        let fits = own.eq(state.moments.iter().map(lengths));
        if fits {
            self.steps = state.steps;
            for (parameter, moments) in self.parameters.iter_mut().zip(state.moments) {
                parameter.moments = moments;
            }
        }
        fits
    }

    /// One step down the gradient of a scalar loss, unless that is not finite; the loss before it.
    pub fn descend(&mut self, loss: &Tensor) -> Result<f64> {
        let value = loss.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        if value.is_finite() {
            self.step(loss)?;
        }
        Ok(value)
    }

    /// One step down the gradient of a scalar loss.
    fn step(&mut self, loss: &Tensor) -> Result<()> {
        let gradients = self.gradients(loss)?;
        self.steps += 1;
        let scale = scale(&gradients, self.max_grad_norm)?;
        let rule = Rule::new(self.learning_rate, self.steps, scale);
        for (parameter, gradient) in self.parameters.iter_mut().zip(gradients) {
            let Parameter { variable, moments } = parameter;
            if let Some(gradient) = gradient {
                let moments = RefCell::new(moments);
                variable.inplace_op2(&gradient, &Update { rule, moments })?;
            }
        }
        Ok(())
    }

    /// Each variable's gradient, where the loss depends on it; contiguous.
    fn gradients(&self, loss: &Tensor) -> Result<Vec<Option<Tensor>>> {
        let gradients = loss.backward()?;
        let gradient = |parameter: &Parameter| gradients.get(&parameter.variable);
        let contiguous = |gradient: Option<&Tensor>| gradient.map(Tensor::contiguous).transpose();
        self.parameters.iter().map(gradient).map(contiguous).collect()
    }
}

/// The factor that makes the gradients' common Euclidean norm at most `longest`; 0 is no limit.
fn scale(gradients: &[Option<Tensor>], longest: f64) -> Result<f64> {
    if longest == 0.0 {
        return Ok(1.0);
    }
    let norm = norm(gradients)?;
    Ok(if norm <= longest { 1.0 } else { longest / norm })
}

/// Euclidean norm of all gradients together, in double precision.
fn norm(gradients: &[Option<Tensor>]) -> Result<f64> {
    let mut squares = 0.0;
    for gradient in gradients.iter().flatten() {
        let (storage, layout) = gradient.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else { bail!("a gradient is not on the CPU") };
        let values = values(storage, layout)?;
        let pieces: Vec<f64> = values.par_chunks(PIECE).map(sum_of_squares).collect();
        squares += pieces.iter().sum::<f64>();
    }
    Ok(squares.sqrt())
}

fn sum_of_squares(values: &[f32]) -> f64 {
    let mut sums = [0.0; LANES];
    for values in values.chunks(LANES) {
        for (sum, &x) in sums.iter_mut().zip(values) {
            *sum += f64::from(x) * f64::from(x);
        }
    }
    sums.iter().sum()
}

/// Values of a contiguous tensor.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("a gradient is not contiguous")
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// Adam's factors at one step.
#[derive(Debug, Clone, Copy)]
struct Rule {
    learning_rate: f32,
    /// Of the gradients.
    scale: f32,
    /// Against the moments' start at 0.
    corrections: [f32; 2],
}

impl Rule {
    /// For the step of this number, from 1.
    fn new(learning_rate: f64, step: i32, scale: f64) -> Self {
        let correction = |beta: f64| (1.0 / (1.0 - beta.powi(step))) as f32;
        Self {
            learning_rate: learning_rate as f32,
            scale: scale as f32,
            corrections: [correction(BETA_1), correction(BETA_2)],
        }
    }

    fn apply(&self, values: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        let moments = first.iter_mut().zip(second);
        for ((x, &g), (m, v)) in values.iter_mut().zip(gradient).zip(moments) {
            let g = g * self.scale;
            *m = *m * BETA_1 as f32 + g * (1.0 - BETA_1) as f32;
            *v = *v * BETA_2 as f32 + g * g * (1.0 - BETA_2) as f32;
            let spread = (*v * self.corrections[1]).sqrt() + EPSILON as f32;
            *x -= *m * self.corrections[0] / spread * self.learning_rate;
        }
    }
}

/// One variable's step, in place.
struct Update<'a> {
    rule: Rule,
    moments: RefCell<&'a mut Moments>,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(
        &self,
        variable: &mut CpuStorage,
        layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<()> {
        let CpuStorage::F32(variable) = variable else { bail!("a variable is not of type f32") };
        let Some((start, end)) = layout.contiguous_offsets() else {
            bail!("a variable is not contiguous")
        };
        let (rule, mut moments) = (self.rule, self.moments.borrow_mut());
        let Moments { first, second } = &mut **moments;
        if end - start <= PIECE {
            // Too short to be worth waking another thread for.
            let gradient = values(gradient, gradient_layout)?;
            rule.apply(&mut variable[start..end], gradient, first, second);
            return Ok(());
        }
        let moments = first.par_chunks_mut(PIECE).zip(second.par_chunks_mut(PIECE));
        let gradient = values(gradient, gradient_layout)?.par_chunks(PIECE);
        let pieces = variable[start..end].par_chunks_mut(PIECE).zip(gradient).zip(moments);
        pieces.for_each(|((x, g), (m, v))| rule.apply(x, g, m, v));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
