//! Tables 2 and 3 of the paper, as data, from a pipeline's own results.

use std::collections::BTreeMap;

use crate::comparison::correct;
use crate::{
    Comparison, EvalError, Pair, PaperRow, Rates, RunHistory, Summary, mean_sd, method_order,
    method_title,
};

/// Where a row's figures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowSource {
    /// Means over folds (and seeds): the paper's reading.
    FoldMeans,
    /// Means over folds of the models of all seeds taken as one.
    Ensemble,
    /// All folds' (and seeds') utterances as one set.
    Pooled,
    /// Published, on IEMOCAP.
    Paper,
}

/// A row of Table 2.
#[derive(Debug, Clone, PartialEq)]
pub struct Table2Row {
    /// The method's id.
    pub method: String,
    /// The method's name in the paper.
    pub title: String,
    /// Where the figures come from.
    pub source: RowSource,
    /// Rates as fractions of 1.
    pub rates: Rates,
    /// Their standard deviations over folds, for fold means.
    pub sd: Option<Rates>,
}

/// Table 2: fold means, then those of all seeds' models taken as one, then pooled rates of every method that ran, then those of the `published` rows
/// that are of the same methods. Within each source in the paper's order.
pub fn table2_rows(summary: &Summary, published: &[PaperRow]) -> Vec<Table2Row> {
    let methods = summary.methods_in_order();
    let means = methods.iter().map(|(id, method)| {
        let over = &method.over_seeds;
        row(id, RowSource::FoldMeans, over.mean.clone(), Some(over.sd_folds.clone()))
    });
    let ensembles = methods.iter().filter_map(|(id, method)| {
        let ensemble = method.ensemble.as_ref()?;
        let (mean, sd) = (ensemble.mean.clone(), ensemble.sd_folds.clone());
        Some(row(id, RowSource::Ensemble, mean, Some(sd)))
    });
    let pooled = methods
        .iter()
        .map(|(id, method)| row(id, RowSource::Pooled, method.over_seeds.pooled.rates(), None));
    let paper = published
        .iter()
        .filter(|published| summary.methods.contains_key(published.method))
        .map(|p| row(p.method, RowSource::Paper, p.rates(&summary.classes), None));
    means.chain(ensembles).chain(pooled).chain(paper).collect()
}

fn row(method: &str, source: RowSource, rates: Rates, sd: Option<Rates>) -> Table2Row {
    let title = method_title(method).to_owned();
    Table2Row { method: method.to_owned(), title, source, rates, sd }
}

/// A row pair of Table 3: mean contribution weights per gold class.
#[derive(Debug, Clone, PartialEq)]
pub struct Table3Row {
    /// The method's id.
    pub method: String,
    /// Runs averaged: folds times seeds.
    pub runs: usize,
    /// Before the first epoch, per class.
    pub initial: Vec<f64>,
    /// At the epoch that was kept, per class.
    pub learned: Vec<f64>,
    /// After the last epoch of all, per class.
    pub last: Vec<f64>,
}

/// Table 3: for every method that learns weights, their means over its runs, before training, at
/// the epoch kept and after the last; in the paper's order of methods.
pub fn table3_rows(histories: &[RunHistory]) -> Vec<Table3Row> {
    let mut methods: Vec<&str> = histories.iter().map(|h| h.method.as_str()).collect();
    methods.sort_by_key(|method| (method_order(method), *method));
    methods.dedup();
    methods.into_iter().filter_map(|method| table3_row(method, histories)).collect()
}

fn table3_row(method: &str, histories: &[RunHistory]) -> Option<Table3Row> {
    let runs = histories.iter().filter(|history| history.method == method);
    let of_runs: Vec<[&[f64]; 3]> = runs.filter_map(weights).collect();
    let classes = of_runs.first()?[0].len();
    let mean = |moment: usize| -> Vec<f64> {
        let over_runs = |c: usize| mean_sd(of_runs.iter().map(|weights| weights[moment][c]));
        (0..classes).filter_map(over_runs).map(|over| over.mean).collect()
    };
    let [initial, learned, last] = [0, 1, 2].map(mean);
    Some(Table3Row { method: method.to_owned(), runs: of_runs.len(), initial, learned, last })
}

/// Mean weights of a run's classes before training, at the epoch kept and after the last.
fn weights(history: &RunHistory) -> Option<[&[f64]; 3]> {
    let learned = history.best()?.mean_weight.as_deref()?;
    let last = history.epochs.last()?.mean_weight.as_deref()?;
    Some([history.initial_mean_weight.as_deref()?, learned, last])
}

/// Seed of the random draws of comparisons: the same summary gives the same figures.
const COMPARISON_SEED: u64 = 0;

