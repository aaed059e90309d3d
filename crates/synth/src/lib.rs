//! A speech-like emotional corpus in IEMOCAP's layout with annotators who disagree.
//!
//! **The corpus is synthetic: no human speech, no words. Results on it say nothing about real
//! speech.** It is there so that every command has something to work on, and so that what a method
//! does with wrong labels can be held against a truth that is known. `SYNTHETIC.txt` at its root
//! says the same.
//!
//! # Sound
//! A source–filter model (Klatt 1980): glottal pulses with jitter, shimmer and tilt, aspiration,
//! five formants in cascade that glide through Peterson & Barney's (1952) vowels and through
//! consonants' loci, friction, phrases with accents and declination, pauses, breaths, room noise.
//! Ten speakers (`Ses01F` … `Ses05M`) differ in F0, tract length, pace, level, habit, and in how
//! they show emotion. Emotion moves nine cues of the voice by an intensity drawn for each turn,
//! more in one part of the turn than in the rest, and a weak turn has something of a second
//! emotion. No cue alone tells the emotions apart; happiness, which lies by anger when it is
//! strong and between neutral and sadness when it is weak, is the hardest.
//!
//! # Labels
//! Every turn has a true emotion: mostly happiness, sadness, neutral or anger, a few others. Each
//! annotator names it through a confusion matrix of their own; turns of low intensity are mistaken
//! more often, and errors agree more often than by chance, since all heard the same sound. The
//! consensus in the headers is the unique plurality of all votes, else `xxx`, so it is sometimes
//! wrong, and the truth table says where.
//!
//! # Truth
//! `truth.parquet` has one row per turn, sorted: `utterance_id`, `speaker`, `truth` (true emotion,
//! by name: `neutral`, `happiness`, `sadness`, `anger`, `excitement`, `frustration`, `fear`,
//! `surprise`, `disgust`, `other`), `rival` (the emotion it is most easily taken for), `intensity`
//! (0 to 1, how strongly the true emotion shows), `consensus` (null where votes tie), `votes` and
//! `votes_for_truth` (outside evaluators), `f0_hz` (mean over the voiced parts). It lies outside
//! the corpus; nothing but evaluation may read it.
//!
//! # Same settings, same bytes
//! Every turn has random streams of its own, so neither the number of threads nor their order
//! matters, and all transcendental functions come from `libm`, so neither does the machine.

mod annotate;
mod chance;
mod cues;
mod delivery;
mod emotion;
mod error;
mod evaluation;
mod filters;
mod glottis;
mod phones;
mod plan;
mod render;
mod score;
mod speak;
#[cfg(test)]
mod testing;
mod tree;
mod truth;
mod voice;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ambivox_settings::SynthSettings;
use rayon::prelude::*;

use crate::annotate::{Annotator, Judgement, judge};
use crate::plan::{Dialogue, Turn};
use crate::truth::Known;
use crate::voice::Voice;

pub use error::SynthError;

/// Makes the corpus: IEMOCAP's tree in `corpus`, a new or empty folder, and the truth in the file
/// `truth`, which should lie elsewhere. `progress` gets the number of turns done and of all turns,
/// from any thread and in any order.
///
/// # Errors
/// Settings that cannot be used, a folder that is not empty, a file that cannot be written.
pub fn generate(
    settings: &SynthSettings,
    corpus: &Path,
    truth: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<(), SynthError> {
    if let Some(fault) = settings.fault() {
        return Err(SynthError::Settings(fault));
    }
    tree::start(corpus)?;
    let dialogues = plan::dialogues(settings);
    let judgements = judge_all(settings, &dialogues);
    for (dialogue, judgements) in dialogues.iter().zip(&judgements) {
        tree::write_dialogue(corpus, dialogue, judgements)?;
    }
    let known = speak_all(settings, corpus, &dialogues, &judgements, progress)?;
    truth::write(truth, known)
}

/// Judgements of every dialogue's turns.
fn judge_all(settings: &SynthSettings, dialogues: &[Dialogue]) -> Vec<Vec<Judgement>> {
    let annotators = Annotator::all(settings);
    let of_dialogue = |dialogue: &Dialogue| {
        let improvised = dialogue.improvised();
        let judge = |turn: &Turn| judge(settings, &annotators, turn, improvised);
        dialogue.turns.iter().map(judge).collect()
    };
    dialogues.iter().map(of_dialogue).collect()
}

/// Writes the audio of every turn, on all threads; returns what is known of each.
fn speak_all<'a>(
    settings: &SynthSettings,
    corpus: &Path,
    dialogues: &'a [Dialogue],
    judgements: &'a [Vec<Judgement>],
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Vec<Known<'a>>, SynthError> {
    let voices = speak::voices(settings);
    let all = jobs(dialogues, judgements);
    let done = AtomicU64::new(0);
    all.par_iter()
        .map(|&(dialogue, turn, judgement)| {
            let f0_hz = speak_one(settings, corpus, &voices, dialogue, turn)?;
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, all.len() as u64);
            Ok(Known { turn, judgement, f0_hz })
        })
        .collect()
}

/// Every turn with its dialogue and its judgement.
fn jobs<'a>(
    dialogues: &'a [Dialogue],
    judgements: &'a [Vec<Judgement>],
) -> Vec<(&'a Dialogue, &'a Turn, &'a Judgement)> {
    let of_dialogue = |(dialogue, judgements): (&'a Dialogue, &'a Vec<Judgement>)| {
        let turns = dialogue.turns.iter().zip(judgements);
        turns.map(move |(turn, judgement)| (dialogue, turn, judgement))
    };
    dialogues.iter().zip(judgements).flat_map(of_dialogue).collect()
}

/// Writes the audio of one turn; returns its mean F0.
fn speak_one(
    settings: &SynthSettings,
    corpus: &Path,
    voices: &[Voice],
    dialogue: &Dialogue,
    turn: &Turn,
) -> Result<f64, SynthError> {
    let sound = speak::speak(settings, voices, turn);
    tree::write_audio(corpus, dialogue, turn, &speak::quantise(&sound.samples))?;
    Ok(sound.f0_hz)
}
