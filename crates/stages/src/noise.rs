//! The noise stage: labels exchanged at a known rate.

use ambivox_corpus::{Utterance, confusions, exchange_labels};
use ambivox_settings::{NoiseKind, NoiseParams, Splits, role};

use crate::job::Job;
use crate::tables::noise;
use crate::{StageError, taking_part};

pub(crate) fn run(params: &NoiseParams, job: &Job<'_>) -> Result<(), StageError> {
    let splits: Splits = job.read_json(role::SPLITS)?;
    let utterances = taking_part::read(&splits, job)?;
    let utterances: Vec<&Utterance> = utterances.iter().collect();
    if params.kind == NoiseKind::Votes && confusions(&utterances, &splits.classes).is_empty() {
        return Err(StageError::Usage(
            "label_noise.kind is \"votes\", and no utterance has a vote for another class than its own\n\
             hint: \"symmetric\", or rows of your own: { class-dependent = … }"
                .to_owned(),
        ));
    }
    let labels = exchange_labels(&utterances, &splits.classes, params);
    noise::write(&job.output(role::NOISE)?, &splits.classes, &labels)
}
