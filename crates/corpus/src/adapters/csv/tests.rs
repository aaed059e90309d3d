//! Tables in their many forms.

use super::*;
use crate::testing::{folder, manifest_of, put, utterances_of};
use ambivox_settings::Manifest;

const LABELS: &str =
    "[labels]\nhappy = \"happiness\"\nsad = \"sadness\"\n\"no_agreement\" = \"\"\n";
const COLUMNS: &str = "[csv]\ntable = \"labels.csv\"\ndelimiter = \",\"\n\
    columns = { file = \"file\", speaker = \"speaker\", emotion = \"emotion\" }\n";
const ALL_COLUMNS: &str = "[csv]\ntable = \"labels.csv\"\ndelimiter = \";\"\n[csv.columns]\n\
    file = \"file\"\nspeaker = \"speaker\"\nemotion = \"emotion\"\nsession = \"session\"\n\
    sex = \"gender\"\nstart = \"start\"\nend = \"end\"\nvotes = \"raters\"\n";

fn toy(columns: &str) -> Manifest {
    manifest_of("csv", &["labels.csv", "wav/*.wav"], &format!("{LABELS}{columns}"))
}

fn read(columns: &str, table: impl AsRef<[u8]>) -> Result<Vec<Utterance>, CorpusError> {
    let root = folder(&["wav/a.wav", "wav/b.wav"]);
    put(root.path(), "labels.csv", table);
    utterances_of(root.path(), &toy(columns))
}

fn fault(columns: &str, table: &str) -> String {
    read(columns, table).unwrap_err().to_string()
}

#[test]
fn three_columns_are_enough() {
    let table = "file,transcript,speaker,emotion\n\
        ./wav/b.wav,\"so, well\",s2,sad\nwav/a.wav,,s1,no_agreement\n";
    let utterances = read(COLUMNS, table).unwrap();
    let [a, b] = &utterances[..] else { panic!("two utterances, not {}", utterances.len()) };
    assert_eq!((a.utterance_id.as_str(), a.path.as_str()), ("wav/a", "wav/a.wav"));
    assert_eq!((a.speaker.as_str(), a.session.as_str()), ("s1", "s1"));
    assert_eq!((a.gold.as_deref(), b.gold.as_deref()), (None, Some("sadness")));
    assert_eq!((b.start_s, b.end_s, b.sex), (None, None, None));
}

#[test]
fn all_columns_are_read() {
    let table = "file;speaker;emotion;session;gender;start;end;raters\n\
        wav/a.wav;s1;happy;1;F;0 days 00:00:01.5;0 days 00:00:02.250000;\
        \"happy:3; sad:1;no_agreement:2\"\n";
    let utterance = read(ALL_COLUMNS, table).unwrap().remove(0);
    assert_eq!(utterance.utterance_id, "wav/a_1500_2250");
    assert_eq!((utterance.start_s, utterance.end_s), (Some(1.5), Some(2.25)));
    assert_eq!((utterance.session.as_str(), utterance.sex), ("1", Some(Sex::Female)));
    let votes: Vec<_> = utterance.votes.into_iter().collect();
    assert_eq!(votes, [("happiness".to_owned(), 3), ("sadness".to_owned(), 1)]);
}

#[test]
fn several_rows_may_cut_one_file() {
    let table = "file;speaker;emotion;session;gender;start;end;raters\n\
        wav/a.wav;s1;happy;;;0;1.5;\nwav/a.wav;s2;sad;;;1.5;;\nwav/b.wav;s2;sad;;;0;NaT;\n";
    let utterances = read(ALL_COLUMNS, table).unwrap();
    let cuts: Vec<_> =
        utterances.iter().map(|u| (u.utterance_id.as_str(), u.start_s, u.end_s)).collect();
    let expected = [
        ("wav/a_0_1500", Some(0.0), Some(1.5)),
        ("wav/a_1500_end", Some(1.5), None),
        ("wav/b", None, None),
    ];
    assert_eq!(cuts, expected);
}

