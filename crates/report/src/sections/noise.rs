//! What label noise does to every method, and which detectors find the wrong labels.

use std::collections::BTreeSet;

use ambivox_eval::{
    CHOSEN, CHOSEN_TITLE, DETECTORS, Detector, FIRST, NoiseDetection, NoisePoint, NoiseSummary,
    Spread, method_order,
};
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{NONE, count, percent};
use crate::page::{group_head, result_caption, table};
use crate::svg::curves::{self, Curve};

/// The section; `None` where no label noise was added.
pub(crate) fn render(input: &ReportInput<'_>) -> Option<Markup> {
    let noise = input.noise?;
    let methods = in_order(noise);
    let tested = tested(noise);
    Some(html! {
        p { (introduction(noise)) }
        @for (place, set) in tested.iter().enumerate() { (figure(input, &methods, place, *set)) }
        @for set in tested { (rate_table(input, noise, &methods, set)) }
        (repair_table(input, &methods))
        (detection_table(input, &noise.detection))
        (choice(input, noise))
    })
}

type Methods<'a> = Vec<(&'a str, &'a [NoisePoint])>;

fn in_order(noise: &NoiseSummary) -> Methods<'_> {
    let methods = noise.methods.iter().map(|(id, points)| (id.as_str(), points.as_slice()));
    let mut methods: Methods<'_> = methods.collect();
    methods.sort_by_key(|(id, _)| method_order(id));
    methods
}

/// What rates are of: each test set by itself, or all folds.
type Tested<'a> = Option<&'a str>;

fn tested(noise: &NoiseSummary) -> Vec<Tested<'_>> {
    let sets: BTreeSet<&str> =
        noise.methods.values().flatten().flat_map(|p| p.test_sets.keys()).map(|s| &**s).collect();
    if sets.is_empty() { vec![None] } else { sets.into_iter().map(Some).collect() }
}

fn ua(point: &NoisePoint, set: Tested<'_>) -> Option<Spread> {
    set.map_or(Some(point.ua), |set| Some(point.test_sets.get(set)?.ua))
}

fn wa(point: &NoisePoint, set: Tested<'_>) -> Option<Spread> {
    set.map_or(Some(point.wa), |set| Some(point.test_sets.get(set)?.wa))
}

fn figure(input: &ReportInput<'_>, methods: &Methods<'_>, place: usize, set: Tested<'_>) -> Markup {
    let curve = |(id, points): &(&str, &[NoisePoint])| Curve {
        label: input.title_of(id).to_owned(),
        points: points.iter().filter_map(|p| Some((p.rate, ua(p, set)?.mean))).collect(),
    };
    let curves: Vec<Curve> = methods.iter().map(curve).collect();
    let over = set.map_or_else(
        || "mean over folds and seeds".to_owned(),
        |set| format!("test set {set}, mean over models"),
    );
    let caption = format!("UA on clean test labels over the share of noisy labels: {over}.");
    let id = if place == 0 { "noise".to_owned() } else { format!("noise-{place}") };
    html! {
        figure {
            figcaption { (result_caption(input, &caption)) }
            (curves::render(&id, "UA", &curves))
        }
    }
}

fn introduction(noise: &NoiseSummary) -> String {
    format!(
        "Label noise ({}) was added on purpose to the gold labels of the training and validation sets; \
         test labels are clean. The other sections are about the runs with the least noise.",
        noise.kind
    )
}

fn rates(methods: &Methods<'_>) -> Vec<f64> {
    methods.first().map_or(Vec::new(), |(_, points)| points.iter().map(|p| p.rate).collect())
}

fn spread(spread: &Spread) -> String {
    let sd = spread.sd.map_or(String::new(), |sd| format!("\u{a0}±\u{a0}{}", percent(Some(sd))));
    format!("{}{sd}", percent(Some(spread.mean)))
}

fn head(first: &str, rates: &[f64]) -> Markup {
    html! {
        thead {
            tr {
                th.text.corner scope="col" { (first) }
                @for rate in rates { th scope="col" { (format!("{:.0} %", 100.0 * rate)) } }
            }
        }
    }
}

