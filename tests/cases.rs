//! Tables and files as people have them, each in a folder of its own in `cases` of the folder that
//! `AMBIVOX_SHARED` names: what the command says of it, and how it ends.
//!
//! Where a case is not there, the test says that it skips it.

use std::path::Path;

use fs_err as fs;

use crate::harness::{DATA, DONE, House, Ran, from_a_shell, root, shared, xtask};

const FAILED: i32 = 1;

/// What becomes of a case.
struct Case {
    /// The folder's name.
    name: &'static str,
    arguments: &'static [&'static str],
    /// Exit codes, of which it is one.
    codes: &'static [i32],
    /// What is said; of texts with `|` between them one.
    has: &'static [&'static str],
    /// What is not said.
    lacks: &'static [&'static str],
}

const INDEX: &[&str] = &["index"];
const EXTRACT: &[&str] = &["extract"];
const WHOLE: &str = "No utterance is excluded";

const CASES: [Case; 17] = [
    Case {
        name: "audio_codec_names",
        arguments: EXTRACT,
        codes: &[DONE],
        has: &[],
        lacks: &["codec 0x", "expected WAV"],
    },
    Case {
        name: "audio_float_int16_scale",
        arguments: EXTRACT,
        codes: &[DONE],
        has: &["wav/float_scaled_int16", "wav/silent", "wav/stereo_antiphase"],
        lacks: &["wav/base"],
    },
    Case {
        name: "audio_truncated_accepted",
        arguments: EXTRACT,
        codes: &[DONE],
        has: &[
            "wav/cbr_70",
            "wav/flac_pipe_trunc",
            "wav/lame_70",
            "wav/ogg_70",
            "wav/oggenc_95",
            "wav/oggflac_70",
            "wav/vbr_50",
            "7 utterances are excluded",
        ],
        lacks: &["wav/cbr_whole", "wav/ogg_whole"],
    },
    Case {
        name: "audio_wav_lengths",
        arguments: EXTRACT,
        codes: &[DONE],
        has: &[WHOLE],
        lacks: &[],
    },
    Case { name: "files_nfd", arguments: EXTRACT, codes: &[DONE], has: &[WHOLE], lacks: &[] },
    Case {
        name: "latin1_speakers_merge",
        arguments: INDEX,
        codes: &[DATA],
        has: &["labels.csv", "labels.csv:2|line 2", "Latin-1|Windows-1252|UTF-8"],
        lacks: &["\u{fffd}"],
    },
    Case {
        name: "link_dangling_elsewhere",
        arguments: INDEX,
        codes: &[DONE],
        has: &["24 utterances"],
        lacks: &[],
    },
    Case {
        name: "lone_quote_csv",
        arguments: INDEX,
        codes: &[DATA],
        has: &["labels.csv:7|line 7", "quote"],
        lacks: &[],
    },
    Case {
        name: "lone_quote_tsv",
        arguments: INDEX,
        codes: &[DATA],
        has: &["labels.csv:7|line 7", "quote"],
        lacks: &[],
    },
    Case {
        name: "no_speaker_column",
        arguments: INDEX,
        codes: &[DATA],
        has: &["there is no column \"speaker\""],
        lacks: &["error: index failed: error: "],
    },
    Case {
        name: "paths_backslash",
        arguments: EXTRACT,
        codes: &[DATA],
        has: &["wav/anna_happy_0.wav", "backslash"],
        lacks: &[],
    },
    Case {
        name: "sex_other",
        arguments: INDEX,
        codes: &[DONE],
        has: &["24 utterances", "other"],
        lacks: &[],
    },
    Case {
        name: "speaker_empty",
        arguments: INDEX,
        codes: &[DATA],
        has: &["labels.csv", "speaker", "2", "3", "9", "10", "NA", "nan"],
        lacks: &[],
    },
    Case {
        name: "table_two_emotion_columns",
        arguments: INDEX,
        codes: &[DATA],
        has: &["labels.csv", "emotion", "both"],
        lacks: &[],
    },
    // Read as what it is, or refused as what it is.
    Case {
        name: "table_utf16",
        arguments: INDEX,
        codes: &[DONE, DATA],
        has: &["24 utterances|UTF-16"],
        lacks: &["found record with"],
    },
    Case {
        name: "votes_decimal",
        arguments: INDEX,
        codes: &[DONE],
        has: &["24 utterances"],
        lacks: &[],
    },
    Case {
        name: "votes_missing_one",
        arguments: &["cv", "--method", "soft-target"],
        codes: &[DATA],
        has: &[
            "wav/anna_happy_2",
            "wav/bert_happy_0",
            "wav/bert_sad_1",
            "wav/carl_happy_2",
            "wav/dora_happy_0",
            "wav/dora_sad_1",
        ],
        lacks: &["train/"],
    },
];

