//! Table 2 of the paper: precision, recall and F1 per class, WA and UA; beside them averages of F1.

use ambivox_eval::{MethodSummary, Rates, RowSource, Table2Row, table2_rows};
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{counted, percent};
use crate::page::{folds, group_head, missing, models, seeds, sortable_table};
use crate::sections::calibration;

const RATES: &str = "Results in percent. WA: weighted accuracy, the share of utterances classified \
    correctly. UA: unweighted accuracy, which is unweighted average recall (UAR). Macro F1: the mean F1 of \
    the classes that occur; weighted F1: their mean weighted by utterances. P: precision, R: recall, F1: \
    F1-score of one class.";

const CAPTION: &str = "The paper’s figures are means over folds, as are those of the first group here, \
    with their standard deviation over folds below. In bold: the best of our methods.";

const SETS_CAPTION: &str = "Each test set has its own rows, and no mean is taken over them. In bold: the \
    best of our methods.";

/// Columns before those of the classes.
const WHOLE: [&str; 4] = ["WA", "UA", "Macro F1", "Weighted F1"];

/// The section.
pub(crate) fn render(input: &ReportInput<'_>) -> Markup {
    let classes = &input.summary.classes;
    let content = html! {
        (head(classes))
        @for (title, rows) in &groups(input) { (group(title, rows, classes.len())) }
    };
    let caption = if input.summary.test_sets { SETS_CAPTION } else { CAPTION };
    html! {
        (sortable_table(input, "Table 2: methods and classes", &format!("{RATES} {caption}"), &content))
        (calibration::render(input))
    }
}

/// Rows of one kind below one another, with what they are.
fn groups(input: &ReportInput<'_>) -> Vec<(String, Vec<Table2Row>)> {
    let mut rows = table2_rows(input.summary, input.paper().rows);
    for row in rows.iter_mut().filter(|row| row.source != RowSource::Paper) {
        row.title = input.title_of(&row.method).to_owned();
    }
    let of = |source| rows.iter().filter(|row| row.source == source).cloned().collect();
    let titled = |source| (source_title(input, source), of(source));
    if !input.summary.test_sets {
        return [RowSource::FoldMeans, RowSource::Ensemble, RowSource::Pooled, RowSource::Paper]
            .map(titled)
            .to_vec();
    }
    let sets = input.summary.sets().into_iter();
    let sets = sets.flat_map(|(set, folds)| of_test_set(input, set, &folds));
    sets.chain([titled(RowSource::Paper)]).collect()
}

/// Every method on one test set: the mean of its models, and their ensemble.
fn of_test_set(
    input: &ReportInput<'_>,
    set: &str,
    folds: &[&str],
) -> Vec<(String, Vec<Table2Row>)> {
    let models = models(input, folds);
    let rows = |source, rates: &dyn Fn(&MethodSummary) -> Option<Rates>| {
        let methods = input.summary.methods_in_order().into_iter();
        let row = |(id, method): (&str, &MethodSummary)| {
            let (method, rates) = (id.to_owned(), rates(method)?);
            let title = input.title_of(id).to_owned();
            Some(Table2Row { method, title, source, rates, sd: None })
        };
        methods.filter_map(row).collect::<Vec<_>>()
    };
    let means = rows(RowSource::FoldMeans, &|method| Some(method.over_models_of(folds).0));
    let together =
        rows(RowSource::Ensemble, &|method| method.ensemble.as_ref()?.folds.get(set).cloned());
    let mut groups = vec![(format!("Test set {set}, mean over {models}{}", missing(input)), means)];
    if !together.is_empty() {
        let title = format!(
            "Test set {set}, ensemble: mean of the probabilities of {models}, as of one model"
        );
        groups.push((title, together));
    }
    groups
}

fn head(classes: &[String]) -> Markup {
    html! {
        thead {
            tr {
                th.text.corner rowspan="2" scope="col" data-column="0" { "Method" }
                @for (place, name) in WHOLE.iter().enumerate() {
                    th.whole rowspan="2" scope="col" data-column=(1 + place) { (name) }
                }
                @for class in classes { th.group colspan="3" scope="colgroup" { (class) } }
            }
            tr {
                @for class in 0..classes.len() {
                    @let before = 1 + WHOLE.len() + 3 * class;
                    th.first scope="col" data-column=(before) { "P" }
                    th scope="col" data-column=(before + 1) { "R" }
                    th scope="col" data-column=(before + 2) { "F1" }
                }
            }
        }
    }
}

fn source_title(input: &ReportInput<'_>, source: RowSource) -> String {
    let seeds = counted(seeds(input), "seed");
    let (folds, missing) = (folds(input), missing(input));
    match source {
        RowSource::FoldMeans => format!("Means over {folds}, {seeds}{missing}"),
        RowSource::Ensemble => {
            format!(
                "Ensemble: mean of the probabilities of {seeds}, as of one model; means over {folds}"
            )
        }
        RowSource::Pooled => format!("All utterances of {folds} pooled, {seeds}{missing}"),
        RowSource::Paper => input.paper().label.to_owned(),
    }
}

fn group(title: &str, rows: &[Table2Row], classes: usize) -> Markup {
    let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(&row.rates)).collect();
    let ours = rows.iter().all(|row| row.source != RowSource::Paper);
    html! {
        @if !rows.is_empty() {
            tbody {
                (group_head(3 * classes + 1 + WHOLE.len(), title))
                @for (row, values) in rows.iter().zip(&cells) {
                    tr.paper[!ours] {
                        th scope="row" { (row.title) }
                        @for (column, value) in values.iter().enumerate() {
                            (cell(column, value, ours && is_best(&cells, column, value)))
                        }
                    }
                    @if let Some(sd) = &row.sd { (spread_row(sd)) }
                }
            }
        }
    }
}

fn spread_row(sd: &Rates) -> Markup {
    html! {
        tr.spread {
            th scope="row" { "± sd" }
            @for (column, value) in cells(sd).iter().enumerate() {
                (cell(column, value, false))
            }
        }
    }
}

fn cell(column: usize, value: &str, best: bool) -> Markup {
    let first = column.checked_sub(WHOLE.len()).is_some_and(|of_class| of_class.is_multiple_of(3));
    html! { td.first[first].best[best] { (value) } }
}

/// The rates of all classes together, then P, R and F1 of every class, as shown.
fn cells(rates: &Rates) -> Vec<String> {
    let per_class = rates.precision.iter().zip(&rates.recall).zip(&rates.f1);
    let per_class = per_class.flat_map(|((p, r), f1)| [*p, *r, *f1]);
    let whole = [rates.wa, rates.ua, rates.macro_f1, rates.weighted_f1];
    whole.into_iter().chain(per_class).map(percent).collect()
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
