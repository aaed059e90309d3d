//! A cluster that is made up: what is queued goes on by a step whenever somebody looks at the queue, and
//! its tasks are worked in this process.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use super::*;
use crate::slurm::client::{Call, Called};
use crate::slurm::worker;

/// What becomes of a call of `sbatch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    Answer,
    /// The controller takes the job and does not answer.
    Taken,
    /// The controller does not answer, and takes the job after so many further calls.
    TakenAfter(usize),
    /// The controller does not answer, and takes no job.
    Lost,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    name: String,
    folder: PathBuf,
    pub(super) units: Vec<String>,
    pub(super) after: Vec<String>,
    pub(super) memory: Option<String>,
    /// State and reason of each task.
    pub(super) tasks: Vec<(&'static str, &'static str)>,
}

impl Job {
    /// Makes it a claim again.
    pub(super) fn claim(&mut self) {
        self.name.push('+');
    }

    /// Lets it begin, as a claim does in the end by itself.
    pub(super) fn let_begin(&mut self) {
        self.name = self.name.trim_end_matches('+').to_owned();
    }
}

#[derive(Default)]
pub(super) struct State {
    pub(super) jobs: BTreeMap<u64, Job>,
    last: u64,
    /// Replies to come of `sbatch`.
    pub(super) replies: VecDeque<Reply>,
    late: Vec<(usize, Job)>,
    /// How the next tasks that make a unit end, by its name.
    pub(super) mishaps: BTreeMap<String, VecDeque<&'static str>>,
    /// Units whose tasks wait for ever.
    pub(super) stuck: Vec<String>,
    /// Every call: the driver's number and the program.
    pub(super) calls: Vec<(usize, String)>,
    /// Every submission: its name, and how often the queue had been looked at before.
    pub(super) sent: Vec<(String, usize)>,
    /// Tasks that may be queued at a time, where that is limited.
    pub(super) limit: Option<usize>,
    /// Tasks that an array may have.
    pub(super) longest: Option<usize>,
    /// Whose turn it is, driver by driver; those that are done have none.
    turns: VecDeque<usize>,
    done: Vec<usize>,
}

/// The cluster as one driver sees it.
#[derive(Clone, Default)]
pub(super) struct MadeUp {
    driver: usize,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl MadeUp {
    /// The same cluster as another driver sees it.
    pub(super) fn seen_by(&self, driver: usize) -> Self {
        Self { driver, state: Arc::clone(&self.state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap()
    }

    /// Lets drivers speak in this order, for as long as it goes.
    pub(super) fn take_turns(&self, turns: &[usize]) {
        self.state().turns = turns.iter().copied().collect();
    }

    /// This driver has nothing to say any more.
    pub(super) fn leave(&self) {
        self.state().done.push(self.driver);
        self.state.1.notify_all();
    }

    fn in_turn(&self) -> MutexGuard<'_, State> {
        let is_other = |state: &mut State| {
            while state.turns.front().is_some_and(|turn| state.done.contains(turn)) {
                state.turns.pop_front();
            }
            state.turns.front().is_some_and(|turn| *turn != self.driver)
        };
        let mut state = self.state.1.wait_while(self.state(), is_other).unwrap();
        state.turns.pop_front();
        self.state.1.notify_all();
        state
    }
}

impl Call for MadeUp {
    fn call(&self, program: &str, arguments: &[&OsStr]) -> Result<Called> {
        let words: Vec<&str> = arguments.iter().map(|word| word.to_str().unwrap()).collect();
        let mut state = self.in_turn();
        state.calls.push((self.driver, program.to_owned()));
        state.take_late();
        Ok(match program {
            "sbatch" => state.sbatch(&words),
            "squeue" => state.squeue(&words),
            "scontrol" if words[0] == "update" => state.update(&words),
            "scontrol" => state.show(words[3]),
            "scancel" => state.scancel(&words),
            _ => Called::Refused("no accounting".to_owned()),
        })
    }
}

fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    let name = format!("--{name}=");
    words.iter().find_map(|word| word.strip_prefix(name.as_str()))
}

fn is_over(state: &str) -> bool {
    !["PENDING", "RUNNING"].contains(&state)
}

impl State {
    fn sbatch(&mut self, words: &[&str]) -> Called {
        let folder = Path::new(option(words, "chdir").unwrap()).to_path_buf();
        let order = Order::read(&folder.join("order.json")).unwrap();
        let after = option(words, "dependency").map(|text| text.strip_prefix("afterok:").unwrap());
        let job = Job {
            name: option(words, "job-name").unwrap().to_owned(),
            folder,
            units: order.units.iter().map(Unit::name).collect(),
            after: after
                .map(|jobs| jobs.split(':').map(str::to_owned).collect())
                .unwrap_or_default(),
            memory: option(words, "mem").map(str::to_owned),
            tasks: vec![("PENDING", "None"); order.units.len()],
        };
        let looks = self.calls.iter().filter(|(_, program)| program == "squeue").count();
        self.sent.push((job.name.clone(), looks));
        let is_above =
            |limit: Option<usize>, tasks: usize| limit.is_some_and(|limit| tasks > limit);
        if is_above(self.longest, job.tasks.len()) {
            return Called::TooLong("Invalid job array specification".to_owned());
        }
        if is_above(self.limit, self.queued() + job.tasks.len()) {
            return Called::Full("QOSMaxSubmitJobPerUserLimit".to_owned());
        }
        let silent = || Called::Silence("Socket timed out".to_owned());
        match self.replies.pop_front().unwrap_or(Reply::Answer) {
            Reply::Answer => Called::Answer(self.take(job).to_string()),
            Reply::Taken => {
                self.take(job);
                silent()
            }
            Reply::TakenAfter(calls) => {
                self.late.push((calls, job));
                silent()
            }
            Reply::Lost => silent(),
        }
    }

