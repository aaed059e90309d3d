//! Names, votes and actors of CREMA-D; the crowd's verdict on its real table.

use super::*;
use crate::consensus;
use crate::testing::{folder, manifest, put, shared, utterances_of};

const HEAD: &str = "\"\",\"A\",\"D\",\"F\",\"H\",\"N\",\"S\",\"fileName\",\"emoVote\"\n";

fn with_votes(rows: &str) -> tempfile::TempDir {
    let root = folder(&["AudioWAV/1002_IEO_ANG_HI.wav"]);
    put(root.path(), "processedResults/tabulatedVotes.csv", format!("{HEAD}{rows}"));
    root
}

#[test]
fn gold_is_the_intent_and_votes_are_the_voices() {
    let root = with_votes(
        "\"100123\",4,0,1,0,5,0,\"1002_IEO_ANG_HI\",\"N\"\n\
         \"200123\",9,0,0,0,0,0,\"1002_IEO_ANG_HI\",\"A\"\n\
         \"300123\",8,0,0,0,0,0,\"1002_IEO_ANG_HI\",\"A\"\n\
         \"100124\",0,0,0,0,5,5,\"1002_IEO_SAD_HI\",\"N:S\"\n",
    );
    put(root.path(), "VideoDemographics.csv", "\"ActorID\",\"Age\",\"Sex\"\n1002,21,\"Female\"\n");
    let utterances = utterances_of(root.path(), &manifest("crema-d")).unwrap();
    assert_eq!(utterances.len(), 1);
    let utterance = &utterances[0];
    assert_eq!(utterance.utterance_id, "1002_IEO_ANG_HI");
    assert_eq!((utterance.speaker.as_str(), utterance.sex), ("1002", Some(Sex::Female)));
    assert_eq!(utterance.gold.as_deref(), Some("anger"));
    let votes: Vec<_> = utterance.votes.iter().map(|(k, &v)| (k.as_str(), v)).collect();
    assert_eq!(votes, [("anger", 4), ("fear", 1), ("neutral", 5)]);
}

#[test]
fn every_listener_to_the_voice_alone_is_a_rating() {
    let root = with_votes("\"100123\",1,0,0,0,1,0,\"1002_IEO_ANG_HI\",\"A:N\"\n");
    let answers = "\"\",\"localid\",\"ans\",\"queryType\",\"clipName\",\"respEmo\"\n\
        1,\"32_1\",\"A_66\",1,\"1002_IEO_ANG_HI\",\"A\"\n\
        2,\"7_2\",\"N_20\",1,\"1002_IEO_ANG_HI\",\"N\"\n\
        3,\"32_1\",\"F_66\",2,\"1002_IEO_ANG_HI\",\"F\"\n\
        4,\"9_1\",\"\",1,\"1002_IEO_ANG_HI\",\"\"\n";
    put(root.path(), "finishedResponses.csv", answers);
    let utterances = utterances_of(root.path(), &manifest("crema-d")).unwrap();
    let named = |label: &str| [label.to_owned()].into();
    let expected = [("32_1".to_owned(), named("anger")), ("7_2".to_owned(), named("neutral"))];
    assert_eq!(utterances[0].ratings, expected.into());
}

#[test]
fn tables_may_be_missing() {
    let root = folder(&["AudioWAV/1002_IEO_ANG_HI.wav"]);
    let utterances = utterances_of(root.path(), &manifest("crema-d")).unwrap();
    assert!(utterances[0].votes.is_empty() && utterances[0].sex.is_none());
}

#[test]
fn a_broken_table_names_its_line() {
    let read = |root: tempfile::TempDir| {
        utterances_of(root.path(), &manifest("crema-d")).unwrap_err().to_string()
    };
    let text = read(with_votes("\"100123\",4,0,x,0,5,0,\"1002_IEO_ANG_HI\",\"N\"\n"));
    insta::assert_snapshot!(
        text,
        @r#"
    processedResults/tabulatedVotes.csv:2: "x" found where a number of votes was expected
    hint: correct that line, or remove it
    "#
    );
    let text = read(with_votes("\"100123\",4,0,1\n"));
    insta::assert_snapshot!(
        text,
        @r"
    processedResults/tabulatedVotes.csv: CSV error: record 1 (line: 2, byte: 48): found record with 4 fields, but the previous record has 9 fields
    hint: correct that line; every row has as many cells as the header, and a cell that holds the delimiter stands in quotes
    "
    );
    let root = folder(&["AudioWAV/1002_IEO_ANG_HI.wav"]);
    put(root.path(), "processedResults/tabulatedVotes.csv", "\"\",A,D,F,H,N,S,clip\n");
    insta::assert_snapshot!(
        read(root),
        @r#"
    processedResults/tabulatedVotes.csv: there is no column "fileName"; the columns are "", "A", "D", "F", "H", "N", "S", "clip"
    hint: correct the table's header; a manifest with [csv] names columns and delimiter itself
    "#
    );
}

#[test]
fn a_name_of_another_form_is_an_error() {
    let root = folder(&["AudioWAV/1002_IEO_ANG.wav"]);
    let error = utterances_of(root.path(), &manifest("crema-d")).unwrap_err();
    assert!(matches!(error, CorpusError::Malformed { .. }), "{error}");
}

#[test]
fn voices_convey_the_intent_in_two_clips_of_five() {
    let Some(folder) = shared("data/crema-d") else { return };
    let mut manifest = manifest("crema-d");
    manifest.files = vec![VOTES.to_owned()];
    let tree = Tree::open(&folder, &manifest).unwrap();
    let votes = voice_votes(&tree).unwrap();
    assert_eq!(votes.len(), 7442);
    let conveyed = votes.iter().filter(|(clip, votes)| {
        let intent = &manifest.labels[clip.split('_').nth(2).unwrap()];
        consensus(votes) == Some(intent)
    });
    let share = conveyed.count() as f64 / votes.len() as f64;
    assert!((share - 0.416).abs() < 0.0005, "{share}");
    let per_clip: Vec<u32> = votes.values().map(|votes| votes.values().sum()).collect();
    assert_eq!((per_clip.iter().min(), per_clip.iter().max()), (Some(&4), Some(&12)));
}
