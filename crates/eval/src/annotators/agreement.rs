//! Agreement among annotators: Fleiss' κ, Krippendorff's α, and of each with the others.

use super::Ratings;

impl Ratings {
    /// Fleiss' κ (1971): how much more often two ratings of an utterance are the same than they would be by
    /// chance, as a share of what there is room for. Utterances may have unlike numbers of ratings; those with
    /// fewer than two tell nothing and are left out. 1 where all agree, 0 by chance; none where no utterance has
    /// two ratings, or all name one class.
    pub fn fleiss_kappa(&self) -> Option<f64> {
        let pairs = self.paired();
        let same = |counts: &Vec<f64>| {
            let number: f64 = counts.iter().sum();
            let squares: f64 = counts.iter().map(|count| count * count).sum();
            (squares - number) / (number * (number - 1.0))
        };
        let observed = pairs.iter().map(same).sum::<f64>() / pairs.len() as f64;
        let totals = self.totals(&pairs);
        let all: f64 = totals.iter().sum();
        let expected: f64 = totals.iter().map(|total| (total / all) * (total / all)).sum();
        above_chance(1.0 - observed, 1.0 - expected)
    }

    /// Krippendorff's α of names (2011): as κ, with every rating counting as much as any other, and chance as it
    /// is among so many ratings. None where no utterance has two ratings, or all name one class.
    pub fn krippendorff_alpha(&self) -> Option<f64> {
        let pairs = self.paired();
        let apart = |counts: &Vec<f64>| {
            let number: f64 = counts.iter().sum();
            let squares: f64 = counts.iter().map(|count| count * count).sum();
            (number * number - squares) / (number - 1.0)
        };
        let totals = self.totals(&pairs);
        let all: f64 = totals.iter().sum();
        let squares: f64 = totals.iter().map(|total| total * total).sum();
        let observed = pairs.iter().map(apart).sum::<f64>() / all;
        above_chance(observed, (all * all - squares) / (all * (all - 1.0)))
    }

    /// Of every annotator: the share of the other ratings of the same utterances that name the same class; none
    /// where nobody else rated these.
    pub fn agreement_with_others(&self) -> Vec<Option<f64>> {
        let counts = self.counts();
        self.annotator_means(|place, rating| {
            let others = self.utterances()[place].len() as f64 - 1.0;
            (others > 0.0).then(|| ((counts[place][rating.class] - 1.0) / others, others))
        })
    }

    /// Counts of the utterances that have two ratings or more.
    fn paired(&self) -> Vec<Vec<f64>> {
        self.counts().into_iter().filter(|counts| counts.iter().sum::<f64>() > 1.0).collect()
    }

    fn totals(&self, counts: &[Vec<f64>]) -> Vec<f64> {
        (0..self.classes()).map(|class| counts.iter().map(|of| of[class]).sum()).collect()
    }
}

/// 1 − observed / expected disagreement.
fn above_chance(observed: f64, expected: f64) -> Option<f64> {
    (expected > 0.0).then(|| 1.0 - observed / expected)
}
