//! Confusion matrices, pooled over folds and seeds; of test sets each by itself.

use ambivox_eval::{Confusion, MethodSummary};
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::counted;
use crate::page::result_caption;
use crate::svg::heatmap::{self, Heatmap};

/// The section.
pub(crate) fn render(input: &ReportInput<'_>) -> Markup {
    html! {
        p.note {
            (result_caption(input, "Rows are gold labels, columns predictions; each cell gives the \
                share of its row in percent, and the count."))
        }
        div.matrices {
            @for (index, (title, runs, counts)) in matrices(input).iter().enumerate() {
                (matrix(input, index, title, runs, counts))
            }
        }
    }
}

/// What each matrix is of, of how many runs, and its counts: a method's over all folds, or on one test
/// set.
fn matrices(input: &ReportInput<'_>) -> Vec<(String, String, Confusion)> {
    let mut all = Vec::new();
    for (id, method) in input.summary.methods_in_order() {
        let title = input.title_of(id);
        if !input.summary.test_sets {
            let counts = method.over_seeds.pooled.confusion.clone();
            all.push((title.to_owned(), runs(method), counts));
            continue;
        }
        for (set, folds) in input.summary.sets() {
            let mut counts = Confusion::new(input.summary.classes.len());
            let models: Vec<_> = method.runs_of(&folds).collect();
            // Matrices of one summary have one size, so that adding them cannot fail.
            if models.iter().all(|fold| counts.merge(&fold.confusion).is_ok()) {
                let count = counted(models.len(), "model");
                all.push((format!("{title}, test set {set}"), count, counts));
            }
        }
    }
    all
}

/// The seeds that are pooled; where folds of some are missing, how many runs there are.
fn runs(method: &MethodSummary) -> String {
    let (seeds, planned) = (counted(method.seeds.len(), "seed"), method.planned_runs());
    if method.runs() == planned {
        return seeds;
    }
    format!("{seeds}, {} of {}", method.runs(), counted(planned, "run"))
}

fn matrix(
    input: &ReportInput<'_>,
    index: usize,
    name: &str,
    runs: &str,
    counts: &Confusion,
) -> Markup {
    html! {
        figure {
            h3 { (name) }
            (heatmap::render(&Heatmap {
                id: &format!("confusion-{index}"),
                title: &format!("Confusion matrix of {name}, {runs}"),
                classes: &input.summary.classes,
                rows: counts.rows(),
                row_axis: "gold",
                column_axis: "predicted",
            }))
        }
    }
}
