//! Dawid and Skene (1979): what utterances are and how annotators err, each by the other in turn.

use super::{Rating, Ratings};

/// A share of no more than this counts as this much, so that an annotator who never confused two classes is not
/// thought unable to.
const LEAST: f64 = 1e-10;
/// No probability moves further than this when the estimate has been found.
const STILL: f64 = 1e-9;
/// Rounds after which an estimate that still moves is taken as it is.
const ROUNDS: usize = 1000;

/// The estimate of highest likelihood that is found from the shares of the ratings.
///
/// Every utterance has one true class; every annotator names it by a row of probabilities of that annotator's own
/// for each true class, whatever the utterance.
#[derive(Debug, Clone, PartialEq)]
pub struct DawidSkene {
    /// Probability of each class, by utterance. Of an utterance without ratings: how frequent the classes are.
    pub probabilities: Vec<Vec<f64>>,
    /// How frequent the classes are.
    pub prior: Vec<f64>,
    /// By annotator, true class and class named: the probability of naming it.
    pub confusions: Vec<Vec<Vec<f64>>>,
}

impl DawidSkene {
    /// Estimates by expectation and maximisation in turn. Nothing is known of the classes without any rating.
    pub fn of(ratings: &Ratings) -> Self {
        let mut probabilities: Vec<Vec<f64>> = ratings.counts().iter().map(|c| shares(c)).collect();
        let (mut prior, mut confusions) = maximised(ratings, &probabilities);
        for _ in 0..ROUNDS {
            let next = expected(ratings, &prior, &confusions);
            let moved = furthest(&probabilities, &next);
            probabilities = next;
            (prior, confusions) = maximised(ratings, &probabilities);
            if moved <= STILL {
                break;
            }
        }
        Self { probabilities, prior, confusions }
    }

    /// Of every annotator: the probability of naming the true class of an utterance that is drawn as the corpus
    /// has them. None for who rated nothing.
    pub fn accuracy(&self) -> Vec<Option<f64>> {
        let right = |confusion: &Vec<Vec<f64>>| {
            let rated = confusion.iter().flatten().any(|share| *share > 0.0);
            let named = |(class, prior): (usize, &f64)| prior * confusion[class][class];
            rated.then(|| self.prior.iter().enumerate().map(named).sum())
        };
        self.confusions.iter().map(right).collect()
    }
}

/// Counts as shares; equal ones where there are none.
fn shares(counts: &[f64]) -> Vec<f64> {
    let total: f64 = counts.iter().sum();
    let even = 1.0 / counts.len() as f64;
    counts.iter().map(|count| if total > 0.0 { count / total } else { even }).collect()
}

/// Prior and confusions that are the most likely, the classes being as probable as this.
fn maximised(ratings: &Ratings, probabilities: &[Vec<f64>]) -> (Vec<f64>, Vec<Vec<Vec<f64>>>) {
    let classes = ratings.classes();
    let mut prior = vec![0.0; classes];
    let mut named = vec![vec![vec![0.0; classes]; classes]; ratings.annotators()];
    let mut given = vec![vec![false; classes]; ratings.annotators()];
    let rated = ratings.utterances().iter().filter(|ratings| !ratings.is_empty()).count() as f64;
    let pairs = ratings.utterances().iter().zip(probabilities);
    for (of_utterance, probabilities) in pairs.filter(|(ratings, _)| !ratings.is_empty()) {
        for (class, probability) in probabilities.iter().enumerate() {
            prior[class] += probability / rated;
            for rating in of_utterance {
                named[rating.annotator][class][rating.class] += probability;
                given[rating.annotator][rating.class] = true;
            }
        }
    }
    for (confusion, given) in named.iter_mut().zip(&given) {
        confusion.iter_mut().for_each(|row| normalise(row, given));
    }
    (prior, named)
}

/// Probabilities of the classes that an annotator has ever named.
fn normalise(row: &mut [f64], given: &[bool]) {
    let clipped = |(count, given): (&f64, &bool)| if *given { count.max(LEAST) } else { 0.0 };
    let counts: Vec<f64> = row.iter().zip(given).map(clipped).collect();
    let total: f64 = counts.iter().sum();
    for (share, count) in row.iter_mut().zip(counts) {
        *share = if total > 0.0 { count / total } else { 0.0 };
    }
}

/// How probable the classes of every utterance are, the annotators erring like this.
fn expected(ratings: &Ratings, prior: &[f64], confusions: &[Vec<Vec<f64>>]) -> Vec<Vec<f64>> {
    let of_utterance = |ratings: &Vec<Rating>| {
        let log = |class: usize| {
            let named = ratings.iter().map(|r| libm::log(confusions[r.annotator][class][r.class]));
            libm::log(prior[class].max(LEAST)) + named.sum::<f64>()
        };
        let logs: Vec<f64> = (0..prior.len()).map(log).collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        shares(&logs.iter().map(|log| libm::exp(log - top)).collect::<Vec<_>>())
    };
    ratings.utterances().iter().map(of_utterance).collect()
}

fn furthest(before: &[Vec<f64>], after: &[Vec<f64>]) -> f64 {
    let pairs = before.iter().flatten().zip(after.iter().flatten());
    pairs.fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}
