//! Tables of every form, as NumPy, pandas and others write them: `tests-data/tables.py` made the files.

use std::path::PathBuf;

use ambivox_frontends::Utterance;
use fs_err as fs;

use super::*;

/// The files that other programs wrote.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests-data").join(name)
}

fn settings(rows: RowsOf) -> Settings {
    let step_s = (rows == RowsOf::Frame).then_some(0.02);
    Settings { rows, id: None, values: None, layer: None, step_s }
}

fn with(values: &str, rows: RowsOf) -> Settings {
    Settings { values: Some(values.to_owned()), ..settings(rows) }
}

fn of(mut table: &Table, id: &str, path: &str) -> Result<Vec<f32>, String> {
    table.describe(&Utterance { id, path, samples: &[] })
}

/// What all tables of vectors hold: a has 0, 0.5, 1; b has 3, 3.5, 4.
const A: [f32; 3] = [0.0, 0.5, 1.0];
const B: [f32; 3] = [3.0, 3.5, 4.0];

#[test]
fn vectors_are_read_in_every_form() {
    for (name, settings) in [
        ("paired.npz", with("mean", RowsOf::Utterance)),
        ("by_name.npz", settings(RowsOf::Utterance)),
        ("by_name.safetensors", settings(RowsOf::Utterance)),
        ("vectors.csv", with("v", RowsOf::Utterance)),
        ("vectors.parquet", with("v", RowsOf::Utterance)),
        ("lists.parquet", with("embedding", RowsOf::Utterance)),
        ("fixed_lists.parquet", with("embedding", RowsOf::Utterance)),
        ("folder", settings(RowsOf::Utterance)),
    ] {
        let table = Table::read(&file(name), &settings).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(of(&table, "a", "x/a.wav").as_deref(), Ok(&A[..]), "{name}");
        assert_eq!(of(&table, "b", "x/b.wav").as_deref(), Ok(&B[..]), "{name}");
        assert!(of(&table, "c", "x/c.wav").unwrap_err().contains("has nothing of it"), "{name}");
        let strangers = table.strangers(&|name| name == "a");
        assert_eq!(strangers, ["b"], "{name}");
    }
}

#[test]
fn a_layer_is_chosen_and_order_and_width_of_numbers_do_not_matter() {
    for name in ["layers.npz", "layers_fortran_f8.npz"] {
        let settings = Settings { layer: Some(1), ..with("mean", RowsOf::Utterance) };
        let table = Table::read(&file(name), &settings).unwrap();
        assert_eq!(of(&table, "a", "").unwrap(), [10.0, 10.5, 11.0], "{name}");
        assert_eq!(of(&table, "b", "").unwrap(), [13.0, 13.5, 14.0], "{name}");
    }
    let beyond = Settings { layer: Some(2), ..with("mean", RowsOf::Utterance) };
    let text = Table::read(&file("layers.npz"), &beyond).unwrap_err().to_string();
    assert!(text.contains("no layer 2 on the first axis of: a [2, 3], b [2, 3]"), "{text}");
    let none = with("mean", RowsOf::Utterance);
    let text = Table::read(&file("layers.npz"), &none).unwrap_err().to_string();
    assert!(text.contains("a has shape [2, 3]; expected [values]"), "{text}");
    assert!(text.contains("frontend.layer chooses"), "{text}");
}

#[test]
fn frames_are_read_in_every_form() {
    for name in ["frames.csv", "frames.parquet", "frames.npz", "frames_folder"] {
        let table = Table::read(&file(name), &settings(RowsOf::Frame)).unwrap();
        assert_eq!(table.columns().len(), 2, "{name}");
        assert_eq!(of(&table, "a", "").unwrap(), [1.0, 2.0, 3.0, 4.0], "{name}");
        assert_eq!(of(&table, "b", "").unwrap(), [5.0, 6.0], "{name}");
    }
}

#[test]
fn names_may_be_paths_with_and_without_their_extension() {
    let text = "utterance_id,v0\nwav/a.wav,1\nwav/b,2\n";
    let found = columns::csv(text.as_bytes(), &settings(RowsOf::Utterance)).unwrap();
    let table = Table::new(Path::new("t.csv"), found, &settings(RowsOf::Utterance)).unwrap();
    assert_eq!(of(&table, "1", "wav/a.wav").unwrap(), [1.0]);
    assert_eq!(of(&table, "2", "wav/b.wav").unwrap(), [2.0]);
    assert_eq!(table.columns(), ["v0"]);
}

fn refused(text: &str, settings: &Settings) -> String {
    let found = columns::csv(text.as_bytes(), settings).map_err(|e| fault(Path::new("t.csv"), e));
    let table = found.and_then(|found| Table::new(Path::new("t.csv"), found, settings));
    table.unwrap_err().to_string()
}

