//! A pipeline file with all that it names: the corpus's manifest, what its front end reads, the corpus's
//! root.
//! Its section `[executor]`, which says where stages run, is none of the pipeline's.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use ambivox_corpus::{PlannedSplit, plan_split};
use ambivox_features::plan;
use ambivox_frontends::Planned;
use ambivox_settings::{Arithmetic, Features, Manifest, Pipeline, Section};
use anyhow::{Context as _, Result};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::method::{PlannedMethod, plan_methods};
use crate::slurm;

/// A pipeline, read and checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Experiment {
    /// The file's text without the executor's section; the report shows it.
    pub(crate) text: String,
    /// The executor's section, or nothing.
    pub(crate) executor: String,
    pub(crate) pipeline: Pipeline,
    pub(crate) manifest: Manifest,
    /// The front end, with what its names stand for.
    pub(crate) frontend: Planned,
    /// The methods, in their order.
    pub(crate) methods: Vec<PlannedMethod>,
    /// The split, without paths.
    pub(crate) split: PlannedSplit,
    pub(crate) arithmetic: Arithmetic,
    /// Whether its folds are those of `[audit.split]`.
    audits: bool,
    folder: PathBuf,
}

impl Experiment {
    /// Reads a pipeline file and the files it names.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).map_err(|error| Failure::usage(error.to_string()))?;
        let parts = slurm::cut(&text);
        let mut pipeline = Pipeline::parse(file, &parts.pipeline)?;
        let folder = file.parent().unwrap_or(Path::new("")).to_path_buf();
        let mut manifest = Manifest::read(&folder.join(&pipeline.corpus.manifest))?;
        // How a corpus was had changes nothing of what is in it.
        manifest.fetch.clear();
        manifest.fetch_lists.clear();
        let refuse = |fault: &dyn Display| Failure::usage(format!("{}: {fault}", file.display()));
        let frontend = plan(&pipeline.frontend, &pipeline.pooling, &folder);
        let frontend = frontend.map_err(|error| refuse(&error))?;
        let methods = plan_methods(&mut pipeline, &frontend).map_err(|error| refuse(&error))?;
        let split = plan_split(&pipeline.split.section).map_err(|error| refuse(&error))?;
        let arithmetic = Arithmetic::asked().map_err(|error| Failure::usage(error.to_string()))?;
        let (text, executor) = (parts.shown, parts.executor);
        let experiment = Self {
            text,
            executor,
            pipeline,
            manifest,
            frontend,
            methods,
            split,
            arithmetic,
            audits: false,
            folder,
        };
        experiment.for_audit().map_err(|error| refuse(&error))?;
        Ok(experiment)
    }

    /// The same over the folds by which labels are audited; `None` where these are those of the split.
    ///
    /// Errors: a split that cannot be.
    pub(crate) fn for_audit(&self) -> Result<Option<Self>, String> {
        let mut pipeline = self.pipeline.clone();
        let Some(audit) = pipeline.audit.take() else { return Ok(None) };
        pipeline.split.section = audit.split;
        let audited = self.with_pipeline(pipeline);
        let audited = audited.map_err(|error| error.replacen("split", "audit.split", 1))?;
        Ok(Some(Self { audits: true, ..audited }))
    }

    /// Under what name the store remembers what its places had last: no pipeline's name has a point in it.
    pub(crate) fn places(&self) -> String {
        let name = &self.pipeline.name;
        if self.audits { format!("{name}.audit") } else { name.clone() }
    }

    /// The same for a process in another folder and environment: its files by absolute paths, and its
    /// corpus at this root, where it has been looked up.
    pub(crate) fn for_elsewhere(&self, root: Option<&Path>) -> Result<Self> {
        let mut experiment = self.clone();
        experiment.folder = std::path::absolute(self.folder.join("."))?;
        experiment.frontend.table =
            self.frontend.table.as_ref().map(std::path::absolute).transpose()?;
        experiment.pipeline.corpus.root =
            root.map(Path::to_path_buf).or(experiment.pipeline.corpus.root);
        Ok(experiment)
    }

    /// The same with another pipeline, whose files are the same.
    ///
    /// Errors: methods that cannot be, or that cannot learn from what there is of an utterance; a split that
    /// cannot be.
    pub(crate) fn with_pipeline(&self, mut pipeline: Pipeline) -> Result<Self, String> {
        let methods = plan_methods(&mut pipeline, &self.frontend)?;
        let split = plan_split(&pipeline.split.section).map_err(|error| error.to_string())?;
        Ok(Self { pipeline, methods, split, ..self.clone() })
    }

    /// The root of a corpus that is not synthetic: from the pipeline file, or from the environment
    /// variable that the manifest names, whose value `variable` looks up.
    pub(crate) fn corpus_root(
        &self,
        variable: impl Fn(&str) -> Option<PathBuf>,
    ) -> Result<PathBuf> {
        let own = self.pipeline.corpus.root.as_ref().map(|root| self.folder.join(root));
        let named = own.or_else(|| variable(&self.manifest.root_env));
        match named {
            Some(root) if root.is_dir() => {
                let root = fs::canonicalize(root)?;
                // Requests of stages name it as text.
                let fault = || self.corpus_failure(&format!("{} is not UTF-8", root.display()));
                if root.to_str().is_none() { Err(fault()) } else { Ok(root) }
            }
            Some(root) => Err(self.corpus_failure(&format!("{} is no folder", root.display()))),
            None => Err(self.corpus_failure(&format!("{} is not set", self.manifest.root_env))),
        }
    }

    /// The reviewer's file of corrections.
    pub(crate) fn corrections_file(&self) -> Result<PathBuf> {
        let corrections = self.pipeline.corrections.as_ref().context("no [corrections]")?;
        let file = self.folder.join(&corrections.file);
        if file.is_file() {
            return Ok(fs::canonicalize(file)?);
        }
        let hint = "corrections.file names it; `cargo xtask audit` makes the page that saves one";
        Err(no_such_file(&file, hint))
    }

    /// The file or folder that the front end reads: features that somebody has computed, or a model.
    pub(crate) fn table_file(&self) -> Result<PathBuf> {
        let table = self.frontend.table.as_ref().context("no front end that reads a table")?;
        if table.exists() {
            // A link goes by its own name, whose end says what form the table has.
            return Ok(std::path::absolute(table)?);
        }
        let key = if self.frontend.encodes { "model" } else { "file" };
        Err(no_such_file(table, &format!("frontend.{key} names it")))
    }

    /// The list of parts that somebody has published or written down.
    pub(crate) fn parts_file(&self) -> Result<PathBuf> {
        let file = self.split.parts.as_ref().context("no split of listed parts")?;
        let file = self.folder.join(file);
        if file.exists() {
            return Ok(fs::canonicalize(file)?);
        }
        let section = if self.audits { "audit.split" } else { "split" };
        Err(no_such_file(&file, &format!("{section}.file names it")))
    }

    /// Names of the folds as far as they are known before the corpus has been read.
    pub(crate) fn known_folds(&self) -> Vec<String> {
        self.split.known_folds(&self.manifest)
    }

    /// What is made of every utterance.
    pub(crate) fn features(&self) -> Features {
        let (frontend, pooling) = (self.frontend.section.clone(), self.pipeline.pooling.clone());
        Features::of(frontend, pooling)
    }

    /// Whether a method's model reads vectors, one an utterance.
    pub(crate) fn has_vectors(&self) -> bool {
        self.methods.iter().any(|method| method.reads_vectors)
    }

    /// What a method's model reads of it: to one of frames a pooling is nothing.
    pub(crate) fn read_by(&self, method: &PlannedMethod) -> Features {
        let mut features = self.features();
        features.normalisation = self.pipeline.normalisation.over;
        if !method.reads_vectors {
            features.pooling = Section::bare(Features::NO_POOLING);
        }
        features
    }

    fn corpus_failure(&self, fault: &str) -> anyhow::Error {
        let Manifest { title, root_env, source, licence, .. } = &self.manifest;
        Failure::data(format!(
            "the corpus {title} was not found: {fault}\n\
             hint: get it from {source} (licence: {licence}), then name its root folder:\n  \
             {root_env}=/path/to/corpus cargo xtask …"
        ))
    }
}

