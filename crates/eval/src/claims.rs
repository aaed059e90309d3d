//! A run held against the paper: every row of its Table 2 against ours, and what it says of the rows in sections
//! 3.3 and 3.4. Of use where the corpus is the paper's.

use crate::comparison::{mean, over_folds};
use crate::{EvalError, PAPER_TABLE_2, PaperRow, Rates, Summary, compared};

/// What the paper says of two rows of Table 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// In words, with the section.
    pub text: &'static str,
    /// The method that is said to be better, or no worse.
    pub method: &'static str,
    /// Than which.
    pub over: &'static str,
    /// Whether it is said to be no worse, and not better.
    pub no_worse: bool,
}

/// Those that a run can show.
pub const CLAIMS: [Claim; 7] = [
    better("labels and weights together beat the network as it is (3.3)", "lw", "baseline"),
    better("they do better than labels alone (3.3)", "lw", "l"),
    better("they do better than weights alone (3.3)", "lw", "w"),
    better("they do better than oversampling (3.4)", "lw", "oversampling"),
    better("they do better than undersampling (3.4)", "lw", "undersampling"),
    better("weights have a slightly higher effect than labels (3.4)", "w", "l"),
    Claim {
        no_worse: true,
        ..better("pretraining is no better than beginning at once (3.4)", "lw", "lw-pretrained")
    },
];

const fn better(text: &'static str, method: &'static str, over: &'static str) -> Claim {
    Claim { text, method, over, no_worse: false }
}

/// Whether a run shows what is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The interval lies on the side that the claim says.
    Holds,
    /// The interval has 0 in it.
    NotShown,
    /// The interval has 0 in it, of a claim that one is no worse.
    NotRefuted,
    /// It lies on the other side.
    Opposite,
}

/// A difference of ours, the paper's, and the interval over folds of ours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// Ours: of two methods, or of ours less the paper's.
    pub ours: f64,
    /// 95 % interval by Student's t over folds.
    pub interval: [f64; 2],
    /// The paper's difference; 0 where ours is from the paper already.
    pub paper: f64,
}

impl Gap {
    /// Whether the interval has the paper's figure.
    pub fn is_compatible(&self) -> bool {
        let [low, high] = self.interval;
        low <= self.paper && self.paper <= high
    }

    fn verdict(&self, claim: &Claim) -> Verdict {
        let [low, high] = self.interval;
        match (low > 0.0, high < 0.0) {
            (true, _) => Verdict::Holds,
            (_, true) => Verdict::Opposite,
            _ if claim.no_worse => Verdict::NotRefuted,
            _ => Verdict::NotShown,
        }
    }
}

/// A claim and what a run has to say of it: WA and UA, each with its verdict.
pub type Held = (&'static Claim, [(Gap, Verdict); 2]);

/// The claims of whose methods a summary has both, on at least two common folds.
///
/// Errors: matrices of different numbers of classes.
pub fn claims(summary: &Summary) -> Result<Vec<Held>, EvalError> {
    let mut held = Vec::new();
    for claim in &CLAIMS {
        let Some(found) = compared(summary, claim.method, claim.over)? else { continue };
        let effects = [found.wa, found.ua];
        let gaps = effects.iter().zip(RATES).map(|(effect, rate)| {
            let paper = published(claim.method, rate)? - published(claim.over, rate)?;
            let gap = Gap { ours: effect.mean, interval: effect.interval, paper };
            Some((gap, gap.verdict(claim)))
        });
        let gaps: Option<Vec<(Gap, Verdict)>> = gaps.collect();
        held.extend(gaps.and_then(|gaps| Some((claim, <[_; 2]>::try_from(gaps).ok()?))));
    }
    Ok(held)
}

type Pick = fn(&Rates) -> Option<f64>;

const RATES: [Pick; 2] = [|rates| rates.wa, |rates| rates.ua];

fn row(method: &str) -> Option<&'static PaperRow> {
    PAPER_TABLE_2.iter().find(|row| row.method == method)
}

fn published(method: &str, rate: Pick) -> Option<f64> {
    rate(&row(method)?.rates(&[]))
}

/// Our WA and UA less the paper's, of every method of Table 2 that was tested on at least two folds.
pub fn beside_the_paper(summary: &Summary) -> Vec<(&str, [Option<Gap>; 2])> {
    let methods = summary.methods_in_order().into_iter().filter(|(id, _)| row(id).is_some());
    let gaps = methods.map(|(id, method)| {
        let gap = |rate: Pick| {
            let paper = published(id, rate)?;
            let ours: Option<Vec<f64>> =
                method.fold_means().values().map(|rates| Some(rate(rates)? - paper)).collect();
            let ours = ours.filter(|folds| folds.len() > 1)?;
            Some(Gap { ours: mean(&ours), interval: over_folds(&ours), paper: 0.0 })
        };
        (id, RATES.map(gap))
    });
    gaps.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::history;
    use crate::{Confusion, SummaryBuilder};

    /// Four folds; of the classes' ten utterances each, so many are found by each method.
    fn summary(found: &[(&str, [u64; 4])]) -> Summary {
        let classes = ["happiness", "sadness"].map(str::to_owned);
        let mut builder = SummaryBuilder::new("tiny", &classes, false);
        for (method, folds) in found {
            for (fold, right) in folds.iter().enumerate() {
                let rows = vec![vec![*right, 10 - right], vec![10 - right, *right]];
                let run = history(method, 0, &fold.to_string(), 1);
                builder.add_run(Confusion::try_from(rows).unwrap(), &run).unwrap();
            }
        }
        builder.finish().unwrap()
    }

    #[test]
    fn claims_hold_or_are_not_shown_or_are_refuted() {
        let summary = summary(&[
            ("baseline", [5, 5, 6, 6]),
            ("l", [7, 8, 8, 8]),
            ("w", [4, 5, 5, 5]),
            ("lw-pretrained", [7, 8, 8, 7]),
            ("lw", [7, 7, 8, 8]),
        ]);
        let held = claims(&summary).unwrap();
        let told: Vec<_> =
            held.iter().map(|(claim, [(_, wa), _])| (claim.method, claim.over, *wa)).collect();
        assert_eq!(
            told,
            [
                ("lw", "baseline", Verdict::Holds),
                ("lw", "l", Verdict::NotShown),
                ("lw", "w", Verdict::Holds),
                ("w", "l", Verdict::Opposite),
                ("lw", "lw-pretrained", Verdict::NotRefuted),
            ]
        );
        let (gap, _) = held[0].1[0];
        assert!((gap.ours - 0.2).abs() < 1e-12 && (gap.paper - 0.023).abs() < 1e-12, "{gap:?}");
        assert!(!gap.is_compatible(), "the same gain in every fold");
    }

    #[test]
    fn rows_are_compatible_where_the_interval_has_the_papers_figure() {
        let summary = summary(&[("baseline", [5, 6, 7, 7]), ("lw", [9, 9, 9, 9])]);
        let rows = beside_the_paper(&summary);
        let [(_, [Some(wa), Some(ua)]), (_, [Some(best), _])] = rows[..] else {
            panic!("{rows:?}")
        };
        // Mean 62.5 beside the paper's 63.6 and 59.5.
        assert!((wa.ours + 0.011).abs() < 1e-12 && wa.is_compatible());
        assert!((ua.ours - 0.03).abs() < 1e-12 && ua.is_compatible());
        assert!(!best.is_compatible() && best.ours > 0.2);
        assert!(
            beside_the_paper(&crate::summary::tests::tiny()).len() <= 2,
            "one fold says nothing"
        );
    }
}
