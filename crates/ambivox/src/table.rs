//! Tables for people, at most 80 columns wide.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ambivox_eval::{Ensemble, MethodSummary, Rates, Summary};
use ambivox_settings::{AnnotatorsSummary, IndexSummary, SpeakerSummary, counted};
use comfy_table::presets::ASCII_BORDERS_ONLY_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};

/// With more folds than this the table has their means alone.
const FOLDS_SHOWN: usize = 12;

/// Of more speakers than this the table has the first alone.
const SPEAKERS_SHOWN: usize = 100;

/// Columns of a terminal.
const WIDTH: usize = 80;
/// What lies between two columns of a table, or one and both borders.
const GAP: usize = 3;

/// Stands below every result on a synthetic corpus.
pub(crate) const SYNTHETIC: &str = "The corpus is synthetic: these rates show that the pipeline \
    works, and say\nnothing of real speech.";

/// The rates of a cross-validation: per method, then per fold where these are few; of test sets each by
/// itself.
pub(crate) fn rates(summary: &Summary) -> String {
    let folds: BTreeSet<&str> =
        summary.methods.values().flat_map(|m| m.fold_means().into_keys()).collect();
    let mut text = if summary.test_sets { test_sets(summary) } else { over_folds(summary) };
    if !summary.test_sets && (2..=FOLDS_SHOWN).contains(&folds.len()) {
        text.push("UA of each fold (mean over seeds):".to_owned());
        text.extend(by_fold(summary, &folds));
    }
    if summary.synthetic {
        text.push(SYNTHETIC.to_owned());
    }
    text.join("\n")
}

fn over_folds(summary: &Summary) -> Vec<String> {
    let over = |method: &MethodSummary| {
        (method.over_seeds.mean.clone(), method.over_seeds.sd_folds.clone())
    };
    let methods = summary.methods_in_order().into_iter();
    let rows: Vec<Row> = methods.map(|(id, method)| (id.to_owned(), over(method))).collect();
    let mut text = vec![
        methods_table(summary).to_string(),
        "In percent; mean ± sd over folds (of each the mean over seeds), and pooled.\n\
         Runs: seeds × folds. WA: accuracy. UA: unweighted average recall (UAR)."
            .to_owned(),
        probabilities(&rows).to_string(),
        format!("{PROBABILITIES} means over folds."),
    ];
    if let Some(table) = ensembles(summary) {
        text.extend(["Mean of the seeds' probabilities, as of one model:".to_owned(), table]);
    }
    text
}

/// The models of several seeds taken as one, of the methods that have some.
fn ensembles(summary: &Summary) -> Option<String> {
    let methods = summary.methods_in_order().into_iter();
    let several: Vec<(&str, &Ensemble)> =
        methods.filter_map(|(id, method)| Some((id, method.ensemble.as_ref()?))).collect();
    let mut table = table(&["method", "seeds", "WA", "UA", "WA pooled", "UA pooled"], &[0]);
    for (id, Ensemble { seeds, mean, sd_folds, pooled, .. }) in &several {
        table.add_row([
            (*id).to_owned(),
            seeds.to_string(),
            spread(mean.wa, sd_folds.wa),
            spread(mean.ua, sd_folds.ua),
            percent(Some(pooled.wa)),
            percent(Some(pooled.ua)),
        ]);
    }
    (!several.is_empty()).then(|| table.to_string())
}

/// Every method on every test set. There is no mean over them: they are no folds.
fn test_sets(summary: &Summary) -> Vec<String> {
    let mut text = Vec::new();
    for (set, folds) in summary.sets() {
        let mut table = table(&["method", "models", "WA", "UA", "together: WA", "UA"], &[0]);
        let mut rows: Vec<Row> = Vec::new();
        for (id, method) in summary.methods_in_order() {
            let (mean, sd) = method.over_models_of(&folds);
            let together = method.ensemble.as_ref().and_then(|ensemble| ensemble.folds.get(set));
            table.add_row([
                id.to_owned(),
                method.runs_of(&folds).count().to_string(),
                spread(mean.wa, sd.wa),
                spread(mean.ua, sd.ua),
                together.map_or_else(String::new, |rates| percent(rates.wa)),
                together.map_or_else(String::new, |rates| percent(rates.ua)),
            ]);
            rows.push((id.to_owned(), (mean, sd)));
        }
        text.extend([
            format!("Test set {set}:"),
            table.to_string(),
            probabilities(&rows).to_string(),
        ]);
    }
    text.push(
        "In percent; mean ± sd over models; together: by the mean of their probabilities,\n\
         as of one model. These are test sets of one split, no folds: no mean over them.\n\
         WA: accuracy. UA: unweighted average recall (UAR)."
            .to_owned(),
    );
    text.push(format!("{PROBABILITIES} means over models."));
    text
}

