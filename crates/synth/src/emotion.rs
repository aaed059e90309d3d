//! The ten emotions of IEMOCAP's labels, in words and codes.

/// An emotion that a turn can have or an annotator can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Emotion {
    Neutral,
    Happiness,
    Sadness,
    Anger,
    Excited,
    Frustration,
    Fear,
    Surprise,
    Disgust,
    Other,
}

/// Number of emotions.
pub(crate) const EMOTIONS: usize = 10;

/// What a turn is taken for when it is not taken for what it is: relative frequencies, true
/// emotion by row, in the order of [`Emotion::ALL`]. Chosen, not measured: as in IEMOCAP,
/// happiness goes with excitement, anger with frustration, and everything weak with neutral.
const CONFUSION: [[f64; EMOTIONS]; EMOTIONS] = [
    //  neu  hap  sad  ang  exc  fru  fea  sur  dis  oth
    [0.0, 2.0, 3.0, 1.0, 0.8, 3.0, 0.2, 0.3, 0.2, 0.5], // neutral
    [4.5, 0.0, 0.6, 0.6, 3.5, 0.3, 0.1, 0.8, 0.1, 0.3], // happiness
    [5.0, 0.6, 0.0, 0.5, 0.1, 2.5, 0.6, 0.1, 0.3, 0.3], // sadness
    [2.0, 0.5, 0.4, 0.0, 0.7, 5.0, 0.1, 0.3, 0.8, 0.2], // anger
    [2.0, 6.0, 0.1, 0.7, 0.0, 0.3, 0.1, 1.5, 0.1, 0.2], // excitement
    [4.0, 0.2, 2.5, 5.0, 0.3, 0.0, 0.3, 0.3, 0.7, 0.3], // frustration
    [2.0, 0.2, 3.0, 0.6, 0.5, 1.5, 0.0, 2.5, 0.3, 0.4], // fear
    [3.0, 2.0, 0.2, 0.5, 3.0, 0.5, 1.0, 0.0, 0.3, 0.5], // surprise
    [2.0, 0.1, 0.8, 4.0, 0.1, 3.0, 0.2, 0.3, 0.0, 0.5], // disgust
    [5.0, 1.0, 1.0, 1.0, 1.0, 2.0, 0.3, 0.5, 0.3, 0.0], // other
];

impl Emotion {
    /// Every emotion, in the order of the tables that are indexed by one.
    pub(crate) const ALL: [Self; EMOTIONS] = [
        Self::Neutral,
        Self::Happiness,
        Self::Sadness,
        Self::Anger,
        Self::Excited,
        Self::Frustration,
        Self::Fear,
        Self::Surprise,
        Self::Disgust,
        Self::Other,
    ];

    /// The word an annotator writes.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Neutral => "Neutral",
            Self::Happiness => "Happiness",
            Self::Sadness => "Sadness",
            Self::Anger => "Anger",
            Self::Excited => "Excited",
            Self::Frustration => "Frustration",
            Self::Fear => "Fear",
            Self::Surprise => "Surprise",
            Self::Disgust => "Disgust",
            Self::Other => "Other",
        }
    }

    /// The code in a turn's header: the word's first three letters, in lower case.
    pub(crate) fn code(self) -> String {
        self.word()[..3].to_ascii_lowercase()
    }

    /// The name in `truth.parquet`.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Excited => "excitement".to_owned(),
            other => other.word().to_ascii_lowercase(),
        }
    }

    /// Relative frequencies of what this emotion is mistaken for, in the order of [`Self::ALL`].
    pub(crate) fn confusion(self) -> [f64; EMOTIONS] {
        CONFUSION[self as usize]
    }

    /// Typical valence, activation and dominance at full intensity, each from 1 to 5. Chosen, not
    /// measured; they only fill the brackets of a header.
    pub(crate) fn attributes(self) -> [f64; 3] {
        match self {
            Self::Neutral | Self::Other => [3.0, 2.6, 3.0],
            Self::Happiness => [4.3, 3.4, 3.2],
            Self::Sadness => [2.0, 2.1, 2.5],
            Self::Anger => [1.7, 4.0, 4.1],
            Self::Excited => [4.3, 4.0, 3.5],
            Self::Frustration => [2.1, 3.1, 3.3],
            Self::Fear => [2.2, 3.6, 2.3],
            Self::Surprise => [3.3, 3.7, 2.8],
            Self::Disgust => [2.0, 3.0, 3.3],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_corpus() {
        let codes: Vec<String> = Emotion::ALL.iter().map(|e| e.code()).collect();
        let expected = ["neu", "hap", "sad", "ang", "exc", "fru", "fea", "sur", "dis", "oth"];
        assert_eq!(codes, expected);
    }

    #[test]
    fn the_order_of_all_is_the_order_of_the_variants() {
        assert!(Emotion::ALL.iter().enumerate().all(|(i, e)| *e as usize == i));
    }
}
