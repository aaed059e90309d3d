//! Known noise: gold labels exchanged at a given rate, to see who finds them again.

use std::collections::BTreeMap;

use ambivox_settings::{NoiseKind, NoiseParams};
use rand::RngExt;
use rand::seq::IteratorRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::Utterance;

/// How much likelier an utterance's label is exchanged for a careless speaker, and for the others.
const CARELESS: f64 = 1.5;
const CAREFUL: f64 = 0.5;

/// Least weight in a draw without replacement: an utterance that all recognised comes after all others.
const RECOGNISED: f64 = 1e-9;

/// From a class to others: how likely each is to stand in for it.
pub type Confusions = BTreeMap<String, BTreeMap<String, f64>>;

/// An utterance's label before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoisyLabel {
    /// The utterance.
    pub utterance_id: String,
    /// Index of the gold label among the classes.
    pub clean: usize,
    /// Index of the label that is given in its place; often the same.
    pub given: usize,
}

/// Exchanges the gold labels of `utterances` for other classes; those whose gold label is none of
/// `classes` are passed over. In the order given; the seed and the set of utterances decide all.
///
/// Within each class (or, for speaker-dependent noise, each speaker) the share exchanged is exact up
/// to rounding:
/// - symmetric: the rate, to any other class alike;
/// - class-dependent: the rate times the sum of the class's row, to classes in the row's proportions;
/// - by votes: class-dependent with the rows that [`confusions`] finds;
/// - speaker-dependent: one and a half times the rate for half of the speakers, chosen by the seed,
///   half of it for the others; to any other class alike;
/// - unrecognised: the rate, to any other class alike, of utterances that are drawn in proportion to 1 less the
///   attribute, the share of listeners who recognised the emotion; one without the attribute as if none had.
pub fn exchange_labels(
    utterances: &[&Utterance],
    classes: &[String],
    noise: &NoiseParams,
) -> Vec<NoisyLabel> {
    let rows = match &noise.kind {
        NoiseKind::ClassDependent(rows) => Some(rows.clone()),
        NoiseKind::Votes => Some(confusions(utterances, classes)),
        NoiseKind::Symmetric | NoiseKind::SpeakerDependent | NoiseKind::Unrecognised(_) => None,
    };
    let mut labels: Vec<(NoisyLabel, &str)> =
        utterances.iter().filter_map(|u| Some((clean(u, classes)?, u.speaker.as_str()))).collect();
    let unrecognised = unrecognised(utterances, &noise.kind);
    let mut rng = ChaCha8Rng::seed_from_u64(noise.seed);
    for (members, rate) in groups(&labels, classes, noise, rows.as_ref(), &mut rng) {
        let count = (rate * members.len() as f64).round() as usize;
        let chosen = match &unrecognised {
            None => members.into_iter().sample(&mut rng, count),
            Some(shares) => {
                let weight = |place: usize| shares[labels[place].0.utterance_id.as_str()];
                drawn_by_weight(members, count, weight, &mut rng)
            }
        };
        for member in chosen {
            let label = &mut labels[member].0;
            label.given = draw(&targets(label.clean, classes, rows.as_ref()), &mut rng);
        }
    }
    labels.into_iter().map(|(label, _)| label).collect()
}

/// How annotators confuse classes: from each class to the others, in proportion of the votes that utterances of
/// its gold label have for them. The sum of a row is the share of such votes among those of the class, over that
/// of all utterances, so that with a rate of 1 as many labels are exchanged as there are. Empty where no
/// utterance has a vote for another class.
pub fn confusions(utterances: &[&Utterance], classes: &[String]) -> Confusions {
    let mut votes = vec![vec![0_u32; classes.len()]; classes.len()];
    let mut members = vec![0_u32; classes.len()];
    for (utterance, label) in utterances.iter().filter_map(|u| Some((u, clean(u, classes)?))) {
        members[label.clean] += 1;
        for (class, sum) in classes.iter().zip(&mut votes[label.clean]) {
            *sum += utterance.votes.get(class).copied().unwrap_or(0);
        }
    }
    let share = |class: usize| {
        let all: u32 = votes[class].iter().sum();
        f64::from(all - votes[class][class]) / f64::from(all.max(1))
    };
    let all: u32 = members.iter().sum();
    let mean =
        (0..classes.len()).map(|class| share(class) * f64::from(members[class])).sum::<f64>()
            / f64::from(all.max(1));
    let row = |class: usize| {
        let others: u32 = votes[class].iter().sum::<u32>() - votes[class][class];
        let scale = share(class) / mean / f64::from(others.max(1));
        let to = |other: usize| (classes[other].clone(), scale * f64::from(votes[class][other]));
        let others = (0..classes.len()).filter(|other| *other != class && votes[class][*other] > 0);
        (classes[class].clone(), others.map(to).collect::<BTreeMap<_, _>>())
    };
    (0..classes.len()).map(row).filter(|(_, row)| !row.is_empty()).collect()
}

