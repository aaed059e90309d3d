//! This project's side: the same jobs in a process of its own, so that threads and memory are its
//! own as well.

use std::collections::BTreeMap;
use std::io::{BufRead as _, stdin};
use std::time::Instant;

use ambivox_models::{AttentionOver, Batch, Network, NetworkSettings, Predictor as _, Rows};
use ambivox_nn::{CrossEntropy, Loss as _, Optimiser};
use anyhow::Result;

use super::job::{Answer, Job, Memory, Sizes, Task};
use super::product::Product;
use crate::machine::status;
use crate::output::print;

/// Answers the jobs on standard input, a line each, until it ends.
pub(crate) fn serve() -> Result<()> {
    let mut ready: BTreeMap<String, Ready> = BTreeMap::new();
    for line in stdin().lock().lines() {
        let line = line?;
        if !ready.contains_key(&line) {
            let mut job = Ready::new(&serde_json::from_str(&line)?)?;
            job.run()?;
            ready.insert(line.clone(), job);
        }
        if let Some(job) = ready.get_mut(&line) {
            print(&serde_json::to_string(&job.timed()?)?)?;
        }
    }
    Ok(())
}

/// A job with all that is not timed made ready.
struct Ready {
    work: Work,
    before: Option<u64>,
}

enum Work {
    Step { network: Box<Network>, adam: Optimiser, batches: Vec<(Batch, Vec<f32>)>, steps: u64 },
    Inference { network: Box<Network>, utterances: Vec<Rows<'static>> },
    Product(Product),
}

impl Ready {
    fn new(job: &Job) -> Result<Self> {
        let work = match job.task {
            Task::Step => step(job)?,
            Task::Inference => {
                let utterances = job.batches.iter().flatten();
                let utterances =
                    utterances.map(|&length| frames(length, job.sizes).into()).collect();
                Work::Inference { network: Box::new(network(job.sizes)?), utterances }
            }
            Task::Product => {
                let rows = job.batches.iter().flatten().sum();
                Work::Product(Product::new(rows, job.sizes.linear, 8 * job.sizes.lstm))
            }
        };
        Ok(Self { work, before: status("VmRSS") })
    }

    fn run(&mut self) -> Result<()> {
        match &mut self.work {
            Work::Step { network, adam, batches, steps } => {
                for (batch, targets) in batches {
                    *steps += 1;
                    let logits = network.training_logits(batch, *steps)?;
                    adam.descend(&CrossEntropy.of(&logits, targets.clone(), &[])?)?;
                }
            }
            Work::Inference { network, utterances } => {
                network.predict(&utterances.iter().collect::<Vec<_>>())?;
            }
            Work::Product(product) => product.run(),
        }
        Ok(())
    }

    fn timed(&mut self) -> Result<Answer> {
        let started = Instant::now();
        self.run()?;
        let seconds = started.elapsed().as_secs_f64();
        let memory = self.before.zip(status("VmHWM"));
        Ok(Answer { seconds, memory: memory.map(|(before, peak)| Memory { before, peak }) })
    }
}

fn step(job: &Job) -> Result<Work> {
    let sizes = job.sizes;
    let network = Box::new(network(sizes)?);
    // At the rate of the pipelines, without clipping.
    let adam = Optimiser::new(network.variables(), 1e-3, 0.0);
    let batch = |lengths: &Vec<usize>| {
        let frames: Vec<Vec<f32>> = lengths.iter().map(|&length| frames(length, sizes)).collect();
        let frames: Vec<Rows<'_>> = frames.into_iter().map(Rows::from).collect();
        let frames: Vec<&Rows<'_>> = frames.iter().collect();
        Ok((Batch::new(&frames, sizes.inputs)?, targets(lengths.len(), sizes.classes)))
    };
    let batches = job.batches.iter().map(batch).collect::<Result<_>>()?;
    Ok(Work::Step { network, adam, batches, steps: 0 })
}

fn network(sizes: Sizes) -> Result<Network> {
    let Sizes { inputs, linear, lstm, classes, dropout } = sizes;
    let settings = NetworkSettings::plain([linear, lstm], dropout, AttentionOver::Blstm);
    Ok(Network::new(&settings, inputs, classes, 0)?)
}

/// Values between −1 and 1 in no order; what they are has no influence on the time.
fn frames(length: usize, sizes: Sizes) -> Vec<f32> {
    (0..length * sizes.inputs).map(|i| (i * 7919 % 2003) as f32 / 1001.0 - 1.0).collect()
}

/// One-hot targets, classes by turns, as parts of a mean over the batch.
fn targets(utterances: usize, classes: usize) -> Vec<f32> {
    let mut targets = vec![0.0; utterances * classes];
    for (n, row) in targets.chunks_mut(classes).enumerate() {
        row[n % classes] = 1.0 / utterances as f32;
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::super::job::System;
    use super::*;

    #[test]
    fn every_task_is_done_and_timed() {
        let sizes = Sizes { inputs: 3, linear: 4, lstm: 2, classes: 2, dropout: 0.5 };
        for task in [Task::Step, Task::Inference, Task::Product] {
            let batches = vec![vec![3, 1], vec![2]];
            let job = Job { system: System::Ours, task, sizes, batches };
            let answer = Ready::new(&job).unwrap().timed().unwrap();
            assert!(answer.seconds > 0.0);
            assert!(answer.memory.is_none_or(|memory| memory.peak >= memory.before));
        }
    }

    #[test]
    fn targets_are_one_hot_and_sum_to_one() {
        assert_eq!(targets(2, 3), [0.5, 0.0, 0.0, 0.0, 0.5, 0.0]);
    }
}
