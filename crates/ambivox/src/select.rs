//! Which runs of a pipeline a command is about, checked against what there is.

use crate::cli::Selection;
use crate::experiment::Experiment;
use crate::failure::Failure;
use crate::graph::Run;
use anyhow::Result;

/// Whether a run is meant.
pub(crate) fn selected(run: &Run, selection: &Selection) -> bool {
    let Selection { folds, methods, seeds } = selection;
    let method = run.method.name().id();
    (folds.is_empty() || folds.contains(&run.fold))
        && (methods.is_empty() || methods.iter().any(|name| name == method))
        && (seeds.is_empty() || seeds.contains(&run.seed))
}

/// Checks methods and seeds, and folds as far as the manifest lists the speakers, before any work.
pub(crate) fn check_selection(experiment: &Experiment, selection: &Selection) -> Result<()> {
    let methods: Vec<String> =
        experiment.methods.iter().map(|method| method.name().to_string()).collect();
    known("method", &selection.methods, &methods)?;
    let text = |seeds: &[u64]| seeds.iter().map(u64::to_string).collect::<Vec<_>>();
    known("seed", &text(&selection.seeds), &text(&experiment.pipeline.training.seeds))?;
    let folds = experiment.known_folds();
    if folds.is_empty() { Ok(()) } else { known("fold", &selection.folds, &folds) }
}

/// Checks folds against those there are.
pub(crate) fn check_folds(selection: &Selection, folds: &[String]) -> Result<()> {
    known("fold", &selection.folds, folds)
}

fn known(what: &str, asked: &[String], there: &[String]) -> Result<()> {
    match asked.iter().find(|name| !there.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Failure::usage(format!(
            "no {what} `{name}` in this pipeline; there are: {}",
            there.join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::Toy;
    use crate::failure::exit_code;
    use crate::graph::runs;

    fn selection(folds: &[&str], methods: &[&str], seeds: &[u64]) -> Selection {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Selection { folds: own(folds), methods: own(methods), seeds: seeds.to_vec() }
    }

    #[test]
    fn flags_narrow_the_runs() {
        let experiment = Toy::new().read().unwrap();
        let all = runs(&experiment, &["s1".to_owned(), "s2".to_owned()]);
        let count = |s: Selection| all.iter().filter(|run| selected(run, &s)).count();
        assert_eq!(count(selection(&[], &[], &[])), 2 * 3 * 2);
        assert_eq!(count(selection(&["s2"], &[], &[])), 2 * 3);
        assert_eq!(count(selection(&["s2"], &["lw"], &[])), 3);
        assert_eq!(count(selection(&["s1", "s2"], &["lw"], &[0, 2])), 4);
    }

    #[test]
    fn what_is_unknown_is_refused_with_what_is_known() {
        let experiment = Toy::new().read().unwrap();
        let refused = |s: Selection| {
            let error = check_selection(&experiment, &s).unwrap_err();
            assert_eq!(exit_code(&error), 2);
            error.to_string()
        };
        let texts = [
            refused(selection(&["s9"], &[], &[])),
            refused(selection(&[], &["l-w"], &[])),
            refused(selection(&[], &[], &[7])),
        ];
        insta::assert_snapshot!(texts.join("\n"), @"
    no fold `s9` in this pipeline; there are: s1, s2, s3
    no method `l-w` in this pipeline; there are: baseline, lw
    no seed `7` in this pipeline; there are: 0, 1, 2
    ");
        assert!(check_selection(&experiment, &selection(&["s1"], &["lw"], &[2])).is_ok());
        let folds = ["s1".to_owned()];
        assert!(check_folds(&selection(&["s2"], &[], &[]), &folds).is_err());
    }
}
