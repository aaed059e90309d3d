//! On the paper's corpus: every row compared with the paper's, and which of the paper's claims the run shows.

use std::collections::BTreeSet;

use ambivox_eval::{Gap, Held, PAPER_CLASSES, Verdict, beside_the_paper, claims};
use ambivox_settings::{Adapter, Grouping, Method};
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{NONE, points, range};
use crate::page::table;

/// The section; `None` where corpus, classes, labels, split or network are not the paper's.
pub(crate) fn render(input: &ReportInput<'_>) -> Option<Markup> {
    if !is_the_papers(input) {
        return None;
    }
    // Matrices of one summary have one size, so that comparing them cannot fail.
    let held = claims(input.summary).unwrap_or_default();
    Some(html! {
        (rows(input))
        @for one in &held { p { (sentence(input, one)) } }
        p.note {
            "A difference is compatible with the paper’s if its 95 % interval, by Student’s t over folds, \
             contains the paper’s figure; the paper’s own spread is not known. Intervals are not corrected \
             for multiple comparisons."
        }
    })
}

/// Whether corpus, classes, labels, split and network are the paper's.
fn is_the_papers(input: &ReportInput<'_>) -> bool {
    let ReportInput { manifest, splits, .. } = input;
    let classes: BTreeSet<&str> = input.summary.classes.iter().map(String::as_str).collect();
    let corpus = manifest.adapter == Adapter::Iemocap && !manifest.synthetic && !input.balanced;
    let labels = input.noise.is_none() && input.corrections.is_none();
    let split = splits.grouping == Grouping::Speaker && !splits.listed;
    let papers = PAPER_CLASSES.into_iter().collect();
    let own = Method::TABLE_2.iter().any(|id| input.own_models.contains_key(*id));
    let network = input.is_of_the_papers_network() && !own;
    corpus && labels && split && classes == papers && network
}

/// Our rates less the paper's.
fn rows(input: &ReportInput<'_>) -> Markup {
    let content = html! {
        thead {
            tr {
                th.text.corner rowspan="2" scope="col" { "Method" }
                @for rate in ["WA", "UA"] { th.group colspan="3" scope="colgroup" { (rate) } }
            }
            tr {
                @for _ in 0..2 {
                    th.first scope="col" { "Ours minus paper’s" }
                    th scope="col" { "95 % interval" }
                    th.text scope="col" { "Compatible" }
                }
            }
        }
        tbody {
            @for (id, gaps) in beside_the_paper(input.summary) {
                tr {
                    th scope="row" { (input.title_of(id)) }
                    @for gap in gaps { (cells(gap)) }
                }
            }
        }
    };
    let caption = "Our means over folds minus those of the paper’s Table 2, in percentage points. Rows that \
        the paper quotes from others have other splits.";
    table(input, "Rows compared with the paper’s", caption, &content)
}

fn cells(gap: Option<Gap>) -> Markup {
    let shown = gap.map(|gap| {
        let compatible = if gap.is_compatible() { "yes" } else { "no" };
        [points(gap.ours), range(gap.interval), compatible.to_owned()]
    });
    let [ours, interval, compatible] = shown.unwrap_or_else(|| [NONE; 3].map(str::to_owned));
    html! {
        td.first { (ours) }
        td { (interval) }
        td.text { (compatible) }
    }
}

/// A claim of the paper's and what this run shows of it.
fn sentence(input: &ReportInput<'_>, (claim, rates): &Held) -> String {
    let [wa, ua] = rates.map(|(gap, verdict)| {
        let verdict = match verdict {
            Verdict::Holds => "holds here",
            Verdict::NotShown => "is not shown here",
            Verdict::NotRefuted => "is not refuted here",
            Verdict::Opposite => "is the other way round here",
        };
        let compatible = if gap.is_compatible() { "compatible" } else { "not compatible" };
        format!(
            "{verdict} ({}, 95 % interval {}; the paper’s {} is {compatible})",
            points(gap.ours),
            range(gap.interval),
            points(gap.paper)
        )
    });
    let [method, over] = [claim.method, claim.over].map(|id| input.title_of(id));
    format!(
        "The paper: {}. {method} minus {over}: in WA the claim {wa}; in UA it {ua}.",
        claim.text
    )
}

#[cfg(test)]
mod tests {
    use ambivox_eval::CLAIMS;

    use super::*;

    #[test]
    fn cells_say_whether_rows_are_compatible() {
        let gap = |interval| Some(Gap { ours: -0.011, interval, paper: 0.0 });
        let text = |gap| cells(gap).into_string();
        assert!(text(gap([-0.03, 0.01])).contains("<td>−3.0 to +1.0</td><td class=\"text\">yes"));
        assert!(text(gap([-0.03, -0.01])).ends_with("no</td>"));
        assert_eq!(text(None).matches(NONE).count(), 3);
        assert!(CLAIMS.iter().all(|claim| claim.text.contains("(3.")), "each has its section");
    }
}
