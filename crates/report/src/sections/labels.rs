//! What the methods did with labels and sample weights: Tables 3 and 4, Figures 3 and 4 of the paper.

use ambivox_eval::{
    Confusion, LabelMoves, LabelRepair, MeanSd, PAPER_CLASSES, PaperEvaluation, RunHistory,
    Table3Row, mean_sd, method_order, table3_rows,
};
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{NONE, count, counted, percent};
use crate::page::{group_head, result_caption, table};
use crate::svg::bars::{self, Bars};

const WEIGHTS: &str = "Mean sample weight w (in the paper: contribution weight) of the training \
    utterances of each gold class. A lower weight counts more in the loss. Learned: at the best epoch; last: \
    after the last epoch, which the paper’s “after training” may mean.";

const MOVES: &str = "Share of each gold class’s training utterances, over all folds, whose learned label \
    stayed or moved to another class. The learned label is the argmax of l ";

/// When learned labels are looked at.
const KEPT: &str = "at the best epoch";
const LAST: &str = "after the last epoch";

/// The section; `None` where no method learned labels or weights.
pub(crate) fn render(input: &ReportInput<'_>) -> Option<Markup> {
    let weights = table3_rows(input.histories);
    let shares = shares(input);
    let moves = moves(input);
    if weights.is_empty() && shares.is_empty() && moves.is_empty() {
        return None;
    }
    Some(html! {
        @if !weights.is_empty() { (weight_table(input, &weights)) }
        @for (method, moved) in &shares { p { (share_text(input, method, moved)) } }
        @if !moves.is_empty() { (bars::legend(&input.summary.classes)) }
        @for (index, (method, labels)) in moves.iter().enumerate() {
            (moves_figure(input, &format!("moves-{index}"), method, KEPT, &labels.moves))
            @if let Some(last) = labels.moves_at_last.as_ref().filter(|last| **last != labels.moves) {
                (moves_figure(input, &format!("moves-{index}-last"), method, LAST, last))
            }
            @if let Some(repair) = &labels.repair { p { (repair_text(input, method, repair)) } }
        }
    })
}

fn weight_table(input: &ReportInput<'_>, rows: &[Table3Row]) -> Markup {
    let (classes, paper) = (&input.summary.classes, input.paper());
    let content = html! {
        thead {
            tr {
                th.text.corner scope="col" { "w" }
                @for class in classes { th scope="col" { (class) } }
            }
        }
        @for row in rows {
            tbody {
                @let runs = counted(row.runs, "run");
                (group_head(classes.len() + 1, &format!("{}, {runs}", input.title_of(&row.method))))
                (weight_row("Initial", row.initial.iter().map(|w| Some(*w)), false))
                (weight_row("Learned", row.learned.iter().map(|w| Some(*w)), false))
                (weight_row("Last", row.last.iter().map(|w| Some(*w)), false))
            }
            @if row.method == paper.weights.method { (paper_weights(classes, &paper)) }
        }
    };
    table(input, &format!("{}: sample weights", paper.weights.table), WEIGHTS, &content)
}

fn paper_weights(classes: &[String], paper: &PaperEvaluation) -> Markup {
    let in_order = |printed: [f64; 4]| {
        let place = |class: &String| PAPER_CLASSES.iter().position(|known| known == class);
        classes.iter().map(move |class| place(class).map(|c| printed[c]))
    };
    html! {
        tbody {
            (group_head(classes.len() + 1, &format!("{}, {}", paper.label, paper.weights.table)))
            (weight_row("Initial", in_order(paper.weights.initial), true))
            (weight_row("Learned", in_order(paper.weights.learned), true))
        }
    }
}

fn weight_row(name: &str, weights: impl Iterator<Item = Option<f64>>, paper: bool) -> Markup {
    html! {
        tr.paper[paper] {
            th scope="row" { (name) }
            @for weight in weights {
                td { (weight.map_or_else(|| NONE.to_owned(), |w| format!("{w:.2}"))) }
            }
        }
    }
}

/// Share of moved labels at the epoch kept, over the runs of each method that learns labels.
fn shares<'a>(input: &ReportInput<'a>) -> Vec<(&'a str, MeanSd)> {
    let mut methods: Vec<&str> = input.histories.iter().map(|run| run.method.as_str()).collect();
    methods.sort_by_key(|method| (method_order(method), *method));
    methods.dedup();
    let share = |run: &RunHistory| run.best().and_then(|epoch| epoch.labels_moved);
    let of = |method: &str| {
        mean_sd(input.histories.iter().filter(|run| run.method == method).filter_map(share))
    };
    methods.into_iter().filter_map(|method| Some((method, of(method)?))).collect()
}

fn share_text(input: &ReportInput<'_>, method: &str, moved: &MeanSd) -> String {
    let sd = moved.sd.map_or(String::new(), |sd| format!("\u{a0}±\u{a0}{}", percent(Some(sd))));
    format!(
        "{}: the learned label differs from the gold label for {}{sd} % of the training \
         utterances (mean over runs, at the best epoch).",
        input.title_of(method),
        percent(Some(moved.mean)),
    )
}

/// Moves by method, summed over seeds.
fn moves<'a>(input: &ReportInput<'a>) -> Vec<(&'a str, LabelMoves)> {
    let mut all = Vec::new();
    for (id, method) in input.summary.methods_in_order() {
        let mut seeds = method.seeds.values().filter_map(|seed| seed.labels.as_ref());
        let Some(mut sum) = seeds.next().cloned() else { continue };
        // Matrices of one summary have one size, so that adding them cannot fail.
        if seeds.all(|more| sum.merge(more).is_ok()) {
            all.push((id, sum));
        }
    }
    all
}

fn moves_figure(
    input: &ReportInput<'_>,
    id: &str,
    method: &str,
    moment: &str,
    moves: &Confusion,
) -> Markup {
    let title = format!("Learned labels of {} {moment}", input.title_of(method));
    html! {
        figure {
            figcaption { (result_caption(input, &moves_caption(input, method, moment))) }
            (bars::render(&Bars { id, title: &title, classes: &input.summary.classes, rows: moves.rows() }))
        }
    }
}

/// What the figure shows; for the paper's method, beside what the paper says of its own.
fn moves_caption(input: &ReportInput<'_>, method: &str, moment: &str) -> String {
    let paper = input.paper();
    let published = if method == paper.weights.method {
        format!(" {}, {}: {}.", paper.label, paper.moves, paper.moves_text)
    } else {
        String::new()
    };
    format!("{}, {moment}. {MOVES}{moment}.{published}", input.title_of(method))
}

fn repair_text(input: &ReportInput<'_>, method: &str, repair: &LabelRepair) -> String {
    format!(
        "{}: compared with the true labels, which are known here, {} of {} wrong gold labels were \
         restored ({} %), and {} of {} right ones were changed to a wrong one ({} %).",
        input.title_of(method),
        count(repair.restored),
        count(repair.wrong),
        percent(repair.restored_share()),
        count(repair.broken),
        count(repair.right),
        percent(repair.broken_share()),
    )
}