/// A method's id, its mean rates and their standard deviations.
type Row = (String, (Rates, Rates));

fn methods_table(summary: &Summary) -> Table {
    let mut table = table(&["method", "runs", "WA", "UA", "WA pooled", "UA pooled"], &[0]);
    for (id, method) in summary.methods_in_order() {
        let over = &method.over_seeds;
        table.add_row([
            id.to_owned(),
            runs(method),
            spread(over.mean.wa, over.sd_folds.wa),
            spread(over.mean.ua, over.sd_folds.ua),
            percent(Some(over.pooled.wa)),
            percent(Some(over.pooled.ua)),
        ]);
    }
    table
}

/// `3 × 10`, or how many there are of these 30.
fn runs(method: &MethodSummary) -> String {
    let (runs, planned) = (method.runs(), method.planned_runs());
    if runs < planned {
        return format!("{runs} of {planned}");
    }
    format!("{} × {}", method.seeds.len(), method.fold_means().len())
}

/// What stands below a table of [`probabilities`], up to what its figures are means over.
const PROBABILITIES: &str = "F1 averaged over classes, each as heavy (macro) or by its utterances (weighted);\n\
    expected calibration error (ECE, 15 bins) in percent, Brier score (0 to 2) and\n\
    negative log likelihood (NLL):";

/// Averages of F1, and how far probabilities can be relied on.
fn probabilities(rows: &[Row]) -> Table {
    let mut table = table(&["method", "macro F1", "weighted F1", "ECE", "Brier", "NLL"], &[0]);
    let plain = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
    for (id, (mean, sd)) in rows {
        table.add_row([
            id.clone(),
            spread(mean.macro_f1, sd.macro_f1),
            spread(mean.weighted_f1, sd.weighted_f1),
            percent(mean.ece),
            plain(mean.brier),
            plain(mean.nll),
        ]);
    }
    table
}

/// Folds down and methods across, in as many tables as the width takes.
fn by_fold(summary: &Summary, folds: &BTreeSet<&str>) -> Vec<String> {
    let longest = folds.iter().map(|fold| fold.chars().count()).max();
    let left = longest.unwrap_or(0).max("fold".len());
    let methods = summary.methods_in_order();
    let widths: Vec<usize> = methods.iter().map(|(id, _)| id.len().max("100.0".len())).collect();
    let tables = fitting(&widths, WIDTH.saturating_sub(GAP + left)).into_iter();
    tables.map(|some| rates_by_fold(&methods[some], folds).to_string()).collect()
}

/// Ranges of columns, each as many of these widths, and a gap before each, as there is room for.
fn fitting(widths: &[usize], room: usize) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut used = 0;
    for (i, width) in widths.iter().enumerate() {
        used += width + GAP;
        match ranges.last_mut() {
            Some(range) if used <= room => range.end = i + 1,
            _ => {
                used = width + GAP;
                ranges.push(i..i + 1);
            }
        }
    }
    ranges
}

fn rates_by_fold(methods: &[(&str, &MethodSummary)], folds: &BTreeSet<&str>) -> Table {
    let ids: Vec<&str> = methods.iter().map(|(id, _)| *id).collect();
    let mut table = table(&[&["fold"], ids.as_slice()].concat(), &[0]);
    for fold in folds {
        let ua = |rates: &Rates| percent(rates.ua);
        let cells = methods.iter().map(|(_, m)| m.fold_means().get(fold).map_or(String::new(), ua));
        table.add_row(std::iter::once((*fold).to_owned()).chain(cells));
    }
    table
}

/// The labels to look at first, from rows of `audit.csv`.
pub(crate) fn suspects(rows: &[BTreeMap<String, String>]) -> String {
    let columns = ["rank", "utterance_id", "gold", "suggestion", "reason"];
    let mut table = table(&["rank", "utterance", "given", "suggested", "why"], &[1, 2, 3, 4]);
    for row in rows {
        table.add_row(columns.map(|name| row.get(name).cloned().unwrap_or_default()));
    }
    format!("{table}\nThe most suspect labels; all are in the table named below.")
}

