//! A combination of detectors, chosen by how much label noise it finds that was added to the corpus at hand on
//! purpose: never by the labels that it is to rank.

use std::collections::BTreeSet;

use crate::audit::{Evidence, shares_below};
use crate::{DETECTORS, Detection, Detector, mean_sd};

/// Asks for the combination in the place of a detector's name.
pub const CHOSEN: &str = "chosen";
/// What to call it in a table.
pub const CHOSEN_TITLE: &str = "chosen by label noise";

/// One draw of label noise at one rate, and what each detector finds of it.
#[derive(Debug, Clone)]
pub struct Draw {
    /// Share of noisy labels.
    pub rate: f64,
    /// The seed of the runs, each of which has noise of its own.
    pub seed: u64,
    wrong: Vec<bool>,
    /// By detector, for each utterance the share of those that are less suspect; of detectors that score all.
    places: Vec<Option<Vec<f64>>>,
}

impl Draw {
    /// Of utterances and whether their labels are noisy, in the same order; `None` where no label is noisy, or all
    /// are, which tells nothing of detectors.
    pub fn of(rate: f64, seed: u64, evidence: &[Evidence], wrong: Vec<bool>) -> Option<Self> {
        let places = DETECTORS.iter().map(|detector| places(detector, evidence)).collect();
        let tells = wrong.contains(&true) && wrong.contains(&false);
        tells.then_some(Self { rate, seed, wrong, places })
    }

    /// How well these detectors find the noisy labels together; `None` where one of them does not score all
    /// utterances.
    fn detection(&self, detectors: &[usize]) -> Option<Detection> {
        let places = detectors.iter().map(|&at| self.places[at].as_deref());
        let scores = mean_places(&places.collect::<Option<Vec<&[f64]>>>()?);
        Detection::of(scores.into_iter().zip(self.wrong.iter().copied()))
    }
}

/// Shares of utterances that are less suspect by a detector that scores all.
fn places(detector: &Detector, evidence: &[Evidence]) -> Option<Vec<f64>> {
    let scores: Option<Vec<f64>> = detector.scores(evidence).into_iter().collect();
    scores.map(|scores| shares_below(&scores))
}

/// The mean over detectors of the share of less suspect utterances.
pub(crate) fn mean_places(places: &[&[f64]]) -> Vec<f64> {
    let utterances = places.first().map_or(0, |places| places.len());
    let sum = |at: usize| places.iter().map(|places| places[at]).sum::<f64>();
    (0..utterances).map(|at| sum(at) / places.len() as f64).collect()
}

/// The score of each utterance by a combination of detectors: of those that all of them score, the mean share
/// that is less suspect; `None` for others.
pub fn combined(detectors: &[&Detector], evidence: &[Evidence]) -> Vec<Option<f64>> {
    let scores: Vec<Vec<Option<f64>>> = detectors.iter().map(|one| one.scores(evidence)).collect();
    let is_scored = |at: &usize| scores.iter().all(|scores| scores[*at].is_some());
    let scored: Vec<usize> = (0..evidence.len()).filter(is_scored).collect();
    let places = |scores: &Vec<Option<f64>>| {
        shares_below(&scored.iter().filter_map(|&at| scores[at]).collect::<Vec<f64>>())
    };
    let places: Vec<Vec<f64>> = scores.iter().map(places).collect();
    let means = mean_places(&places.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let mut combined = vec![None; evidence.len()];
    scored.into_iter().zip(means).for_each(|(at, mean)| combined[at] = Some(mean));
    combined
}

/// Chooses a combination by forward selection: the detector with the highest mean of average precision over the
/// draws, and then, one after the other, the one that raises it most, as long as it rises by more than the standard
/// error of the difference over the draws. Draws share utterances, so that this is where to stop and no test. Of
/// equals the first in the order of [`DETECTORS`]. None where no detector scores all utterances of every draw.
pub fn choose<'a>(draws: impl IntoIterator<Item = &'a Draw>) -> Vec<&'static Detector> {
    let draws: Vec<&Draw> = draws.into_iter().collect();
    let mut chosen: Vec<usize> = Vec::new();
    let mut precisions: Vec<f64> = Vec::new();
    while let Some((more, found)) = best_with(&draws, &chosen) {
        if !chosen.is_empty() && !rises(&precisions, &found) {
            break;
        }
        chosen.push(more);
        precisions = found;
    }
    chosen.into_iter().map(|at| &DETECTORS[at]).collect()
}

/// The detector with which those chosen have the highest mean of average precision, and that of every draw.
fn best_with(draws: &[&Draw], chosen: &[usize]) -> Option<(usize, Vec<f64>)> {
    let mut best: Option<(usize, Vec<f64>)> = None;
    for more in (0..DETECTORS.len()).filter(|at| !chosen.contains(at)) {
        let together = [chosen, &[more]].concat();
        let precision = |draw: &&Draw| Some(draw.detection(&together)?.average_precision);
        let Some(found) = draws.iter().map(precision).collect::<Option<Vec<f64>>>() else {
            continue;
        };
        let sum = |found: &[f64]| found.iter().sum::<f64>();
        if !found.is_empty() && best.as_ref().is_none_or(|(_, best)| sum(&found) > sum(best)) {
            best = Some((more, found));
        }
    }
    best
}

