//! What a person reads who mistyped something.

use super::*;

fn pipeline_message(from: &str, to: &str) -> String {
    pipeline(&edited(PIPELINE, from, to)).unwrap_err().to_string()
}

fn manifest_message(from: &str, to: &str) -> String {
    manifest(&edited(MANIFEST, from, to)).unwrap_err().to_string()
}

#[test]
fn a_mistyped_key_is_pointed_at() {
    insta::assert_snapshot!(pipeline_message("patience = 10", "patiense = 10"), @r"
    pipelines/x.toml: TOML parse error at line 31, column 1
       |
    31 | patiense = 10
       | ^^^^^^^^
    unknown field `patiense`, expected one of `seeds`, `batch_size`, `learning_rate`, `gradient_clip`, `max_epochs`, `patience`, `criterion`, `keep`, `normalise_weights`, `dynamics`
    hint: pipelines/README.md lists every key of a pipeline; pipelines/demo.toml shows most of them
    ");
}

#[test]
fn a_word_without_quotes_is_pointed_at() {
    insta::assert_snapshot!(pipeline_message("dropout = 0.5", "dropout = half"), @r"
    pipelines/x.toml: TOML parse error at line 22, column 11
       |
    22 | dropout = half
       |           ^^^^
    string values must be quoted, expected literal string
    hint: pipelines/README.md lists every key of a pipeline; pipelines/demo.toml shows most of them
    ");
}

#[test]
fn a_value_of_the_wrong_type_is_pointed_at() {
    insta::assert_snapshot!(pipeline_message("batch_size = 32", "batch_size = \"32\""), @r#"
    pipelines/x.toml: TOML parse error at line 27, column 14
       |
    27 | batch_size = "32"
       |              ^^^^
    invalid type: string "32", expected usize
    hint: pipelines/README.md lists every key of a pipeline; pipelines/demo.toml shows most of them
    "#);
}

#[test]
fn a_missing_key_is_named_with_its_table() {
    insta::assert_snapshot!(pipeline_message("learning_rate = 0.001\n", ""), @r"
    pipelines/x.toml: TOML parse error at line 25, column 1
       |
    25 | [training]
       | ^^^^^^^^^^
    missing field `learning_rate`
    hint: pipelines/README.md lists every key of a pipeline; pipelines/demo.toml shows most of them
    ");
}

#[test]
fn an_unknown_key_of_a_manifest_is_pointed_at() {
    insta::assert_snapshot!(manifest_message("licence =", "license ="), @r#"
    data-manifests/x.toml: TOML parse error at line 5, column 1
      |
    5 | license = "CC0-1.0"
      | ^^^^^^^
    unknown field `license`, expected one of `schema`, `name`, `title`, `synthetic`, `licence`, `source`, `citation`, `root_env`, `adapter`, `files`, `labels`, `speakers`, `csv`, `release`, `other_releases`, `fetch`, `fetch_lists`
    hint: the keys of a manifest are listed in data-manifests/README.md
    "#);
}

#[test]
fn an_unknown_adapter_is_answered_with_the_known_ones() {
    insta::assert_snapshot!(manifest_message("adapter = \"csv\"", "adapter = \"tsv\""), @r#"
    data-manifests/x.toml: TOML parse error at line 9, column 11
      |
    9 | adapter = "tsv"
      |           ^^^^^
    unknown variant `tsv`, expected one of `iemocap`, `emodb`, `ravdess`, `crema-d`, `msp-podcast`, `csv`
    hint: the keys of a manifest are listed in data-manifests/README.md
    "#);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Pipeline::read(Path::new("pipelines/none.toml")).unwrap_err();
    assert!(error.to_string().contains("pipelines/none.toml"), "{error}");
}

#[test]
fn impossible_values_of_a_pipeline_are_refused() {
    for (from, to, expected) in [
        ("schema = 1", "schema = 2", "schema"),
        ("name = \"x\"", "name = \"../x\"", "name:"),
        ("name = \"x\"", "name = \"\"", "name:"),
        ("\"happiness\", \"sadness\"", "\"happiness\"", "split.classes: name at least two"),
        ("\"sadness\"]", "\"happiness\"]", "split.classes: a class is named twice"),
        ("seeds = [0, 1]", "seeds = []", "training.seeds"),
        ("seeds = [0, 1]", "seeds = [1, 0, 1]", "training.seeds: a seed is named twice"),
        ("batch_size = 32", "batch_size = 0", "training.batch_size"),
        ("learning_rate = 0.001", "learning_rate = 0.0", "training.learning_rate"),
        ("learning_rate = 0.001", "learning_rate = inf", "training.learning_rate"),
        ("gradient_clip = 0.0", "gradient_clip = -1.0", "training.gradient_clip"),
        ("max_epochs = 100", "max_epochs = 0", "training.max_epochs"),
        (
            "patience = 10",
            "patience = 10\nkeep = { mean_of_last = 101 }",
            "training.keep: the number of last epochs is from 1",
        ),
        (
            "patience = 10",
            "patience = 10\nkeep = { average_of_last = 0 }",
            "training.keep: the number of last epochs is from 1",
        ),
        ("patience = 10", "patience = 0", "patience"),
    ] {
        let message = pipeline_message(from, to);
        assert!(message.starts_with("pipelines/x.toml: "), "{message}");
        assert!(message.contains(expected), "{to}: {message}");
    }
}

#[test]
fn a_pipeline_needs_a_method() {
    let without_methods = &PIPELINE[..PIPELINE.find("[methods.baseline]").unwrap()];
    let message = pipeline(&format!("{without_methods}[methods]\n")).unwrap_err().to_string();
    assert!(message.contains("[methods.baseline]"), "{message}");
}

#[test]
fn a_synthetic_corpus_has_no_root_of_its_own() {
    let synth = "[synth]\nseed = 0\nturns_per_speaker = 12\nmin_seconds = 0.7\nmean_seconds = 1.0\n\
        max_seconds = 2.0\nannotators = 3\nannotator_error = 0.2\nexpressiveness = 1.0\n";
    let message = pipeline(&format!("{PIPELINE}\n{synth}")).unwrap_err().to_string();
    assert!(message.contains("corpus.root and [synth]"), "{message}");
    let rootless = edited(PIPELINE, "root = \"../corpora/x\"\n", "");
    assert!(pipeline(&format!("{rootless}\n{synth}")).unwrap().synth.is_some());
    let few = synth.replace("turns_per_speaker = 12", "turns_per_speaker = 8");
    let message = pipeline(&format!("{rootless}\n{few}")).unwrap_err().to_string();
    assert!(message.contains("turns_per_speaker: from 12"), "{message}");
}

#[test]
fn impossible_values_of_a_manifest_are_refused() {
    for (from, to, expected) in [
        ("schema = 1", "schema = 9", "schema = 9"),
        ("adapter = \"csv\"", "adapter = \"emodb\"", "[csv]"),
        ("[\"labels.csv\", \"wav/*.wav\"]", "[]", "files is empty"),
        ("delimiter = \",\"", "delimiter = \"\"", "csv.delimiter"),
        ("file = \"file\"\n", "", "csv.columns: name file"),
        ("delimiter = \",\"", "delimiter = \", \"", "one ASCII character"),
        ("delimiter = \",\"", "delimiter = \"·\"", "one ASCII character"),
        ("validation = \"bert\"", "validation = \"anna\"", "anna cannot validate"),
        ("validation = \"bert\"", "validation = \"carl\"", "\"carl\" is no listed speaker"),
    ] {
        let message = manifest_message(from, to);
        assert!(message.starts_with("data-manifests/x.toml: "), "{message}");
        assert!(message.contains(expected), "{to}: {message}");
    }
}

/// No key is passed over and none has a default: whichever is renamed, the file is refused at the
/// line where the new name stands; or, in a section whose keys hang on its kind, where that begins.
#[test]
fn every_key_is_known() {
    let mut section = 0;
    for (number, line) in PIPELINE.lines().enumerate() {
        if line.starts_with('[') {
            section = number;
        }
        let Some((key, value)) = line.split_once(" = ") else { continue };
        // What a kind is set to, it reads itself.
        let kinds = ["[frontend]", "[model]", "[methods."];
        if PIPELINE.lines().nth(section).is_some_and(|of| kinds.iter().any(|k| of.starts_with(k))) {
            continue;
        }
        let mut lines: Vec<String> = PIPELINE.lines().map(str::to_owned).collect();
        lines[number] = format!("{key}_ = {value}");
        let message = pipeline(&lines.join("\n")).unwrap_err().to_string();
        let of_a_kind = lines[section] == "[split]";
        let line = if of_a_kind { section } else { number };
        assert!(message.contains(&format!("line {}, column 1", line + 1)), "{message}");
        assert!(message.contains(&format!("`{key}")), "{message}");
    }
}

/// As sections were written while there was one kind of each.
#[test]
fn a_pipeline_without_kinds_is_of_the_first_ones() {
    let older = PIPELINE
        .replace("[model]\nkind = \"blstm-attention\"", "[network]")
        .replace("[frontend]\nkind = \"lld\"", "[features]")
        .replace("kind = \"leave-one-speaker-out\"", "scheme = \"leave-one-speaker-out\"");
    assert!(!older.contains("kind"));
    assert_eq!(pipeline(&older).unwrap(), pipeline(PIPELINE).unwrap());
}

#[test]
fn corrections_go_with_one_rate_of_noise() {
    let corrected = |rest: &str| {
        let sections = format!("[corrections]\nfile = \"corrections.csv\"\n\n{rest}\n[model]");
        pipeline(&PIPELINE.replace("[model]", &sections))
    };
    let read = corrected("").unwrap().corrections.unwrap();
    assert!(read.file.ends_with("corrections.csv") && !read.test);
    let noise =
        |rates: &str| format!("[label_noise]\nrates = {rates}\nkind = \"symmetric\"\nseed = 1\n");
    let mut texts = vec![corrected(&noise("[0.0, 0.2]")).unwrap_err().to_string()];

    // What was exchanged is another label for every seed.
    let exchanged = |test: bool, seeds: &str| {
        let sections = format!(
            "[corrections]\nfile = \"c.csv\"\ntest = {test}\n\n{}\n[model]",
            noise("[0.2]")
        );
        let text = PIPELINE.replace("[model]", &sections);
        let start = text.find("seeds = [").unwrap();
        let end = start + text[start..].find('\n').unwrap();
        pipeline(&format!("{}seeds = {seeds}{}", &text[..start], &text[end..]))
    };
    assert!(exchanged(false, "[4]").is_ok());
    texts.push(exchanged(false, "[4, 5]").unwrap_err().to_string());
    texts.push(exchanged(true, "[4]").unwrap_err().to_string());
    insta::assert_snapshot!(texts.join("\n"), @r"
    pipelines/x.toml: [corrections] is of the labels of one rate of noise; name one in label_noise.rates
    pipelines/x.toml: [corrections] is of the labels that one seed exchanged; name one in training.seeds
    pipelines/x.toml: corrections.test would test on exchanged labels; leave it or [label_noise] out
    ");
}
