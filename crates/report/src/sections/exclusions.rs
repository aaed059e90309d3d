//! Utterances whose audio could not be used, and those in whose recordings something is doubtful.

use ambivox_settings::Exclusion;
use maud::{Markup, html};

use crate::ReportInput;
use crate::page::table;

/// The section.
pub(crate) fn render(input: &ReportInput<'_>) -> Markup {
    let (excluded, warnings) = (&input.exclusions.excluded, &input.exclusions.warnings);
    html! {
        @if excluded.is_empty() {
            p { "No utterance was excluded because of its audio." }
        } @else {
            (listed(
                input,
                "Excluded utterances",
                "Utterances excluded from every stage after feature extraction.",
                excluded,
            ))
        }
        @if !warnings.is_empty() {
            (listed(
                input,
                "Doubtful recordings",
                "Doubtful recordings, which are not excluded.",
                warnings,
            ))
        }
    }
}

fn listed(input: &ReportInput<'_>, label: &str, caption: &str, exclusions: &[Exclusion]) -> Markup {
    let content = html! {
        thead {
            tr {
                th.text.corner scope="col" { "Utterance" }
                th.text scope="col" { "Reason" }
                th.text scope="col" { "File" }
            }
        }
        tbody {
            @for exclusion in exclusions {
                tr {
                    th scope="row" { (exclusion.utterance_id) }
                    td.text.wrap { (exclusion.reason) }
                    td.text { code { (exclusion.path) } }
                }
            }
        }
    };
    table(input, label, caption, &content)
}
