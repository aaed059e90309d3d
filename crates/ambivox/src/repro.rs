//! A pipeline twice, in fresh stores and other circumstances: every result must be the same bytes.

mod ledger;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

use ambivox_artifacts::{Digest, Store};
use ambivox_settings::counted_is;
use anyhow::{Context as _, Result, ensure};
use fs_err as fs;
use serde_json::json;

use crate::answer::print;
use crate::experiment::Experiment;
use crate::host;
use crate::interrupt::Interrupt;
use crate::scratch::Scratch;
use crate::spawn::Program;
use ledger::Ledger;

/// Digests by place in the pipeline and role.
type Results = BTreeMap<(String, String), Digest>;

/// What differs between the two runs, and must not matter.
struct Circumstances {
    folder: &'static str,
    arguments: Vec<String>,
    environment: [(&'static str, &'static str); 3],
}

/// Where, how long and for whom.
pub(crate) struct Repro<'a> {
    /// Where digests are on record.
    pub(crate) digests: &'a Path,
    pub(crate) pipeline: &'a Path,
    pub(crate) threads: usize,
    pub(crate) bless: bool,
    pub(crate) json: bool,
}

impl Repro<'_> {
    /// Runs the pipeline twice, prints the table, and fails if a digest differs. A signal ends it, and
    /// leaves nothing behind either.
    pub(crate) fn run(&self) -> Result<()> {
        let interrupt = Interrupt::hold_back()?;
        let done = self.compare(&interrupt);
        interrupt.obey();
        done
    }

    fn compare(&self, interrupt: &Interrupt) -> Result<()> {
        let experiment = Experiment::read(self.pipeline)?;
        let name = &experiment.pipeline.name;
        let folder = Scratch::new("repro")?;
        let [one, two] = self.circumstances();
        let results = |under: &Circumstances| self.results(&folder, under, &experiment, interrupt);
        let (one, two) = (results(&one)?, results(&two)?);
        let differing = differing(&one, &two);
        let rates =
            rates(&folder.path().join(FIRST).join("results").join(name).join("summary.json"))?;
        let measured = Ledger::of(&one, &host::arithmetic(experiment.arithmetic), rates);
        let file = self.digests.join(format!("{name}.toml"));
        let verdict = match () {
            () if !differing.is_empty() => String::new(),
            () if self.bless => measured.keep(&file)?,
            () => measured.check(&file)?,
        };
        print(&if self.json {
            document(name, &one, &differing)
        } else {
            format!("{}\n{verdict}", table(&one, &differing)).trim_end().to_owned()
        })?;
        ensure!(
            differing.is_empty(),
            "{} not the same in both",
            counted_is(differing.len(), "result")
        );
        Ok(())
    }

    /// One thread and one run at a time, in order; against several of both, in another order.
    fn circumstances(&self) -> [Circumstances; 2] {
        let many = self.threads.max(2).to_string();
        let own = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        [
            Circumstances {
                folder: FIRST,
                arguments: own("--threads 1 --jobs 1"),
                environment: [("TZ", "UTC"), ("LANG", "C"), ("LC_ALL", "C")],
            },
            Circumstances {
                folder: "another folder/of a longer name",
                arguments: own(&format!("--threads {many} --jobs 2 --shuffle 7")),
                environment: [
                    ("TZ", "Asia/Kathmandu"),
                    ("LANG", "de_DE.UTF-8"),
                    ("LC_ALL", "tr_TR.UTF-8"),
                ],
            },
        ]
    }

    /// What the pipeline makes in a fresh store.
    fn results(
        &self,
        folder: &Scratch,
        under: &Circumstances,
        experiment: &Experiment,
        interrupt: &Interrupt,
    ) -> Result<Results> {
        let place = folder.path().join(under.folder);
        fs::create_dir_all(&place)?;
        let mut command = Command::new(Program::Own.path()?);
        // It runs in another folder, where relative paths would lead elsewhere.
        let variable = &experiment.manifest.root_env;
        if let Some(root) = std::env::var_os(variable).filter(|root| !root.is_empty()) {
            command.env(variable, std::path::absolute(root)?);
        }
        command
            .args(["report", "--pipeline"])
            .arg(std::path::absolute(self.pipeline)?)
            .args(&under.arguments)
            .arg("--store")
            .arg(place.join("store"))
            .arg("--results")
            .arg(place.join("results"))
            .current_dir(&place)
            .envs(under.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let status = interrupt.run(&mut command).context("running this program again")?;
        ensure!(status.success(), "the pipeline failed ({status}); its errors are above");
        let places = Store::open(&place.join("store"))?.places(&experiment.pipeline.name)?;
        let results = places.into_iter().flat_map(|(slot, record)| {
            let outputs = record.outputs.into_iter();
            outputs.map(move |(role, output)| ((slot.clone(), role), output.digest))
        });
        Ok(results.collect())
    }
}

const FIRST: &str = "first";

/// Places and roles whose digests are not the same in both.
fn differing(one: &Results, two: &Results) -> Vec<(String, String)> {
    let all: BTreeSet<_> = one.keys().chain(two.keys()).collect();
    all.into_iter().filter(|key| one.get(key) != two.get(key)).cloned().collect()
}

/// The stage of a place.
fn stage(slot: &str) -> &str {
    slot.split('/').next().unwrap_or(slot)
}

/// A line per stage, then one per difference.
fn table(results: &Results, differing: &[(String, String)]) -> String {
    let mut stages: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (slot, _) in results.keys() {
        stages.entry(stage(slot)).or_default().0 += 1;
    }
    for (slot, _) in differing {
        stages.entry(stage(slot)).or_default().1 += 1;
    }
    let mut lines = vec![format!("{:16} {:>7} {:>9}", "stage", "results", "differing")];
    let row = |(name, (all, bad)): (&&str, &(usize, usize))| format!("{name:16} {all:7} {bad:9}");
    lines.extend(stages.iter().map(row));
    lines.extend(differing.iter().map(|(slot, role)| format!("differs: {slot}: {role}")));
    lines.join("\n")
}

fn document(name: &str, results: &Results, differing: &[(String, String)]) -> String {
    let results: Vec<_> = results
        .iter()
        .map(|((slot, role), digest)| json!({ "slot": slot, "role": role, "digest": digest }))
        .collect();
    let document =
        json!({ "schema": 1, "pipeline": name, "results": results, "differing": differing });
    format!("{document:#}")
}

/// Pooled unweighted accuracy of every method, from a summary.
fn rates(summary: &Path) -> Result<BTreeMap<String, f64>> {
    let summary = ambivox_eval::Summary::from_json(&fs::read_to_string(summary)?)?;
    let pooled =
        |(id, method): (String, ambivox_eval::MethodSummary)| (id, method.over_seeds.pooled.ua);
    Ok(summary.methods.into_iter().map(pooled).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_or_is_missing_is_named() {
        let digest = |text: &str| text.repeat(64).parse::<Digest>().unwrap();
        let key = |slot: &str| (slot.to_owned(), "index".to_owned());
        let one = Results::from([(key("index"), digest("1")), (key("train/lw/0/a"), digest("2"))]);
        let two = Results::from([(key("index"), digest("1")), (key("train/lw/0/a"), digest("3"))]);
        assert!(differing(&one, &one).is_empty());
        assert_eq!(differing(&one, &two), [key("train/lw/0/a")]);
        assert_eq!(differing(&one, &Results::new()).len(), 2);
        insta::assert_snapshot!(table(&one, &differing(&one, &two)), @r"
        stage            results differing
        index                  1         0
        train                  1         1
        differs: train/lw/0/a: index
        ");
    }
}
