//! UA and WA of each method, what is gained, and every fold's UA in one figure.

use ambivox_eval::{
    Comparison, Effect, MethodSummary, OverSeeds, PaperRow, Rates, comparisons, comparisons_of,
};
use ambivox_settings::Grouping;
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{counted, percent, points, probability, range};
use crate::page::{group_head, missing, result_caption, seeds, table, table_of_class};
use crate::sections::folds::by_speaker;
use crate::svg::strip::{self, Row};

/// Below this p-value, by Holm's correction, a gain is called one.
const SIGNIFICANT: f64 = 0.05;

/// Why there is no mean and no p-value over test sets.
const NO_FOLDS: &str = "These are test sets of one published split, all tested with the same models, and \
    not folds of a cross-validation: no mean is taken and no p-value computed over them.";

/// The section.
pub(crate) fn render(input: &ReportInput<'_>) -> Markup {
    let content = html! {
        thead {
            tr {
                th.text.corner scope="col" { "Method" }
                th.text scope="col" { "UA" }
                th.text scope="col" { "WA" }
                th.text scope="col" { (input.paper().label) ": UA / WA" }
            }
        }
        @if input.summary.test_sets { (test_sets(input)) } @else { (methods(input)) }
    };
    html! {
        div.beside {
            (table_of_class(input, "headline", "Headline results", &caption(input), &content))
            @if !input.summary.test_sets { (spread(input)) }
        }
        (gains(input))
    }
}

fn methods(input: &ReportInput<'_>) -> Markup {
    html! {
        tbody {
            @for (id, method) in input.summary.methods_in_order() {
                @let over = &method.over_seeds;
                (method_row(input, id, &over.mean, &over.sd_folds))
            }
        }
    }
}

/// Every test set by itself.
fn test_sets(input: &ReportInput<'_>) -> Markup {
    html! {
        @for (set, folds) in input.summary.sets() {
            tbody {
                (group_head(4, &format!("Test set {set}")))
                @for (id, method) in input.summary.methods_in_order() {
                    @let (mean, sd) = method.over_models_of(&folds);
                    (method_row(input, id, &mean, &sd))
                }
            }
        }
    }
}

fn caption(input: &ReportInput<'_>) -> String {
    let several = seeds(input) > 1 || !input.summary.in_turn.is_empty();
    let over = match (input.summary.test_sets, several) {
        (true, true) => "Mean ± standard deviation over models, each test set by itself",
        (true, false) => "Each test set by itself",
        (false, true) => "Mean ± standard deviation over folds, each fold averaged over its seeds",
        (false, false) => "Mean ± standard deviation over folds",
    };
    format!(
        "{over}{}, in percent. UA: unweighted accuracy, the mean of the classes’ recalls, also called \
         unweighted average recall (UAR). WA: weighted accuracy, the share of utterances classified correctly.",
        missing(input)
    )
}

