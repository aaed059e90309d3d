//! Rates by hand, against naive references and under symmetries.

use proptest::prelude::*;

use super::*;

const CLASSES: usize = 4;

fn matrix(rows: &[&[u64]]) -> Confusion {
    Confusion::try_from(rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>()).unwrap()
}

#[test]
fn rates_by_hand() {
    let counts = matrix(&[&[3, 1, 0], &[2, 4, 2], &[0, 0, 8]]);
    assert_eq!(counts.total(), 20);
    assert_eq!(counts.wa(), Some(0.75));
    assert_eq!(counts.recall(), [Some(0.75), Some(0.5), Some(1.0)]);
    assert_eq!(counts.ua(), Some(0.75));
    assert_eq!(counts.precision(), [Some(0.6), Some(0.8), Some(0.8)]);
    let f1 = counts.f1();
    assert!((f1[0].unwrap() - 2.0 * 0.6 * 0.75 / 1.35).abs() < 1e-15);
    assert!((f1[1].unwrap() - 2.0 * 0.8 * 0.5 / 1.3).abs() < 1e-15);
    assert!((f1[2].unwrap() - 1.6 / 1.8).abs() < 1e-15);
}

#[test]
fn empty_cases() {
    // The second class is never predicted, the third does not occur.
    let counts = matrix(&[&[2, 0, 2], &[4, 0, 0], &[0, 0, 0]]);
    assert_eq!(counts.precision(), [Some(2.0 / 6.0), Some(0.0), None]);
    assert_eq!(counts.recall(), [Some(0.5), Some(0.0), None]);
    assert_eq!(counts.f1(), [Some(0.4), Some(0.0), None]);
    assert_eq!(counts.ua(), Some(0.25));
    let none = Confusion::new(2);
    assert_eq!((none.wa(), none.ua(), none.off_diagonal()), (None, None, None));
    assert_eq!(none.recall(), [None, None]);
}

#[test]
fn bad_input_is_an_error() {
    let range = Confusion::from_pairs(2, [(0, 2)]).unwrap_err();
    assert_eq!(range, EvalError::ClassOutOfRange { index: 2, classes: 2 });
    assert!(Confusion::from_pairs(2, [(2, 0)]).is_err());
    let short: &[f32] = &[1.0];
    assert!(Confusion::from_probabilities(2, [(0, short)]).is_err());
    assert!(Confusion::try_from(vec![vec![1, 2], vec![3]]).is_err());
    assert!(Confusion::new(2).merge(&Confusion::new(3)).is_err());
    assert!(serde_json::from_str::<Confusion>("[[1,2],[3]]").is_err());
}

#[test]
fn argmax_takes_the_first_of_equals() {
    assert_eq!(argmax(&[0.25_f32, 0.375, 0.375]), Ok(1));
    assert_eq!(argmax(&[-2.0, -1.0, -1.5]), Ok(1));
    assert!(argmax(&[0.5, f64::NAN]).is_err());
    assert!(argmax::<f64>(&[]).is_err());
}

#[test]
fn probabilities_are_counted_by_their_argmax() {
    let rows: [(usize, &[f32]); 3] = [(0, &[0.9, 0.1]), (0, &[0.2, 0.8]), (1, &[0.5, 0.5])];
    let counts = Confusion::from_probabilities(2, rows).unwrap();
    assert_eq!(counts, matrix(&[&[1, 1], &[1, 0]]));
}

fn pairs() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0..CLASSES, 0..CLASSES), 1..200)
}

/// Precision, recall and F1 of a class by going through the list, as their definitions say.
fn naive(pairs: &[(usize, usize)], class: usize) -> Option<(f64, f64, f64)> {
    let count = |test: &dyn Fn(usize, usize) -> bool| {
        pairs.iter().filter(|(gold, predicted)| test(*gold, *predicted)).count() as f64
    };
    let hit = count(&|g, p| g == class && p == class);
    let (gold, predicted) = (count(&|g, _| g == class), count(&|_, p| p == class));
    if gold == 0.0 {
        return None;
    }
    let recall = hit / gold;
    let precision = if predicted == 0.0 { 0.0 } else { hit / predicted };
    let sum = precision + recall;
    let f1 = if sum == 0.0 { 0.0 } else { 2.0 * precision * recall / sum };
    Some((precision, recall, f1))
}

proptest! {
    #[test]
    fn agrees_with_the_definitions(pairs in pairs()) {
        let counts = Confusion::from_pairs(CLASSES, pairs.iter().copied()).unwrap();
        let rates = counts.rates();
        for class in 0..CLASSES {
            match naive(&pairs, class) {
                None => prop_assert_eq!(
                    (rates.precision[class], rates.recall[class], rates.f1[class]),
                    (None, None, None)
                ),
                Some((precision, recall, f1)) => {
                    prop_assert!((rates.precision[class].unwrap() - precision).abs() < 1e-12);
                    prop_assert!((rates.recall[class].unwrap() - recall).abs() < 1e-12);
                    prop_assert!((rates.f1[class].unwrap() - f1).abs() < 1e-12);
                }
            }
        }
        let right = pairs.iter().filter(|(gold, predicted)| gold == predicted).count();
        prop_assert_eq!(rates.wa.unwrap(), right as f64 / pairs.len() as f64);
    }

    #[test]
    fn order_of_utterances_does_not_matter(pairs in pairs(), turn in 0usize..200) {
        let mut turned = pairs.clone();
        turned.rotate_left(turn % pairs.len());
        turned.reverse();
        prop_assert_eq!(
            Confusion::from_pairs(CLASSES, turned).unwrap(),
            Confusion::from_pairs(CLASSES, pairs).unwrap()
        );
    }

    #[test]
    fn names_of_classes_do_not_matter(pairs in pairs()) {
        let other = |class: usize| CLASSES - 1 - class;
        let renamed = pairs.iter().map(|&(gold, predicted)| (other(gold), other(predicted)));
        let renamed = Confusion::from_pairs(CLASSES, renamed).unwrap().rates();
        let rates = Confusion::from_pairs(CLASSES, pairs).unwrap().rates();
        prop_assert_eq!(renamed.wa, rates.wa);
        prop_assert!((renamed.ua.unwrap() - rates.ua.unwrap()).abs() < 1e-12);
        prop_assert_eq!(renamed.f1.into_iter().rev().collect::<Vec<_>>(), rates.f1);
    }

    #[test]
    fn ua_is_wa_when_classes_are_balanced(
        predicted in prop::collection::vec(0..CLASSES, CLASSES * 7)
    ) {
        let pairs = predicted.into_iter().enumerate().map(|(i, p)| (i % CLASSES, p));
        let counts = Confusion::from_pairs(CLASSES, pairs).unwrap();
        prop_assert!((counts.ua().unwrap() - counts.wa().unwrap()).abs() < 1e-12);
    }

    #[test]
    fn pooling_is_counting_together(first in pairs(), second in pairs()) {
        let mut pooled = Confusion::from_pairs(CLASSES, first.iter().copied()).unwrap();
        pooled.merge(&Confusion::from_pairs(CLASSES, second.iter().copied()).unwrap()).unwrap();
        let together = first.into_iter().chain(second);
        prop_assert_eq!(pooled, Confusion::from_pairs(CLASSES, together).unwrap());
    }
}
