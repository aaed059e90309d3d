//! Which labels to look at first.
//!
//! Two signs rank the utterances, each a mean over the runs that trained on them: how far the
//! learned label has left the gold label, 1 − s, and how badly the network fits the gold label,
//! −log y. Wrong labels stand out in both, in different places: the first is bounded and calm, the
//! second tells apart what the first has given up alike. Out-of-fold predictions, those of models that did
//! not train on the speaker, are shown beside them and do not rank: a new speaker is often simply hard.
//! Before all others come recordings that are there twice under unlike labels: one of the two is wrong for
//! sure.

use crate::argmax;

/// What is known of an utterance's label.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The utterance.
    pub utterance_id: String,
    /// Index of the gold label: the one that was trained on.
    pub gold: usize,
    /// Index of the label before any reviewer corrected it.
    pub original: usize,
    /// Learned label distribution s, the mean over the runs that trained on it.
    pub learned: Vec<f64>,
    /// Weight w before the first epoch, the mean over these.
    pub weight_initial: f64,
    /// Learned weight w, the mean over these; a higher one counts less.
    pub weight: f64,
    /// −log y of the gold label, the mean over these.
    pub loss: f64,
    /// Mean over epochs and runs of log y of the gold label less that of the most probable other; where runs
    /// kept their course.
    pub margin: Option<f64>,
    /// Mean over epochs and runs of y of the gold label; likewise.
    pub confidence: Option<f64>,
    /// How many of the utterances whose vectors are most alike have the label of every class; nothing where no
    /// vectors were looked at.
    pub neighbours: Vec<u32>,
    /// Out-of-fold probability of every class: by the models that did not train on the utterance, nor on its
    /// group; the mean over seeds.
    pub out_of_fold: Vec<f64>,
    /// Votes for every class; all 0 where there are none.
    pub votes: Vec<u32>,
    /// An utterance of the very same recording under another label, and that label.
    pub twin: Option<(String, String)>,
}

/// An utterance in its place among all.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// Place, from 1 for the most suspect.
    pub rank: usize,
    /// Mean share of the utterances that are less suspect by 1 − s and by −log y, equals counting
    /// half, between 0 and 1; by another detector its score.
    pub score: f64,
    /// Index of the class that the learned label has moved to, or else that the out-of-fold models predict.
    pub suggestion: usize,
    /// What is known.
    pub evidence: Evidence,
}

impl Evidence {
    /// Whether some run trained on it.
    pub fn is_trained(&self) -> bool {
        !self.learned.is_empty()
    }

    /// 1 − s of the gold label.
    pub fn doubt(&self) -> f64 {
        1.0 - self.learned[self.gold]
    }

    /// The class that the learned label has moved to, else the one that the out-of-fold models predict.
    fn suggestion(&self) -> usize {
        let learned = argmax(&self.learned).unwrap_or(self.gold);
        if self.learned[learned] > self.learned[self.gold] {
            return learned;
        }
        argmax(&self.out_of_fold).unwrap_or(self.gold)
    }

    /// Why the label is suspect, in sentences for people; `held_out` is what the out-of-fold models did not
    /// train on: the speaker, or the utterance alone.
    pub fn reason(&self, classes: &[String], held_out: &str) -> String {
        let gold = classes[self.gold].as_str();
        let twin = self.twin.as_ref().map_or_else(String::new, |(twin, label)| {
            format!("{twin} has the same recording and is labelled {label}. ")
        });
        let votes = match self.votes.iter().sum::<u32>() {
            0 => String::new(),
            all => format!(" ({} of {all} votes)", self.votes[self.gold]),
        };
        format!("{twin}Given {gold}{votes}; {}", self.evidence_in_words(classes, held_out))
    }

