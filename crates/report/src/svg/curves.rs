//! Rates over the amount of label noise, a line for every method.

use maud::{Markup, html};

use super::scale::{Scale, px};
use crate::format::percent;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 210.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 38.0;
/// Least distance of two names at the lines' ends.
const NAME: f64 = 15.0;
/// Kinds of line that the style sheet has: colour and dashes together tell them apart.
const KINDS: usize = 8;

/// One method.
pub(crate) struct Curve {
    /// Its name.
    pub(crate) label: String,
    /// Noise and the method's rate there, both as fractions of 1, by rising noise.
    pub(crate) points: Vec<(f64, f64)>,
}

/// The figure; `what` says which rate it is.
pub(crate) fn render(id: &str, what: &str, curves: &[Curve]) -> Markup {
    let (title, text) = (format!("{id}-title"), format!("{id}-text"));
    let (noise, rate) = scales(curves);
    let floor = HEIGHT - BOTTOM;
    html! {
        svg role="img" aria-labelledby=(title) aria-describedby=(text)
            viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) width=(WIDTH) {
            title id=(title) { (what) " over label noise, by method" }
            desc id=(text) { (description(curves)) }
            @for tick in rate.ticks(5) {
                @let y = rate.at(tick);
                path.grid d=(format!("M{LEFT} {}H{}", px(y), px(WIDTH - RIGHT))) {}
                text.small.end x=(px(LEFT - 6.0)) y=(px(y + 4.0)) { (whole_percent(tick)) }
            }
            path.axis d=(format!("M{LEFT} {}H{}", px(floor), px(WIDTH - RIGHT))) {}
            @for tick in noise.ticks(5) {
                text.small.middle x=(px(noise.at(tick))) y=(px(floor + 15.0)) { (whole_percent(tick)) }
            }
            text.small.middle x=(px(f64::midpoint(LEFT, WIDTH - RIGHT))) y=(px(HEIGHT - 4.0)) {
                "share of noisy labels"
            }
            @for (index, (curve, y)) in curves.iter().zip(name_places(curves, rate)).enumerate() {
                (line(curve, index, noise, rate))
                text x=(px(WIDTH - RIGHT + 10.0)) y=(px(y + 4.0)) { (curve.label) }
            }
        }
    }
}

fn whole_percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn scales(curves: &[Curve]) -> (Scale, Scale) {
    let range = |pick: fn(&(f64, f64)) -> f64| {
        let values = || curves.iter().flat_map(|curve| &curve.points).map(pick);
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
    };
    let (low, high) = range(|point| point.1);
    let room = 0.08 * (high - low).max(0.02);
    let rate = Scale { domain: (low - room, high + room), range: (HEIGHT - BOTTOM, TOP) };
    (Scale { domain: range(|point| point.0), range: (LEFT, WIDTH - RIGHT) }, rate)
}

fn description(curves: &[Curve]) -> String {
    let one = |curve: &Curve| {
        let point = |(noise, rate): &(f64, f64)| {
            format!("{} at {}", percent(Some(*rate)), whole_percent(*noise))
        };
        let points: Vec<String> = curve.points.iter().map(point).collect();
        format!("{}: {}.", curve.label, points.join(", "))
    };
    curves.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn line(curve: &Curve, index: usize, noise: Scale, rate: Scale) -> Markup {
    let kind = format!("series series-{}", index % KINDS);
    let point = |(x, y): &(f64, f64)| format!("{} {}", px(noise.at(*x)), px(rate.at(*y)));
    let points: Vec<String> = curve.points.iter().map(point).collect();
    html! {
        path class=(kind) d=(format!("M{}", points.join("L"))) {}
        @for (x, y) in &curve.points {
            circle class=(format!("{kind} dot")) r="2.5" cx=(px(noise.at(*x))) cy=(px(rate.at(*y))) {}
        }
    }
}

/// Heights of the names: those of the lines' ends, moved down where two would touch.
fn name_places(curves: &[Curve], rate: Scale) -> Vec<f64> {
    let end = |curve: &Curve| curve.points.last().map_or(HEIGHT, |point| rate.at(point.1));
    let mut order: Vec<(usize, f64)> = curves.iter().map(end).enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut places = vec![0.0; curves.len()];
    let mut free = TOP;
    for (index, y) in order {
        places[index] = y.max(free);
        free = places[index] + NAME;
    }
    // Where the last would leave the figure, all that touch move up.
    let over = (free - NAME - (HEIGHT - BOTTOM)).max(0.0);
    places.iter().map(|y| (y - over).max(TOP)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(label: &str, rates: &[f64]) -> Curve {
        let points = rates.iter().enumerate().map(|(n, rate)| (0.1 * n as f64, *rate)).collect();
        Curve { label: label.to_owned(), points }
    }

    #[test]
    fn draws_a_line_and_a_name_for_every_method() {
        let curves = [curve("BLSTM + ATT", &[0.8, 0.7, 0.5]), curve("w", &[0.8, 0.75, 0.5])];
        let svg = render("noise", "UA", &curves).into_string();
        insta::assert_snapshot!("curves", svg.replace("><", ">\n<"));
    }

    #[test]
    fn names_never_touch() {
        let curves: Vec<Curve> = (0..8).map(|n| curve(&n.to_string(), &[0.9, 0.5])).collect();
        let (_, rate) = scales(&curves);
        let mut places = name_places(&curves, rate);
        places.sort_by(f64::total_cmp);
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= NAME - 1e-9), "{places:?}");
        assert!(places.iter().all(|y| (TOP..=HEIGHT - BOTTOM).contains(y)), "{places:?}");
    }
}
