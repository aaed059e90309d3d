//! Probabilities of classes from what machines of two classes say.

/// No sigmoid is steeper, and how often what it is sought between is halved.
const STEEPEST: f64 = 1e12;
const HALVINGS: usize = 60;
/// Kept from 0 and 1, so that no logarithm is infinite.
const LEAST: f64 = 1e-7;

/// Of a pair of classes: `1 / (1 + exp(−slope·f))` is the probability of the first. It is one half where the
/// machine decides, so that probabilities favour whom it favours: Platt's sigmoid without an offset, which
/// would bring back how frequent the classes are, where the machine counts them the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sigmoid {
    pub(super) slope: f64,
}

/// What a machine says of an utterance that it was not trained on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    pub(super) value: f64,
    /// Whether the utterance is of the first class.
    pub(super) first: bool,
    /// How much it counts.
    pub(super) weight: f64,
}

impl Sigmoid {
    /// The most likely one: the loss is convex, so that it is found by halving where its slope is 0. The targets
    /// are those of Platt (1999), a little inside of 0 and 1, so that it is finite.
    pub(super) fn fit(said: &[Said]) -> Self {
        let count = |first: bool| -> f64 {
            said.iter().filter(|s| s.first == first).map(|s| s.weight).sum()
        };
        let (firsts, others) = (count(true), count(false));
        let target = |s: &Said| {
            if s.first { (firsts + 1.0) / (firsts + 2.0) } else { 1.0 / (others + 2.0) }
        };
        // How much likelier all that was said becomes, the steeper the sigmoid.
        let gain = |slope: f64| -> f64 {
            let one = |s: &Said| s.weight * s.value * (target(s) - Self { slope }.share(s.value));
            said.iter().map(one).sum()
        };
        let sign = if gain(0.0) < 0.0 { -1.0 } else { 1.0 };
        let (mut low, mut high) = (0.0, 1.0);
        while sign * gain(sign * high) > 0.0 && high < STEEPEST {
            (low, high) = (high, 2.0 * high);
        }
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if sign * gain(sign * middle) > 0.0 { low = middle } else { high = middle }
        }
        Self { slope: sign * low }
    }

    fn share(self, value: f64) -> f64 {
        1.0 / (1.0 + libm::exp((-self.slope * value).clamp(-700.0, 700.0)))
    }

    /// Probability of the first class.
    pub(super) fn of(self, value: f64) -> f64 {
        self.share(value).clamp(LEAST, 1.0 - LEAST)
    }
}

/// Rounds of the coupling at most.
const MOST_ROUNDS: usize = 10_000;
/// By how much its condition may be missed.
const COUPLED: f64 = 1e-12;

/// Probabilities of all classes from those of pairs, `first[i][j]` that of i where it is i or j: the p that
/// makes `Σ (first[j][i]·p_i − first[i][j]·p_j)²` smallest (Wu, Lin and Weng 2004, their second method).
pub(super) fn coupled(first: &[Vec<f64>]) -> Vec<f64> {
    let classes = first.len();
    let mut q = vec![vec![0.0; classes]; classes];
    for i in 0..classes {
        for j in (0..classes).filter(|&j| j != i) {
            q[i][i] += first[j][i] * first[j][i];
            q[i][j] = -first[j][i] * first[i][j];
        }
    }
    let mut p = vec![1.0 / classes as f64; classes];
    for _ in 0..MOST_ROUNDS {
        let qp = |p: &[f64], i: usize| -> f64 { q[i].iter().zip(p).map(|(q, p)| q * p).sum() };
        let pqp: f64 = (0..classes).map(|i| p[i] * qp(&p, i)).sum();
        let missed = (0..classes).map(|i| (qp(&p, i) - pqp).abs()).fold(0.0, f64::max);
        if missed < COUPLED {
            break;
        }
        for i in 0..classes {
            let pqp: f64 = (0..classes).map(|j| p[j] * qp(&p, j)).sum();
            p[i] += (pqp - qp(&p, i)) / q[i][i];
            let sum: f64 = p.iter().sum();
            for p in &mut p {
                *p /= sum;
            }
        }
    }
    p
}
