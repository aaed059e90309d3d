//! The syntax of evaluation files and its traps.

use proptest::prelude::*;

use super::*;
use crate::consensus;

const FILE: &str = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\
    \n\
    [6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 3.5000, 1.5000]\n\
    C-E2:\tNeutral;\t()\n\
    C-E3:\tNeutral;\t()\n\
    C-E4:\tAnger;\t()\n\
    C-F1:\tFear; Anger;\t()\n\
    A-E3:\tval 3; act 2; dom  2;\t()\n\
    A-E4:\tval 2; act 3; dom ;\t(mostly nervousness)\n\
    A-F1:\tval 3; act 2; dom  1;\t()\n\
    \n\
    [10.0100 - 11.3925]\tSes01F_impro01_F001\txxx\t[2.5000, 2.5000, 2.5000]\n\
    C-E2:\tHappiness; Excited;\t()\n\
    C-E3:\tExcited;\t()\n\
    C-E4:\tHappiness;\t()\n\
    \n";

fn parse(text: &str) -> Vec<Turn> {
    parse_evaluation(text.as_bytes()).unwrap()
}

/// Votes of one turn with the given annotators' lines.
fn votes(lines: &str) -> Vec<(String, u32)> {
    let text = format!("[0.0 - 1.0]\tSes01F_impro01_F000\tneu\t[1.0, 2.0, 3.0]\n{lines}\n");
    parse(&text).remove(0).votes.into_iter().collect()
}

fn votes_of(pairs: &[(&str, u32)]) -> Vec<(String, u32)> {
    pairs.iter().map(|&(code, count)| (code.to_owned(), count)).collect()
}

#[test]
fn header_and_outside_votes_are_read() {
    let turns = parse(FILE);
    assert_eq!(turns.len(), 2);
    let first = &turns[0];
    assert_eq!((first.name.as_str(), first.emotion.as_str()), ("Ses01F_impro01_F000", "neu"));
    assert_eq!((first.line, first.start_s, first.end_s), (3, 6.2901, 8.2357));
    assert_eq!(first.attributes, [Some(2.5), Some(3.5), Some(1.5)]);
    assert_eq!(first.votes, BTreeMap::from([("ang".to_owned(), 1), ("neu".to_owned(), 2)]));
    let chosen = |turn: &Turn, who: &str| turn.ratings[who].iter().cloned().collect::<Vec<_>>();
    assert_eq!(first.ratings.keys().collect::<Vec<_>>(), ["E2", "E3", "E4"]);
    assert_eq!(chosen(first, "E4"), ["ang"]);
    assert_eq!(chosen(&turns[1], "E2"), ["exc", "hap"]);
}

#[test]
fn headers_agree_with_the_plurality_of_votes() {
    for turn in parse(FILE) {
        assert_eq!(consensus(&turn.votes).unwrap_or("xxx"), turn.emotion, "{}", turn.name);
    }
}

#[test]
fn every_label_of_an_annotator_counts_one() {
    let pooled = votes("C-E1:\tNeutral; Sadness; Frustration;\t()\nC-E2:\tSadness;\t()");
    assert_eq!(pooled, votes_of(&[("fru", 1), ("neu", 1), ("sad", 2)]));
}

#[test]
fn self_evaluations_do_not_vote() {
    assert_eq!(
        votes("C-F1:\tAnger;\t()\nC-M1:\tAnger;\t()\nC-E1:\tFear;\t()"),
        votes_of(&[("fea", 1)])
    );
}

#[test]
fn a_comment_may_hold_anything() {
    let lines = "C-E1:\tOther;\t(amused; not: Happiness; [1.0 - 2.0] (or is it?)\n\
                 C-E2:\tAnger;\t(Sadness; Fear;)";
    assert_eq!(votes(lines), votes_of(&[("ang", 1), ("oth", 1)]));
}

#[test]
fn trailing_semicolons_and_spaces_vary() {
    let lines =
        "C-E1:\tNeutral\t()\nC-E2: Neutral ;()\nC-E3:\t  Neutral;;  \nC-E4:\t;\t()\n  C-E5: Fear;";
    assert_eq!(votes(lines), votes_of(&[("fea", 1), ("neu", 3)]));
}