/// The share of listeners who did not recognise an utterance's emotion, by its id, where the kind asks for it.
fn unrecognised<'a>(
    utterances: &[&'a Utterance],
    kind: &NoiseKind,
) -> Option<BTreeMap<&'a str, f64>> {
    let NoiseKind::Unrecognised(attribute) = kind else { return None };
    let share = |utterance: &Utterance| 1.0 - utterance.attributes.get(attribute).unwrap_or(&0.0);
    Some(utterances.iter().map(|&one| (one.utterance_id.as_str(), share(one))).collect())
}

/// So many of the members, drawn one after the other without replacement, each time in proportion to the weights
/// of those that are left (by exponential keys: Efraimidis and Spirakis 2006).
fn drawn_by_weight(
    members: Vec<usize>,
    count: usize,
    weight: impl Fn(usize) -> f64,
    rng: &mut ChaCha8Rng,
) -> Vec<usize> {
    let mut key =
        |member: usize| libm::log(1.0 - rng.random::<f64>()) / weight(member).max(RECOGNISED);
    let mut keyed: Vec<(f64, usize)> = members.into_iter().map(|one| (key(one), one)).collect();
    keyed.sort_by(|a, b| b.0.total_cmp(&a.0));
    keyed.into_iter().take(count).map(|(_, member)| member).collect()
}

/// The gold labels as they are; utterances whose gold label is none of `classes` are passed over.
pub fn clean_labels(utterances: &[&Utterance], classes: &[String]) -> Vec<NoisyLabel> {
    utterances.iter().filter_map(|utterance| clean(utterance, classes)).collect()
}

fn clean(utterance: &Utterance, classes: &[String]) -> Option<NoisyLabel> {
    let gold = utterance.gold.as_ref()?;
    let clean = classes.iter().position(|class| class == gold)?;
    Some(NoisyLabel { utterance_id: utterance.utterance_id.clone(), clean, given: clean })
}

/// Places of the labels that share a rate, sorted by id, and that rate.
fn groups(
    labels: &[(NoisyLabel, &str)],
    classes: &[String],
    noise: &NoiseParams,
    rows: Option<&Confusions>,
    rng: &mut ChaCha8Rng,
) -> Vec<(Vec<usize>, f64)> {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, (label, speaker)) in labels.iter().enumerate() {
        let by_speaker = noise.kind == NoiseKind::SpeakerDependent;
        let key = if by_speaker { speaker } else { classes[label.clean].as_str() };
        groups.entry(key).or_default().push(place);
    }
    for members in groups.values_mut() {
        members.sort_unstable_by(|&a, &b| labels[a].0.utterance_id.cmp(&labels[b].0.utterance_id));
    }
    let careless = (0..groups.len()).sample(rng, groups.len() / 2);
    let factor = |(place, key): (usize, &str)| match (rows, &noise.kind) {
        (Some(rows), _) => rows.get(key).map_or(0.0, |row| row.values().sum()),
        (None, NoiseKind::SpeakerDependent) if careless.contains(&place) => CARELESS,
        (None, NoiseKind::SpeakerDependent) => CAREFUL,
        _ => 1.0,
    };
    let rates: Vec<f64> =
        groups.keys().copied().enumerate().map(|group| noise.rate * factor(group)).collect();
    groups.into_values().zip(rates).collect()
}

