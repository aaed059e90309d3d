//! Every fold's rate as a dot on a line, a line for each method.

use maud::{Markup, html};

use super::scale::{Scale, px};
use crate::format::percent;

const WIDTH: f64 = 480.0;
const SHOWN: f64 = 600.0;
const EDGE: f64 = 18.0;
const LINE: f64 = 50.0;
const TOP: f64 = 4.0;

/// One method.
pub(crate) struct Row {
    /// Its name.
    pub(crate) label: String,
    /// Fold names and rates, as fractions of 1.
    pub(crate) values: Vec<(String, f64)>,
    /// Mean of the rates.
    pub(crate) mean: Option<f64>,
    /// Their standard deviation.
    pub(crate) sd: Option<f64>,
}

/// The figure; `chance` is the rate of guessing.
pub(crate) fn render(rows: &[Row], chance: f64) -> Markup {
    let floor = TOP + LINE * rows.len() as f64;
    let scale = Scale { domain: domain(rows, chance), range: (EDGE, WIDTH - EDGE) };
    html! {
        svg role="img" aria-labelledby="strip-title" aria-describedby="strip-text"
            viewBox=(format!("0 0 {WIDTH} {}", px(floor + 26.0))) width=(SHOWN) {
            title id="strip-title" { "UA of every fold, by method" }
            desc id="strip-text" { (description(rows)) }
            @for tick in scale.ticks(5) {
                @let x = px(scale.at(tick));
                path.grid d=(format!("M{x} {TOP}V{}", px(floor))) {}
                text.small.middle x=(x) y=(px(floor + 18.0)) { (format!("{:.0} %", 100.0 * tick)) }
            }
            path.chance d=(format!("M{} {TOP}V{}", px(scale.at(chance)), px(floor))) {}
            @for (index, row) in rows.iter().enumerate() {
                (line(&scale, row, TOP + LINE * (index as f64 + 0.5)))
            }
        }
    }
}

/// From the tenth below chance or the lowest rate to the tenth above the highest.
fn domain(rows: &[Row], chance: f64) -> (f64, f64) {
    let values = rows.iter().flat_map(|row| &row.values).map(|(_, value)| *value);
    let (low, high) = values.fold((chance, chance), |(low, high), v| (low.min(v), high.max(v)));
    let down = ((low * 10.0 - 0.2).floor() / 10.0).max(0.0);
    let up = ((high * 10.0 + 0.2).ceil() / 10.0).min(1.0);
    (down, up)
}

fn description(rows: &[Row]) -> String {
    let one = |row: &Row| {
        let low = row.values.iter().map(|(_, v)| *v).reduce(f64::min);
        let high = row.values.iter().map(|(_, v)| *v).reduce(f64::max);
        format!(
            "{}: mean {} %, lowest {} %, highest {} %.",
            row.label,
            percent(row.mean),
            percent(low),
            percent(high)
        )
    };
    rows.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn line(scale: &Scale, row: &Row, y: f64) -> Markup {
    let (dots, below) = (px(y + 4.0), y + 16.0);
    html! {
        text.method x=(px(EDGE + 3.0)) y=(px(y - 9.0)) { (row.label) }
        @for (fold, value) in &row.values {
            circle.fold cx=(px(scale.at(*value))) cy=(dots) r="4" {
                title { (fold) ": " (percent(Some(*value))) " %" }
            }
        }
        @if let (Some(mean), Some(sd)) = (row.mean, row.sd) {
            @let ends = (px(scale.at((mean - sd).max(0.0))), px(scale.at((mean + sd).min(1.0))));
            path.whisker d=(format!("M{} {}H{}", ends.0, px(below), ends.1)) {}
        }
        @if let Some(mean) = row.mean {
            @let ends = (px(below - 4.0), px(below + 4.0));
            path.mean d=(format!("M{} {}V{}", px(scale.at(mean)), ends.0, ends.1)) {}
        }
    }
}
