//! UA and WA of each method, what is gained, and every fold's UA in one figure.

use ambivox_eval::{
    Comparison, Effect, MethodSummary, OverSeeds, PAPER_LABEL, PAPER_TABLE_2, comparison,
    method_title,
};
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{counted, percent, points, probability};
use crate::page::{result_caption, table};
use crate::svg::strip::{self, Row};

/// Below this p-value a gain is called one.
const SIGNIFICANT: f64 = 0.05;

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
    let compared = |(id, _): &(&str, _)| {
        // Matrices of one summary have one size, so that comparing them cannot fail.
        let found = comparison(input.summary, id, reference).ok().flatten();
        found.map(|comparison| (method_title(id).to_owned(), comparison))
    };
    let rows: Vec<(String, Comparison)> = methods.iter().skip(1).filter_map(compared).collect();
    let seeds: Vec<String> =
        methods.iter().filter_map(|(id, m)| seed_text(id, &m.over_seeds)).collect();
    html! {
        @if !rows.is_empty() { (comparison_table(input, method_title(reference), &rows)) }
        @for (method, found) in &rows { p { (verdict(method, method_title(reference), found)) } }
        @if !seeds.is_empty() {
            p.note { "Standard deviation of the fold means over seeds: " (seeds.join("; ")) "." }
        }
    }
}

fn comparison_table(
    input: &ReportInput<'_>,
    reference: &str,
    rows: &[(String, Comparison)],
) -> Markup {
    let folds = counted(rows[0].1.folds, "fold", "folds");
    let caption = format!(
        "Gain over {reference} in percentage points. Folds: mean over {folds}, seeds averaged within \
         each, and p of a two-sided paired permutation test over folds. Pooled: all utterances as one \
         set, with the 95 % interval of a bootstrap that draws whole speakers."
    );
    let content = html! {
        thead {
            tr {
                th.text.corner rowspan="2" scope="col" { "Method" }
                @for rate in ["UA", "WA"] { th.group colspan="4" scope="colgroup" { (rate) } }
            }
            tr {
                @for _ in 0..2 {
                    th.first scope="col" { "Folds" }
                    th scope="col" { "p" }
                    th scope="col" { "Pooled" }
                    th scope="col" { "95 %" }
                }
            }
        }
        tbody {
            @for (method, found) in rows {
                tr {
                    th scope="row" { (method) }
                    (effect_cells(&found.ua))
                    (effect_cells(&found.wa))
                }
            }
        }
    };
    table(input, "Gains over the baseline", &caption, &content)
}

fn effect_cells(effect: &Effect) -> Markup {
    let [low, high] = effect.interval;
    html! {
        td.first { (points(effect.mean)) }
        td { (probability(effect.p)) }
        td { (points(effect.pooled)) }
        td { (points(low)) " to " (points(high)) }
    }
}

/// What may be said of a method's gain, plainly.
fn verdict(method: &str, reference: &str, found: &Comparison) -> String {
    let [low, high] = found.ua.interval;
    let says = if low > 0.0 && found.ua.p < SIGNIFICANT {
        "does better than"
    } else if high < 0.0 && found.ua.p < SIGNIFICANT {
        "does worse than"
    } else {
        "is not shown to differ from"
    };
    format!(
        "{method} {says} {reference} in UA: {} points over {}, p\u{a0}{}.",
        points(found.ua.mean),
        counted(found.folds, "fold", "folds"),
        probability(found.ua.p),
    )
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