/// How likely each class is to stand in for class `clean`, up to a factor.
fn targets(clean: usize, classes: &[String], rows: Option<&Confusions>) -> Vec<f64> {
    let weight = |(class, name): (usize, &String)| match rows {
        _ if class == clean => 0.0,
        Some(rows) => {
            rows.get(&classes[clean]).and_then(|row| row.get(name)).copied().unwrap_or(0.0)
        }
        None => 1.0,
    };
    classes.iter().enumerate().map(weight).collect()
}

/// An index, each as likely as its weight; one of the weights is above 0.
fn draw(weights: &[f64], rng: &mut ChaCha8Rng) -> usize {
    let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
    let mut likely = weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0);
    let last = likely.clone().next_back().map_or(0, |(index, _)| index);
    let found = likely.find(|(_, weight)| {
        left -= **weight;
        left < 0.0
    });
    found.map_or(last, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{strings, utterance};

    const CLASSES: [&str; 4] = ["happiness", "sadness", "neutral", "anger"];

    /// 10 speakers × 4 classes × 25, and one utterance of another class.
    fn corpus() -> Vec<Utterance> {
        let mut utterances = vec![utterance("fear", "s0", Some("fear"))];
        for n in 0..1000 {
            let (speaker, class) = (format!("s{}", n % 10), CLASSES[n / 10 % 4]);
            utterances.push(utterance(&format!("u{n:04}"), &speaker, Some(class)));
        }
        utterances
    }

    fn exchanged(kind: NoiseKind, rate: f64, seed: u64) -> Vec<NoisyLabel> {
        let corpus = corpus();
        let all: Vec<&Utterance> = corpus.iter().collect();
        exchange_labels(&all, &strings(&CLASSES), &NoiseParams { kind, rate, seed })
    }

    /// Counts by clean and given class.
    fn counts(labels: &[NoisyLabel]) -> [[usize; 4]; 4] {
        let mut counts = [[0; 4]; 4];
        for label in labels {
            counts[label.clean][label.given] += 1;
        }
        counts
    }

    #[test]
    fn symmetric_noise_is_exact_in_every_class_and_goes_everywhere() {
        let counts = counts(&exchanged(NoiseKind::Symmetric, 0.2, 7));
        for (clean, row) in counts.iter().enumerate() {
            assert_eq!((row.iter().sum::<usize>(), row[clean]), (250, 200));
            // 50 labels to three classes: each expects 16.7 with a deviation of 3.3.
            let others = row.iter().enumerate().filter(|(given, _)| *given != clean);
            assert!(others.clone().all(|(_, &n)| (5..=30).contains(&n)), "{row:?}");
        }
    }

    #[test]
    fn class_dependent_noise_follows_its_rows() {
        let row = |to: &[(&str, f64)]| to.iter().map(|&(c, w)| (c.to_owned(), w)).collect();
        let rows = BTreeMap::from([
            ("happiness".to_owned(), row(&[("neutral", 1.5), ("anger", 0.5)])),
            ("anger".to_owned(), row(&[("neutral", 1.0)])),
        ]);
        let counts = counts(&exchanged(NoiseKind::ClassDependent(rows), 0.2, 7));
        assert_eq!(counts[0][0], 150, "twice the rate");
        assert!(counts[0][1] == 0 && counts[0][2] > 2 * counts[0][3] && counts[0][3] > 0);
        assert_eq!(counts[3], [0, 0, 50, 200]);
        assert_eq!((counts[1][1], counts[2][2]), (250, 250), "rows that are not there");
    }

    /// Each utterance of happiness has one vote of four for neutral, each of sadness two for anger.
    #[test]
    fn noise_by_votes_is_as_annotators_confuse() {
        let mut corpus = corpus();
        for utterance in &mut corpus {
            let (own, other, count) = match utterance.gold.as_deref() {
                Some("happiness") => ("happiness", "neutral", 1),
                Some("sadness") => ("sadness", "anger", 2),
                _ => continue,
            };
            utterance.votes =
                BTreeMap::from([(own.to_owned(), 4 - count), (other.to_owned(), count)]);
        }
        let all: Vec<&Utterance> = corpus.iter().collect();
        let rows = confusions(&all, &strings(&CLASSES));
        // A quarter and a half of two of four classes alike: three sixteenths of all.
        let expected = [("happiness", "neutral", 4.0 / 3.0), ("sadness", "anger", 8.0 / 3.0)];
        assert_eq!(rows.len(), 2);
        for (from, to, weight) in expected {
            assert!(rows[from].len() == 1 && (rows[from][to] - weight).abs() < 1e-12, "{rows:?}");
        }
        let noise = NoiseParams { kind: NoiseKind::Votes, rate: 0.2, seed: 7 };
        let counts = counts(&exchange_labels(&all, &strings(&CLASSES), &noise));
        assert_eq!((counts[0][2], counts[1][3]), (67, 133), "of 250 each, a fifth of 1000 in all");
        assert_eq!((counts[2][2], counts[3][3]), (250, 250));
        assert!(confusions(&[], &strings(&CLASSES)).is_empty());
    }

    #[test]
    fn speaker_dependent_noise_has_careless_and_careful_speakers() {
        let labels = exchanged(NoiseKind::SpeakerDependent, 0.2, 7);
        let wrong = |speaker: usize| {
            let number = |label: &NoisyLabel| label.utterance_id[1..].parse::<usize>().unwrap();
            let of_speaker = labels.iter().filter(|label| number(label) % 10 == speaker);
            of_speaker.filter(|label| label.clean != label.given).count()
        };
        let mut wrong: Vec<usize> = (0..10).map(wrong).collect();
        wrong.sort_unstable();
        assert_eq!(wrong, [10, 10, 10, 10, 10, 30, 30, 30, 30, 30]);
    }

    /// Of every class a hundred utterances that all recognised, and 150 that fewer did, of some of them none.
    #[test]
    fn what_few_recognise_is_exchanged_first() {
        let mut corpus = corpus();
        for (n, utterance) in corpus.iter_mut().enumerate() {
            let share = [1.0, 1.0, 0.9, 0.5, 0.0][n % 5];
            utterance.attributes.insert("recognition_rate".to_owned(), share);
        }
        let all: Vec<&Utterance> = corpus.iter().collect();
        let exchanged = |rate| {
            let kind = NoiseKind::Unrecognised("recognition_rate".to_owned());
            let labels =
                exchange_labels(&all, &strings(&CLASSES), &NoiseParams { kind, rate, seed: 3 });
            let mut of_share = [0; 5];
            // The first utterance is of no class; the others follow in their order.
            for (n, label) in labels.iter().enumerate() {
                of_share[(n + 1) % 5] += usize::from(label.clean != label.given);
            }
            assert!(counts(&labels).iter().all(|row| row.iter().sum::<usize>() == 250));
            of_share
        };
        let few = exchanged(0.2);
        assert_eq!(few.iter().sum::<usize>(), 200);
        assert!(few[0] + few[1] == 0 && few[2] < few[3] && few[3] < few[4], "{few:?}");
        let most = exchanged(0.7);
        assert_eq!(most[2..], [200, 200, 200], "all that somebody did not recognise, then others");
        assert!(most[0] > 20 && most[1] > 20, "{most:?}");
    }

    #[test]
    fn the_seed_decides_and_the_order_does_not() {
        let labels = exchanged(NoiseKind::Symmetric, 0.3, 1);
        assert_eq!(labels.len(), 1000);
        assert_ne!(labels, exchanged(NoiseKind::Symmetric, 0.3, 2));
        let mut corpus = corpus();
        corpus.reverse();
        let all: Vec<&Utterance> = corpus.iter().collect();
        let noise = NoiseParams { kind: NoiseKind::Symmetric, rate: 0.3, seed: 1 };
        let mut turned = exchange_labels(&all, &strings(&CLASSES), &noise);
        turned.reverse();
        assert_eq!(labels, turned);
    }

    proptest! {
        #[test]
        fn rates_are_kept(rate in 0.0_f64..=1.0, seed in 0_u64..100) {
            let counts = counts(&exchanged(NoiseKind::Symmetric, rate, seed));
            for (clean, row) in counts.iter().enumerate() {
                prop_assert_eq!(250 - row[clean], (rate * 250.0).round() as usize);
            }
        }
    }
}
