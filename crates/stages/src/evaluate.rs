//! The evaluate stage: runs to `summary.json`, a table of their rates and one of labels.

use std::collections::BTreeMap;
use std::path::Path;

use ambivox_eval::{Confusion, LabelMoves, LabelRepair, RunHistory, SummaryBuilder, Tested};
use ambivox_settings::{EvaluateParams, Grouping, Method, Splits, role};
use polars::prelude::DataFrame;

use crate::averages::Mean;
use crate::job::{Job, Run};
use crate::tables::labels::Move;
use crate::tables::noise::NoisyLabels;
use crate::tables::{self, labels, noise, predictions, results, truth};
use crate::{StageError, run_histories};

pub(crate) fn run(params: &EvaluateParams, job: &Job<'_>) -> Result<(), StageError> {
    let splits: Splits = job.read_json(role::SPLITS)?;
    let mut summary = SummaryBuilder::new(&params.pipeline, &splits.classes, params.synthetic);
    let histories = run_histories::read(job)?;
    let groups = Groups::of(&splits);
    let sets = in_turn(&splits);
    let mut together: BTreeMap<(Method, String), Together> = BTreeMap::new();
    for (run, file) in job.run_inputs(role::PREDICTIONS)? {
        let tested = predictions::read_test(file, &splits.classes)?;
        summary.add_run(groups.rated(&tested)?, history(&histories, &run)?)?;
        let set = sets.get(&run.fold).cloned().unwrap_or(run.fold);
        together.entry((run.method, set)).or_default().add(run.seed, tested);
    }
    let parts = parts(&splits);
    for ((method, set), together) in together {
        let parts = parts.get(set.as_str()).copied().unwrap_or_default();
        if together.are_whole(parts) {
            summary.add_ensemble(method.id(), &set, parts, groups.rated(&together.mean())?);
        }
    }
    let mut labels = Labels::new(job, &splits.classes)?;
    for (run, file) in job.run_inputs(role::LABELS)? {
        let moves = labels.add(file)?;
        if learns_labels(history(&histories, &run)?) {
            summary.add_labels(run.method.id(), run.seed, &labels.count(&moves)?)?;
        }
    }
    labels.write(job)?;
    let mut summary = summary.finish()?;
    summary.test_sets = splits.are_test_sets();
    summary.in_turn = sets;
    results::write(&job.output(role::RESULTS)?, &summary)?;
    job.write_text(role::SUMMARY, &summary.to_json()?)
}

/// The test sets of folds that test what another tests, by fold.
fn in_turn(splits: &Splits) -> BTreeMap<String, String> {
    let folds = splits.folds.iter();
    folds.filter_map(|fold| Some((fold.name.clone(), fold.test_set.clone()?))).collect()
}

/// How many folds test each test set.
fn parts(splits: &Splits) -> BTreeMap<&str, usize> {
    let mut parts = BTreeMap::new();
    for fold in &splits.folds {
        *parts.entry(fold.test_set()).or_default() += 1;
    }
    parts
}

/// What runs of several seeds, or folds that test the same, said of the utterances that they tested.
#[derive(Default)]
struct Together {
    /// How many runs there are of each seed.
    runs: BTreeMap<u64, usize>,
    said: BTreeMap<String, (predictions::Tested, Mean)>,
}

impl Together {
    fn add(&mut self, seed: u64, tested: Vec<predictions::Tested>) {
        *self.runs.entry(seed).or_default() += 1;
        for one in tested {
            let said: Vec<f64> = one.probabilities.iter().copied().map(f64::from).collect();
            let (_, mean) =
                self.said.entry(one.utterance_id.clone()).or_insert_with(|| (one, Mean::default()));
            mean.add(&said);
        }
    }

    /// Whether each seed has all of so many folds that test the set.
    fn are_whole(&self, folds: usize) -> bool {
        self.runs.values().all(|runs| *runs == folds)
    }

