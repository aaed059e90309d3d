//! What training makes, against a record of it, to the last bit: predictions, rates, and learned labels
//! and weights of all methods, under label noise and with a reviewer's corrections.
//!
//! In portable arithmetic, so that one record holds for every processor. Numbers are written in full:
//! whoever reads a change reads which of them moved. A record is of the numbers, not of the files that
//! they lie in.

use std::fmt::Write as _;
use std::path::Path;

use fs_err as fs;
use polars::prelude::*;
use serde_json::Value;

use crate::corpora::synthetic;
use crate::harness::{DONE, House, Ran};
use crate::methods::{CYCLEGAN, NOISE, OTHER_METHODS, add};

const PIPELINE: &str = "pipelines/tiny.toml";
const FOLD: &str = "Ses01F";
const CLASSES: [&str; 4] = ["happiness", "sadness", "neutral", "anger"];
/// Labels that a reviewer exchanges for the class after theirs.
const CORRECTED: usize = 6;

/// A few turns of ten speakers, and training that stops early where it can.
fn house() -> House {
    let house = synthetic();
    house.edit(PIPELINE, "set = \"ser32\"", "set = \"ser32\"\nfunctionals = true");
    house.edit(PIPELINE, "turns_per_speaker = 16", "turns_per_speaker = 12");
    house.edit(PIPELINE, "max_epochs = 2\npatience = 2", "max_epochs = 4\npatience = 1");
    add(&house, &[OTHER_METHODS, CYCLEGAN].concat());
    house
}

fn run(house: &House, arguments: &[&str]) -> Value {
    let mut command = house.command(&[arguments, &["--fold", FOLD, "--json"]].concat());
    let output = command.env("AMBIVOX_ISA", "portable").output().unwrap();
    Ran::new(arguments, output).ended(DONE).document()
}

/// All that a cross-validation with these `methods` made in runs whose slots begin so, as text.
fn record(house: &House, methods: &[&str], runs: &str) -> String {
    let methods: Vec<&str> = methods.iter().flat_map(|method| ["--method", method]).collect();
    run(house, &[&["cv"], methods.as_slice()].concat());
    let mut text = String::new();
    let plan = run(house, &[&["plan"], methods.as_slice()].concat());
    for stage in plan["stages"].as_array().unwrap() {
        let (slot, key) = (stage["slot"].as_str().unwrap(), stage["key"].as_str());
        for name in ["predictions", "labels"].iter().filter(|_| slot.starts_with(runs)) {
            let folder = house.path("store/objects/train").join(key.unwrap());
            writeln!(text, "[{name} of {slot}]").unwrap();
            text += &table(&folder.join(format!("{name}.parquet")));
        }
    }
    for name in ["summary.json", "noise.json"] {
        if house.path(&format!("results/tiny/{name}")).exists() {
            writeln!(text, "[{name}]").unwrap();
            flatten("", &house.json(&format!("results/tiny/{name}")), &mut text);
        }
    }
    text
}

fn read(file: &Path) -> DataFrame {
    ParquetReader::new(fs::File::open(file).unwrap().into_file()).finish().unwrap()
}

/// A table of numbers and names: a line for each row.
fn table(file: &Path) -> String {
    let table = read(file);
    let is_value = |column: &&Column| !matches!(column.dtype(), DataType::List(_));
    let columns: Vec<&Column> = table.columns().iter().filter(is_value).collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name().as_str()).collect();
    let row =
        |row| columns.iter().map(|c| cell(&c.get(row).unwrap())).collect::<Vec<_>>().join(" ");
    let rows: String = (0..table.height()).map(|number| row(number) + "\n").collect();
    format!("{}\n{rows}", names.join(" "))
}

/// Fewest digits that stand for the number alone.
fn cell(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Null => "-".to_owned(),
        AnyValue::String(text) => (*text).to_owned(),
        AnyValue::Float32(number) => format!("{number:?}"),
        AnyValue::Float64(number) => format!("{number:?}"),
        other => other.to_string(),
    }
}

/// A line for every value of a document: where it stands, and what it is.
fn flatten(place: &str, value: &Value, text: &mut String) {
    match value {
        Value::Object(entries) => {
            entries.iter().for_each(|(key, value)| flatten(&format!("{place} {key}"), value, text));
        }
        Value::Array(values)
            if values.iter().any(|value| value.is_object() || value.is_array()) =>
        {
            let entries = values.iter().enumerate();
            entries.for_each(|(at, value)| flatten(&format!("{place} {at}"), value, text));
        }
        value => writeln!(text, "{} = {value}", place.trim_start()).unwrap(),
    }
}

/// A file of corrections to the first labels that `lw` trained on.
fn correct(house: &House) {
    let file = house.path("results/tiny/labels.parquet");
    let table = read(&file);
    let of = |name: &str, row| cell(&table.column(name).unwrap().get(row).unwrap());
    let mut rows = "utterance_id,given,label,decision,comment\n".to_owned();
    let learned = (0..table.height()).filter(|&row| of("method", row) == "lw");
    for row in learned.filter(|&row| of("gold", row) != "-").take(CORRECTED) {
        let (id, given) = (of("utterance_id", row), of("gold", row));
        let class = CLASSES.iter().position(|class| *class == given).unwrap();
        let label = CLASSES[(class + 1) % CLASSES.len()];
        writeln!(rows, "{id},{given},{label},other,").unwrap();
    }
    house.write("pipelines/corrections.csv", rows);
    let section = "[corrections]\nfile = \"corrections.csv\"\n\n[model]";
    house.edit(PIPELINE, "[model]", section);
}

#[test]
fn all_methods_are_as_on_record() {
    let house = house();
    insta::assert_snapshot!("methods", record(&house, &[], "train/"));
    correct(&house);
    without_soft_targets(&house);
    insta::assert_snapshot!(
        "corrections",
        record(&house, &["baseline", "cyclegan", "lw"], "train/")
    );
}

#[test]
fn label_noise_is_as_on_record() {
    let house = house();
    without_soft_targets(&house);
    add(&house, NOISE);
    let methods = ["baseline", "oversampling", "cyclegan", "lw"];
    insta::assert_snapshot!("noise", record(&house, &methods, "train-noise-"));
}

/// They learn from votes, which neither noise nor a reviewer changes.
fn without_soft_targets(house: &House) {
    let text = house.read(PIPELINE).replace("\n[methods.soft-target]\nsmoothing = 0.5\n", "");
    house.write(PIPELINE, text);
}
