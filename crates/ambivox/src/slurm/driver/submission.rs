//! Units divided into arrays, written down and submitted.
//!
//! Whoever submits begins with a claim: the first array, under a name that says so and to begin in two
//! minutes. Claims take turns by their job ids, which the controller hands out in one order for all: a
//! driver waits while there is an earlier claim, then looks what is queued, and either takes its claim
//! back, if any of that is what it would submit, or submits the rest and lets the claim begin. What is
//! submitted by one is thus seen by the next. The claim of a driver that has died begins by itself.
//!
//! Where the cluster has no room for all, what it took stays, and what comes after it is submitted by and
//! by: in the same order, so that nothing is queued before all that it waits for is.

use std::collections::VecDeque;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::unit_state::is_made;
use super::*;
use crate::slurm::client::Submitted;
use crate::slurm::order::Order;
use crate::slurm::script::Submission;
use ambivox_settings::counted;
use anyhow::bail;

/// Units that one array makes.
pub(super) struct Group {
    pub(super) stage: &'static str,
    /// In how many parts that is made, if this is such parts.
    pub(super) parts: Option<NonZeroUsize>,
    pub(super) memory: Option<Memory>,
    pub(super) units: Vec<Unit>,
}

impl Group {
    /// The same of these units alone.
    fn of(&self, units: &[Unit]) -> Self {
        Self { units: units.to_vec(), ..*self }
    }

    /// What of the stage it makes, for people.
    pub(super) fn what(&self) -> String {
        let parts = self.parts.map(|of| format!(" in {of} parts")).unwrap_or_default();
        format!("{}{parts}", self.stage)
    }
}

/// What one driver submits at once.
#[derive(Default)]
struct Batch {
    /// Tasks by what they make.
    tasks: BTreeMap<Digest, Task>,
    /// Jobs by the names of their orders, in the order of their submission.
    jobs: Vec<(String, String)>,
}

impl Slurm {
    /// Submits what is wanting, each array after those that make what it needs; or nothing, where
    /// another driver has submitted any of it.
    pub(super) fn submit(&mut self, executor: &mut Executor<'_>, wanting: &[Open]) -> Result<()> {
        let program = self.program(executor)?;
        let mut batch = Batch::default();
        match self.submit_in_turn(executor, &program, wanting, &mut batch) {
            Ok(true) => {
                self.tell(executor, &batch);
                Ok(())
            }
            Ok(false) => {
                executor
                    .progress
                    .say("slurm: another driver has submitted the same; leaving it to that");
                self.take_back(executor, &batch)
            }
            Err(error) => {
                // The first error is the one to tell; what is left begins by itself.
                self.take_back(executor, &batch).ok();
                Err(error)
            }
        }
    }

    /// Says what was submitted, and what found no room.
    fn tell(&mut self, executor: &Executor<'_>, batch: &Batch) {
        if !batch.jobs.is_empty() {
            let ids: Vec<&str> = batch.jobs.iter().map(|(_, job)| job.as_str()).collect();
            executor.progress.say(&format!(
                "slurm: {} submitted as {}; they go on without this command, and it finds them when \
                 it is called again",
                counted(batch.tasks.len(), "task"),
                ids.join(", ")
            ));
        }
        if let Some(why) = self.room.newly_full() {
            let line = format!("slurm: no room for more now; the rest follows ({why})");
            executor.progress.say(&line);
        }
    }

    /// The program of the tasks, kept as it was when something was first submitted.
    fn program(&mut self, executor: &Executor<'_>) -> Result<PathBuf> {
        if let Some(program) = &self.program {
            return Ok(program.clone());
        }
        let program = programs::kept(executor.resolver.store.root(), &executor.program.path()?)?;
        Ok(self.program.insert(program).clone())
    }

    fn submit_in_turn(
        &mut self,
        executor: &mut Executor<'_>,
        program: &Path,
        wanting: &[Open],
        batch: &mut Batch,
    ) -> Result<bool> {
        let queue = self.queue(executor)?;
        let mut groups = VecDeque::from(self.groups(wanting));
        if !self.submit_next(executor, program, &mut groups, &queue, batch)? {
            return Ok(true);
        }
        let Some((order, claim)) = batch.jobs.first().cloned() else { return Ok(true) };
        let Some(queue) = self.take_turn(executor, &order, &claim, wanting)? else {
            return Ok(false);
        };
        while self.submit_next(executor, program, &mut groups, &queue, batch)? {}
        // As where a site lets nobody change a job.
        if let Err(error) = self.client.begin(executor.progress, &claim, &order) {
            let line = format!("slurm: job {claim} will begin in two minutes: {error}");
            executor.progress.say(&line);
        }
        Ok(true)
    }

