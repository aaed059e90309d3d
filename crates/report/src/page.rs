//! The document around the sections.

use std::collections::BTreeSet;

use ambivox_settings::Fold;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::ReportInput;
use crate::format::counted;
use crate::sections::{
    confusion, corpus, corrections, curves, exclusions, folds, headline, labels, noise, origin,
    paper, table2,
};

const STYLE: &str = include_str!("style.css");
/// Sorts tables whose headings say so.
pub(crate) const SORT: &str = include_str!("sort.js");
/// Nothing is loaded from anywhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
    base-uri 'none'; form-action 'none'";

/// What a reader must know of results on a synthetic corpus.
pub(crate) const SYNTHETIC: &str =
    "computer-generated, speech-like audio; results on it say nothing about real speech";

struct Section {
    id: &'static str,
    heading: &'static str,
    body: Option<Markup>,
}

/// The whole page.
pub(crate) fn document(input: &ReportInput<'_>) -> Markup {
    let sections: Vec<Section> =
        sections(input).into_iter().filter(|section| section.body.is_some()).collect();
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(input.title, POLICY, ""))
            body.report {
                (header(input))
                (contents(&sections))
                main { @for section in &sections { (render_section(section)) } }
                footer { (origin::provenance(input)) }
                script { (PreEscaped(SORT)) }
            }
        }
    }
}

/// The head of a page that loads no more than its policy says, in the style of all pages and its own.
pub(crate) fn head(title: &str, policy: &str, own_style: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta http-equiv="Content-Security-Policy" content=(policy);
            title { (title) }
            style { (PreEscaped(STYLE)) (PreEscaped(own_style)) }
        }
    }
}

fn sections(input: &ReportInput<'_>) -> Vec<Section> {
    let section = |id, heading, body| Section { id, heading, body };
    let by_fold = match (input.summary.test_sets, folds::by_speaker(input)) {
        (true, _) => "Results by test set",
        (false, true) => "Results by speaker",
        (false, false) => "Results by fold",
    };
    vec![
        section("results", "Results", Some(headline::render(input))),
        section("table-2", "Methods and classes", Some(table2::render(input))),
        section("paper", "Comparison with the paper", paper::render(input)),
        section("folds", by_fold, Some(folds::render(input))),
        section("confusion", "Confusion matrices", Some(confusion::render(input))),
        section("curves", "Learning curves", curves::render(input)),
        section("labels", "Learned labels and sample weights", labels::render(input)),
        section("noise", "Label noise", noise::render(input)),
        section("corpus", "Corpus", Some(corpus::render(input))),
        section("exclusions", "Excluded utterances", Some(exclusions::render(input))),
        section("settings", "Settings", Some(origin::settings(input))),
        section("licence", "Licence and citation", Some(origin::licence(input))),
    ]
}

fn render_section(section: &Section) -> Markup {
    html! {
        section id=(section.id) aria-labelledby=(format!("{}-heading", section.id)) {
            h2 id=(format!("{}-heading", section.id)) { (section.heading) }
            @if let Some(body) = &section.body { (body) }
        }
    }
}

fn header(input: &ReportInput<'_>) -> Markup {
    html! {
        header {
            h1 { (input.title) }
            p.subtitle { (input.manifest.title) ". " (extent(input)) (corrections::in_brief(input)) }
            @if input.synthetic() {
                p.banner role="note" {
                    strong { "Synthetic corpus: " }
                    (SYNTHETIC) "."
                }
            }
        }
    }
}

fn contents(sections: &[Section]) -> Markup {
    html! {
        nav aria-label="Contents" {
            ul {
                @for section in sections {
                    li { a href=(format!("#{}", section.id)) { (section.heading) } }
                }
            }
        }
    }
}

/// How many utterances, classes, folds and seeds there are, in a sentence.
fn extent(input: &ReportInput<'_>) -> String {
    let model = if input.is_of_the_papers_network() {
        String::new()
    } else {
        format!(" The model is {}; methods have their plain names.", input.model)
    };
    let own = |(id, kind): (&String, &String)| format!(" {id} trains the model {kind}.");
    let own: String = input.own_models.iter().map(own).collect();
    let balanced = if input.balanced { ", balanced for every speaker" } else { "" };
    format!(
        "{} of {}{balanced}, {}, {}{}.{model}{own}",
        counted(input.splits.utterances.len(), "utterance"),
        counted(input.splits.classes.len(), "class"),
        folds(input),
        counted(seeds(input), "seed"),
        missing(input),
    )
}

