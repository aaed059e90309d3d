//! Units divided into arrays, written down and submitted; or shown.

use std::time::{SystemTime, UNIX_EPOCH};

use super::*;
use crate::answer::print;
use crate::execute::Program;
use crate::slurm::order::Order;
use crate::slurm::programs::Programs;
use crate::slurm::script::Submission;
use anyhow::bail;

/// Units that one array makes.
struct Group {
    stage: &'static str,
    memory: Option<Memory>,
    units: Vec<Unit>,
}

impl Slurm {
    /// Submits what is wanting, each array after those that make what it needs; takes all of it back
    /// where another driver was faster with any of it.
    pub(super) fn submit(
        &mut self,
        executor: &mut Executor<'_>,
        wanting: &[Open],
        queue: &BTreeMap<Digest, Queued>,
    ) -> Result<()> {
        let Program::Built(binary) = &executor.program else { bail!("the stages are not built") };
        let store = executor.resolver.store;
        let programs = Programs::kept(store.root(), store.memo(), binary)?;
        let mut jobs: BTreeMap<Digest, String> = BTreeMap::new();
        for group in self.groups(wanting) {
            let submitted = self.submit_group(executor, &programs, &group, queue, &mut jobs);
            if let Err(error) = submitted {
                self.take_back(executor, &jobs)?;
                return Err(error);
            }
        }
        let now = self.queue(executor)?;
        let is_rival = |unit: &Digest, job: &String| {
            now.get(unit).is_some_and(|queued| queued.task.job != *job)
        };
        if jobs.iter().any(|(unit, job)| is_rival(unit, job)) {
            executor
                .progress
                .say("slurm: another driver has submitted the same; leaving it to that");
            return self.take_back(executor, &jobs);
        }
        let arrays: BTreeSet<&String> = jobs.values().collect();
        let ids: Vec<&str> = arrays.iter().map(|job| job.as_str()).collect();
        executor.progress.say(&format!(
            "slurm: {} tasks submitted as {}; they go on without this command, and it finds them \
             when it is called again",
            jobs.len(),
            ids.join(", ")
        ));
        Ok(())
    }

    /// Arrays: of one wave, one stage and one size of memory each, and no longer than the limit.
    fn groups(&self, wanting: &[Open]) -> Vec<Group> {
        let mut groups: BTreeMap<_, Vec<Unit>> = BTreeMap::new();
        for Open { wave, unit } in wanting {
            let memory = self.cases.get(&unit.digest).and_then(|case| case.given.memory);
            let alike = (*wave, unit.instance.stage(), memory);
            groups.entry(alike).or_default().push(unit.clone());
        }
        let limit = self.settings.array_limit.get();
        let cut = |((_, stage, memory), units): (_, Vec<Unit>)| {
            let chunks = units.chunks(limit).map(<[Unit]>::to_vec);
            chunks.map(move |units| Group { stage, memory, units }).collect::<Vec<_>>()
        };
        groups.into_iter().flat_map(cut).collect()
    }

    fn submit_group(
        &mut self,
        executor: &mut Executor<'_>,
        programs: &Programs,
        group: &Group,
        queue: &BTreeMap<Digest, Queued>,
        jobs: &mut BTreeMap<Digest, String>,
    ) -> Result<()> {
        let name = name(group);
        let desk = Desk::new(executor.resolver.store.root(), &name);
        let order = self.order(executor, programs, group)?;
        fs::create_dir_all(desk.folder())?;
        order.write(&desk)?;
        let job_of = |unit: &Digest| {
            jobs.get(unit).or_else(|| queue.get(unit).map(|queued| &queued.task.job)).cloned()
        };
        let after = self.before(group).into_iter().filter_map(|unit| job_of(&unit.digest));
        let after: BTreeSet<String> = after.collect();
        let after: Vec<String> = after.into_iter().collect();
        let submission = self.submission(executor, programs, group, &name, &desk, &after);
        fs::write(desk.script(), submission.script())?;
        let arguments = submission.arguments();
        let job = client::submit(executor.progress, &arguments, &desk.script(), &name)?;
        for (number, unit) in group.units.iter().enumerate() {
            let task = Task { job: job.clone(), number };
            self.cases.entry(unit.digest).or_default().at = Some((name.clone(), task));
            jobs.insert(unit.digest, job.clone());
        }
        self.orders.insert(name, group.units.iter().map(|unit| unit.digest).collect());
        Ok(())
    }

