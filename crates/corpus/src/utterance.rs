//! The utterance: what every adapter yields and every later stage starts from.

use std::collections::{BTreeMap, BTreeSet};

use ambivox_settings::Sex;

/// One utterance of a corpus: where its sound is, who speaks, what people heard in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Utterance {
    /// Name, unique within the corpus.
    pub utterance_id: String,
    /// Sound file, relative to the corpus's root, with `/` between folders; the id once more where there
    /// are no recordings.
    pub path: String,
    /// The corpus's short name, from its manifest.
    pub corpus: String,
    /// Recording session; the speaker's own name where the corpus has none.
    pub session: String,
    /// Speaker; empty where the corpus does not tell.
    pub speaker: String,
    /// Sex of the speaker, where the corpus states it.
    pub sex: Option<Sex>,
    /// What is said, by the corpus's own code or word, where all speakers say the same few sentences.
    pub sentence: Option<String>,
    /// Start of the cut inside `path`, in seconds; `None`: from the file's start.
    pub start_s: Option<f64>,
    /// End of the cut inside `path`, in seconds; `None`: to the file's end.
    pub end_s: Option<f64>,
    /// Length in seconds. Adapters leave it out, since they open no sound file.
    pub duration_s: Option<f64>,
    /// The label to learn, in the manifest's names; `None` where annotators found no consensus.
    pub gold: Option<String>,
    /// How many annotators' labels name each emotion, in the manifest's names.
    pub votes: BTreeMap<String, u32>,
    /// Who named which labels, in the manifest's names; empty where the corpus does not tell.
    pub ratings: BTreeMap<String, BTreeSet<String>>,
    /// Whatever else the corpus states in numbers, by name.
    pub attributes: BTreeMap<String, f64>,
}

impl Utterance {
    /// Who speaks, where the corpus tells.
    pub fn known_speaker(&self) -> Option<&str> {
        Some(self.speaker.as_str()).filter(|speaker| !speaker.is_empty())
    }

    /// An utterance of which only these are known: the whole of its file, the speaker a session of its
    /// own, without label or votes.
    pub fn of(corpus: &str, utterance_id: &str, path: &str, speaker: &str) -> Self {
        Self {
            utterance_id: utterance_id.to_owned(),
            path: path.to_owned(),
            corpus: corpus.to_owned(),
            session: speaker.to_owned(),
            speaker: speaker.to_owned(),
            sex: None,
            sentence: None,
            start_s: None,
            end_s: None,
            duration_s: None,
            gold: None,
            votes: BTreeMap::new(),
            ratings: BTreeMap::new(),
            attributes: BTreeMap::new(),
        }
    }
}

/// The label with more votes than every other, or `None` at a tie and without votes.
///
/// With votes pooled over a turn's outside evaluators this is IEMOCAP's own rule for the consensus
/// label of a turn.
pub fn consensus(votes: &BTreeMap<String, u32>) -> Option<&str> {
    let most = *votes.values().max()?;
    let mut leaders = votes.iter().filter(|&(_, &count)| count == most && count > 0);
    match (leaders.next(), leaders.next()) {
        (Some((label, _)), None) => Some(label),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn winner(votes: &[(&str, u32)]) -> Option<String> {
        let votes = votes.iter().map(|&(label, n)| (label.to_owned(), n)).collect();
        consensus(&votes).map(str::to_owned)
    }

    #[test]
    fn a_unique_plurality_wins() {
        assert_eq!(winner(&[("anger", 1), ("neutral", 2)]).as_deref(), Some("neutral"));
        assert_eq!(winner(&[("anger", 2), ("neutral", 1), ("fear", 1)]).as_deref(), Some("anger"));
    }

    #[test]
    fn a_tie_and_silence_have_no_winner() {
        assert_eq!(winner(&[("anger", 2), ("neutral", 2), ("fear", 1)]), None);
        assert_eq!(winner(&[]), None);
        assert_eq!(winner(&[("anger", 0)]), None);
    }
}
