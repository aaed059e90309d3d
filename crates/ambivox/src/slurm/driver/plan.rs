//! What would be submitted, for people or as JSON.

use serde::Serialize;

use super::submission::{Group, Place};
use super::*;
use crate::answer::print;

/// The arrays that would be submitted next.
#[derive(Serialize)]
struct Document {
    pipeline: String,
    arrays: Vec<Array>,
}

/// One of them.
#[derive(Serialize)]
struct Array {
    stage: &'static str,
    /// In how many parts the stage is made, where the tasks are such parts.
    parts: Option<NonZeroUsize>,
    /// What each task makes.
    tasks: Vec<String>,
    /// Arrays of this list that must end well before, by their numbers from 0.
    after: Vec<usize>,
    /// What `sbatch` would be given before the script; `ORDER` and `JOB-OF-…` stand for what is known
    /// after submission.
    arguments: Vec<String>,
    script: String,
    /// The same as people read it.
    #[serde(skip)]
    shown: String,
}

impl Slurm {
    /// Prints what would be submitted.
    pub(super) fn show(&self, executor: &Executor<'_>, open: &[Open], shown: Shown) -> Result<()> {
        let groups = self.groups(open);
        let arrays = groups.iter().enumerate();
        let arrays = arrays.map(|(at, _)| self.array(executor, &groups[..=at]));
        let arrays = arrays.collect::<Result<Vec<Array>>>()?;
        match shown {
            Shown::Text => {
                let texts: Vec<&str> = arrays.iter().map(|array| array.shown.as_str()).collect();
                print(&texts.join("\n\n"))
            }
            Shown::Json => {
                let pipeline = executor.resolver.experiment.pipeline.name.clone();
                print(&serde_json::to_string_pretty(&Document { pipeline, arrays })?)
            }
        }
    }

    /// The last of these groups, after those of the others that it needs.
    fn array(&self, executor: &Executor<'_>, groups: &[Group]) -> Result<Array> {
        let (group, earlier) = groups.split_last().context("no array")?;
        let needed: BTreeSet<Digest> =
            group.units.iter().flat_map(|unit| self.before(unit)).collect();
        let is_needed = |group: &Group| group.units.iter().any(|u| needed.contains(&u.digest));
        let after: Vec<usize> = (0..earlier.len()).filter(|at| is_needed(&earlier[*at])).collect();
        let jobs: BTreeSet<String> = after.iter().map(|at| placeholder(&earlier[*at])).collect();
        let jobs: Vec<String> = jobs.into_iter().collect();
        let program = executor.program.path()?;
        let folder = OrderFolder::new(executor.resolver.store.root(), "ORDER");
        let is_claim = earlier.is_empty();
        let place = Place { program: &program, name: "ORDER", folder: &folder, is_claim };
        let submission = self.submission(executor, group, &place, &jobs);
        let tasks: Vec<String> = group.units.iter().map(Unit::name).collect();
        let lines = tasks.iter().enumerate().map(|(number, name)| format!("# {number}: {name}\n"));
        Ok(Array {
            stage: group.stage,
            parts: group.parts,
            after,
            arguments: submission.arguments(),
            script: submission.script(),
            shown: lines.collect::<String>() + &submission.shown(),
            tasks,
        })
    }
}

/// What stands for the id of a group's job.
fn placeholder(group: &Group) -> String {
    let part = if group.parts.is_some() { "-PARTS" } else { "" };
    format!("JOB-OF-{}{part}", group.stage.to_uppercase())
}
