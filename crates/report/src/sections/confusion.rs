//! Confusion matrices, pooled over folds and seeds; of test sets each by itself.

use ambivox_eval::{Confusion, MethodSummary};
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{count, counted, percent};
use crate::page::{result_caption, table_of_class};

/// The section.
pub(crate) fn render(input: &ReportInput<'_>) -> Markup {
    html! {
        p.note {
            (result_caption(input, "Each row holds the utterances of one gold label, each column those \
                with one predicted label. A cell gives its share of the row in percent and, below, \
                the number of utterances."))
        }
        div.matrices {
            @for (title, runs, counts) in &matrices(input) {
                (matrix(input, &format!("Confusion matrix of {title}, {runs}"), counts))
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

/// From this share on a cell is so dark (by night, so light) that its text changes colour too. The test
/// below holds both text colours to a contrast of 4.5 on every shade.
const HIGH: f64 = 0.655;

fn matrix(input: &ReportInput<'_>, title: &str, counts: &Confusion) -> Markup {
    let classes = &input.summary.classes;
    let content = html! {
        thead {
            tr {
                th.corner rowspan="2" scope="col" { "Gold label" }
                th.group colspan=(classes.len()) scope="colgroup" { "Predicted label" }
            }
            tr { @for class in classes { th scope="col" { (class) } } }
        }
        tbody {
            @for (class, row) in classes.iter().zip(counts.rows()) {
                tr { th scope="row" { (class) } @for n in row { (cell(*n, row.iter().sum())) } }
            }
        }
    };
    table_of_class(input, "confusion", title, &format!("{title}."), &content)
}

/// A cell of `n` among the `total` utterances of its row, shaded by its share.
fn cell(n: u64, total: u64) -> Markup {
    let share = (total > 0).then(|| n as f64 / total as f64);
    let shade = share.unwrap_or_default();
    let ink = if shade >= HIGH { "high" } else { "low" };
    html! {
        td class=(ink) style=(format!("--share:{shade:.3}")) {
            b { (percent(share)) } (count(n))
        }
    }
}

#[cfg(test)]
mod tests;
