//! A batch's layout: time-major rows of utterances sorted by falling length, without padding.

use crate::NnError;

/// Where each frame of a batch lies. Row `offset(t) + r` holds frame `t` of the utterance of rank
/// `r`, ranks going by falling length (equal lengths: in the caller's order).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packing {
    /// Caller's position of each rank.
    order: Vec<usize>,
    /// Frames of each rank, falling.
    lengths: Vec<usize>,
    /// First row of each time step, and the number of rows at the end.
    offsets: Vec<usize>,
    /// Rank of every row.
    ranks: Vec<u32>,
}

impl Packing {
    /// Plans a batch of utterances of the given numbers of frames, each at least 1.
    pub fn new(lengths: &[usize]) -> Result<Self, NnError> {
        if let Some(index) = lengths.iter().position(|&l| l == 0) {
            return Err(NnError::EmptyUtterance { index });
        }
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(lengths[i]));
        let sorted: Vec<usize> = order.iter().map(|&i| lengths[i]).collect();
        let longest = *sorted.first().ok_or(NnError::EmptyBatch)?;
        let (mut offsets, mut ranks) = (vec![0], Vec::new());
        let mut active = sorted.len();
        for t in 0..longest {
            while sorted[active - 1] <= t {
                active -= 1;
            }
            ranks.extend(0..active as u32);
            offsets.push(ranks.len());
        }
        Ok(Self { order, lengths: sorted, offsets, ranks })
    }

    /// Frames of all utterances together: rows of the packed matrix.
    pub fn frames(&self) -> usize {
        self.ranks.len()
    }

    /// Utterances in the batch.
    pub fn utterances(&self) -> usize {
        self.order.len()
    }

    /// Copies utterances (`frames × width`, row-major, in the order of the lengths given to
    /// [`Packing::new`]) into one packed matrix `[frames, width]`.
    pub fn pack<T: Copy>(&self, utterances: &[&[T]], width: usize) -> Result<Vec<T>, NnError> {
        self.check(utterances, width)?;
        let mut packed = Vec::with_capacity(self.frames() * width);
        for t in 0..self.steps() {
            for rank in 0..self.active(t) {
                let frames = utterances[self.order[rank]];
                packed.extend_from_slice(&frames[t * width..(t + 1) * width]);
            }
        }
        Ok(packed)
    }

    fn check<T>(&self, utterances: &[&[T]], width: usize) -> Result<(), NnError> {
        if utterances.len() != self.utterances() {
            let (expected, got) = (self.utterances(), utterances.len());
            return Err(NnError::WrongCount { expected, got });
        }
        for (&index, &length) in self.order.iter().zip(&self.lengths) {
            let (expected, got) = (length * width, utterances[index].len());
            if expected != got {
                return Err(NnError::WrongSize { index, expected, got });
            }
        }
        Ok(())
    }

    /// Time steps: frames of the longest utterance.
    pub(crate) fn steps(&self) -> usize {
        self.offsets.len() - 1
    }

    /// First row of time step `t`.
    pub(crate) fn offset(&self, t: usize) -> usize {
        self.offsets[t]
    }

    /// Utterances that have a frame `t`; none from the last step on.
    pub(crate) fn active(&self, t: usize) -> usize {
        if t < self.steps() { self.offsets[t + 1] - self.offsets[t] } else { 0 }
    }

    /// Rank of every row.
    pub(crate) fn ranks(&self) -> &[u32] {
        &self.ranks
    }

    /// Caller's position of each rank.
    pub(crate) fn order(&self) -> &[usize] {
        &self.order
    }

    /// First row of each time step, and the number of rows at the end.
    #[cfg(any(test, feature = "cuda"))]
    pub(crate) fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// Frames of each rank.
    #[cfg(any(test, feature = "cuda"))]
    pub(crate) fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Values given by row as one list per utterance, in time order and the caller's order.
    pub(crate) fn by_utterance<T: Copy>(&self, values: &[T]) -> Vec<Vec<T>> {
        let mut lists = vec![Vec::new(); self.utterances()];
        for (rank, &index) in self.order.iter().enumerate() {
            lists[index] = self.rows(rank).map(|row| values[row]).collect();
        }
        lists
    }

    /// Rows of a rank's frames, in time order.
    pub(crate) fn rows(&self, rank: usize) -> impl Iterator<Item = usize> {
        (0..self.lengths[rank]).map(move |t| self.offsets[t] + rank)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_are_time_major_by_falling_length() {
        let packing = Packing::new(&[2, 4, 3]).unwrap();
        assert_eq!(packing.order(), [1, 2, 0]);
        assert_eq!(packing.offsets, [0, 3, 6, 8, 9]);
        let (a, b, c) = ([10, 11], [20, 21, 22, 23], [30, 31, 32]);
        let packed = packing.pack(&[&a, &b, &c], 1).unwrap();
        assert_eq!(packed, [20, 30, 10, 21, 31, 11, 22, 32, 23]);
    }

    #[test]
    fn faulty_batches_are_refused() {
        assert_eq!(Packing::new(&[]), Err(NnError::EmptyBatch));
        assert_eq!(Packing::new(&[3, 0]), Err(NnError::EmptyUtterance { index: 1 }));
        let packing = Packing::new(&[1, 2]).unwrap();
        let wrong = packing.pack(&[&[0.0; 2][..], &[0.0; 3]], 2);
        assert_eq!(wrong, Err(NnError::WrongSize { index: 1, expected: 4, got: 3 }));
        let few = packing.pack(&[&[0.0; 2][..]], 2);
        assert_eq!(few, Err(NnError::WrongCount { expected: 2, got: 1 }));
    }

    proptest! {
        #[test]
        fn every_frame_has_one_row(lengths in prop::collection::vec(1usize..30, 1..12)) {
            let packing = Packing::new(&lengths).unwrap();
            let mut seen = vec![false; packing.frames()];
            for rank in 0..packing.utterances() {
                prop_assert_eq!(packing.rows(rank).count(), lengths[packing.order()[rank]]);
                for row in packing.rows(rank) {
                    prop_assert_eq!(packing.ranks()[row] as usize, rank);
                    prop_assert!(!std::mem::replace(&mut seen[row], true));
                }
            }
            prop_assert!(seen.into_iter().all(|x| x));
        }
    }
}
