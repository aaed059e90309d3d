//! Tables written, read back and refused.

use super::*;
use polars::io::parquet::write::KeyValueMetadata;

use crate::writer::{Columns, Described, Tables};
use crate::{FeatureTable, Outputs};

fn names(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|&name| name.to_owned()).collect()
}

fn frames(utterance_id: &str, data: &[f32]) -> Described {
    Described {
        utterance_id: utterance_id.to_owned(),
        frames: data.to_vec(),
        vector: None,
        warnings: Vec::new(),
    }
}

fn written(groups: &[&[Described]]) -> (tempfile::TempDir, std::path::PathBuf) {
    written_in(Precision::F32, groups)
}

fn written_in(
    precision: Precision,
    groups: &[&[Described]],
) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("features.parquet");
    let outputs = Outputs { features: Some(file.clone()), vectors: None, pieces: None };
    let columns = Columns { frame: Some(&names(&["f0", "zcr"])), precision, vector: None };
    let tables = Tables::create(&outputs, columns).unwrap();
    for group in groups {
        tables.write(&tables.encode(group).unwrap()).unwrap();
    }
    tables.finish().unwrap();
    (folder, file)
}

/// The rows of a `features.parquet`.
fn frames_of(file: &Path) -> FeatureTable {
    let rows = file.with_extension("safetensors");
    map_frames(file, &rows).unwrap();
    FeatureTable::open(&rows).unwrap()
}

fn table_of(columns: Vec<Column>) -> String {
    table_with(ambivox_corpus::version_metadata(), columns)
}

fn table_with(version: Option<KeyValueMetadata>, columns: Vec<Column>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("features.parquet");
    let mut frame = DataFrame::new_infer_height(columns).unwrap();
    ParquetWriter::new(fs::File::create(&file).unwrap())
        .with_key_value_metadata(version)
        .finish(&mut frame)
        .unwrap();
    map_frames(&file, &folder.path().join("rows")).unwrap_err().to_string()
}

#[test]
fn what_was_written_is_read_in_any_number_of_row_groups() {
    let (_folder, file) = written(&[
        &[frames("a", &[1.0, 2.0, 3.0, 4.0]), frames("b", &[5.0, 6.0])],
        &[],
        &[frames("c", &[7.0, 8.0])],
    ]);
    let table = frames_of(&file);
    assert_eq!(table.columns(), names(&["f0", "zcr"]));
    assert_eq!(table.get("a").as_deref(), Some([1.0, 2.0, 3.0, 4.0].as_slice()));
    assert_eq!(table.get("b").as_deref(), Some([5.0, 6.0].as_slice()));
    assert_eq!(table.get("c").as_deref(), Some([7.0, 8.0].as_slice()));
    assert_eq!(table.get("d").as_deref(), None);
}

#[test]
fn a_table_in_16_bits_is_mapped_in_16_bits() {
    let (_folder, file) = written_in(
        Precision::F16,
        &[&[frames("a", &[1.0, 0.1, 2049.0, -3.0])], &[frames("b", &[1e-8, 65504.0])]],
    );
    let mut reader = ParquetReader::new(fs::File::open(&file).unwrap().into_file());
    let schema = Schema::from_arrow_schema(&reader.schema().unwrap());
    assert_eq!(schema.get("zcr"), Some(&DataType::Float16));
    let table = frames_of(&file);
    assert!(matches!(table.values("a"), Some(ambivox_nn::Values::Half(_))));
    assert_eq!(table.get("a").as_deref(), Some(&[1.0, 0.099_975_586, 2048.0, -3.0][..]));
    assert_eq!(table.get("b").as_deref(), Some(&[0.0, 65504.0][..]));
}

#[test]
fn columns_are_of_one_precision() {
    let halves = vec![pf16(half::f16::ONE)];
    let message = table_of(vec![
        Column::new(UTTERANCE.into(), ["a"]),
        Column::new(FRAME.into(), [0u32]),
        Column::new("f0".into(), [1.0f32]),
        Column::new("zcr".into(), halves),
    ]);
    assert!(message.contains("column zcr: expected type f32, found f16"), "{message}");
}

