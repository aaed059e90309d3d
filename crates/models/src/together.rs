//! Several models of one kind that are asked together: the mean of their probabilities.

use std::collections::BTreeMap;

use ambivox_nn::State;

use crate::checkpoint::{NamedTensor, key, member};
use crate::{ModelError, Prediction, Predictor, Rows};

/// Models of one kind and of like sizes.
#[derive(Debug)]
struct Together {
    first: Box<dyn Predictor>,
    others: Vec<Box<dyn Predictor>>,
}

/// Models that are asked together, of which there is at least one: the mean of their probabilities and of their
/// attention. One alone is itself.
pub fn together(mut members: Vec<Box<dyn Predictor>>) -> Box<dyn Predictor> {
    let others = members.split_off(1);
    let first = members.swap_remove(0);
    if others.is_empty() { first } else { Box::new(Together { first, others }) }
}

impl Together {
    fn members(&self) -> impl Iterator<Item = &dyn Predictor> {
        [&self.first].into_iter().chain(&self.others).map(|member| &**member)
    }
}

impl Predictor for Together {
    fn inputs(&self) -> usize {
        self.first.inputs()
    }

    fn classes(&self) -> usize {
        self.first.classes()
    }

    fn parameters(&self) -> usize {
        self.members().map(Predictor::parameters).sum()
    }

    fn reads_vectors(&self) -> bool {
        self.first.reads_vectors()
    }

    fn sizes(&self) -> Vec<(&'static str, usize)> {
        self.first.sizes()
    }

    fn predict(&self, utterances: &[&Rows<'_>]) -> Result<Vec<Prediction>, ModelError> {
        let said = self.members().map(|member| member.predict(utterances));
        let said = said.collect::<Result<Vec<_>, _>>()?;
        let of_one = |n| mean(&said.iter().map(|of_member| &of_member[n]).collect::<Vec<_>>());
        Ok((0..utterances.len()).map(of_one).collect())
    }

    fn state(&self) -> Result<State, ModelError> {
        let states = self.members().map(Predictor::state).collect::<Result<Vec<_>, _>>()?;
        Ok(State::of(&states))
    }

    fn metadata(&self) -> serde_json::Result<BTreeMap<&'static str, String>> {
        let mut metadata = self.first.metadata()?;
        metadata.insert(key::MEMBERS, self.members().count().to_string());
        Ok(metadata)
    }

    fn tensors(&self) -> candle_core::Result<Vec<NamedTensor>> {
        let mut named = Vec::new();
        for (number, of_member) in self.members().enumerate() {
            let prefix = member(number);
            let tensors = of_member.tensors()?.into_iter();
            named.extend(
                tensors.map(|(name, shape, values)| (prefix.clone() + &name, shape, values)),
            );
        }
        Ok(named)
    }
}

/// The mean of what several say of one utterance.
fn mean(said: &[&Prediction]) -> Prediction {
    let count = said.len() as f64;
    let log_mean = |class: usize| {
        let logs = || said.iter().map(|one| one.log_probabilities[class]);
        let most = logs().fold(f64::NEG_INFINITY, f64::max);
        most + libm::log(logs().map(|log| libm::exp(log - most)).sum::<f64>() / count)
    };
    let attention: Option<Vec<&Vec<f32>>> = said.iter().map(|one| one.attention.as_ref()).collect();
    let attention = attention.map(|of_members| {
        let at = |frame: usize| of_members.iter().map(|a| f64::from(a[frame])).sum::<f64>() / count;
        (0..of_members[0].len()).map(|frame| at(frame) as f32).collect()
    });
    let log_probabilities = (0..said[0].log_probabilities.len()).map(log_mean).collect();
    Prediction { log_probabilities, attention }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::checkpoint::tests::features_of;
    use crate::{AttentionOver, Checkpoint, MeanVariance, Network, NetworkSettings, Scaling};

    fn network(seed: u64) -> Box<dyn Predictor> {
        let settings = NetworkSettings::plain([6, 4], 0.5, AttentionOver::Blstm);
        Box::new(Network::new(&settings, 2, 3, seed).unwrap())
    }

    fn checkpoint(seeds: &[u64]) -> Checkpoint {
        Checkpoint {
            predictor: together(seeds.iter().map(|&seed| network(seed)).collect()),
            classes: ["happiness", "sadness", "anger"].map(str::to_owned).to_vec(),
            features: features_of("ser32", "none"),
            scaling: Scaling::MeanVariance(MeanVariance { mean: vec![0.1; 2], sd: vec![2.0; 2] }),
        }
    }

    #[test]
    fn what_is_said_is_the_mean_and_a_checkpoint_holds_all() {
        let rows = Rows::from(vec![0.3, -0.8, 1.2, 0.1]);
        let said = |predictor: &dyn Predictor| predictor.predict(&[&rows]).unwrap().remove(0);
        let both = checkpoint(&[1, 2]);
        let (one, two) = (said(&*network(1)), said(&*network(2)));
        let mean = said(&*both.predictor);
        for (class, found) in mean.probabilities().iter().enumerate() {
            let expected = f64::midpoint(one.probabilities()[class], two.probabilities()[class]);
            assert!((found - expected).abs() < 1e-15);
        }
        let [one, two] = [one, two].map(|one| one.attention.unwrap()[0]);
        assert!((mean.attention.as_ref().unwrap()[0] - f32::midpoint(one, two)).abs() < 1e-7);
        let bytes = both.bytes().unwrap();
        let loaded = Checkpoint::parse(Path::new("file"), &bytes).unwrap();
        assert_eq!(said(&*loaded.predictor), mean);
        assert_eq!(loaded.bytes().unwrap(), bytes);
        assert_eq!(both.predictor.parameters(), 2 * network(1).parameters());
    }

    #[test]
    fn one_alone_is_itself() {
        let alone = checkpoint(&[1]).bytes().unwrap();
        let plain = Checkpoint { predictor: network(1), ..checkpoint(&[1]) };
        assert_eq!(alone, plain.bytes().unwrap());
    }

    #[test]
    fn a_file_that_lacks_a_member_is_refused() {
        let bytes = checkpoint(&[1, 2]).bytes().unwrap();
        for (from, to) in
            [("\"members\":\"2\"", "\"members\":\"3\""), ("\"members\":\"2\"", "\"members\":\"0\"")]
        {
            let changed = crate::checkpoint::tests::with_header(&bytes, from, to);
            let error = Checkpoint::parse(Path::new("file"), &changed).unwrap_err().to_string();
            assert!(error.contains("not a usable checkpoint"), "{error}");
        }
    }
}