/// Every method against the first of the table, with p-values corrected by Holm's method for all of
/// these comparisons; `None` where two methods have fewer than two folds in common. Test sets of one
/// split are no folds, and nothing is compared over them.
///
/// Errors: matrices of different numbers of classes.
pub fn comparisons(summary: &Summary) -> Result<Vec<(&str, Option<Comparison>)>, EvalError> {
    let methods = methods(summary);
    let Some((reference, others)) = methods.split_first() else { return Ok(Vec::new()) };
    corrected(others, |id| compared(summary, id, reference))
}

/// One method against every other but the first of the table, over which its gain is in [`comparisons`]: what
/// it has over its own controls. Likewise corrected, for these comparisons; nothing without the method.
///
/// Errors: matrices of different numbers of classes.
pub fn comparisons_of<'a>(
    summary: &'a Summary,
    method: &str,
) -> Result<Vec<(&'a str, Option<Comparison>)>, EvalError> {
    let mut others = methods(summary);
    if others.first() == Some(&method) || !others.contains(&method) {
        return Ok(Vec::new());
    }
    others.remove(0);
    others.retain(|id| *id != method);
    corrected(&others, |id| compared(summary, method, id))
}

/// The methods that may be compared, in their order.
fn methods(summary: &Summary) -> Vec<&str> {
    let methods = if summary.test_sets { Vec::new() } else { summary.methods_in_order() };
    methods.into_iter().map(|(id, _)| id).collect()
}

fn corrected<'a>(
    ids: &[&'a str],
    of: impl Fn(&str) -> Result<Option<Comparison>, EvalError>,
) -> Result<Vec<(&'a str, Option<Comparison>)>, EvalError> {
    let all = ids.iter().map(|&id| Ok((id, of(id)?)));
    let mut all = all.collect::<Result<Vec<_>, EvalError>>()?;
    correct(&mut all.iter_mut().filter_map(|(_, found)| found.as_mut()).collect::<Vec<_>>());
    Ok(all)
}

