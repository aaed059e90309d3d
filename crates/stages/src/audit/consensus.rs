//! `consensus.csv` and `annotators.csv`: what those who rated an utterance say together with the models that did
//! not train on it, and what each of them is worth.

use std::collections::BTreeMap;

use ambivox_eval::audit::Evidence;
use ambivox_eval::{Crowdlab, DawidSkene, Rating, argmax};
use ambivox_settings::{guard, role};

use crate::StageError;
use crate::annotators::Rated;
use crate::job::Job;
use crate::tables::write_csv;

use super::Index;

/// Columns of `consensus.csv`.
const CONSENSUS: [&str; 8] = [
    "utterance_id",
    "label",
    "ratings",
    "dawid_skene",
    "dawid_skene_probability",
    "crowdlab",
    "crowdlab_quality",
    "model",
];

/// Columns of `annotators.csv`.
const ANNOTATORS: [&str; 6] = [
    "annotator",
    "ratings",
    "agreement_with_others",
    "agreement_with_model",
    "dawid_skene_accuracy",
    "crowdlab_quality",
];

/// Writes both tables, of the utterances that have evidence and ratings: those of the least quality first. Where
/// the corpus does not tell who rated, they have headers alone.
pub(super) fn write(
    job: &Job<'_>,
    classes: &[String],
    index: &Index<'_>,
    evidence: &[Evidence],
) -> Result<(), StageError> {
    let utterances = evidence.iter().filter_map(|one| index.get(one.utterance_id.as_str()));
    let rated = Rated::of(utterances.copied(), classes)?;
    let told = rated.map(|rated| Told::of(rated, evidence)).transpose()?;
    let of = |told: &Told| (told.utterances(classes), told.annotators());
    let (consensus, annotators) = told.as_ref().map(of).unwrap_or_default();
    write_csv(&job.output(role::CONSENSUS)?, CONSENSUS, consensus)?;
    write_csv(&job.output(role::ANNOTATORS)?, ANNOTATORS, annotators)
}

/// What annotators and models tell of the same utterances.
struct Told {
    rated: Rated,
    /// The label of each utterance.
    labels: Vec<usize>,
    /// The class that the models predict which did not train on it.
    predicted: Vec<usize>,
    dawid_skene: DawidSkene,
    crowdlab: Option<Crowdlab>,
}

impl Told {
    fn of(rated: Rated, evidence: &[Evidence]) -> Result<Self, StageError> {
        let places: BTreeMap<&str, &Evidence> =
            evidence.iter().map(|one| (one.utterance_id.as_str(), one)).collect();
        let of: Vec<&Evidence> =
            rated.utterances.iter().filter_map(|id| places.get(id.as_str()).copied()).collect();
        let model: Vec<Vec<f64>> = of.iter().map(|one| one.out_of_fold.clone()).collect();
        Ok(Self {
            labels: of.iter().map(|one| one.gold).collect(),
            predicted: model.iter().map(|p| argmax(p)).collect::<Result<_, _>>()?,
            dawid_skene: DawidSkene::of(&rated.ratings),
            crowdlab: Crowdlab::of(&rated.ratings, &model)?,
            rated,
        })
    }

    /// A row an utterance, that of the least quality first; by Dawid and Skene where no utterance has two ratings.
    fn utterances(&self, classes: &[String]) -> Vec<Vec<String>> {
        let best = |p: &Vec<f64>| argmax(p).unwrap_or_default();
        let named: Vec<usize> = self.dawid_skene.probabilities.iter().map(best).collect();
        let probability = |place: usize| self.dawid_skene.probabilities[place][named[place]];
        let quality = self.crowdlab.as_ref().map(Crowdlab::quality);
        let rank = |place: &usize| quality.as_ref().map_or(probability(*place), |of| of[*place]);
        let mut places: Vec<usize> = (0..named.len()).collect();
        places.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
        let name = |class: usize| guard(&classes[class]).into_owned();
        let row = |place: usize| {
            let consensus = self.crowdlab.as_ref().map(|found| found.consensus[place]);
            vec![
                guard(&self.rated.utterances[place]).into_owned(),
                name(self.labels[place]),
                self.ratings(classes, place),
                name(named[place]),
                format!("{:.4}", probability(place)),
                consensus.map_or_else(String::new, name),
                number(quality.as_ref().map(|of| of[place])),
                name(self.predicted[place]),
            ]
        };
        places.into_iter().map(row).collect()
    }

    /// `E1 anger, E2 fear`.
    fn ratings(&self, classes: &[String], place: usize) -> String {
        let named = |rating: &Rating| {
            format!("{} {}", self.rated.annotators[rating.annotator], classes[rating.class])
        };
        let ratings: Vec<String> =
            self.rated.ratings.utterances()[place].iter().map(named).collect();
        guard(&ratings.join(", ")).into_owned()
    }

    /// A row an annotator, the one of the least quality first.
    fn annotators(&self) -> Vec<Vec<String>> {
        let ratings = &self.rated.ratings;
        let (numbers, others) = (ratings.by_annotator(), ratings.agreement_with_others());
        let model = ratings.agreement_with(&self.predicted);
        let accuracy = self.dawid_skene.accuracy(ratings);
        let none = vec![None; numbers.len()];
        let quality = self.crowdlab.as_ref().map_or(&none, |found| &found.annotator_quality);
        let mut places: Vec<usize> = (0..numbers.len()).collect();
        let rank = |place: &usize| quality[*place].or(accuracy[*place]).unwrap_or(f64::INFINITY);
        places.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
        let row = |place: usize| {
            vec![
                guard(&self.rated.annotators[place]).into_owned(),
                numbers[place].to_string(),
                number(others[place]),
                number(model[place]),
                number(accuracy[place]),
                number(quality[place]),
            ]
        };
        places.into_iter().map(row).collect()
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.4}"))
}
