//! What was measured, as the JSON document has it.

use serde::Serialize;

use super::cases::{Case, NETWORK};
use super::job::{Memory, Sizes, System, Task};
use crate::statistics::Spread;

/// Everything measured in one run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Results {
    pub(crate) schema: u32,
    pub(crate) machine: String,
    /// Version, where PyTorch was at hand.
    pub(crate) torch: Option<String>,
    pub(crate) runs: usize,
    pub(crate) network: Sizes,
    pub(crate) batches: Vec<Timing>,
    pub(crate) growth: Vec<Timing>,
    pub(crate) orders: Vec<Timing>,
    pub(crate) epochs: Vec<Timing>,
    pub(crate) memory: Vec<StepMemory>,
}

impl Results {
    /// Nothing yet.
    pub(crate) fn none(machine: String, torch: Option<String>, runs: usize) -> Self {
        Self {
            schema: 1,
            machine,
            torch,
            runs,
            network: NETWORK,
            batches: Vec::new(),
            growth: Vec::new(),
            orders: Vec::new(),
            epochs: Vec::new(),
            memory: Vec::new(),
        }
    }
}

/// How long a job took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Timing {
    pub(crate) case: String,
    pub(crate) threads: usize,
    pub(crate) system: System,
    pub(crate) task: Task,
    pub(crate) frames: usize,
    /// Floating-point operations of one frame.
    pub(crate) flops: f64,
    pub(crate) seconds: Spread,
}

impl Timing {
    pub(crate) fn new(
        case: &Case,
        threads: usize,
        (system, task): (System, Task),
        seconds: &[f64],
    ) -> Self {
        let flops = match task {
            Task::Step => case.sizes.step_flops(),
            Task::Inference => case.sizes.inference_flops(),
            Task::Product => case.sizes.product_flops(),
        };
        let (case, frames) = (case.name.clone(), case.frames());
        Self { case, threads, system, task, frames, flops, seconds: Spread::of(seconds) }
    }

    /// Thousand frames a second; of the fastest and the slowest run by `seconds`.
    pub(crate) fn kilo_frames(&self, seconds: f64) -> f64 {
        self.frames as f64 / seconds / 1e3
    }

    /// Thousand frames a second in the median.
    pub(crate) fn speed(&self) -> f64 {
        self.kilo_frames(self.seconds.median)
    }

    /// Operations a second in the median.
    pub(crate) fn rate(&self) -> f64 {
        self.flops * self.frames as f64 / self.seconds.median
    }
}

/// Memory of a process that did one step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct StepMemory {
    pub(crate) case: String,
    pub(crate) system: System,
    pub(crate) kilobytes: Memory,
}
