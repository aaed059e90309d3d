//! What became of a task, and whether it is begun again.

use ambivox_settings::counted;

use super::order::End;
use super::settings::Memory;

/// What Slurm says of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It waits, runs, or is about to end.
    Queued,
    Completed,
    Failed,
    Cancelled,
    /// Cancelled before it began, since what it waited for did not end well.
    Unmet,
    TimedOut,
    OutOfMemory,
    /// Its node failed or could not be started.
    NodeFailed,
    Preempted,
    /// Slurm has no word of it any more.
    Unknown,
}

impl Fate {
    /// A state and its reason as `sacct` and `scontrol` write them, such as `CANCELLED by 0`.
    pub(super) fn from_state(state: &str, reason: &str) -> Self {
        match state.split([' ', '+']).next().unwrap_or_default() {
            "COMPLETED" => Self::Completed,
            "FAILED" => Self::Failed,
            "CANCELLED" if reason == "DependencyNeverSatisfied" => Self::Unmet,
            "CANCELLED" => Self::Cancelled,
            "TIMEOUT" | "DEADLINE" => Self::TimedOut,
            "OUT_OF_MEMORY" => Self::OutOfMemory,
            "NODE_FAIL" | "BOOT_FAIL" | "LAUNCH_FAILED" => Self::NodeFailed,
            "PREEMPTED" | "REVOKED" => Self::Preempted,
            "" => Self::Unknown,
            _ => Self::Queued,
        }
    }
}

/// What a task was given so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Given {
    /// How often it was lost.
    pub(super) lost: u32,
    pub(super) memory: Option<Memory>,
}

/// What follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is not over.
    Wait,
    /// It says that it ended well.
    Well,
    /// To be begun again, with more memory where some is named.
    Again { why: &'static str, memory: Option<Memory> },
    /// Not to be begun again; `code` for the exit, `why` for people.
    Never { code: u8, why: String },
}

/// What follows from a task's fate and its own last words.
pub(super) fn verdict(
    fate: Fate,
    end: Option<&End>,
    given: Given,
    retries: u32,
    memory_limit: Option<Memory>,
) -> Verdict {
    let lost = |why| {
        if given.lost < retries {
            Verdict::Again { why, memory: None }
        } else {
            never(format!("{why}, {} in all", counted(given.lost as usize + 1, "time")))
        }
    };
    match (fate, end) {
        (Fate::Queued, _) => Verdict::Wait,
        (_, Some(end)) if end.is_well() => Verdict::Well,
        (Fate::OutOfMemory, _) => out_of_memory(given.memory, memory_limit),
        (Fate::TimedOut, _) => never("it ran out of time; ask for more with `time`".to_owned()),
        (Fate::NodeFailed, _) => lost("its node failed"),
        (Fate::Preempted, _) => lost("it was preempted"),
        (Fate::Unmet, _) => lost("what it waited for did not end well"),
        (Fate::Cancelled, _) => never("it was cancelled".to_owned()),
        (_, Some(end)) => Verdict::Never { code: end.code, why: end.message.clone() },
        (Fate::Completed, None) => Verdict::Well,
        (Fate::Failed, None) => never("it ended before the work began".to_owned()),
        (Fate::Unknown, None) => lost("it is gone, and Slurm has forgotten it"),
    }
}

fn out_of_memory(given: Option<Memory>, limit: Option<Memory>) -> Verdict {
    let Some(memory) = given else {
        return never("it ran out of memory; ask for more with `memory`".to_owned());
    };
    let more = limit.map(|limit| memory.doubled().min(limit)).filter(|more| *more > memory);
    match more {
        Some(more) => Verdict::Again { why: "it ran out of memory", memory: Some(more) },
        None => never(format!(
            "it ran out of {memory} of memory; ask for more with `memory`, or allow more with \
             `memory_limit`"
        )),
    }
}

fn never(why: String) -> Verdict {
    Verdict::Never { code: ambivox_settings::exit::FAILED, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(text: &str) -> Memory {
        Memory::try_from(text.to_owned()).unwrap()
    }

    fn judged(fate: Fate, end: Option<&End>) -> Verdict {
        let given = Given { lost: 0, memory: Some(memory("4G")) };
        verdict(fate, end, given, 2, Some(memory("6G")))
    }

    #[test]
    fn states_are_told_apart() {
        let states = [
            ("CANCELLED by 0", Fate::Cancelled),
            ("CANCELLED+", Fate::Cancelled),
            ("NODE_FAIL", Fate::NodeFailed),
            ("RUNNING", Fate::Queued),
            ("REQUEUED", Fate::Queued),
            ("", Fate::Unknown),
        ];
        for (state, fate) in states {
            assert_eq!(Fate::from_state(state, "None"), fate, "{state}");
        }
    }

    #[test]
    fn what_the_site_did_is_tried_again_and_what_the_stage_did_is_not() {
        let bad = End { code: 3, message: "row 3".to_owned() };
        let again = |why| Verdict::Again { why, memory: None };
        assert_eq!(judged(Fate::NodeFailed, None), again("its node failed"));
        assert_eq!(judged(Fate::Preempted, None), again("it was preempted"));
        assert!(matches!(judged(Fate::Unknown, None), Verdict::Again { .. }));
        let stage = Verdict::Never { code: 3, why: "row 3".to_owned() };
        assert_eq!(judged(Fate::Failed, Some(&bad)), stage);
        assert_eq!(judged(Fate::Unknown, Some(&bad)), stage);
        for fate in [Fate::TimedOut, Fate::Cancelled, Fate::Failed] {
            assert!(matches!(judged(fate, None), Verdict::Never { code: 1, .. }), "{fate:?}");
        }
        assert_eq!(judged(Fate::Queued, Some(&bad)), Verdict::Wait);
    }

    #[test]
    fn memory_is_doubled_up_to_the_limit() {
        let bad = End { code: 1, message: "signal: 9".to_owned() };
        let Verdict::Again { memory: Some(more), .. } = judged(Fate::OutOfMemory, Some(&bad))
        else {
            panic!("not again");
        };
        assert_eq!(more, memory("6G"));
        let at_limit = Given { lost: 0, memory: Some(more) };
        let end = verdict(Fate::OutOfMemory, None, at_limit, 2, Some(memory("6G")));
        assert!(matches!(end, Verdict::Never { .. }));
        let unknown = verdict(Fate::OutOfMemory, None, Given::default(), 2, Some(memory("6G")));
        assert!(matches!(unknown, Verdict::Never { .. }));
    }

    #[test]
    fn a_task_is_not_lost_for_ever() {
        let given = Given { lost: 2, memory: None };
        let Verdict::Never { why, .. } = verdict(Fate::NodeFailed, None, given, 2, None) else {
            panic!("again");
        };
        assert_eq!(why, "its node failed, 3 times in all");
    }

    #[test]
    fn a_good_end_counts_though_the_node_is_gone() {
        let good = End { code: 0, message: String::new() };
        assert_eq!(judged(Fate::Completed, None), Verdict::Well);
        assert_eq!(judged(Fate::Unknown, Some(&good)), Verdict::Well);
        assert_eq!(judged(Fate::Cancelled, Some(&good)), Verdict::Well);
    }
}