/// A copy of a case, where it is there: what is shared may be read alone.
fn copied(case: &str) -> Option<House> {
    let pipeline = shared(&format!("cases/{case}/pipelines/p.toml"))?;
    let from = pipeline.ancestors().nth(2)?.to_path_buf();
    let house = House::new();
    copy(&from, &house.path(""));
    fs::rename(house.path("pipelines/p.toml"), house.path("pipelines/tiny.toml")).unwrap();
    Some(house)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::write(&to, fs::read(&from).unwrap()).unwrap();
        }
    }
}

impl Case {
    /// What is wrong with what becomes of it.
    fn faults(&self) -> Vec<String> {
        let Some(house) = copied(self.name) else { return Vec::new() };
        if self.name == "link_dangling_elsewhere" {
            let link = house.path("corpus/latest");
            std::os::unix::fs::symlink("/nonexistent/run_2020", link).unwrap();
        }
        let ran = house.run(self.arguments);
        let (text, code) = (ran.text(), ran.code());
        let is_said = |text: &str, words: &str| words.split('|').any(|words| text.contains(words));
        let missing = self.has.iter().filter(|words| !is_said(&text, words));
        let mut faults: Vec<String> = missing.map(|words| format!("no {words:?}")).collect();
        let wrong = self.lacks.iter().filter(|words| text.contains(**words));
        faults.extend(wrong.map(|words| format!("there is {words:?}")));
        if !self.codes.iter().any(|wanted| code == Some(*wanted)) {
            faults.push(format!("it ended with {code:?}"));
        }
        if faults.is_empty() {
            return faults;
        }
        vec![format!("{}: {}\n{text}", self.name, faults.join("; "))]
    }
}

#[test]
fn every_case_ends_as_it_should() {
    let faults: Vec<String> = CASES.iter().flat_map(Case::faults).collect();
    assert!(faults.is_empty(), "{} cases:\n\n{}", faults.len(), faults.join("\n"));
}

/// More classes than have room in a line: the most probable are named, and no number is broken.
#[test]
fn a_table_of_eight_classes_stays_readable() {
    let Some(house) = copied("predict_eight_classes") else { return };
    let model = house.path("networks").display().to_string();
    house.run(&["bundle", &model, "--method", "baseline"]).ended(DONE);
    let sound = house.path("corpus/wav/03-01-01-01-01-01-01.wav").display().to_string();
    let arguments = ["predict", "--model", &model, &sound];
    let mut command = from_a_shell(xtask());
    let output = command.current_dir(root()).args(arguments).output().unwrap();
    let table = Ran::new(&arguments, output).ended(DONE).stdout;
    assert!(table.contains("Of 8 classes the most probable"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let row = table.lines().find(|line| line.contains("03-01")).unwrap_or_default();
    let is_percent = |word: &&str| word.split_once('.').is_some_and(|(_, tail)| tail.len() == 1);
    // From, to, and three classes.
    assert_eq!(row.split_whitespace().filter(is_percent).count(), 5, "{table}");
}

/// An `sbatch` that is made up takes five tasks in all: these stay, and the command says which limit it
/// was.
#[test]
fn a_limit_of_submitted_jobs_is_told_and_takes_nothing_back() {
    let Some(house) = copied("slurm_submit_limit") else { return };
    house.edit("ex.toml", "poll_seconds = 1.0", "poll_seconds = 0.01");
    house.run(&["cv", "--fold", "anna", "--method", "baseline"]).ended(DONE);
    let file = house.path("ex.toml").display().to_string();
    let arguments = ["cv", "--executor", "slurm", "--executor-file", &file];
    let mut path = shared("cases/slurm_submit_limit/bin").unwrap().into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let mut command = house.command(&arguments);
    command.env("PATH", path).env("FAKE_SLURM", house.path("slurm")).env("FAKE_LIMIT", "5");
    let ran = Ran::new(&arguments, command.output().unwrap()).ended(FAILED);
    let ran = ran.complained_of(&["QOSMaxSubmitJobPerUserLimit", "hint: "]);
    assert!(ran.stderr.contains("slurm: 5 tasks submitted as 100, 101"), "{}", ran.stderr);
    let log = house.read("slurm/log");
    assert!(!log.contains("scancel"), "{log}");
    let taken = ["slurm/job100.json", "slurm/job101.json"].map(|job| house.json(job));
    let tasks = taken.map(|job| job["nums"].as_array().unwrap().len());
    assert_eq!(tasks, [4, 1]);
}