/// A file that the pipeline names, outside of the store, is not there.
fn no_such_file(file: &Path, hint: &str) -> anyhow::Error {
    Failure::data(format!("{}: there is no such file\nhint: {hint}", file.display()))
}

#[cfg(test)]
pub(crate) mod tests {
    use ambivox_frontends::lld_set;
    use ambivox_lld::FeatureSet;

    use super::*;
    use crate::failure::exit_code;

    const MANIFEST: &str = r#"
schema = 1
name = "toy"
title = "Toy corpus"
synthetic = false
licence = "CC0-1.0"
source = "https://example.org/toy"
citation = "none"
root_env = "TOY_ROOT"
adapter = "emodb"
files = ["wav/*.wav"]
[labels]
a = "anger"
s = "sadness"
[speakers]
s1 = {}
s2 = {}
s3 = {}
"#;

    /// Where the built-in pipelines lie.
    fn pipelines() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines")
    }

    /// The built-in pipeline of this name.
    pub(crate) fn builtin_pipeline(name: &str) -> Experiment {
        Experiment::read(&pipelines().join(format!("{name}.toml"))).unwrap()
    }

    /// A pipeline over a toy corpus of two files, in a folder of its own.
    pub(crate) struct Toy {
        pub(crate) folder: tempfile::TempDir,
    }

    impl Toy {
        pub(crate) fn new() -> Self {
            let toy = Self { folder: tempfile::tempdir().unwrap() };
            toy.write("toy-manifest.toml", MANIFEST);
            let text = fs::read_to_string(pipelines().join("emodb.toml")).unwrap();
            let text = text.replace("../data-manifests/emodb.toml", "toy-manifest.toml");
            let text = text.replace("on_broken", "root = \"corpus\"\non_broken");
            // Two methods are enough.
            let (head, others) = text.split_once("[methods.oversampling]").unwrap();
            let (_, lw) = others.split_once("[methods.lw]").unwrap();
            let text = format!("{head}[methods.lw]{lw}");
            toy.write("toy.toml", &text);
            toy.write("corpus/wav/a.wav", "one");
            toy.write("corpus/wav/b.wav", "two");
            toy
        }

        pub(crate) fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        pub(crate) fn write(&self, name: &str, text: &str) {
            fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
            fs::write(self.path(name), text).unwrap();
        }

        /// Rewrites the pipeline file; the text to replace must be there.
        pub(crate) fn edit(&self, from: &str, to: &str) {
            let text = fs::read_to_string(self.path("toy.toml")).unwrap();
            assert!(text.contains(from), "{from}");
            self.write("toy.toml", &text.replace(from, to));
        }

        pub(crate) fn read(&self) -> Result<Experiment> {
            Experiment::read(&self.path("toy.toml"))
        }
    }

    #[test]
    fn the_pipeline_names_the_root() {
        let toy = Toy::new();
        let root = toy.read().unwrap().corpus_root(|_| None).unwrap();
        assert_eq!(root, fs::canonicalize(toy.path("corpus")).unwrap());
    }

    #[test]
    fn a_missing_root_says_what_to_do() {
        let toy = Toy::new();
        toy.edit("root = \"corpus\"\n", "");
        let experiment = toy.read().unwrap();
        let error = experiment.corpus_root(|_| None).unwrap_err();
        assert_eq!(exit_code(&error), 3);
        insta::assert_snapshot!(error, @"
    the corpus Toy corpus was not found: TOY_ROOT is not set
    hint: get it from https://example.org/toy (licence: CC0-1.0), then name its root folder:
      TOY_ROOT=/path/to/corpus cargo xtask …
    ");
        let error = experiment.corpus_root(|_| Some(PathBuf::from("/none"))).unwrap_err();
        assert!(error.to_string().contains("/none is no folder"), "{error}");
        let named = |name: &str| (name == "TOY_ROOT").then(|| toy.path("corpus"));
        assert!(experiment.corpus_root(named).is_ok());
    }

    #[test]
    fn a_missing_file_of_corrections_says_where_one_comes_from() {
        let toy = Toy::new();
        toy.edit("[model]", "[corrections]\nfile = \"mine/c.csv\"\n\n[model]");
        let experiment = toy.read().unwrap();
        let error = experiment.corrections_file().unwrap_err();
        assert_eq!(exit_code(&error), 3);
        let text = error.to_string();
        assert!(text.contains("mine/c.csv: there is no such file\nhint: "), "{text}");
        toy.write("mine/c.csv", "utterance_id,given,label,decision\n");
        assert!(experiment.corrections_file().unwrap().ends_with("mine/c.csv"));
    }

    #[test]
    fn elsewhere_the_files_are_the_same() {
        let demo = Path::new("../../pipelines/demo.toml");
        let folder = Experiment::read(demo).unwrap().for_elsewhere(None).unwrap().folder;
        assert!(folder.is_absolute() && folder.join("demo.toml").is_file(), "{}", folder.display());
        let root = Path::new("/corpora/toy");
        let experiment = Toy::new().read().unwrap().for_elsewhere(Some(root)).unwrap();
        assert_eq!(experiment.pipeline.corpus.root.as_deref(), Some(root));
    }

    #[test]
    fn a_typo_is_shown_by_line_and_column() {
        let toy = Toy::new();
        toy.edit("patience", "pateince");
        let error = toy.read().unwrap_err();
        assert_eq!(exit_code(&error), 2);
        let text = error.to_string();
        assert!(text.contains("toy.toml: TOML parse error at line"), "{text}");
        assert!(text.contains("pateince"), "{text}");
    }

    #[test]
    fn a_missing_file_is_wrong_use() {
        let error = Experiment::read(Path::new("/none.toml")).unwrap_err();
        assert_eq!(exit_code(&error), 2);
        let toy = Toy::new();
        toy.edit("set = \"ser32-prosody\"", "set = \"mine.toml\"");
        let error = toy.read().unwrap_err();
        assert_eq!(exit_code(&error), 2);
        assert!(error.to_string().contains("mine.toml"), "{error}");
    }

    #[test]
    fn a_feature_set_may_be_a_file() {
        let toy = Toy::new();
        toy.edit("set = \"ser32-prosody\"", "set = \"mine.toml\"");
        let mut own = FeatureSet::builtin("is09").unwrap();
        own.step_ms = 20;
        toy.write("mine.toml", &toml::to_string(&own).unwrap());
        let experiment = toy.read().unwrap();
        assert_eq!(lld_set(&experiment.frontend.section).unwrap(), own);
        assert_eq!(experiment.frontend.frame_times_s, Some([0.02, 0.025]));
    }

    #[test]
    fn a_typo_in_a_feature_set_names_the_file() {
        let toy = Toy::new();
        toy.edit("set = \"ser32-prosody\"", "set = \"mine.toml\"");
        toy.write("mine.toml", "frames = = 1");
        let error = toy.read().unwrap_err();
        assert_eq!(exit_code(&error), 2);
        let text = error.to_string();
        assert!(
            text.contains("mine.toml: not a feature set: TOML parse error at line 1"),
            "{text}"
        );
        assert!(text.contains("hint: frontend.set names this file"), "{text}");
    }

    #[test]
    fn what_a_model_cannot_learn_from_is_refused_with_the_remedy() {
        let refused = |edits: &[(&str, &str)]| {
            let toy = Toy::new();
            for (from, to) in edits {
                toy.edit(from, to);
            }
            let error = toy.read().unwrap_err();
            assert_eq!(exit_code(&error), 2);
            error.to_string()
        };
        let network = "kind = \"blstm-attention\"\nlinear = 256\nlstm = 64\ndropout = 0.5\n\
            attention_over = \"blstm\"";
        let linear = (network, "kind = \"linear\"\nc = 1.0");
        let pooling = "[pooling]\nkind = \"functionals\"\n\n";
        let text = refused(&[linear, (pooling, "")]);
        assert!(text.contains("[model] (linear) learns from one vector of an utterance"), "{text}");
        assert!(text.contains("add a section [pooling] with kind = \"functionals\""), "{text}");
        let table = (
            "kind = \"lld\"\nset = \"ser32-prosody\"",
            "kind = \"table\"\nfile = \"v.npz\"\nrows = \"utterance\"",
        );
        let text = refused(&[table, (pooling, "")]);
        assert!(text.contains("[model] (blstm-attention) learns from frames"), "{text}");
        let text = refused(&[table, linear]);
        assert!(text.contains("one vector of an utterance already; leave [pooling] out"), "{text}");
        let unknown = ("kind = \"lld\"", "kind = \"cochlea\"");
        assert!(refused(&[unknown]).contains("there is no \"cochlea\"; there are: lld, whisper"));
        let toy = Toy::new();
        for (from, to) in [table, linear, (pooling, "")] {
            toy.edit(from, to);
        }
        let text = toy.read().unwrap().table_file().unwrap_err().to_string();
        assert!(text.contains("v.npz: there is no such file\nhint: frontend.file"), "{text}");
    }

    #[test]
    fn a_method_may_have_keys_of_its_own() {
        let toy = Toy::new();
        let lw = "[methods.lw]\n";
        let own =
            "model = { lstm = 8 }\ntraining = { patience = 77, keep = { average_of_last = 2 } }\n";
        toy.edit(lw, &format!("{lw}{own}"));
        let read = toy.read().unwrap();
        let [baseline, lw] = read.methods.try_into().ok().unwrap();
        assert_eq!(baseline.training, read.pipeline.training);
        assert_eq!((lw.training.patience, lw.model.settings["lstm"].as_integer()), (77, Some(8)));
        let sizes: Vec<&str> = lw.sizes.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(sizes, ["methods.lw.model.linear", "methods.lw.model.lstm"]);
        for (own, told) in [
            ("lstm = 0", "methods.lw.model.lstm: "),
            ("kind = \"mlp\", units = 3", "[methods.lw.model]: unknown field `units`"),
            (
                "kind = \"linear\", c = 1.0",
                "[methods.lw] (linear) is solved again in every epoch, and its parameters have no mean",
            ),
        ] {
            let toy = Toy::new();
            let keep = "training = { keep = { average_of_last = 2 } }";
            toy.edit("[methods.lw]\n", &format!("[methods.lw]\nmodel = {{ {own} }}\n{keep}\n"));
            let refused = toy.read().unwrap_err().to_string();
            assert!(refused.contains(told), "{refused}");
        }
    }

    #[test]
    fn mixtures_go_with_the_cross_entropy_alone() {
        let mixed = |method: &str, alpha: &str| {
            let mut pipeline = builtin_pipeline("emodb").pipeline;
            let mut table = toml::Table::try_from(&pipeline).unwrap();
            let model =
                format!("kind = \"mlp\"\nhidden = [8]\nleak = 0.1\ndropout = 0.0\nmixup = {alpha}");
            table.insert("model".to_owned(), toml::Value::Table(model.parse().unwrap()));
            table.insert("methods".to_owned(), toml::Value::Table(method.parse().unwrap()));
            pipeline = Pipeline::parse(Path::new("x.toml"), &table.to_string()).unwrap();
            builtin_pipeline("emodb").with_pipeline(pipeline).map(drop)
        };
        let baseline = "[baseline]\nfixed_target = \"one-hot\"\nlabel_scale = 1.0";
        assert_eq!(mixed(baseline, "0.4"), Ok(()));
        assert_eq!(mixed(baseline, "5.0"), Err("model.mixup: from 0.01 to 4".to_owned()));
        let refused = mixed("[gce]\nq = 0.7", "0.4").unwrap_err();
        assert!(refused.contains("cross-entropy alone and not with the loss of"), "{refused}");
    }

    #[test]
    fn a_rule_with_a_model_of_its_own_takes_no_other() {
        let mut pipeline = builtin_pipeline("emodb").pipeline;
        let text = toml::to_string(&pipeline).unwrap();
        let head = "[methods.cyclegan]\n";
        assert!(text.contains(head), "{text}");
        let own = "[methods.cyclegan.model]\nleak = 0.1\n\n[methods.l]";
        let text = text.replace("[methods.l]", own);
        pipeline = Pipeline::parse(Path::new("x.toml"), &text).unwrap();
        let refused = builtin_pipeline("emodb").with_pipeline(pipeline).unwrap_err();
        assert!(refused.contains("cyclegan brings a model of its own"), "{refused}");
    }

    /// Every file in `pipelines/` reads, and its results go to a folder of its own name.
    #[test]
    fn the_builtin_pipelines_read() {
        let mut names = Vec::new();
        for entry in fs::read_dir(pipelines()).unwrap() {
            let file = entry.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "toml") {
                let experiment = Experiment::read(&file).unwrap();
                assert_eq!(file.file_stem().unwrap(), experiment.pipeline.name.as_str());
                assert_eq!(experiment.manifest.synthetic, experiment.pipeline.synth.is_some());
                names.push(experiment.pipeline.name);
            }
        }
        for own in
            ["balanced", "crema-d", "demo", "emodb", "iemocap", "noise", "noise-demo", "ravdess"]
        {
            assert!(names.iter().any(|name| name == own), "{own}");
        }
    }
}
