//! Which turns there are: speakers, dialogues, true emotions, intensities and times.

use ambivox_settings::SynthSettings;

use crate::chance::{Chance, Purpose};
use crate::emotion::{EMOTIONS, Emotion};

/// Samples per second of every file.
pub(crate) const SAMPLE_RATE: u32 = 16_000;

/// Sessions of the corpus; each has one female and one male speaker.
pub(crate) const SESSIONS: u64 = 5;

/// Share of the common emotions among a speaker's turns. Neutral is the most frequent of the four
/// classes and happiness the least, as in IEMOCAP.
const SHARES: [(Emotion, f64); 6] = [
    (Emotion::Neutral, 0.27),
    (Emotion::Anger, 0.21),
    (Emotion::Sadness, 0.21),
    (Emotion::Happiness, 0.19),
    (Emotion::Frustration, 0.05),
    (Emotion::Excited, 0.04),
];

/// What the rest of the turns have: one of these by chance for each.
const RARE: [Emotion; 4] = [Emotion::Surprise, Emotion::Fear, Emotion::Disgust, Emotion::Other];

/// Dialogues of a session: the letter of the actor with the markers, and the scene. The scenes are
/// those of IEMOCAP's names that break a reader which counts on fixed positions.
const SCENES: [(Sex, &str); 8] = [
    (Sex::F, "impro01"),
    (Sex::F, "impro05a"),
    (Sex::F, "script01_1"),
    (Sex::F, "script02_2"),
    (Sex::M, "impro02"),
    (Sex::M, "impro08b"),
    (Sex::M, "script01_1b"),
    (Sex::M, "script03_1"),
];

/// Spread of the lengths: standard deviation of their logarithm.
const LENGTH_SIGMA: f64 = 0.35;

/// Sex of a speaker, by the letter IEMOCAP has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sex {
    F,
    M,
}

impl Sex {
    pub(crate) fn letter(self) -> char {
        match self {
            Self::F => 'F',
            Self::M => 'M',
        }
    }
}

/// One of the ten speakers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Speaker {
    /// Session, from 1.
    pub(crate) session: u64,
    /// The speaker's sex, which names them within the session.
    pub(crate) sex: Sex,
}

impl Speaker {
    /// All speakers, session by session, the female one first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (1..=SESSIONS).flat_map(|session| [Sex::F, Sex::M].map(|sex| Self { session, sex }))
    }

    /// Running number from 0.
    pub(crate) fn index(self) -> u64 {
        2 * (self.session - 1) + self.sex as u64
    }

    /// `Ses01F` and so on.
    pub(crate) fn name(self) -> String {
        format!("Ses{:02}{}", self.session, self.sex.letter())
    }
}

/// One turn: what is said with which emotion, and when.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    /// Running number over the corpus; it names the turn's random streams.
    pub(crate) index: u64,
    /// Who speaks.
    pub(crate) speaker: Speaker,
    /// Running number among the speaker's turns of the dialogue.
    pub(crate) number: usize,
    /// `Ses01F_impro05a_M003`.
    pub(crate) name: String,
    /// The true emotion.
    pub(crate) truth: Emotion,
    /// The emotion it is most easily taken for, since it has a little of it.
    pub(crate) rival: Emotion,
    /// How strongly the true emotion shows, from 0 to 1.
    pub(crate) intensity: f64,
    /// Length in samples.
    pub(crate) samples: usize,
    /// Silence before it in the dialogue, in samples.
    pub(crate) pause: usize,
    /// Start within the dialogue, in samples.
    pub(crate) start: usize,
}

/// One dialogue of a session: its turns, all of the female speaker first, as IEMOCAP lists them.
#[derive(Debug, Clone)]
pub(crate) struct Dialogue {
    /// Session, from 1.
    pub(crate) session: u64,
    /// `Ses01F_impro05a`: the actor in it is the one with the markers, not the one who speaks.
    pub(crate) name: String,
    /// The turns of both speakers.
    pub(crate) turns: Vec<Turn>,
}

impl Dialogue {
    /// Whether the scene is improvised; only those have self-evaluations.
    pub(crate) fn improvised(&self) -> bool {
        self.name.contains("impro")
    }
}

