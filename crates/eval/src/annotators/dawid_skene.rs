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
}

impl DawidSkene {
    /// Estimates by expectation and maximisation in turn, until no probability moves by more than 1e-9, at most
    /// a thousand times. Nothing is known of the classes without any rating.
    ///
    /// ```
    /// use ambivox_eval::{DawidSkene, Rating, Ratings};
    ///
    /// let all = |classes: [usize; 3]| {
    ///     (0..3).map(|annotator| Rating { annotator, class: classes[annotator] }).collect()
    /// };
    /// let ratings = Ratings::new(2, vec![all([0, 0, 1]), all([1, 1, 0]), all([0, 0, 0]), all([1, 1, 1])])?;
    /// let estimate = DawidSkene::of(&ratings);
    /// assert!(estimate.probabilities[0][0] > 0.9, "the third annotator is overruled");
    /// # Ok::<(), ambivox_eval::EvalError>(())
    /// ```
    pub fn of(ratings: &Ratings) -> Self {
        let mut probabilities: Vec<Vec<f64>> = ratings.counts().iter().map(|c| shares(c)).collect();
        let weighted: Vec<Weighted> = ratings.weighted().collect();
        let size = (ratings.classes(), ratings.annotators());
        let mut erring = Erring::of(size, &weighted, &probabilities);
        for _ in 0..ROUNDS {
            let moved = erring.expect(&weighted, &mut probabilities);
            erring = Erring::of(size, &weighted, &probabilities);
            if moved <= STILL {
                break;
            }
        }
        Self { probabilities, prior: erring.prior }
    }

    /// Of every annotator: how many of the ratings name the true class, as a share; none for who rated nothing.
    pub fn accuracy(&self, ratings: &Ratings) -> Vec<Option<f64>> {
        ratings.annotator_means(|place, rating, weight| {
            Some((self.probabilities[place][rating.class], weight))
        })
    }
}

/// Counts as shares; equal ones where there are none.
fn shares(counts: &[f64]) -> Vec<f64> {
    let total: f64 = counts.iter().sum();
    let even = 1.0 / counts.len() as f64;
    counts.iter().map(|count| if total > 0.0 { count / total } else { even }).collect()
}

/// The ratings of one utterance, each with its weight.
type Weighted = Vec<(Rating, f64)>;

/// How frequent classes are, and how annotators name them.
struct Erring {
    prior: Vec<f64>,
    /// Natural logarithms of the probability of naming, by annotator, class named and true class.
    logs: Vec<f64>,
}

impl Erring {
    /// What is the most likely, the classes being as probable as this.
    fn of(
        (classes, annotators): (usize, usize),
        ratings: &[Weighted],
        probabilities: &[Vec<f64>],
    ) -> Self {
        let mut prior = vec![0.0; classes];
        let mut named = vec![0.0; annotators * classes * classes];
        let rated = ratings.iter().filter(|ratings| !ratings.is_empty()).count() as f64;
        for (of_utterance, probabilities) in ratings.iter().zip(probabilities) {
            if of_utterance.is_empty() {
                continue;
            }
            for (sum, probability) in prior.iter_mut().zip(probabilities) {
                *sum += probability / rated;
            }
            for (rating, weight) in of_utterance {
                let from = (rating.annotator * classes + rating.class) * classes;
                for (sum, probability) in named[from..from + classes].iter_mut().zip(probabilities)
                {
                    *sum += weight * probability;
                }
            }
        }
        named.chunks_mut(classes * classes).for_each(|own| to_logs(own, classes));
        Self { prior, logs: named }
    }

    /// Makes the classes of every utterance as probable as they are with annotators who err like this; the
    /// furthest that any probability moved.
    fn expect(&self, ratings: &[Weighted], probabilities: &mut [Vec<f64>]) -> f64 {
        let classes = self.prior.len();
        let prior: Vec<f64> = self.prior.iter().map(|share| libm::log(share.max(LEAST))).collect();
        let mut furthest = 0.0_f64;
        for (of_utterance, before) in ratings.iter().zip(probabilities) {
            let mut logs = prior.clone();
            for (rating, weight) in of_utterance {
                let from = (rating.annotator * classes + rating.class) * classes;
                for (log, own) in logs.iter_mut().zip(&self.logs[from..from + classes]) {
                    *log += weight * own;
                }
            }
            let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for log in &mut logs {
                *log = libm::exp(*log - top);
            }
            let after = shares(&logs);
            let moved = before.iter().zip(&after).map(|(a, b)| (a - b).abs());
            furthest = moved.fold(furthest, f64::max);
            *before = after;
        }
        furthest
    }
}

/// Counts of one annotator, by class named and true class, as logarithms of the probability of naming, among the
/// classes that this annotator has ever named.
fn to_logs(own: &mut [f64], classes: usize) {
    let given =
        |own: &[f64], named: usize| own[named * classes..][..classes].iter().sum::<f64>() > 0.0;
    let given: Vec<bool> = (0..classes).map(|named| given(own, named)).collect();
    for class in 0..classes {
        let places =
            (0..classes).filter(|named| given[*named]).map(|named| named * classes + class);
        let places: Vec<usize> = places.collect();
        let total: f64 = places.iter().map(|place| own[*place].max(LEAST)).sum();
        for place in places {
            own[place] = libm::log(own[place].max(LEAST) / total);
        }
    }
}
