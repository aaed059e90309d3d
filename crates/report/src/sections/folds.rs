//! Every fold: its test and validation sets, and the results.

use std::collections::{BTreeMap, BTreeSet};

use ambivox_eval::{MethodSummary, Rates};
use ambivox_settings::{Fold, Grouping, Sex};
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{NONE, count, counted, percent};
use crate::page::{ROWS, collapsed, seeds, sortable_table, tested_folds};

struct Column<'a> {
    id: &'a str,
    method: &'a MethodSummary,
    means: BTreeMap<&'a str, Rates>,
}

/// The section.
pub(crate) fn render(input: &ReportInput<'_>) -> Markup {
    let columns: Vec<Column<'_>> = input
        .summary
        .methods_in_order()
        .into_iter()
        .map(|(id, method)| Column { id, method, means: method.fold_means() })
        .collect();
    let tested = tested_folds(input);
    let folds = input.splits.folds.iter().filter(|fold| tested.contains(fold.name.as_str()));
    let content = html! {
        (head(input, &columns))
        tbody { @for fold in folds { (row(input, fold, &columns)) } }
        @if !input.summary.test_sets { (foot(&columns)) }
    };
    let rows = columns.first().map_or(0, |column| column.means.len());
    let table = sortable_table(input, "Results of every fold", &caption(input), &content);
    html! {
        (leaks(input))
        @for note in &input.splits.notes { p.note { (note) "." } }
        (collapsed(rows, ROWS, &format!("All {rows} folds"), &table))
    }
}

/// What is to be known of rates where parts of a fold share speakers, recordings or sentences.
fn leaks(input: &ReportInput<'_>) -> Markup {
    let tested = tested_folds(input);
    let folds: Vec<&Fold> =
        input.splits.folds.iter().filter(|fold| tested.contains(fold.name.as_str())).collect();
    let most = folds.iter().filter_map(|fold| fold.sentences_in_two_parts).max().unwrap_or(0);
    html! {
        (leak(&folds, "speaker", |fold| &fold.in_two_parts,
            "so the results are not for new speakers"))
        (leak(&folds, "recording", |fold| &fold.same_recordings,
            "under another name, so the results are in part for recordings that were trained on"))
        @if most > 0 {
            p.note {
                "Sentences in two parts of a fold: up to " (counted(most, "sentence"))
                ". The corpus has few sentences, which all speakers say, so the results are for known \
                 texts."
            }
        }
    }
}

/// What is in two parts of some folds.
fn leak(folds: &[&Fold], what: &str, of: fn(&Fold) -> &Vec<String>, so: &str) -> Markup {
    let shared: Vec<&&Fold> = folds.iter().filter(|fold| !of(fold).is_empty()).collect();
    let names: BTreeSet<&String> = shared.iter().flat_map(|fold| of(fold)).collect();
    let (mut title, names) = (what.to_owned(), names.into_iter().cloned().collect::<Vec<_>>());
    title[..1].make_ascii_uppercase();
    html! {
        @if !shared.is_empty() {
            p.banner role="note" {
                strong { (title) "s in two parts of a fold: " }
                (counted(names.len(), what)) " in " (counted(shared.len(), "fold"))
                " are in the test or validation set and in another part too, " (so) ": " (some(&names)) "."
            }
        }
    }
}

fn caption(input: &ReportInput<'_>) -> String {
    let unvalidated = input.splits.folds.iter().all(|fold| fold.validation.is_empty());
    let who = if input.splits.listed {
        "The parts are those of a list; where it names no validation set, that is drawn at random."
            .to_owned()
    } else if unvalidated {
        let group = input.splits.grouping.as_str();
        format!("One or more {group}s are the test set; all others train, for all epochs.")
    } else if by_speaker(input) {
        "Each test set is one speaker; early stopping is by the loss on their dialogue partner."
            .to_owned()
    } else {
        let group = input.splits.grouping.as_str();
        format!(
            "Part of the {group}s is the test set; early stopping is by the loss on the next part."
        )
    };
    let averaged = if seeds(input) > 1 {
        " WA and UA are means over seeds; epochs are in the order of the seeds."
    } else {
        ""
    };
    format!(
        "{who} n: utterances in the test set. WA, UA: in percent. Epoch: the best epoch, whose model was kept, of the epochs trained.{averaged}{}",
        chosen(input)
    )
}

