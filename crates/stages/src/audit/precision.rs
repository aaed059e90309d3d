//! How far the ranking is to be trusted: what it found among labels of this corpus that were exchanged on purpose.

use ambivox_eval::{FIRST, NoiseDetection, NoiseSummary};

/// A sentence for each rate of label noise, of the first of these scores that a method has.
pub(super) fn sentences(
    method: &str,
    scores: &[&str],
    summary: &NoiseSummary,
    utterances: usize,
) -> Vec<String> {
    let by = |score: &&str| {
        let found = summary.detection.iter();
        let found = found.filter(|one| one.method == method && one.score == **score);
        found.filter_map(|one| sentence(one, &summary.kind, utterances)).collect::<Vec<_>>()
    };
    scores.iter().map(by).find(|found| !found.is_empty()).unwrap_or_default()
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
    use ambivox_eval::{Detector, Spread};

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
