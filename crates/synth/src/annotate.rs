//! Annotators who disagree: each has an error rate and a confusion matrix of their own.

use std::collections::BTreeMap;

use ambivox_settings::SynthSettings;

use crate::chance::{Chance, Purpose};
use crate::emotion::{EMOTIONS, Emotion};
use crate::plan::{self, Turn};

/// How hard each emotion is to name, relative to the others: happiness is IEMOCAP's least pure
/// label (70 unanimous turns of 595).
const DIFFICULTY: [f64; EMOTIONS] = [0.85, 1.35, 0.95, 0.85, 1.2, 1.2, 1.2, 1.1, 1.3, 1.3];

/// The lowest and the highest annotator's error rate, relative to the mean.
const ANNOTATOR_SPREAD: (f64, f64) = (0.8, 1.2);

/// Error rate at intensity 0 and at intensity 1, relative to the mean: what is weak is mistaken.
const INTENSITY_SPREAD: (f64, f64) = (1.6, 0.4);

/// No annotator is wrong more often than this, however hard the turn.
const HIGHEST_ERROR: f64 = 0.95;

/// Share of errors that name the turn's rival emotion; the others follow the annotator's own habit.
/// Annotators hear the same sound, so their errors agree more often than independent ones would.
const SHARED_ERRORS: f64 = 0.6;

/// Spread of an annotator's own confusion matrix about the common one, as a log-normal's sigma.
const HABIT_SIGMA: f64 = 0.5;

/// Chance that an annotator names a second emotion.
const SECOND_LABEL: f64 = 0.08;

/// An outside evaluator.
#[derive(Debug, Clone)]
pub(crate) struct Annotator {
    /// Chance of an error by true emotion, at mean intensity.
    error: [f64; EMOTIONS],
    /// What an error says, by true emotion: weights.
    confusion: [[f64; EMOTIONS]; EMOTIONS],
}

impl Annotator {
    /// Every annotator of the corpus. Their mean error rate is the settings' `annotator_error`.
    pub(crate) fn all(settings: &SynthSettings) -> Vec<Self> {
        (0..settings.annotators).map(|number| Self::new(settings, number)).collect()
    }

    fn new(settings: &SynthSettings, number: usize) -> Self {
        let mut chance = Chance::new(settings.seed, Purpose::Annotator, number as u64);
        let place = number as f64 / (settings.annotators - 1) as f64;
        let error = settings.annotator_error * between(ANNOTATOR_SPREAD, place) / mean_difficulty();
        Self {
            error: DIFFICULTY.map(|difficulty| error * difficulty),
            confusion: Emotion::ALL.map(|truth| {
                truth.confusion().map(|weight| weight * chance.log_normal(HABIT_SIGMA))
            }),
        }
    }

    /// The emotions this annotator names for a turn: one, seldom two.
    fn labels(&self, turn: &Turn, chance: &mut Chance) -> Vec<Emotion> {
        let mut labels = vec![self.label(turn, chance)];
        if chance.happens(SECOND_LABEL) {
            labels.push(self.mistake(labels[0], chance));
        }
        labels
    }

    fn label(&self, turn: &Turn, chance: &mut Chance) -> Emotion {
        let error = self.error[turn.truth as usize] * between(INTENSITY_SPREAD, turn.intensity);
        if !chance.happens(error.min(HIGHEST_ERROR)) {
            turn.truth
        } else if chance.happens(SHARED_ERRORS) {
            turn.rival
        } else {
            self.mistake(turn.truth, chance)
        }
    }

    /// Another emotion that this annotator takes `emotion` for.
    fn mistake(&self, emotion: Emotion, chance: &mut Chance) -> Emotion {
        Emotion::ALL[chance.weighted(&self.confusion[emotion as usize])]
    }
}

/// The point between two ends: the first at place 0, the second at 1.
fn between((first, last): (f64, f64), place: f64) -> f64 {
    first + (last - first) * place
}

/// Mean of [`DIFFICULTY`] over the turns, so that error rates can be relative to it.
fn mean_difficulty() -> f64 {
    plan::shares().iter().zip(DIFFICULTY).map(|(share, difficulty)| share * difficulty).sum()
}

