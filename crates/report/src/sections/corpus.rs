//! What the corpus holds: Table 1 of the paper.

use ambivox_settings::{Sex, SpeakerSummary};
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{NONE, count, duration};
use crate::page::{ROWS, collapsed, table};
use crate::sections::{annotators, corrections};

const CAPTION: &str = "Utterances of each class and speaker. Other: utterances with another label or \
    none, which are not included.";

/// The section.
pub(crate) fn render(input: &ReportInput<'_>) -> Markup {
    let index = input.index;
    html! {
        p {
            (input.manifest.title) ": " (count(index.utterances)) " utterances, "
            (duration(index.seconds)) ", " (speakers(input)) ", "
            (count(index.files)) " files, "
            @if index.votes { "with" } @else { "without" } " annotators’ votes. "
            (count(input.splits.utterances.len() as u64))
            " utterances are included: their gold label is one of the classes, and their audio gave "
            "features."
        }
        (corrections::render(input))
        (speaker_table(input))
        (annotators::render(input))
        (differences(input))
        (warnings(input))
    }
}

/// How many there are, or that nobody knows.
fn speakers(input: &ReportInput<'_>) -> String {
    let known = input.index.speakers.iter().filter(|speaker| !speaker.speaker.is_empty()).count();
    if known == 0 {
        "speakers unknown".to_owned()
    } else {
        format!("{} speakers", count(known as u64))
    }
}

fn speaker_table(input: &ReportInput<'_>) -> Markup {
    let classes = &input.splits.classes;
    let content = html! {
        thead {
            tr {
                th.text.corner scope="col" { "Speaker" }
                th.text scope="col" { "Session" }
                th.text scope="col" { "Sex" }
                @for class in classes { th scope="col" { (class) } }
                th scope="col" { "Other" }
                th scope="col" { "All" }
                th scope="col" { "Seconds" }
            }
        }
        tbody { @for speaker in &input.index.speakers { (speaker_row(speaker, classes)) } }
        (total_row(input))
    };
    let table = table(input, "Table 1: utterances of each class and speaker", CAPTION, &content);
    let speakers = input.index.speakers.len();
    collapsed(speakers, ROWS, &format!("All {speakers} speakers"), &table)
}

fn speaker_row(speaker: &SpeakerSummary, classes: &[String]) -> Markup {
    html! {
        tr {
            th scope="row" { @if speaker.speaker.is_empty() { (NONE) } @else { (speaker.speaker) } }
            td.text { (speaker.session) }
            td.text { (speaker.sex.map_or(NONE, Sex::as_str)) }
            @for class in classes { td { (count(of_class(speaker, class))) } }
            td { (count(other(speaker, classes))) }
            td { (count(speaker.utterances)) }
            td { (whole(speaker.seconds)) }
        }
    }
}

fn total_row(input: &ReportInput<'_>) -> Markup {
    let (speakers, classes) = (&input.index.speakers, &input.splits.classes);
    let sum = |pick: &dyn Fn(&SpeakerSummary) -> u64| count(speakers.iter().map(pick).sum());
    html! {
        tfoot {
            tr {
                th scope="row" { "Total" }
                td colspan="2" {}
                @for class in classes { td { (sum(&|speaker| of_class(speaker, class))) } }
                td { (sum(&|speaker| other(speaker, classes))) }
                td { (sum(&|speaker| speaker.utterances)) }
                td { (whole(speakers.iter().map(|s| s.seconds).sum())) }
            }
        }
    }
}

/// Seconds without decimals.
fn whole(seconds: f64) -> String {
    count(seconds.round() as u64)
}

fn of_class(speaker: &SpeakerSummary, class: &str) -> u64 {
    speaker.gold.get(class).copied().unwrap_or(0)
}

fn other(speaker: &SpeakerSummary, classes: &[String]) -> u64 {
    let inside: u64 = classes.iter().map(|class| of_class(speaker, class)).sum();
    speaker.utterances.saturating_sub(inside)
}

/// Whether this copy of the corpus is the known release.
fn differences(input: &ReportInput<'_>) -> Markup {
    let differences = &input.index.release_differences;
    html! {
        @if !differences.is_empty() {
            p { strong { "This copy is not the release that the manifest describes:" } }
            ul.plain { @for difference in differences { li { (difference) } } }
        } @else if input.manifest.release.is_some() {
            p.note { "This copy is the release that the manifest describes." }
        } @else {
            p.note { "The manifest describes no release that this copy could be compared with." }
        }
    }
}

/// What reading the corpus found that is no error and yet worth a look.
fn warnings(input: &ReportInput<'_>) -> Markup {
    let warnings = &input.index.warnings;
    html! {
        @if !warnings.is_empty() {
            p { strong { "Check these warnings before you rely on the figures:" } }
            ul.plain { @for warning in warnings { li { (warning) } } }
        }
    }
}