    fn submission<'a>(
        &'a self,
        executor: &'a Executor<'_>,
        programs: &'a Programs,
        group: &Group,
        name: &'a str,
        desk: &'a Desk,
        after: &'a [String],
    ) -> Submission<'a> {
        Submission {
            settings: &self.settings,
            store: executor.resolver.store.root(),
            programs,
            desk,
            name,
            stage: group.stage,
            pipeline: &executor.resolver.experiment.pipeline.name,
            tasks: group.units.len(),
            memory: group.memory,
            after,
        }
    }

    /// The units that make what a group needs.
    fn before(&self, group: &Group) -> Vec<&Unit> {
        let sources = group.units.iter().flat_map(|unit| unit.instance.inputs.values());
        let slots: BTreeSet<&String> = sources
            .filter_map(|source| match source {
                Source::Output { slot, .. } => Some(slot),
                Source::Corpus | Source::Corrections => None,
            })
            .collect();
        slots.into_iter().filter_map(|slot| self.units.get(slot)).collect()
    }

    fn order(
        &self,
        executor: &mut Executor<'_>,
        programs: &Programs,
        group: &Group,
    ) -> Result<Order> {
        let mut needs = Needs::default();
        for unit in &group.units {
            needs.add_inputs(self, executor, &unit.instance)?;
        }
        let resolver = &mut executor.resolver;
        let all = needs.upstream.iter().chain(group.units.iter().map(|unit| &unit.instance));
        let mut codes = BTreeMap::new();
        for stage in all.map(Instance::stage) {
            if !codes.contains_key(stage) {
                let (_, parts) = resolver.codes.of(resolver.store.memo(), stage)?;
                codes.insert(stage.to_owned(), parts.clone());
            }
        }
        let root = resolver.corpus.as_ref().map(|(root, _)| root.as_path());
        let experiment = resolver.experiment.for_elsewhere(root)?;
        Ok(Order {
            store: resolver.store.root().to_path_buf(),
            program: programs.stages.clone(),
            experiment,
            corpus: resolver.corpus.clone(),
            codes,
            tools: executor.tools.clone(),
            made: needs.made,
            upstream: needs.upstream,
            units: group.units.clone(),
        })
    }

    /// Cancels jobs that were submitted a moment ago, and forgets them.
    fn take_back(
        &mut self,
        executor: &Executor<'_>,
        jobs: &BTreeMap<Digest, String>,
    ) -> Result<()> {
        let ids: BTreeSet<String> = jobs.values().cloned().collect();
        if !ids.is_empty() {
            client::cancel(executor.progress, &ids.into_iter().collect::<Vec<_>>())?;
        }
        for unit in jobs.keys() {
            if let Some((order, _)) = self.cases.entry(*unit).or_default().at.take() {
                self.orders.remove(&order);
                let desk = Desk::new(executor.resolver.store.root(), &order);
                // What stays there is cleared up with what is old.
                fs::remove_dir_all(desk.folder()).ok();
            }
        }
        Ok(())
    }

    /// Prints what would be submitted.
    pub(super) fn show(&self, executor: &Executor<'_>, open: &[Open]) -> Result<()> {
        let programs = Programs::here(std::path::Path::new(""))?;
        let is_open = |unit: &&Unit| executor.resolver.record(&unit.instance.slot).is_err();
        let mut texts = Vec::new();
        for group in self.groups(open) {
            let desk = Desk::new(executor.resolver.store.root(), "ORDER");
            let stages: BTreeSet<&str> = self
                .before(&group)
                .into_iter()
                .filter(is_open)
                .map(|u| u.instance.stage())
                .collect();
            let after: Vec<String> =
                stages.iter().map(|stage| format!("JOB-OF-{}", stage.to_uppercase())).collect();
            let shown =
                self.submission(executor, &programs, &group, "ORDER", &desk, &after).shown();
            let slots = group.units.iter().map(|unit| unit.instance.slot.as_str());
            let slots = slots.enumerate().map(|(number, slot)| format!("# {number}: {slot}"));
            texts.push(format!("{}\n{shown}", slots.collect::<Vec<_>>().join("\n")));
        }
        print(&texts.join("\n\n"))
    }
}

/// What tasks need that is made already, and what is made before them.
#[derive(Default)]
struct Needs {
    made: BTreeMap<String, (String, Digest)>,
    upstream: Vec<Instance>,
}

impl Needs {
    fn add_inputs(
        &mut self,
        slurm: &Slurm,
        executor: &Executor<'_>,
        instance: &Instance,
    ) -> Result<()> {
        for source in instance.inputs.values() {
            let Source::Output { slot, .. } = source else { continue };
            let is_known = self.upstream.iter().any(|instance| instance.slot == *slot);
            if is_known || self.made.contains_key(slot) {
                continue;
            }
            if let Ok(record) = executor.resolver.record(slot) {
                self.made.insert(slot.clone(), (record.parts.stage.clone(), record.key));
                continue;
            }
            let unit = slurm.units.get(slot).with_context(|| format!("{slot} is not planned"))?;
            self.add_inputs(slurm, executor, &unit.instance)?;
            self.upstream.push(unit.instance.clone());
        }
        Ok(())
    }
}

/// A name that no other order has.
fn name(group: &Group) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let start = Encoder::new("ambivox order").text(&format!("{} {now:?}", std::process::id()));
    group.units.iter().fold(start, |encoder, unit| encoder.digest(&unit.digest)).finish().short()
}