/// One attribute judgement: valence, activation and dominance from 1 to 5; dominance is sometimes
/// left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rating {
    pub(crate) valence: u8,
    pub(crate) activation: u8,
    pub(crate) dominance: Option<u8>,
}

/// All that was said about one turn.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    /// Labels of each outside evaluator, in their order.
    pub(crate) labels: Vec<Vec<Emotion>>,
    /// Attribute judgements of the first outside evaluators.
    pub(crate) ratings: Vec<Rating>,
    /// What the speaker said of themselves, for some improvised turns; no part of the consensus.
    pub(crate) own: Option<(Emotion, Rating)>,
    /// One free comment for every outside evaluator, mostly empty.
    pub(crate) comments: Vec<&'static str>,
}

/// Outside evaluators who also judge the attributes.
const RATERS: usize = 2;

/// Speakers who evaluated themselves, by running number: six of the ten, as in IEMOCAP.
const SELF_EVALUATORS: u64 = 6;

/// Share of those speakers' improvised turns that have a self-evaluation.
const SELF_EVALUATED: f64 = 0.5;

/// Chance that a speaker's own label is the true emotion.
const SELF_INSIGHT: f64 = 0.7;

/// Chance of a free comment.
const COMMENTED: f64 = 0.06;

/// Free comments hold whatever people type: separators, and letters outside ASCII.
const COMMENTS: [&str; 5] = [
    "sarcastic; or not: hard to say",
    "se\u{f1}or, laughing",
    "Anger: 2; Sadness: 1;",
    "whispered (very low)",
    "[noise at the start]",
];

/// Judges one turn; `improvised` turns can have a self-evaluation.
pub(crate) fn judge(
    settings: &SynthSettings,
    annotators: &[Annotator],
    turn: &Turn,
    improvised: bool,
) -> Judgement {
    let mut chance = Chance::new(settings.seed, Purpose::Votes, turn.index);
    let labels = annotators.iter().map(|annotator| annotator.labels(turn, &mut chance)).collect();
    let ratings = (0..RATERS).map(|_| rate(turn, &mut chance)).collect();
    let judges_self = improvised && turn.speaker.index() < SELF_EVALUATORS;
    let own = (judges_self && chance.happens(SELF_EVALUATED)).then(|| own_view(turn, &mut chance));
    let comments = annotators.iter().map(|_| comment(&mut chance)).collect();
    Judgement { labels, ratings, own, comments }
}

fn own_view(turn: &Turn, chance: &mut Chance) -> (Emotion, Rating) {
    let label = if chance.happens(SELF_INSIGHT) { turn.truth } else { turn.rival };
    (label, rate(turn, chance))
}

fn comment(chance: &mut Chance) -> &'static str {
    if chance.happens(COMMENTED) { chance.pick(&COMMENTS) } else { "" }
}

/// Chance that a rater leaves dominance out.
const NO_DOMINANCE: f64 = 0.03;

fn rate(turn: &Turn, chance: &mut Chance) -> Rating {
    let neutral = Emotion::Neutral.attributes();
    let full = turn.truth.attributes();
    let [valence, activation, dominance] = [0, 1, 2].map(|i| {
        let mean = between((neutral[i], full[i]), 0.3 + 0.7 * turn.intensity);
        (mean + 0.5 * chance.normal()).round().clamp(1.0, 5.0) as u8
    });
    let dominance = (!chance.happens(NO_DOMINANCE)).then_some(dominance);
    Rating { valence, activation, dominance }
}

/// Votes of the outside evaluators; each label of an annotator who names several counts one.
pub(crate) fn votes(labels: &[Vec<Emotion>]) -> BTreeMap<Emotion, u32> {
    let mut votes = BTreeMap::new();
    for label in labels.iter().flatten() {
        *votes.entry(*label).or_insert(0) += 1;
    }
    votes
}

/// The one emotion with the most votes, if there is just one.
pub(crate) fn consensus(votes: &BTreeMap<Emotion, u32>) -> Option<Emotion> {
    let most = votes.values().max()?;
    let mut leaders = votes.iter().filter(|(_, count)| *count == most);
    let (leader, _) = leaders.next()?;
    leaders.next().is_none().then_some(*leader)
}

#[cfg(test)]
mod tests;
