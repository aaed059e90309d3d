//! One training, in a process of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use ambivox_features::FeatureTable;
use ambivox_models::{Learner, Round, Rows, Scaling, ScalingKind, Shape, model};
use ambivox_rules::{Example, LabelRule, rule};
use ambivox_settings::Pipeline;
use anyhow::{Context as _, Result};
use rand::seq::IteratorRandom as _;
use serde::{Deserialize, Serialize};

use super::corpus;
use crate::machine::status;
use crate::output::print;

/// Utterances of a mini-batch.
pub(super) const BATCH: usize = 32;
/// How often memory is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// What a measuring process is told.
#[derive(Debug, clap::Args)]
pub(crate) struct WorkerArgs {
    file: PathBuf,
    batches: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) utterances: usize,
    /// Most memory that is no file's, `RssAnon`, in 10⁶ bytes, where the system tells.
    pub(super) anonymous_mb: Option<f64>,
    /// Seconds for the scaling, which reads all frames once.
    pub(super) scaling_s: f64,
    /// Frames that were trained on in a second.
    pub(super) frames_per_s: f64,
}

/// Measures one training and prints it as JSON.
pub(crate) fn serve(args: &WorkerArgs) -> Result<()> {
    let (ended, most) = (AtomicBool::new(false), AtomicU64::new(0));
    let measured = scope(|threads| {
        threads.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                most.fetch_max(status("RssAnon").unwrap_or(0), Ordering::Relaxed);
                sleep(PAUSE);
            }
        });
        let measured = measure(&args.file, args.batches);
        ended.store(true, Ordering::Relaxed);
        measured
    })?;
    let most = Some(most.into_inner()).filter(|&kibibytes| kibibytes > 0);
    let anonymous_mb = most.map(|kibibytes| kibibytes as f64 * 1024.0 / 1e6);
    print(&serde_json::to_string(&Measured { anonymous_mb, ..measured })?)
}

/// Fits the scaling and trains, without a look at memory.
pub(super) fn measure(file: &Path, batches: u32) -> Result<Measured> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pipeline = Pipeline::read(&workspace.join("pipelines/iemocap.toml"))?;
    let table = FeatureTable::open(file)?;
    let ids: Vec<String> = table.ids().map(str::to_owned).collect();
    let started = Instant::now();
    let values = ids.iter().filter_map(|id| table.get(id));
    let scaling = Scaling::fit(ScalingKind::MeanVariance, values, corpus::WIDTH);
    let scaling_s = started.elapsed().as_secs_f64();
    let classes = pipeline.split.classes.len();
    let example = |(n, id): (usize, &String)| {
        Some(Example {
            utterance_id: id.clone(),
            group: (n % 1200).to_string(),
            frames: Rows::of(table.values(id)?, &scaling),
            gold: Some(n % classes),
            votes: Vec::new(),
        })
    };
    let examples: Vec<Example<'_>> = ids.iter().enumerate().filter_map(example).collect();
    let learner =
        model(&pipeline.model)?.start(Shape::of(corpus::WIDTH), classes, &pipeline.training, 1)?;
    let lw = pipeline.methods.get("lw").context("pipelines/iemocap.toml has no [methods.lw]")?;
    let rule = rule(&lw)?.start(&examples, classes)?;
    let frames_per_s = train(learner, &examples, &*rule, batches)?;
    Ok(Measured { utterances: ids.len(), anonymous_mb: None, scaling_s, frames_per_s })
}

/// One round of so many mini-batches; frames in a second.
fn train(
    mut learner: Box<dyn Learner>,
    examples: &[Example<'_>],
    rule: &dyn LabelRule,
    batches: u32,
) -> Result<f64> {
    let utterances: Vec<&Rows<'_>> = examples.iter().map(|example| &example.frames).collect();
    let groups = vec![0; utterances.len()];
    let count = batches as usize * BATCH;
    let drawn = std::cell::Cell::new(0);
    let started = Instant::now();
    learner.round(&Round {
        number: 1,
        seed: 1,
        utterances: &utterances,
        groups: &groups,
        targets: rule.targets(),
        sample: &|chance| {
            let positions = (0..utterances.len()).sample(chance, count);
            drawn
                .set(positions.iter().map(|&n| utterances[n].len() / corpus::WIDTH).sum::<usize>());
            positions
        },
        loss: rule.loss(),
        normalise_weights: false,
    })?;
    Ok(drawn.get() as f64 / started.elapsed().as_secs_f64())
}
