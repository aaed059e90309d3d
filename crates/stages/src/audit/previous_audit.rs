//! The decisions that the runs had read, which the file saved from the page has too.

use std::collections::{BTreeMap, BTreeSet};

use ambivox_corpus::{Corrections, Decision};
use ambivox_report::{PreviousDecision, SaveAs};
use ambivox_settings::{AuditParams, Splits, role};

use crate::StageError;
use crate::job::Job;

/// Decisions, and where a file that has them is to go.
pub(super) struct Carried {
    pub(super) decisions: Vec<PreviousDecision>,
    file: Option<File>,
}

enum File {
    OfPipeline(String),
    OfManifest(String),
}

impl Carried {
    /// Reads the files that `[corrections]` and the manifest name.
    ///
    /// A file for `[corrections]` meets the labels that the manifest's has corrected already, so of
    /// that one it says that they are kept. Labels that were exchanged afterwards it does not concern.
    pub(super) fn read(
        params: &AuditParams,
        job: &Job<'_>,
        splits: &Splits,
    ) -> Result<Self, StageError> {
        let own = job.optional_input(role::CORRECTIONS).map(Corrections::read).transpose()?;
        let exchanged = job.optional_input(role::NOISE).is_some();
        let of_corpus = Corrections::of_corpus(job.input(role::CORPUS)?, &params.manifest)?;
        let of_corpus = of_corpus.filter(|_| !exchanged);
        let named = params.manifest.csv.as_ref().and_then(|layout| layout.corrections.clone());
        let mut decisions: BTreeMap<String, Decision> = BTreeMap::new();
        let told = of_corpus.iter().flat_map(Corrections::decisions);
        if own.is_some() {
            let takes_part: BTreeSet<&str> = splits.utterances.iter().map(String::as_str).collect();
            let told = told.filter(|(id, _)| takes_part.contains(id));
            decisions.extend(told.map(|(id, decision)| (id.to_owned(), kept(decision))));
        } else {
            decisions.extend(told.map(|(id, decision)| (id.to_owned(), decision.clone())));
        }
        let told = own.iter().flat_map(Corrections::decisions);
        decisions.extend(told.map(|(id, decision)| (id.to_owned(), decision.clone())));
        let file = match (&params.corrections, of_corpus.and(named)) {
            (Some(section), _) => Some(File::OfPipeline(section.file.display().to_string())),
            (None, named) => named.map(File::OfManifest),
        };
        Ok(Self { decisions: decisions.into_iter().map(previous).collect(), file })
    }

    /// Where the page's file is to go.
    pub(super) fn save_as(&self) -> SaveAs<'_> {
        match &self.file {
            None => SaveAs::New,
            Some(File::OfPipeline(file)) => SaveAs::OfPipeline(file),
            Some(File::OfManifest(file)) => SaveAs::OfManifest(file),
        }
    }
}

/// A label that is corrected already, and stays so.
fn kept(decision: &Decision) -> Decision {
    let Decision { label, comment, .. } = decision.clone();
    Decision { given: label.clone(), label, word: "reject".to_owned(), comment }
}

fn previous((utterance_id, decision): (String, Decision)) -> PreviousDecision {
    let Decision { given, label, word, comment } = decision;
    PreviousDecision { utterance_id, given, label, decision: word, comment }
}
