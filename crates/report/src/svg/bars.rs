//! Where labels went: a bar for every gold class, divided by learned class.

use maud::{Markup, html};

use super::label::{LETTER, label_width};
use super::scale::px;
use crate::format::{count, percent};

const WIDTH: f64 = 480.0;
const SHOWN: f64 = 640.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 4.0;
const BAR: f64 = 26.0;
const STEP: f64 = 36.0;
/// Space that a text leaves free on both sides together.
const FREE: f64 = 4.0;
/// Colours that the style sheet has for classes.
const COLOURS: usize = 12;

/// What to draw.
pub(crate) struct Bars<'a> {
    /// Unique within the page.
    pub(crate) id: &'a str,
    /// For readers who do not see the figure.
    pub(crate) title: &'a str,
    /// Names of the classes.
    pub(crate) classes: &'a [String],
    /// Counts by gold (row) and learned class (column).
    pub(crate) rows: &'a [Vec<u64>],
}

/// A part of a bar.
struct Part {
    /// The learned class.
    class: usize,
    utterances: u64,
    share: f64,
    /// Share of all parts before it.
    start: f64,
}

impl Bars<'_> {
    /// The parts of a class's bar: what was kept, then where the rest went; none of an empty class.
    fn parts(&self, gold: usize) -> Vec<Part> {
        let row = &self.rows[gold];
        let total: u64 = row.iter().sum();
        let others = (0..row.len()).filter(|class| *class != gold);
        let mut before = 0;
        let part = |class: usize| {
            let (start, utterances) = (before as f64 / total as f64, row[class]);
            before += utterances;
            Part { class, utterances, share: utterances as f64 / total as f64, start }
        };
        let parts = std::iter::once(gold).chain(others).filter(|class| row[*class] > 0).map(part);
        parts.collect()
    }

    fn left(&self) -> f64 {
        label_width(self.classes) + 12.0
    }

    fn width(&self) -> f64 {
        WIDTH - RIGHT - self.left()
    }

    /// All parts in words, for readers who do not see the figure.
    fn description(&self) -> String {
        let of_class = |(gold, class): (usize, &String)| {
            let text = |part: &Part| {
                let to = if part.class == gold { "kept" } else { "to " };
                let name = if part.class == gold { "" } else { &self.classes[part.class] };
                format!("{} % {to}{name}", percent(Some(part.share)))
            };
            let parts: Vec<String> = self.parts(gold).iter().map(text).collect();
            format!("{class}: {}.", parts.join(", "))
        };
        self.classes.iter().enumerate().map(of_class).collect::<Vec<_>>().join(" ")
    }
}

/// The figure.
pub(crate) fn render(bars: &Bars<'_>) -> Markup {
    let (title, text) = (format!("{}-title", bars.id), format!("{}-text", bars.id));
    let floor = TOP + STEP * bars.classes.len() as f64;
    html! {
        svg role="img" aria-labelledby=(title) aria-describedby=(text)
            viewBox=(format!("0 0 {WIDTH} {}", px(floor + 18.0))) width=(SHOWN) {
            title id=(title) { (bars.title) }
            desc id=(text) { (bars.description()) }
            @for (gold, class) in bars.classes.iter().enumerate() {
                @let y = TOP + STEP * gold as f64;
                text.end x=(px(bars.left() - 8.0)) y=(px(y + BAR / 2.0 + 4.0)) { (class) }
                @for part in bars.parts(gold) { (segment(bars, gold, &part, y)) }
            }
            @for tick in 0..=4 {
                @let x = px(bars.left() + bars.width() * f64::from(tick) / 4.0);
                text.small.middle x=(x) y=(px(floor + 10.0)) { (25 * tick) " %" }
            }
        }
    }
}

fn segment(bars: &Bars<'_>, gold: usize, part: &Part, y: f64) -> Markup {
    let (x, width) = (bars.left() + part.start * bars.width(), part.share * bars.width());
    let kept = part.class == gold;
    let class = &bars.classes[part.class];
    let share = percent(Some(part.share));
    let short: String = class.chars().take(3).collect();
    let long = format!("{} {share}", if kept { "kept" } else { &short });
    let fits = |text: &String| text.chars().count() as f64 * LETTER + FREE <= width;
    let label = [long, share.clone()].into_iter().find(fits);
    html! {
        rect class=(colour(part.class)) x=(px(x)) y=(px(y)) width=(px(width)) height=(BAR) {
            title {
                (bars.classes[gold]) @if kept { " kept" } @else { " to " (class) } ": "
                (share) " %, " (count(part.utterances))
            }
        }
        @if let Some(label) = label {
            text.middle.kept[kept] x=(px(x + width / 2.0)) y=(px(y + BAR / 2.0 + 4.0)) { (label) }
        }
    }
}

/// The style sheet's names of a part of a class's colour.
fn colour(class: usize) -> String {
    format!("part class-{}", class % COLOURS)
}

/// What the colours mean.
pub(crate) fn legend(classes: &[String]) -> Markup {
    html! {
        ul.legend {
            @for (class, name) in classes.iter().enumerate() {
                li {
                    svg aria-hidden="true" width="14" height="14" viewBox="0 0 14 14" {
                        rect class=(colour(class)) width="14" height="14" {}
                    }
                    (name)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes() -> Vec<String> {
        ["happiness", "sadness", "neutral"].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_bar_is_what_was_kept_and_then_where_the_rest_went() {
        let rows = [vec![50, 25, 25], vec![0, 0, 0], vec![1, 0, 199]];
        let bars = Bars { id: "b", title: "Moves", classes: &classes(), rows: &rows };
        let parts = |gold: usize| -> Vec<(usize, f64, f64)> {
            bars.parts(gold).iter().map(|part| (part.class, part.start, part.share)).collect()
        };
        assert_eq!(parts(0), [(0, 0.0, 0.5), (1, 0.5, 0.25), (2, 0.75, 0.25)]);
        assert_eq!(parts(1), []);
        assert_eq!(parts(2), [(2, 0.0, 0.995), (0, 0.995, 0.005)]);
        insta::assert_snapshot!(render(&bars).into_string());
    }
}