    /// What the learned label and the out-of-fold models have for or against the given label.
    fn evidence_in_words(&self, classes: &[String], held_out: &str) -> String {
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        let predicted = argmax(&self.out_of_fold).unwrap_or(self.gold);
        let (suggestion, probability) = (self.suggestion(), percent(self.out_of_fold[predicted]));
        let models = format!("models that did not train on this {held_out} predict");
        let (name, suggested) = (&classes[predicted], &classes[suggestion]);
        if suggestion == self.gold {
            let only = if self.twin.is_some() { "" } else { " Only its rank makes it suspect." };
            return format!("{models} {name} too ({probability}).{only}");
        }
        if self.learned[suggestion] <= self.learned[self.gold] {
            return format!("{models} {name} ({probability}).");
        }
        let (but, too) = if predicted == suggestion { ("and", " too") } else { ("but", "") };
        let learned = percent(self.learned[suggestion]);
        format!(
            "training moved the label to {suggested} ({learned}), {but} {models} {name}{too} ({probability})."
        )
    }
}

/// Ranks utterances, the most suspect first; those before all others that have a twin of another label;
/// equals by id.
pub fn rank(evidence: Vec<Evidence>) -> Vec<Suspect> {
    let doubts: Vec<f64> = evidence.iter().map(Evidence::doubt).collect();
    let losses: Vec<f64> = evidence.iter().map(|e| e.loss).collect();
    ranked(evidence, scores(&doubts, &losses))
}

/// Ranks utterances by a detector's scores, in their order; those that it does not tell of come last.
pub fn rank_by(scores: Vec<Option<f64>>, evidence: Vec<Evidence>) -> Vec<Suspect> {
    let scores = scores.into_iter().map(|score| score.unwrap_or(f64::NEG_INFINITY)).collect();
    ranked(evidence, scores)
}

fn ranked(evidence: Vec<Evidence>, scores: Vec<f64>) -> Vec<Suspect> {
    let mut suspects: Vec<Suspect> = evidence
        .into_iter()
        .zip(scores)
        .map(|(evidence, score)| Suspect {
            rank: 0,
            score,
            suggestion: evidence.suggestion(),
            evidence,
        })
        .collect();
    suspects.sort_by(|a, b| {
        let by_id = || a.evidence.utterance_id.cmp(&b.evidence.utterance_id);
        let twins = b.evidence.twin.is_some().cmp(&a.evidence.twin.is_some());
        twins.then(b.score.total_cmp(&a.score)).then_with(by_id)
    });
    for (place, suspect) in suspects.iter_mut().enumerate() {
        suspect.rank = place + 1;
    }
    suspects
}

/// The score that ranks utterances: the mean share of them that are less suspect by 1 − s and by
/// −log y, of each utterance in the same place of both.
pub fn scores(doubts: &[f64], losses: &[f64]) -> Vec<f64> {
    let pairs = shares_below(doubts).into_iter().zip(shares_below(losses));
    pairs.map(|(doubt, loss)| f64::midpoint(doubt, loss)).collect()
}

