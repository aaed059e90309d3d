//! A matrix of counts, shaded by each row's shares.

use maud::{Markup, html};

use super::label::label_width;
use super::scale::px;
use crate::format::{count, percent};

const CELL: f64 = 72.0;
const TOP: f64 = 44.0;

/// From this share on a cell is so far from the page's colour that its text changes colour too.
/// The test below holds both text colours to a contrast of 4.5 on every shade.
const HIGH: f64 = 0.655;

/// What to draw.
pub(crate) struct Heatmap<'a> {
    /// Unique within the page.
    pub(crate) id: &'a str,
    /// For readers who do not see the figure.
    pub(crate) title: &'a str,
    /// Names of rows and columns.
    pub(crate) classes: &'a [String],
    /// Counts; as many rows and columns as classes.
    pub(crate) rows: &'a [Vec<u64>],
    /// What rows are.
    pub(crate) row_axis: &'a str,
    /// What columns are.
    pub(crate) column_axis: &'a str,
}

impl Heatmap<'_> {
    /// Cells are as wide as the longest class name needs.
    fn cell_width(&self) -> f64 {
        CELL.max(label_width(self.classes) + 8.0)
    }

    fn left(&self) -> f64 {
        label_width(self.classes) + 34.0
    }

    fn size(&self) -> (f64, f64) {
        let n = self.classes.len() as f64;
        (self.left() + n * self.cell_width() + 1.0, TOP + n * CELL * 0.78 + 1.0)
    }

    /// In words: what share of each class stays, for readers who do not see the figure.
    fn description(&self) -> String {
        let kept = |(c, class): (usize, &String)| {
            let total: u64 = self.rows[c].iter().sum();
            let share = (total > 0).then(|| self.rows[c][c] as f64 / total as f64);
            format!("{class} {} % of {}", percent(share), count(total))
        };
        let parts: Vec<String> = self.classes.iter().enumerate().map(kept).collect();
        format!("{} as {}: {}.", self.row_axis, self.column_axis, parts.join(", "))
    }
}

/// The figure.
pub(crate) fn render(map: &Heatmap<'_>) -> Markup {
    let (width, height) = map.size();
    let (title, text) = (format!("{}-title", map.id), format!("{}-text", map.id));
    html! {
        svg role="img" aria-labelledby=(title) aria-describedby=(text)
            viewBox=(format!("0 0 {} {}", px(width), px(height)))
            width=(px(width)) height=(px(height)) {
            title id=(title) { (map.title) }
            desc id=(text) { (map.description()) }
            (axes(map))
            @for (row, counts) in map.rows.iter().enumerate() {
                @let total: u64 = counts.iter().sum();
                @for (column, &n) in counts.iter().enumerate() {
                    (cell(map, row, column, n, total))
                }
            }
        }
    }
}

fn axes(map: &Heatmap<'_>) -> Markup {
    let (left, cell, n) = (map.left(), map.cell_width(), map.classes.len() as f64);
    let row_height = CELL * 0.78;
    let middle = TOP + n * row_height / 2.0;
    html! {
        text.small.middle x=(px(left + n * cell / 2.0)) y="12" { (map.column_axis) }
        text.small.middle transform=(format!("translate(11 {}) rotate(-90)", px(middle))) {
            (map.row_axis)
        }
        @for (i, class) in map.classes.iter().enumerate() {
            text.middle x=(px(left + (i as f64 + 0.5) * cell)) y=(px(TOP - 10.0)) { (class) }
            @let y = TOP + (i as f64 + 0.5) * row_height + 4.0;
            text.end x=(px(left - 10.0)) y=(px(y)) { (class) }
        }
    }
}

fn cell(map: &Heatmap<'_>, row: usize, column: usize, n: u64, total: u64) -> Markup {
    let share = if total > 0 { n as f64 / total as f64 } else { 0.0 };
    let (width, height) = (map.cell_width(), CELL * 0.78);
    let (x, y) = (map.left() + column as f64 * width, TOP + row as f64 * height);
    let ink = if share >= HIGH { "high" } else { "low" };
    let shown = (total > 0).then_some(share);
    html! {
        rect.heat x=(px(x)) y=(px(y)) width=(px(width)) height=(px(height))
            fill-opacity=(format!("{share:.3}")) {}
        rect.cell x=(px(x)) y=(px(y)) width=(px(width)) height=(px(height)) {}
        text class=(format!("share middle {ink}")) x=(px(x + width / 2.0)) y=(px(y + 26.0)) {
            (percent(shown))
        }
        text class=(format!("middle {ink}")) x=(px(x + width / 2.0)) y=(px(y + 43.0)) { (count(n)) }
    }
}

#[cfg(test)]
mod tests;