    /// Submits as much of the first group as there is room for; returns whether there was any. What
    /// waits for something that has just come to nothing waits here, until that is queued again.
    fn submit_next(
        &mut self,
        executor: &mut Executor<'_>,
        program: &Path,
        groups: &mut VecDeque<Group>,
        queue: &Queue,
        batch: &mut Batch,
    ) -> Result<bool> {
        let Some(group) = groups.pop_front() else { return Ok(false) };
        if !self.has_ground(executor, &group, queue, batch)? {
            return Ok(false);
        }
        loop {
            let tasks = group.units.len().min(self.room.next());
            let (first, rest) = group.units.split_at(tasks);
            match self.submit_group(executor, program, &group.of(first), queue, batch)? {
                Submitted::Job(_) => {
                    self.room.took();
                    if !rest.is_empty() {
                        groups.push_front(group.of(rest));
                    }
                    return Ok(true);
                }
                Submitted::Full(why) if !self.room.refused(tasks, &why) => return Ok(false),
                Submitted::TooLong(why) if !self.room.too_long(tasks) => {
                    bail!("sbatch refused an array of one task: {why}")
                }
                Submitted::Full(_) | Submitted::TooLong(_) => {}
            }
        }
    }

    /// Whether all that a group waits for is queued or made.
    fn has_ground(
        &self,
        executor: &mut Executor<'_>,
        group: &Group,
        queue: &Queue,
        batch: &Batch,
    ) -> Result<bool> {
        let makers: BTreeMap<Digest, Unit> = group
            .units
            .iter()
            .flat_map(|unit| self.makers(unit))
            .map(|maker| (maker.digest, maker))
            .collect();
        for (digest, maker) in &makers {
            let is_queued = queue.contains_key(digest) || batch.tasks.contains_key(digest);
            if !is_queued && !is_made(executor, maker)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Waits for earlier claims to go; returns what is then queued, or nothing where any of these units
    /// is among it or has been made.
    fn take_turn(
        &mut self,
        executor: &mut Executor<'_>,
        order: &str,
        claim: &str,
        wanting: &[Open],
    ) -> Result<Option<Queue>> {
        let started = Instant::now();
        let own = Task { job: claim.to_owned(), number: 0 }.rank();
        loop {
            let mut others = self.look(executor)?;
            others.retain(|(_, queued)| queued.order != order);
            let is_before = |queued: &Queued| queued.is_claim && queued.task.rank() < own;
            if others.iter().any(|(_, queued)| is_before(queued))
                && started.elapsed() < self.client.turn
            {
                std::thread::sleep(self.client.pause);
                continue;
            }
            // Later claims wait for this one.
            others.retain(|(_, queued)| !queued.is_claim || is_before(queued));
            let queue: Queue = others.into_iter().collect();
            for Open { unit, .. } in wanting {
                if queue.contains_key(&unit.digest) || is_made(executor, unit)? {
                    return Ok(None);
                }
            }
            return Ok(Some(queue));
        }
    }

    /// Arrays: of one wave, one stage and one size of memory each, and no longer than the limit.
    pub(super) fn groups(&self, wanting: &[Open]) -> Vec<Group> {
        let mut groups: BTreeMap<_, Vec<Unit>> = BTreeMap::new();
        for Open { wave, unit } in wanting {
            let memory = self.cases.get(&unit.digest).and_then(|case| case.given.memory);
            let parts = unit.shard.map(|shard| shard.of);
            // The parts come before the whole.
            let alike = (*wave, unit.instance.stage(), parts.is_none(), parts, memory);
            groups.entry(alike).or_default().push(unit.clone());
        }
        let limit = self.settings.array_limit.get();
        let cut = |((_, stage, _, parts, memory), units): (_, Vec<Unit>)| {
            let chunks = units.chunks(limit).map(<[Unit]>::to_vec);
            chunks.map(move |units| Group { stage, parts, memory, units }).collect::<Vec<_>>()
        };
        groups.into_iter().flat_map(cut).collect()
    }

    /// Writes the order of a group and submits it: the first of a batch as a claim.
    fn submit_group(
        &mut self,
        executor: &mut Executor<'_>,
        program: &Path,
        group: &Group,
        queue: &Queue,
        batch: &mut Batch,
    ) -> Result<Submitted> {
        let name = name(group);
        let folder = OrderFolder::new(executor.resolver.store.root(), &name);
        let order = self.order(executor, program, group)?;
        fs::create_dir_all(folder.path())?;
        order.write(&folder)?;
        let after = self.after(group, queue, batch);
        let place =
            Place { program, name: &name, folder: &folder, is_claim: batch.jobs.is_empty() };
        let submission = self.submission(executor, group, &place, &after);
        fs::write(folder.script(), submission.script())?;
        let arguments = submission.arguments();
        let submitted =
            self.client.submit(executor.progress, &arguments, &folder.script(), &name)?;
        let Submitted::Job(job) = submitted.clone() else {
            // What stays there is cleared up with what is old.
            fs::remove_dir_all(folder.path()).ok();
            return Ok(submitted);
        };
        for (number, unit) in group.units.iter().enumerate() {
            let (task, ground) = (Task { job: job.clone(), number }, self.ground(unit));
            self.cases.entry(unit.digest).or_default().give(&name, &task, ground);
            batch.tasks.insert(unit.digest, task);
        }
        self.orders.insert(name.clone(), group.units.iter().map(|unit| unit.digest).collect());
        self.own.insert(name.clone(), job.clone());
        batch.jobs.push((name, job));
        Ok(submitted)
    }

    /// What must end well before a group begins: whole jobs, or tasks of such as have other tasks that
    /// came to nothing.
    fn after(&self, group: &Group, queue: &Queue, batch: &Batch) -> Vec<String> {
        let units = group.units.iter().flat_map(|unit| self.before(unit));
        let before: BTreeSet<Digest> = units.collect();
        let task = |unit: Digest| {
            batch.tasks.get(&unit).or_else(|| queue.get(&unit).map(|queued| &queued.task))
        };
        let name = |task: &Task| {
            let is_broken = self.broken.contains(&task.job);
            if is_broken { format!("{}_{}", task.job, task.number) } else { task.job.clone() }
        };
        let after: BTreeSet<String> = before.into_iter().filter_map(task).map(name).collect();
        after.into_iter().collect()
    }

    pub(super) fn submission<'a>(
        &'a self,
        executor: &'a Executor<'_>,
        group: &'a Group,
        place: &Place<'a>,
        after: &'a [String],
    ) -> Submission<'a> {
        Submission {
            settings: &self.settings,
            store: executor.resolver.store.root(),
            program: place.program,
            folder: place.folder,
            name: place.name,
            stage: group.stage,
            what: group.what(),
            pipeline: &executor.resolver.experiment.pipeline.name,
            tasks: group.units.len(),
            memory: group.memory,
            after,
            is_claim: place.is_claim,
        }
    }