#[test]
fn faults_of_a_table_are_named_all_at_once() {
    let of_utterances = settings(RowsOf::Utterance);
    let doubled = refused("utterance_id,v0\na,1\nb,2\na,3\nb,4\n", &of_utterances);
    assert_eq!(doubled, "t.csv: there more than once: a, b; leave one row for each");
    let text = refused("utterance_id,speaker,v0\na,Anna,1\n", &of_utterances);
    assert!(text.contains("line 2, column speaker: \"Anna\" is no number"), "{text}");
    assert!(text.contains("hint: frontend.values has the beginning"), "{text}");
    let text = refused("name,v0\na,1\n", &of_utterances);
    assert!(text.contains("no column \"utterance_id\", which frontend.id names; it has: name, v0"));
    assert!(refused("utterance_id\na\n", &of_utterances).contains("a column of values"));
    assert!(refused("utterance_id,v0\n", &of_utterances).contains("it has no row"));
    let frames = settings(RowsOf::Frame);
    assert!(refused("utterance_id,v0\na,1\n", &frames).contains("no column \"frame\""));
    for (rows, expected) in [
        ("a,0,1\na,2,1\n", "frame 2 of a where 1 is the next"),
        ("a,1,1\n", "frame 1 of a where 0 is the first"),
        ("a,x,1\n", "line 2: frame \"x\" is no number"),
        ("a,0,1\nb,0,1\na,0,1\n", "there more than once: a"),
    ] {
        let text = refused(&format!("utterance_id,frame,v0\n{rows}"), &frames);
        assert!(text.contains(expected), "{text}");
    }
}

/// What is wrong with one utterance's values is a fault of that utterance alone.
#[test]
fn an_utterance_with_values_that_are_no_numbers_or_too_few_is_named() {
    let text = "utterance_id,v0,v1\na,1,2\nb,NaN,2\nc,1,inf\n";
    let found = columns::csv(text.as_bytes(), &settings(RowsOf::Utterance)).unwrap();
    let table = Table::new(Path::new("t.csv"), found, &settings(RowsOf::Utterance)).unwrap();
    assert_eq!(of(&table, "a", "").unwrap(), [1.0, 2.0]);
    assert_eq!(of(&table, "b", "").unwrap_err(), "t.csv: value 0 of it is NaN");
    assert_eq!(of(&table, "c", "").unwrap_err(), "t.csv: value 1 of it is inf");
    let odd = Table::read(&file("odd.npz"), &settings(RowsOf::Utterance)).unwrap();
    assert_eq!(of(&odd, "a", "").unwrap(), A);
    let text = of(&odd, "b", "").unwrap_err();
    assert_eq!(
        text,
        "odd.npz: its values have shape [2]; expected [3], one vector of an utterance"
    );
}

#[test]
fn files_that_are_no_tables_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(file("paired.npz")).unwrap();
    for (name, bytes, expected) in [
        ("x.txt", &b"a 1"[..], "of this form no table is read"),
        ("x.npz", &whole[..whole.len() / 2], "x.npz: "),
        ("x.npz", b"", "x.npz: "),
        ("x.safetensors", b"\xff\xff\xff\xff\xff\xff\xff\xff", "x.safetensors: "),
        ("x.parquet", b"PAR1PAR1", "x.parquet: "),
        ("x.csv", b"\xff\xfe,\n", "x.csv: "),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let text = Table::read(&path, &with("v", RowsOf::Utterance)).unwrap_err().to_string();
        assert!(text.contains(expected), "{name}: {text}");
    }
    let gone = Table::read(&folder.path().join("no.npz"), &settings(RowsOf::Utterance));
    assert!(gone.unwrap_err().to_string().contains("no.npz"));
    let text = Table::read(&file("paired.npz"), &with("sd", RowsOf::Utterance));
    let text = text.unwrap_err().to_string();
    assert!(text.contains("sd") && text.contains("it has: mean, utterance_id"), "{text}");
}

/// The header of an array may promise more than there is.
#[test]
fn an_array_is_no_larger_than_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(file("folder/a.npy")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let at = text.find("(3,)").unwrap_or_else(|| panic!("{text}"));
    let mut vast = bytes.clone();
    vast.splice(at..at + 16, *b"(9999999999999,)");
    for (wrong, expected) in [(&vast[..], "9999999999999"), (&bytes[..bytes.len() - 1], "[3]")] {
        fs::write(folder.path().join("a.npy"), wrong).unwrap();
        let text =
            Table::read(folder.path(), &settings(RowsOf::Utterance)).unwrap_err().to_string();
        assert!(text.contains("a.npy") && text.contains(expected), "{text}");
    }
}

#[test]
fn settings_are_checked_before_anything_is_read() {
    let planned = |text: &str| {
        let section: Section = toml::from_str(&format!("kind = \"table\"\n{text}")).unwrap();
        plan(&section, Path::new("pipelines"))
    };
    let good = planned("file = \"v.npz\"\nrows = \"utterance\"\nlayer = 3").unwrap();
    assert_eq!(good.table.as_deref(), Some(Path::new("pipelines/v.npz")));
    assert!(!good.section.settings.contains_key("file") && !good.hears);
    assert_eq!(good.frame_times_s, None);
    let frames = planned("file = \"v.csv\"\nrows = \"frame\"\nstep_s = 0.02").unwrap();
    assert_eq!(frames.frame_times_s, Some([0.02, 0.02]));
    for (text, expected) in [
        ("rows = \"utterance\"", "[frontend]: file: name the table"),
        ("file = \"v.csv\"", "missing field `rows`"),
        ("file = \"v.csv\"\nrows = \"word\"", "unknown variant `word`"),
        ("file = \"v.csv\"\nrows = \"frame\"", "step_s: say how long a frame is"),
        ("file = \"v.csv\"\nrows = \"frame\"\nstep_s = -1.0", "step_s: above 0"),
        ("file = \"v.csv\"\nrows = \"utterance\"\nstep_s = 1.0", "goes with rows = \"frame\""),
        ("file = \"v.csv\"\nrows = \"utterance\"\nlayers = 1", "unknown field `layers`"),
    ] {
        let message = planned(text).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}
