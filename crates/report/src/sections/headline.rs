//! UA and WA of each method, what is gained, and every fold's UA in one figure.

use ambivox_eval::{
    MethodSummary, OverSeeds, PAPER_LABEL, PAPER_TABLE_2, difference, method_title,
};
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{counted, percent, points};
use crate::page::result_caption;
use crate::svg::strip::{self, Row};

/// The section.
pub(crate) fn render(input: &ReportInput<'_>) -> Markup {
    html! {
        div.scroll role="region" tabindex="0" aria-label="Headline results" {
            table.headline {
                caption { span { (result_caption(input, &caption(input))) } }
                thead {
                    tr {
                        th.text scope="col" { "Method" }
                        th.text scope="col" { "UA" }
                        th.text scope="col" { "WA" }
                        th.text scope="col" { (PAPER_LABEL) ": UA / WA" }
                    }
                }
                tbody {
                    @for (id, method) in input.summary.methods_in_order() {
                        (method_row(id, method))
                    }
                }
            }
        }
        (gains(input))
        (spread(input))
    }
}

fn caption(input: &ReportInput<'_>) -> String {
    let over = if crate::page::seeds(input) > 1 {
        "Mean ± standard deviation over folds, each fold averaged over its seeds"
    } else {
        "Mean ± standard deviation over folds"
    };
    format!(
        "{over}, in percent. UA: unweighted accuracy, the mean of the classes’ recalls. \
         WA: weighted accuracy, the share of utterances recognised."
    )
}

fn method_row(id: &str, method: &MethodSummary) -> Markup {
    let over = &method.over_seeds;
    html! {
        tr {
            th scope="row" { (method_title(id)) }
            (rate(over.mean.ua, over.sd_folds.ua))
            (rate(over.mean.wa, over.sd_folds.wa))
            td.text.note { (published(id)) }
        }
    }
}

fn rate(mean: Option<f64>, sd: Option<f64>) -> Markup {
    html! {
        td.text {
            span.big { (percent(mean)) }
            @if sd.is_some() { span.pm { "± " (percent(sd)) } }
        }
    }
}

fn published(id: &str) -> String {
    let shown = |value: Option<f64>| percent(value.map(|value| value / 100.0));
    PAPER_TABLE_2
        .iter()
        .find(|row| row.method == id)
        .map_or_else(String::new, |row| format!("{} / {}", shown(row.ua), shown(row.wa)))
}

/// What each method gains over the first of the table, and how far seeds differ.
fn gains(input: &ReportInput<'_>) -> Markup {
    let methods = input.summary.methods_in_order();
    let reference = methods.first().map_or("", |(id, _)| *id);
    let seeds: Vec<String> =
        methods.iter().filter_map(|(id, m)| seed_text(id, &m.over_seeds)).collect();
    html! {
        @for (id, _) in methods.iter().skip(1) {
            @if let Some(text) = gain(input, id, reference) { p { (text) } }
        }
        @if !seeds.is_empty() {
            p.note { "Standard deviation of the fold means over seeds: " (seeds.join("; ")) "." }
        }
    }
}

fn gain(input: &ReportInput<'_>, method: &str, reference: &str) -> Option<String> {
    let gain = difference(input.summary, method, reference)?;
    let spread = |sd: Option<f64>| {
        sd.map_or(String::new(), |sd| format!("\u{a0}±\u{a0}{}", percent(Some(sd))))
    };
    Some(format!(
        "{} against {}, paired over {}: UA\u{a0}{}{}, WA\u{a0}{}{} points.",
        method_title(method),
        method_title(reference),
        counted(gain.folds, "fold", "folds"),
        points(gain.ua.mean),
        spread(gain.ua.sd),
        points(gain.wa.mean),
        spread(gain.wa.sd),
    ))
}

fn seed_text(id: &str, over: &OverSeeds) -> Option<String> {
    let (ua, wa) = (over.sd_seeds.ua?, over.sd_seeds.wa?);
    Some(format!(
        "{} UA\u{a0}{}, WA\u{a0}{}",
        method_title(id),
        percent(Some(ua)),
        percent(Some(wa))
    ))
}

fn spread(input: &ReportInput<'_>) -> Markup {
    let rows: Vec<Row> = input.summary.methods_in_order().into_iter().map(strip_row).collect();
    let chance = 1.0 / input.summary.classes.len().max(1) as f64;
    html! {
        figure {
            figcaption {
                (result_caption(input, "UA of every fold: a dot for each test speaker, below them \
                    the mean and one standard deviation to either side. Dotted: chance."))
            }
            (strip::render(&rows, chance))
        }
    }
}

fn strip_row((id, method): (&str, &MethodSummary)) -> Row {
    Row {
        label: method_title(id).to_owned(),
        values: method
            .fold_means()
            .into_iter()
            .filter_map(|(fold, rates)| Some((fold.to_owned(), rates.ua?)))
            .collect(),
        mean: method.over_seeds.mean.ua,
        sd: method.over_seeds.sd_folds.ua,
    }
}