#[test]
fn words_are_cut_to_codes_of_three_letters() {
    let words = "C-E1:\tNeutral state; Happiness; Excited; SURPRISE; Disgust;\t()";
    let codes = [("dis", 1), ("exc", 1), ("hap", 1), ("neu", 1), ("sur", 1)];
    assert_eq!(votes(words), votes_of(&codes));
}

#[test]
fn an_empty_dominance_is_no_fault() {
    assert_eq!(votes("A-E1:\tval 2; act 2; dom ;\t()\nC-E1:\tFear;\t()"), votes_of(&[("fea", 1)]));
}

#[test]
fn a_mean_that_is_missing_is_none() {
    let line = |means: &str| format!("[0.0 - 1.0]\tSes01F_impro01_F000\tneu\t[{means}]\n");
    assert_eq!(parse(&line("1.5, nan, "))[0].attributes, [Some(1.5), None, None]);
    assert!(parse_evaluation(line("1.5, 2.0").as_bytes()).is_err());
    assert!(parse_evaluation(line("1.5, 2.0, x").as_bytes()).is_err());
}

#[test]
fn latin_1_bytes_in_comments_are_survived() {
    let mut bytes = b"[0.0 - 1.0]\tSes01F_impro01_F000\tneu\t[1.0, 2.0, 3.0]\n".to_vec();
    bytes.extend_from_slice(b"C-E1:\tNeutral;\t(d\xe9j\xe0 vu\x92s)\nC-E2:\tNeutral;\t()\n");
    assert_eq!(parse_evaluation(&bytes).unwrap()[0].votes["neu"], 2);
}

#[test]
fn windows_line_ends_and_byte_order_mark_change_nothing() {
    let windows = format!("\u{feff}{}", FILE.replace('\n', "\r\n"));
    assert_eq!(parse(&windows), parse(FILE));
}

#[test]
fn blank_lines_neither_end_nor_begin_a_turn() {
    let dense = FILE.replace("\n\n", "\n");
    let names = |text: &str| parse(text).into_iter().map(|t| (t.name, t.votes)).collect::<Vec<_>>();
    assert_eq!(names(&dense), names(FILE));
    assert_eq!(names(&FILE.replace('\n', "\n\n")), names(FILE));
}

#[test]
fn a_last_line_without_its_end_counts() {
    assert_eq!(parse(FILE.trim_end()), parse(FILE));
}

#[test]
fn faults_name_the_line() {
    let fault = |text: &str| parse_evaluation(text.as_bytes()).unwrap_err().to_string();
    insta::assert_snapshot!(
        fault("%\n[1.0 - x]\tSes01F_impro01_F000\tneu\t[1, 2, 3]\n"),
        @r#"line 2: "[1.0 - x]\tSes01F_impro01_F000\tneu\t[1, 2, 3]" found where a turn's header line was expected"#
    );
    insta::assert_snapshot!(
        fault("C-E1:\tNeutral;\t()\n"),
        @r#"line 1: "C-E1:\tNeutral;\t()" found where a header before any annotation was expected"#
    );
    insta::assert_snapshot!(
        fault("[1 - 2] Ses01F_impro01_F000 neu [1, 2, 3]\nC-E1 Fear\n"),
        @r#"line 2: "C-E1 Fear" found where an annotator's line with a colon was expected"#
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        drop(parse_evaluation(&bytes));
    }

    #[test]
    fn no_mangled_file_makes_it_panic(
        cut in 0..FILE.len(),
        patch in proptest::collection::vec(any::<u8>(), 0..8),
    ) {
        let mut bytes = FILE.as_bytes().to_vec();
        bytes.splice(cut..(cut + patch.len()).min(FILE.len()), patch);
        if let Ok(turns) = parse_evaluation(&bytes) {
            prop_assert!(turns.len() <= 3);
            prop_assert!(turns.iter().all(|turn| turn.start_s.is_finite()));
        }
    }
}
