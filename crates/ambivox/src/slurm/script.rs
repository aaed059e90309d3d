//! The batch script of an order, and what `sbatch` is told beside it.

use std::fmt::Write as _;
use std::path::Path;

use super::order::{CLAIM, JOB, OrderFolder};
use super::settings::{Memory, SlurmSettings};

/// How long the first array of a submission waits for the word that all of it is queued, in seconds:
/// if its driver dies before, it begins all the same.
pub(super) const CLAIMED: u64 = 120;

/// What one submission is about.
pub(super) struct Submission<'a> {
    pub(super) settings: &'a SlurmSettings,
    pub(super) store: &'a Path,
    pub(super) program: &'a Path,
    pub(super) folder: &'a OrderFolder,
    /// The order's name.
    pub(super) name: &'a str,
    pub(super) stage: &'a str,
    /// What of the stage, for people.
    pub(super) what: String,
    pub(super) pipeline: &'a str,
    pub(super) tasks: usize,
    /// Instead of what the settings ask for.
    pub(super) memory: Option<Memory>,
    /// Jobs, or tasks of jobs, that must end well before.
    pub(super) after: &'a [String],
    /// Whether it waits for word from the driver.
    pub(super) is_claim: bool,
}

impl Submission<'_> {
    /// The arguments of `sbatch`. As arguments they need no quoting, whatever is in them.
    pub(super) fn arguments(&self) -> Vec<String> {
        let asked = self.settings.of_stage(self.stage);
        let at_once = self.settings.concurrent.map(|n| format!("%{n}")).unwrap_or_default();
        let after = (!self.after.is_empty()).then(|| format!("afterok:{}", self.after.join(":")));
        let memory = self.memory.or(asked.memory).map(|memory| memory.to_string());
        let claim = self.is_claim.then_some(CLAIM).map(String::from).unwrap_or_default();
        let mut arguments = vec![
            "--parsable".to_owned(),
            format!("--job-name={JOB}{}{}", self.name, claim),
            format!("--comment={}: {}", self.pipeline, self.what),
            format!("--array=0-{}{at_once}", self.tasks - 1),
            format!("--chdir={}", self.folder.path().display()),
            // The script writes its log itself, since Slurm reads `%` and `\` in a path its own way.
            "--output=/dev/null".to_owned(),
            "--requeue".to_owned(),
            "--kill-on-invalid-dep=yes".to_owned(),
        ];
        let options = [
            ("begin", self.is_claim.then(|| format!("now+{CLAIMED}"))),
            ("dependency", after),
            ("partition", asked.partition),
            ("account", asked.account),
            ("qos", asked.qos),
            ("time", asked.time),
            ("mem", memory),
            ("cpus-per-task", asked.cpus.map(|cpus| cpus.to_string())),
            ("gpus", asked.gpus),
        ];
        let given = options.into_iter().filter_map(|(name, value)| Some((name, value?)));
        arguments.extend(given.map(|(name, value)| format!("--{name}={value}")));
        arguments.extend(self.settings.options.iter().cloned());
        arguments
    }

    /// The script: what the site wants first, then the worker with the task's number.
    pub(super) fn script(&self) -> String {
        let mut lines = format!("#!/bin/bash\n# {}: {}\n", one_line(self.pipeline), self.what);
        let modules = self.settings.modules.iter();
        let loads = modules.map(|module| format!("module load {}", quoted(module)));
        let logs = quoted(&format!("{}/", self.folder.path().display()));
        // Writing to a string cannot fail.
        writeln!(lines, "exec >>{logs}\"$SLURM_ARRAY_TASK_ID.log\" 2>&1").ok();
        for line in loads.chain(self.settings.setup.iter().cloned()) {
            writeln!(lines, "{line}").ok();
        }
        let order = self.folder.order();
        let mut words = self.container();
        words.extend([self.program.display().to_string(), "work".to_owned()]);
        words.extend(["--order".to_owned(), order.display().to_string()]);
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let threads = "${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-1}}";
        let rest = format!("--task \"$SLURM_ARRAY_TASK_ID\" --threads \"{threads}\"");
        writeln!(lines, "exec {} {rest}", words.join(" ")).ok();
        lines
    }

    fn container(&self) -> Vec<String> {
        let Some(container) = &self.settings.container else { return Vec::new() };
        let store = self.store.display().to_string();
        let filled =
            |word: &String| word.replace("{store}", &store).replace("{image}", &container.image);
        container.command.iter().map(filled).collect()
    }

    /// What would be typed to submit it, and the script.
    pub(super) fn shown(&self) -> String {
        let arguments: Vec<String> = self.arguments().iter().map(|word| quoted(word)).collect();
        let script = quoted(&self.folder.script().display().to_string());
        let (arguments, text) = (arguments.join(" "), self.script());
        format!("$ sbatch {arguments} {script}\n{}", text.trim_end())
    }
}

