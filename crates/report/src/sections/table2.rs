//! Table 2 of the paper: precision, recall and F1 per class, WA and UA; beside them averages of F1, and
//! below how far the probabilities can be relied on.

use ambivox_eval::{MethodSummary, Rates, RowSource, Table2Row, table2_rows};
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{NONE, counted, percent};
use crate::page::{folds, seeds, sortable_table, table};

const CAPTION: &str = "Results in percent. P: precision, R: recall, F1: F1-score, WA: weighted \
    accuracy, UA: unweighted accuracy, which is unweighted average recall (UAR). Macro F1: mean F1 of \
    the classes that occur; weighted F1: each class as heavy as it has utterances. The paper’s figures \
    are means over folds; so are those of the first group here, with the standard deviation over folds \
    below each. In bold: the best of ours.";

const CALIBRATION: &str = "How far probabilities can be relied on; lower is better. ECE: expected \
    calibration error in percent, the mean distance between the predicted class’s probability and the \
    share recognised, over 15 bins of equal width. Brier: sum over classes of the squared distance from \
    the gold label, 0 to 2. NLL: negative log likelihood of the gold label, in nats. Folds: mean ± \
    standard deviation over folds; of few utterances the ECE is too high, which pooled it is less.";

/// Columns behind those of the classes.
const WHOLE: [&str; 4] = ["WA", "UA", "Macro F1", "Weighted F1"];

/// The section.
pub(crate) fn render(input: &ReportInput<'_>) -> Markup {
    let mut rows = table2_rows(input.summary, input.paper().rows);
    for row in rows.iter_mut().filter(|row| row.source != RowSource::Paper) {
        row.title = input.title_of(&row.method).to_owned();
    }
    let classes = &input.summary.classes;
    let content = html! {
        (head(classes))
        @for source in [RowSource::FoldMeans, RowSource::Pooled, RowSource::Paper] {
            (group(&source_title(input, source), &rows, source, classes.len()))
        }
    };
    html! {
        (sortable_table(input, "Table 2: methods and classes", CAPTION, &content))
        (calibration(input))
    }
}

fn head(classes: &[String]) -> Markup {
    html! {
        thead {
            tr {
                th.text.corner rowspan="2" scope="col" data-column="0" { "Method" }
                @for class in classes { th.group colspan="3" scope="colgroup" { (class) } }
                @for (place, name) in WHOLE.iter().enumerate() {
                    th rowspan="2" scope="col" data-column=(1 + place + 3 * classes.len()) { (name) }
                }
            }
            tr {
                @for class in 0..classes.len() {
                    th.first scope="col" data-column=(1 + 3 * class) { "P" }
                    th scope="col" data-column=(2 + 3 * class) { "R" }
                    th scope="col" data-column=(3 + 3 * class) { "F1" }
                }
            }
        }
    }
}

fn source_title(input: &ReportInput<'_>, source: RowSource) -> String {
    let seeds = counted(seeds(input), "seed");
    let folds = folds(input);
    match source {
        RowSource::FoldMeans => format!("Means over {folds}, {seeds}"),
        RowSource::Pooled => format!("All utterances of {folds} pooled, {seeds}"),
        RowSource::Paper => input.paper().label.to_owned(),
    }
}

fn group(title: &str, rows: &[Table2Row], source: RowSource, classes: usize) -> Markup {
    let rows: Vec<&Table2Row> = rows.iter().filter(|row| row.source == source).collect();
    let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(&row.rates)).collect();
    let ours = source != RowSource::Paper;
    html! {
        @if !rows.is_empty() {
            tbody {
                tr { th scope="rowgroup" colspan=(3 * classes + 1 + WHOLE.len()) { (title) } }
                @for (row, values) in rows.iter().zip(&cells) {
                    tr.paper[!ours] {
                        th scope="row" { (row.title) }
                        @for (column, value) in values.iter().enumerate() {
                            (cell(column, classes, value, ours && is_best(&cells, column, value)))
                        }
                    }
                    @if let Some(sd) = &row.sd { (spread_row(sd, classes)) }
                }
            }
        }
    }
}

fn spread_row(sd: &Rates, classes: usize) -> Markup {
    html! {
        tr.spread {
            th scope="row" { "± sd" }
            @for (column, value) in cells(sd).iter().enumerate() {
                (cell(column, classes, value, false))
            }
        }
    }
}

fn cell(column: usize, classes: usize, value: &str, best: bool) -> Markup {
    let first = column < 3 * classes && column.is_multiple_of(3);
    html! { td.first[first].best[best] { (value) } }
}

/// P, R and F1 of every class, then the rates of all classes together, as shown.
fn cells(rates: &Rates) -> Vec<String> {
    let per_class = rates.precision.iter().zip(&rates.recall).zip(&rates.f1);
    let per_class = per_class.flat_map(|((p, r), f1)| [*p, *r, *f1]);
    let whole = [rates.wa, rates.ua, rates.macro_f1, rates.weighted_f1];
    per_class.chain(whole).map(percent).collect()
}

/// Whether `value` is the largest of its column, as printed; not where there is nothing to compare.
fn is_best(rows: &[Vec<String>], column: usize, value: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    let all: Vec<f64> = rows.iter().filter_map(|row| number(&row[column])).collect();
    let Some(value) = number(value) else { return false };
    all.len() > 1
        && all.iter().all(|other| *other <= value)
        && all.iter().any(|other| *other < value)
}

/// Rates of probabilities; nothing where counts alone are known.
fn calibration(input: &ReportInput<'_>) -> Markup {
    let methods = input.summary.methods_in_order();
    let known = methods.iter().any(|(_, method)| method.over_seeds.pooled.ece.is_some());
    let content = html! {
        thead {
            tr {
                th.text.corner rowspan="2" scope="col" { "Method" }
                @for rate in ["ECE", "Brier", "NLL"] {
                    th.group colspan="2" scope="colgroup" { (rate) }
                }
            }
            tr {
                @for _ in 0..3 { th.first scope="col" { "Folds" } th scope="col" { "Pooled" } }
            }
        }
        tbody { @for (id, method) in &methods { (calibration_row(input.title_of(id), method)) } }
    };
    html! { @if known { (table(input, "Calibration of probabilities", CALIBRATION, &content)) } }
}

fn calibration_row(title: &str, method: &MethodSummary) -> Markup {
    type Pick = fn(&Rates) -> Option<f64>;
    let over = &method.over_seeds;
    let plain = |value: Option<f64>| value.map_or(NONE.to_owned(), |value| format!("{value:.3}"));
    let rates: [(Pick, &dyn Fn(Option<f64>) -> String); 3] =
        [(|r| r.ece, &percent), (|r| r.brier, &plain), (|r| r.nll, &plain)];
    html! {
        tr {
            th scope="row" { (title) }
            @for (pick, shown) in rates {
                @let sd = pick(&over.sd_folds);
                td.first {
                    (shown(pick(&over.mean)))
                    @if sd.is_some() { "\u{a0}±\u{a0}" (shown(sd)) }
                }
                td { (shown(pick(&over.pooled.rates()))) }
            }
        }
    }
}
