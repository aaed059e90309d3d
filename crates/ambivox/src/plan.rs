//! What would run, and why: the answer of `cargo xtask plan`.

use std::collections::BTreeSet;

use ambivox_artifacts::{Digest, StaleReason};
use ambivox_settings::counted;
use anyhow::Result;
use serde::Serialize;

use crate::graph::{self, Graph};
use crate::resolve::{Resolver, State};

/// How one instance stands.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    slot: String,
    state: Standing,
    /// The key, once it is known.
    key: Option<Digest>,
    /// The stage that has to run before the key is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<String>,
    /// Why it has to run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<StaleReason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    Fresh,
    Stale,
    Waits,
}

/// How all instances of a pipeline stand.
#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    schema: u32,
    pipeline: String,
    stages: Vec<Row>,
}

impl Plan {
    pub(crate) fn new(pipeline: &str) -> Self {
        Self { schema: 1, pipeline: pipeline.to_owned(), stages: Vec::new() }
    }

    /// Adds the instances of a graph, but for those that it has already.
    pub(crate) fn add(&mut self, resolver: &mut Resolver<'_>, graph: &Graph) -> Result<()> {
        let has: BTreeSet<String> = self.stages.iter().map(|row| row.slot.clone()).collect();
        for instance in graph.instances().iter().filter(|new| !has.contains(&new.slot)) {
            let state = resolver.state(instance)?;
            self.stages.push(Row::new(&instance.slot, state));
        }
        Ok(())
    }

    /// Adds runs that are not known yet.
    pub(crate) fn add_waiting(&mut self, slot: &str, on: &str) {
        self.stages.push(Row::new(slot, State::Waits { on: on.to_owned() }));
    }

    /// Keys of what is fresh.
    pub(crate) fn fresh_keys(&self) -> impl Iterator<Item = Digest> {
        let fresh = self.stages.iter().filter(|row| row.state == Standing::Fresh);
        fresh.filter_map(|row| row.key)
    }

    /// Whether the pipeline has such a place, or may have it once its folds are known or another
    /// command is given.
    pub(crate) fn has_place(&self, place: &str) -> bool {
        let is =
            |row: &Row| row.slot == place || (row.slot == "train" && place.starts_with("train"));
        graph::is_beside(place) || self.stages.iter().any(is)
    }

    /// Whether nothing has to run.
    pub(crate) fn is_fresh(&self) -> bool {
        self.count(Standing::Fresh) == self.stages.len()
    }

    fn count(&self, state: Standing) -> usize {
        self.stages.iter().filter(|row| row.state == state).count()
    }

    /// A line per instance, then the counts; with `why`, the reasons below each line.
    pub(crate) fn text(&self, why: bool) -> String {
        let width = self.stages.iter().map(|row| row.slot.chars().count()).max().unwrap_or(0);
        let mut lines = Vec::new();
        for row in &self.stages {
            lines.push(format!("{:width$}  {}", row.slot, row.standing()));
            if why {
                lines.extend(row.reasons.iter().map(|reason| format!("    {reason}")));
            }
        }
        let counts = [(Standing::Fresh, "fresh"), (Standing::Stale, "stale")];
        let mut counts: Vec<String> =
            counts.iter().map(|(state, name)| format!("{} {name}", self.count(*state))).collect();
        counts.push(format!("{} waiting", self.count(Standing::Waits)));
        lines.push(format!("{}: {}", counted(self.stages.len(), "stage"), counts.join(", ")));
        lines.join("\n")
    }
}

impl Row {
    fn new(slot: &str, state: State) -> Self {
        let slot = slot.to_owned();
        let none = Vec::new();
        match state {
            State::Fresh { key } => Self {
                slot,
                state: Standing::Fresh,
                key: Some(key),
                waits_for: None,
                reasons: none,
            },
            State::Stale { parts, reasons } => Self {
                slot,
                state: Standing::Stale,
                key: Some(parts.key()),
                waits_for: None,
                reasons,
            },
            State::Waits { on } => {
                Self { slot, state: Standing::Waits, key: None, waits_for: Some(on), reasons: none }
            }
        }
    }

    fn standing(&self) -> String {
        match (&self.state, &self.waits_for) {
            (Standing::Fresh, _) => "fresh".to_owned(),
            (Standing::Waits, Some(on)) => format!("waits for {on}"),
            _ => "stale".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan() -> Plan {
        let rows = [
            ("synth", Standing::Fresh, None),
            ("extract", Standing::Stale, None),
            ("train/lw/0/Ses03F", Standing::Waits, Some("extract")),
        ];
        let mut plan = Plan::new("demo");
        plan.stages.extend(rows.map(|(slot, state, on)| Row {
            slot: slot.to_owned(),
            state,
            key: None,
            waits_for: on.map(str::to_owned),
            reasons: Vec::new(),
        }));
        plan.stages[1].reasons.push(StaleReason::Parameter {
            name: "set".to_owned(),
            from: Some(json!("ser32")),
            to: Some(json!("ser32-sma3")),
        });
        plan
    }

    #[test]
    fn the_text_has_a_line_per_stage() {
        insta::assert_snapshot!(plan().text(true), @r#"
    synth              fresh
    extract            stale
        parameter set changed from "ser32" to "ser32-sma3"
    train/lw/0/Ses03F  waits for extract
    3 stages: 1 fresh, 1 stale, 1 waiting
    "#);
        assert!(!plan().text(false).contains("parameter"));
    }

    #[test]
    fn the_json_has_typed_reasons() {
        let json = serde_json::to_value(plan()).unwrap();
        assert_eq!(json["stages"][1]["reasons"][0]["reason"], "parameter");
        assert_eq!(json["stages"][1]["state"], "stale");
        assert_eq!(json["stages"][2]["waits_for"], "extract");
    }
}
