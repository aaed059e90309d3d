//! Which labels are not those of the corpus: corrected by a reviewer, or noisy on purpose.

use ambivox_settings::CorrectionCounts;
use maud::{Markup, html};

use crate::ReportInput;
use crate::format::{count, counted};

/// A sentence or more on each way in which labels were changed; nothing where they were not.
pub(crate) fn render(input: &ReportInput<'_>) -> Markup {
    let of_corpus = input.index.corrections.as_ref();
    html! {
        @if let Some(counts) = of_corpus {
            p { strong { "Corrected labels. " } (done(counts))
                " of " (counted(input.index.utterances as usize, "utterance"))
                " of the corpus, as the manifest says. All counts and results of this page are with the \
                 corrected labels." }
        }
        @if let Some((counts, tested)) = input.corrections {
            p { strong { "Corrected labels. " } (done(counts))
                " of " (counted(input.splits.utterances.len(), "utterance"))
                " that are included, as the pipeline says. The training and validation sets have the \
                 corrected labels; the test sets " (if tested { "have them too" } else { "keep the original ones" })
                ". Table 1 counts the original labels." }
        }
        @if let Some(share) = noisy(input) {
            p { strong { "Label noise. " }
                "At least " (share)
                " of the gold labels of the training and validation sets are noisy on purpose." }
        }
    }
}

/// The same in a few words, for the head of the page.
pub(crate) fn in_brief(input: &ReportInput<'_>) -> String {
    let of_corpus = input.index.corrections.as_ref();
    let of_pipeline = input.corrections.map(|(counts, _)| counts);
    let changed: u64 = [of_corpus, of_pipeline].into_iter().flatten().map(|c| c.changed).sum();
    let corrected =
        (changed > 0).then(|| format!(" {} corrected.", counted(changed as usize, "label")));
    let noisy = noisy(input).map(|share| format!(" Label noise added on purpose: {share}."));
    corrected.into_iter().chain(noisy).collect()
}

/// `The file x.csv changes 3 labels and keeps 1 that was reviewed`.
fn done(counts: &CorrectionCounts) -> Markup {
    let CorrectionCounts { file, changed, kept } = counts;
    html! {
        "The reviewer’s file " code { (file) } " changes "
        (counted(*changed as usize, "label")) " and keeps " (count(*kept)) " after review,"
    }
}

/// The share of noisy labels in the runs that the page is about, where it is above 0.
fn noisy(input: &ReportInput<'_>) -> Option<String> {
    let points = input.noise?.methods.values().flatten();
    let least = points.map(|point| point.rate).min_by(f64::total_cmp)?;
    (least > 0.0).then(|| format!("{:.0} %", 100.0 * least))
}
