//! The time and the memory that training and inference take, beside PyTorch and beside what the
//! processor can do.

mod cases;
mod fold;
mod job;
mod ours;
mod product;
mod results;
mod table;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::slice::from_ref;
use std::thread::available_parallelism;

use anyhow::Result;

use super::worker::{Worker, torch_version};
use crate::machine;
use crate::output::{print, say};
use cases::Case;
use fold::Fold;
use job::{Answer, Job, System, Task};
use results::{Results, StepMemory, Timing};

pub(crate) use ours::serve;

/// PyTorch's side.
const TORCH: &str = include_str!("train/torch.py");
/// This project's side, as a command of its own.
const OURS: &str = "bench-worker";

/// What is done on every case: ours first, then PyTorch's.
const ALL: [(System, Task); 7] = [
    (System::Ours, Task::Step),
    (System::Ours, Task::Inference),
    (System::Ours, Task::Product),
    (System::Padded, Task::Step),
    (System::Packed, Task::Step),
    (System::Padded, Task::Inference),
    (System::Packed, Task::Inference),
];

/// The steps of all, for their memory.
const STEPS: [(System, Task); 3] = [ALL[0], ALL[3], ALL[4]];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The Python whose PyTorch is measured too, where it has one
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// How often to measure
    #[arg(long, value_name = "N", default_value = "5")]
    runs: NonZeroUsize,
    /// Only short batches, on all threads: under a minute
    #[arg(long)]
    quick: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Prints speeds, growth, memory, and an epoch of EmoDB where it is at hand.
pub(crate) fn run(args: &Args) -> Result<()> {
    let results = measure(args)?;
    let text = if args.json {
        serde_json::to_string_pretty(&results)?
    } else {
        table::text(&results).trim_end().to_owned()
    };
    print(&text)
}

fn measure(args: &Args) -> Result<Results> {
    let torch = torch_version(&args.python);
    let python = torch.is_some().then_some(args.python.as_path());
    let bench = Bench { python, runs: args.runs.get() };
    let mut results = Results::none(machine::describe(), torch, bench.runs);
    let most = available_parallelism().map_or(1, NonZeroUsize::get);
    if args.quick {
        results.batches = bench.time(&cases::short_batches(), &ALL, most)?;
        return Ok(results);
    }
    let fold = fold::root().map(|root| Fold::read(&root)).transpose()?;
    for threads in BTreeSet::from([1, most]) {
        results.batches.extend(bench.time(&cases::batches(), &ALL, threads)?);
        if let Some(fold) = &fold {
            say(&format!("EmoDB; threads: {threads}"));
            results.epochs.extend(fold.time(threads, python, bench.runs)?);
        }
    }
    results.growth = bench.time(&cases::growth(), &ALL[..3], most)?;
    results.orders = bench.alternate(&cases::orders(), &ALL[..1], 1)?;
    results.memory = bench.memory(&cases::varying(), most)?;
    Ok(results)
}

/// How to measure.
struct Bench<'a> {
    /// A Python that has PyTorch.
    python: Option<&'a Path>,
    runs: usize,
}

impl Bench<'_> {
    /// Times works on one case after the other.
    fn time(
        &self,
        cases: &[Case],
        works: &[(System, Task)],
        threads: usize,
    ) -> Result<Vec<Timing>> {
        let mut timings = Vec::new();
        for case in cases {
            timings.extend(self.alternate(from_ref(case), works, threads)?);
        }
        Ok(timings)
    }

    /// Times works on cases, all by turns: what disturbs the machine disturbs each of them.
    fn alternate(
        &self,
        cases: &[Case],
        works: &[(System, Task)],
        threads: usize,
    ) -> Result<Vec<Timing>> {
        let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        say(&format!("{}; threads: {threads}", names.join(", ")));
        let works = self.at_hand(works);
        let both = |case| works.iter().map(move |&work| (case, work));
        let turns: Vec<(&Case, (System, Task))> = cases.iter().flat_map(both).collect();
        let mut workers = Workers::default();
        let mut seconds = vec![Vec::new(); turns.len()];
        for _ in 0..self.runs {
            for (&(case, work), seconds) in turns.iter().zip(&mut seconds) {
                let worker = workers.of(self, work.0, threads)?;
                seconds.push(ask(worker, case, work)?.seconds);
            }
        }
        let measured = turns.iter().zip(&seconds);
        Ok(measured.map(|(&(case, work), s)| Timing::new(case, threads, work, s)).collect())
    }

    /// Memory of processes that do nothing but steps on a case.
    fn memory(&self, case: &Case, threads: usize) -> Result<Vec<StepMemory>> {
        let mut found = Vec::new();
        for work in self.at_hand(&STEPS) {
            let mut workers = Workers::default();
            let answer = ask(workers.of(self, work.0, threads)?, case, work)?;
            let (case, system) = (case.name.clone(), work.0);
            found.extend(answer.memory.map(|kilobytes| StepMemory { case, system, kilobytes }));
        }
        Ok(found)
    }

    /// Those works that can be done here.
    fn at_hand(&self, works: &[(System, Task)]) -> Vec<(System, Task)> {
        let possible = |work: &&(System, Task)| work.0 == System::Ours || self.python.is_some();
        works.iter().filter(possible).copied().collect()
    }
}

/// Workers that have been called for.
#[derive(Default)]
struct Workers {
    ours: Option<Worker>,
    torch: Option<Worker>,
}

impl Workers {
    /// The worker of a system, started at the first call.
    fn of(&mut self, bench: &Bench<'_>, system: System, threads: usize) -> Result<&mut Worker> {
        let (place, python) = match system {
            System::Ours => (&mut self.ours, None),
            System::Padded | System::Packed => (&mut self.torch, bench.python),
        };
        let worker = match (place.take(), python) {
            (Some(worker), _) => worker,
            (None, None) => Worker::ours(OURS, threads)?,
            (None, Some(python)) => Worker::torch(python, TORCH, threads)?,
        };
        Ok(place.insert(worker))
    }
}

fn ask(worker: &mut Worker, case: &Case, (system, task): (System, Task)) -> Result<Answer> {
    let (sizes, batches) = (case.sizes, case.batches.clone());
    worker.ask(&Job { system, task, sizes, batches })
}
