//! Which runs may stand in one table: rates are compared over folds that all of its methods have tested.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::Run;

/// Runs that a sentence names before it counts the rest.
const NAMED: usize = 5;

/// Runs over the same folds.
#[derive(Debug)]
pub(crate) struct Comparable {
    pub(crate) runs: Vec<Run>,
    /// Runs that are there and are not compared.
    pub(crate) others: Vec<Run>,
    folds: BTreeSet<String>,
}

impl Comparable {
    /// Of the runs asked for and others that are there: those over the folds that each cross-validation
    /// asked for has, the fresh ones of it included. A cross-validation that is there by chance and lacks
    /// one of these is left out, rather than that it takes folds away from those asked for.
    pub(crate) fn of(wanted: Vec<Run>, fresh: Vec<Run>) -> Self {
        let asked: BTreeSet<String> = wanted.iter().map(series).collect();
        let mut folds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for run in wanted.iter().chain(&fresh) {
            folds.entry(series(run)).or_default().insert(run.fold.clone());
        }
        let of_asked = folds.iter().filter(|(series, _)| asked.contains(*series));
        let common = of_asked.map(|(_, folds)| folds.clone()).reduce(|a, b| &a & &b);
        let common = common.unwrap_or_default();
        let fits =
            |run: &Run| common.contains(&run.fold) && folds[&series(run)].is_superset(&common);
        let (runs, others): (Vec<Run>, Vec<Run>) = wanted.into_iter().chain(fresh).partition(fits);
        Self { runs, others, folds: common }
    }

    /// Says which were left out and why, if any were.
    pub(crate) fn left_out(&self) -> Option<String> {
        let Self { others, folds, .. } = self;
        let mut named: Vec<String> = others.iter().take(NAMED).map(Run::slot).collect();
        if others.len() > NAMED {
            named.push(format!("and {} more", others.len() - NAMED));
        }
        let folds: Vec<&str> = folds.iter().map(String::as_str).collect();
        (!others.is_empty()).then(|| {
            format!(
                "The table is over the folds that all of its methods have tested: {}. Trained too, \
                 and not in the table: {}.",
                folds.join(", "),
                named.join(", ")
            )
        })
    }
}

/// The cross-validation that a run is a fold of: its slot without the fold.
fn series(run: &Run) -> String {
    let slot = run.slot();
    slot.strip_suffix(&format!("/{}", run.fold)).unwrap_or(&slot).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::Toy;
    use crate::graph::runs;

    /// The runs of the toy pipeline's seed 0 over these folds, by a method's first letter.
    fn of(text: &str) -> Vec<Run> {
        let experiment = Toy::new().read().unwrap();
        let all = runs(&experiment, &["s1", "s2", "s3"].map(str::to_owned));
        let is_meant = |run: &&Run| {
            let name = format!("{}{}", &run.method.name().id()[..1], &run.fold[1..]);
            run.seed == 0 && text.split(' ').any(|meant| meant == name)
        };
        all.iter().filter(is_meant).cloned().collect()
    }

    fn shown(wanted: &str, fresh: &str) -> (String, Option<String>) {
        let found = Comparable::of(of(wanted), of(fresh));
        let runs: Vec<String> = found.runs.iter().map(Run::id).collect();
        (runs.join(" "), found.left_out())
    }

    #[test]
    fn what_is_whole_is_shown_whole() {
        let (runs, left_out) = shown("b1 b2 b3", "l1 l2 l3");
        assert_eq!(runs.split(' ').count(), 6);
        assert_eq!(left_out, None);
    }

    #[test]
    fn one_fold_more_of_one_method_is_not_in_the_mean() {
        let (runs, left_out) = shown("b1 l1", "b2 b3 l2");
        assert_eq!(runs, "baseline/0/s1 lw/0/s1 baseline/0/s2 lw/0/s2");
        insta::assert_snapshot!(left_out.unwrap(), @"The table is over the folds that all of its methods have tested: s1, s2. Trained too, and not in the table: train/baseline/0/s3.");
    }

    #[test]
    fn what_is_there_by_chance_takes_no_fold_away() {
        let (runs, left_out) = shown("b1 b2 b3", "l2");
        assert_eq!(runs, "baseline/0/s1 baseline/0/s2 baseline/0/s3");
        assert!(left_out.unwrap().ends_with("not in the table: train/lw/0/s2."));
    }

    #[test]
    fn a_fold_asked_for_completes_what_is_there() {
        let (runs, left_out) = shown("l3", "b1 b2 b3 l1 l2");
        assert_eq!(runs.split(' ').count(), 6);
        assert_eq!(left_out, None);
    }
}
