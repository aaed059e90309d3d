//! Whether one method is better than another on the same speakers: a paired permutation test and an interval
//! over folds, and an interval of the pooled difference by the groups of the split, speakers mostly.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::{Confusion, EvalError, holm, mean_sd};

/// Up to so many folds, all sign flips are tried; beyond, [`DRAWS`] of them.
const MOST_EXACT: usize = 16;
/// Random flips.
const DRAWS: usize = 10_000;
/// Share of intervals that miss the true difference, both sides together.
const OUTSIDE: f64 = 0.05;

/// A rate of one method less that of another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// Mean over folds of the difference.
    pub mean: f64,
    /// 95 % interval of that mean, by Student's t over folds.
    pub interval: [f64; 2],
    /// Two-sided p-value of the paired permutation test: the share of sign flips of the folds'
    /// differences whose mean lies at least as far from 0.
    pub p: f64,
    /// The same by Holm's correction for the comparisons beside it; of one alone p itself.
    pub holm: f64,
    /// Pooled rate less pooled rate.
    pub pooled: f64,
    /// 95 % interval of the pooled difference, by Student's t with the standard error of a jackknife that
    /// leaves one group out at a time (Efron and Stein 1981).
    pub pooled_interval: [f64; 2],
}

/// One method against another, on folds that both have tested with the same seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Folds compared. Seeds are averaged within a fold first: they see the same speaker, so that
    /// they are no further evidence about other speakers.
    pub folds: usize,
    /// Groups of utterances, each speaker or session, that the jackknife leaves out: what one of them has in
    /// common says nothing of others.
    pub groups: usize,
    /// Weighted accuracy.
    pub wa: Effect,
    /// Unweighted accuracy (UAR).
    pub ua: Effect,
}

/// The results of both methods on one fold or one group of utterances, from the seeds that both have
/// run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pair {
    /// Of the method.
    pub method: Vec<Confusion>,
    /// Of the method it is compared with, seed by seed the same.
    pub rival: Vec<Confusion>,
}

type Rate = fn(&Confusion) -> Option<f64>;

impl Comparison {
    /// Compares two methods, given a pair for every fold, and the same utterances in a pair for every
    /// group that is drawn; `seed` is that of the random draws. `None` where there are fewer than two
    /// folds or groups, so that nothing can be said.
    ///
    /// Errors: matrices of different numbers of classes.
    ///
    /// ```
    /// use ambivox_eval::{Comparison, Confusion, Pair};
    ///
    /// let rates = |right| Confusion::from_pairs(2, (0..10).map(|n| (n % 2, (n + usize::from(n >= right)) % 2)));
    /// let fold = |ours, theirs| Ok::<_, ambivox_eval::EvalError>(Pair { method: vec![rates(ours)?], rival: vec![rates(theirs)?] });
    /// let folds = [fold(9, 8)?, fold(8, 6)?, fold(10, 7)?];
    /// let compared = Comparison::of(&folds, &folds, 0)?.expect("three folds can be compared");
    /// assert!((compared.wa.mean - 0.2).abs() < 1e-12);
    /// assert_eq!(compared.wa.p, 0.25, "of eight sign flips two are as far from 0");
    /// # Ok::<(), ambivox_eval::EvalError>(())
    /// ```
    pub fn of(folds: &[Pair], groups: &[Pair], seed: u64) -> Result<Option<Self>, EvalError> {
        let sums = groups.iter().map(Sums::of).collect::<Result<Vec<_>, _>>()?;
        if folds.len().min(groups.len()) < 2 {
            return Ok(None);
        }
        let effect = |rate: Rate| effect(folds, &sums, rate, seed);
        let (wa, ua) = (effect(Confusion::wa)?, effect(Confusion::ua)?);
        Ok(wa.zip(ua).map(|(wa, ua)| Self { folds: folds.len(), groups: groups.len(), wa, ua }))
    }
}

