//! Agreement among annotators: Fleiss' κ, Krippendorff's α, and of each with the others.

use super::{Rating, Ratings, counts};

/// An utterance that several annotators rated.
struct Shared {
    /// How many named each class.
    counts: Vec<f64>,
    /// How many there are.
    raters: f64,
    /// Pairs of unlike annotators who named the same class, each pair in both orders.
    agreeing: f64,
}

impl Shared {
    fn of(classes: usize, ratings: &[(Rating, f64)]) -> Option<Self> {
        let counts = counts(classes, ratings);
        let raters: f64 = counts.iter().sum::<f64>().round();
        let own: f64 = ratings.iter().map(|(_, weight)| weight * weight).sum();
        let agreeing = counts.iter().map(|count| count * count).sum::<f64>() - own;
        (raters > 1.0).then_some(Self { counts, raters, agreeing })
    }
}

impl Ratings {
    /// Fleiss' κ (1971): how much more often two annotators of an utterance name the same class than they would by
    /// chance, as a share of what there is room for. Utterances may have unlike numbers of annotators; those with
    /// fewer than two tell nothing and are left out. 1 where all agree, 0 by chance; none where no utterance has
    /// two, or all name one class.
    ///
    /// ```
    /// use ambivox_eval::{Rating, Ratings};
    ///
    /// let both = |a, b| vec![Rating { annotator: 0, class: a }, Rating { annotator: 1, class: b }];
    /// let ratings = Ratings::new(2, vec![both(0, 0), both(1, 1), both(0, 1), both(0, 0)])?;
    /// assert!((ratings.fleiss_kappa().unwrap_or(0.0) - 7.0 / 15.0).abs() < 1e-12);
    /// # Ok::<(), ambivox_eval::EvalError>(())
    /// ```
    pub fn fleiss_kappa(&self) -> Option<f64> {
        let shared = self.shared();
        let agreed = |one: &Shared| one.agreeing / (one.raters * (one.raters - 1.0));
        let observed = shared.iter().map(agreed).sum::<f64>() / shared.len() as f64;
        let totals = self.totals(&shared);
        let all: f64 = totals.iter().sum();
        let expected: f64 = totals.iter().map(|total| (total / all) * (total / all)).sum();
        above_chance(1.0 - observed, 1.0 - expected)
    }

    /// Krippendorff's α of names (2011): as κ, with every rating counting as much as any other, and chance as it
    /// is among so many ratings. None where no utterance has two annotators, or all name one class.
    ///
    /// ```
    /// use ambivox_eval::{Rating, Ratings};
    ///
    /// let both = |a, b| vec![Rating { annotator: 0, class: a }, Rating { annotator: 1, class: b }];
    /// let ratings = Ratings::new(2, vec![both(0, 0), both(1, 1), both(0, 1), both(0, 0)])?;
    /// assert!((ratings.krippendorff_alpha().unwrap_or(0.0) - 8.0 / 15.0).abs() < 1e-12);
    /// # Ok::<(), ambivox_eval::EvalError>(())
    /// ```
    pub fn krippendorff_alpha(&self) -> Option<f64> {
        let shared = self.shared();
        let apart = |one: &Shared| one.raters - one.agreeing / (one.raters - 1.0);
        let totals = self.totals(&shared);
        let all: f64 = totals.iter().sum();
        let squares: f64 = totals.iter().map(|total| total * total).sum();
        let observed = shared.iter().map(apart).sum::<f64>() / all;
        above_chance(observed, (all * all - squares) / (all * (all - 1.0)))
    }

    /// Of every annotator: the share of the others who rated the same utterances that names the same class; none
    /// where nobody else rated these.
    pub fn agreement_with_others(&self) -> Vec<Option<f64>> {
        let (counts, raters) = (self.counts(), self.raters());
        self.annotator_means(|place, rating, weight| {
            let others = raters[place] as f64 - 1.0;
            let same = counts[place][rating.class] - weight;
            (others > 0.0).then(|| (same / others, weight * others))
        })
    }

    /// Of every annotator: the share of ratings that name the class that is given for the utterance; none for who
    /// rated nothing.
    pub fn agreement_with(&self, classes: &[usize]) -> Vec<Option<f64>> {
        self.annotator_means(|place, rating, weight| {
            Some((f64::from(u8::from(rating.class == classes[place])), weight))
        })
    }

    fn shared(&self) -> Vec<Shared> {
        self.weighted().filter_map(|ratings| Shared::of(self.classes(), &ratings)).collect()
    }

    fn totals(&self, shared: &[Shared]) -> Vec<f64> {
        (0..self.classes()).map(|class| shared.iter().map(|one| one.counts[class]).sum()).collect()
    }
}

/// 1 − observed / expected disagreement.
fn above_chance(observed: f64, expected: f64) -> Option<f64> {
    (expected > 0.0).then(|| 1.0 - observed / expected)
}
