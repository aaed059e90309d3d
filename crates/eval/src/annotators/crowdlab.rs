//! CROWDLAB (Goh, Tkachenko and Mueller 2022): the consensus of annotators and a model that never trained on what
//! it rates.

use super::Ratings;
use crate::{EvalError, argmax};

/// A weight of no more than this counts as this much.
const LEAST: f64 = 1e-6;

/// Consensus and its quality, by utterance, and what each annotator and the model are worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Crowdlab {
    /// The class of every utterance that ratings and model together say.
    pub consensus: Vec<usize>,
    /// How probable every class is to them.
    pub probabilities: Vec<Vec<f64>>,
    /// What each annotator's ratings are worth, from 0 to 1; none for who rated nothing with others.
    pub annotator_quality: Vec<Option<f64>>,
    /// How much one rating of each annotator counts.
    pub annotator_weight: Vec<f64>,
    /// How much the model counts.
    pub model_weight: f64,
}

impl Crowdlab {
    /// Of utterances that all have a rating, and `model`'s probability of every class for each. None where one
    /// has no rating, or none has two.
    ///
    /// As the authors' library has it (`get_label_quality_multiannotator`): the most frequent rating is weighed
    /// against annotators and model; the class most probable after that is the consensus, or at a tie that rating,
    /// and all is weighed again by it. Ratings at a tie go by the model, then to the rarer class, then to the
    /// first, where the library asks how good the annotators are and then draws. Errors: another number of
    /// probabilities than of classes, one that is not finite.
    pub fn of(ratings: &Ratings, model: &[Vec<f64>]) -> Result<Option<Self>, EvalError> {
        let (expected, rated) = (ratings.classes(), ratings.utterances());
        if let Some(row) = model.iter().find(|row| row.len() != expected) {
            return Err(EvalError::ProbabilityCount { found: row.len(), expected });
        }
        let whole = rated.len() == model.len() && rated.iter().all(|ratings| !ratings.is_empty());
        let raters = ratings.raters();
        if !whole || expected < 2 || !raters.iter().any(|raters| *raters > 1) {
            return Ok(None);
        }
        let best = |model: &[Vec<f64>]| model.iter().map(|p| argmax(p)).collect::<Result<_, _>>();
        let heard = Heard {
            ratings,
            model,
            says: best(model)?,
            counts: ratings.counts(),
            others: ratings.agreement_with_others(),
            raters,
        };
        let majority = heard.majority();
        let first = heard.weigh(&majority).probabilities;
        let is_best = |p: &[f64], class: usize| p.iter().all(|other| *other <= p[class]);
        let kept = majority.into_iter().zip(best(&first)?).zip(&first);
        let consensus: Vec<usize> =
            kept.map(|((old, new), p)| if is_best(p, old) { old } else { new }).collect();
        let Weighed { probabilities, annotators, model } = heard.weigh(&consensus);
        let annotator_quality = heard.quality(&consensus, &probabilities, &annotators, model);
        Ok(Some(Self {
            consensus,
            probabilities,
            annotator_quality,
            annotator_weight: annotators,
            model_weight: model,
        }))
    }

    /// How probable the consensus of every utterance is.
    pub fn quality(&self) -> Vec<f64> {
        let pairs = self.probabilities.iter().zip(&self.consensus);
        pairs.map(|(p, class)| p[*class]).collect()
    }
}

/// Ratings, and what the model says of the same utterances.
struct Heard<'a> {
    ratings: &'a Ratings,
    model: &'a [Vec<f64>],
    /// The class most probable to the model.
    says: Vec<usize>,
    /// How many annotators named each class, by utterance.
    counts: Vec<Vec<f64>>,
    /// How often each annotator agrees with the others.
    others: Vec<Option<f64>>,
    /// How many rated each utterance.
    raters: Vec<usize>,
}

/// What is derived from one consensus.
struct Weighed {
    probabilities: Vec<Vec<f64>>,
    annotators: Vec<f64>,
    model: f64,
}

