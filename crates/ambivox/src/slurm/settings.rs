//! `[executor.slurm]`: what Slurm is asked for. None of it is part of a key.

use std::collections::BTreeMap;
use std::fmt;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};

use ambivox_identity::STAGES;
use anyhow::Result;
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Most seconds between two looks at the queue.
const LONGEST_POLL: f64 = 3600.0;

/// A file that says where stages run.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ExecutorFile {
    executor: Executors,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Executors {
    slurm: SlurmSettings,
}

/// Section `[executor.slurm]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SlurmSettings {
    /// Asked for by every task.
    pub(crate) resources: Resources,
    /// Asked for instead by the tasks of some stages, by the stage's name.
    pub(crate) stages: BTreeMap<String, Resources>,
    /// Environment modules to load.
    pub(crate) modules: Vec<String>,
    /// Shell lines to run before the work.
    pub(crate) setup: Vec<String>,
    /// The container to work in.
    pub(crate) container: Option<Container>,
    /// Other options of `sbatch`, as they are.
    pub(crate) options: Vec<String>,
    /// In how many parts, each a task, sounds are described before these are put together; in one piece
    /// where left out.
    pub(crate) extract_shards: Option<NonZeroUsize>,
    /// Tasks of one array at most; the cluster has a limit of its own.
    pub(crate) array_limit: NonZeroUsize,
    /// Tasks of one array at a time; where left out, as many as the cluster will run.
    pub(crate) concurrent: Option<NonZeroUsize>,
    /// How often a task is begun again that was lost through no fault of its own.
    pub(crate) retries: u32,
    /// The most memory that a task which ran out of it is given.
    pub(crate) memory_limit: Option<Memory>,
    /// Time between two looks at the queue.
    pub(crate) poll_seconds: f64,
}

impl Default for SlurmSettings {
    fn default() -> Self {
        Self {
            resources: Resources::default(),
            stages: BTreeMap::new(),
            modules: Vec::new(),
            setup: Vec::new(),
            container: None,
            options: Vec::new(),
            extract_shards: None,
            array_limit: NonZeroUsize::MIN.saturating_add(999),
            concurrent: None,
            retries: 3,
            memory_limit: None,
            poll_seconds: 10.0,
        }
    }
}

/// What one task asks for; what is left out is the cluster's choice.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Resources {
    pub(crate) partition: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) qos: Option<String>,
    /// Longest time, in one of Slurm's forms.
    pub(crate) time: Option<String>,
    pub(crate) memory: Option<Memory>,
    pub(crate) cpus: Option<NonZeroU32>,
    /// `"1"`, `"a100:2"`.
    pub(crate) gpus: Option<String>,
}

impl Resources {
    /// These where they say something, else those of `base`.
    fn over(&self, base: &Self) -> Self {
        let text = |own: &Option<String>, base: &Option<String>| own.clone().or(base.clone());
        Self {
            partition: text(&self.partition, &base.partition),
            account: text(&self.account, &base.account),
            qos: text(&self.qos, &base.qos),
            time: text(&self.time, &base.time),
            memory: self.memory.or(base.memory),
            cpus: self.cpus.or(base.cpus),
            gpus: text(&self.gpus, &base.gpus),
        }
    }
}

/// A container and the command that runs a program in it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Container {
    pub(crate) image: String,
    /// The words before the program; `{image}` and `{store}` stand for these.
    pub(crate) command: Vec<String>,
}

/// Memory in megabytes, as `"4G"` or `"500M"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Memory(NonZeroU64);

impl Memory {
    /// Twice as much.
    pub(crate) fn doubled(self) -> Self {
        Self(self.0.saturating_mul(NonZeroU64::MIN.saturating_add(1)))
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get() {
            megabytes if megabytes % 1024 == 0 => write!(f, "{}G", megabytes / 1024),
            megabytes => write!(f, "{megabytes}M"),
        }
    }
}

