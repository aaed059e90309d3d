//! The review panel: what the script fills for a chosen utterance, and the buttons that decide on it.

use maud::{Markup, html};

use super::AuditPage;

/// The panel; hidden until the script has something to show in it.
pub(super) fn render(page: &AuditPage<'_>) -> Markup {
    html! {
        section id="review" aria-label="Review" hidden {
            div.saving {
                p { output id="progress" {} " " output id="kept" {} }
                progress id="bar" aria-label="Share of the utterances reviewed" {}
                button.primary type="button" id="save" disabled { "Save corrections" }
            }
            div.pager {
                p id="detail-place" {}
                button type="button" id="previous" { "Previous " kbd { "k" } }
                button type="button" id="next" { "Next " kbd { "j" } }
            }
            div.sides {
                div {
                    h2 id="detail-labels" tabindex="-1" { "…" }
                    p id="detail-reason" {}
                    div hidden[!page.manifest.has_recordings()] { (audio(page.held_out)) }
                }
                (decision(page.held_out))
            }
        }
    }
}

/// The recording; hidden, where there are none, since the script fills it.
fn audio(held_out: &str) -> Markup {
    html! {
        svg id="wave" role="img" aria-labelledby="wave-title" viewBox="0 0 600 144" {
            title id="wave-title" { "Waveform" }
        }
        p.note.key {
            span.of-wave { "Waveform" } ", and over it "
            span.of-attention { "attention" }
            " of the models that did not train on this " (held_out)
            ", relative to its highest value."
        }
        audio id="audio" preload="auto" {}
        div.player {
            button type="button" id="play" { "Play " kbd { "p" } }
            input type="range" id="seek" min="0" max="1" step="0.01" value="0"
                aria-label="Position in seconds";
            output id="time" {}
        }
        p.note id="silent" { "The audio of this utterance is not in this page; "
            code { "cargo xtask audit --sounds N" } " includes that of the first N." }
    }
}

/// A button for every class, beside the evidence for that class, and what else changes a decision.
fn decision(held_out: &str) -> Markup {
    html! {
        div {
            table.classes {
                caption { "Which label is right?" }
                thead {
                    tr {
                        th.text scope="col" { "Label" }
                        th id="votes-head" scope="col" { "Votes" }
                        th scope="col" { "Learned label" }
                        th scope="col" { "Out-of-fold probability" }
                    }
                }
                tbody id="classes" {}
            }
            p.note {
                "Learned label: the shares that training gave each class. Out-of-fold probability: by \
                 models that did not train on this " (held_out) "."
            }
            label.comment { "Comment " input type="text" id="comment" autocomplete="off"; }
            p.note id="comment-alone" role="status" hidden {
                "The comment stays in this browser; it is saved together with a decision."
            }
            div.moves {
                button type="button" id="undo" { "Undo last decision " kbd { "u" } }
                button type="button" id="clear" { "Clear this decision " kbd { "x" } }
            }
            p.note role="status" id="last" {}
            label.check.keyboard {
                input type="checkbox" id="keys" checked autocomplete="off";
                span { "Keyboard shortcuts: the keys on the buttons, and " kbd { "/" } " to search" }
            }
            p.note id="detail-where" {}
        }
    }
}
