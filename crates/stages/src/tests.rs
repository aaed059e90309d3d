//! Stages one after the other on a small corpus, in this process.

use std::collections::BTreeMap;
use std::f32::consts::TAU;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ambivox_corpus::read_index;
use ambivox_eval::{RunHistory, Summary};
use ambivox_features::FeatureTable;
use ambivox_models::{AttentionOver, Checkpoint, MlpSettings, NetworkSettings, Scaling, model};
use ambivox_rules::{
    CycleganSettings, FixedLabelSettings, LwSettings, Pool, SoftTargetSettings, Votes, WeightStep,
    rule,
};
use ambivox_settings::{
    Arithmetic, Criterion, EvaluateParams, Exclusions, ExtractParams, Features, IndexParams,
    IndexSummary, Keep, Manifest, MapParams, MethodParams, OnBroken, Pipeline, ReportParams,
    Request, Section, SplitParams, SplitSettings, Splits, StageParams, TrainParams,
    TrainingSettings, exit, role,
};
use fs_err as fs;
use hound::{SampleFormat, WavSpec, WavWriter};
use polars::prelude::{DataFrame, PlSmallStr};
use tempfile::TempDir;

use crate::job::read_json;
use crate::{Reporter, StageError, run, tables};

const SPEAKERS: [&str; 4] = ["ann", "bob", "cid", "dee"];

const MANIFEST: &str = r#"
schema = 1
name = "toy"
title = "Toy"
synthetic = true
licence = "CC0-1.0"
source = "https://toy.example"
citation = "none"
root_env = "TOY_ROOT"
adapter = "csv"
files = ["labels.csv", "*.wav"]
[labels]
H = "happiness"
S = "sadness"
X = ""
[csv]
table = "labels.csv"
delimiter = ","
[csv.columns]
file = "file"
speaker = "speaker"
emotion = "emotion"
votes = "votes"
"#;

/// `ser32` with its functionals.
fn features() -> Features {
    let frontend = toml::Table::from_iter([("set".to_owned(), "ser32".into())]);
    let frontend = Section::new(Features::FIRST, &frontend).unwrap();
    Features::of(frontend, Section::bare("functionals"))
}

/// A corpus and a folder of outputs per stage.
struct Bench {
    folder: TempDir,
    threads: usize,
}