/// Corrects the p-values of comparisons that stand in one table, each rate's by themselves: who claims
/// something of UA does so for as many methods as there are, whatever WA is.
pub(crate) fn correct(all: &mut [&mut Comparison]) {
    let rates: [fn(&mut Comparison) -> &mut Effect; 2] = [|c| &mut c.wa, |c| &mut c.ua];
    for rate in rates {
        let p: Vec<f64> = all.iter_mut().map(|comparison| rate(comparison).p).collect();
        for (comparison, adjusted) in all.iter_mut().zip(holm(&p)) {
            rate(comparison).holm = adjusted;
        }
    }
}

/// A group's utterances, folds and seeds pooled.
struct Sums {
    method: Confusion,
    rival: Confusion,
}

impl Sums {
    fn of(pair: &Pair) -> Result<Self, EvalError> {
        Ok(Self { method: sum(&pair.method)?, rival: sum(&pair.rival)? })
    }

    fn of_all(sums: &[Self]) -> Result<Self, EvalError> {
        let method = sum(sums.iter().map(|group| &group.method))?;
        Ok(Self { method, rival: sum(sums.iter().map(|group| &group.rival))? })
    }

    /// All but one of the groups that these are the sums of.
    fn without(&self, group: &Self) -> Result<Self, EvalError> {
        let method = self.method.without(&group.method)?;
        Ok(Self { method, rival: self.rival.without(&group.rival)? })
    }

    /// The difference of the pooled rates; `None` where one is undefined.
    fn difference(&self, rate: Rate) -> Option<f64> {
        Some(rate(&self.method)? - rate(&self.rival)?)
    }
}

fn sum<'a>(all: impl IntoIterator<Item = &'a Confusion>) -> Result<Confusion, EvalError> {
    let mut all = all.into_iter();
    let mut sum = all.next().cloned().unwrap_or_else(|| Confusion::new(0));
    all.try_for_each(|more| sum.merge(more))?;
    Ok(sum)
}

