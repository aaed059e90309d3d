//! Where learned labels went, and whether that was right where the truth is known.

use serde::{Deserialize, Serialize};

use crate::{Confusion, EvalError};

/// What became of wrong and of right labels, on a corpus whose true emotions are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelRepair {
    /// Utterances whose gold label is not the true emotion.
    pub wrong: u64,
    /// Of those, the ones whose learned label is the true emotion.
    pub restored: u64,
    /// Utterances whose gold label is the true emotion.
    pub right: u64,
    /// Of those, the ones whose learned label is another.
    pub broken: u64,
}

impl LabelRepair {
    /// Counts triples of gold label, true emotion and argmax of the learned label distribution.
    ///
    /// Only equality of the three matters, so a true emotion outside the classes may have any
    /// index of its own: such a label is wrong and cannot be restored.
    pub fn from_triples(triples: impl IntoIterator<Item = (usize, usize, usize)>) -> Self {
        let mut repair = Self::default();
        for (gold, truth, learned) in triples {
            if gold == truth {
                repair.right += 1;
                repair.broken += u64::from(learned != truth);
            } else {
                repair.wrong += 1;
                repair.restored += u64::from(learned == truth);
            }
        }
        repair
    }

    /// Adds the counts of another fold.
    pub fn merge(&mut self, other: &Self) {
        self.wrong += other.wrong;
        self.restored += other.restored;
        self.right += other.right;
        self.broken += other.broken;
    }

    /// Share of the wrong labels that were restored; `None` where none was wrong.
    pub fn restored_share(&self) -> Option<f64> {
        (self.wrong > 0).then(|| self.restored as f64 / self.wrong as f64)
    }

    /// Share of the right labels that were broken; `None` where none was right.
    pub fn broken_share(&self) -> Option<f64> {
        (self.right > 0).then(|| self.broken as f64 / self.right as f64)
    }
}

/// Learned labels of a method and seed over the training utterances of all folds (Figure 3 of the
/// paper); an utterance counts once for every fold that trains on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelMoves {
    /// Counts by gold label (row) and argmax of the learned label distribution (column), at the epoch kept.
    pub moves: Confusion,
    /// The same after the last epoch of all, which the paper's "after training" may mean. Absent from files of
    /// version 2 of a summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moves_at_last: Option<Confusion>,
    /// Repair of wrong labels, where the truth is known.
    pub repair: Option<LabelRepair>,
}

impl LabelMoves {
    /// Adds the counts of another fold of as many classes.
    pub fn merge(&mut self, other: &Self) -> Result<(), EvalError> {
        self.moves.merge(&other.moves)?;
        if let Some(more) = &other.moves_at_last {
            let none = || Confusion::new(more.rows().len());
            self.moves_at_last.get_or_insert_with(none).merge(more)?;
        }
        if let Some(more) = &other.repair {
            self.repair.get_or_insert_default().merge(more);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_repair_by_hand() {
        let triples = [
            (0, 0, 0), // right, kept
            (0, 0, 1), // right, broken
            (1, 1, 1), // right, kept
            (2, 2, 2), // right, kept
            (0, 1, 1), // wrong, restored
            (0, 1, 0), // wrong, kept
            (0, 1, 2), // wrong, moved to another wrong label
        ];
        let repair = LabelRepair::from_triples(triples);
        assert_eq!(repair, LabelRepair { wrong: 3, restored: 1, right: 4, broken: 1 });
        assert_eq!(repair.restored_share(), Some(1.0 / 3.0));
        assert_eq!(repair.broken_share(), Some(0.25));
    }

    #[test]
    fn shares_of_nothing_are_undefined() {
        let none = LabelRepair::from_triples([]);
        assert_eq!((none.restored_share(), none.broken_share()), (None, None));
    }

    #[test]
    fn folds_add_up() {
        let moves = Confusion::from_pairs(2, [(0, 1), (1, 1)]).unwrap();
        let repair = LabelRepair { wrong: 1, restored: 1, right: 1, broken: 0 };
        let mut sum = LabelMoves { moves: moves.clone(), moves_at_last: None, repair: None };
        let moves_at_last = Some(Confusion::from_pairs(2, [(0, 0), (1, 1)]).unwrap());
        let more = LabelMoves { moves, moves_at_last, repair: Some(repair) };
        sum.merge(&more).unwrap();
        assert_eq!(sum.moves.rows(), [vec![0, 2], vec![0, 2]]);
        assert_eq!(sum.moves_at_last.unwrap().rows(), [vec![1, 0], vec![0, 1]]);
        assert_eq!(sum.repair, Some(repair));
    }
}
