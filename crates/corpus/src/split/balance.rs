//! Equal numbers of every class for every speaker, as in the paper's balanced evaluation.

use std::collections::BTreeMap;

use rand::seq::IteratorRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::Utterance;

/// Of every speaker, as many utterances of each class as of that speaker's smallest class, drawn at
/// random and in the order of their ids; nobody's who lacks one of the `classes` classes.
pub(super) fn balanced<'a>(
    utterances: &[&'a Utterance],
    classes: usize,
    seed: u64,
) -> Vec<&'a Utterance> {
    let mut cells: BTreeMap<&str, BTreeMap<&str, Vec<&Utterance>>> = BTreeMap::new();
    for utterance in utterances {
        let Some(gold) = utterance.gold.as_deref() else { continue };
        cells.entry(&utterance.speaker).or_default().entry(gold).or_default().push(utterance);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut chosen = Vec::new();
    for mut speaker in cells.into_values().filter(|speaker| speaker.len() == classes) {
        let size = speaker.values().map(Vec::len).min().unwrap_or_default();
        for cell in speaker.values_mut() {
            // The draw depends on no order but that of the ids.
            cell.sort_unstable_by(|a, b| a.utterance_id.cmp(&b.utterance_id));
            chosen.extend(cell.iter().copied().sample(&mut rng, size));
        }
    }
    chosen.sort_unstable_by(|a, b| a.utterance_id.cmp(&b.utterance_id));
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::table_1;

    fn ids(utterances: &[Utterance], seed: u64) -> Vec<&str> {
        let all: Vec<&Utterance> = utterances.iter().collect();
        balanced(&all, 4, seed).into_iter().map(|u| u.utterance_id.as_str()).collect()
    }

    #[test]
    fn iemocap_keeps_592_of_every_class() {
        let utterances = table_1();
        assert_eq!(utterances.len(), 4490);
        let all: Vec<&Utterance> = utterances.iter().collect();
        let chosen = balanced(&all, 4, 0);
        for class in ["happiness", "sadness", "neutral", "anger"] {
            let of_class = || chosen.iter().filter(|u| u.gold.as_deref() == Some(class));
            assert_eq!(of_class().count(), 592);
            assert_eq!(of_class().filter(|u| u.speaker == "Ses04F").count(), 31);
        }
    }

    #[test]
    fn the_seed_alone_decides() {
        let mut utterances = table_1();
        let first: Vec<String> = ids(&utterances, 1).into_iter().map(str::to_owned).collect();
        assert_ne!(first, ids(&utterances, 2));
        utterances.reverse();
        assert_eq!(first, ids(&utterances, 1));
    }

    #[test]
    fn a_speaker_without_one_of_the_classes_is_left_out() {
        let mut utterances = table_1();
        utterances.retain(|u| u.speaker != "Ses01M" || u.gold.as_deref() != Some("sadness"));
        assert!(!ids(&utterances, 0).iter().any(|id| id.starts_with("Ses01M")));
    }
}
