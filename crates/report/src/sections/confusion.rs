//! Confusion matrices, pooled over folds and seeds.

use ambivox_eval::MethodSummary;
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::counted;
use crate::page::result_caption;
use crate::svg::heatmap::{self, Heatmap};

/// The section.
pub(crate) fn render(input: &ReportInput<'_>) -> Markup {
    let methods = input.summary.methods_in_order();
    html! {
        p.note {
            (result_caption(input, "Rows are gold labels, columns predictions; each cell gives the \
                share of its row in percent, and the count."))
        }
        div.matrices {
            @for (index, (id, method)) in methods.into_iter().enumerate() {
                (matrix(input, index, id, method))
            }
        }
    }
}

fn matrix(input: &ReportInput<'_>, index: usize, id: &str, method: &MethodSummary) -> Markup {
    let pooled = &method.over_seeds.pooled;
    let seeds = counted(method.seeds.len(), "seed");
    let title = format!("Confusion matrix of {}, {seeds}", input.title_of(id));
    html! {
        figure {
            h3 { (input.title_of(id)) }
            (heatmap::render(&Heatmap {
                id: &format!("confusion-{index}"),
                title: &title,
                classes: &input.summary.classes,
                rows: pooled.confusion.rows(),
                row_axis: "gold",
                column_axis: "predicted",
            }))
        }
    }
}
