//! What is corrected, and what is refused with which words.

use super::*;
use crate::testing::{strings, utterance};

const HEAD: &str = "utterance_id,given,label,decision,comment\n";

fn read(rows: &str) -> Result<Corrections, CorpusError> {
    Corrections::parse("corrections.csv", format!("{HEAD}{rows}").as_bytes())
}

fn corpus() -> Vec<Utterance> {
    vec![
        utterance("a", "ann", Some("happiness")),
        utterance("b", "ann", Some("anger")),
        utterance("c", "bob", None),
    ]
}

fn known() -> Vec<String> {
    strings(&["happiness", "anger"])
}

fn gold(rows: &str) -> Result<Vec<Option<String>>, String> {
    let mut utterances = corpus();
    let corrections = read(rows).map_err(|error| error.to_string())?;
    corrections.apply(&mut utterances, &known()).map_err(|error| error.to_string())?;
    Ok(utterances.into_iter().map(|utterance| utterance.gold).collect())
}

#[test]
fn decisions_change_labels_or_keep_them() {
    let rows =
        "a,happiness,anger,accept,\nb,anger,anger,reject,\"clear, to me\"\nc,,anger,other,\n";
    let anger = || Some("anger".to_owned());
    assert_eq!(gold(rows).unwrap(), [anger(), anger(), anger()]);
    assert_eq!(gold("").unwrap(), [Some("happiness".to_owned()), anger(), None]);
}

#[test]
fn indices_of_classes_are_corrected_alike() {
    let label = |id: &str, given| NoisyLabel { utterance_id: id.to_owned(), clean: 0, given };
    let mut labels = [label("a", 0), label("b", 1)];
    let corrections = read("b,anger,happiness,other,\n").unwrap();
    corrections.apply_to_labels(&mut labels, &known()).unwrap();
    assert_eq!(labels, [label("a", 0), label("b", 0)]);
    let again = corrections.apply_to_labels(&mut labels, &known()).unwrap_err();
    assert!(matches!(again, CorpusError::CorrectedStale { .. }), "{again}");
}

#[test]
fn what_does_not_fit_is_refused_with_row_and_remedy() {
    let refused = [
        gold("a,happiness,anger,accept,\nx,anger,anger,reject,\n"),
        gold("a,happiness,joy,other,\n"),
        gold("a,anger,happiness,accept,\n"),
        gold("a,happiness,anger,accept,\nb,anger,anger,reject,\na,happiness,anger,accept,\n"),
        gold("a,happiness,anger,perhaps,\n"),
        gold("a,happiness,happiness,accept,\n"),
        gold("a,happiness,anger,reject,\n"),
    ];
    let texts: Vec<String> = refused.into_iter().map(Result::unwrap_err).collect();
    insta::assert_snapshot!(texts.join("\n\n"));
}

#[test]
fn decisions_are_told_as_they_stand_and_counted() {
    let rows = "b,anger,anger,reject,\"clear, to me\"\na,happiness,anger,accept,\n";
    let corrections = read(rows).unwrap();
    let told: Vec<String> = corrections
        .decisions()
        .map(|(id, d)| format!("{id}|{}|{}|{}|{}", d.given, d.label, d.word, d.comment))
        .collect();
    assert_eq!(told, ["a|happiness|anger|accept|", "b|anger|anger|reject|clear, to me"]);
    let counts = corrections.counts("mine.csv");
    assert_eq!((counts.file.as_str(), counts.changed, counts.kept), ("mine.csv", 1, 1));
    let bare = "utterance_id,given,label,decision\na,happiness,anger,accept\n";
    let bare = Corrections::parse("corrections.csv", bare.as_bytes()).unwrap();
    assert!(bare.decisions().all(|(_, decision)| decision.comment.is_empty()));
}

#[test]
fn a_missing_column_is_named() {
    let text = "utterance_id,label,decision\na,anger,accept\n";
    let error = Corrections::parse("corrections.csv", text.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("there is no column \"given\""), "{error}");
}

/// Rows that it swallowed would be decisions lost.
#[test]
fn a_quote_that_nothing_closes_is_refused() {
    let error = read("a,happiness,anger,accept,\nb,anger,anger,reject,\"clear\nc,,anger,other,\n");
    let text = error.unwrap_err().to_string();
    assert!(text.starts_with("corrections.csv:3: a quoted cell has no end"), "{text}");
}

#[test]
fn an_id_is_found_in_whichever_normalization_form_it_is_written() {
    let mut utterances = vec![utterance("\u{e4}", "ann", Some("happiness"))];
    read("a\u{308},happiness,anger,accept,\n").unwrap().apply(&mut utterances, &known()).unwrap();
    assert_eq!(utterances[0].gold.as_deref(), Some("anger"));
}

/// As the page saves them, so that a spreadsheet takes none for a formula.
#[test]
fn guarded_cells_are_read_as_what_they_were() {
    let text = "'=a,'+b,'-c,accept,'@d e\n'tis,x,x,reject,\"'\"\n";
    let read = read(text).unwrap();
    let decisions: Vec<_> = read.decisions().collect();
    let told = |id: &str| {
        let (_, decision) = decisions.iter().find(|(found, _)| *found == id).unwrap();
        [&decision.given, &decision.label, &decision.comment].map(String::as_str)
    };
    assert_eq!(told("=a"), ["+b", "-c", "@d e"]);
    assert_eq!(told("'tis"), ["x", "x", "'"]);
}