impl Bench {
    fn new(threads: usize) -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap(), threads };
        fs::create_dir(bench.corpus()).unwrap();
        bench.fill();
        bench
    }

    fn corpus(&self) -> PathBuf {
        self.folder.path().join("corpus")
    }

    /// Two utterances of each class per speaker, one without consensus, one that is no sound.
    fn fill(&self) {
        let mut table = "file,speaker,emotion,votes\n".to_owned();
        for (i, speaker) in SPEAKERS.iter().enumerate() {
            for (j, emotion) in ["H", "S", "H", "S"].iter().enumerate() {
                let hz = 100.0 + 10.0 * i as f32 + if *emotion == "H" { 80.0 } else { 0.0 };
                tone(&self.corpus().join(format!("{speaker}{j}.wav")), hz, 2000 + 400 * j);
                writeln!(table, "{speaker}{j}.wav,{speaker},{emotion},{emotion}:3").unwrap();
            }
        }
        tone(&self.corpus().join("ann8.wav"), 150.0, 1600);
        fs::write(self.corpus().join("ann9.wav"), "no sound at all").unwrap();
        table += "ann8.wav,ann,X,H:1;S:1\nann9.wav,ann,H,H:2;S:1\n";
        fs::write(self.corpus().join("labels.csv"), table).unwrap();
    }

    fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Works a stage into the folder `name`.
    fn work(
        &self,
        name: &str,
        work: StageParams,
        inputs: &[(&str, PathBuf)],
    ) -> Result<PathBuf, StageError> {
        let out = self.out(name);
        fs::create_dir_all(&out).unwrap();
        let inputs: BTreeMap<String, PathBuf> =
            inputs.iter().map(|(role, path)| ((*role).to_owned(), path.clone())).collect();
        let names: Vec<&str> = work.outputs().iter().map(|(_, name)| *name).collect();
        let request = Request {
            work,
            inputs,
            out: out.clone(),
            threads: self.threads,
            interim: None,
            live: None,
            shard: None,
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads).build().unwrap();
        pool.install(|| run(&request, &Reporter::new(Box::new(std::io::sink()))))?;
        assert!(names.iter().all(|name| out.join(name).exists()), "{names:?}");
        Ok(out)
    }

    fn index(&self) -> PathBuf {
        let work = StageParams::Index(Box::new(IndexParams { manifest: manifest() }));
        self.work("index", work, &[(role::CORPUS, self.corpus())]).unwrap()
    }

    fn extract(&self, on_broken: OnBroken) -> Result<PathBuf, StageError> {
        let index = self.out("index").join("index.parquet");
        let inputs = [(role::CORPUS, self.corpus()), (role::INDEX, index)];
        let params = ExtractParams {
            features: features(),
            frames: true,
            on_broken,
            arithmetic: Arithmetic::Native,
        };
        self.work("extract", StageParams::Extract(params), &inputs)
    }

    /// A table of the extraction in rows.
    fn map(&self, params: MapParams, role: &'static str) -> PathBuf {
        let table = self.out("extract").join(format!("{role}.parquet"));
        let out = self.work(role, StageParams::Map(params), &[(role, table)]).unwrap();
        out.join(format!("{role}.safetensors"))
    }

    fn split(&self) -> PathBuf {
        let classes = ["happiness", "sadness"].map(str::to_owned).to_vec();
        let section = Section::bare("leave-one-speaker-out");
        let split = SplitSettings { section, classes, balance: None };
        let work = StageParams::Split(Box::new(SplitParams { split, manifest: manifest() }));
        let inputs = [
            (role::INDEX, self.out("index").join("index.parquet")),
            (role::EXCLUSIONS, self.out("extract").join("exclusions.json")),
        ];
        self.work("split", work, &inputs).unwrap()
    }

    fn train(&self, fold: &str, method: MethodParams) -> Result<PathBuf, StageError> {
        let blstm = NetworkSettings::plain([8, 4], 0.5, AttentionOver::Blstm);
        let blstm = Section::new(Pipeline::PAPERS_MODEL, &blstm).unwrap();
        let model = rule(&method).unwrap().model().map_or(blstm, |(model, _)| model);
        self.train_model(fold, method, model)
    }

    fn train_model(
        &self,
        fold: &str,
        method: MethodParams,
        model: Section,
    ) -> Result<PathBuf, StageError> {
        let name = format!("{}-{fold}", method.name);
        let read = if self::model(&model).unwrap().reads_vectors() {
            (role::VECTORS, self.map(MapParams::Vectors, role::VECTORS))
        } else {
            (role::FEATURES, self.map(MapParams::Features, role::FEATURES))
        };
        let params = TrainParams {
            fold: fold.to_owned(),
            method,
            seed: 7,
            features: features(),
            model,
            choose_layer: false,
            mix_layers: false,
            training: TrainingSettings {
                seeds: vec![],
                batch_size: 4,
                learning_rate: 0.01,
                gradient_clip: 0.0,
                max_epochs: 3,
                patience: 3,
                criterion: Criterion::Loss,
                keep: Keep::Best,
                normalise_weights: false,
                dynamics: false,
            },
            arithmetic: Arithmetic::Native,
            correct_test: false,
        };
        let inputs = [
            (role::INDEX, self.out("index").join("index.parquet")),
            read,
            (role::SPLITS, self.out("split").join("splits.json")),
        ];
        self.work(&name, StageParams::Train(Box::new(params)), &inputs)
    }

    /// Makes every recording of a speaker another sound, and loud.
    fn distort(&self, speaker: &str) {
        for j in 0..4 {
            tone(&self.corpus().join(format!("{speaker}{j}.wav")), 333.0, 4000);
        }
    }

    /// Index, extraction and split.
    fn prepare(&self) {
        self.index();
        self.extract(OnBroken::Skip).unwrap();
        self.split();
    }
}

