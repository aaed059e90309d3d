//! How far the ranking is to be trusted: what it found among labels of this corpus that were exchanged on purpose.

use ambivox_eval::{Detector, FIRST, NoiseDetection, NoiseSummary};
use ambivox_settings::{AuditParams, role};

use crate::StageError;
use crate::job::Job;

/// A sentence for each rate at which labels of so many utterances were exchanged; none where that was not asked for.
pub(super) fn sentences(
    params: &AuditParams,
    job: &Job<'_>,
    utterances: usize,
) -> Result<Vec<String>, StageError> {
    if job.optional_input(role::NOISE_SUMMARY).is_none() {
        return Ok(Vec::new());
    }
    let summary: NoiseSummary = job.read_json(role::NOISE_SUMMARY)?;
    let by = |detector: &str| {
        let found = summary.detection.iter();
        let found = found.filter(|one| one.method == params.method && one.score == detector);
        found.filter_map(|one| sentence(one, &summary.kind, utterances)).collect::<Vec<_>>()
    };
    let asked = match &params.detector {
        Some(detector) => vec![detector.as_str()],
        None => Detector::DEFAULT.to_vec(),
    };
    Ok(asked.into_iter().map(by).find(|found| !found.is_empty()).unwrap_or_default())
}

/// How many of the first labels were exchanged ones, of those numbers of first labels that there are.
fn sentence(found: &NoiseDetection, kind: &str, utterances: usize) -> Option<String> {
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let first = FIRST.into_iter().zip(found.first).filter(|(first, _)| *first <= utterances);
    let first =
        first.map(|(number, share)| format!("{} of the first {number}", percent(share.mean)));
    let first: Vec<String> = first.collect();
    let rate = percent(found.rate);
    (!first.is_empty()).then(|| {
        format!(
            "With {rate} of the labels of this corpus exchanged on purpose ({kind} noise), a ranking by the same \
             method and detector over all folds named exchanged ones: {}. Chance is {rate}.",
            first.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use ambivox_eval::Spread;

    use super::*;

    #[test]
    fn a_rate_has_a_sentence() {
        let spread = |mean| Spread { mean, sd: None };
        let found = NoiseDetection {
            rate: 0.1,
            method: "lw".to_owned(),
            score: Detector::DEFAULT[0].to_owned(),
            auroc: spread(0.9),
            average_precision: spread(0.9),
            first: [spread(1.0), spread(0.94), spread(0.613)],
            alone: None,
        };
        let expected = "With 10 % of the labels of this corpus exchanged on purpose (symmetric noise), a ranking by \
            the same method and detector over all folds named exchanged ones: 100 % of the first 20, 94 % of the \
            first 50. Chance is 10 %.";
        assert_eq!(sentence(&found, "symmetric", 60).unwrap(), expected);
        assert_eq!(sentence(&found, "symmetric", 19), None);
    }
}
