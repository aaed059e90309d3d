//! What is written for folders of every kind, and what is wrong with others.

use std::fmt::Write as _;

use ambivox_settings::{Manifest, exit};
use tempfile::TempDir;

use super::*;
use crate::experiment::Experiment;
use crate::failure::exit_code;

/// A folder `corpus` with a table and empty recordings, and room for what is written.
struct Case(TempDir);

impl Case {
    fn new(table: &str) -> Self {
        let case = Self(tempfile::tempdir().unwrap());
        case.put("corpus/labels.csv", table);
        case
    }

    /// Of four speakers, each with two utterances of two labels, by this header.
    fn talks(head: &str) -> Self {
        let mut table = format!("{head}\n");
        for (number, speaker) in ["ann", "bob", "cem", "dot"].iter().enumerate() {
            for label in ["sad", "glad", "sad", "glad"].iter().enumerate() {
                let file = format!("wav/{speaker}{}.wav", label.0);
                let sex = ["f", "m"][number % 2];
                writeln!(table, "{file},{},{speaker},{sex}", label.1).unwrap();
            }
        }
        let case = Self::new(&table);
        for line in table.lines().skip(1) {
            case.put(&format!("corpus/{}", line.split(',').next().unwrap()), "");
        }
        case
    }

    fn put(&self, file: &str, text: &str) {
        let file = self.path(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn own(&self) -> cli::Init {
        cli::Init { folder: self.path("corpus"), ..cli::Init::default() }
    }

    fn run(&self, change: impl FnOnce(&mut cli::Init)) -> Result<Experiment> {
        let mut own = self.own();
        change(&mut own);
        run(&own, self.0.path(), true)?;
        let name = own.name.unwrap_or_else(|| "corpus".to_owned());
        Experiment::read(&self.path(&format!("pipelines/{name}.toml")))
    }

    /// The complaint, with this exit code.
    fn fault(&self, code: u8, change: impl FnOnce(&mut cli::Init)) -> String {
        let error = self.run(change).unwrap_err();
        assert_eq!(exit_code(&error), code, "{error}");
        assert!(!self.path("data-manifests").exists(), "something was written");
        let root = fs::canonicalize(self.0.path()).unwrap();
        error.to_string().replace(&format!("{}/", root.display()), "")
    }
}

#[test]
fn a_table_of_recordings_becomes_manifest_and_pipeline() {
    let experiment = Case::talks("path,Emotion,Speaker_ID,gender").run(|_| {}).unwrap();
    let (manifest, pipeline) = (&experiment.manifest, &experiment.pipeline);
    assert_eq!((&*manifest.name, &*manifest.root_env), ("corpus", "CORPUS_ROOT"));
    assert_eq!(manifest.files, ["labels.csv", "wav/*.wav"]);
    let columns = manifest.csv.clone().unwrap().columns;
    assert_eq!(columns.file.as_deref(), Some("path"));
    assert_eq!(columns.speaker.as_deref(), Some("Speaker_ID"));
    assert_eq!(columns.sex.as_deref(), Some("gender"));
    assert_eq!(pipeline.split.classes, ["glad", "sad"]);
    assert_eq!(pipeline.split.section.kind, "leave-one-speaker-out");
    assert_eq!(experiment.methods.len(), 2);
    assert!(experiment.has_vectors());
}

#[test]
fn without_speakers_utterances_are_divided() {
    let case = Case::talks("file,label,whom,gender");
    let split = case.run(|_| {}).unwrap().pipeline.split.section.settings;
    assert_eq!(split["group"].as_str(), Some("utterance"));
    let case = Case::talks("file,label,whom,gender");
    let named = case.run(|own| own.speaker = Some("whom".to_owned())).unwrap();
    assert_eq!(named.pipeline.split.section.kind, "leave-one-speaker-out");
}

#[test]
fn a_rare_label_is_no_class() {
    let case = Case::talks("file,label,speaker,sex");
    let table = fs::read_to_string(case.path("corpus/labels.csv")).unwrap();
    case.put("corpus/wav/eve.wav", "");
    case.put("corpus/labels.csv", &format!("{table}wav/eve.wav,awed,eve,f\n"));
    let experiment = case.run(|_| {}).unwrap();
    assert_eq!(experiment.pipeline.split.classes, ["glad", "sad"]);
    assert!(experiment.manifest.labels.contains_key("awed"));
}

#[test]
fn names_with_characters_of_toml_and_of_globs_are_written() {
    let case = Case::talks("the \"\"file\"\",label,speaker,sex");
    case.put("corpus/[1] é.wav", "");
    let table = fs::read_to_string(case.path("corpus/labels.csv")).unwrap();
    let table = table.replace("the \"\"file\"\"", "\"the \"\"file\"\"\"");
    case.put("corpus/labels.csv", &format!("{table}[1] é.wav,\"sa\"\"d\",ann,f\n"));
    let manifest = case.run(|_| {}).unwrap().manifest;
    assert!(manifest.labels.contains_key("sa\"d"), "{:?}", manifest.labels);
    assert_eq!(manifest.csv.unwrap().columns.file.as_deref(), Some("the \"file\""));
}

#[test]
fn layouts_are_recognised_by_their_files() {
    let emotions = ["W", "F", "N", "T"];
    let emodb: Vec<String> = ["03", "08", "09", "10"]
        .iter()
        .flat_map(|who| emotions.map(|emotion| format!("wav/{who}a01{emotion}a.wav")))
        .collect();
    let ravdess = (1..=24).flat_map(|who| {
        [1, 3, 4, 5]
            .map(|emotion| format!("Actor_{who:02}/03-01-{emotion:02}-01-01-01-{who:02}.wav"))
    });
    let cases = [("emodb", emodb, "linear-svm"), ("ravdess", ravdess.collect(), "linear")];
    for (name, files, model) in cases {
        for below in ["", "release/"] {
            let case = Case(tempfile::tempdir().unwrap());
            for file in &files {
                case.put(&format!("corpus/{below}{file}"), "");
            }
            run(&case.own(), case.0.path(), true).unwrap();
            let file = case.path(&format!("pipelines/my-{name}.toml"));
            let experiment = Experiment::read(&file).unwrap();
            assert_eq!(experiment.manifest.name, format!("my-{name}"));
            assert_eq!(experiment.pipeline.model.kind, model);
            let root = experiment.corpus_root(|_| None).unwrap();
            assert!(root.join(&files[0]).is_file(), "{}", root.display());
        }
    }
}

#[test]
fn a_synthetic_corpus_is_not_taken_for_a_real_one() {
    let case = Case(tempfile::tempdir().unwrap());
    case.put("corpus/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", "");
    case.put("corpus/SYNTHETIC.txt", "");
    let told = case.fault(exit::USAGE, |_| {});
    assert!(told.contains("nobody speaks there"), "{told}");
}

/// The manifest and the pipeline of every layout that has one are still what they were after the change of
/// names.
#[test]
fn what_is_built_in_reads() {
    for name in ["iemocap", "emodb", "ravdess", "crema-d", "msp-podcast"] {
        let found = layouts::of_name(name, "/data/it's here").unwrap();
        let source = layouts::source(&found, "mine").unwrap();
        let manifest = Manifest::parse(Path::new("m.toml"), &source.manifest).unwrap();
        assert_eq!(manifest.name, "mine");
        if let Some(text) = source.pipeline {
            let pipeline = ambivox_settings::Pipeline::parse(Path::new("p.toml"), &text).unwrap();
            assert_eq!(pipeline.name, "mine");
            assert_eq!(pipeline.corpus.root, Some(PathBuf::from("/data/it's here")));
            assert_eq!(pipeline.corpus.manifest, Path::new("../data-manifests/mine.toml"));
            assert!(!text.contains("msp-podcast-parts"), "{text}");
        }
    }
}

#[test]
fn what_is_there_is_left_as_it_is() {
    let case = Case::talks("file,label,speaker,sex");
    case.put("pipelines/corpus.toml", "mine");
    let told = case.fault(exit::USAGE, |_| {});
    assert!(told.contains("pipelines/corpus.toml is there already"), "{told}");
    assert_eq!(fs::read_to_string(case.path("pipelines/corpus.toml")).unwrap(), "mine");
    let other = case.run(|own| own.name = Some("talks".to_owned())).unwrap();
    assert_eq!(other.pipeline.name, "talks");
}

#[test]
fn wrong_use_names_the_remedy() {
    let case = Case::talks("file,label,speaker,sex");
    let told = case.fault(exit::USAGE, |own| own.folder = PathBuf::from("/none"));
    insta::assert_snapshot!(told, @r"
    /none: there is no such folder
    hint: name the folder that holds the recordings
    ");
    let told = case.fault(exit::USAGE, |own| own.name = Some("my talks".to_owned()));
    assert!(told.ends_with("hint: try --name my-talks"), "{told}");
    let told = case.fault(exit::USAGE, |own| own.table = Some(PathBuf::from("none.csv")));
    assert_eq!(told, "--table none.csv: there is no such file");
    case.put("elsewhere.csv", &fs::read_to_string(case.path("corpus/labels.csv")).unwrap());
    let elsewhere = case.path("elsewhere.csv");
    let told = case.fault(exit::USAGE, |own| own.table = Some(elsewhere));
    assert!(told.contains("elsewhere.csv is not below corpus"), "{told}");
    let table = fs::read_to_string(case.path("corpus/labels.csv")).unwrap();
    case.put("corpus/more.csv", &table);
    let told = case.fault(exit::USAGE, |_| {});
    assert!(told.contains("several tables name sound files: labels.csv, more.csv"), "{told}");
    case.run(|own| own.table = Some(PathBuf::from("more.csv"))).unwrap();
}

#[test]
fn faulty_data_names_the_remedy() {
    let empty = Case(tempfile::tempdir().unwrap());
    fs::create_dir_all(empty.path("corpus")).unwrap();
    let told = empty.fault(exit::DATA, |_| {});
    assert!(told.contains("there is no table of labels in it"), "{told}");
    for (table, expected) in [
        ("file,label\nx.wav,sad\n", "no column names sound files"),
        ("file,emotion\nwav/a.wav,sad\nwav/b.wav,sad\n", "there must be two at least"),
        ("file,word\nwav/a.wav,sad\n", "name the column of the labels with --label"),
        ("file,label\nwav/a.wav,sad\nwav/b.wav,glad\nwav/c.wav,sad\n", "wav/c.wav (line 4)"),
        (
            "file,label,speaker\nwav/a.wav,sad,ann\nwav/b.wav,glad,bob\n",
            "of fewer than three speakers: ann, bob",
        ),
        ("file,label\nwav/a.wav,sad\nwav/b.wav,glad\n", "in three rows; there are: glad (1)"),
        ("file,label,speaker\nwav/a.wav,sad,\nwav/b.wav,glad,bob\n", "no speaker in 1 row"),
        ("file,label\nwav/a.wav,sad\nwav/a.wav,glad\n", "are both the utterance wav/a"),
        ("nothing", "does not name columns"),
    ] {
        let case = Case::new(table);
        for file in ["corpus/wav/a.wav", "corpus/wav/b.wav"] {
            case.put(file, "");
        }
        let told = case.fault(exit::DATA, |_| {});
        assert!(told.contains(expected), "{told}");
    }
    let several = Case::new("file,label\nx,sad\n");
    several.put("corpus/others.csv", "file,label\nx,sad\n");
    let told = several.fault(exit::DATA, |_| {});
    assert!(told.contains("none names sound files below the folder: labels.csv, others"), "{told}");
}
