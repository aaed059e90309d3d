//! What became of a task, and whether it is begun again.

use ambivox_settings::counted;

use super::order::End;
use super::settings::Memory;

/// What Slurm says of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
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

impl Outcome {
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

/// What follows from a task's outcome and its own last words.
pub(super) fn verdict(
    outcome: Outcome,
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
    match (outcome, end) {
        (Outcome::Queued, _) => Verdict::Wait,
        (_, Some(end)) if end.is_well() => Verdict::Well,
        (Outcome::OutOfMemory, _) => out_of_memory(given.memory, memory_limit),
        (Outcome::TimedOut, _) => never("it ran out of time; ask for more with `time`".to_owned()),
        (Outcome::NodeFailed, _) => lost("its node failed"),
        (Outcome::Preempted, _) => lost("it was preempted"),
        (Outcome::Unmet, _) => lost("what it waited for did not end well"),
        (Outcome::Cancelled, _) => never("it was cancelled".to_owned()),
        (_, Some(end)) => Verdict::Never { code: end.code, why: end.message.clone() },
        (Outcome::Completed, None) => Verdict::Well,
        (Outcome::Failed, None) => never("it ended before the work began".to_owned()),
        (Outcome::Unknown, None) => lost("it is gone, and Slurm has forgotten it"),
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

    fn judged(outcome: Outcome, end: Option<&End>) -> Verdict {
        let given = Given { lost: 0, memory: Some(memory("4G")) };
        verdict(outcome, end, given, 2, Some(memory("6G")))
    }

    #[test]
    fn states_are_told_apart() {
        let states = [
            ("CANCELLED by 0", Outcome::Cancelled),
            ("CANCELLED+", Outcome::Cancelled),
            ("NODE_FAIL", Outcome::NodeFailed),
            ("RUNNING", Outcome::Queued),
            ("REQUEUED", Outcome::Queued),
            ("", Outcome::Unknown),
        ];
        for (state, outcome) in states {
            assert_eq!(Outcome::from_state(state, "None"), outcome, "{state}");
        }
    }

    #[test]
    fn what_the_site_did_is_tried_again_and_what_the_stage_did_is_not() {
        let bad = End { code: 3, message: "row 3".to_owned() };
        let again = |why| Verdict::Again { why, memory: None };
        assert_eq!(judged(Outcome::NodeFailed, None), again("its node failed"));
        assert_eq!(judged(Outcome::Preempted, None), again("it was preempted"));
        assert!(matches!(judged(Outcome::Unknown, None), Verdict::Again { .. }));
        let stage = Verdict::Never { code: 3, why: "row 3".to_owned() };
        assert_eq!(judged(Outcome::Failed, Some(&bad)), stage);
        assert_eq!(judged(Outcome::Unknown, Some(&bad)), stage);
        for outcome in [Outcome::TimedOut, Outcome::Cancelled, Outcome::Failed] {
            assert!(matches!(judged(outcome, None), Verdict::Never { code: 1, .. }), "{outcome:?}");
        }
        assert_eq!(judged(Outcome::Queued, Some(&bad)), Verdict::Wait);
    }

    #[test]
    fn memory_is_doubled_up_to_the_limit() {
        let bad = End { code: 1, message: "signal: 9".to_owned() };
        let Verdict::Again { memory: Some(more), .. } = judged(Outcome::OutOfMemory, Some(&bad))
        else {
            panic!("not again");
        };
        assert_eq!(more, memory("6G"));
        let at_limit = Given { lost: 0, memory: Some(more) };
        let end = verdict(Outcome::OutOfMemory, None, at_limit, 2, Some(memory("6G")));
        assert!(matches!(end, Verdict::Never { .. }));
        let unknown = verdict(Outcome::OutOfMemory, None, Given::default(), 2, Some(memory("6G")));
        assert!(matches!(unknown, Verdict::Never { .. }));
    }

    #[test]
    fn a_task_is_not_lost_for_ever() {
        let given = Given { lost: 2, memory: None };
        let Verdict::Never { why, .. } = verdict(Outcome::NodeFailed, None, given, 2, None) else {
            panic!("again");
        };
        assert_eq!(why, "its node failed, 3 times in all");
    }

    #[test]
    fn a_good_end_counts_though_the_node_is_gone() {
        let good = End { code: 0, message: String::new() };
        assert_eq!(judged(Outcome::Completed, None), Verdict::Well);
        assert_eq!(judged(Outcome::Unknown, Some(&good)), Verdict::Well);
        assert_eq!(judged(Outcome::Cancelled, Some(&good)), Verdict::Well);
    }
}