/// Whether figures are higher by more than the standard error of their difference, which one draw does not tell.
fn rises(before: &[f64], after: &[f64]) -> bool {
    let over = mean_sd(before.iter().zip(after).map(|(before, after)| after - before));
    over.is_some_and(|over| over.sd.is_some_and(|sd| over.mean > sd / (before.len() as f64).sqrt()))
}

/// What such a choice finds, by rate of noise and then by seed: the draws of each seed are judged by the choice
/// made on those of all other seeds, so that no figure is of the noise by which it was chosen. Empty for one seed.
pub fn found_by_choice(draws: &[Draw]) -> Vec<(f64, Detection)> {
    let seeds: BTreeSet<u64> = draws.iter().map(|draw| draw.seed).collect();
    let mut found: Vec<(f64, Detection)> = Vec::new();
    for seed in seeds {
        let chosen = choose(draws.iter().filter(|draw| draw.seed != seed));
        let chosen: Vec<usize> =
            chosen.iter().filter_map(|one| Some(Detector::find(one.name)?.0)).collect();
        let own = draws.iter().filter(|draw| draw.seed == seed);
        found.extend(own.filter_map(|draw| Some((draw.rate, draw.detection(&chosen)?))));
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::seen;

    /// Four utterances, of which the first two are wrong, by loss and by out-of-fold probability of the label.
    fn draw(seed: u64, told: [(f64, f64); 4]) -> Draw {
        let evidence = told.map(|(loss, p)| seen("a", [1.0, 0.0], loss, [p, 1.0 - p]));
        Draw::of(0.5, seed, &evidence, vec![true, true, false, false]).unwrap()
    }

    fn names(chosen: &[&Detector]) -> Vec<&'static str> {
        chosen.iter().map(|detector| detector.name).collect()
    }

    #[test]
    fn the_best_is_chosen_and_what_adds_to_it() {
        // Margin and self-confidence each put a right label before a wrong one; together both wrong ones are first.
        let evidence = |shift: f64| {
            let told = [(9.0, 0.4), (4.0, 0.1), (5.0, 0.9), (1.0, 0.3 + shift)];
            told.map(|(margin, p)| Evidence {
                margin: Some(-margin),
                ..seen("a", [1.0, 0.0], 1.0, [p, 1.0 - p])
            })
        };
        let draw = |seed, shift| {
            Draw::of(0.5, seed, &evidence(shift), vec![true, true, false, false]).unwrap()
        };
        let mut draws = [draw(0, 0.0), draw(1, 0.01)];
        // But for one that is those two together already.
        let (together, _) = Detector::find("together").unwrap();
        for draw in &mut draws {
            draw.places[together] = None;
        }
        assert!(draws[0].places[0].is_none() && draws[0].places[6].is_none(), "weights, vectors");
        let chosen = choose(&draws);
        assert_eq!(names(&chosen), ["margin", "self-confidence"]);
        let mut evidence = evidence(0.0);
        let scores = combined(&chosen, &evidence);
        assert!(scores[..2].iter().all(|wrong| scores[2..].iter().all(|right| wrong > right)));
        // Whoever one of them does not score has none, and the others are placed among themselves.
        evidence[3].margin = None;
        let scores = combined(&chosen, &evidence);
        assert!(scores[3].is_none() && scores[..3].iter().all(Option::is_some), "{scores:?}");
        assert_eq!(scores[..3].iter().flatten().sum::<f64>(), 1.5);
    }

    #[test]
    fn one_is_enough_where_nothing_adds() {
        let by_loss = [(3.0, 0.5), (2.0, 0.9), (1.0, 0.9), (0.5, 0.2)];
        assert_eq!(names(&choose(&[draw(0, by_loss), draw(1, by_loss)])), ["loss"]);
        assert!(choose(&[]).is_empty());
        let evidence = by_loss.map(|(loss, p)| seen("a", [1.0, 0.0], loss, [p, 1.0 - p]));
        assert!(Draw::of(0.0, 0, &evidence, vec![false; 4]).is_none(), "no noise");
        assert_eq!(combined(&[&DETECTORS[0]], &evidence), [None; 4], "no weight has moved");
    }

    /// A gain within the standard error of the draws is no gain.
    #[test]
    fn what_chance_does_is_not_added() {
        assert!(!rises(&[0.5, 0.6, 0.7], &[0.9, 0.3, 0.7]));
        assert!(rises(&[0.5, 0.6, 0.7], &[0.6, 0.7, 0.81]));
        assert!(!rises(&[0.5], &[0.9]), "of one draw");
    }

    #[test]
    fn figures_are_of_draws_that_did_not_choose() {
        let by_loss = [(3.0, 0.9), (2.0, 0.8), (1.0, 0.2), (0.5, 0.1)];
        let by_confidence = [(0.5, 0.1), (1.0, 0.2), (2.0, 0.8), (3.0, 0.9)];
        let found = found_by_choice(&[draw(0, by_loss), draw(1, by_confidence)]);
        assert_eq!(found.len(), 2);
        // Each seed is judged by the choice of the other, which is wrong of it.
        assert!(found.iter().all(|(rate, found)| *rate == 0.5 && found.auroc < 0.5), "{found:?}");
        assert!(found_by_choice(&[draw(0, by_loss)]).is_empty());
    }
}
