//! The table of utterances.

use maud::{Markup, html};

use super::{AuditEntry, AuditPage};
use crate::format::percent;

/// Width of a bar in the small figure of a distribution.
const BAR: f64 = 8.0;
const HEIGHT: f64 = 20.0;

/// The section.
pub(super) fn render(page: &AuditPage<'_>) -> Markup {
    let voted =
        page.entries.iter().any(|entry| entry.suspect.evidence.votes.iter().any(|&n| n > 0));
    html! {
        section aria-label="Utterances" {
            div.scroll role="region" tabindex="0" aria-label="Table of utterances" {
                table.sortable.suspects {
                    caption { span {
                        "Learned: shares of the classes in the learned label, in the order "
                        (page.classes.join(", ")) "; the given one is filled. Unheard: what the \
                        networks give the label that never heard the speaker. Score: "
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
}

fn head(voted: bool) -> Markup {
    html! {
        thead {
            tr {
                th.text.corner scope="col" data-column="0" { "Utterance" }
                th scope="col" data-column="1" { "Rank" }
                th.text.wide scope="col" data-column="2" { "Speaker" }
                th.text scope="col" data-column="3" { "Label" }
                th.text scope="col" data-column="4" { "Rather" }
                th.text scope="col" data-column="5" { "Decision" }
                th scope="col" data-column="6" { "Learned" }
                th.wide scope="col" data-column="7" { "Unheard" }
                th.wide scope="col" data-column="8" { "Weight" }
                th.wide scope="col" data-column="9" { "Score" }
                th.text.wide scope="col" data-column="10" { "Why" }
                @if voted { th.text.wide scope="col" data-column="11" { "Votes" } }
            }
        }
    }
}

fn row(page: &AuditPage<'_>, index: usize, entry: &AuditEntry<'_>, voted: bool) -> Markup {
    let (suspect, evidence) = (entry.suspect, &entry.suspect.evidence);
    let unheard = evidence.unheard[evidence.gold];
    html! {
        tr data-entry=(index) {
            th scope="row" { (evidence.utterance_id) }
            td { (suspect.rank) }
            td.text.wide { (entry.speaker) }
            td.text { (page.classes[evidence.gold]) }
            td.text {
                @if suspect.suggestion != evidence.gold { (page.classes[suspect.suggestion]) }
            }
            td.text.decision {}
            td data-value=(format!("{:.4}", evidence.learned[evidence.gold])) {
                (small_bars(page.classes, &evidence.learned, evidence.gold))
            }
            td.wide { (percent(Some(unheard))) " %" }
            td.wide { (format!("{:.3}", evidence.weight)) }
            td.wide { (format!("{:.3}", suspect.score)) }
            td.text.wide.wrap { (evidence.reason(page.classes)) }
            @if voted { td.text.wide { (votes(page.classes, &evidence.votes)) } }
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
