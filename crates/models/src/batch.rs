//! Batches: utterances of different lengths, packed without padding.

use std::sync::Arc;

use ambivox_nn::{Packing, read};
use candle_core::{Device, Tensor};

use crate::{ModelError, Rows};

/// Frames of one batch at inference, at most. Activations take about 8 kB per frame at the paper's
/// sizes, so that a batch takes some 130 MB however long the corpus is.
pub const FRAMES_PER_BATCH: usize = 16_384;

/// Utterances packed for the network.
#[derive(Debug, Clone)]
pub struct Batch {
    pub(crate) frames: Tensor,
    pub(crate) packing: Arc<Packing>,
}

impl Batch {
    /// Packs utterances, each row-major frames × `width`; results come back in this order. An
    /// utterance without frames, or whose values do not divide into frames, is an error.
    pub fn new(utterances: &[&Rows<'_>], width: usize) -> Result<Self, ModelError> {
        let lengths = utterances
            .iter()
            .enumerate()
            .map(|(position, rows)| frame_count(position, rows.len(), width))
            .collect::<Result<Vec<_>, _>>()?;
        let packing = Packing::new(&lengths)?;
        let values = read(utterances);
        let values: Vec<&[f32]> = values.iter().map(|values| &**values).collect();
        let packed = packing.pack(&values, width)?;
        let frames = Tensor::from_vec(packed, (packing.frames(), width), &Device::Cpu)?;
        Ok(Self { frames, packing: Arc::new(packing) })
    }

    /// Number of utterances.
    pub fn utterances(&self) -> usize {
        self.packing.utterances()
    }

    /// Number of frames of all utterances together.
    pub fn frames(&self) -> usize {
        self.packing.frames()
    }
}

/// How many frames of `width` values an utterance at `position` has.
pub(crate) fn frame_count(
    position: usize,
    values: usize,
    width: usize,
) -> Result<usize, ModelError> {
    if width == 0 || values == 0 || !values.is_multiple_of(width) {
        return Err(ModelError::Frames { position, values, width });
    }
    Ok(values / width)
}

/// Divides utterances, given their lengths in frames, into batches of similar length with at most
/// `most_frames` frames each; a longer utterance has a batch to itself. Every position occurs once;
/// equal lengths keep their order.
pub fn batches_by_length(lengths: &[usize], most_frames: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&i| lengths[i]);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for i in order {
        match batches.last_mut() {
            Some(batch) if lengths[i] <= room => {
                batch.push(i);
                room -= lengths[i];
            }
            _ => {
                batches.push(vec![i]);
                room = most_frames.saturating_sub(lengths[i]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_that_are_no_whole_frames_are_refused() {
        let rows = |count| Rows::from(vec![0.0; count]);
        let message = Batch::new(&[&rows(4), &rows(5)], 2).unwrap_err().to_string();
        assert_eq!(
            message,
            "utterance 1 of a batch has 5 values; expected one or more frames of 2 each"
        );
        assert!(Batch::new(&[&rows(0)], 2).is_err());
        assert!(Batch::new(&[&rows(1)], 0).is_err());
    }

    #[test]
    fn a_batch_counts_utterances_and_frames() {
        let rows = |count| Rows::from(vec![0.0; count]);
        let batch = Batch::new(&[&rows(4), &rows(6)], 2).unwrap();
        assert_eq!((batch.utterances(), batch.frames()), (2, 5));
    }

    proptest! {
        #[test]
        fn batches_hold_everything_once_within_the_limit(
            lengths in prop::collection::vec(1_usize..60, 0..40),
            most in 1_usize..80,
        ) {
            let batches = batches_by_length(&lengths, most);
            for batch in &batches {
                let frames: usize = batch.iter().map(|&i| lengths[i]).sum();
                prop_assert!(frames <= most || batch.len() == 1);
            }
            let mut all: Vec<usize> = batches.concat();
            prop_assert!(all.is_sorted_by_key(|&i| lengths[i]));
            all.sort_unstable();
            prop_assert_eq!(all, (0..lengths.len()).collect::<Vec<_>>());
        }
    }
}
