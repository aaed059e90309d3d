//! The stage that ranks labels by how suspect they are: `audit.parquet`, `audit.csv` and
//! `audit.html`.

mod attention;
mod consensus;
mod precision;
mod previous_audit;
mod sound;

use std::collections::BTreeMap;

use ambivox_artifacts::StatMemo;
use ambivox_corpus::{Utterance, read_rated_index};
use ambivox_eval::audit::{Evidence, Suspect, rank, rank_by};
use ambivox_eval::{CHOSEN, CHOSEN_TITLE, Detector, NoiseSummary, combined};
use ambivox_models::compute_by;
use ambivox_report::{AuditEntry, AuditPage};
use ambivox_settings::{AuditParams, Exclusions, Grouping, Splits, role};
use rayon::prelude::*;

use crate::StageError;
use crate::evidence::Learned;
use crate::job::Job;
use crate::nearest_vectors::Neighbours;
use crate::tables::audit::Table;
use crate::tables::labels::read_learned;
use crate::tables::noise::{self, NoisyLabels};
use crate::tables::predictions;
use previous_audit::Carried;
use sound::Sound;

/// With the folds of one speaker alone there is none.
const NOTHING_TO_RANK: &str = "no label was both learned from in one fold and tested in another\n\
    hint: audit more folds, or all by leaving --fold out; where the parts are those of one list, divide by \
    split.kind = \"group-k-fold\"";

/// The index by utterance.
type Index<'a> = BTreeMap<&'a str, &'a Utterance>;

pub(crate) fn run(params: &AuditParams, job: &Job<'_>) -> Result<(), StageError> {
    compute_by(params.arithmetic);
    let splits: Splits = job.read_json(role::SPLITS)?;
    let classes = &splits.classes;
    let mut learned = learned(params, job, classes)?;
    let tested_by = add_out_of_fold(job, classes, &mut learned)?;
    let noise =
        job.optional_input(role::NOISE).map(|file| noise::read(file, classes)).transpose()?;
    let index = read_rated_index(job.input(role::INDEX)?)?;
    let index: Index<'_> = index.iter().map(|u| (u.utterance_id.as_str(), u)).collect();
    let exclusions: Exclusions = job.read_json(role::EXCLUSIONS)?;
    let label = |id: &str| match learned.get(id) {
        Some(learned) => classes.get(learned.gold).cloned(),
        None => index.get(id)?.gold.clone(),
    };
    let twins = twins(&exclusions.identical, label);
    let evidence = learned.iter().filter_map(|(id, learned)| {
        let utterance = index.get(id.as_str())?;
        let original = original(utterance, classes, noise.as_ref())?;
        let twin = twins.get(id.as_str()).cloned();
        let votes = |class| utterance.votes.get(class).copied().unwrap_or(0);
        let votes = classes.iter().map(votes).collect();
        Some(Evidence { original, twin, votes, ..learned.evidence(id) })
    });
    let mut evidence: Vec<Evidence> = evidence.filter(|one| !one.out_of_fold.is_empty()).collect();
    let labels = learned.iter().map(|(id, learned)| (id.clone(), learned.gold)).collect();
    Neighbours::read(job, &splits.utterances)?.tell(&mut evidence, &labels, classes.len());
    consensus::write(job, classes, &index, &evidence)?;
    let found = job.optional_input(role::NOISE_SUMMARY).map(|_| job.read_json(role::NOISE_SUMMARY));
    let found: Option<NoiseSummary> = found.transpose()?;
    let ranking = Ranking::of(params, found.as_ref(), &evidence)?;
    let suspects = ranking.rank(params, evidence)?;
    let held_out = held_out(&splits);
    let table = Table { classes, index: &index, suspects: &suspects, held_out };
    table.write_parquet(&job.output(role::AUDIT)?)?;
    table.write_csv(&job.output(role::AUDIT_CSV)?)?;
    let shown = Shown {
        index: &index,
        suspects: &suspects,
        held_out,
        ranked_by: ranking.title(),
        precision: found.map_or_else(Vec::new, |found| {
            precision::sentences(&params.method, &ranking.names(), &found, splits.utterances.len())
        }),
        attention: attention::out_of_fold(job, &tested_by)?,
        carried: Carried::read(params, job, &splits)?,
    };
    write_page(params, job, classes, &shown)
}