fn tone(file: &Path, hz: f32, samples: usize) {
    let spec = WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::create(file, spec).unwrap();
    for n in 0..samples {
        let phase = TAU * hz * n as f32 / 16_000.0;
        writer.write_sample((9000.0 * (phase.sin() + 0.3 * (3.0 * phase).sin())) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

fn manifest() -> Manifest {
    Manifest::parse(Path::new("toy.toml"), MANIFEST).unwrap()
}

fn baseline() -> MethodParams {
    MethodParams::of("baseline", &FixedLabelSettings::GOLD).unwrap()
}

fn lw() -> MethodParams {
    let settings = LwSettings {
        label_scale: 1.0,
        label_rate: 0.2,
        weight_rate: 0.05,
        rescale_initial_weights: false,
        second_step: WeightStep::default(),
    };
    MethodParams::of("lw", &settings).unwrap()
}

fn soft_target() -> MethodParams {
    MethodParams::of("soft-target", &SoftTargetSettings { smoothing: 0.5, votes: Votes::Counted })
        .unwrap()
}

fn cyclegan(pool: Pool) -> MethodParams {
    let settings = CycleganSettings {
        pool,
        generator: vec![8],
        discriminator: vec![8],
        classifier: vec![8],
        leak: 0.2,
        generator_dropout: 0.2,
        discriminator_dropout: 0.2,
        classifier_dropout: 0.5,
        real_label: 0.9,
        cycle_weight: 5.0,
        class_weight: 2.0,
        pretraining_epochs: 1,
        epochs: 2,
        batch_size: 4,
        generator_steps: 2,
        learning_rate: 1e-3,
        decay: 0.8,
        decay_epochs: 50,
        synthetic_share: 1.0,
    };
    MethodParams::of("cyclegan", &settings).unwrap()
}

fn names(table: &DataFrame) -> Vec<&str> {
    table.get_column_names().into_iter().map(PlSmallStr::as_str).collect()
}

#[test]
fn a_corpus_is_indexed_extracted_and_split() {
    let bench = Bench::new(2);
    let out = bench.index();
    let index = read_index(&out.join("index.parquet")).unwrap();
    assert_eq!(index.len(), 18);
    let duration = |id: &str| index.iter().find(|u| u.utterance_id == id).unwrap().duration_s;
    assert_eq!(duration("ann1"), Some(0.15));
    assert_eq!(duration("ann9"), None);
    let summary: IndexSummary = read_json(&out.join("index.json")).unwrap();
    assert_eq!((summary.utterances, summary.files, summary.votes), (18, 19, true));
    assert_eq!(summary.blake3.len(), 64);

    let out = bench.extract(OnBroken::Skip).unwrap();
    let exclusions: Exclusions = read_json(&out.join("exclusions.json")).unwrap();
    assert_eq!(exclusions.excluded.len(), 1);
    assert_eq!(exclusions.excluded[0].utterance_id, "ann9");
    let rows = bench.map(MapParams::Features, role::FEATURES);
    let features = FeatureTable::open(&rows).unwrap();
    assert!(features.get("ann8").is_some() && features.get("ann9").is_none());
    assert_eq!(features.get("dee3").unwrap().len(), ((3200 - 400) / 160 + 1) * 32);

    let splits: Splits = read_json(&bench.split().join("splits.json")).unwrap();
    assert_eq!(splits.utterances.len(), 16);
    assert!(splits.folds.iter().map(|fold| fold.name.as_str()).eq(SPEAKERS));
}

#[test]
fn broken_audio_stops_extraction_as_a_fault_of_the_data() {
    let bench = Bench::new(1);
    bench.index();
    let error = bench.extract(OnBroken::Stop).unwrap_err();
    assert_eq!(error.exit_code(), exit::DATA);
    assert!(error.to_string().contains("ann9 (ann9.wav)"), "{error}");
}

#[test]
fn a_file_that_is_away_for_a_while_is_no_exclusion() {
    let bench = Bench::new(2);
    bench.index();
    let (file, away) = (bench.corpus().join("bob2.wav"), bench.out("away.wav"));
    fs::rename(&file, &away).unwrap();
    for on_broken in [OnBroken::Skip, OnBroken::Stop] {
        let error = bench.extract(on_broken).unwrap_err();
        assert_eq!(error.exit_code(), exit::FAILED);
        let text = error.to_string();
        assert!(text.contains("bob2.wav: cannot be read: No such file or directory"), "{text}");
        assert!(text.contains("run this again when the file can be read"), "{text}");
    }
    fs::rename(&away, &file).unwrap();
    let out = bench.extract(OnBroken::Skip).unwrap();
    let exclusions: Exclusions = read_json(&out.join("exclusions.json")).unwrap();
    let excluded: Vec<&str> = exclusions.excluded.iter().map(|e| e.path.as_str()).collect();
    assert_eq!(excluded, ["ann9.wav"]);
}

#[test]
fn an_unknown_fold_is_wrong_usage_and_lists_the_known_ones() {
    let bench = Bench::new(1);
    bench.prepare();
    let error = bench.train("eve", baseline()).unwrap_err();
    assert_eq!(error.exit_code(), exit::USAGE);
    assert_eq!(error.to_string(), "there is no fold eve; the folds are ann, bob, cid, dee");
}

#[test]
fn a_missing_input_is_named() {
    let bench = Bench::new(1);
    let work = StageParams::Index(Box::new(IndexParams { manifest: manifest() }));
    let error = bench.work("index", work, &[]).unwrap_err();
    assert_eq!(error.to_string(), "request: stage index lacks input `corpus`");
    assert_eq!(error.exit_code(), exit::USAGE);
}

#[test]
fn a_run_writes_its_tables() {
    let bench = Bench::new(2);
    bench.prepare();
    let out = bench.train("bob", lw()).unwrap();
    let history = fs::read_to_string(out.join("history.json")).unwrap();
    let history = RunHistory::from_json(&history).unwrap();
    assert_eq!((history.test_utterances, history.validation_utterances), (4, 4));
    assert_eq!((history.train_utterances, history.method.as_str()), (8, "lw"));
    let checkpoint = Checkpoint::load(&out.join("checkpoint.safetensors")).unwrap();
    assert_eq!(checkpoint.predictor.parameters(), history.parameters);
    assert_eq!(checkpoint.scaling.width(), 32);

    let predictions = tables::labels::read(&out.join("predictions.parquet")).unwrap();
    assert_eq!(predictions.height(), 8);
    let columns = ["utterance_id", "speaker", "part", "gold", "p_happiness", "p_sadness"];
    assert_eq!(names(&predictions), columns);
    let labels = tables::labels::read(&out.join("labels.parquet")).unwrap();
    assert_eq!(labels.height(), 8);
    let columns = ["method", "seed", "fold", "utterance_id", "gold", "votes", "s_happiness"];
    assert_eq!(names(&labels)[..7], columns);
    let columns = ["s_sadness", "weight_initial", "weight", "loss", "moved_to", "moved_to_at_last"];
    assert_eq!(names(&labels)[7..], columns);
    let index = tables::labels::read(&bench.out("index").join("index.parquet")).unwrap();
    assert_eq!(labels.column("votes").unwrap().dtype(), index.column("votes").unwrap().dtype());
}

#[test]
fn runs_are_the_same_bytes_for_any_number_of_threads() {
    let benches = [1, 2].map(Bench::new);
    benches.iter().for_each(Bench::prepare);
    for method in [lw(), cyclegan(Pool::Training)] {
        let [one, two] = benches.each_ref().map(|bench| {
            let out = bench.train("ann", method.clone()).unwrap();
            ["checkpoint.safetensors", "history.json", "predictions.parquet", "labels.parquet"]
                .map(|name| fs::read(out.join(name)).unwrap())
        });
        assert!(one == two, "{}", method.name);
    }
}

#[test]
fn a_run_on_functionals_writes_the_same_tables() {
    let bench = Bench::new(1);
    bench.prepare();
    let mlp = MlpSettings { hidden: vec![6], leak: 0.1, dropout: 0.2, mixup: None };
    let mlp = Section::new("mlp", &mlp).unwrap();
    let runs = [
        bench.train("bob", cyclegan(Pool::Training)).unwrap(),
        bench.train_model("bob", lw(), mlp).unwrap(),
    ];
    let table = |out: &Path, name: &str| tables::labels::read(&out.join(name)).unwrap();
    let other = bench.train("bob", baseline()).unwrap();
    for (out, method) in runs.into_iter().zip(["cyclegan", "lw"]) {
        let checkpoint = Checkpoint::load(&out.join("checkpoint.safetensors")).unwrap();
        let history = fs::read_to_string(out.join("history.json")).unwrap();
        let history = RunHistory::from_json(&history).unwrap();
        assert_eq!(checkpoint.predictor.parameters(), history.parameters);
        assert_eq!((checkpoint.scaling.width(), checkpoint.classes.len()), (384, 2));
        assert_eq!((history.train_utterances, history.method.as_str()), (8, method));
        for name in ["predictions.parquet", "labels.parquet"] {
            let (ours, theirs) = (table(&out, name), table(&other, name));
            assert_eq!((ours.schema(), ours.height()), (theirs.schema(), theirs.height()));
        }
    }
}

#[test]
fn ambiguous_utterances_train_soft_targets_alone() {
    let bench = Bench::new(1);
    bench.prepare();
    let gold = |method: MethodParams, fold: &str| {
        let out = bench.train(fold, method).unwrap();
        let labels = tables::labels::read(&out.join("labels.parquet")).unwrap();
        (labels.height(), labels.column("gold").unwrap().null_count())
    };
    // bob is tested, cid validates, ann has the ambiguous one.
    assert_eq!(gold(soft_target(), "bob"), (9, 1));
    assert_eq!(gold(baseline(), "bob"), (8, 0));
    assert_eq!(gold(soft_target(), "ann"), (8, 0));
}

/// A marker in the test speaker's sound moves nothing that a run learns; one in the validation
/// speaker's moves neither the normaliser nor the network's epochs, only the choice among them. The
/// epochs of `cyclegan` are on what its generators made, which so is not moved either.
#[test]
fn no_frame_of_test_or_validation_reaches_training() {
    let plain = Bench::new(1);
    let (test, validation) = (Bench::new(1), Bench::new(1));
    test.distort("bob");
    validation.distort("cid");
    for bench in [&plain, &test, &validation] {
        bench.prepare();
    }
    let learned = ["checkpoint.safetensors", "history.json", "labels.parquet"];
    let gans = [Pool::Training, Pool::TrainingAndAmbiguous].map(cyclegan);
    for method in [baseline(), lw(), soft_target()].into_iter().chain(gans) {
        let [plain, test, validation] =
            [&plain, &test, &validation].map(|bench| bench.train("bob", method.clone()).unwrap());
        for name in learned {
            let bytes = |out: &Path| fs::read(out.join(name)).unwrap();
            assert!(bytes(&plain) == bytes(&test), "{name}");
        }
        let predictions = |out: &Path| fs::read(out.join("predictions.parquet")).unwrap();
        assert!(predictions(&plain) != predictions(&test), "the marker is seen by the test");
        let seen = |out: &Path| {
            let history = fs::read_to_string(out.join(learned[1])).unwrap();
            let history = RunHistory::from_json(&history).unwrap();
            let losses: Vec<f64> = history.epochs.iter().map(|e| e.train_loss).collect();
            (scaling(&out.join(learned[0])), losses)
        };
        assert_eq!(seen(&plain), seen(&validation));
    }
}

/// What a checkpoint says of the scaling of its input.
fn scaling(checkpoint: &Path) -> Scaling {
    Checkpoint::load(checkpoint).unwrap().scaling
}

/// A marker in an utterance that the annotators did not agree on reaches the generators where the
/// pipeline puts it into the pool, unless its speaker is tested or validates; and never the scaling.
#[test]
fn the_pool_holds_the_training_speakers_alone() {
    let (plain, marked) = (Bench::new(1), Bench::new(1));
    tone(&marked.corpus().join("ann8.wav"), 333.0, 4000);
    plain.prepare();
    marked.prepare();
    // dee is ann's to validate: ann trains for bob and cid.
    for (fold, pool, reached) in [
        ("bob", Pool::Training, false),
        ("bob", Pool::TrainingAndAmbiguous, true),
        ("ann", Pool::TrainingAndAmbiguous, false),
        ("dee", Pool::TrainingAndAmbiguous, false),
    ] {
        let [plain, marked] =
            [&plain, &marked].map(|bench| bench.train(fold, cyclegan(pool)).unwrap());
        let bytes = |out: &Path| fs::read(out.join("history.json")).unwrap();
        assert_eq!(bytes(&plain) != bytes(&marked), reached, "{fold} {pool:?}");
        let of = |out: &Path| scaling(&out.join("checkpoint.safetensors"));
        assert_eq!(of(&plain), of(&marked), "{fold} {pool:?}");
    }
}

#[test]
fn runs_are_evaluated_and_reported() {
    let bench = Bench::new(2);
    bench.prepare();
    let mut inputs = vec![("splits".to_owned(), bench.out("split").join("splits.json"))];
    for fold in ["dee", "ann"] {
        for method in [lw(), baseline()] {
            let run = format!("{}/7/{fold}", method.name);
            let out = bench.train(fold, method).unwrap();
            inputs.push((format!("predictions/{run}"), out.join("predictions.parquet")));
            inputs.push((format!("labels/{run}"), out.join("labels.parquet")));
            inputs.push((format!("history/{run}"), out.join("history.json")));
        }
    }
    let inputs: Vec<_> = inputs.iter().map(|(role, path)| (role.as_str(), path.clone())).collect();
    let params = EvaluateParams { pipeline: "toy".to_owned(), synthetic: true };
    let out = bench.work("evaluate", StageParams::Evaluate(params), &inputs).unwrap();

    let summary = fs::read_to_string(out.join("summary.json")).unwrap();
    let summary = Summary::from_json(&summary).unwrap();
    let lw = &summary.methods["lw"].seeds[&7];
    assert_eq!((lw.folds.len(), lw.pooled.n), (2, 8));
    assert!(lw.pooled.ece.is_some() && lw.folds["ann"].groups.is_empty());
    let results = fs::read_to_string(out.join("results.csv")).unwrap();
    assert_eq!(results.lines().count(), 1 + 2 * 2);
    assert!(results.contains(&format!("\ntoy,lw,7,ann,4,{},", lw.folds["ann"].wa)), "{results}");
    assert_eq!(lw.labels.as_ref().unwrap().moves.total(), 16);
    assert!(summary.methods["baseline"].seeds[&7].labels.is_none());
    let labels = tables::labels::read(&out.join("labels.parquet")).unwrap();
    let text = |name: &str, row: usize| {
        labels.column(name).unwrap().str().unwrap().get(row).unwrap().to_owned()
    };
    let runs: Vec<_> =
        (0..32).step_by(8).map(|row| text("method", row) + &text("fold", row)).collect();
    assert_eq!(runs, ["baselineann", "baselinedee", "lwann", "lwdee"]);

    let mut inputs: Vec<_> = inputs.into_iter().filter(|(role, _)| role.starts_with('h')).collect();
    inputs.extend([
        (role::SUMMARY, out.join("summary.json")),
        (role::INDEX_SUMMARY, bench.out("index").join("index.json")),
        (role::EXCLUSIONS, bench.out("extract").join("exclusions.json")),
        (role::SPLITS, bench.out("split").join("splits.json")),
    ]);
    let params = ReportParams {
        title: "Toy results".to_owned(),
        manifest: manifest(),
        pipeline_toml: "schema = 1".to_owned(),
        model: "blstm-attention".to_owned(),
        own_models: BTreeMap::new(),
        balanced: false,
        corrections: None,
    };
    let out = bench.work("report", StageParams::Report(Box::new(params)), &inputs).unwrap();
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("Toy results") && page.contains("ann9"), "{page}");
}

/// It would be in the key, and a change of it make the stage run for nothing.
#[test]
fn an_input_that_is_not_opened_is_an_error() {
    let bench = Bench::new(1);
    let index = StageParams::Index(Box::new(IndexParams { manifest: manifest() }));
    let inputs = [role::CORPUS, role::TRUTH].map(|role| (role, bench.corpus()));
    let error = bench.work("index", index, &inputs).unwrap_err();
    assert!(error.to_string().contains("stage index lacks a use for its input `truth`"), "{error}");
}
