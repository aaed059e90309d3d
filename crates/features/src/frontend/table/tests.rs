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

fn of(mut table: &Table, id: &str) -> Result<Vec<f32>, String> {
    table.describe(&Utterance { id, samples: &[] })
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
        let mut table =
            Table::read(&file(name), &settings).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(of(&table, "a").as_deref(), Ok(&A[..]), "{name}");
        assert_eq!(of(&table, "b").as_deref(), Ok(&B[..]), "{name}");
        assert!(of(&table, "c").unwrap_err().contains("has nothing of it"), "{name}");
        let strangers = table.adopt(&|name| (name == "a").then(|| "first".to_owned())).unwrap();
        assert_eq!(strangers, ["b"], "{name}");
        assert_eq!(of(&table, "first").as_deref(), Ok(&A[..]), "{name}");
        assert!(of(&table, "b").unwrap_err().contains("has nothing of it"), "{name}");
    }
}

#[test]
fn a_layer_is_chosen_and_order_and_width_of_numbers_do_not_matter() {
    for name in ["layers.npz", "layers_fortran_f8.npz"] {
        let settings = Settings { layer: Some(Layer::One(1)), ..with("mean", RowsOf::Utterance) };
        let table = Table::read(&file(name), &settings).unwrap();
        assert_eq!(of(&table, "a").unwrap(), [10.0, 10.5, 11.0], "{name}");
        assert_eq!(of(&table, "b").unwrap(), [13.0, 13.5, 14.0], "{name}");
    }
    let beyond = Settings { layer: Some(Layer::One(2)), ..with("mean", RowsOf::Utterance) };
    let text = Table::read(&file("layers.npz"), &beyond).unwrap_err().to_string();
    assert!(text.contains("no layer 2 on the first axis of: a [2, 3], b [2, 3]"), "{text}");
    let none = with("mean", RowsOf::Utterance);
    let text = Table::read(&file("layers.npz"), &none).unwrap_err().to_string();
    assert!(text.contains("a has shape [2, 3]; expected [values]"), "{text}");
    assert!(text.contains("frontend.layer chooses"), "{text}");
}

#[test]
fn all_layers_stand_one_after_the_other_where_one_is_to_be_chosen() {
    let nested = Some(Layer::All(All::Nested));
    let settings = Settings { layer: nested, ..with("mean", RowsOf::Utterance) };
    let table = Table::read(&file("layers.npz"), &settings).unwrap();
    assert_eq!(of(&table, "a").unwrap(), [0.0, 0.5, 1.0, 10.0, 10.5, 11.0]);
    assert_eq!(table.columns()[2..4], ["layer0_value_2", "layer1_value_0"]);
    let text = Table::read(&file("paired.npz"), &settings).unwrap_err().to_string();
    assert!(text.contains("expected [layers, values]"), "{text}");
    let odd = Settings { layer: nested, ..self::settings(RowsOf::Utterance) };
    let text = Table::read(&file("odd_layers.npz"), &odd).unwrap_err().to_string();
    assert!(text.contains("shapes other than [2, 3]: b [1, 3]"), "{text}");
}

#[test]
fn frames_are_read_in_every_form() {
    for name in ["frames.csv", "frames.parquet", "frames.npz", "frames_folder"] {
        let table = Table::read(&file(name), &settings(RowsOf::Frame)).unwrap();
        assert_eq!(table.columns().len(), 2, "{name}");
        assert_eq!(of(&table, "a").unwrap(), [1.0, 2.0, 3.0, 4.0], "{name}");
        assert_eq!(of(&table, "b").unwrap(), [5.0, 6.0], "{name}");
    }
}

fn table_of(text: &str) -> Table {
    let found = columns::csv(text.as_bytes(), &settings(RowsOf::Utterance)).unwrap();
    Table::new(Path::new("t.csv"), found, &settings(RowsOf::Utterance)).unwrap()
}

