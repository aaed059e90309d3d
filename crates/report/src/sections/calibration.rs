//! How well the probabilities of every method are calibrated.

use ambivox_eval::{MethodSummary, Rates};
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{NONE, percent};
use crate::page::table;

const CAPTION: &str = "How well the predicted probabilities are calibrated; lower is better. ECE: \
    expected calibration error in percent, the mean distance between the predicted class’s probability and \
    the share classified correctly, over 15 bins of equal width. Brier: squared distance from the gold \
    label, summed over classes, 0 to 2. NLL: negative log-likelihood of the gold label, in nats. With few \
    utterances the ECE is biased upwards.";

/// The table; nothing where counts alone are known.
pub(crate) fn render(input: &ReportInput<'_>) -> Markup {
    let methods = input.summary.methods_in_order();
    let known = methods.iter().any(|(_, method)| method.over_seeds.pooled.ece.is_some());
    let content = html! {
        (head(&names(input)))
        tbody {
            @for (id, method) in &methods {
                tr {
                    th scope="row" { (input.title_of(id)) }
                    (cells(&columns(input, method)))
                }
            }
        }
    };
    let over = if input.summary.test_sets {
        "Means over models."
    } else {
        "Folds: mean ± standard deviation over folds. Pooled: all utterances as one set."
    };
    let caption = format!("{CAPTION} {over}");
    html! { @if known { (table(input, "Calibration of probabilities", &caption, &content)) } }
}

/// The columns of each rate.
fn names(input: &ReportInput<'_>) -> Vec<String> {
    if input.summary.test_sets {
        return input.summary.sets().into_keys().map(str::to_owned).collect();
    }
    ["Folds", "Pooled"].map(str::to_owned).to_vec()
}

fn head(names: &[String]) -> Markup {
    html! {
        thead {
            tr {
                th.text.corner rowspan="2" scope="col" { "Method" }
                @for rate in ["ECE", "Brier", "NLL"] {
                    th.group colspan=(names.len()) scope="colgroup" { (rate) }
                }
            }
            tr {
                @for _ in 0..3 {
                    @for (place, name) in names.iter().enumerate() {
                        th.first[place == 0] scope="col" { (name) }
                    }
                }
            }
        }
    }
}

/// Rates with their deviations over folds, column by column.
fn columns(input: &ReportInput<'_>, method: &MethodSummary) -> Vec<(Rates, Rates)> {
    if input.summary.test_sets {
        let of_set = |folds: Vec<&str>| (method.over_models_of(&folds).0, Rates::default());
        return input.summary.sets().into_values().map(of_set).collect();
    }
    let over = &method.over_seeds;
    let folds = (over.mean.clone(), over.sd_folds.clone());
    vec![folds, (over.pooled.rates(), Rates::default())]
}

fn cells(columns: &[(Rates, Rates)]) -> Markup {
    type Pick = fn(&Rates) -> Option<f64>;
    type Shown = fn(Option<f64>) -> String;
    let rates: [(Pick, Shown); 3] =
        [(|r| r.ece, percent), (|r| r.brier, plain), (|r| r.nll, plain)];
    html! {
        @for (pick, shown) in rates {
            @for (place, (mean, sd)) in columns.iter().enumerate() {
                td.first[place == 0] {
                    (shown(pick(mean)))
                    @if pick(sd).is_some() { "\u{a0}±\u{a0}" (shown(pick(sd))) }
                }
            }
        }
    }
}

fn plain(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| format!("{value:.3}"))
}