impl From<Memory> for String {
    fn from(memory: Memory) -> Self {
        memory.to_string()
    }
}

impl TryFrom<String> for Memory {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let units = [('M', 1), ('G', 1024), ('T', 1024 * 1024)];
        let read = |(unit, size): (char, u64)| {
            let number = text.strip_suffix(unit)?.parse::<u64>().ok()?;
            NonZeroU64::new(number.checked_mul(size)?).map(Memory)
        };
        let found = units.into_iter().find_map(read);
        found.ok_or_else(|| format!("`{text}` is no memory; write \"4G\" or \"500M\""))
    }
}

impl SlurmSettings {
    /// What a task of this stage asks for.
    pub(crate) fn of_stage(&self, stage: &str) -> Resources {
        self.stages.get(stage).map_or(self.resources.clone(), |own| own.over(&self.resources))
    }

    fn fault(&self) -> Option<String> {
        if let Some(stage) = self.stages.keys().find(|stage| !STAGES.contains(&stage.as_str())) {
            return Some(format!(
                "stages.{stage}: no such stage; there are: {}",
                STAGES.join(", ")
            ));
        }
        let sound = self.poll_seconds > 0.0 && self.poll_seconds <= LONGEST_POLL;
        (!sound).then(|| format!("poll_seconds: above 0 and at most {LONGEST_POLL}"))
    }
}

/// A pipeline's text, divided.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The pipeline alone, every line at its place.
    pub(crate) pipeline: String,
    /// The same without what was cut out, as if it had never been there.
    pub(crate) shown: String,
    /// The tables `[executor…]`.
    pub(crate) executor: String,
}

/// Cuts the tables `[executor…]` out of a pipeline's text.
pub(crate) fn cut(text: &str) -> Parts {
    let [mut pipeline, mut shown, mut executor] = [const { String::new() }; 3];
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        if let Some(name) = header(line) {
            inside = name == "executor" || name.starts_with("executor.");
        }
        if inside {
            executor.push_str(line);
            pipeline.push('\n');
        } else {
            pipeline.push_str(line);
            shown.push_str(line);
        }
    }
    if inside {
        shown.truncate(shown.trim_end().len());
        shown.push('\n');
    }
    Parts { pipeline, shown, executor }
}

/// The name in a table's header.
fn header(line: &str) -> Option<&str> {
    let (line, _) = line.split_once('#').unwrap_or((line, ""));
    let name = line.trim().trim_start_matches('[').trim_end_matches(']').trim();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '"' | '\'');
    let is_header = line.trim().starts_with('[') && line.trim().ends_with(']');
    (is_header && !name.is_empty() && name.chars().all(plain)).then_some(name)
}

/// The settings: of the file named, else of the pipeline's own section, else of the user's file, else
/// what the cluster does by itself.
pub(crate) fn settings(named: Option<&Path>, pipeline: &str) -> Result<SlurmSettings> {
    if let Some(file) = named {
        let text = fs::read_to_string(file).map_err(|error| Failure::usage(error.to_string()))?;
        return parse(&file.display().to_string(), &text);
    }
    if !pipeline.is_empty() {
        return parse("[executor] of the pipeline", pipeline);
    }
    match user_file().filter(|file| file.is_file()) {
        Some(file) => parse(&file.display().to_string(), &fs::read_to_string(&file)?),
        None => Ok(SlurmSettings::default()),
    }
}

/// `~/.config/ambivox/executor.toml`, or where the environment says that such files lie.
fn user_file() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let own = folder("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = own.or_else(|| Some(Path::new(&folder("HOME")?).join(".config")))?;
    Some(config.join("ambivox/executor.toml"))
}