/// Every dialogue that has turns, in the order of sessions and scenes.
pub(crate) fn dialogues(settings: &SynthSettings) -> Vec<Dialogue> {
    (1..=SESSIONS).flat_map(|session| session_dialogues(settings, session)).collect()
}

fn session_dialogues(settings: &SynthSettings, session: u64) -> Vec<Dialogue> {
    let mut dialogues: Vec<Dialogue> = SCENES
        .iter()
        .map(|(sex, scene)| Dialogue {
            session,
            name: format!("Ses{session:02}{}_{scene}", sex.letter()),
            turns: Vec::new(),
        })
        .collect();
    for sex in [Sex::F, Sex::M] {
        place_turns(settings, Speaker { session, sex }, &mut dialogues);
    }
    dialogues.retain(|dialogue| !dialogue.turns.is_empty());
    for dialogue in &mut dialogues {
        set_times(&mut dialogue.turns);
    }
    dialogues
}

/// Deals a speaker's turns out to the dialogues, in stretches of equal size.
fn place_turns(settings: &SynthSettings, speaker: Speaker, dialogues: &mut [Dialogue]) {
    let count = settings.turns_per_speaker;
    let mut chance = Chance::new(settings.seed, Purpose::Plan, speaker.index());
    for (i, truth) in emotions(count, &mut chance).into_iter().enumerate() {
        let dialogue = &mut dialogues[i * SCENES.len() / count];
        let number = dialogue.turns.iter().filter(|turn| turn.speaker == speaker).count();
        dialogue.turns.push(Turn {
            index: speaker.index() * count as u64 + i as u64,
            speaker,
            number,
            name: format!("{}_{}{number:03}", dialogue.name, speaker.sex.letter()),
            truth,
            rival: Emotion::ALL[chance.weighted(&truth.confusion())],
            intensity: chance.unit(),
            samples: samples(settings, &mut chance),
            pause: to_samples(chance.between(0.3, 2.0)),
            start: 0,
        });
    }
}

/// The true emotions of a speaker's turns: systematic sampling of the shares, so that every count
/// is its share of the turns rounded down or up, in random order.
fn emotions(count: usize, chance: &mut Chance) -> Vec<Emotion> {
    let offset = chance.unit();
    let mut emotions: Vec<Emotion> =
        (0..count).map(|i| emotion_at((i as f64 + offset) / count as f64, chance)).collect();
    chance.shuffle(&mut emotions);
    emotions
}

fn emotion_at(quantile: f64, chance: &mut Chance) -> Emotion {
    let mut reached = 0.0;
    for (emotion, share) in SHARES {
        reached += share;
        if quantile < reached {
            return emotion;
        }
    }
    chance.pick(&RARE)
}

/// Share of each emotion over the whole corpus, in the order of [`Emotion::ALL`].
pub(crate) fn shares() -> [f64; EMOTIONS] {
    let listed: f64 = SHARES.iter().map(|(_, share)| share).sum();
    let rare = (1.0 - listed) / RARE.len() as f64;
    Emotion::ALL.map(|emotion| {
        SHARES.iter().find(|(listed, _)| *listed == emotion).map_or(rare, |(_, share)| *share)
    })
}

fn samples(settings: &SynthSettings, chance: &mut Chance) -> usize {
    let median = settings.mean_seconds * libm::exp(-LENGTH_SIGMA * LENGTH_SIGMA / 2.0);
    let seconds = median * chance.log_normal(LENGTH_SIGMA);
    to_samples(seconds.clamp(settings.min_seconds, settings.max_seconds))
}

/// Sets the turns' times: the speakers take turns, each after a pause.
fn set_times(turns: &mut [Turn]) {
    let mut order: Vec<usize> = (0..turns.len()).collect();
    order.sort_by_key(|&i| (turns[i].number, turns[i].speaker.index()));
    let mut now = 0;
    for i in order {
        turns[i].start = now + turns[i].pause;
        now = turns[i].start + turns[i].samples;
    }
}

fn to_samples(seconds: f64) -> usize {
    (seconds * f64::from(SAMPLE_RATE)).round() as usize
}

#[cfg(test)]
mod tests;
