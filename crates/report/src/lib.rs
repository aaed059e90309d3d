//! The HTML report and its SVG figures.
//!
//! From records to one self-contained page: no font, no image and no address that a browser would
//! load; the scripts are in the page, and it can be read without them. Figures are SVG that takes its
//! colours from the page's style sheet, so that they follow a reader's light or dark setting and
//! print. The same records give the same bytes.

mod audit;
mod format;
mod page;
mod sections;
mod svg;

use std::collections::BTreeMap;
use std::path::Path;

pub use audit::{AuditEntry, AuditPage, COLUMNS, PreviousDecision, SaveAs};

use ambivox_eval::{
    NoiseSummary, PaperEvaluation, RunHistory, Summary, method_title, paper_evaluation,
};
use ambivox_settings::{CorrectionCounts, Exclusions, IndexSummary, Manifest, Pipeline, Splits};
use fs_err as fs;

/// Everything that a report shows.
#[derive(Debug, Clone, Copy)]
pub struct ReportInput<'a> {
    /// Headline.
    pub title: &'a str,
    /// The corpus: name, licence, citation and whether it is synthetic.
    pub manifest: &'a Manifest,
    /// The kind of model that the methods train.
    pub model: &'a str,
    /// The kinds of those that methods have in its place, by method.
    pub own_models: &'a BTreeMap<String, String>,
    /// Text of the pipeline file, shown as the settings.
    pub pipeline_toml: &'a str,
    /// The rates.
    pub summary: &'a Summary,
    /// What the corpus holds.
    pub index: &'a IndexSummary,
    /// What was excluded.
    pub exclusions: &'a Exclusions,
    /// The folds: test and validation sets.
    pub splits: &'a Splits,
    /// The learning curves of every run, in any order.
    pub histories: &'a [RunHistory],
    /// What label noise did, where it was added on purpose.
    pub noise: Option<&'a NoiseSummary>,
    /// Whether every class of a speaker was cut to that speaker's smallest, as in the paper's second
    /// evaluation.
    pub balanced: bool,
    /// What the pipeline's `[corrections]` did to the labels trained on, and whether to those tested
    /// too. What the manifest's own did is in the index.
    pub corrections: Option<(&'a CorrectionCounts, bool)>,
    /// Versions and digests, as label and value, in the order to show them.
    pub provenance: &'a [(String, String)],
}

impl ReportInput<'_> {
    /// What a method is called: as in the paper if it trains the paper's network, else by its id.
    fn title_of<'t>(&self, id: &'t str) -> &'t str {
        let papers = self.is_of_the_papers_network() && !self.own_models.contains_key(id);
        if papers { method_title(id) } else { id }
    }

    fn is_of_the_papers_network(&self) -> bool {
        self.model == Pipeline::PAPERS_MODEL
    }

    /// The published figures that are comparable.
    fn paper(&self) -> PaperEvaluation {
        paper_evaluation(self.balanced)
    }

    /// Whether any of the records says that the corpus is synthetic.
    fn synthetic(&self) -> bool {
        self.manifest.synthetic || self.summary.synthetic
    }
}

/// The report as one HTML document.
pub fn render(input: &ReportInput<'_>) -> String {
    page::document(input).into_string()
}

/// Writes the report to `file`; the error names the file.
pub fn write(file: &Path, input: &ReportInput<'_>) -> std::io::Result<()> {
    fs::write(file, render(input))
}