/// What ranks the utterances.
enum Ranking {
    /// Learned label and loss.
    LabelAndLoss,
    /// The detector that was asked for.
    By(&'static Detector),
    /// Those that together find the most noisy labels.
    Chosen(Vec<&'static Detector>),
}

impl Ranking {
    /// That of the detector asked for; else by the margin, where runs kept the course of training.
    fn of(
        params: &AuditParams,
        found: Option<&NoiseSummary>,
        evidence: &[Evidence],
    ) -> Result<Self, StageError> {
        if evidence.is_empty() {
            return Err(StageError::Usage(NOTHING_TO_RANK.to_owned()));
        }
        let find = |name: &str| {
            let detector = Detector::find(name).map(|(_, detector)| detector);
            detector.ok_or_else(|| StageError::Request(format!("there is no detector {name}")))
        };
        match &params.detector {
            None if evidence.iter().any(|one| one.margin.is_some()) => {
                Ok(Self::By(find(Detector::DEFAULT[0])?))
            }
            None => Ok(Self::LabelAndLoss),
            Some(name) if name == CHOSEN => {
                let chosen = found.and_then(|found| found.chosen.get(&params.method));
                let chosen = chosen.ok_or_else(|| says_nothing(params))?;
                Ok(Self::Chosen(chosen.iter().map(|name| find(name)).collect::<Result<_, _>>()?))
            }
            Some(name) => Ok(Self::By(find(name)?)),
        }
    }

    fn rank(
        &self,
        params: &AuditParams,
        evidence: Vec<Evidence>,
    ) -> Result<Vec<Suspect>, StageError> {
        let scores: Vec<Option<f64>> = match self {
            Self::LabelAndLoss => return Ok(rank(evidence)),
            Self::By(detector) => detector.scores(&evidence),
            Self::Chosen(chosen) => combined(chosen, &evidence),
        };
        if scores.iter().all(Option::is_none) {
            return Err(says_nothing(params));
        }
        Ok(rank_by(scores, evidence))
    }

    /// Names under which label noise tells what such a ranking finds, the first that it has.
    fn names(&self) -> Vec<&'static str> {
        match self {
            Self::LabelAndLoss => Detector::DEFAULT[1..].to_vec(),
            Self::By(detector) => vec![detector.name],
            Self::Chosen(_) => vec![CHOSEN],
        }
    }

    /// In words for the page.
    fn title(&self) -> Option<String> {
        match self {
            Self::LabelAndLoss => None,
            Self::By(detector) => Some(detector.title.to_owned()),
            Self::Chosen(chosen) => {
                let titles = chosen.iter().map(|one| format!("“{}”", one.title));
                Some(format!("{CHOSEN_TITLE}, {}", titles.collect::<Vec<_>>().join(" and ")))
            }
        }
    }
}

fn says_nothing(params: &AuditParams) -> StageError {
    let name = params.detector.as_deref().unwrap_or_default();
    StageError::Usage(format!(
        "the detector {name} says nothing of the labels of {}\n\
         hint: name another with --detector, or another method with --method",
        params.method
    ))
}

/// What a model did not train on that tests an utterance: its speaker, or the utterance alone.
fn held_out(splits: &Splits) -> &'static str {
    let whole = matches!(splits.grouping, Grouping::Speaker | Grouping::Session)
        && splits.folds.iter().all(|fold| fold.in_two_parts.is_empty());
    if whole { "speaker" } else { "utterance" }
}

/// Of utterances with the same recording, by id: another of them with another label, and that label.
fn twins(
    identical: &[Vec<String>],
    label: impl Fn(&str) -> Option<String>,
) -> BTreeMap<&str, (String, String)> {
    let mut twins = BTreeMap::new();
    for ids in identical {
        let labelled: Vec<(&str, String)> =
            ids.iter().filter_map(|id| Some((id.as_str(), label(id)?))).collect();
        for (id, own) in &labelled {
            if let Some((other, label)) = labelled.iter().find(|(_, label)| label != own) {
                twins.insert(*id, ((*other).to_owned(), label.clone()));
            }
        }
    }
    twins
}

/// What the page shows of the utterances.
struct Shown<'a> {
    index: &'a Index<'a>,
    suspects: &'a [Suspect],
    held_out: &'static str,
    ranked_by: Option<String>,
    precision: Vec<String>,
    attention: BTreeMap<String, Vec<f32>>,
    carried: Carried,
}

