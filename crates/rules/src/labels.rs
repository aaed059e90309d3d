//! Where label distributions and weights begin, and what was made of them (METHOD, eqs. 4–6).

use ambivox_nn::Targets;

use crate::Example;
use crate::fixed::FixedTarget;

/// What a run made of one training utterance's label, at the epoch that was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelState {
    /// The utterance.
    pub utterance_id: String,
    /// Index of the gold label; `None` where the annotators agreed on none of the classes.
    pub gold: Option<usize>,
    /// Label distribution s, after that epoch.
    pub s: Vec<f64>,
    /// Weight w before the first epoch.
    pub weight_initial: f64,
    /// Weight w after that epoch.
    pub weight: f64,
    /// −log y of the gold label, by the network that was kept, dropout off: however s and w have
    /// changed, so that it means the same for every method. `None` without a gold label.
    pub loss: Option<f64>,
    /// The most probable class of s, where there is a gold label and it is another.
    pub moved_to: Option<usize>,
    /// The same after the last epoch of all, which the paper's "after training" may mean.
    pub moved_to_at_last: Option<usize>,
    /// How sure of the gold label the network was over the epochs, where the run kept it.
    pub course: Option<CourseOfLabel>,
}

/// How sure of a training utterance's gold label a network was, over all epochs of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CourseOfLabel {
    /// Mean of log y of the gold label less the largest of the others: the area under the margin.
    pub margin: f64,
    /// Mean of y of the gold label.
    pub confidence: f64,
    /// Standard deviation of y of the gold label.
    pub variability: f64,
}

/// Mean weight of the utterances of each gold class, over those that `gold` has, which come first.
pub fn mean_weights(targets: &Targets, gold: &[Option<usize>], classes: usize) -> Vec<f64> {
    let mean = |class: usize| {
        let of_class = || targets.weights.iter().zip(gold).filter(move |(_, g)| **g == Some(class));
        of_class().map(|(w, _)| w).sum::<f64>() / of_class().count() as f64
    };
    (0..classes).map(mean).collect()
}

/// Share of the utterances that `gold` has, which come first, whose most probable class is not the
/// gold label.
pub fn share_moved(targets: &Targets, gold: &[Option<usize>]) -> f64 {
    let pairs = targets.distributions.iter().zip(gold);
    let moved = pairs.filter(|(s, gold)| moved_to(s, **gold).is_some()).count();
    moved as f64 / gold.len() as f64
}

/// A row of the label table for each of `examples`, which come first among the utterances that the targets are
/// of: after the epoch that is kept, before the first, and after the last. `courses` is empty where none were kept.
pub fn states(
    [targets, initial, last]: [&Targets; 3],
    examples: &[Example<'_>],
    log_y: &[Vec<f64>],
    courses: &[Option<CourseOfLabel>],
) -> Vec<LabelState> {
    let state = |(n, example): (usize, &Example<'_>)| LabelState {
        utterance_id: example.utterance_id.clone(),
        gold: example.gold,
        s: targets.distributions[n].clone(),
        weight_initial: initial.weights[n],
        weight: targets.weights[n],
        loss: example.gold.map(|gold| -log_y[n][gold]),
        moved_to: moved_to(&targets.distributions[n], example.gold),
        moved_to_at_last: moved_to(&last.distributions[n], example.gold),
        course: courses.get(n).copied().flatten(),
    };
    examples.iter().enumerate().map(state).collect()
}

/// The most probable class, where there is a gold label and it is another: a tie with the gold label
/// stays gold, and of other equals the first is taken.
fn moved_to(s: &[f64], gold: Option<usize>) -> Option<usize> {
    let gold = gold?;
    let top = (0..s.len()).fold(gold, |top, c| if s[c] > s[top] { c } else { top });
    (top != gold).then_some(top)
}

/// 1 for the gold label, 0 elsewhere.
pub(crate) fn one_hot(gold: usize, classes: usize) -> Vec<f64> {
    (0..classes).map(|c| f64::from(u8::from(c == gold))).collect()
}

/// What stands for every utterance's label distribution where it is not learned; `scale` is K.
pub(crate) fn fixed_targets(
    target: FixedTarget,
    scale: f64,
    gold: &[usize],
    classes: usize,
) -> Vec<Vec<f64>> {
    let distribution = |&gold: &usize| {
        let one_hot = one_hot(gold, classes);
        match target {
            FixedTarget::OneHot => one_hot,
            FixedTarget::Softmax => softmax(&one_hot.iter().map(|v| scale * v).collect::<Vec<_>>()),
        }
    };
    gold.iter().map(distribution).collect()
}

/// s = softmax(l), eq. 5.
pub(crate) fn softmax(l: &[f64]) -> Vec<f64> {
    let top = l.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = l.iter().map(|v| libm::exp(v - top)).collect();
    let total: f64 = powers.iter().sum();
    powers.iter().map(|v| v / total).collect()
}

/// Initial weights `w_n = C · N_c / N`: the share of the utterance's gold class, over that of a
/// balanced class. Table 3's first row is their values over the whole corpus.
pub(crate) fn initial_weights(gold: &[usize], classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0; classes];
    for &class in gold {
        counts[class] += 1.0;
    }
    gold.iter().map(|&class| classes as f64 * counts[class] / gold.len() as f64).collect()
}

