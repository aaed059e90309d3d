//! Who rated the corpus, how far they agree, and how often each names the true label.

use ambivox_settings::{AnnotatorSummary, AnnotatorsSummary};
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{NONE, count, counted, percent};
use crate::page::{ROWS, collapsed, sortable_table};

const CAPTION: &str = "Agreement: the share of the other annotators of the same utterances who name the same \
    label. Accuracy: the share of ratings that name the true label, as the model of Dawid and Skene (1979) \
    estimates it from all ratings. Annotators with few ratings have uncertain figures.";

/// The part of the section about the corpus; nothing where nobody knows who rated.
pub(crate) fn render(input: &ReportInput<'_>) -> Markup {
    let Some(annotators) = &input.index.annotators else { return html! {} };
    let number = annotators.annotators.len();
    html! {
        h3 { "Annotators" }
        p { (summary(annotators)) }
        (collapsed(number, ROWS, &format!("All {number} annotators"), &table(input, annotators)))
    }
}

fn summary(of: &AnnotatorsSummary) -> String {
    let [rated, several] = of.rated.map(count);
    let number = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), |x| format!("{x:.2}"));
    format!(
        "{} gave {} ratings of {rated} utterances, of which {several} have two annotators or more. On these, \
         Fleiss’ κ is {} and Krippendorff’s α {}: 1 is full agreement, 0 what chance would give.",
        counted(of.annotators.len(), "annotator"),
        count(of.ratings),
        number(of.fleiss_kappa),
        number(of.krippendorff_alpha),
    )
}

fn table(input: &ReportInput<'_>, of: &AnnotatorsSummary) -> Markup {
    let content = html! {
        thead {
            tr {
                th.text.corner scope="col" data-column="0" { "Annotator" }
                th scope="col" data-column="1" { "Ratings" }
                th scope="col" data-column="2" { "Agreement" }
                th scope="col" data-column="3" { "Accuracy" }
            }
        }
        tbody { @for one in &of.annotators { (row(one)) } }
    };
    sortable_table(input, "Annotators", CAPTION, &content)
}

fn row(one: &AnnotatorSummary) -> Markup {
    html! {
        tr {
            th scope="row" { (one.annotator) }
            td { (count(one.ratings)) }
            td { (percent(one.agreement)) }
            td { (percent(one.accuracy)) }
        }
    }
}