/// What was chosen inside the training speakers, and in how many runs.
fn chosen(input: &ReportInput<'_>) -> String {
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for (setting, value) in input.histories.iter().flat_map(|run| &run.chosen) {
        *counts.entry((setting, value.to_string())).or_default() += 1;
    }
    let choices = counts
        .into_iter()
        .map(|((setting, value), runs)| format!("{setting} = {value} in {}", counted(runs, "run")));
    let choices: Vec<String> = choices.collect();
    if choices.is_empty() {
        return String::new();
    }
    format!(" Chosen inside the training speakers of each fold: {}.", choices.join(", "))
}

/// Whether every fold is a speaker, who has its name.
pub(crate) fn by_speaker(input: &ReportInput<'_>) -> bool {
    let single = |fold: &Fold| fold.tested.len() == 1;
    let splits = input.splits;
    splits.grouping == Grouping::Speaker && !splits.listed && splits.folds.iter().all(single)
}

fn head(input: &ReportInput<'_>, columns: &[Column<'_>]) -> Markup {
    let [name, about] = match (input.summary.test_sets, by_speaker(input)) {
        (true, _) => ["Test set", "Test groups"],
        (false, true) => ["Test speaker", "Sex"],
        (false, false) => ["Fold", "Test groups"],
    };
    html! {
        thead {
            tr {
                th.text.corner rowspan="2" scope="col" data-column="0" { (name) }
                th.text rowspan="2" scope="col" data-column="1" { (about) }
                th.text rowspan="2" scope="col" data-column="2" { "Validation" }
                th rowspan="2" scope="col" data-column="3" { "n" }
                @for column in columns {
                    th.group colspan="3" scope="colgroup" { (input.title_of(column.id)) }
                }
            }
            tr {
                @for method in 0..columns.len() {
                    th.first scope="col" data-column=(4 + 3 * method) { "WA" }
                    th scope="col" data-column=(5 + 3 * method) { "UA" }
                    th scope="col" { "Epoch" }
                }
            }
        }
    }
}

fn row(input: &ReportInput<'_>, fold: &Fold, columns: &[Column<'_>]) -> Markup {
    let (name, about) = match &fold.tested[..] {
        [speaker] if by_speaker(input) => (speaker, sex(input, speaker).to_owned()),
        tested => (&fold.name, some(tested)),
    };
    html! {
        tr {
            th scope="row" { (name) }
            td.text { (about) }
            td.text { (some(&fold.validating)) }
            td { (tested(&fold.name, columns)) }
            @for column in columns {
                @let rates = column.means.get(fold.name.as_str());
                td.first { (percent(rates.and_then(|rates| rates.wa))) }
                td { (percent(rates.and_then(|rates| rates.ua))) }
                td { (epochs(&fold.name, column.method)) }
            }
        }
    }
}

fn foot(columns: &[Column<'_>]) -> Markup {
    let line = |name: &str, pick: fn(&MethodSummary) -> &Rates| {
        html! {
            tr {
                th scope="row" { (name) }
                td colspan="3" {}
                @for column in columns {
                    td.first { (percent(pick(column.method).wa)) }
                    td { (percent(pick(column.method).ua)) }
                    td {}
                }
            }
        }
    };
    html! {
        tfoot {
            (line("Mean", |method| &method.over_seeds.mean))
            (line("Standard deviation", |method| &method.over_seeds.sd_folds))
        }
    }
}

/// Names of groups that a cell of the table has at most.
const NAMED: usize = 6;

/// The first of the groups, and how many more there are.
fn some(groups: &[String]) -> String {
    let (named, rest) = groups.split_at(groups.len().min(NAMED));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    named.join(", ") + &more
}

fn sex(input: &ReportInput<'_>, name: &str) -> &'static str {
    let speakers = &input.index.speakers;
    let found = speakers.iter().find(|speaker| speaker.speaker == name);
    found.and_then(|speaker| speaker.sex).map_or(NONE, Sex::as_str)
}

/// Utterances tested: the same for every method and seed.
fn tested(fold: &str, columns: &[Column<'_>]) -> String {
    let mut results = columns.iter().flat_map(|column| column.method.seeds.values());
    let found = results.find_map(|seed| seed.folds.get(fold));
    found.map_or_else(|| NONE.to_owned(), |result| count(result.n))
}

/// Epoch kept and epochs trained, seed by seed.
fn epochs(fold: &str, method: &MethodSummary) -> String {
    let results = method.seeds.values().filter_map(|seed| seed.folds.get(fold));
    let texts: Vec<String> =
        results.map(|result| format!("{}/{}", result.best_epoch, result.epochs)).collect();
    if texts.is_empty() { NONE.to_owned() } else { texts.join(", ") }
}
