//! The noise stage: labels exchanged at a known rate.

use ambivox_corpus::{Confusions, Utterance, confusions, exchange_labels};
use ambivox_settings::{NoiseKind, NoiseParams, Splits, role};

use crate::job::Job;
use crate::tables::noise;
use crate::{StageError, included};

pub(crate) fn run(params: &NoiseParams, job: &Job<'_>) -> Result<(), StageError> {
    let splits: Splits = job.read_json(role::SPLITS)?;
    let utterances = included::read(&splits, job)?;
    let utterances: Vec<&Utterance> = utterances.iter().collect();
    if params.kind == NoiseKind::Votes {
        check_votes(&confusions(&utterances, &splits.classes), params.rate)?;
    }
    if let NoiseKind::Unrecognised(attribute) = &params.kind {
        check_attribute(&utterances, attribute)?;
    }
    let labels = exchange_labels(&utterances, &splits.classes, params);
    noise::write(&job.output(role::NOISE)?, &splits.classes, &labels)
}

/// Whether annotators disagree, and no class so much more than others that the rate would exchange more labels
/// of it than there are.
fn check_votes(rows: &Confusions, rate: f64) -> Result<(), StageError> {
    let sums = rows.values().map(|row| row.values().sum::<f64>());
    let most = sums.fold(0.0, f64::max);
    if most == 0.0 {
        return Err(StageError::Usage(
            "label_noise.kind is \"votes\", and no utterance has a vote for another class than its own\n\
             hint: \"symmetric\", or rows of your own: { class-dependent = … }"
                .to_owned(),
        ));
    }
    if rate * most > 1.0 {
        return Err(StageError::Usage(format!(
            "label_noise.rates: {rate}; by these votes one class is confused {most:.2} times as often as \
             all are, so that at most {:.2} of the labels can be exchanged",
            1.0 / most
        )));
    }
    Ok(())
}

/// Whether every utterance has the attribute, and it is a share.
fn check_attribute(utterances: &[&Utterance], attribute: &str) -> Result<(), StageError> {
    let fault = |one: &&Utterance| {
        let found = match one.attributes.get(attribute) {
            Some(share) if (0.0..=1.0).contains(share) => return None,
            Some(value) => {
                format!("is {value} of {}; a share from 0 to 1 is expected", one.utterance_id)
            }
            None => format!("is not known of {}; EmoDB has recognition_rate", one.utterance_id),
        };
        Some(format!("label_noise.kind is {{ unrecognised = {attribute:?} }}, which {found}"))
    };
    utterances.iter().find_map(fault).map_or(Ok(()), |text| Err(StageError::Usage(text)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn votes_have_to_disagree_and_to_leave_room_for_the_rate() {
        let row = |sum: f64| BTreeMap::from([("anger".to_owned(), sum)]);
        let rows =
            BTreeMap::from([("sadness".to_owned(), row(2.5)), ("calm".to_owned(), row(0.5))]);
        assert!(check_votes(&rows, 0.4).is_ok());
        let refused = |rows, rate| check_votes(rows, rate).unwrap_err().to_string();
        assert!(refused(&rows, 0.5).contains("at most 0.40 of the labels"));
        assert!(refused(&BTreeMap::new(), 0.1).contains("no utterance has a vote"));
    }

    #[test]
    fn the_attribute_has_to_be_a_share_of_every_utterance() {
        let mut utterance = Utterance::of("toy", "a", "a.wav", "ann");
        let refused = |utterance: &Utterance| check_attribute(&[utterance], "recognition_rate");
        assert!(refused(&utterance).unwrap_err().to_string().contains("is not known of a"));
        utterance.attributes.insert("recognition_rate".to_owned(), 95.0);
        assert!(refused(&utterance).unwrap_err().to_string().contains("is 95 of a; a share"));
        utterance.attributes.insert("recognition_rate".to_owned(), 0.95);
        assert!(refused(&utterance).is_ok());
    }
}