impl Heard<'_> {
    /// The class named most often; at a tie by the model, then the one named less in all, then the first.
    fn majority(&self) -> Vec<usize> {
        let counts = &self.counts;
        let in_all = |class: usize| counts.iter().map(|counts| counts[class]).sum::<f64>();
        let in_all: Vec<f64> = (0..self.ratings.classes()).map(in_all).collect();
        let winner = |(counts, model): (&Vec<f64>, &Vec<f64>)| {
            let rank = |class: usize| (counts[class], model[class], -in_all[class]);
            let better = |best, class| if rank(class) > rank(best) { class } else { best };
            (1..counts.len()).fold(0, better)
        };
        counts.iter().zip(self.model).map(winner).collect()
    }

    /// Weights of annotators and model by how often they agree, beyond who always says the most frequent
    /// class; and the classes' probabilities by them.
    fn weigh(&self, consensus: &[usize]) -> Weighed {
        let [disagreement, guess, model] = self.errors(consensus);
        let likely = 1.0 - disagreement;
        let guess = guess.max(LEAST);
        let known: Vec<f64> = self.others.iter().copied().flatten().collect();
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        let weight =
            |agrees: &Option<f64>| (1.0 - (1.0 - agrees.unwrap_or(mean)) / guess).max(LEAST);
        let annotators: Vec<f64> = self.others.iter().map(weight).collect();
        let model = (1.0 - model / guess).max(LEAST) * self.per_utterance().sqrt();
        let classes = self.ratings.classes() as f64;
        let unlikely = (1.0 - likely) / (classes - 1.0);
        let posterior = |(ratings, own): (Vec<(super::Rating, f64)>, &Vec<f64>)| {
            let mut sums: Vec<f64> = own.iter().map(|p| p * model).collect();
            let mut total = model;
            for (rating, weight) in ratings {
                let weight = weight * annotators[rating.annotator];
                total += weight;
                for (class, sum) in sums.iter_mut().enumerate() {
                    *sum += weight * if class == rating.class { likely } else { unlikely };
                }
            }
            sums.into_iter().map(|sum| sum / total).collect()
        };
        let pairs = self.ratings.weighted().zip(self.model);
        Weighed { probabilities: pairs.map(posterior).collect(), annotators, model }
    }

    /// Over the utterances with two annotators or more: how often a rating is not the consensus, how often the most
    /// frequent class is not, and how often what the model says is not.
    fn errors(&self, consensus: &[usize]) -> [f64; 3] {
        let places = || {
            let raters = self.raters.iter().enumerate();
            raters.filter(|(_, raters)| **raters > 1).map(|(place, _)| place)
        };
        let number = places().count() as f64;
        let mut frequent = vec![0.0; self.ratings.classes()];
        for place in places() {
            frequent[consensus[place]] += 1.0;
        }
        let disagrees = |place: usize| 1.0 - self.agreement(place, consensus[place]);
        [
            places().map(disagrees).sum::<f64>() / number,
            1.0 - frequent.iter().copied().fold(0.0, f64::max) / number,
            places().filter(|place| self.says[*place] != consensus[*place]).count() as f64 / number,
        ]
    }

    /// The share of an utterance's annotators who name this class.
    fn agreement(&self, place: usize, class: usize) -> f64 {
        self.counts[place][class] / self.raters[place] as f64
    }

    /// Mean number of annotators of an utterance.
    fn per_utterance(&self) -> f64 {
        self.raters.iter().sum::<usize>() as f64 / self.raters.len() as f64
    }

    /// What each annotator's ratings are worth: how probable they are after all has been weighed, and how often
    /// they are the consensus, as the model counts beside the annotators of an utterance.
    fn quality(
        &self,
        consensus: &[usize],
        probabilities: &[Vec<f64>],
        annotators: &[f64],
        model: f64,
    ) -> Vec<Option<f64>> {
        let probable = self
            .ratings
            .annotator_means(|place, rating, own| Some((probabilities[place][rating.class], own)));
        let agrees = self.ratings.annotator_means(|place, rating, own| {
            let several = self.raters[place] > 1;
            several.then(|| (f64::from(u8::from(rating.class == consensus[place])), own))
        });
        let beside =
            annotators.iter().sum::<f64>() * self.per_utterance() / annotators.len() as f64;
        let share = model / (model + beside);
        let worth =
            |(p, agrees): (Option<f64>, Option<f64>)| Some(share * p? + (1.0 - share) * agrees?);
        probable.into_iter().zip(agrees).map(worth).collect()
    }
}