/// Of each value the share of all that are lower, equals counting half.
pub(crate) fn shares_below(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let share = |value: &f64| {
        let lower = sorted.partition_point(|v| v.total_cmp(value).is_lt());
        let not_higher = sorted.partition_point(|v| v.total_cmp(value).is_le());
        (lower + not_higher) as f64 / (2 * values.len()) as f64
    };
    values.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Detector;
    use crate::detector::seen;

    fn evidence(id: &str, gold: usize, learned: [f64; 2], loss: f64) -> Evidence {
        Evidence { gold, original: gold, ..seen(id, learned, loss, [0.9, 0.1]) }
    }

    fn order(evidence: Vec<Evidence>) -> Vec<(String, f64)> {
        rank(evidence).into_iter().map(|s| (s.evidence.utterance_id, s.score)).collect()
    }

    #[test]
    fn the_order_is_by_both_signs_and_equals_by_id() {
        let found = order(vec![
            evidence("calm", 0, [0.8, 0.2], 0.1),
            evidence("wrong", 1, [0.9, 0.1], 3.0),
            evidence("b", 0, [0.5, 0.5], 1.0),
            evidence("a", 0, [0.5, 0.5], 1.0),
        ]);
        let expected = [("wrong", 0.875), ("a", 0.5), ("b", 0.5), ("calm", 0.125)];
        assert_eq!(found, expected.map(|(id, score)| (id.to_owned(), score)));
    }

    #[test]
    fn another_detector_ranks_where_it_is_named() {
        let (_, detector) = Detector::find("self-confidence").unwrap();
        let sure = Evidence { out_of_fold: vec![0.1, 0.9], ..evidence("sure", 0, [0.9, 0.1], 0.1) };
        let evidence = vec![evidence("loss", 0, [0.5, 0.5], 3.0), sure];
        let found = rank_by(detector.scores(&evidence), evidence);
        let told: Vec<_> =
            found.iter().map(|s| (s.evidence.utterance_id.as_str(), s.score)).collect();
        assert_eq!(told, [("sure", 0.9), ("loss", 1.0 - 0.9)]);
    }

    #[test]
    fn one_recording_under_two_labels_comes_first_and_is_told() {
        let mut twin = evidence("calm", 0, [0.9, 0.1], 0.1);
        twin.twin = Some(("x2".to_owned(), "angry".to_owned()));
        let text = twin.reason(&["calm", "angry"].map(str::to_owned), "speaker");
        assert!(
            text.starts_with("x2 has the same recording and is labelled angry. Given calm; "),
            "{text}"
        );
        let found = order(vec![evidence("wrong", 1, [0.9, 0.1], 3.0), twin]);
        assert_eq!(found.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["calm", "wrong"]);
    }

    #[test]
    fn where_no_label_is_learned_the_loss_decides() {
        let found = order(vec![
            evidence("a", 0, [1.0, 0.0], 0.1),
            evidence("b", 0, [1.0, 0.0], 2.0),
            evidence("c", 0, [1.0, 0.0], 0.5),
        ]);
        assert_eq!(found.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["b", "c", "a"]);
    }

    #[test]
    fn reasons_are_sentences_with_the_evidence_in_them() {
        let classes = ["calm", "angry"].map(str::to_owned);
        let reason = |gold, learned, out_of_fold: [f64; 2], votes: [u32; 2]| {
            let (out_of_fold, votes) = (out_of_fold.to_vec(), votes.to_vec());
            Evidence { out_of_fold, votes, ..evidence("a", gold, learned, 1.0) }
                .reason(&classes, "speaker")
        };
        let text = [
            reason(1, [0.7, 0.3], [0.9, 0.1], [1, 2]),
            reason(1, [0.7, 0.3], [0.2, 0.8], [0, 0]),
            reason(1, [0.3, 0.7], [0.9, 0.1], [0, 0]),
            reason(0, [0.6, 0.4], [0.9, 0.1], [3, 0]),
        ];
        insta::assert_snapshot!(text.join("\n"), @r"
        Given angry (2 of 3 votes); training moved the label to calm (70 %), and models that did not train on this speaker predict calm too (90 %).
        Given angry; training moved the label to calm (70 %), but models that did not train on this speaker predict angry (80 %).
        Given angry; models that did not train on this speaker predict calm (90 %).
        Given calm (3 of 3 votes); models that did not train on this speaker predict calm too (90 %). Only its rank makes it suspect.
        ");
    }

    proptest! {
        #[test]
        fn scores_are_shares_and_fall(values in prop::collection::vec((0.0_f64..1.0, 0_u8..5), 1..30)) {
            let all = values.iter().enumerate().map(|(i, (s, loss))| {
                evidence(&format!("{i:03}"), 0, [*s, 1.0 - s], f64::from(*loss))
            });
            let suspects = rank(all.collect());
            prop_assert!(suspects.iter().all(|s| (0.0..=1.0).contains(&s.score)));
            prop_assert!(suspects.is_sorted_by(|a, b| a.score >= b.score && a.rank < b.rank));
            let mean = suspects.iter().map(|s| s.score).sum::<f64>() / suspects.len() as f64;
            prop_assert!((mean - 0.5).abs() < 1e-12);
        }
    }
}
