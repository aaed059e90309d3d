//! What became of a unit so far.

use std::time::Instant;

use super::super::client::Task;
use super::super::outcome::Given;
use super::super::settings::Memory;
use super::super::worker::LATE;

/// What became of a unit so far.
#[derive(Debug, Default)]
pub(super) struct Case {
    /// The last task that had it, and the name of its order.
    pub(super) at: Option<(String, Task)>,
    pub(super) given: Given,
    /// How those stood that it waits for, when that task was submitted or first seen.
    ground: Ground,
    /// How often a task that had it came to nothing.
    setbacks: u32,
    /// When it was first said to be made.
    said: Option<Instant>,
}

/// How some units stand: the job that each was last given to, and how often that came to nothing.
pub(super) type Ground = Vec<(Option<String>, u32)>;

impl Case {
    /// The last attempt, for units that wait for it.
    pub(super) fn attempt(&self) -> (Option<String>, u32) {
        (self.at.as_ref().map(|(_, task)| task.job.clone()), self.setbacks)
    }

    /// Notes which task has it, and how those stand that this waits for.
    pub(super) fn give(&mut self, order: &str, task: &Task, ground: Ground) {
        (self.at, self.said) = (Some((order.to_owned(), task.clone())), None);
        self.ground = ground;
    }

    /// Whether this is the task that has it.
    pub(super) fn is_with(&self, task: &Task) -> bool {
        self.at.as_ref().is_some_and(|(_, at)| at == task)
    }

    /// Whether any of those that it waits for came to nothing, or was submitted again, since.
    pub(super) fn has_lost_ground(&self, now: &Ground) -> bool {
        self.ground != *now
    }

    /// Its task came to nothing; it is to be submitted again or has failed.
    pub(super) fn set_back(&mut self) {
        (self.at, self.said) = (None, None);
        self.setbacks += 1;
    }

    /// Its task was lost or ran out of memory.
    pub(super) fn begin_again(&mut self, memory: Option<Memory>) {
        match memory {
            Some(_) => self.given.memory = memory,
            None => self.given.lost += 1,
        }
    }

    /// Whether it was said to be made so long ago that it should be seen by now.
    pub(super) fn is_late(&mut self) -> bool {
        self.said.get_or_insert_with(Instant::now).elapsed() > LATE
    }
}