fn write_page(
    params: &AuditParams,
    job: &Job<'_>,
    classes: &[String],
    shown: &Shown<'_>,
) -> Result<(), StageError> {
    let Shown { index, suspects, held_out, ranked_by, precision, attention, carried } = shown;
    let root = job.input(role::CORPUS)?;
    let entry = |(place, suspect): (usize, &'_ Suspect)| {
        let id = suspect.evidence.utterance_id.as_str();
        let utterance =
            index.get(id).ok_or_else(|| StageError::Data(format!("{id} is not in the index")))?;
        let sound = if params.manifest.has_recordings() {
            Sound::read(root, utterance, place < params.sounds)?
        } else {
            Sound::default()
        };
        Ok((*utterance, sound))
    };
    let sounds: Vec<(&Utterance, Sound)> =
        suspects.par_iter().enumerate().map(entry).collect::<Result<_, StageError>>()?;
    let entries = suspects.iter().zip(sounds).map(|(suspect, (utterance, sound))| AuditEntry {
        suspect,
        speaker: &utterance.speaker,
        path: &utterance.path,
        start_s: utterance.start_s,
        end_s: utterance.end_s,
        seconds: sound.seconds,
        peaks: sound.peaks,
        attention: attention.get(&utterance.utterance_id).cloned().unwrap_or_default(),
        wav: sound.wav,
    });
    // Without frames there is no attention to show at a time.
    let [step_s, frame_s] = params.frame_times_s.unwrap_or_default();
    let page = AuditPage {
        manifest: &params.manifest,
        method: &params.method,
        ranked_by: ranked_by.as_deref(),
        classes,
        precision,
        held_out,
        digest: &StatMemo::in_memory().file(&job.output(role::AUDIT)?)?.digest.to_string(),
        step_s,
        frame_s,
        entries: &entries.collect::<Vec<_>>(),
        earlier: &carried.decisions,
        save_as: carried.save_as(),
    };
    Ok(page.write(&job.output(role::AUDIT_PAGE)?)?)
}

/// The label before any reviewer corrected it: that of the corpus, or the one exchanged for it.
fn original(
    utterance: &Utterance,
    classes: &[String],
    noise: Option<&NoisyLabels>,
) -> Option<usize> {
    match noise {
        Some(noise) => noise.get(&utterance.utterance_id).map(|label| label.given),
        None => classes.iter().position(|class| Some(class) == utterance.gold.as_ref()),
    }
}

fn learned(
    params: &AuditParams,
    job: &Job<'_>,
    classes: &[String],
) -> Result<BTreeMap<String, Learned>, StageError> {
    let mut learned: BTreeMap<String, Learned> = BTreeMap::new();
    for (run, file) in job.run_inputs(role::LABELS)? {
        if run.method.id() != params.method {
            return Err(StageError::Request(format!("{run} is not of {}", params.method)));
        }
        for label in read_learned(file, classes)?.into_values().flatten() {
            let new = || Learned::of(label.gold);
            let of_utterance = learned.entry(label.utterance_id.clone()).or_insert_with(new);
            if of_utterance.gold != label.gold {
                let id = label.utterance_id;
                return Err(StageError::Request(format!("{id} has another label in {run}")));
            }
            of_utterance.add(&label);
        }
    }
    Ok(learned)
}

/// Adds the predictions of the models that did not train on an utterance; returns the fold that tests each.
fn add_out_of_fold(
    job: &Job<'_>,
    classes: &[String],
    learned: &mut BTreeMap<String, Learned>,
) -> Result<BTreeMap<String, String>, StageError> {
    let mut tested_by = BTreeMap::new();
    for (run, file) in job.run_inputs(role::PREDICTIONS)? {
        for tested in predictions::read_test(file, classes)? {
            if let Some(learned) = learned.get_mut(&tested.utterance_id) {
                learned.add_out_of_fold(&tested.probabilities);
            }
            tested_by.insert(tested.utterance_id, run.fold.clone());
        }
    }
    Ok(tested_by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_are_those_of_another_label() {
        let group = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let identical = [group(&["a1", "a2", "b1"]), group(&["c1", "c2"]), group(&["d1", "?"])];
        // The letter is the label; one has none.
        let label = |id: &str| (id != "?").then(|| id[..1].to_owned());
        let found = twins(&identical, label);
        let told: Vec<(&str, &str, &str)> =
            found.iter().map(|(id, (twin, label))| (*id, twin.as_str(), label.as_str())).collect();
        assert_eq!(told, [("a1", "b1", "b"), ("a2", "b1", "b"), ("b1", "a1", "a")]);
    }
}