/// How many runs there are of those that seeds and folds call for, where some are missing; else nothing.
pub(crate) fn missing(input: &ReportInput<'_>) -> String {
    // Models of one test set are one, so that all of them are called for where some are there.
    let in_turn = !input.summary.in_turn.is_empty();
    let folds = if in_turn { input.splits.folds.len() } else { tested_folds(input).len() };
    let planned = seeds(input) * folds;
    let methods = input.summary.methods_in_order().into_iter();
    let short = methods.filter(|(_, method)| method.runs() < planned);
    let told = short.map(|(id, method)| {
        format!("{} of {} of {}", method.runs(), counted(planned, "run"), input.title_of(id))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join("; ")) }
}

/// How many folds or test sets were tested, of how many where some were not.
pub(crate) fn folds(input: &ReportInput<'_>) -> String {
    let all: BTreeSet<&str> = input.splits.folds.iter().map(Fold::test_set).collect();
    let (tested, all) = (input.summary.sets().len(), all.len());
    let of_all = counted(all, if input.summary.test_sets { "test set" } else { "fold" });
    if tested == all { of_all } else { format!("{tested} of {of_all}") }
}

/// The models that tested a set: of several seeds, and of as many folds.
pub(crate) fn models(input: &ReportInput<'_>, folds: &[&str]) -> String {
    let seeds = counted(seeds(input), "seed");
    match folds.len() {
        0 | 1 => seeds,
        parts => format!("{seeds} of {}", counted(parts, "model")),
    }
}

/// Names of the folds that any method tested.
pub(crate) fn tested_folds<'a>(input: &ReportInput<'a>) -> BTreeSet<&'a str> {
    let seeds = input.summary.methods.values().flat_map(|method| method.seeds.values());
    seeds.flat_map(|seed| seed.folds.keys()).map(String::as_str).collect()
}

/// The largest number of seeds that any method ran from.
pub(crate) fn seeds(input: &ReportInput<'_>) -> usize {
    input.summary.methods.values().map(|method| method.seeds.len()).max().unwrap_or(0)
}

/// A table's frame: what is wider than the page scrolls, by keyboard too.
pub(crate) fn table(
    input: &ReportInput<'_>,
    label: &str,
    caption: &str,
    content: &Markup,
) -> Markup {
    table_of_class(input, "", label, caption, content)
}

/// More rows of a table than these are collapsed.
pub(crate) const ROWS: usize = 50;

/// What a reader has to open where its parts are more than `most`.
pub(crate) fn collapsed(parts: usize, most: usize, summary: &str, content: &Markup) -> Markup {
    html! {
        @if parts > most {
            details { summary { (summary) } (content) }
        } @else {
            (content)
        }
    }
}

/// A row that names the group of rows below it; the name stays in view where the table scrolls.
pub(crate) fn group_head(columns: usize, name: &str) -> Markup {
    html! { tr { th scope="rowgroup" colspan=(columns) { span { (name) } } } }
}

/// As [`table`], sorted by a click on a heading that has `data-column`.
pub(crate) fn sortable_table(
    input: &ReportInput<'_>,
    label: &str,
    caption: &str,
    content: &Markup,
) -> Markup {
    table_of_class(input, "sortable", label, caption, content)
}

/// As [`table`], with the rules that the style sheet has for `class`.
pub(crate) fn table_of_class(
    input: &ReportInput<'_>,
    class: &str,
    label: &str,
    caption: &str,
    content: &Markup,
) -> Markup {
    html! {
        div.scroll role="region" tabindex="0" aria-label=(label) {
            table class=(class) {
                caption { span { (result_caption(input, caption)) } }
                (content)
            }
        }
    }
}

/// A caption of results, which says so where they come from a synthetic corpus.
pub(crate) fn result_caption(input: &ReportInput<'_>, caption: &str) -> String {
    if input.synthetic() { format!("{caption} Synthetic corpus.") } else { caption.to_owned() }
}