    fn order(&self, executor: &mut Executor<'_>, program: &Path, group: &Group) -> Result<Order> {
        let mut needs = Needs::default();
        for unit in &group.units {
            needs.add_inputs(self, executor, &unit.instance)?;
        }
        let resolver = &mut executor.resolver;
        let root = resolver.corpus.as_ref().map(|(root, _)| root.as_path());
        let experiment = resolver.experiment.for_elsewhere(root)?;
        Ok(Order {
            store: resolver.store.root().to_path_buf(),
            program: program.to_path_buf(),
            experiment,
            corpus: resolver.corpus.clone(),
            made: needs.made,
            upstream: needs.upstream,
            shards: group.units.first().and_then(|unit| self.shards_of(&unit.instance)),
            units: group.units.clone(),
        })
    }

    /// Cancels jobs that were submitted a moment ago, and forgets them.
    fn take_back(&mut self, executor: &Executor<'_>, batch: &Batch) -> Result<()> {
        let jobs = batch.jobs.iter().map(|(_, job)| job.clone()).collect();
        self.client.cancel(executor.progress, &jobs)?;
        for unit in batch.tasks.keys() {
            self.cases.entry(*unit).or_default().at = None;
        }
        for (order, _) in &batch.jobs {
            self.orders.remove(order);
            self.own.remove(order);
            let folder = OrderFolder::new(executor.resolver.store.root(), order);
            // What stays there is cleared up with what is old.
            fs::remove_dir_all(folder.path()).ok();
        }
        Ok(())
    }
}

/// Where a group is written down, and by what program it is made.
pub(super) struct Place<'a> {
    pub(super) program: &'a Path,
    pub(super) name: &'a str,
    pub(super) folder: &'a OrderFolder,
    pub(super) is_claim: bool,
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
        for slot in instance.slots() {
            let is_known = self.upstream.iter().any(|instance| instance.slot == slot);
            if is_known || self.made.contains_key(slot) {
                continue;
            }
            if let Ok(record) = executor.resolver.record(slot) {
                self.made.insert(slot.to_owned(), (record.parts.stage.clone(), record.key));
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
