//! Who rated what how: a corpus's ratings by number, for the statistics of `ambivox-eval`.

use std::collections::{BTreeMap, BTreeSet};

use ambivox_corpus::Utterance;
use ambivox_eval::{DawidSkene, Rating, Ratings};
use ambivox_settings::{AnnotatorSummary, AnnotatorsSummary};

use crate::StageError;

/// Ratings, and the names of what they number.
pub(crate) struct Rated {
    /// Names of the annotators.
    pub(crate) annotators: Vec<String>,
    /// Ids of the utterances.
    pub(crate) utterances: Vec<String>,
    /// The ratings, by place in these and in the labels that were given.
    pub(crate) ratings: Ratings,
}

impl Rated {
    /// What annotators said of these utterances, as far as they named one of the labels; utterances of which
    /// nobody did are left out. None where there are no others.
    pub(crate) fn of<'a>(
        utterances: impl IntoIterator<Item = &'a Utterance>,
        labels: &[String],
    ) -> Result<Option<Self>, StageError> {
        let place = |label: &String| labels.iter().position(|one| one == label);
        let named = |utterance: &'a Utterance| {
            let pairs = utterance.ratings.iter();
            pairs.flat_map(|(who, labels)| labels.iter().map(move |label| (who, label)))
        };
        let mut rated: Vec<(&str, Vec<(&String, usize)>)> = Vec::new();
        for utterance in utterances {
            let found = named(utterance).filter_map(|(who, label)| Some((who, place(label)?)));
            let found: Vec<_> = found.collect();
            if !found.is_empty() {
                rated.push((&utterance.utterance_id, found));
            }
        }
        if rated.is_empty() {
            return Ok(None);
        }
        let names: BTreeSet<&String> =
            rated.iter().flat_map(|(_, found)| found.iter().map(|(who, _)| *who)).collect();
        let numbers: BTreeMap<&String, usize> = names.iter().copied().zip(0..).collect();
        let rating = |&(who, class): &(&String, usize)| Rating { annotator: numbers[who], class };
        let ratings = rated.iter().map(|(_, found)| found.iter().map(rating).collect());
        Ok(Some(Self {
            ratings: Ratings::new(labels.len(), ratings.collect())?,
            utterances: rated.iter().map(|(id, _)| (*id).to_owned()).collect(),
            annotators: names.into_iter().cloned().collect(),
        }))
    }

    /// How far all agree, and each with the others.
    fn summary(&self) -> AnnotatorsSummary {
        let of_each = self.ratings.by_annotator().into_iter();
        let agreement = self.ratings.agreement_with_others();
        let accuracy = DawidSkene::of(&self.ratings).accuracy(&self.ratings);
        let of_each = of_each.zip(agreement).zip(accuracy).zip(&self.annotators);
        let several = self.ratings.raters().into_iter().filter(|raters| *raters > 1);
        AnnotatorsSummary {
            ratings: self.ratings.len() as u64,
            rated: [self.utterances.len() as u64, several.count() as u64],
            fleiss_kappa: self.ratings.fleiss_kappa(),
            krippendorff_alpha: self.ratings.krippendorff_alpha(),
            annotators: of_each
                .map(|(((ratings, agreement), accuracy), annotator)| AnnotatorSummary {
                    annotator: annotator.clone(),
                    ratings: ratings as u64,
                    agreement,
                    accuracy,
                })
                .collect(),
        }
    }
}

/// The annotators of a corpus, by all labels that they name; none where it does not tell who they are.
pub(crate) fn summarise(utterances: &[Utterance]) -> Result<Option<AnnotatorsSummary>, StageError> {
    let named = utterances.iter().flat_map(|utterance| utterance.ratings.values().flatten());
    let labels: BTreeSet<&String> = named.collect();
    let labels: Vec<String> = labels.into_iter().cloned().collect();
    Ok(Rated::of(utterances, &labels)?.map(|rated| rated.summary()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utterance(id: &str, ratings: &[(&str, &[&str])]) -> Utterance {
        let labels = |labels: &[&str]| labels.iter().map(|&label| label.to_owned()).collect();
        let ratings = ratings.iter().map(|&(who, named)| (who.to_owned(), labels(named)));
        Utterance { ratings: ratings.collect(), ..Utterance::of("toy", id, id, "s") }
    }

    #[test]
    fn a_summary_counts_ratings_and_agreement_of_each() {
        let utterances = [
            utterance("a", &[("E1", &["anger"]), ("E2", &["anger"]), ("E3", &["fear", "anger"])]),
            utterance("b", &[("E1", &["fear"]), ("E2", &["fear"])]),
            utterance("c", &[("E2", &["joy"])]),
            utterance("d", &[]),
        ];
        let found = summarise(&utterances).unwrap().unwrap();
        assert_eq!((found.ratings, found.rated), (7, [3, 2]));
        let agreement: Vec<_> = found.annotators.iter().map(|one| one.agreement).collect();
        assert_eq!(agreement, [Some(2.5 / 3.0), Some(2.5 / 3.0), Some(0.5)]);
        let ratings: Vec<_> = found.annotators.iter().map(|one| one.ratings).collect();
        assert_eq!(ratings, [2, 3, 2]);
        assert!(summarise(&utterances[3..]).unwrap().is_none());
    }

    #[test]
    fn labels_that_are_no_classes_are_left_out() {
        let utterances = [
            utterance("a", &[("E1", &["anger"]), ("E2", &["joy"])]),
            utterance("b", &[("E2", &["joy"])]),
        ];
        let rated = Rated::of(&utterances, &["anger".to_owned()]).unwrap().unwrap();
        assert_eq!((rated.annotators, rated.utterances), (vec!["E1".into()], vec!["a".into()]));
    }
}
