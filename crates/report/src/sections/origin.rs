//! Where results come from: settings, licence, citation, versions and digests.

use maud::{Markup, html};

use crate::ReportInput;

/// The settings: the pipeline file as it was read.
pub(crate) fn settings(input: &ReportInput<'_>) -> Markup {
    html! {
        p { "The text of the pipeline file " code { (input.summary.pipeline) } ":" }
        pre tabindex="0" aria-label="Pipeline file" { code { (input.pipeline_toml) } }
    }
}

/// The corpus's licence, citation and source.
pub(crate) fn licence(input: &ReportInput<'_>) -> Markup {
    let manifest = input.manifest;
    html! {
        dl {
            dt { "Corpus" } dd { (manifest.title) " (" (manifest.name) ")" }
            dt { "Licence" } dd { (manifest.licence) }
            dt { "Citation" } dd { (manifest.citation) }
            dt { "Source" } dd { (address(&manifest.source)) }
            dt { "Method" }
            dd {
                "T. Fujioka, T. Homma, K. Nagamatsu: “Meta-Learning for Speech Emotion \
                 Recognition Considering Ambiguity of Emotion Labels”, Interspeech 2020. \
                 Figures marked “" (input.paper().label) "” are quoted from it."
            }
        }
    }
}

/// A link where the text is a web address, else the text.
fn address(text: &str) -> Markup {
    let web = ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme));
    html! {
        @if web { a href=(text) rel="noreferrer" { (text) } } @else { (text) }
    }
}

/// Versions and digests, and the size of the networks.
pub(crate) fn provenance(input: &ReportInput<'_>) -> Markup {
    html! {
        h2 { "Provenance" }
        dl {
            dt { "Corpus listing" } dd.digest { (input.index.blake3) }
            @if let Some(run) = input.histories.first() {
                dt { "Network parameters" } dd { (crate::format::count(run.parameters as u64)) }
            }
            @for (label, value) in input.provenance {
                dt { (label) } dd.digest { (value) }
            }
        }
    }
}
