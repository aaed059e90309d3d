//! Which code this program is: the version of every stage and kind, as the build found them.

use std::collections::BTreeMap;

use ambivox_identity::{BUILD, kind, stage};
use ambivox_settings::StageParams;
use anyhow::{Context as _, Result};

use crate::registry;

/// Versions of stages, kinds and of the build, by unit; what was told of the compiler.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) versions: BTreeMap<String, String>,
    /// Compiler, profile, commit and flags.
    pub(crate) tools: BTreeMap<String, String>,
}

impl Code {
    /// That of this program, with the kinds that it has added.
    pub(crate) fn own() -> Result<Self> {
        let versions = include_str!(concat!(env!("OUT_DIR"), "/versions.json"));
        let tools = include_str!(concat!(env!("OUT_DIR"), "/tools.json"));
        let mut versions: BTreeMap<String, String> = serde_json::from_str(versions)?;
        versions.extend(registry::added());
        Ok(Self { versions, tools: serde_json::from_str(tools)? })
    }

    /// The versions on which the work of a stage depends: of the build, of the stage, and of the kinds
    /// that its parameters name, where they have a version of their own.
    pub(crate) fn of(&self, work: &StageParams) -> Result<BTreeMap<String, String>> {
        let whole = [BUILD.to_owned(), stage(work.name())];
        let mut versions = BTreeMap::new();
        for name in whole {
            let version = self.versions.get(&name).with_context(|| format!("no word of {name}"))?;
            versions.insert(name, version.clone());
        }
        for name in work.kinds().iter().map(|(axis, name)| kind(axis, name)) {
            versions.extend(self.versions.get(&name).map(|version| (name, version.clone())));
        }
        Ok(versions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::builtin_pipeline;
    use crate::graph::{Graph, runs};

    /// A method's runs do not depend on the code of another's rule, nor on a model that is not theirs.
    #[test]
    fn work_depends_on_the_kinds_that_it_names() {
        let experiment = builtin_pipeline("demo-full");
        let code = Code::own().unwrap();
        let graph = Graph::of(&experiment, &runs(&experiment, &["Ses01F".to_owned()]));
        let named = |slot: &str| {
            let versions = code.of(&graph.get(slot).unwrap().work).unwrap();
            versions.into_keys().collect::<Vec<_>>().join(" ")
        };
        let training = "build model/blstm-attention";
        assert_eq!(named("train/lw/0/Ses01F"), format!("{training} rule/lw stage/train"));
        assert_eq!(
            named("train/baseline/0/Ses01F"),
            format!("{training} rule/baseline stage/train")
        );
        assert_eq!(named("train/cyclegan/0/Ses01F"), "build model/mlp rule/cyclegan stage/train");
        assert_eq!(named("split"), "build split/leave-one-speaker-out stage/split");
        assert_eq!(named("extract"), "build frontend/lld pooling/functionals stage/extract");
    }
}