#[test]
fn two_rows_of_one_utterance_are_named() {
    let mut table = table_of("utterance_id,v0\nwav/a.wav,1\na,2\nb,3\n");
    assert_eq!(table.columns(), ["v0"]);
    let id = |name: &str| Some(name.trim_start_matches("wav/").trim_end_matches(".wav").to_owned());
    let text = table.adopt(&id).unwrap_err().to_string();
    assert_eq!(text, "t.csv: two rows of one utterance: a and wav/a.wav; leave one for each");
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
    let text = refused("utterance_id,v0,v1,v0\na,1,2,3\n", &of_utterances);
    assert_eq!(text, "t.csv: columns of one name: v0; rename all but one");
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
    let table = table_of("utterance_id,v0,v1\na,1,2\nb,NaN,2\nc,1,inf\nd,,1\n");
    assert_eq!(of(&table, "a").unwrap(), [1.0, 2.0]);
    assert_eq!(of(&table, "b").unwrap_err(), "value 0 of it in the table is NaN");
    assert_eq!(of(&table, "c").unwrap_err(), "value 1 of it in the table is inf");
    assert_eq!(of(&table, "d").unwrap_err(), "value 0 of it in the table is NaN");
    let odd = Table::read(&file("odd.npz"), &settings(RowsOf::Utterance)).unwrap();
    assert_eq!(of(&odd, "a").unwrap(), A);
    let text = of(&odd, "b").unwrap_err();
    assert_eq!(
        text,
        "its values in the table have shape [2]; expected [3], one vector of an utterance"
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

/// A whole name is meant before the beginning of others, and what applies to no array is refused.
#[test]
fn settings_choose_values_by_their_whole_name_or_say_that_they_do_not_apply() {
    let text = "utterance_id,frame,v,v_norm\na,0,1,2\n";
    let width = |values: &str| {
        let settings = with(values, RowsOf::Utterance);
        let found = columns::csv(text.as_bytes(), &settings).unwrap();
        Table::new(Path::new("t.csv"), found, &settings).unwrap().columns.join(" ")
    };
    assert_eq!(
        (width("v").as_str(), width("v_").as_str(), width("").as_str()),
        ("v", "v_norm", "v v_norm")
    );
    for name in ["by_name.safetensors", "folder"] {
        let text = Table::read(&file(name), &with("v", RowsOf::Utterance)).unwrap_err().to_string();
        assert!(text.contains("leave frontend.id and frontend.values out"), "{text}");
    }
    let id = Settings { id: Some("id".to_owned()), ..settings(RowsOf::Utterance) };
    let text = Table::read(&file("by_name.npz"), &id).unwrap_err().to_string();
    assert!(text.contains("name that in frontend.values"), "{text}");
}

/// Bytes of whatever origin neither take for ever nor more memory than there are of them.
#[test]
fn arrays_that_are_none_are_refused_at_once() {
    let array = |dtype: &str, shape: &str| {
        let header = format!("{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes
    };
    let folder = tempfile::tempdir().unwrap();
    let nested = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    for (bytes, expected) in [
        (array("'<U0'", "(1000000000000,)"), "not an array of numbers or texts"),
        (array("'<f4'", "(0, 8589934592, 8589934592)"), ""),
        (array(&nested, "(3,)"), "not an array of numbers or texts"),
        (array("'<f4'", &nested), "not an array of numbers or texts"),
        (b"\x93NUMPY\x01\x00".to_vec(), "not an array of NumPy's"),
    ] {
        fs::write(folder.path().join("a.npy"), bytes).unwrap();
        let table = Table::read(folder.path(), &settings(RowsOf::Utterance));
        assert!(table.unwrap_err().to_string().contains(expected), "{expected}");
    }
}

/// The header of an array may promise more than there is.
#[test]
fn an_array_is_no_larger_than_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(file("folder/a.npy")).unwrap();
    let at = bytes.windows(4).position(|window| window == b"(3,)").unwrap();
    let mut vast = bytes.clone();
    vast.splice(at..at + 18, *b"(9999999999999,),}");
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
        ("file = \"v.csv\"\nrows = \"frame\"\nstep_s = 1.0\nlayer = \"nested\"", "name one"),
        ("file = \"v.csv\"\nrows = \"utterance\"\nlayer = \"all\"", "layer"),
    ] {
        let message = planned(text).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}