/// `method` against `reference`, on the folds and seeds that both have run; `None` where a method
/// did not run or fewer than two folds are common to both. Nothing is corrected.
///
/// Errors: matrices of different numbers of classes.
pub fn compared(
    summary: &Summary,
    method: &str,
    reference: &str,
) -> Result<Option<Comparison>, EvalError> {
    let methods = [method, reference].map(|id| summary.methods.get(id));
    let [Some(method), Some(reference)] = methods else { return Ok(None) };
    let (mut folds, mut groups) = (BTreeMap::new(), BTreeMap::new());
    for (seed, theirs) in &reference.seeds {
        let Some(ours) = method.seeds.get(seed) else { continue };
        for (name, rival) in &theirs.folds {
            let Some(ours) = ours.folds.get(name) else { continue };
            let fold: &mut Pair = folds.entry(name).or_default();
            fold.method.push(ours.confusion.clone());
            fold.rival.push(rival.confusion.clone());
            for (group, counts) in ours.groups(name) {
                groups.entry(group).or_insert_with(Pair::default).method.push(counts.clone());
            }
            for (group, counts) in rival.groups(name) {
                groups.entry(group).or_insert_with(Pair::default).rival.push(counts.clone());
            }
        }
    }
    let [folds, groups]: [Vec<Pair>; 2] =
        [folds.into_values().collect(), groups.into_values().collect()];
    Comparison::of(&folds, &groups, COMPARISON_SEED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::{history, tiny};
    use crate::{Confusion, PAPER_TABLE_2, SummaryBuilder, Tested};

    #[test]
    fn rows_come_by_source_and_then_in_the_papers_order() {
        let rows = table2_rows(&tiny(), &PAPER_TABLE_2);
        let found: Vec<_> = rows.iter().map(|row| (row.source, row.title.as_str())).collect();
        let ours = ["BLSTM + ATT", "BLSTM + ATT + L + w", "a-method"];
        let want: Vec<_> = [RowSource::FoldMeans, RowSource::Pooled]
            .iter()
            .flat_map(|source| ours.map(|title| (*source, title)))
            .chain(ours[..2].iter().map(|title| (RowSource::Paper, *title)))
            .collect();
        assert_eq!(found, want);
    }

    #[test]
    fn published_rows_keep_their_own_figures() {
        let rows = table2_rows(&tiny(), &PAPER_TABLE_2);
        let paper = rows.iter().find(|row| row.source == RowSource::Paper).unwrap();
        assert_eq!((paper.rates.wa, paper.rates.ua), (Some(0.636), Some(0.595)));
        assert_eq!(paper.rates.recall, [Some(0.353), Some(0.682)]);
        assert_eq!(paper.sd, None);
    }

    #[test]
    fn comparisons_are_paired_by_fold_and_seed() {
        let summary = tiny();
        let none = |method, reference| compared(&summary, method, reference).unwrap();
        assert_eq!(none("lw", "baseline"), None, "one fold alone is common");
        assert_eq!(none("lw", "absent"), None);
        let same = none("lw", "lw").unwrap();
        assert_eq!((same.folds, same.ua.mean, same.ua.p), (2, 0.0, 1.0));
    }

    #[test]
    fn every_method_is_held_against_the_first_and_corrected_for_those_compared() {
        let mut builder = SummaryBuilder::new("tiny", &tiny().classes, true);
        for (method, folds) in [("baseline", 6), ("l", 6), ("w", 1), ("lw", 6)] {
            for fold in 0..folds {
                let right = if method == "lw" { 5 } else { 3 + fold % 2 };
                let rows = vec![vec![right, 6 - right], vec![0, 6]];
                let run = history(method, 0, &fold.to_string(), 1);
                builder.add_run(Confusion::try_from(rows).unwrap(), &run).unwrap();
            }
        }
        let mut summary = builder.finish().unwrap();
        let over_others = comparisons_of(&summary, "lw").unwrap();
        let found: Vec<_> = over_others.iter().map(|(id, f)| (*id, f.map(|c| c.ua.mean))).collect();
        assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ["l", "w"]);
        assert!(found[0].1.unwrap() > 0.0 && found[1].1.is_none(), "{found:?}");
        assert!(comparisons_of(&summary, "baseline").unwrap().is_empty());
        let found = comparisons(&summary).unwrap();
        let p = |found: &Option<Comparison>| found.map(|c| (c.ua.p, c.ua.holm));
        let found: Vec<_> = found.iter().map(|(id, found)| (*id, p(found))).collect();
        // Of 64 flips, all and none alone are as far; `w` is not compared and does not count.
        let least = 2.0 / 64.0;
        assert_eq!(
            found,
            [("l", Some((1.0, 1.0))), ("w", None), ("lw", Some((least, 2.0 * least)))]
        );
        summary.test_sets = true;
        assert!(comparisons(&summary).unwrap().is_empty());
    }

    /// Speaker by speaker where a fold has several, and a speaker tested in two folds is one still.
    #[test]
    fn groups_are_drawn_across_folds() {
        let mut builder = SummaryBuilder::new("tiny", &tiny().classes, true);
        let p: [&[f32]; 2] = [&[0.9, 0.1], &[0.2, 0.8]];
        let tested = [("1", ["ann", "bob"]), ("2", ["bob", "cid"]), ("dee", ["dee", "dee"])];
        for (fold, speakers) in tested {
            let rows = speakers.map(|speaker| (speaker, 0, p[usize::from(speaker == "bob")]));
            for method in ["baseline", "lw"] {
                let pairs = rows.map(|(_, gold, p)| (gold, p));
                let tested = Tested::from_probabilities(2, pairs).unwrap().by_group(rows).unwrap();
                builder.add_run(tested, &history(method, 0, fold, 1)).unwrap();
            }
        }
        let summary = builder.finish().unwrap();
        let folds = &summary.methods["lw"].seeds[&0].folds;
        assert_eq!(folds["1"].groups.keys().collect::<Vec<_>>(), ["ann", "bob"]);
        assert_eq!(folds["1"].groups["bob"].rows(), [vec![0, 1], vec![0, 0]]);
        assert!(folds["dee"].groups.is_empty(), "the fold is that speaker");
        let found = compared(&summary, "lw", "baseline").unwrap().unwrap();
        assert_eq!((found.folds, found.groups), (3, 4));
    }

    #[test]
    fn weights_are_means_over_runs_at_the_epoch_kept_and_the_last() {
        let mut runs = vec![history("lw", 0, "A", 1), history("lw", 0, "B", 2)];
        runs.push(history("baseline", 0, "A", 1));
        runs[2].initial_mean_weight = None;
        runs[0].epochs[0].mean_weight = Some(vec![1.0, 2.0]);
        runs[1].epochs[1].mean_weight = Some(vec![3.0, 4.0]);
        let rows = table3_rows(&runs);
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].method.as_str(), rows[0].runs), ("lw", 2));
        assert_eq!(rows[0].initial, [0.5, 1.5]);
        assert_eq!(rows[0].learned, [2.0, 3.0]);
        let of_last = |c: usize| {
            let last =
                |run: &RunHistory| run.epochs.last().unwrap().mean_weight.as_ref().unwrap()[c];
            f64::midpoint(last(&runs[0]), last(&runs[1]))
        };
        assert_eq!(rows[0].last, [of_last(0), of_last(1)]);
        assert_ne!(rows[0].last, rows[0].learned);
    }
}
