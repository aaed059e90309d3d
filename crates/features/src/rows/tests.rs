//! Rows written, read where they lie, and refused where the file is not whole.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;

fn columns(width: usize) -> Vec<String> {
    (0..width).map(|n| format!("c{n}")).collect()
}

/// A file of these rows.
fn file<'a>(
    width: usize,
    rows: impl IntoIterator<Item = (&'a str, &'a [f32])>,
) -> (tempfile::TempDir, PathBuf) {
    file_in(Precision::F32, width, rows)
}

fn file_in<'a>(
    precision: Precision,
    width: usize,
    rows: impl IntoIterator<Item = (&'a str, &'a [f32])>,
) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.safetensors");
    let mut writer = RowWriter::create(&file, columns(width), precision).unwrap();
    rows.into_iter().for_each(|(id, rows)| writer.push(id, rows).unwrap());
    writer.finish().unwrap();
    (folder, file)
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_any_reader_of_safetensors_reads_it(
        width in 1usize..4,
        lengths in btree_map("[a-zé ]{1,9}", 0usize..5, 0..20),
    ) {
        let values = |id: &str, length: usize| -> Vec<f32> {
            (0..length * width).map(|n| n as f32 + id.len() as f32 / 16.0).collect()
        };
        let rows: Vec<(String, Vec<f32>)> =
            lengths.into_iter().map(|(id, length)| (id.clone(), values(&id, length))).collect();
        let (_folder, file) = file(width, rows.iter().map(|(id, rows)| (id.as_str(), &rows[..])));
        let table = FeatureTable::open(&file).unwrap();
        for (id, rows) in &rows {
            prop_assert!(table.get(id).as_deref() == Some(rows.as_slice()), "{id}");
        }
        prop_assert!(table.get("Z").is_none());
        prop_assert_eq!(table.columns(), columns(width));

        let bytes = fs::read(&file).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let row_ends = tensors.tensor(ROW_ENDS).unwrap();
        let flat: Vec<u8> =
            rows.iter().flat_map(|(_, rows)| rows).flat_map(|value| value.to_le_bytes()).collect();
        prop_assert_eq!(tensors.tensor(VALUES).unwrap().data(), flat);
        prop_assert_eq!(row_ends.shape(), [rows.len()]);
    }

    #[test]
    fn rows_in_16_bits_are_read_rounded_and_stay_in_16_bits(
        width in 1usize..4,
        values in btree_map("[a-z]{1,9}", vec(-65504f32..65504.0, 0..5), 0..20),
    ) {
        let whole = |values: Vec<f32>| values.iter().copied().cycle().take(values.len() * width).collect();
        let rows: Vec<(String, Vec<f32>)> =
            values.into_iter().map(|(id, values)| (id, whole(values))).collect();
        let (folder, file) =
            file_in(Precision::F16, width, rows.iter().map(|(id, rows)| (id.as_str(), &rows[..])));
        let bytes = fs::read(&file).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let stored = tensors.tensor(VALUES).unwrap();
        let count = rows.iter().map(|(_, rows)| rows.len()).sum::<usize>();
        prop_assert_eq!((stored.dtype(), stored.data().len()), (Dtype::F16, 2 * count));

        let other = folder.path().join("other");
        FeatureTable::open(&file).unwrap().write_changed(&other, |_, _| ()).unwrap();
        prop_assert!(fs::read(&other).unwrap() == bytes, "what is rounded is rounded to itself");
        let table = FeatureTable::open(&other).unwrap();
        for (id, mut rows) in rows {
            Precision::F16.round(&mut rows);
            prop_assert!(table.get(&id).as_deref() == Some(rows.as_slice()), "{id}");
        }
    }

    #[test]
    fn no_damage_is_read_beyond_the_file(
        cut in 0usize..600,
        flips in vec((0usize..600, any::<u8>()), 0..4),
    ) {
        let (_folder, file) = file(2, [("a", &[1.0, 2.0][..]), ("b", &[3.0, 4.0, 5.0, 6.0])]);
        let mut bytes = fs::read(&file).unwrap();
        for (at, byte) in flips {
            if let Some(spoiled) = bytes.get_mut(at) {
                *spoiled = byte;
            }
        }
        bytes.truncate(bytes.len().saturating_sub(cut));
        fs::write(&file, bytes).unwrap();
        if let Ok(table) = FeatureTable::open(&file) {
            for id in ["a", "b", "c"] {
                prop_assert!(table.get(id).unwrap_or_default().len().is_multiple_of(table.width()));
            }
        }
    }
}

#[test]
fn rows_are_changed_on_the_way_to_another_file() {
    let (folder, file) = file(2, [("a", &[1.0, 2.0][..]), ("b", &[3.0, 4.0, 5.0, 6.0])]);
    let other = folder.path().join("other");
    let table = FeatureTable::open(&file).unwrap();
    table.write_changed(&other, |id, rows| rows[0] = -(id.len() as f32)).unwrap();
    let changed = FeatureTable::open(&other).unwrap();
    assert_eq!(changed.get("b").as_deref(), Some(&[-1.0, 4.0, 5.0, 6.0][..]));
    assert_eq!(table.get("b").as_deref(), Some(&[3.0, 4.0, 5.0, 6.0][..]));
}

#[test]
fn what_does_not_follow_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer =
        RowWriter::create(&folder.path().join("rows"), columns(2), Precision::F32).unwrap();
    writer.push("b", &[1.0, 2.0]).unwrap();
    for (id, rows) in [("b", &[1.0, 2.0][..]), ("a", &[1.0, 2.0]), ("c", &[1.0])] {
        let text = writer.push(id, rows).unwrap_err().to_string();
        assert!(text.contains(&format!("{id}, with {} values, follows b", rows.len())), "{text}");
    }
}

#[test]
fn another_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.safetensors");
    fs::write(&file, "no tensors at all").unwrap();
    let text = FeatureTable::open(&file).unwrap_err().to_string();
    assert!(
        text.contains("rows.safetensors: ") && text.contains("extract the features again"),
        "{text}"
    );
    assert!(FeatureTable::open(&folder.path().join("none")).is_err());
}

/// As of all layers of an encoder: names of 65,535 bytes and more.
#[test]
fn rows_may_have_many_columns() {
    let width = 13 * 1280;
    let values: Vec<f32> = (0..width).map(|n| n as f32).collect();
    let (_folder, file) = file(width, [("a", &values[..])]);
    let table = FeatureTable::open(&file).unwrap();
    assert_eq!((table.width(), table.get("a").as_deref()), (width, Some(&values[..])));
}