fn rate_table(
    input: &ReportInput<'_>,
    noise: &NoiseSummary,
    methods: &Methods<'_>,
    set: Tested<'_>,
) -> Markup {
    type Pick = fn(&NoisePoint, Tested<'_>) -> Option<Spread>;
    let rates = rates(methods);
    let cell = |rate: Option<Spread>| rate.map_or_else(|| NONE.to_owned(), |rate| spread(&rate));
    let content = html! {
        (head("Method", &rates))
        @for (name, pick) in [("UA", ua as Pick), ("WA", wa)] {
            tbody {
                (group_head(rates.len() + 1, name))
                @for (id, points) in methods {
                    tr {
                        th scope="row" { (input.title_of(id)) }
                        @for point in *points { td { (cell(pick(point, set))) } }
                    }
                }
            }
        }
    };
    let (label, over) = set.map_or_else(
        || (String::new(), "over folds and its standard deviation over seeds".to_owned()),
        |set| {
            (
                format!(", test set {set}"),
                format!("and standard deviation over the models of test set {set}"),
            )
        },
    );
    let caption =
        format!("Percent, mean {over}, by the share of noisy labels ({} noise).", noise.kind);
    table(input, &format!("Rates under label noise{label}"), &caption, &content)
}

fn repair_table(input: &ReportInput<'_>, methods: &Methods<'_>) -> Markup {
    let repairing: Methods<'_> = methods
        .iter()
        .filter(|(_, points)| points.iter().any(|p| p.repair.is_some()))
        .copied()
        .collect();
    let noisy: Vec<f64> = rates(&repairing).into_iter().filter(|rate| *rate > 0.0).collect();
    let content = html! {
        (head("Method", &noisy))
        tbody {
            @for (id, points) in &repairing {
                tr {
                    th scope="row" { (input.title_of(id)) }
                    @for point in points.iter().filter(|point| point.rate > 0.0) {
                        td { (repair(point)) }
                    }
                }
            }
        }
    };
    let caption = "The share of the noisy labels that were restored / the share of the clean labels \
        that were changed to a wrong one; both in percent, over all folds and seeds.";
    html! {
        @if !repairing.is_empty() { (table(input, "Labels restored and broken", caption, &content)) }
    }
}

fn repair(point: &NoisePoint) -> String {
    point.repair.as_ref().map_or_else(
        || NONE.to_owned(),
        |r| format!("{} / {}", percent(r.restored_share()), percent(r.broken_share())),
    )
}

const ALONE: &str = "The same for each network by itself, over the utterances it trained on; means over \
    folds and seeds. With every seed several networks trained on an utterance, and the table above is about \
    the mean of their scores; self-confidence and confident learning use the one network that did not train \
    on it, so compare their figures with these.";

/// AUROC and average precision in one cell.
fn areas(auroc: &Spread, average_precision: &Spread) -> String {
    format!("{:.3} / {:.3}", auroc.mean, average_precision.mean)
}

/// A method and a detector, by their names.
type Row<'a> = (&'a str, &'a str);

/// What to call a detector.
fn detector_title(name: &str) -> &str {
    match Detector::find(name) {
        Some((_, detector)) => detector.title,
        None if name == CHOSEN => CHOSEN_TITLE,
        None => name,
    }
}

/// A table of detections: a row for each detector of a method, a column for each rate.
fn detection_rows<'a>(
    input: &ReportInput<'_>,
    detection: &'a [NoiseDetection],
    rows: &[Row<'a>],
    cell: impl Fn(&NoiseDetection) -> String,
) -> Markup {
    let mut rates: Vec<f64> = detection.iter().map(|d| d.rate).collect();
    rates.dedup();
    let found = |row: &Row<'_>, rate: f64| {
        let is_it = |d: &&NoiseDetection| (&*d.method, &*d.score) == *row && d.rate == rate;
        detection.iter().find(is_it).map_or_else(|| NONE.to_owned(), &cell)
    };
    html! {
        (head("Score", &rates))
        tbody {
            @for row in rows {
                tr {
                    th scope="row" { (input.title_of(row.0)) ": " (detector_title(row.1)) }
                    @for rate in &rates { td { (found(row, *rate)) } }
                }
            }
        }
    }
}

/// Which detectors find most together, and how far their figures above are to be trusted.
fn choice(input: &ReportInput<'_>, noise: &NoiseSummary) -> Markup {
    let titles = |names: &[String]| {
        let titles = names.iter().map(|name| format!("“{}”", detector_title(name)));
        titles.collect::<Vec<_>>().join(" and ")
    };
    let mut chosen: Vec<(&String, &Vec<String>)> = noise.chosen.iter().collect();
    chosen.sort_by_key(|(method, _)| method_order(method));
    html! {
        @if !chosen.is_empty() {
            p.note {
                "Detectors that together find the most noisy labels (highest mean average precision over all \
                 rates and seeds; another is added where it gains more than the standard error): "
                @for (place, (method, names)) in chosen.iter().enumerate() {
                    @if place > 0 { "; " }
                    (input.title_of(method)) ": " (titles(names))
                }
                ". “" (CHOSEN_TITLE) "” above is such a choice judged by noise that had no part in it: that of \
                 each seed by the choice of the other seeds. " code { "audit --noise --detector " (CHOSEN) } " ranks by such a choice."
            }
        }
    }
}

fn detection_table(input: &ReportInput<'_>, detection: &[NoiseDetection]) -> Markup {
    let place = |name: &str| Detector::find(name).map_or(DETECTORS.len(), |(place, _)| place);
    let mut rows: Vec<Row<'_>> =
        detection.iter().map(|d| (d.method.as_str(), d.score.as_str())).collect();
    rows.sort_by_key(|(method, score)| (method_order(method), *method, place(score)));
    rows.dedup();
    let has_alone = |row: &&Row<'_>| {
        detection.iter().any(|d| (&*d.method, &*d.score) == **row && d.alone.is_some())
    };
    let of_one: Vec<Row<'_>> = rows.iter().filter(has_alone).copied().collect();
    let together =
        detection_rows(input, detection, &rows, |d| areas(&d.auroc, &d.average_precision));
    let alone = detection_rows(input, detection, &of_one, |d| {
        d.alone.map_or_else(|| NONE.to_owned(), |one| areas(&one.auroc, &one.average_precision))
    });
    let first = detection_rows(input, detection, &rows, |d| {
        d.first.map(|first| percent(Some(first.mean))).join(" / ")
    });
    let caption = format!(
        "How well each of {} scores finds the noisy labels: AUROC / average precision, means over seeds. \
         Chance level: an AUROC of 0.5, an average precision of the share of noisy labels.",
        count(rows.len() as u64)
    );
    let [few, more, most] = FIRST;
    let looked_at = format!(
        "Percentage of noisy labels among the {few} / {more} / {most} most suspect, means over seeds: \
         how far the head of the list can be trusted. Chance level: the share of noisy labels."
    );
    html! {
        @if !rows.is_empty() {
            (table(input, "Detection of wrong labels", &caption, &together))
            @if !of_one.is_empty() {
                (table(input, "Detection by one network at a time", ALONE, &alone))
            }
            (table(input, "The first labels to look at", &looked_at, &first))
        }
    }
}
