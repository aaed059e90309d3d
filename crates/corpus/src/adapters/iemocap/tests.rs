//! The traps of IEMOCAP's tree, and the paper's Table 1 from a tree of its shape.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use ambivox_settings::Sex;
use tempfile::TempDir;

use super::dialogue_and_speaker;
use crate::testing::{TABLE_1, folder, manifest, put, strings, utterances_of};
use crate::{CorpusError, Utterance, summarise};

fn header(turn: &str, code: &str) -> String {
    format!("[6.2901 - 8.2357]\t{turn}\t{code}\t[2.5000, 3.5000, 1.5000]\n")
}

/// Writes `dialogue`'s evaluation file with one block per turn and code.
fn put_dialogue(root: &Path, dialogue: &str, turns: &[(String, &str)]) {
    let session = &dialogue[4..5];
    let mut text = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n".to_owned();
    for (turn, code) in turns {
        writeln!(text, "{}C-E1:\tNeutral;\t()", header(turn, code)).unwrap();
    }
    put(root, &format!("Session{session}/dialog/EmoEvaluation/{dialogue}.txt"), text);
}

/// The utterances of a corpus that is one evaluation file.
fn read_turns(
    dialogue: &str,
    turns: &[(&str, &'static str)],
) -> Result<Vec<Utterance>, CorpusError> {
    let root = folder(&[]);
    let turns: Vec<_> = turns.iter().map(|&(turn, code)| (turn.to_owned(), code)).collect();
    put_dialogue(root.path(), dialogue, &turns);
    utterances_of(root.path(), &manifest("iemocap"))
}

#[test]
fn a_turn_becomes_an_utterance() {
    let utterance =
        read_turns("Ses01F_impro01", &[("Ses01F_impro01_M003", "hap")]).unwrap().remove(0);
    assert_eq!(utterance.utterance_id, "Ses01F_impro01_M003");
    assert_eq!(utterance.path, "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M003.wav");
    assert_eq!((utterance.corpus.as_str(), utterance.session.as_str()), ("iemocap", "Ses01"));
    assert_eq!((utterance.speaker.as_str(), utterance.sex), ("Ses01M", Some(Sex::Male)));
    assert_eq!((utterance.start_s, utterance.end_s, utterance.duration_s), (None, None, None));
    assert_eq!(utterance.gold.as_deref(), Some("happiness"));
    assert_eq!(utterance.votes, BTreeMap::from([("neutral".to_owned(), 1)]));
    assert_eq!(utterance.ratings, [("E1".to_owned(), ["neutral".to_owned()].into())].into());
    let attributes: Vec<_> = utterance.attributes.iter().map(|(k, &v)| (k.as_str(), v)).collect();
    let expected = [
        ("activation", 3.5),
        ("dialogue_end_s", 8.2357),
        ("dialogue_start_s", 6.2901),
        ("dominance", 1.5),
        ("valence", 2.5),
    ];
    assert_eq!(attributes, expected);
}

#[test]
fn the_speaker_is_in_the_token_after_the_last_underscore() {
    for (turn, dialogue, speaker) in [
        ("Ses01F_impro01_M003", "Ses01F_impro01", "Ses01M"),
        ("Ses01F_impro01_F003", "Ses01F_impro01", "Ses01F"),
        ("Ses04M_impro05a_F012", "Ses04M_impro05a", "Ses04F"),
        ("Ses02M_impro08b_M001", "Ses02M_impro08b", "Ses02M"),
        ("Ses03F_script01_1b_M040", "Ses03F_script01_1b", "Ses03M"),
        ("Ses05M_script01_1b_F000", "Ses05M_script01_1b", "Ses05F"),
        ("Ses05M_script03_2_MXX1", "Ses05M_script03_2", "Ses05M"),
    ] {
        assert_eq!(dialogue_and_speaker(turn), Some((dialogue, speaker.to_owned())), "{turn}");
    }
    for turn in
        ["", "_", "Ses01F", "Ses01F_impro01_", "Ses01F_impro01_X003", "SesXYF_a_F000", "Sésé_F1"]
    {
        assert_eq!(dialogue_and_speaker(turn), None, "{turn}");
    }
}

#[test]
fn no_consensus_is_no_gold_and_keeps_the_votes() {
    let utterance =
        read_turns("Ses02F_impro05a", &[("Ses02F_impro05a_F000", "xxx")]).unwrap().remove(0);
    assert_eq!(utterance.gold, None);
    assert_eq!(utterance.votes["neutral"], 1);
}

#[test]
fn utterances_are_sorted_though_files_list_one_speaker_after_the_other() {
    let turns = ["F000", "F001", "F010", "M000", "M001"].map(|t| format!("Ses03F_script01_1b_{t}"));
    let reversed: Vec<_> = turns.iter().rev().map(|turn| (turn.as_str(), "neu")).collect();
    let utterances = read_turns("Ses03F_script01_1b", &reversed).unwrap();
    let ids: Vec<_> = utterances.iter().map(|utterance| utterance.utterance_id.clone()).collect();
    assert_eq!(ids, turns);
}

#[test]
fn shadows_and_single_annotators_folders_are_not_read() {
    let root = folder(&[]);
    put_dialogue(root.path(), "Ses01F_impro01", &[("Ses01F_impro01_F000".to_owned(), "sad")]);
    let folder = "Session1/dialog/EmoEvaluation";
    let junk = "[nonsense\nC-E1 nonsense\n";
    put(root.path(), &format!("{folder}/._Ses01F_impro01.txt"), b"\x00\x05\x16\x07[\n");
    put(root.path(), &format!("{folder}/Categorical/Ses01F_impro01_e1_cat.txt"), junk);
    put(root.path(), &format!("{folder}/Attribute/Ses01F_impro01_e1_atr.txt"), junk);
    put(root.path(), &format!("{folder}/Self-evaluation/Ses01F_impro01_f1_cat.txt"), junk);
    let mut manifest = manifest("iemocap");
    assert_eq!(utterances_of(root.path(), &manifest).unwrap().len(), 1);
    // Not even a manifest that lists them makes the adapter read them.
    manifest.files =
        strings(&["Session*/dialog/EmoEvaluation/**/*.txt", "Session*/sentences/wav/*/*.wav"]);
    assert_eq!(utterances_of(root.path(), &manifest).unwrap().len(), 1);
}

#[test]
fn a_turn_without_its_sound_is_kept_and_a_sound_without_its_turn_is_not() {
    let root = folder(&["Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F009.wav"]);
    put_dialogue(root.path(), "Ses01F_impro01", &[("Ses01F_impro01_F000".to_owned(), "sad")]);
    let utterances = utterances_of(root.path(), &manifest("iemocap")).unwrap();
    assert_eq!(utterances.len(), 1);
    assert_eq!(utterances[0].utterance_id, "Ses01F_impro01_F000");
}

#[test]
fn the_root_may_be_the_folder_above() {
    let root = folder(&[]);
    let release = root.path().join("IEMOCAP_full_release");
    put_dialogue(&release, "Ses01F_impro01", &[("Ses01F_impro01_F000".to_owned(), "sad")]);
    let path = "sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav";
    put(&release, &format!("Session1/{path}"), "");
    let utterances = utterances_of(root.path(), &manifest("iemocap")).unwrap();
    assert_eq!(utterances[0].path, format!("IEMOCAP_full_release/Session1/{path}"));
}

#[test]
fn faults_name_file_and_line() {
    let text = |turn, code| read_turns("Ses01F_impro01", &[(turn, code)]).unwrap_err().to_string();
    insta::assert_snapshot!(text("Ses01F_impro01_F000", "joy"), @r#"
    Session1/dialog/EmoEvaluation/Ses01F_impro01.txt:3: emotion code "joy" is not among the manifest's labels (ang, dis, exc, fea, fru, hap, neu, oth, sad, sur, xxx)
    hint: add it to [labels]; a code that maps to "" is no emotion
    "#);
    insta::assert_snapshot!(
        text("Ses01F_impro01", "neu"),
        @r#"
    Session1/dialog/EmoEvaluation/Ses01F_impro01.txt:3: "Ses01F_impro01" found where a turn's name such as Ses01F_impro01_M003 was expected
    hint: correct that line, or remove it
    "#
    );
    insta::assert_snapshot!(text("Ses09F_impro01_F000", "neu"), @r#"
    Session1/dialog/EmoEvaluation/Ses01F_impro01.txt:3: speaker "Ses09F" is not among the manifest's speakers (Ses01F, Ses01M, Ses02F, Ses02M, Ses03F, Ses03M, Ses04F, Ses04M, Ses05F, Ses05M)
    hint: add them to [speakers]
    "#);
    let root = folder(&[]);
    put(root.path(), "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", "%\n\n[1.0 - 2.0] oops\n");
    let error = utterances_of(root.path(), &manifest("iemocap")).unwrap_err();
    insta::assert_snapshot!(
        error,
        @r#"
    Session1/dialog/EmoEvaluation/Ses01F_impro01.txt:3: "[1.0 - 2.0] oops" found where a turn's header line was expected
    hint: correct that line, or remove it
    "#
    );
}

#[test]
fn a_turn_listed_twice_is_an_error() {
    let turn = ("Ses01F_impro01_F000", "neu");
    let error = read_turns("Ses01F_impro01", &[turn, turn]).unwrap_err();
    assert!(matches!(error, CorpusError::DuplicateId { .. }), "{error}");
}

const CLASSES: [(&str, &str); 4] =
    [("hap", "happiness"), ("sad", "sadness"), ("neu", "neutral"), ("ang", "anger")];

/// Codes that Table 1 must not count, a few of each per speaker; `exc` is not happiness.
const OTHERS: [&str; 7] = ["exc", "fru", "sur", "fea", "dis", "oth", "xxx"];

/// Codes of all turns of one speaker.
fn codes(counts: [usize; 4]) -> impl Iterator<Item = &'static str> {
    let classes = CLASSES.into_iter().zip(counts).flat_map(|((code, _), n)| vec![code; n]);
    classes.chain(OTHERS.into_iter().flat_map(|code| [code; 3]))
}

/// A tree with Table 1's counts. Every speaker's turns are dealt over dialogues with the markers on
/// either speaker, improvised and scripted, with irregular names among them.
fn table_1_tree() -> TempDir {
    let root = folder(&[]);
    let mut dialogues: BTreeMap<String, Vec<(String, &'static str)>> = BTreeMap::new();
    for (speaker, counts) in TABLE_1 {
        let (session, letter) = speaker.split_at(5);
        let names = ["F_impro01", "M_impro05a", "M_script01_1b", "F_script02_2", "M_impro08b"];
        for (i, code) in codes(counts).enumerate() {
            let dialogue = format!("{session}{}", names[i % names.len()]);
            let turn = format!("{dialogue}_{letter}{i:03}");
            dialogues.entry(dialogue).or_default().push((turn, code));
        }
    }
    for (dialogue, turns) in &dialogues {
        put_dialogue(root.path(), dialogue, turns);
    }
    root
}

#[test]
fn all_forty_cells_of_table_1_come_out() {
    let root = table_1_tree();
    let manifest = manifest("iemocap");
    let utterances = utterances_of(root.path(), &manifest).unwrap();
    let summary = summarise(&utterances, &manifest, manifest.release.as_ref(), 50, "");
    assert_eq!(summary.speakers.len(), TABLE_1.len());
    for (row, (speaker, counts)) in summary.speakers.iter().zip(TABLE_1) {
        assert_eq!(row.speaker, speaker);
        for ((_, label), count) in CLASSES.into_iter().zip(counts) {
            assert_eq!(row.gold[label], count as u64, "{speaker} {label}");
        }
    }
    let in_classes = |u: &&Utterance| CLASSES.iter().any(|(_, l)| u.gold.as_deref() == Some(l));
    assert_eq!(utterances.iter().filter(in_classes).count(), 4490);
}