#[test]
fn files_of_one_name_in_several_folders_are_several_utterances() {
    let root = folder(&["ann/01.wav", "bob.x/01.wav", "bob.x/02"]);
    let table = "file,speaker,emotion\nann/01.wav,s1,sad\nbob.x/01.wav,s2,sad\nbob.x/02,s2,sad\n";
    put(root.path(), "labels.csv", table);
    let manifest = manifest_of("csv", &["labels.csv", "*/0*"], &format!("{LABELS}{COLUMNS}"));
    let utterances = utterances_of(root.path(), &manifest).unwrap();
    let ids: Vec<_> = utterances.iter().map(|u| u.utterance_id.as_str()).collect();
    assert_eq!(ids, ["ann/01", "bob.x/01", "bob.x/02"]);
}

#[test]
fn cuts_of_one_start_and_several_ends_are_several_utterances() {
    let table = "file;speaker;emotion;session;gender;start;end;raters\n\
        wav/a.wav;s1;happy;;;0;1.5;\nwav/a.wav;s1;happy;;;0;2;\n";
    let utterances = read(ALL_COLUMNS, table).unwrap();
    let ids: Vec<_> = utterances.iter().map(|u| u.utterance_id.as_str()).collect();
    assert_eq!(ids, ["wav/a_0_1500", "wav/a_0_2000"]);
}