fn effect(
    folds: &[Pair],
    sums: &[Sums],
    rate: Rate,
    seed: u64,
) -> Result<Option<Effect>, EvalError> {
    let mean_rate = |all: &[Confusion]| mean_sd(all.iter().filter_map(rate)).map(|over| over.mean);
    let differences: Option<Vec<f64>> =
        folds.iter().map(|f| Some(mean_rate(&f.method)? - mean_rate(&f.rival)?)).collect();
    let all = Sums::of_all(sums)?;
    let Some((differences, pooled)) = differences.zip(all.difference(rate)) else {
        return Ok(None);
    };
    let p = permutation_p(&differences, seed);
    Ok(Some(Effect {
        mean: mean(&differences),
        interval: over_folds(&differences),
        p,
        holm: p,
        pooled,
        pooled_interval: jackknifed(&all, sums, rate)?,
    }))
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Sum of the squared distances from the mean.
fn squares(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

/// 95 % interval of the mean over folds, by Student's t; of two folds at least.
pub(crate) fn over_folds(differences: &[f64]) -> [f64; 2] {
    let folds = differences.len() as f64;
    interval(mean(differences), (squares(differences) / (folds - 1.0) / folds).sqrt(), folds)
}

/// Around the pooled difference; groups without which it is undefined say nothing of its error.
fn jackknifed(all: &Sums, sums: &[Sums], rate: Rate) -> Result<[f64; 2], EvalError> {
    let mut without_one = Vec::with_capacity(sums.len());
    for group in sums {
        without_one.extend(all.without(group)?.difference(rate));
    }
    let groups = without_one.len() as f64;
    let error = ((groups - 1.0) / groups * squares(&without_one)).sqrt();
    Ok(interval(all.difference(rate).unwrap_or_default(), error, groups))
}

/// The interval around an estimate of so many independent parts; the whole line where they are too few.
fn interval(estimate: f64, standard_error: f64, parts: f64) -> [f64; 2] {
    let reach = StudentsT::new(0.0, 1.0, parts - 1.0)
        .map_or(f64::INFINITY, |t| t.inverse_cdf(1.0 - OUTSIDE / 2.0) * standard_error);
    [estimate - reach, estimate + reach]
}

/// Share of sign flips whose mean is at least as far from 0 as that of the differences themselves.
fn permutation_p(differences: &[f64], seed: u64) -> f64 {
    // Flips that only differ in the order of addition must count as equal.
    let slack = 1e-12;
    let observed = differences.iter().sum::<f64>().abs() - slack;
    let as_far = |flips: u64| {
        let flipped = |(n, d): (usize, &f64)| if flips >> n & 1 == 1 { -d } else { *d };
        let sum: f64 = differences.iter().enumerate().map(flipped).sum();
        sum.abs() >= observed
    };
    if differences.len() <= MOST_EXACT {
        let all = 1_u64 << differences.len();
        return (0..all).filter(|&flips| as_far(flips)).count() as f64 / all as f64;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || {
        let sum: f64 = differences.iter().map(|d| if rng.random() { -d } else { *d }).sum();
        sum.abs() >= observed
    };
    // The differences as they are count as one of the draws, so that p is never 0.
    let found = (0..DRAWS).filter(|_| draw()).count() + 1;
    found as f64 / (DRAWS + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes of `n` utterances each, of which so many are found.
    fn confusion(n: u64, found: [u64; 2]) -> Confusion {
        let [a, b] = found;
        Confusion::try_from(vec![vec![a, n - a], vec![n - b, b]]).unwrap()
    }

    fn fold(method: [u64; 2], rival: [u64; 2]) -> Pair {
        Pair { method: vec![confusion(10, method)], rival: vec![confusion(10, rival)] }
    }

    #[test]
    fn p_by_hand() {
        // Of 8 flips of (1, 2, 3), the sums ±6 alone reach 6.
        assert_eq!(permutation_p(&[1.0, 2.0, 3.0], 0), 2.0 / 8.0);
        // Sum 2; flips give ±6, ±4, ±2, 0, 0: six of eight are at least 2.
        assert_eq!(permutation_p(&[1.0, -2.0, 3.0], 0), 6.0 / 8.0);
        assert_eq!(permutation_p(&[0.0, 0.0], 0), 1.0);
    }

    #[test]
    fn random_flips_agree_with_all_of_them() {
        let differences: Vec<f64> = (0..16).map(|n| f64::from(n % 5) - 1.4).collect();
        let exact = permutation_p(&differences, 0);
        let mut many = differences.clone();
        many.extend([0.0; 4]);
        // Zeros change no sum, so that p is the same but now comes from draws.
        let drawn = permutation_p(&many, 1);
        assert!((drawn - exact).abs() < 0.02, "{drawn} {exact}");
        assert_eq!(drawn, permutation_p(&many, 1));
    }

    #[test]
    fn each_rate_is_corrected_for_the_comparisons_of_its_table() {
        let none = [0.0; 2];
        let effect = |p| Effect {
            mean: 0.0,
            interval: none,
            p,
            holm: p,
            pooled: 0.0,
            pooled_interval: none,
        };
        let of = |wa, ua| Comparison { folds: 2, groups: 2, wa: effect(wa), ua: effect(ua) };
        let mut all = [of(0.02, 0.5), of(0.03, 0.01)];
        correct(&mut all.iter_mut().collect::<Vec<_>>());
        assert_eq!(all.map(|c| (c.wa.holm, c.ua.holm)), [(0.04, 0.5), (0.04, 0.02)]);
        assert_eq!(all.map(|c| (c.wa.p, c.ua.p)), [(0.02, 0.5), (0.03, 0.01)]);
    }

    /// With no effect at all: eight methods and the baseline have rates of one distribution on ten folds.
    /// About a quarter of such reports claimed something of some method by p as it is.
    #[test]
    fn where_nothing_differs_few_reports_claim_that_something_does() {
        let (reports, significant) = (400, 0.05);
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut rates = || -> Vec<f64> { (0..10).map(|_| rng.random::<f64>()).collect() };
        let (mut raw, mut corrected) = (0, 0);
        for _ in 0..reports {
            let baseline = rates();
            let mut p = || {
                let gains: Vec<f64> = rates().iter().zip(&baseline).map(|(a, b)| a - b).collect();
                permutation_p(&gains, 0)
            };
            let p: Vec<f64> = (0..8).map(|_| p()).collect();
            raw += usize::from(p.iter().any(|&p| p < significant));
            corrected += usize::from(holm(&p).iter().any(|&p| p < significant));
        }
        assert!(raw * 100 > reports * 20, "{raw} of {reports} uncorrected");
        assert!(corrected * 100 <= reports * 5, "{corrected} of {reports} by Holm's p");
    }

    #[test]
    fn a_method_that_always_wins_has_an_interval_above_zero() {
        let folds: Vec<Pair> = (0..10).map(|n| fold([8, 7 + n % 3], [6, 6])).collect();
        let found = Comparison::of(&folds, &folds, 3).unwrap().unwrap();
        assert_eq!(found.folds, 10);
        assert_eq!(found.ua.p, 2.0 / 1024.0);
        assert!(found.ua.interval[0] > 0.0 && found.ua.interval[1] < 0.3, "{found:?}");
        assert!((found.ua.mean - found.ua.pooled).abs() < 1e-12, "folds are equal in size");
        // Of equal folds the jackknife is the standard error of their mean.
        for (pooled, mean) in found.ua.pooled_interval.into_iter().zip(found.ua.interval) {
            assert!((pooled - mean).abs() < 1e-12);
        }
        // Gains 0.15, 0.2, 0.25 and so on: mean 0.195, sd 0.0438; t of nine is 2.262.
        assert!(
            (found.ua.interval[1] - 0.195 - 2.262_157 * 0.043_780 / 10_f64.sqrt()).abs() < 1e-5
        );
    }

    #[test]
    fn equal_methods_do_not_differ() {
        let folds = [fold([8, 5], [8, 5]), fold([4, 9], [4, 9])];
        let found = Comparison::of(&folds, &folds, 0).unwrap().unwrap();
        assert_eq!(
            found.wa,
            Effect {
                mean: 0.0,
                interval: [0.0; 2],
                p: 1.0,
                holm: 1.0,
                pooled: 0.0,
                pooled_interval: [0.0; 2]
            }
        );
    }

    #[test]
    fn seeds_are_averaged_within_a_fold() {
        let both = |a: Pair, b: Pair| Pair {
            method: [a.method, b.method].concat(),
            rival: [a.rival, b.rival].concat(),
        };
        let folds = [
            both(fold([8, 8], [6, 6]), fold([4, 4], [6, 6])),
            both(fold([9, 9], [5, 5]), fold([7, 7], [5, 5])),
        ];
        let found = Comparison::of(&folds, &folds, 0).unwrap().unwrap();
        // Folds differ by 0 and 0.3.
        assert!((found.ua.mean - 0.15).abs() < 1e-12);
        assert_eq!((found.folds, found.ua.p), (2, 1.0));
    }

    /// Two folds of ten speakers each: the same folds, drawn by what is independent of one another.
    #[test]
    fn groups_are_drawn_where_a_fold_has_several() {
        let speakers: Vec<Pair> = (0..20).map(|n| fold([5 + n % 5, 7], [6, 6])).collect();
        let of = |some: &[Pair]| Pair {
            method: some.iter().flat_map(|pair| pair.method.clone()).collect(),
            rival: some.iter().flat_map(|pair| pair.rival.clone()).collect(),
        };
        let folds = [of(&speakers[..10]), of(&speakers[10..])];
        let by_fold = Comparison::of(&folds, &folds, 0).unwrap().unwrap();
        let by_speaker = Comparison::of(&folds, &speakers, 0).unwrap().unwrap();
        assert_eq!((by_speaker.folds, by_speaker.groups, by_fold.groups), (2, 20, 2));
        assert_eq!((by_speaker.ua.mean, by_speaker.ua.p), (by_fold.ua.mean, by_fold.ua.p));
        assert!((by_speaker.ua.pooled - by_fold.ua.pooled).abs() < 1e-12);
        // Both folds have the same speakers, so that folds show no spread at all.
        let [low, high] = by_fold.ua.pooled_interval;
        assert!(high - low < 1e-12, "{low} to {high}");
        // A speaker's gain has sd 0.0725; of 20 the standard error is 0.0162, t of nineteen 2.093.
        let [low, high] = by_speaker.ua.pooled_interval;
        assert!((high - low - 2.0 * 2.093 * 0.0162).abs() < 0.0005, "{low} to {high}");
    }

    /// The middle 95 % of the pooled difference over groups drawn with replacement: the rival of what is
    /// told, which misses the truth twice as often as it says.
    fn percentile_bootstrap(sums: &[Sums], rng: &mut ChaCha8Rng) -> [f64; 2] {
        let mut differences: Vec<f64> = (0..1000)
            .filter_map(|_| {
                let mut draw = || &sums[rng.random_range(0..sums.len())];
                let drawn: Vec<&Sums> = (0..sums.len()).map(|_| draw()).collect();
                let method = sum(drawn.iter().map(|group| &group.method)).unwrap();
                let rival = sum(drawn.iter().map(|group| &group.rival)).unwrap();
                Sums { method, rival }.difference(Confusion::ua)
            })
            .collect();
        differences.sort_by(f64::total_cmp);
        [25, 974].map(|place| differences[place])
    }

    /// Ten speakers of whom each is recognised better or worse by either method, on average alike: how often
    /// intervals have the true difference, 0. Told by `cargo test -p ambivox-eval intervals -- --nocapture`.
    #[test]
    #[expect(clippy::print_stdout, reason = "the shares are asked for by --nocapture")]
    fn intervals_have_the_truth_as_often_as_they_say() {
        let (reports, mut rng) = (1000, ChaCha8Rng::seed_from_u64(11));
        let mut covered = [0; 3];
        for _ in 0..reports {
            let speakers: Vec<Pair> = (0..10).map(|_| drawn_speaker(&mut rng)).collect();
            let sums: Vec<Sums> = speakers.iter().map(|pair| Sums::of(pair).unwrap()).collect();
            let found = Comparison::of(&speakers, &speakers, 0).unwrap().unwrap().ua;
            let bootstrap = percentile_bootstrap(&sums, &mut rng);
            for (count, [low, high]) in
                covered.iter_mut().zip([bootstrap, found.pooled_interval, found.interval])
            {
                *count += usize::from(low <= 0.0 && 0.0 <= high);
            }
        }
        let [bootstrap, pooled, folds] = covered.map(|count| count as f64 / f64::from(reports));
        println!("percentile bootstrap {bootstrap}, jackknife {pooled}, t over folds {folds}");
        assert!(bootstrap < 0.93, "{bootstrap}");
        assert!((0.935..=0.975).contains(&pooled), "{pooled}");
        assert!((0.935..=0.975).contains(&folds), "{folds}");
    }

    /// A speaker of 20 to 60 utterances of two classes, whom each method recognises to a share of its own.
    fn drawn_speaker(rng: &mut ChaCha8Rng) -> Pair {
        let n = rng.random_range(10..30);
        let mut method = || {
            let share = rng.random_range(0.5..0.9);
            let mut found = || (0..n).filter(|_| rng.random::<f64>() < share).count() as u64;
            vec![confusion(n, [found(), found()])]
        };
        Pair { method: method(), rival: method() }
    }

    #[test]
    fn one_fold_says_nothing() {
        let one = [fold([8, 5], [7, 5])];
        assert_eq!(Comparison::of(&one, &one, 0).unwrap(), None);
    }
}