#[test]
fn vectors_are_one_row_an_utterance() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let outputs =
        Outputs { features: Some(file("features")), vectors: Some(file("vectors")), pieces: None };
    let (frame, vector) = (names(&["f0"]), names(&["f0_mean", "f0_sd"]));
    let columns = Columns { frame: Some(&frame), precision: Precision::F32, vector: Some(&vector) };
    let tables = Tables::create(&outputs, columns).unwrap();
    let width = vector.len();
    let described = |id: &str, value: f32| Described {
        vector: Some(vec![value; width]),
        ..frames(id, &[1.0, 2.0])
    };
    tables.write(&tables.encode(&[described("a", 0.5), described("b", 0.25)]).unwrap()).unwrap();
    tables.finish().unwrap();
    map_vectors(&file("vectors"), &file("rows")).unwrap();
    let table = FeatureTable::open(&file("rows")).unwrap();
    assert_eq!((table.columns(), table.get("c").as_deref()), (vector.as_slice(), None));
    assert_eq!(table.get("b").as_deref(), Some(vec![0.25; width].as_slice()));

    let message = map_frames(&file("vectors"), &file("rows")).unwrap_err().to_string();
    assert!(message.contains("column frame: expected as column 1"), "{message}");
    let message = map_vectors(&file("features"), &file("rows")).unwrap_err().to_string();
    assert!(message.contains("column frame: expected type f32, found u32"), "{message}");
}

#[test]
fn a_column_of_the_wrong_type_is_named() {
    let message = table_of(vec![
        Column::new(UTTERANCE.into(), ["a"]),
        Column::new(FRAME.into(), [0u32]),
        Column::new("f0".into(), [1.0f64]),
    ]);
    assert!(message.contains("features.parquet: column f0: expected type f32"), "{message}");
}

#[test]
fn a_file_of_another_version_is_named() {
    let next = KeyValueMetadata::from_static(vec![("ambivox.schema".into(), "2".into())]);
    for (version, found) in [(None, "nothing"), (Some(next), "\"2\"")] {
        let message = table_with(version, vec![Column::new("f0".into(), [1.0f32])]);
        let fault = format!("features.parquet: the metadata say {found} for ambivox.schema");
        assert!(message.contains(&fault) && message.contains("hint: "), "{message}");
    }
}

#[test]
fn a_missing_key_column_is_named() {
    let message =
        table_of(vec![Column::new(UTTERANCE.into(), ["a"]), Column::new("f0".into(), [1.0f32])]);
    assert!(message.contains("column frame: expected as column 1"), "{message}");
}

#[test]
fn frames_out_of_order_and_split_utterances_are_found() {
    for (ids, numbers) in [(["a", "a", "b"], [1u32, 0, 0]), (["a", "b", "a"], [0, 0, 0])] {
        let message = table_of(vec![
            Column::new(UTTERANCE.into(), ids),
            Column::new(FRAME.into(), numbers),
            Column::new("f0".into(), [1.0f32; 3]),
        ]);
        let faults = ["expected frame 0 of a and found 1", "a, with 1 values, follows b"];
        assert!(faults.iter().any(|fault| message.contains(fault)), "{message}");
    }
}

#[test]
fn missing_values_are_found() {
    let message = table_of(vec![
        Column::new(UTTERANCE.into(), ["a", "a"]),
        Column::new(FRAME.into(), [0u32, 1]),
        Column::new("f0".into(), [Some(1.0f32), None]),
    ]);
    assert!(message.contains("column f0"), "{message}");
}

#[test]
fn layers_are_tables_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vectors.parquet");
    let outputs = Outputs { features: None, vectors: Some(file.clone()), pieces: None };
    let vector = names(&["layer0_value_0", "layer0_value_1", "layer1_value_0", "layer1_value_1"]);
    let columns = Columns { frame: None, precision: Precision::F32, vector: Some(&vector) };
    let tables = Tables::create(&outputs, columns).unwrap();
    let of =
        |id: &str, values: [f32; 4]| Described { vector: Some(values.to_vec()), ..frames(id, &[]) };
    let rows = [of("a", [1.0, 2.0, 3.0, 4.0]), of("b", [5.0, 6.0, 7.0, 8.0])];
    tables.write(&tables.encode(&rows).unwrap()).unwrap();
    tables.finish().unwrap();
    map_vectors(&file, &folder.path().join("rows")).unwrap();
    let layers = FeatureTable::open(&folder.path().join("rows")).unwrap().layers();
    assert_eq!(layers.len(), 2);
    assert_eq!(layers[1].columns(), names(&["layer1_value_0", "layer1_value_1"]));
    assert_eq!(
        (layers[0].get("b").as_deref(), layers[1].get("a").as_deref()),
        (Some(&[5.0, 6.0][..]), Some(&[3.0, 4.0][..]))
    );
    let (_folder, file) = written(&[&[frames("a", &[1.0, 2.0])]]);
    assert_eq!(frames_of(&file).layers().len(), 1, "one layer is itself");
}
