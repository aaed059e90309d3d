//! The table of utterances.

use maud::{Markup, html};

use super::{AuditEntry, AuditPage};
use crate::format::percent;

/// Width of a bar in the small figure of a distribution.
const BAR: f64 = 8.0;
const HEIGHT: f64 = 20.0;

/// The table in its frame.
pub(super) fn render(page: &AuditPage<'_>) -> Markup {
    let voted =
        page.entries.iter().any(|entry| entry.suspect.evidence.votes.iter().any(|&n| n > 0));
    html! {
        div.scroll role="region" tabindex="0" aria-label="Table of utterances" {
            table.sortable.suspects {
                caption { span {
                    "Learned label: the shares that training gave the classes, in the order "
                    (page.classes.join(", ")) "; the given one is filled. Out-of-fold probability: \
                    that of the given label, by models that did not train on this " (page.held_out)
                    ". Score, from the most suspect label down: "
                    (page.ranked_by.unwrap_or("mean share of the utterances that are less suspect"))
                    "."
                } }
                (head(voted))
                tbody {
                    @for (index, entry) in page.entries.iter().enumerate() {
                        (row(page, index, entry, voted))
                    }
                }
            }
        }
    }
}

fn head(voted: bool) -> Markup {
    html! {
        thead {
            tr {
                th.text.corner scope="col" data-column="0" { "Utterance" }
                th scope="col" data-column="1" { "Rank" }
                th.text scope="col" data-column="2" { "Given label" }
                th.text scope="col" data-column="3" { "Suggested label" }
                th.text scope="col" data-column="4" { "Decision" }
                th.text scope="col" data-column="5" { "Why" }
                th scope="col" data-column="6" { "Learned label" }
                th scope="col" data-column="7" { "Out-of-fold probability" }
                th scope="col" data-column="8" { "Sample weight" }
                th scope="col" data-column="9" { "Score" }
                th.text scope="col" data-column="10" { "Speaker" }
                @if voted { th.text scope="col" data-column="11" { "Votes" } }
            }
        }
    }
}

fn row(page: &AuditPage<'_>, index: usize, entry: &AuditEntry<'_>, voted: bool) -> Markup {
    let (suspect, evidence) = (entry.suspect, &entry.suspect.evidence);
    html! {
        tr data-entry=(index) {
            th scope="row" { (evidence.utterance_id) }
            td { (suspect.rank) }
            td.text { (page.classes[evidence.gold]) }
            td.text {
                @if suspect.suggestion != evidence.gold { (page.classes[suspect.suggestion]) }
            }
            td.text.decision {}
            td.text.wrap { (evidence.reason(page.classes, page.held_out)) }
            td data-value=(format!("{:.4}", evidence.learned[evidence.gold])) {
                (small_bars(page.classes, &evidence.learned, evidence.gold))
            }
            td { (percent(Some(evidence.out_of_fold[evidence.gold]))) " %" }
            td { (format!("{:.3}", evidence.weight)) }
            td { (format!("{:.3}", suspect.score)) }
            td.text { (entry.speaker) }
            @if voted { td.text.wrap { (votes(page.classes, &evidence.votes)) } }
        }
    }
}

/// `happiness 2, anger 1`.
fn votes(classes: &[String], votes: &[u32]) -> String {
    let voted = classes.iter().zip(votes).filter(|(_, count)| **count > 0);
    voted.map(|(class, count)| format!("{class} {count}")).collect::<Vec<_>>().join(", ")
}

/// A bar for every class, that of the given label filled.
fn small_bars(classes: &[String], shares: &[f64], gold: usize) -> Markup {
    let text = |(class, share): (&String, &f64)| format!("{class} {} %", percent(Some(*share)));
    let label: Vec<String> = classes.iter().zip(shares).map(text).collect();
    let width = BAR * shares.len() as f64;
    html! {
        svg.small-bars role="img" aria-label=(label.join(", ")) width=(width) height=(HEIGHT)
            viewBox=(format!("0 0 {width} {HEIGHT}")) {
            @for (class, share) in shares.iter().enumerate() {
                @let height = (share * (HEIGHT - 2.0)).max(1.0);
                rect.given[class == gold] x=(format!("{:.1}", BAR * class as f64 + 1.0))
                    y=(format!("{:.1}", HEIGHT - 1.0 - height)) width=(BAR - 2.0)
                    height=(format!("{height:.1}")) {}
            }
        }
    }
}
