//! Utterances whose sound could not be used.

use maud::{Markup, html};

use crate::ReportInput;
use crate::page::table;

/// The section.
pub(crate) fn render(input: &ReportInput<'_>) -> Markup {
    let excluded = &input.exclusions.excluded;
    if excluded.is_empty() {
        return html! { p { "No utterance was left out for its sound." } };
    }
    let content = html! {
        thead {
            tr {
                th.text.corner scope="col" { "Utterance" }
                th.text scope="col" { "Reason" }
                th.text scope="col" { "File" }
            }
        }
        tbody {
            @for exclusion in excluded {
                tr {
                    th scope="row" { (exclusion.utterance_id) }
                    td.text.wrap { (exclusion.reason) }
                    td.text { code { (exclusion.path) } }
                }
            }
        }
    };
    table(
        input,
        "Utterances left out",
        "Utterances left out of every stage after extraction.",
        &content,
    )
}
