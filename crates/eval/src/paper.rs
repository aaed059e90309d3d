//! Published figures: Fujioka, Homma and Nagamatsu, Interspeech 2020, Tables 2 to 4 and section 3.4.
//!
//! They were measured on IEMOCAP and are always labelled so; nothing here enters a figure of ours.

use crate::Rates;

/// The paper's classes, in the order of its tables.
pub const PAPER_CLASSES: [&str; 4] = ["happiness", "sadness", "neutral", "anger"];

/// A row of Table 2 as printed, in percent; `None` where the paper prints N/A.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PaperRow {
    /// The method's id in files and commands.
    pub method: &'static str,
    /// The row's name.
    pub title: &'static str,
    /// Precision per class of [`PAPER_CLASSES`].
    pub precision: [Option<f64>; 4],
    /// Recall per class.
    pub recall: [Option<f64>; 4],
    /// F1 per class.
    pub f1: [Option<f64>; 4],
    /// Weighted accuracy.
    pub wa: Option<f64>,
    /// Unweighted accuracy.
    pub ua: Option<f64>,
}

impl PaperRow {
    /// The row's rates as fractions of 1, for classes in any order; `None` for a class that the
    /// paper does not have.
    pub fn rates(&self, classes: &[String]) -> Rates {
        let place = |class: &String| PAPER_CLASSES.iter().position(|known| known == class);
        let fraction = |percent: f64| percent / 100.0;
        let per_class = |row: &[Option<f64>; 4]| {
            classes.iter().map(|class| place(class).and_then(|c| row[c]).map(fraction)).collect()
        };
        Rates {
            wa: self.wa.map(fraction),
            ua: self.ua.map(fraction),
            precision: per_class(&self.precision),
            recall: per_class(&self.recall),
            f1: per_class(&self.f1),
            ..Rates::default()
        }
    }
}

/// Mean contribution weights as printed in Tables 3 and 4.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PaperWeights {
    /// The table's name.
    pub table: &'static str,
    /// The method's id.
    pub method: &'static str,
    /// Before training, per class of [`PAPER_CLASSES`].
    pub initial: [f64; 4],
    /// After training.
    pub learned: [f64; 4],
}

/// What the paper gives for one of its two evaluations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PaperEvaluation {
    /// How its figures are marked wherever they stand beside others.
    pub label: &'static str,
    /// Rates, in the order of Table 2.
    pub rows: &'static [PaperRow],
    /// Weights before and after training.
    pub weights: PaperWeights,
    /// The figure of the labels that moved.
    pub moves: &'static str,
    /// What the text says of that figure, whose bars have no numbers.
    pub moves_text: &'static str,
}

/// What the paper gives for the whole of IEMOCAP, or for as many utterances of every class of a
/// speaker.
pub fn paper_evaluation(balanced: bool) -> PaperEvaluation {
    if balanced { BALANCED } else { WHOLE }
}

const WHOLE: PaperEvaluation = PaperEvaluation {
    label: "paper, IEMOCAP",
    rows: &PAPER_TABLE_2,
    weights: PaperWeights {
        table: "Table 3",
        method: "lw",
        initial: [0.53, 0.97, 1.52, 0.98],
        learned: [1.32, 0.92, 1.08, 0.84],
    },
    moves: "Figure 3",
    moves_text: "about half of happiness was kept, and much of it went to sadness or neutral; about \
        10 % of anger went to neutral, and of neutral to sadness",
};

const BALANCED: PaperEvaluation = PaperEvaluation {
    label: "paper, IEMOCAP, balanced",
    rows: &PAPER_BALANCED,
    weights: PaperWeights {
        table: "Table 4",
        method: "lw",
        initial: [1.00, 1.00, 1.00, 1.00],
        learned: [1.02, 0.98, 1.06, 0.94],
    },
    moves: "Figure 4",
    moves_text: "labels went where they went without balance, above all those of happiness, anger and \
        neutral",
};

/// Rates of the balanced evaluation, which the paper gives in its text (section 3.4).
const PAPER_BALANCED: [PaperRow; 2] = [
    PaperRow {
        method: "baseline",
        title: "BLSTM + ATT",
        precision: NOT_GIVEN,
        recall: NOT_GIVEN,
        f1: NOT_GIVEN,
        wa: Some(60.1),
        ua: Some(56.9),
    },
    PaperRow {
        method: "lw",
        title: "BLSTM + ATT + L + w",
        precision: NOT_GIVEN,
        recall: NOT_GIVEN,
        f1: NOT_GIVEN,
        wa: Some(61.5),
        ua: Some(59.4),
    },
];

const NOT_GIVEN: [Option<f64>; 4] = [None; 4];

