//! Whose vectors are most alike: what the detector `neighbours` reads.

use std::collections::BTreeMap;

use ambivox_eval::Directions;
use ambivox_eval::audit::Evidence;
use ambivox_features::FeatureTable;
use ambivox_settings::{counted, role};
use rayon::prelude::*;

use crate::StageError;
use crate::job::Job;

/// Neighbours that vote.
const VOTES: usize = 10;
/// Products of two values at most, of all utterances with all others: some minutes of two cores.
const MOST_PRODUCTS: u64 = 1 << 40;

/// The nearest utterances of each; of none where there are no vectors.
#[derive(Default)]
pub(crate) struct Neighbours(BTreeMap<String, Vec<String>>);

impl Neighbours {
    /// Of these utterances, as far as they have vectors.
    pub(crate) fn read(job: &Job<'_>, utterances: &[String]) -> Result<Self, StageError> {
        let Some(file) = job.optional_input(role::VECTORS) else { return Ok(Self::default()) };
        let table = FeatureTable::open(file)?;
        let found = utterances.iter().filter_map(|id| Some((id, table.get(id)?)));
        let (ids, rows): (Vec<&String>, Vec<_>) = found.unzip();
        let count = ids.len() as u64;
        if count * count * table.width() as u64 > MOST_PRODUCTS {
            job.reporter.warn(format!(
                "{} of {} values are too many for the votes of the nearest vectors, which nobody is given; \
                 have a pooling or a layer of fewer values, or another detector",
                counted(ids.len(), "vector"),
                table.width()
            ));
            return Ok(Self::default());
        }
        let directions = Directions::of(&rows);
        let nearest = |place: usize| {
            let nearest = directions.nearest(place, VOTES).into_iter();
            (ids[place].clone(), nearest.map(|other| ids[other].clone()).collect())
        };
        Ok(Self((0..ids.len()).into_par_iter().map(nearest).collect()))
    }

    /// Tells each utterance the labels of its neighbours, as far as they have one.
    pub(crate) fn tell(
        &self,
        evidence: &mut [Evidence],
        labels: &BTreeMap<String, usize>,
        classes: usize,
    ) {
        for one in evidence {
            let Some(nearest) = self.0.get(&one.utterance_id) else { continue };
            one.neighbours = vec![0; classes];
            for label in nearest.iter().filter_map(|id| labels.get(id)) {
                one.neighbours[*label] += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Learned;

    #[test]
    fn neighbours_vote_by_the_labels_at_hand() {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let neighbours = Neighbours(BTreeMap::from([
            ("a".to_owned(), ids(&["b", "c", "unlabelled"])),
            ("b".to_owned(), ids(&["unlabelled"])),
        ]));
        let mut evidence: Vec<Evidence> =
            [("a", 0), ("b", 1), ("c", 2)].map(|(id, gold)| Learned::of(gold).evidence(id)).into();
        let labels = BTreeMap::from([("b".to_owned(), 1), ("c".to_owned(), 2)]);
        neighbours.tell(&mut evidence, &labels, 3);
        assert_eq!(evidence[0].neighbours, [0, 1, 1]);
        assert_eq!(evidence[1].neighbours, [0; 3], "none of its neighbours has a label");
        assert!(evidence[2].neighbours.is_empty(), "it has no vector");
    }
}
