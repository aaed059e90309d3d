//! Table 2 of the paper: precision, recall and F1 per class, WA and UA.

use ambivox_eval::{Rates, RowSource, Table2Row, table2_rows};
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{counted, percent};
use crate::page::{folds, seeds, sortable_table};

const CAPTION: &str = "Results in percent. P: precision, R: recall, F1: F1-score, WA: weighted \
    accuracy, UA: unweighted accuracy. The paper’s figures are means over folds; so are those of \
    the first group here, with the standard deviation over folds below each. In bold: the best \
    of ours.";

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
    sortable_table(input, "Table 2: methods and classes", CAPTION, &content)
}

fn head(classes: &[String]) -> Markup {
    html! {
        thead {
            tr {
                th.text.corner rowspan="2" scope="col" data-column="0" { "Method" }
                @for class in classes { th.group colspan="3" scope="colgroup" { (class) } }
                th rowspan="2" scope="col" data-column=(1 + 3 * classes.len()) { "WA" }
                th rowspan="2" scope="col" data-column=(2 + 3 * classes.len()) { "UA" }
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
                tr { th scope="rowgroup" colspan=(3 * classes + 3) { (title) } }
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

/// P, R and F1 of every class, then WA and UA, as shown.
fn cells(rates: &Rates) -> Vec<String> {
    let per_class = rates.precision.iter().zip(&rates.recall).zip(&rates.f1);
    let per_class = per_class.flat_map(|((p, r), f1)| [*p, *r, *f1]);
    per_class.chain([rates.wa, rates.ua]).map(percent).collect()
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
