//! What is written is read, and the same list gives the same bytes.

use polars::prelude::{DataType, NamedFrom, Series};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::testing::{folder, utterance};

fn some_number() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(-1e6..1e6f64)
}

fn some_utterance() -> impl Strategy<Value = Utterance> {
    let sex = prop::option::of(prop_oneof![Just(Sex::Female), Just(Sex::Male)]);
    let votes = btree_map("[a-zé]{1,9}", 1..50u32, 0..5);
    let labels = proptest::collection::btree_set("[a-z]{1,4}", 1..3);
    let ratings = btree_map("[A-Zé]{1,3}", labels, 0..3);
    let attributes = btree_map("x[a-z_]{0,6}", -1e3..1e3f64, 0..4);
    let gold = prop::option::of("[a-z]{1,9}");
    let times = (some_number(), some_number(), some_number());
    ("\\PC{1,20}", "\\PC{1,20}", sex, gold, times, (votes, ratings), attributes).prop_map(
        |(id, speaker, sex, gold, (start_s, end_s, duration_s), (votes, ratings), attributes)| {
            Utterance {
                sex,
                start_s,
                end_s,
                duration_s,
                votes,
                ratings,
                attributes,
                ..utterance(&id, &speaker, gold.as_deref())
            }
        },
    )
}

fn bytes(utterances: &[Utterance]) -> Vec<u8> {
    let folder = folder(&[]);
    let path = folder.path().join("index.parquet");
    write_index(&path, utterances).unwrap();
    fs_err::read(path).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_written_is_read(utterances in vec(some_utterance(), 0..12)) {
        let folder = folder(&[]);
        let path = folder.path().join("index.parquet");
        write_index(&path, &utterances).unwrap();
        let unrated = |u: &Utterance| Utterance { ratings: BTreeMap::new(), ..u.clone() };
        let expected: Vec<Utterance> = utterances.iter().map(unrated).collect();
        prop_assert_eq!(read_index(&path).unwrap(), expected);
        prop_assert_eq!(read_rated_index(&path).unwrap(), utterances);
    }

    #[test]
    fn same_list_same_bytes(utterances in vec(some_utterance(), 1..12)) {
        prop_assert_eq!(bytes(&utterances), bytes(&utterances));
    }
}

#[test]
fn columns_are_what_others_rely_on() {
    let mut first = utterance("a", "ann", Some("anger"));
    first.votes = BTreeMap::from([("fear".to_owned(), 1), ("anger".to_owned(), 2)]);
    first.attributes = BTreeMap::from([("valence".to_owned(), 2.5), ("arousal".to_owned(), 1.0)]);
    let mut said = first.clone();
    said.sentence = Some("a01".to_owned());
    let with_sentences = super::frame(&[said, utterance("b", "bea", None)]).unwrap();
    assert_eq!(with_sentences.get_column_names()[11..], ["sentence", "arousal", "valence"]);
    let mut rated = utterance("c", "cem", None);
    rated.ratings = BTreeMap::from([("E1".to_owned(), ["fear".to_owned()].into())]);
    let with_ratings = super::frame(&[rated, utterance("b", "bea", None)]).unwrap();
    assert_eq!(with_ratings.get_column_names()[11..], ["ratings"]);
    let read = super::utterances(&with_sentences, 0).unwrap();
    assert_eq!((read[0].sentence.as_deref(), read[1].sentence.as_deref()), (Some("a01"), None));
    let frame = frame(&[first, utterance("b", "bea", None)]).unwrap();
    let names: Vec<_> = frame.columns().iter().map(|column| column.name().as_str()).collect();
    assert_eq!(names[..11], COLUMNS[..11]);
    assert_eq!(names[11..], ["arousal", "valence"]);
    let DataType::List(item) = frame.column("votes").unwrap().dtype() else { panic!("no list") };
    let DataType::Struct(fields) = &**item else { panic!("no struct") };
    let fields: Vec<_> = fields.iter().map(|f| (f.name().as_str(), f.dtype().clone())).collect();
    assert_eq!(fields, [("label", DataType::String), ("count", DataType::UInt32)]);
    assert_eq!(frame.column("sex").unwrap().dtype(), &DataType::String);
    assert_eq!(frame.column("gold").unwrap().null_count(), 1);
    assert_eq!(frame.column("valence").unwrap().null_count(), 1);
}

#[test]
fn an_index_of_several_row_groups_is_read_whole_and_in_order() {
    let folder = folder(&[]);
    let path = folder.path().join("index.parquet");
    let named = |number: usize| Utterance {
        votes: BTreeMap::from([("fear".to_owned(), 1 + number as u32)]),
        duration_s: number.is_multiple_of(2).then_some(0.5),
        ..utterance(&format!("u{number:05}"), "ann", Some("fear"))
    };
    let utterances: Vec<Utterance> = (0..2 * ROW_GROUP + 10).map(named).collect();
    write_index(&path, &utterances).unwrap();
    let index = Index::open(&path).unwrap();
    assert!(index.groups.len() > 1, "{:?}", index.groups);
    assert_eq!(index.len(), utterances.len());
    assert_eq!(index.seconds().unwrap(), 0.25 * utterances.len() as f64);
    assert!(read_index(&path).unwrap() == utterances, "what was read differs");
}

#[test]
fn a_file_that_is_no_index_is_named() {
    let folder = folder(&["notes.parquet"]);
    let path = folder.path().join("notes.parquet");
    let error = read_index(&path).unwrap_err();
    assert!(error.to_string().contains("notes.parquet"), "{error}");
    let column = Series::new("path".into(), ["a.wav"]).into();
    let mut frame = DataFrame::new(1, vec![column]).unwrap();
    let writer = || ParquetWriter::new(fs_err::File::create(&path).unwrap());
    writer().with_key_value_metadata(version_metadata()).finish(&mut frame).unwrap();
    let error = read_index(&path).unwrap_err();
    assert!(error.to_string().contains("votes"), "{error}");
    writer().finish(&mut frame).unwrap();
    let text = read_index(&path).unwrap_err().to_string();
    assert!(text.contains("notes.parquet: the metadata say nothing for ambivox.schema"), "{text}");
    assert!(text.contains("hint: delete the file"), "{text}");
    assert!(matches!(read_index(&folder.path().join("none")), Err(CorpusError::Read(_))));
}

#[test]
fn an_attribute_named_like_a_column_is_an_error() {
    let mut utterance = utterance("a", "ann", None);
    utterance.attributes.insert("gold".to_owned(), 1.0);
    let folder = folder(&[]);
    let error = write_index(&folder.path().join("index.parquet"), &[utterance]).unwrap_err();
    assert!(matches!(error, CorpusError::Parquet { .. }), "{error}");
}