    /// The utterances, each with its mean probabilities.
    fn mean(self) -> Vec<predictions::Tested> {
        let mean = |(one, mean): (predictions::Tested, Mean)| predictions::Tested {
            probabilities: mean.mean().into_iter().map(|share| share as f32).collect(),
            ..one
        };
        self.said.into_values().map(mean).collect()
    }
}

/// The group of every utterance, where evidence is drawn by groups.
struct Groups<'a> {
    classes: usize,
    grouping: Grouping,
    of: BTreeMap<&'a str, &'a str>,
}

impl<'a> Groups<'a> {
    fn of(splits: &'a Splits) -> Self {
        let members = |(group, ids): (&'a String, &'a Vec<String>)| {
            ids.iter().map(|id| (id.as_str(), group.as_str()))
        };
        let of = splits.groups.iter().flat_map(members).collect();
        Self { classes: splits.classes.len(), grouping: splits.grouping, of }
    }

    /// What a run tested, by the group too: the speaker, or what else the split divides.
    fn rated(&self, tested: &[predictions::Tested]) -> Result<Tested, StageError> {
        let pairs = tested.iter().map(|t| (t.gold, t.probabilities.as_slice()));
        let rated = Tested::from_probabilities(self.classes, pairs)?;
        let of_groups = tested
            .iter()
            .filter_map(|t| Some((self.group(t)?, t.gold, t.probabilities.as_slice())));
        Ok(rated.by_group(of_groups)?)
    }

    /// `None` where the utterance is its own.
    fn group<'b>(&'b self, tested: &'b predictions::Tested) -> Option<&'b str> {
        match self.grouping {
            Grouping::Speaker => Some(&tested.speaker),
            _ => self.of.get(tested.utterance_id.as_str()).copied(),
        }
    }
}

fn history<'a>(
    histories: &'a BTreeMap<Run, RunHistory>,
    run: &Run,
) -> Result<&'a RunHistory, StageError> {
    histories.get(run).ok_or_else(|| StageError::Request(format!("no history of {run}")))
}

fn learns_labels(history: &RunHistory) -> bool {
    history.epochs.iter().any(|epoch| epoch.labels_moved.is_some())
}

/// The label tables of all runs, one below the other, and the truth where it is known.
struct Labels<'a> {
    classes: &'a [String],
    truth: Option<BTreeMap<String, usize>>,
    table: Option<DataFrame>,
}

impl<'a> Labels<'a> {
    fn new(job: &Job<'_>, classes: &'a [String]) -> Result<Self, StageError> {
        // Where labels have been exchanged on purpose, those before are what is to be restored.
        let truth = match (job.optional_input(role::NOISE), job.optional_input(role::TRUTH)) {
            (Some(file), _) => Some(clean_labels(noise::read(file, classes)?)),
            (None, Some(file)) => Some(truth::read(file, classes)?),
            (None, None) => None,
        };
        Ok(Self { classes, truth, table: None })
    }

    /// Appends a run's table and returns where its labels went.
    fn add(&mut self, file: &Path) -> Result<Vec<Move>, StageError> {
        let run = labels::read(file)?;
        let moves = labels::moves(file, self.classes, &run)?;
        match &mut self.table {
            None => self.table = Some(run),
            Some(table) => {
                table.vstack_mut(&run).map_err(StageError::parquet(file))?;
            }
        }
        Ok(moves)
    }

    fn count(&self, moves: &[Move]) -> Result<LabelMoves, StageError> {
        let counted = |learned: fn(&Move) -> usize| {
            let pairs = moves.iter().map(|label| (label.gold, learned(label)));
            Confusion::from_pairs(self.classes.len(), pairs)
        };
        Ok(LabelMoves {
            moves: counted(|label| label.learned)?,
            moves_at_last: Some(counted(|label| label.learned_at_last)?),
            repair: self.truth.as_ref().map(|truth| repair(truth, moves)).transpose()?,
        })
    }

    fn write(self, job: &Job<'_>) -> Result<(), StageError> {
        let mut table =
            self.table.ok_or_else(|| StageError::Request("no run's labels".to_owned()))?;
        tables::write(&job.output(role::LABELS)?, &mut table)
    }
}