fn parse(place: &str, text: &str) -> Result<SlurmSettings> {
    let refuse = |fault: &str| Failure::usage(format!("{place}: {}", fault.trim_end()));
    let file: ExecutorFile = toml::from_str(text).map_err(|error| refuse(&error.to_string()))?;
    match file.executor.slurm.fault() {
        Some(fault) => Err(refuse(&fault)),
        None => Ok(file.executor.slurm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::exit_code;

    const EVERYTHING: &str = r#"
[executor.slurm]
modules = ["gcc/12"]
setup = ["ulimit -n 4096"]
options = ["--exclude=node7"]
extract_shards = 16
array_limit = 200
concurrent = 50
retries = 1
memory_limit = "64G"
poll_seconds = 5.0
[executor.slurm.container]
image = "ambivox.sif"
command = ["apptainer", "exec", "--bind", "{store}", "{image}"]
[executor.slurm.resources]
partition = "cpu"
account = "speech"
qos = "normal"
time = "02:00:00"
memory = "4G"
cpus = 2
[executor.slurm.stages.train]
partition = "gpu"
memory = "1500M"
gpus = "a100:1"
"#;

    #[test]
    fn stages_ask_for_their_own_over_what_all_ask_for() {
        let settings = parse("x", EVERYTHING).unwrap();
        let (all, train) = (settings.of_stage("report"), settings.of_stage("train"));
        assert_eq!(settings.extract_shards.map(NonZeroUsize::get), Some(16));
        assert_eq!(all, settings.resources);
        assert_eq!(train.partition.as_deref(), Some("gpu"));
        assert_eq!(train.account.as_deref(), Some("speech"));
        assert_eq!(train.memory.unwrap().to_string(), "1500M");
        assert_eq!(all.memory.unwrap().doubled().to_string(), "8G");
        assert_eq!(parse("x", "").unwrap(), SlurmSettings::default());
    }

    #[test]
    fn slips_are_wrong_use() {
        let slips = [
            ("[executor.slurm.resources]\npartitoin = \"cpu\"", "partitoin"),
            ("[executor.slurm.stages.trian]\ncpus = 1", "no such stage; there are: synth, index"),
            ("[executor.slurm.resources]\nmemory = \"4\"", "write \"4G\""),
            ("[executor.slurm]\npoll_seconds = 0.0", "above 0"),
            ("[executor.slurm]\narray_limit = 0", "nonzero"),
            ("[executor.slurm]\nextract_shards = 0", "nonzero"),
        ];
        for (text, complaint) in slips {
            let error = parse("mine.toml", text).unwrap_err();
            assert_eq!(exit_code(&error), 2);
            let message = error.to_string();
            assert!(message.starts_with("mine.toml: ") && message.contains(complaint), "{message}");
        }
    }

    #[test]
    fn a_pipeline_is_the_same_with_and_without_the_section() {
        let rest = "schema = 1\n\n[network]\nlstm = 4\n";
        let none = cut(rest);
        assert_eq!((none.shown.as_str(), none.executor.as_str()), (rest, ""));
        let setup = "setup = ['''\n[ -f x ] && . x\n''']";
        let own =
            format!("[executor.slurm] # ours\n{setup}\n[executor.slurm.resources]\ncpus = 1\n");
        for text in
            [format!("{rest}\n{own}"), format!("schema = 1\n\n{own}\n[network]\nlstm = 4\n")]
        {
            let parts = cut(&text);
            assert_eq!(parts.shown, rest);
            assert_eq!(parts.pipeline.lines().count(), text.lines().count());
            let settings = parse("x", &parts.executor).unwrap();
            assert_eq!(settings.resources.cpus.map(NonZeroU32::get), Some(1));
            assert_eq!(settings.setup.len(), 1);
        }
    }

    #[test]
    fn the_file_named_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("executor.toml");
        fs::write(&file, "[executor.slurm]\nretries = 7").unwrap();
        let section = "[executor.slurm]\nretries = 5";
        assert_eq!(settings(Some(&file), section).unwrap().retries, 7);
        assert_eq!(settings(None, section).unwrap().retries, 5);
        let error = settings(Some(&folder.path().join("none.toml")), section).unwrap_err();
        assert_eq!(exit_code(&error), 2);
    }
}