fn method_row(input: &ReportInput<'_>, id: &str, mean: &Rates, sd: &Rates) -> Markup {
    html! {
        tr {
            th scope="row" { (input.title_of(id)) }
            (rate(mean.ua, sd.ua))
            (rate(mean.wa, sd.wa))
            td.text.note { (ua_and_wa(id, input.paper().rows)) }
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

fn ua_and_wa(id: &str, published: &[PaperRow]) -> String {
    let shown = |value: Option<f64>| percent(value.map(|value| value / 100.0));
    published
        .iter()
        .find(|row| row.method == id)
        .map_or_else(String::new, |row| format!("{} / {}", shown(row.ua), shown(row.wa)))
}

/// The method whose gain over its controls is told: that which learns all there is to learn.
const LEARNS_ALL: &str = "lw";

/// What each method gains over the first of the table, what `lw` gains over the others, and how far seeds differ.
fn gains(input: &ReportInput<'_>) -> Markup {
    if input.summary.test_sets {
        return html! { p.note { (NO_FOLDS) } };
    }
    let methods = input.summary.methods_in_order();
    let reference = input.title_of(methods.first().map_or("", |(id, _)| *id));
    // Matrices of one summary have one size, so that comparing them cannot fail.
    let all = comparisons(input.summary).unwrap_or_default();
    let of_lw = comparisons_of(input.summary, LEARNS_ALL).unwrap_or_default();
    let lw = input.title_of(LEARNS_ALL);
    let seeds: Vec<String> =
        methods.iter().filter_map(|(id, m)| seed_text(input, id, &m.over_seeds)).collect();
    html! {
        div.beside {
            (compared(input, &format!("Gains over {reference}"), "Method", &all))
            div.told {
                @for (id, found) in &all {
                    p { (verdict(input.title_of(id), reference, found.as_ref())) }
                }
            }
        }
        div.beside {
            (compared(input, &format!("Gains of {lw}"), "Over", &of_lw))
            div.told {
                @for (id, found) in &of_lw {
                    p { (verdict(lw, input.title_of(id), found.as_ref())) }
                }
            }
        }
        @if all.iter().any(|(_, found)| found.is_some()) {
            p.note {
                "Pooled: all utterances as one set; its interval is by a jackknife over whole " (drawn(input)) "."
            }
        }
        @if !seeds.is_empty() {
            p.note { "Standard deviation over seeds of the mean over folds: " (seeds.join("; ")) "." }
        }
    }
}

/// A table of those comparisons that there are; nothing without any.
fn compared(
    input: &ReportInput<'_>,
    title: &str,
    head: &str,
    all: &[(&str, Option<Comparison>)],
) -> Markup {
    let rows: Vec<(&str, Comparison)> =
        all.iter().filter_map(|(id, found)| Some((input.title_of(id), (*found)?))).collect();
    html! {
        @if !rows.is_empty() { (comparison_table(input, title, head, &rows)) }
    }
}

fn comparison_table(
    input: &ReportInput<'_>,
    title: &str,
    head: &str,
    rows: &[(&str, Comparison)],
) -> Markup {
    let folds = folds_compared(rows);
    let family = counted(rows.len(), "comparison");
    let caption = format!(
        "{title} in percentage points: the mean over {folds} (each averaged over its seeds), its 95 % \
         interval by Student’s t, the p-value of a two-sided paired permutation test over folds, and that \
         p-value after Holm’s correction for the {family} of this table, separately for UA and WA. \
         Intervals are not corrected."
    );
    let content = html! {
        thead {
            tr {
                th.text.corner rowspan="2" scope="col" { (head) }
                @for rate in ["UA", "WA"] { th.group colspan="4" scope="colgroup" { (rate) } }
            }
            tr {
                @for _ in 0..2 {
                    th.first scope="col" { "Gain" }
                    th scope="col" { "95 % interval" }
                    th scope="col" { "p" }
                    th scope="col" { "p (Holm)" }
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
    table(input, title, &caption, &content)
}

/// What the jackknife leaves out: what the split divides, folds where these test several single utterances.
fn drawn(input: &ReportInput<'_>) -> &'static str {
    let several = input.splits.folds.iter().any(|fold| fold.tested.len() > 1);
    match input.splits.grouping {
        Grouping::Speaker => "speakers",
        Grouping::Session => "sessions",
        Grouping::Sentence => "sentences",
        Grouping::Utterance if several => "folds",
        Grouping::Utterance => "utterances",
    }
}

/// How many folds a row's figures are over.
fn folds_compared(rows: &[(&str, Comparison)]) -> String {
    let folds = rows.iter().map(|(_, found)| found.folds);
    match folds.clone().min().zip(folds.max()) {
        Some((least, most)) if least < most => format!("{least} to {most} folds"),
        found => counted(found.map_or(0, |(_, most)| most), "fold"),
    }
}

fn effect_cells(effect: &Effect) -> Markup {
    html! {
        td.first { (points(effect.mean)) }
        td { (range(effect.interval)) }
        td { (probability(effect.p)) }
        td { (probability(effect.holm)) }
    }
}

/// What may be said of a method's gain in UA, plainly: above all, whether there is one.
fn verdict(method: &str, reference: &str, found: Option<&Comparison>) -> String {
    let Some(found) = found else {
        return format!(
            "{method} cannot be compared with {reference}: they have fewer than two folds in common."
        );
    };
    let intervals = [found.ua.interval, found.ua.pooled_interval];
    let significant = found.ua.holm < SIGNIFICANT;
    // Folds that share speakers are no independent evidence; the pooled interval is by speakers.
    let (says, after) = if significant && intervals.iter().all(|[low, _]| *low > 0.0) {
        ("beats", "")
    } else if significant && intervals.iter().all(|[_, high]| *high < 0.0) {
        ("does worse than", "")
    } else {
        ("is not shown to beat", " A difference of this size can arise by chance.")
    };
    format!(
        "{method} {says} {reference} in UA: {} points over {}, 95 % interval {}, p\u{a0}{}, after \
         Holm’s correction {}; pooled {}, 95 % interval {}.{after}",
        points(found.ua.mean),
        counted(found.folds, "fold"),
        range(found.ua.interval),
        probability(found.ua.p),
        probability(found.ua.holm),
        points(found.ua.pooled),
        range(found.ua.pooled_interval),
    )
}

fn seed_text(input: &ReportInput<'_>, id: &str, over: &OverSeeds) -> Option<String> {
    let (ua, wa) = (over.sd_seeds.ua?, over.sd_seeds.wa?);
    Some(format!(
        "{} UA\u{a0}{}, WA\u{a0}{}",
        input.title_of(id),
        percent(Some(ua)),
        percent(Some(wa))
    ))
}

fn spread(input: &ReportInput<'_>) -> Markup {
    let rows: Vec<Row> = input
        .summary
        .methods_in_order()
        .into_iter()
        .map(|(id, method)| strip_row(input, id, method))
        .collect();
    let dot = if by_speaker(input) { "test speaker" } else { "fold" };
    let chance = 1.0 / input.summary.classes.len().max(1) as f64;
    html! {
        figure {
            figcaption {
                (result_caption(input, &format!("UA of every fold: one dot for each {dot}; below the \
                    dots, the mean and one standard deviation to either side. Dotted line: chance level.")))
            }
            (strip::render(&rows, chance))
        }
    }
}

fn strip_row(input: &ReportInput<'_>, id: &str, method: &MethodSummary) -> Row {
    Row {
        label: input.title_of(id).to_owned(),
        values: method
            .fold_means()
            .into_iter()
            .filter_map(|(fold, rates)| Some((fold.to_owned(), rates.ua?)))
            .collect(),
        mean: method.over_seeds.mean.ua,
        sd: method.over_seeds.sd_folds.ua,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(mean: f64, [p, holm]: [f64; 2], interval: [f64; 2]) -> Comparison {
        let effect = Effect { mean, interval, p, holm, pooled: mean, pooled_interval: interval };
        Comparison { folds: 10, groups: 10, wa: effect, ua: effect }
    }

    #[test]
    fn verdicts_are_plain() {
        let texts = [
            Some(comparison(0.031, [0.002, 0.016], [0.012, 0.05])),
            Some(comparison(-0.031, [0.002, 0.016], [-0.05, -0.012])),
            Some(comparison(0.004, [0.62, 1.0], [-0.02, 0.03])),
            // p alone would do, were there no other methods.
            Some(comparison(0.02, [0.03, 0.24], [0.004, 0.04])),
            // The two disagree: not enough to call it a gain.
            Some(comparison(0.02, [0.06, 0.06], [0.001, 0.04])),
            Some(comparison(0.02, [0.04, 0.04], [-0.001, 0.04])),
            None,
        ]
        .map(|found| verdict("BLSTM + ATT + L", "BLSTM + ATT", found.as_ref()));
        insta::assert_snapshot!(texts.join("\n"));
    }
}