fn clean_labels(labels: NoisyLabels) -> BTreeMap<String, usize> {
    labels.into_iter().map(|(id, label)| (id, label.clean)).collect()
}

fn repair(truth: &BTreeMap<String, usize>, moves: &[Move]) -> Result<LabelRepair, StageError> {
    let triple = |label: &Move| {
        let truth = truth.get(&label.utterance_id).copied();
        let unknown = || StageError::Data(format!("{} has no known truth", label.utterance_id));
        Ok((label.gold, truth.ok_or_else(unknown)?, label.learned))
    };
    let triples = moves.iter().map(triple).collect::<Result<Vec<_>, StageError>>()?;
    Ok(LabelRepair::from_triples(triples))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(id: &str, gold: usize, learned: usize) -> Move {
        Move { utterance_id: id.to_owned(), gold, learned, learned_at_last: gold }
    }

    #[test]
    fn labels_are_held_against_the_truth_of_their_utterance() {
        // Of two classes; the third utterance's true emotion is neither.
        let truth = [("a", 0), ("b", 1), ("c", 2)].map(|(id, class)| (id.to_owned(), class));
        let truth = BTreeMap::from(truth);
        let moves = [label("c", 0, 1), label("a", 1, 0), label("b", 1, 0)];
        let repair = repair(&truth, &moves).unwrap();
        assert_eq!((repair.wrong, repair.restored), (2, 1));
        assert_eq!((repair.right, repair.broken), (1, 1));
    }

    #[test]
    fn seeds_are_taken_together_by_the_mean_of_their_probabilities() {
        let tested = |id: &str, probabilities: [f32; 2]| predictions::Tested {
            utterance_id: id.to_owned(),
            speaker: "x".to_owned(),
            gold: 1,
            probabilities: probabilities.to_vec(),
        };
        let mut together = Together::default();
        together.add(1, vec![tested("b", [0.625, 0.375]), tested("a", [1.0, 0.0])]);
        together.add(2, vec![tested("a", [0.0, 1.0]), tested("b", [0.125, 0.875])]);
        assert!(together.are_whole(1) && !together.are_whole(2), "one fold of each seed");
        let mean = together.mean();
        let said: Vec<(&str, &[f32])> =
            mean.iter().map(|one| (one.utterance_id.as_str(), &one.probabilities[..])).collect();
        assert_eq!(said, [("a", &[0.5, 0.5][..]), ("b", &[0.375, 0.625])]);
    }

    /// Two sessions of two utterances, as a split by session has them.
    #[test]
    fn what_was_tested_is_told_by_the_groups_of_the_split() {
        let ids = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let splits = Splits {
            schema: 3,
            grouping: Grouping::Session,
            listed: false,
            classes: ids(&["calm", "angry"]),
            folds: Vec::new(),
            utterances: ids(&["a", "b", "c", "d"]),
            ambiguous: Vec::new(),
            notes: Vec::new(),
            without_votes: Vec::new(),
            groups: BTreeMap::from([
                ("s1".to_owned(), ids(&["a", "b"])),
                ("s2".to_owned(), ids(&["c", "d"])),
            ]),
        };
        let tested = ["a", "b", "c"].map(|id| predictions::Tested {
            utterance_id: id.to_owned(),
            speaker: "x".to_owned(),
            gold: 0,
            probabilities: vec![0.9, 0.1],
        });
        let groups = |grouping| {
            let splits = Splits { grouping, ..splits.clone() };
            let rated = Groups::of(&splits).rated(&tested).unwrap();
            rated.groups.into_iter().map(|(name, c)| (name, c.total())).collect::<Vec<_>>()
        };
        let told = |name: &str, count| (name.to_owned(), count);
        assert_eq!(groups(Grouping::Session), [told("s1", 2), told("s2", 1)]);
        assert_eq!(groups(Grouping::Speaker), [told("x", 3)]);
    }

    #[test]
    fn an_utterance_without_truth_is_named() {
        let error = repair(&BTreeMap::new(), &[label("a", 0, 0)]).unwrap_err();
        assert_eq!(error.to_string(), "a has no known truth");
    }
}