/// [`initial_weights`], scaled to mean 1 where asked.
pub(crate) fn starting_weights(gold: &[usize], classes: usize, rescale: bool) -> Vec<f64> {
    let mut weights = initial_weights(gold, classes);
    if rescale {
        scale_to_mean_one(&mut weights);
    }
    weights
}

/// The nearest weights of mean 1 of which none is below `least`: all by one number less, those that would fall
/// below it at it.
pub(crate) fn shift_to_mean_one(weights: &mut [f64], least: f64) {
    let mut above: Vec<f64> = weights.iter().map(|w| w - least).collect();
    above.sort_unstable_by(|a, b| b.total_cmp(a));
    let total = weights.len() as f64 * (1.0 - least);
    let (mut sum, mut shift) = (0.0, 0.0);
    for (count, value) in (1..).zip(&above) {
        sum += value;
        let all_at_once = (sum - total) / f64::from(count);
        if *value > all_at_once {
            shift = all_at_once;
        }
    }
    for w in weights {
        *w = least + (*w - least - shift).max(0.0);
    }
}

/// Scales weights to mean 1 (eq. 6).
pub(crate) fn scale_to_mean_one(weights: &mut [f64]) {
    let mean = weights.iter().sum::<f64>() / weights.len() as f64;
    for w in weights {
        *w /= mean;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table 1's totals and Table 3's first row (there with two digits).
    #[test]
    fn initial_weights_are_those_of_table_3() {
        let totals = [595, 1084, 1708, 1103];
        let gold: Vec<usize> = totals.iter().enumerate().flat_map(|(c, &n)| vec![c; n]).collect();
        let weights = initial_weights(&gold, 4);
        let labels = Targets { distributions: vec![], weights };
        let gold: Vec<_> = gold.into_iter().map(Some).collect();
        let means = mean_weights(&labels, &gold, 4);
        for (mean, expected) in means.iter().zip([0.530, 0.966, 1.522, 0.983]) {
            assert!((mean - expected).abs() < 5e-4, "{means:?}");
        }
        let mean = labels.weights.iter().sum::<f64>() / 4490.0;
        assert!((mean - 1.124).abs() < 5e-4, "{mean}");
    }

    #[test]
    fn balanced_classes_start_at_weight_one() {
        assert_eq!(initial_weights(&[0, 1, 2, 1, 0, 2], 3), [1.0; 6]);
    }

    #[test]
    fn softmax_of_the_initial_logits_is_known() {
        // K = 1, four classes: e / (e + 3) = 0.4754.
        let s = softmax(&one_hot(2, 4));
        assert!((s[2] - 0.475_366_886).abs() < 1e-9);
        assert!((s.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert_eq!(softmax(&[1000.0, 0.0]), [1.0, 0.0]);
    }

    #[test]
    fn a_label_moves_only_to_a_more_probable_class() {
        assert_eq!(moved_to(&[0.2, 0.5, 0.3], Some(1)), None);
        assert_eq!(moved_to(&[0.2, 0.5, 0.3], Some(2)), Some(1));
        assert_eq!(moved_to(&[0.4, 0.4, 0.2], Some(1)), None);
        assert_eq!(moved_to(&[0.4, 0.4, 0.2], Some(2)), Some(0));
        assert_eq!(moved_to(&[0.4, 0.4, 0.2], None), None);
    }

    #[test]
    fn share_of_moved_labels_by_hand() {
        let distributions = vec![vec![0.9, 0.1], vec![0.1, 0.9], vec![0.8, 0.2], vec![0.3, 0.7]];
        let labels = Targets { distributions, weights: vec![1.0; 4] };
        assert_eq!(share_moved(&labels, &[0, 0, 1, 1].map(Some)), 0.5);
        assert_eq!(share_moved(&labels, &[Some(0)]), 0.0);
    }

    /// Against a search for the number to take off.
    #[test]
    fn shifted_weights_are_the_nearest_of_mean_one() {
        for given in [vec![0.2, 0.9, 4.0, 1.1], vec![-3.0, 0.5, 0.6, 0.7], vec![1.0, 1.0]] {
            let mut shifted = given.clone();
            shift_to_mean_one(&mut shifted, 0.01);
            let at = |shift: f64| given.iter().map(move |w| (w - shift).max(0.01));
            let (mut low, mut high) = (-10.0, 10.0);
            for _ in 0..100 {
                let middle = f64::midpoint(low, high);
                let is_low = at(middle).sum::<f64>() > given.len() as f64;
                *(if is_low { &mut low } else { &mut high }) = middle;
            }
            for (found, expected) in shifted.iter().zip(at(low)) {
                assert!((found - expected).abs() < 1e-12, "{shifted:?}");
            }
        }
    }
}