/// A word as a shell reads it, whatever is in it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Text that stays within a comment.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::slurm::settings::Container;

    fn settings() -> SlurmSettings {
        let mut settings = SlurmSettings::default();
        settings.resources.partition = Some("cpu".to_owned());
        settings.resources.memory = Some(Memory::try_from("4G".to_owned()).unwrap());
        settings.resources.cpus = std::num::NonZeroU32::new(2);
        settings.concurrent = std::num::NonZeroUsize::new(5);
        settings.modules = vec!["gcc/12".to_owned()];
        settings.setup = vec!["ulimit -n 4096".to_owned()];
        settings.container = Some(Container {
            image: "am bi.sif".to_owned(),
            command: ["run", "--bind", "{store}:{store}", "{image}"].map(str::to_owned).to_vec(),
        });
        settings.options = vec!["--exclude=node7".to_owned()];
        settings
    }

    /// What is submitted in a store, after these jobs: the arguments, the script, and both as shown.
    fn submitted(
        settings: &SlurmSettings,
        store: &Path,
        memory: Option<Memory>,
        after: &[&str],
    ) -> (Vec<String>, String, String) {
        let folder = OrderFolder::new(store, "0123");
        let program = store.join("slurm/programs/ab/ambivox");
        let after: Vec<String> = after.iter().map(|&job| job.to_owned()).collect();
        let submission = Submission {
            settings,
            store,
            program: &program,
            folder: &folder,
            name: "0123",
            stage: "train",
            what: "train".to_owned(),
            pipeline: "de mo",
            tasks: 30,
            memory,
            after: &after,
            is_claim: true,
        };
        (submission.arguments(), submission.script(), submission.shown())
    }

    #[test]
    fn the_script_and_how_it_is_submitted() {
        let store = Path::new("/my store/it's");
        let (_, _, shown) = submitted(&settings(), store, None, &["12", "13"]);
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn more_memory_replaces_what_is_asked_for() {
        let settings = settings();
        let more = settings.resources.memory.map(Memory::doubled);
        let (arguments, ..) = submitted(&settings, Path::new("/s"), more, &[]);
        assert!(arguments.contains(&"--mem=8G".to_owned()), "{arguments:?}");
        assert!(!arguments.iter().any(|a| a.starts_with("--dependency")), "{arguments:?}");
    }

    /// Bash reads the words as they were meant.
    #[test]
    fn strange_names_stay_one_word() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("a b\n'c'\"$(false)`\\%a");
        let program = store.join("slurm/programs/ab/ambivox");
        fs_err::create_dir_all(program.parent().unwrap()).unwrap();
        fs_err::write(&program, "#!/bin/sh\nprintf '%s|' \"$@\"").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(&program, mode).unwrap();
        let (_, script, _) = submitted(&SlurmSettings::default(), &store, None, &[]);
        let mut bash = Command::new("bash");
        bash.args(["-c", &script])
            .env("SLURM_ARRAY_TASK_ID", "7")
            .env_remove("SLURM_CPUS_PER_TASK");
        let folder = OrderFolder::new(&store, "0123");
        fs_err::create_dir_all(folder.path()).unwrap();
        assert!(bash.env("SLURM_CPUS_ON_NODE", "2").status().unwrap().success());
        let expected = format!("work|--order|{}|--task|7|--threads|2|", folder.order().display());
        assert_eq!(fs_err::read_to_string(folder.log_file(7)).unwrap(), expected);
    }
}
