//! How many tasks the cluster takes.
//!
//! A site limits how many tasks a user, an account or the whole cluster may have queued, and how many an
//! array may have; none of these numbers can be asked for in one way that holds everywhere. So they are
//! found by trying: an array that finds no room is halved, one that finds it makes the next twice as
//! long, and where not even one task finds room, the rest waits until something has ended.

use anyhow::Result;

use crate::failure::Failure;

/// How often in a row a single task may find no room while nothing of this store is queued: whatever
/// takes the room is then none of ours, and may stay.
const PATIENCE: usize = 30;

/// How many tasks the cluster takes.
#[derive(Debug)]
pub(super) struct Room {
    /// Tasks of the longest array that it may take.
    longest: usize,
    /// Tasks of the next array.
    next: usize,
    /// Why the last single task found no room, and how often in a row that has been.
    full: Option<(String, usize)>,
    /// Whether people know of it.
    is_told: bool,
}

impl Room {
    /// Nothing is known but what the settings allow.
    pub(super) fn new(array_limit: usize) -> Self {
        Self { longest: array_limit, next: array_limit, full: None, is_told: false }
    }

    /// Tasks of the next array at most.
    pub(super) fn next(&self) -> usize {
        self.next
    }

    /// An array was taken.
    pub(super) fn took(&mut self) {
        self.next = self.next.saturating_mul(2).min(self.longest);
        self.full = None;
    }

    /// There was no room for an array of so many tasks; returns whether a shorter one is worth a try.
    pub(super) fn refused(&mut self, tasks: usize, why: &str) -> bool {
        self.next = (tasks / 2).max(1);
        if tasks == 1 {
            let before = self.full.take().map_or(0, |(_, times)| times);
            self.full = Some((why.to_owned(), before + 1));
        }
        tasks > 1
    }

    /// No array may have so many tasks; returns whether a shorter one is worth a try.
    pub(super) fn too_long(&mut self, tasks: usize) -> bool {
        self.longest = (tasks / 2).max(1);
        self.next = self.longest;
        tasks > 1
    }

    /// Why not even a single task found room, where that has not been told yet.
    pub(super) fn newly_full(&mut self) -> Option<&str> {
        let is_told = self.is_told;
        let (why, _) = self.full.as_ref()?;
        self.is_told = true;
        (!is_told).then_some(why)
    }

    /// An error where waiting is of no use, given whether nothing of this store is queued.
    pub(super) fn check(&mut self, is_idle: bool) -> Result<()> {
        let Some((why, times)) = &mut self.full else { return Ok(()) };
        if !is_idle {
            // What is queued will make room.
            *times = 0;
        }
        if *times < PATIENCE {
            return Ok(());
        }
        Err(Failure::stages(
            ambivox_settings::exit::FAILED,
            format!(
                "slurm has no room for a single task, {times} times in a row, and none of this store is \
                 queued that could make some: {why}\n\
                 hint: end other jobs of yours (`squeue --me`), name another account, partition or qos \
                 in [executor.slurm.resources], or ask the site to raise that limit (`sacctmgr show \
                 assoc`, `sacctmgr show qos`, MaxJobCount in `scontrol show config`); then call again"
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_halved_and_grow_again() {
        let mut room = Room::new(100);
        assert!(room.refused(100, "full") && room.refused(50, "full"));
        assert_eq!(room.next(), 25);
        room.took();
        assert_eq!(room.next(), 50);
        for _ in 0..3 {
            room.took();
        }
        assert_eq!(room.next(), 100);
        assert!(room.too_long(100));
        room.took();
        assert_eq!(room.next(), 50, "longer than any may be");
        assert!(!room.too_long(1) && !room.refused(1, "full"));
    }

    #[test]
    fn one_waits_for_what_is_queued_and_not_for_ever_for_others() {
        let mut room = Room::new(4);
        for _ in 0..3 * PATIENCE {
            room.refused(1, "QOSMaxSubmitJobPerUserLimit");
            room.check(false).unwrap();
        }
        let idle = |room: &mut Room| {
            room.refused(1, "QOSMaxSubmitJobPerUserLimit");
            room.check(true)
        };
        let error = (0..PATIENCE).find_map(|_| idle(&mut room).err()).unwrap().to_string();
        assert!(error.contains("QOSMaxSubmitJobPerUserLimit\nhint: "), "{error}");
        room.took();
        assert!(room.newly_full().is_none() && idle(&mut room).is_ok());
        assert!(room.newly_full().is_some() && room.newly_full().is_none(), "told once");
    }
}
