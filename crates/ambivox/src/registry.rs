//! The kinds on every axis of an experiment, as a program that is built on Ambivox adds to them.
//!
//! A program of its own with more front ends, poolings, splits, models or label rules is one line:
//! `ambivox::main(Registry::builtin().with(KIND, "1"))`. Nothing else of Ambivox lists kinds.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use ambivox_corpus::{SPLITS, SplitKind};
use ambivox_frontends::{FRONTENDS, FrontendKind, POOLINGS, PoolingKind};
use ambivox_identity::kind;
use ambivox_models::{MODELS, ModelKind};
use ambivox_rules::{RULES, RuleKind};
use ambivox_settings::Kind;

/// Versions of the kinds that this program has added, by unit.
static ADDED: OnceLock<BTreeMap<String, String>> = OnceLock::new();

/// Kinds to add to those that come with Ambivox.
#[derive(Debug, Default)]
pub struct Registry {
    frontends: Vec<FrontendKind>,
    poolings: Vec<PoolingKind>,
    splits: Vec<SplitKind>,
    models: Vec<ModelKind>,
    rules: Vec<RuleKind>,
    versions: BTreeMap<String, String>,
}

/// A kind on one of the axes.
pub trait OnAxis: Kind {
    /// Puts it beside the others of its axis.
    fn add_to(self, registry: &mut Registry);
}

impl Registry {
    /// The kinds that come with Ambivox.
    pub fn builtin() -> Self {
        Self::default()
    }

    /// These and one more. Its version is part of the key of every result that it has a share in: give it
    /// another one whenever what it computes changes.
    #[must_use]
    pub fn with(mut self, kind: impl OnAxis, version: &str) -> Self {
        self.versions.insert(unit(&kind), version.to_owned());
        kind.add_to(&mut self);
        self
    }

    /// Makes them the kinds of this process, before it does anything else.
    pub(crate) fn install(self) -> Result<(), String> {
        FRONTENDS.add(self.frontends)?;
        POOLINGS.add(self.poolings)?;
        SPLITS.add(self.splits)?;
        MODELS.add(self.models)?;
        RULES.add(self.rules)?;
        ADDED.set(self.versions).map_err(|_| "kinds have been added before".to_owned())
    }
}

fn unit<K: Kind>(of: &K) -> String {
    kind(K::AXIS, of.name())
}

/// Versions of the kinds that were added, by unit.
pub(crate) fn added() -> BTreeMap<String, String> {
    ADDED.get().cloned().unwrap_or_default()
}

macro_rules! on_axis {
    ($($kind:ty: $axis:ident;)+) => {
        $(impl OnAxis for $kind {
            fn add_to(self, registry: &mut Registry) {
                registry.$axis.push(self);
            }
        })+
    };
}

on_axis! {
    FrontendKind: frontends;
    PoolingKind: poolings;
    SplitKind: splits;
    ModelKind: models;
    RuleKind: rules;
}
