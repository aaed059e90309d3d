//! Tests of `evaluation`.

use super::*;
use crate::plan::{Sex, Speaker};

fn turn() -> Turn {
    Turn {
        index: 0,
        speaker: Speaker { session: 1, sex: Sex::M },
        number: 3,
        name: "Ses01F_impro05a_M003".to_owned(),
        truth: Emotion::Neutral,
        rival: Emotion::Anger,
        intensity: 0.5,
        samples: 24_000,
        pause: 0,
        start: 100_642,
    }
}

fn rating(valence: u8, activation: u8, dominance: Option<u8>) -> Rating {
    Rating { valence, activation, dominance }
}

#[test]
fn a_block_is_written_as_the_corpus_writes_it() {
    let judgement = Judgement {
        labels: vec![
            vec![Emotion::Neutral],
            vec![Emotion::Neutral, Emotion::Anger],
            vec![Emotion::Excited],
        ],
        ratings: vec![rating(3, 2, Some(2)), rating(2, 2, None)],
        own: Some((Emotion::Anger, rating(2, 4, Some(5)))),
        comments: vec!["", "se\u{f1}or; who: knows", ""],
    };
    let expected = "\
% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 7.7901]\tSes01F_impro05a_M003\tneu\t[2.5000, 2.0000, 2.0000]
C-E1:\tNeutral;\t()
C-E2:\tNeutral; Anger;\t(se\u{f1}or; who: knows)
C-E3:\tExcited;\t()
C-M1:\tAnger;\t()
A-E1:\tval 3; act 2; dom  2;\t()
A-E2:\tval 2; act 2; dom  ;\t()
A-M1:\tval 2; act 4; dom  5;\t()

";
    let bytes = file([(&turn(), &judgement)].into_iter());
    assert!(std::str::from_utf8(&bytes).is_err(), "latin-1 is not UTF-8");
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    assert_eq!(text, expected);
}

#[test]
fn a_tie_is_written_xxx() {
    let judgement = Judgement {
        labels: vec![vec![Emotion::Neutral], vec![Emotion::Anger], vec![Emotion::Sadness]],
        ratings: vec![rating(3, 2, None)],
        own: Some((Emotion::Anger, rating(2, 4, Some(5)))),
        comments: vec![""; 3],
    };
    assert!(header(&turn(), &judgement).ends_with("\txxx\t[3.0000, 2.0000, 0.0000]\n"));
}