    fn queued(&self) -> usize {
        let tasks = self.jobs.values().flat_map(|job| &job.tasks);
        tasks.filter(|(state, _)| !is_over(state)).count()
    }

    fn take(&mut self, job: Job) -> u64 {
        self.last += 1;
        self.jobs.insert(self.last, job);
        self.last
    }

    fn take_late(&mut self) {
        for (mut calls, job) in std::mem::take(&mut self.late) {
            calls -= 1;
            if calls == 0 {
                self.take(job);
            } else {
                self.late.push((calls, job));
            }
        }
    }

    fn squeue(&mut self, words: &[&str]) -> Called {
        if let Some(names) = option(words, "name") {
            let names: Vec<&str> = names.split(',').collect();
            let found = self.jobs.iter().filter(|(_, job)| names.contains(&job.name.as_str()));
            let ids: Vec<String> = found.map(|(id, _)| id.to_string()).collect();
            return Called::Answer(ids.join("\n"));
        }
        self.step();
        let mut lines = String::new();
        for (id, job) in &self.jobs {
            for (number, (state, _)) in job.tasks.iter().enumerate().filter(|(_, t)| !is_over(t.0))
            {
                let line = format!("{id}|{number}|{state}|{}|{}\n", job.name, job.folder.display());
                lines.push_str(&line);
            }
        }
        Called::Answer(lines)
    }

    fn update(&mut self, words: &[&str]) -> Called {
        let value = |word: &str| word.split_once('=').unwrap().1.to_owned();
        let job = self.jobs.get_mut(&value(words[1]).parse().unwrap()).unwrap();
        job.name = value(words[2]);
        assert_eq!(words[3], "starttime=now");
        Called::Answer(String::new())
    }

    fn show(&self, id: &str) -> Called {
        let (job, number) = id.split_once('_').unwrap();
        let job = &self.jobs[&job.parse().unwrap()];
        let (state, reason) = job.tasks[number.parse::<usize>().unwrap()];
        Called::Answer(format!("JobId=1 JobState={state} Reason={reason} Dependency=(null)"))
    }

    fn scancel(&mut self, words: &[&str]) -> Called {
        for word in words {
            self.cancel(word.parse().unwrap());
        }
        Called::Answer(String::new())
    }

    /// Cancels what is left of a job.
    pub(super) fn cancel(&mut self, job: u64) {
        let tasks = &mut self.jobs.get_mut(&job).unwrap().tasks;
        tasks.iter_mut().filter(|task| !is_over(task.0)).for_each(|t| *t = ("CANCELLED", "None"));
    }

    /// Ends what runs, and starts what can.
    fn step(&mut self) {
        let ids: Vec<u64> = self.jobs.keys().copied().collect();
        for id in ids {
            for number in 0..self.jobs[&id].tasks.len() {
                let after = match self.jobs[&id].tasks[number].0 {
                    "RUNNING" => self.end(id, number),
                    "PENDING" => self.begin(id),
                    _ => continue,
                };
                self.jobs.get_mut(&id).unwrap().tasks[number] = after;
            }
        }
    }

    fn begin(&self, id: u64) -> (&'static str, &'static str) {
        let job = &self.jobs[&id];
        let held = job.name.ends_with('+');
        match job.after.iter().map(|after| self.met(after)).collect::<Option<Vec<bool>>>() {
            None => ("PENDING", "Dependency"),
            Some(met) if met.contains(&false) => ("CANCELLED", "DependencyNeverSatisfied"),
            Some(_) if held => ("PENDING", "BeginTime"),
            Some(_) => ("RUNNING", "None"),
        }
    }

    /// Whether what a job waits for ended well; `None` while it has not ended.
    fn met(&self, after: &str) -> Option<bool> {
        let (job, number) = after.split_once('_').map_or((after, None), |(j, n)| (j, Some(n)));
        let tasks = &self.jobs[&job.parse().unwrap()].tasks;
        let tasks = match number {
            Some(number) => std::slice::from_ref(&tasks[number.parse::<usize>().unwrap()]),
            None => &tasks[..],
        };
        let over = tasks.iter().all(|task| is_over(task.0));
        over.then(|| tasks.iter().all(|task| task.0 == "COMPLETED"))
    }

    fn end(&mut self, id: u64, number: usize) -> (&'static str, &'static str) {
        let Job { folder, units, .. } = &self.jobs[&id];
        if self.stuck.contains(&units[number]) {
            return ("RUNNING", "None");
        }
        fs::write(OrderFolder::at(folder).log_file(number), "begun\n").unwrap();
        let mishap = self.mishaps.get_mut(&units[number]).and_then(VecDeque::pop_front);
        if let Some(mishap) = mishap {
            return (mishap, "None");
        }
        let order = folder.join("order.json");
        if worker::work(&order, number, 1).is_ok() {
            ("COMPLETED", "None")
        } else {
            ("FAILED", "NonZeroExitCode")
        }
    }
}