#[test]
fn one_file_twice_names_both_rows() {
    let table = "file,speaker,emotion\nwav/a.wav,s1,sad\nwav/b.wav,s1,sad\nwav/a.wav,s1,happy\n";
    insta::assert_snapshot!(fault(COLUMNS, table), @r"
    labels.csv:2 and labels.csv:4 are both the utterance wav/a
    hint: remove one of the two rows; where they name two files, rename one of the files
    ");
}

#[test]
fn windows_tables_and_latin_1_transcripts_are_read() {
    let table = b"\xEF\xBB\xBFfile,speaker,emotion,text\r\nwav/a.wav,s1,sad,d\xe9j\xe0\r\n";
    assert_eq!(read(COLUMNS, table).unwrap()[0].utterance_id, "wav/a");
}

#[test]
fn a_missing_sound_keeps_its_row_but_one_outside_the_patterns_is_an_error() {
    let table = "file,speaker,emotion\nwav/lost.wav,s1,sad\n";
    assert_eq!(read(COLUMNS, table).unwrap().len(), 1);
    let root = folder(&["other/c.wav"]);
    put(root.path(), "labels.csv", "file,speaker,emotion\nother/c.wav,s1,sad\n");
    insta::assert_snapshot!(utterances_of(root.path(), &toy(COLUMNS)).unwrap_err(), @r"
    other/c.wav is needed, but matches none of the manifest's files patterns (labels.csv, wav/*.wav)
    hint: add a pattern for it to files, or correct its path
    ");
}

#[test]
fn a_table_outside_the_patterns_is_an_error() {
    let manifest = toy(&COLUMNS.replace("labels.csv", "tables/labels.csv"));
    let error = utterances_of(folder(&["wav/a.wav", "tables/labels.csv"]).path(), &manifest);
    let error = error.unwrap_err();
    assert!(matches!(error, CorpusError::NotCovered { .. }), "{error}");
}

#[test]
fn a_table_that_is_missing_is_named_with_its_path_and_the_remedy() {
    let root = folder(&["wav/a.wav"]);
    let error = utterances_of(root.path(), &toy(COLUMNS)).unwrap_err();
    let text = error.to_string().replace(&root.path().display().to_string(), "ROOT");
    insta::assert_snapshot!(text, @r"
    ROOT/labels.csv: there is no such file
    hint: csv.table of the manifest names it; put it there, correct its path, or set TOY_ROOT to the folder that holds it
    ");
    assert_eq!(error.exit_code(), ambivox_settings::exit::DATA);
}

#[test]
fn faults_name_row_and_remedy() {
    insta::assert_snapshot!(
        fault(COLUMNS, "file,speaker,label\nwav/a.wav,s1,sad\n"),
        @r#"
    labels.csv: there is no column "emotion"; the columns are "file", "speaker", "label"
    hint: correct the table's header; a manifest with [csv] names columns and delimiter itself
    "#
    );
    insta::assert_snapshot!(fault(COLUMNS, "file,speaker,emotion\nwav/a.wav,s1,angry\n"), @r#"
    labels.csv: the manifest's labels (happy, no_agreement, sad) do not list "angry" (1 time, first in line 2)
    hint: add them to [labels]; a word that maps to "" is no emotion
    "#);
    insta::assert_snapshot!(
        fault(COLUMNS, "file,speaker,emotion\nwav/a.wav,s1\n"),
        @r"
    labels.csv: CSV error: record 1 (line: 2, byte: 21): found record with 2 fields, but the previous record has 3 fields
    hint: correct that line; every row has as many cells as the header, and a cell that holds the delimiter stands in quotes
    "
    );
    insta::assert_snapshot!(
        fault(COLUMNS, "file,speaker,emotion\n/wav/a.wav,s1,sad\n"),
        @r#"
    labels.csv:2: "/wav/a.wav" found where a path relative to the corpus's root was expected
    hint: correct that line, or remove it
    "#
    );
    insta::assert_snapshot!(
        fault(COLUMNS, "file,speaker,emotion\n../a.wav,s1,sad\n"),
        @r#"
    labels.csv:2: "../a.wav" found where a path relative to the corpus's root was expected
    hint: correct that line, or remove it
    "#
    );
}

#[test]
fn faulty_cells_are_shown() {
    let fault = |cells: &str| {
        let head = "file;speaker;emotion;session;gender;start;end;raters";
        fault(ALL_COLUMNS, &format!("{head}\nwav/a.wav;s1;sad;1;{cells}\n"))
    };
    insta::assert_snapshot!(
        fault("m;soon;1;"),
        @r#"
    labels.csv:2: "soon" found where seconds, or a duration such as 0 days 00:00:01.5 was expected
    hint: correct that line, or remove it
    "#
    );
    insta::assert_snapshot!(
        fault("m;2;1;"),
        @r#"
    labels.csv:2: "1" found where an end after the start at 2 s was expected
    hint: correct that line, or remove it
    "#
    );
    insta::assert_snapshot!(
        fault("m;0;1;happy"),
        @r#"
    labels.csv:2: "happy" found where a vote such as happy:3 was expected
    hint: correct that line, or remove it
    "#
    );
    insta::assert_snapshot!(fault("m;0;1;angry:2"), @r#"
    labels.csv: the manifest's labels (happy, no_agreement, sad) do not list "angry" (1 time, first in line 2)
    hint: add them to [labels]; a word that maps to "" is no emotion
    "#);
}

#[test]
fn speakers_in_the_manifest_must_be_known() {
    let root = folder(&["wav/a.wav"]);
    put(root.path(), "labels.csv", "file,speaker,emotion\nwav/a.wav,s9,sad\n");
    let manifest = toy(&format!("{COLUMNS}[speakers.s1]\n"));
    let error = utterances_of(root.path(), &manifest).unwrap_err();
    assert!(matches!(error, CorpusError::UnknownSpeaker { .. }), "{error}");
}

#[test]
fn corrections_beside_the_table_are_applied() {
    let files = ["labels.csv", "corrections.csv", "wav/*.wav"];
    let columns = COLUMNS.replace("columns =", "corrections = \"corrections.csv\"\ncolumns =");
    let read = |patterns: &[&str], corrections: &str| {
        let root = folder(&["wav/a.wav", "wav/b.wav"]);
        put(root.path(), "labels.csv", "file,speaker,emotion\nwav/a.wav,s1,happy\n");
        put(root.path(), "corrections.csv", corrections);
        utterances_of(root.path(), &manifest_of("csv", patterns, &format!("{LABELS}{columns}")))
    };
    let head = "utterance_id,given,label,decision\n";
    let gold = |row: &str| read(&files, &format!("{head}{row}")).map(|all| all[0].gold.clone());
    assert_eq!(gold("wav/a,happiness,sadness,accept\n").unwrap().as_deref(), Some("sadness"));
    let error = gold("wav/a,sadness,happiness,accept\n").unwrap_err();
    assert!(error.to_string().starts_with("corrections.csv:2: the label of"), "{error}");
    let error = gold("wav/a,happiness,happy,accept\n").unwrap_err();
    assert!(error.to_string().contains("there are happiness, sadness"), "{error}");
    let error = read(&files[..1], head).unwrap_err();
    assert!(matches!(error, CorpusError::NotCovered { path, .. } if path == "corrections.csv"));
}

fn warnings(columns: &str, table: &str) -> Vec<String> {
    let root = folder(&["wav/a.wav", "wav/b.wav"]);
    put(root.path(), "labels.csv", table);
    crate::read_corpus(root.path(), &toy(columns)).unwrap().warnings
}

#[test]
fn rows_that_name_no_speaker_are_named_together() {
    let table = "file,speaker,emotion\nwav/a.wav,,sad\nwav/b.wav,ann,sad\nwav/c.wav, NA ,sad\n\
        wav/d.wav,nan,sad\n";
    insta::assert_snapshot!(fault(COLUMNS, table), @r#"
    labels.csv: no speaker in 3 rows: lines 2 (""), 4 ("NA"), 5 ("nan")
    hint: fill in the column "speaker", or remove these rows; empty cells, NA, nan, None and null are nobody's name
    "#);
}

#[test]
fn one_speaker_written_in_several_ways_is_one() {
    let table = "file,speaker,emotion\nwav/a.wav,J\u{f6}rg\u{a0}B,sad\n\
        wav/b.wav, Jo\u{308}rg  B\u{a0},happy\n";
    let speakers = read(COLUMNS, table).unwrap().into_iter().map(|u| (u.speaker, u.session));
    let name = || "J\u{f6}rg B".to_owned();
    assert_eq!(speakers.collect::<Vec<_>>(), [(name(), name()), (name(), name())]);
    let columns = format!("{COLUMNS}[speakers.\"Jo\u{308}rg B\"]\nsex = \"male\"\n");
    assert!(read(&columns, table).unwrap().iter().all(|u| u.sex == Some(Sex::Male)));
}

#[test]
fn what_is_worth_a_look_is_said() {
    let table = "file;speaker;emotion;session;gender;start;end;raters\n\
        wav/a.wav;Ann;happy;;f;0;1;\nwav/a.wav;Ann;happy;;m;1;2;\n\
        wav/a.wav;ann;sad;;other;2;3;\nwav/a.wav;bob;sad;;;3;4;\n";
    insta::assert_snapshot!(warnings(ALL_COLUMNS, table).join("\n"), @r#"
    labels.csv: neither female nor male in 2 rows ("" 1, "other" 1); their sex is not stated
    no row or label file names 1 audio file that the manifest's patterns match: wav/b.wav
    speaker Ann is female in 1 utterance and male in 1; is this one person?
    the speakers Ann, ann differ in capitals alone; are they one person?
    "#);
    let whole = "file,speaker,emotion\nwav/a.wav,s1,sad\nwav/b.wav,s2,sad\n";
    assert_eq!(warnings(COLUMNS, whole), [""; 0]);
}

#[test]
fn every_unknown_word_is_named_at_once() {
    let table = "file;speaker;emotion;session;gender;start;end;raters\n\
        wav/a.wav;s1;glum;;;0;1;meh:1\nwav/a.wav;s1;happy;;;1;2;\nwav/a.wav;s1;glum;;;2;3;\n";
    insta::assert_snapshot!(fault(ALL_COLUMNS, table), @r#"
    labels.csv: the manifest's labels (happy, no_agreement, sad) do not list "glum" (2 times, first in line 2), "meh" (1 time, first in line 2)
    hint: add them to [labels]; a word that maps to "" is no emotion
    "#);
}

#[test]
fn counts_of_votes_may_be_written_as_reals() {
    let votes = |cell: &str| {
        let head = "file;speaker;emotion;session;gender;start;end;raters";
        let read = read(ALL_COLUMNS, format!("{head}\nwav/a.wav;s1;sad;;;;;\"{cell}\"\n"));
        read.map(|all| all[0].votes.values().copied().collect::<Vec<_>>())
    };
    assert_eq!(votes("happy:1.0;sad:2.;no_agreement:0.0").unwrap(), [1, 2]);
    for cell in ["happy:1.5", "happy:-1", "happy:.0", "happy:1e0", "happy:nan"] {
        assert!(votes(cell).unwrap_err().to_string().contains(cell), "{cell}");
    }
}

#[test]
fn a_path_in_another_normalization_form_is_that_file() {
    let (nfc, nfd) = ("wav/\u{e4}.wav", "wav/a\u{308}.wav");
    for (on_disk, in_table) in [(nfc, nfd), (nfd, nfc)] {
        let root = folder(&[on_disk]);
        put(root.path(), "labels.csv", format!("file,speaker,emotion\n{in_table},s1,sad\n"));
        let corpus = crate::read_corpus(root.path(), &toy(COLUMNS)).unwrap();
        let utterance = &corpus.utterances[0];
        assert_eq!((&*utterance.path, &*utterance.utterance_id), (on_disk, "wav/\u{e4}"));
        assert_eq!(corpus.warnings, [""; 0]);
    }
}

#[test]
fn a_path_that_nearly_names_a_file_is_refused_with_it() {
    let table = "file,speaker,emotion\nwav\\a.wav,s1,sad\nWAV/B.wav,s1,sad\nwav/b.wav,s1,sad\n";
    insta::assert_snapshot!(fault(COLUMNS, table), @r#"
    labels.csv: 2 rows with a path that is nearly, but not quite, a file's: wav\a.wav for wav/a.wav (line 2), WAV/B.wav for wav/b.wav (line 3)
    hint: write them as the files are called; folders end in /, not in a backslash, and capitals count
    "#);
}

/// Such a file would be read, but no stage would run again for it.
#[test]
fn a_file_that_no_pattern_covers_is_refused_be_it_there_or_not() {
    for path in ["other/c.wav", "wav/.c.wav", "wav/deep/c.wav"] {
        let table = format!("file,speaker,emotion\nwav/a.wav,s1,sad\n{path},s1,sad\n");
        for there in [&["wav/a.wav", path][..], &["wav/a.wav"]] {
            let root = folder(there);
            put(root.path(), "labels.csv", &table);
            let error = utterances_of(root.path(), &toy(COLUMNS)).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{path} is needed, but")), "{error}");
        }
    }
}

#[test]
fn a_table_without_quoting_says_so_in_the_manifest() {
    let columns = COLUMNS.replace("columns =", "quote = \"\"\ncolumns =");
    let table = "file,speaker,emotion\nwav/a.wav,\"ann,sad\nwav/b.wav,\"ann,sad\n";
    assert_eq!(read(&columns, table).unwrap()[1].speaker, "\"ann");
    assert!(fault(COLUMNS, table).starts_with("labels.csv:2: a quoted cell has no end"));
}

const IDS: &str = "[csv]\ntable = \"labels.csv\"\ndelimiter = \",\"\n\
    columns = { id = \"name\", emotion = \"emotion\" }\n";

#[test]
fn a_column_of_ids_is_enough_where_there_are_no_recordings() {
    let utterances = read(IDS, "name,emotion\nx/2.b,sad\n ../1,happy\n").unwrap();
    let of = |u: &Utterance| (u.utterance_id.clone(), u.path.clone(), u.known_speaker().is_some());
    let named = |name: &str| (name.to_owned(), name.to_owned(), false);
    assert_eq!(utterances.iter().map(of).collect::<Vec<_>>(), ["../1", "x/2.b"].map(named));
    insta::assert_snapshot!(fault(IDS, "name,emotion\na,sad\n,sad\nNA,sad\n"), @r#"
    labels.csv: no id in 2 rows: lines 3 (""), 4 ("NA")
    hint: fill in the column "name", or remove these rows; empty cells, NA, nan, None and null are nobody's name
    "#);
    insta::assert_snapshot!(fault(IDS, "name,emotion\na,sad\nb,sad\na,happy\n"), @r#"
    labels.csv:2 and labels.csv:4 are both the utterance a
    hint: remove one of the two rows; where they name two files, rename one of the files
    "#);
}

#[test]
fn an_id_of_the_table_may_stand_beside_a_recording() {
    let columns = IDS.replace("id = ", "file = \"file\", id = ");
    let utterance = read(&columns, "name,file,emotion\n17,wav/a.wav,sad\n").unwrap().remove(0);
    assert_eq!((&*utterance.utterance_id, &*utterance.path), ("17", "wav/a.wav"));
}

const RATED: &str = "[csv]\ntable = \"labels.csv\"\ndelimiter = \",\"\n\
    columns = { file = \"file\", speaker = \"speaker\" }\n\
    ratings = { table = \"ratings.csv\", utterance = \"clip\", annotator = \"who\", label = \"heard\" }\n";

fn read_rated(columns: &str, ratings: &str) -> Result<(Vec<Utterance>, Vec<String>), CorpusError> {
    let root = folder(&["wav/a.wav", "wav/b.wav"]);
    put(root.path(), "labels.csv", "file,speaker,emotion\nwav/a.wav,s1,sad\nwav/b.wav,s2,sad\n");
    put(root.path(), "ratings.csv", ratings);
    let files = ["labels.csv", "ratings.csv", "wav/*.wav"];
    let manifest = manifest_of("csv", &files, &format!("{LABELS}{columns}"));
    let corpus = crate::read_corpus(root.path(), &manifest)?;
    Ok((corpus.utterances, corpus.warnings))
}

/// By id or by file; who says nothing abstains, who says it twice says it once.
#[test]
fn ratings_have_a_table_of_their_own_and_make_votes_and_label() {
    let rows = "clip,who,heard\nwav/a,ann,happy\nwav/a.wav,bob,happy\nwav/a,bob,sad\nwav/a,bob,sad\n\
        wav/b,ann,\nwav/b,bob,no_agreement\nwav/c,cem,sad\n";
    let (utterances, warnings) = read_rated(RATED, rows).unwrap();
    let [a, b] = &utterances[..] else { panic!("two utterances, not {}", utterances.len()) };
    let named = |labels: &[&str]| labels.iter().map(|&label| label.to_owned()).collect();
    assert_eq!(a.ratings["ann"], named(&["happiness"]));
    assert_eq!(a.ratings["bob"], named(&["happiness", "sadness"]));
    assert_eq!(a.votes, [("happiness".to_owned(), 2), ("sadness".to_owned(), 1)].into());
    assert_eq!((a.gold.as_deref(), b.gold.as_deref()), (Some("happiness"), None));
    assert!(b.votes.is_empty() && b.ratings.is_empty(), "{b:?}");
    assert_eq!(
        warnings,
        ["ratings.csv: 1 rating of utterances that are not there: wav/c (line 8)"]
    );
}

#[test]
fn a_label_of_the_table_goes_before_that_of_the_ratings() {
    let columns =
        RATED.replace("speaker = \"speaker\" }", "speaker = \"speaker\", emotion = \"emotion\" }");
    let (utterances, _) = read_rated(&columns, "clip,who,heard\nwav/a,ann,happy\n").unwrap();
    assert_eq!(utterances[0].gold.as_deref(), Some("sadness"));
    assert_eq!(utterances[0].votes, [("happiness".to_owned(), 1)].into());
}

#[test]
fn faulty_ratings_name_file_and_line() {
    let fault = |rows: &str| read_rated(RATED, rows).unwrap_err().to_string();
    let text = fault("clip,who,heard\nwav/a,ann,joy\n");
    assert!(text.contains("ratings.csv:2") && text.contains("joy"), "{text}");
    let text = fault("clip,who,heard\nwav/a,,happy\n");
    assert!(text.contains("ratings.csv:2") && text.contains("an annotator's name"), "{text}");
    let text = fault("clip,rater,heard\nwav/a,ann,happy\n");
    assert!(text.contains("ratings.csv") && text.contains("\"who\""), "{text}");
    let manifest = toy(RATED);
    let root = folder(&["wav/a.wav", "wav/b.wav"]);
    put(root.path(), "labels.csv", "file,speaker,emotion\nwav/a.wav,s1,sad\n");
    let text = utterances_of(root.path(), &manifest).unwrap_err().to_string();
    assert!(text.contains("ratings.csv"), "{text}");
}
