//! A generated corpus: few files, named by as many utterances as there shall be hours.

use std::path::{Path, PathBuf};

use ambivox_corpus::{Utterance, write_index};
use ambivox_lld::SAMPLE_RATE;
use anyhow::Result;
use fs_err as fs;

use crate::sound::generate;

/// Number of files; so many decoded ones do not stay in the processor's caches.
const FILES: u32 = 64;

/// Samples from frame to frame: a file that starts so much later has the same frames, one less.
const STARTS: u32 = 160;

/// Writes the files.
pub(super) fn create(folder: &Path) -> Result<()> {
    let sound = generate((0..FILES).map(seconds).sum());
    let mut rest = sound.as_slice();
    for number in 0..FILES {
        let length = (seconds(number) * f64::from(SAMPLE_RATE)) as usize;
        let (own, after) = rest.split_at(length);
        fs::write(folder.join(name(number)), wav(own))?;
        rest = after;
    }
    Ok(())
}

/// Says what it is made of.
pub(super) fn describe() -> String {
    let (least, most) = (seconds(0), seconds(FILES - 1));
    format!("{FILES} generated files of {least:.1} to {most:.1} s, each named with many starts")
}

/// Writes the index of so many hours.
pub(super) fn write(folder: &Path, hours: u32) -> Result<()> {
    Ok(write_index(&index(folder, hours), &utterances(hours))?)
}

/// Where [`write()`] puts it.
pub(super) fn index(folder: &Path, hours: u32) -> PathBuf {
    folder.join(format!("index-{hours}.parquet"))
}

/// Utterances of so many hours in all.
pub(super) fn utterances(hours: u32) -> Vec<Utterance> {
    let mut left = f64::from(hours) * 3600.0;
    let mut utterances = Vec::new();
    while left > 0.0 {
        let utterance = utterance(utterances.len());
        left -= utterance.duration_s.unwrap_or_default();
        utterances.push(utterance);
    }
    utterances
}

fn name(number: u32) -> String {
    format!("{number:02}.wav")
}

/// Lengths as those of utterances in acted corpora.
fn seconds(number: u32) -> f64 {
    1.5 + 0.08 * f64::from(number)
}

/// The file of its turn; each time a file comes round it starts a sample later, so that no row is
/// the same as another and the table is as hard to compress as that of so much sound.
fn utterance(index: usize) -> Utterance {
    let number = index as u32 % FILES;
    let start_s = f64::from(index as u32 / FILES % STARTS) / f64::from(SAMPLE_RATE);
    Utterance {
        start_s: Some(start_s),
        duration_s: Some(seconds(number) - start_s),
        ..Utterance::of("generated", &format!("utterance-{index:08}"), &name(number), "s")
    }
}

/// A WAV file of 16-bit samples.
fn wav(samples: &[f32]) -> Vec<u8> {
    let bytes = 2 * samples.len() as u32;
    let mut file = [*b"RIFF", (36 + bytes).to_le_bytes(), *b"WAVE", *b"fmt "].concat();
    file.extend(16u32.to_le_bytes());
    // Whole numbers, one channel.
    file.extend([1u16, 1].map(u16::to_le_bytes).concat());
    file.extend([SAMPLE_RATE, 2 * SAMPLE_RATE].map(u32::to_le_bytes).concat());
    file.extend([2u16, 16].map(u16::to_le_bytes).concat());
    file.extend([*b"data", bytes.to_le_bytes()].concat());
    file.extend(samples.iter().flat_map(|x| ((x * 32767.0).round() as i16).to_le_bytes()));
    file
}