/// Table 2 of the paper, in its order of rows. Those of `soft-target` and `cyclegan` are quoted
/// there from other papers.
pub const PAPER_TABLE_2: [PaperRow; 9] = [
    PaperRow {
        method: "baseline",
        title: "BLSTM + ATT",
        precision: given([38.8, 64.5, 65.1, 73.0]),
        recall: given([35.3, 68.2, 58.3, 76.1]),
        f1: given([35.2, 65.0, 60.9, 74.0]),
        wa: Some(63.6),
        ua: Some(59.5),
    },
    PaperRow {
        method: "oversampling",
        title: "BLSTM + ATT + Oversampling",
        precision: given([42.6, 62.8, 63.7, 74.3]),
        recall: given([36.0, 62.2, 59.6, 78.6]),
        f1: given([36.5, 61.4, 60.1, 75.5]),
        wa: Some(63.5),
        ua: Some(59.1),
    },
    PaperRow {
        method: "undersampling",
        title: "BLSTM + ATT + Undersampling",
        precision: given([35.4, 64.5, 64.9, 73.3]),
        recall: given([34.7, 63.1, 61.2, 74.4]),
        f1: given([34.4, 62.9, 62.4, 72.7]),
        wa: Some(63.2),
        ua: Some(58.4),
    },
    PaperRow {
        method: "soft-target",
        title: "Soft-target",
        precision: NOT_GIVEN,
        recall: NOT_GIVEN,
        f1: NOT_GIVEN,
        wa: Some(62.6),
        ua: Some(63.7),
    },
    PaperRow {
        method: "cyclegan",
        title: "Cycle-GAN",
        precision: NOT_GIVEN,
        recall: given([54.0, 69.0, 51.0, 69.0]),
        f1: NOT_GIVEN,
        wa: None,
        ua: Some(60.4),
    },
    PaperRow {
        method: "l",
        title: "BLSTM + ATT + L",
        precision: given([44.9, 62.8, 63.0, 75.9]),
        recall: given([24.1, 70.2, 66.4, 75.9]),
        f1: given([28.4, 65.3, 63.9, 75.1]),
        wa: Some(64.7),
        ua: Some(59.2),
    },
    PaperRow {
        method: "w",
        title: "BLSTM + ATT + w",
        precision: given([45.4, 61.9, 63.8, 78.3]),
        recall: given([30.5, 71.7, 63.7, 77.2]),
        f1: given([34.7, 65.3, 63.1, 77.2]),
        wa: Some(65.2),
        ua: Some(60.8),
    },
    PaperRow {
        method: "lw-pretrained",
        title: "BLSTM + ATT + L + w pretrained",
        precision: given([51.0, 62.7, 58.9, 75.6]),
        recall: given([22.6, 68.8, 65.4, 74.9]),
        f1: given([29.4, 65.1, 61.6, 74.7]),
        wa: Some(64.4),
        ua: Some(57.9),
    },
    PaperRow {
        method: "lw",
        title: "BLSTM + ATT + L + w",
        precision: given([53.4, 62.8, 64.1, 75.7]),
        recall: given([30.2, 74.1, 63.7, 77.6]),
        f1: given([35.7, 67.1, 63.3, 75.9]),
        wa: Some(65.9),
        ua: Some(61.4),
    },
];

const fn given(percent: [f64; 4]) -> [Option<f64>; 4] {
    [Some(percent[0]), Some(percent[1]), Some(percent[2]), Some(percent[3])]
}

/// Row of a method in Table 2; methods that are not in it come after all that are.
pub fn method_order(method: &str) -> usize {
    PAPER_TABLE_2.iter().position(|row| row.method == method).unwrap_or(PAPER_TABLE_2.len())
}

/// A method's name in Table 2, or its id where it has none.
pub fn method_title(method: &str) -> &str {
    PAPER_TABLE_2.iter().find(|row| row.method == method).map_or(method, |row| row.title)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn harmonic(p: f64, r: f64) -> f64 {
        2.0 * p * r / (p + r)
    }

    /// Means over folds: every listed F1 lies below the harmonic mean of the listed P and R, and
    /// UA is the mean of the recalls to the rounding. A slip in a digit would break one of them.
    #[test]
    fn figures_agree_with_each_other() {
        let whole = PAPER_TABLE_2.iter().filter(|row| row.f1[0].is_some());
        let mut cells = 0;
        for row in whole {
            let recalls: f64 = row.recall.iter().flatten().sum::<f64>() / 4.0;
            assert!((recalls - row.ua.unwrap()).abs() < 0.11, "{}", row.method);
            for c in 0..4 {
                let (p, r) = (row.precision[c].unwrap(), row.recall[c].unwrap());
                assert!(row.f1[c].unwrap() < harmonic(p, r), "{} {}", row.method, c);
                cells += 1;
            }
        }
        assert_eq!(cells, 28);
    }

    #[test]
    fn classes_are_found_by_name() {
        let classes = ["anger", "boredom", "happiness"].map(str::to_owned);
        let rates = PAPER_TABLE_2[0].rates(&classes);
        let percent: Vec<_> =
            rates.recall.iter().map(|r| r.map(|r| format!("{:.1}", 100.0 * r))).collect();
        assert_eq!(percent, [Some("76.1".to_owned()), None, Some("35.3".to_owned())]);
    }

    /// Eq. 6 holds for the learned weights: weighted by the classes' sizes, their mean is 1 to the
    /// rounding, and so is that of balanced classes before training.
    #[test]
    fn learned_weights_have_mean_one() {
        let mean = |weights: [f64; 4], sizes: [f64; 4]| {
            let sum: f64 = weights.iter().zip(sizes).map(|(weight, size)| weight * size).sum();
            sum / sizes.iter().sum::<f64>()
        };
        let whole = mean(paper_evaluation(false).weights.learned, [595.0, 1084.0, 1708.0, 1103.0]);
        assert!((whole - 1.0).abs() < 0.015, "{whole}");
        let balanced = paper_evaluation(true).weights;
        for weights in [balanced.initial, balanced.learned] {
            assert!((mean(weights, [592.0; 4]) - 1.0).abs() < 0.005);
        }
    }

    #[test]
    fn unknown_methods_come_last() {
        assert!(method_order("baseline") < method_order("lw"));
        assert!(method_order("lw") < method_order("mine"));
        assert_eq!((method_title("lw"), method_title("mine")), ("BLSTM + ATT + L + w", "mine"));
    }
}
