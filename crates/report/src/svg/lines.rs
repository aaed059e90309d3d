//! Learning curves of one fold.

use ambivox_eval::{EpochRecord, RunHistory};
use ambivox_settings::counted;
use maud::{Markup, html};

use super::scale::{Scale, px, tick_label};

const WIDTH: f64 = 200.0;
const HEIGHT: f64 = 148.0;
const LEFT: f64 = 30.0;
const RIGHT: f64 = 6.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 20.0;

/// Scales that several charts share.
pub(crate) struct Frame {
    epochs: Scale,
    loss: Scale,
}

impl Frame {
    /// Scales that hold every epoch and loss of `runs`.
    pub(crate) fn around<'a>(runs: impl Iterator<Item = &'a RunHistory>) -> Self {
        let mut last = 2.0_f64;
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for epoch in runs.flat_map(|run| &run.epochs) {
            last = last.max(epoch.epoch as f64);
            for loss in [epoch.train_loss].into_iter().chain(epoch.validation_loss) {
                (low, high) = (low.min(loss), high.max(loss));
            }
        }
        let room = 0.06 * (high - low);
        Self {
            epochs: Scale { domain: (1.0, last), range: (LEFT, WIDTH - RIGHT) },
            loss: Scale { domain: (low - room, high + room), range: (HEIGHT - BOTTOM, TOP) },
        }
    }
}

/// One fold's runs.
pub(crate) struct Chart<'a> {
    /// Unique within the page.
    pub(crate) id: &'a str,
    /// The fold's name.
    pub(crate) fold: &'a str,
    /// The method's name.
    pub(crate) method: &'a str,
    /// A run for each seed.
    pub(crate) runs: &'a [&'a RunHistory],
}

/// The figure.
pub(crate) fn render(frame: &Frame, chart: &Chart<'_>) -> Markup {
    let (title, text) = (format!("{}-title", chart.id), format!("{}-text", chart.id));
    html! {
        svg role="img" aria-labelledby=(title) aria-describedby=(text)
            viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) {
            title id=(title) { "Learning curves of " (chart.method) ", fold " (chart.fold) }
            desc id=(text) { (description(chart.runs)) }
            text x=(px(LEFT)) y="14" { (chart.fold) }
            (axes(frame))
            @for run in chart.runs { (curves(frame, run)) }
            @for run in chart.runs { (chosen(frame, run)) }
        }
    }
}

/// A piece of line, for the legend.
pub(crate) fn swatch(class: &str) -> Markup {
    html! {
        svg width="28" height="10" viewBox="0 0 28 10" aria-hidden="true" {
            path class=(class) d="M0 5H28" {}
        }
    }
}

/// A dot as that of the epoch kept, for the legend.
pub(crate) fn dot() -> Markup {
    html! {
        svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true" {
            circle.chosen cx="5" cy="5" r="3.5" {}
        }
    }
}

fn description(runs: &[&RunHistory]) -> String {
    let one = |run: &&RunHistory| {
        let best = run.best().and_then(|best| best.validation_loss);
        let loss = best.map_or(String::new(), |loss| format!(", validation loss {loss:.3}"));
        format!(
            "Seed {}: {}, epoch {} kept{loss}.",
            run.seed,
            counted(run.epochs.len(), "epoch"),
            run.best_epoch
        )
    };
    runs.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn axes(frame: &Frame) -> Markup {
    let floor = HEIGHT - BOTTOM;
    html! {
        @for loss in frame.loss.ticks(4) {
            @let y = frame.loss.at(loss);
            path.grid d=(format!("M{} {}H{}", px(LEFT), px(y), px(WIDTH - RIGHT))) {}
            text.small.end x=(px(LEFT - 5.0)) y=(px(y + 4.0)) { (tick_label(loss)) }
        }
        path.axis d=(format!("M{} {}H{}", px(LEFT), px(floor), px(WIDTH - RIGHT))) {}
        @for epoch in frame.epochs.ticks(3) {
            text.small.middle x=(px(frame.epochs.at(epoch))) y=(px(floor + 14.0)) {
                (tick_label(epoch))
            }
        }
    }
}

fn curves(frame: &Frame, run: &RunHistory) -> Markup {
    html! {
        path.train d=(path(frame, run, |epoch| Some(epoch.train_loss))) {}
        @if run.epochs.iter().any(|epoch| epoch.validation_loss.is_some()) {
            path.validation d=(path(frame, run, |epoch| epoch.validation_loss)) {}
        }
    }
}

fn path(frame: &Frame, run: &RunHistory, loss: impl Fn(&EpochRecord) -> Option<f64>) -> String {
    let point = |epoch: &EpochRecord| {
        let (x, y) = (frame.epochs.at(epoch.epoch as f64), frame.loss.at(loss(epoch)?));
        Some(format!("{} {}", px(x), px(y)))
    };
    let points: Vec<String> = run.epochs.iter().filter_map(point).collect();
    format!("M{}", points.join("L"))
}

fn chosen(frame: &Frame, run: &RunHistory) -> Markup {
    html! {
        @if let Some(best) = run.best() {
            circle.chosen r="3.5" cx=(px(frame.epochs.at(best.epoch as f64)))
                cy=(px(frame.loss.at(best.validation_loss.unwrap_or(best.train_loss)))) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunHistory {
        let epoch = |epoch, train_loss, validation_loss| EpochRecord {
            epoch,
            train_loss,
            validation_loss: Some(validation_loss),
            ..EpochRecord::default()
        };
        RunHistory {
            schema: 1,
            method: "baseline".to_owned(),
            seed: 0,
            fold: "A".to_owned(),
            classes: vec!["x".to_owned(), "y".to_owned()],
            train_utterances: 8,
            validation_utterances: 4,
            test_utterances: 4,
            parameters: 100,
            best_epoch: 2,
            chosen: std::collections::BTreeMap::new(),
            initial_mean_weight: None,
            epochs: vec![epoch(1, 2.0, 1.5), epoch(2, 1.0, 1.25), epoch(3, 0.5, 1.75)],
        }
    }

    #[test]
    fn draws_both_losses_and_the_epoch_kept() {
        let run = run();
        let frame = Frame::around([&run].into_iter());
        let chart = Chart { id: "c", fold: "A", method: "BLSTM + ATT", runs: &[&run] };
        insta::assert_snapshot!(
            "lines",
            render(&frame, &chart).into_string().replace("><", ">\n<")
        );
    }

    #[test]
    fn one_flat_epoch_stays_within_the_frame() {
        let mut run = run();
        run.epochs.truncate(1);
        run.epochs[0].validation_loss = Some(run.epochs[0].train_loss);
        run.best_epoch = 1;
        let frame = Frame::around([&run].into_iter());
        let y = frame.loss.at(run.epochs[0].train_loss);
        assert!((TOP..=HEIGHT - BOTTOM).contains(&y));
        assert_eq!(frame.epochs.at(1.0), LEFT);
    }
}