/// The first of `annotators.csv`, those of the least quality.
pub(crate) fn annotators_beside_models(rows: &[BTreeMap<String, String>]) -> String {
    let columns = [
        "annotator",
        "ratings",
        "agreement_with_others",
        "agreement_with_model",
        "dawid_skene_accuracy",
        "crowdlab_quality",
    ];
    let head = ["annotator", "ratings", "with others", "with model", "Dawid-Skene", "CROWDLAB"];
    let mut table = table(&head, &[0]);
    for row in rows {
        let cell = |name: &str| row.get(name).cloned().unwrap_or_default();
        let share =
            |name: &str| cell(name).parse().map_or_else(|_| cell(name), |x: f64| percent(Some(x)));
        let mut cells = columns.map(share);
        (cells[0], cells[1]) = (cell(columns[0]), cell(columns[1]));
        table.add_row(cells);
    }
    format!(
        "{table}\nAnnotators, lowest quality first; in percent: how often they name what the\n\
         others name, and what the models out of fold name; how often the true label\n\
         (Dawid-Skene); CROWDLAB's quality. All are in annotators.csv; consensus.csv\n\
         has the labels by all of them together."
    )
}

/// What the index holds: utterances per speaker and gold label.
pub(crate) fn index(summary: &IndexSummary) -> String {
    let labels: BTreeSet<&str> =
        summary.speakers.iter().flat_map(|s| s.gold.keys().map(String::as_str)).collect();
    let mut table = table(&index_head(&labels), &[0]);
    let (shown, others) = summary.speakers.split_at(summary.speakers.len().min(SPEAKERS_SHOWN));
    for speaker in shown {
        table.add_row(speaker_row(speaker, &labels));
    }
    let hours = summary.seconds / 3600.0;
    let (utterances, files) = (summary.utterances as usize, summary.files as usize);
    let mut lines = vec![table.to_string()];
    if !others.is_empty() {
        lines.push(format!("and {} more; all are in index.json", counted(others.len(), "speaker")));
    }
    lines.extend([
        format!("{}: {}, {hours:.2} h", summary.corpus, counted(utterances, "utterance")),
        format!("{}, BLAKE3 of their listing:\n{}", counted(files, "file"), summary.blake3),
    ]);
    lines.extend(summary.annotators.as_ref().map(annotators));
    let notes = summary.release_differences.iter().chain(&summary.warnings);
    lines.extend(notes.map(|line| format!("note: {line}")));
    lines.join("\n")
}

/// How far annotators agree.
fn annotators(summary: &AnnotatorsSummary) -> String {
    let AnnotatorsSummary { ratings, rated, annotators, .. } = summary;
    let number =
        |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |x| format!("{x:.2}"));
    format!(
        "{}, {} of {}\nagreement: Fleiss' κ {}, Krippendorff's α {}",
        counted(annotators.len(), "annotator"),
        counted(*ratings as usize, "rating"),
        counted(rated[0] as usize, "utterance"),
        number(summary.fleiss_kappa),
        number(summary.krippendorff_alpha),
    )
}

/// With more labels than fit, their first three letters, as is usual for emotions.
fn index_head<'a>(labels: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let letters =
        |label: &'a str| label.char_indices().nth(3).map_or(label, |(at, _)| &label[..at]);
    let fits = labels.len() <= 5;
    let names = labels.iter().map(|label| if fits { label } else { letters(label) });
    ["speaker", "all"].into_iter().chain(names).collect()
}

fn speaker_row(speaker: &SpeakerSummary, labels: &BTreeSet<&str>) -> Vec<String> {
    let count = |label: &&str| speaker.gold.get(*label).copied().unwrap_or(0).to_string();
    let first = [speaker.speaker.clone(), speaker.utterances.to_string()];
    first.into_iter().chain(labels.iter().map(count)).collect()
}

/// A table with these columns, all but those of index `left` aligned to the right.
pub(crate) fn table(columns: &[&str], left: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_BORDERS_ONLY_CONDENSED).set_header(columns.to_vec());
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH as u16);
    for (i, column) in table.column_iter_mut().enumerate() {
        if !left.contains(&i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// `61.2 ± 4.0`, in percent.
fn spread(mean: Option<f64>, sd: Option<f64>) -> String {
    match sd {
        Some(sd) => format!("{} ± {:.1}", percent(mean), 100.0 * sd),
        None => percent(mean),
    }
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or("–".to_owned(), |rate| format!("{:.1}", 100.0 * rate))
}

#[cfg(test)]
mod tests;
