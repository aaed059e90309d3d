//! The axis of detectors: what ranks utterances by how suspect their labels are. A detector is a file with
//! what it computes and its tests, and a line in [`DETECTORS`].

mod audit;
mod confidence;
mod confident_learning;
mod label;
mod loss;
mod margin;
mod neighbours;
mod self_confidence;
mod together;
mod weight;

use crate::audit::Evidence;

/// Something that scores labels.
#[derive(Debug, Clone, Copy)]
pub struct Detector {
    /// Its name in commands and files.
    pub name: &'static str,
    /// What to call it in a table.
    pub title: &'static str,
    /// Whether it reads what runs keep with `training.dynamics = true` alone.
    pub needs_dynamics: bool,
    /// Whether it tells nothing without vectors, one an utterance.
    pub needs_vectors: bool,
    /// Whether it looks at vectors where there are any.
    pub reads_vectors: bool,
    scores: fn(&[Evidence]) -> Vec<Option<f64>>,
}

/// Those that there are, in the order of tables.
pub static DETECTORS: [Detector; 10] = [
    weight::DETECTOR,
    label::DETECTOR,
    loss::DETECTOR,
    audit::DETECTOR,
    margin::DETECTOR,
    confidence::DETECTOR,
    neighbours::DETECTOR,
    self_confidence::DETECTOR,
    confident_learning::DETECTOR,
    together::DETECTOR,
];

impl Detector {
    /// Names of those that the audit ranks by unless another is asked for: the second where runs keep no course of
    /// training, and the third where the method learns no labels, so that the one before scores nothing.
    pub const DEFAULT: [&'static str; 3] =
        [margin::DETECTOR.name, audit::DETECTOR.name, loss::DETECTOR.name];

    /// The detector of this name, and its place in [`DETECTORS`].
    pub fn find(name: &str) -> Option<(usize, &'static Self)> {
        DETECTORS.iter().enumerate().find(|(_, detector)| detector.name == name)
    }

    /// A score for each utterance, higher for more suspect labels; `None` where what is known of it does not
    /// tell, or the method learns nothing of the kind.
    pub fn scores(&self, evidence: &[Evidence]) -> Vec<Option<f64>> {
        (self.scores)(evidence)
    }
}

/// The same figure of each utterance that runs trained on, where it is worth anything at all.
fn of_training(
    evidence: &[Evidence],
    worth: bool,
    score: impl Fn(&Evidence) -> Option<f64>,
) -> Vec<Option<f64>> {
    let of_one = |one: &Evidence| if one.is_trained() && worth { score(one) } else { None };
    evidence.iter().map(of_one).collect()
}

/// Evidence of two classes, by what differs: the tests of all detectors.
#[cfg(test)]
pub(crate) fn seen(id: &str, learned: [f64; 2], loss: f64, out_of_fold: [f64; 2]) -> Evidence {
    Evidence {
        utterance_id: id.to_owned(),
        gold: 0,
        original: 0,
        learned: learned.to_vec(),
        weight_initial: 1.0,
        weight: 1.0,
        loss,
        margin: None,
        confidence: None,
        neighbours: Vec::new(),
        out_of_fold: out_of_fold.to_vec(),
        votes: vec![0, 0],
        twin: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_none_is_there_twice() {
        for (place, detector) in DETECTORS.iter().enumerate() {
            assert_eq!(Detector::find(detector.name).unwrap().0, place);
        }
        assert!(Detector::find("guess").is_none());
    }

    /// Whoever was tested alone, or trained on alone, has scores of the one kind and not of the other.
    #[test]
    fn what_is_not_known_has_no_score() {
        let mut tested = seen("a", [0.9, 0.1], 0.5, [0.7, 0.3]);
        tested.learned = Vec::new();
        let mut trained = seen("b", [0.6, 0.4], 1.0, [0.7, 0.3]);
        trained.out_of_fold = Vec::new();
        let evidence = [tested, trained, seen("c", [0.9, 0.1], 0.1, [0.4, 0.6])];
        let known = |name: &str| {
            let (_, detector) = Detector::find(name).unwrap();
            detector.scores(&evidence).iter().map(Option::is_some).collect::<Vec<_>>()
        };
        assert_eq!(known("loss"), [false, true, true]);
        assert_eq!(known("label"), [false, true, true]);
        assert_eq!(known("audit"), [false, true, true]);
        assert_eq!(known("self-confidence"), [true, false, true]);
        assert_eq!(known("confident-learning"), [true, false, true]);
        assert_eq!(known("weight"), [false; 3], "no weight has moved");
        assert_eq!(known("margin"), [false; 3], "no dynamics");
        assert_eq!(known("neighbours"), [false; 3], "no vectors");
    }
}
