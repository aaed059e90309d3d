//! Which stages are fresh: keys from versions of the code, parameters and input contents, looked up in the store.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ambivox_artifacts::{Digest, KeyParts, Lookup, Record, StaleReason, Store, explain};
use anyhow::{Context as _, Result};

use crate::code::Code;
use crate::corpus;
use crate::experiment::Experiment;
use crate::graph::{Instance, Source};

/// How an instance stands.
#[derive(Debug)]
pub(crate) enum State {
    /// Its outputs are in the store.
    Fresh { key: Digest },
    /// It has to run.
    Stale { parts: KeyParts, reasons: Vec<StaleReason> },
    /// Its key is not known yet, since this instance has to run first.
    Waits { on: String },
}

/// Looks up instances in the order in which they depend on one another.
pub(crate) struct Resolver<'a> {
    pub(crate) experiment: &'a Experiment,
    pub(crate) store: &'a Store,
    pub(crate) code: Code,
    /// Records of the instances known to be fresh, by slot.
    made: BTreeMap<String, Record>,
    /// The corpus's root and digest, once somebody asked.
    pub(crate) corpus: Option<(PathBuf, Digest)>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(experiment: &'a Experiment, store: &'a Store, code: Code) -> Self {
        Self { experiment, store, code, made: BTreeMap::new(), corpus: None }
    }

    /// How an instance stands; one that is fresh can be built upon from now on.
    pub(crate) fn state(&mut self, instance: &Instance) -> Result<State> {
        let mut inputs = BTreeMap::new();
        for (role, source) in &instance.inputs {
            match self.input_digest(source)? {
                Some(digest) => drop(inputs.insert(role.clone(), digest)),
                None => return Ok(State::Waits { on: upstream(source) }),
            }
        }
        let parts = self.parts(instance, inputs)?;
        let key = parts.key();
        match self.store.lookup(&parts.stage, &key)? {
            Lookup::Fresh(record) => {
                self.made.insert(instance.slot.clone(), *record);
                Ok(State::Fresh { key })
            }
            Lookup::Damaged(reasons) => Ok(State::Stale { parts, reasons }),
            Lookup::Absent => {
                let reasons = self.reasons(instance, &parts)?;
                Ok(State::Stale { parts, reasons })
            }
        }
    }

    /// What the key of an instance stands for, given a digest for each of its inputs.
    pub(crate) fn parts(
        &self,
        instance: &Instance,
        inputs: BTreeMap<String, Digest>,
    ) -> Result<KeyParts> {
        let stage = instance.stage().to_owned();
        let code = self.code.of(&instance.work)?;
        Ok(KeyParts { stage, code, params: params(instance)?, inputs })
    }

    /// Takes note of what was made.
    pub(crate) fn add(&mut self, slot: &str, record: Record) {
        self.made.insert(slot.to_owned(), record);
    }

    /// The record of an instance known to be fresh.
    pub(crate) fn record(&self, slot: &str) -> Result<&Record> {
        self.made.get(slot).with_context(|| format!("{slot} has not been made"))
    }

    /// Where an output of an instance known to be fresh lies.
    pub(crate) fn output(&self, slot: &str, role: &str) -> Result<PathBuf> {
        let path = self.store.output(self.record(slot)?, role);
        path.with_context(|| format!("{slot} has no output {role}"))
    }

    /// Where an input lies.
    pub(crate) fn input(&self, source: &Source) -> Result<PathBuf> {
        match source {
            Source::Output { slot, role } => self.output(slot, role),
            Source::Corrections => self.experiment.corrections_file(),
            Source::Table => self.experiment.table_file(),
            Source::Parts => self.experiment.parts_file(),
            Source::Corpus => {
                let (root, _) =
                    self.corpus.as_ref().context("the corpus has not been looked up")?;
                Ok(root.clone())
            }
        }
    }

    fn input_digest(&mut self, source: &Source) -> Result<Option<Digest>> {
        match source {
            Source::Corpus => self.corpus_digest().map(Some),
            Source::Corrections | Source::Table | Source::Parts => {
                self.outside_digest(source).map(Some)
            }
            Source::Output { slot, role } => {
                let Some(record) = self.made.get(slot) else { return Ok(None) };
                let output = record.outputs.get(role);
                Ok(Some(output.with_context(|| format!("{slot} has no output {role}"))?.digest))
            }
        }
    }

    /// Digest of a file or folder outside of the store.
    pub(crate) fn outside_digest(&self, source: &Source) -> Result<Digest> {
        Ok(self.store.memo().content(&self.input(source)?)?.digest)
    }

    /// Digest of the corpus.
    pub(crate) fn corpus_digest(&mut self) -> Result<Digest> {
        if let Some((_, digest)) = &self.corpus {
            return Ok(*digest);
        }
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let root = self.experiment.corpus_root(variable)?;
        let listing = corpus::listing(self.store.memo(), &root, &self.experiment.manifest)?;
        self.corpus = Some((root, listing.digest));
        Ok(listing.digest)
    }

    /// Why there is nothing under this key: by comparison with what the slot last had.
    fn reasons(&self, instance: &Instance, parts: &KeyParts) -> Result<Vec<StaleReason>> {
        let Some(last) = self.store.last(&self.experiment.places(), &instance.slot)? else {
            return Ok(vec![StaleReason::NeverRan]);
        };
        let reasons = explain(&last.parts, parts);
        Ok(if reasons.is_empty() { vec![StaleReason::NeverRan] } else { reasons })
    }
}

/// The parameters alone, without the stage's name.
fn params(instance: &Instance) -> Result<serde_json::Value> {
    let mut work = serde_json::to_value(&instance.work)?;
    work.get_mut("params").map(serde_json::Value::take).context("the stage has no parameters")
}

fn upstream(source: &Source) -> String {
    match source {
        Source::Corpus => "the corpus".to_owned(),
        Source::Corrections => "the corrections".to_owned(),
        Source::Table => "the table of features".to_owned(),
        Source::Parts => "the list of parts".to_owned(),
        Source::Output { slot, .. } => slot.clone(),
    }
}
