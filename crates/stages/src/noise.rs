//! The noise stage: labels exchanged at a known rate.

use ambivox_corpus::{Confusions, Utterance, confusions, exchange_labels};
use ambivox_settings::{NoiseKind, NoiseParams, Splits, role};

use crate::job::Job;
use crate::tables::noise;
use crate::{StageError, taking_part};

pub(crate) fn run(params: &NoiseParams, job: &Job<'_>) -> Result<(), StageError> {
    let splits: Splits = job.read_json(role::SPLITS)?;
    let utterances = taking_part::read(&splits, job)?;
    let utterances: Vec<&Utterance> = utterances.iter().collect();
    if params.kind == NoiseKind::Votes {
        check_votes(&confusions(&utterances, &splits.classes), params.rate)?;
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
}
