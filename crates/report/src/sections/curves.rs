//! Training and validation loss over epochs, a small chart for every fold.

use std::collections::BTreeMap;

use ambivox_eval::{RunHistory, method_order};
use maud::{Markup, html};

use crate::ReportInput;
use crate::page::{collapsed, result_caption};
use crate::svg::lines::{self, Chart, Frame};

/// More charts of a method than these are collapsed.
const CHARTS: usize = 24;

type ByFold<'a> = BTreeMap<&'a str, Vec<&'a RunHistory>>;

/// The section; `None` without histories.
pub(crate) fn render(input: &ReportInput<'_>) -> Option<Markup> {
    let mut methods: BTreeMap<(usize, &str), ByFold<'_>> = BTreeMap::new();
    for history in input.histories {
        let key = (method_order(&history.method), history.method.as_str());
        methods.entry(key).or_default().entry(&history.fold).or_default().push(history);
    }
    if methods.is_empty() {
        return None;
    }
    Some(html! {
        p.note { (result_caption(input, &caption(input))) }
        ul.legend {
            li { (lines::swatch("validation")) "validation loss" }
            li { (lines::swatch("train")) "training loss" }
            li { (lines::dot()) "best epoch" }
        }
        @for (index, ((_, method), folds)) in methods.iter().enumerate() {
            h3 { (input.title_of(method)) }
            @let summary = format!("Charts of all {} folds", folds.len());
            (collapsed(folds.len(), CHARTS, &summary, &grid(input, index, method, folds)))
        }
    })
}

fn caption(input: &ReportInput<'_>) -> String {
    let seeds =
        if crate::page::seeds(input) > 1 { " One pair of lines for each seed." } else { "" };
    format!(
        "Loss (upwards) over epochs, one chart for each fold, all charts of a method on the same \
         scales.{seeds} The training loss is the one that is minimised, with dropout and sample weights; \
         the validation loss is the mean cross-entropy of the gold labels. The two therefore differ in \
         level."
    )
}

fn grid(input: &ReportInput<'_>, method_index: usize, method: &str, folds: &ByFold<'_>) -> Markup {
    let frame = Frame::around(folds.values().flatten().copied());
    html! {
        div.curves {
            @for (index, (fold, runs)) in folds.iter().enumerate() {
                (lines::render(&frame, &Chart {
                    id: &format!("curves-{method_index}-{index}"),
                    fold,
                    method: input.title_of(method),
                    runs,
                }))
            }
        }
    }
}
