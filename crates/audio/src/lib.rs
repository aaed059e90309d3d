//! Audio files of any common format to mono samples at 16 kHz.
//!
//! WAV (also RF64 and BW64), AIFF, CAF (integer of 8 to 32 bits, float, µ-law, A-law, ADPCM), NIST
//! SPHERE (integer, µ-law, A-law), FLAC, Apple Lossless, MP1, MP2, MP3, Vorbis, AAC-LC of up to two
//! channels; bare, or in WAV (MP2, MP3), Ogg, MP4, CAF or Matroska. What a file holds decides, not its
//! name. What is known and cannot be read, such as Opus, AC-3 or AAC of six channels, is called by its
//! name.
//!
//! A file that cannot be read whole is an error, never a shorter recording. That goes for joined files
//! (MP3 after MP3, chains of Ogg streams), too, which are read to their end; and formats say how long a
//! recording is, or mark its end, or at least end between two of their frames, and each is held to what
//! it says. Three things leave no trace, if they are cut off just between two frames: bare MPEG audio
//! (MP3, AAC in ADTS) without a count of its frames, Matroska and fragmented MP4 as they are written
//! while a recording goes on, and FLAC from a pipe, which has neither length nor checksum.
//!
//! Samples of 16 bits at 16 kHz come out as exactly s / 32768.

mod codecs;
mod container;
mod cut;
mod cutoff;
mod error;
mod known;
mod levels;
mod reader;
mod resample;
mod source;
mod sphere;
mod splice;
mod wav;

use std::io::Cursor;
use std::path::Path;

use symphonia::core::io::MediaSource;

pub use cut::Cut;
pub use error::{AudioError, Problem};
pub use levels::Warning;
use reader::{Reader, Recording};
use source::{open, watched};

/// The sampling rate of everything that is loaded, in Hz.
pub const SAMPLE_RATE: u32 = 16_000;

/// Samples per channel that are read at most: nine hours at 16 kHz, three at 48 kHz. Two bytes of a
/// packed silence can be thousands of samples, and memory must not follow them.
const MOST_SAMPLES: u64 = 1 << 29;

/// What a file says about its sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Info {
    /// Sampling rate in Hz.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: usize,
    /// Duration in seconds, that of the samples which [`load`] gives. AAC may decode to up to 0.1 s
    /// more or less.
    pub duration_s: f64,
}

/// The sound of `path` between the ends of `cut`: the mean of its channels, at 16 kHz, full scale ±1.
///
/// The cut is made in the file's own sampling rate, to the nearest sample. AAC keeps the silence of
/// about 1000 samples that its encoder put before the sound.
pub fn load(path: &Path, cut: Cut) -> Result<Vec<f32>, AudioError> {
    Audio::load(path, cut).map(|audio| audio.samples)
}

/// As [`load`], from the content of a file. `name` is what an error calls it.
pub fn decode(content: &[u8], name: &Path, cut: Cut) -> Result<Vec<f32>, AudioError> {
    Audio::decode(content, name, cut).map(|audio| audio.samples)
}

/// Rate, channels and duration of `path`, from its headers where they have them all: those of all
/// frames of MPEG, and of all streams of Ogg. Otherwise the file is decoded. Broken sound behind sound headers is not noticed here.
pub fn probe(path: &Path) -> Result<Info, AudioError> {
    open(path)
        .and_then(|source| watched(source, |source| Reader::new(Box::new(source))?.info()))
        .map_err(|problem| problem.of(path))
}

/// A recording that could be read, and what is doubtful about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    /// As [`load`] gives them.
    pub samples: Vec<f32>,
    /// What is doubtful between the ends of the cut, in the file's own rate and channels.
    pub warnings: Vec<Warning>,
}

impl Audio {
    /// As [`load`], with warnings.
    pub fn load(path: &Path, cut: Cut) -> Result<Self, AudioError> {
        open(path).and_then(|source| load_from(source, cut)).map_err(|problem| problem.of(path))
    }

    /// As [`decode`], with warnings.
    pub fn decode(content: &[u8], name: &Path, cut: Cut) -> Result<Self, AudioError> {
        load_from(Box::new(Cursor::new(content)), cut).map_err(|problem| problem.of(name))
    }
}

fn load_from(source: Box<dyn MediaSource + '_>, cut: Cut) -> Result<Audio, Problem> {
    watched(source, |mut source| {
        cutoff::check(&mut source)?;
        let recording = Reader::new(Box::new(source))?.decode(cut)?;
        let Recording { mut samples, rate, warnings, .. } = recording;
        let range = cut.range(samples.len(), rate)?;
        samples.truncate(range.end);
        samples.drain(..range.start);
        Ok(Audio { samples: resample::to_16_khz(samples, rate)?, warnings })
    })
}

fn check_length(samples: u64) -> Result<(), Problem> {
    let fits = samples <= MOST_SAMPLES;
    fits.then_some(()).ok_or(Problem::Long { most: MOST_SAMPLES })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_recording_takes_all_memory() {
        assert!(check_length(MOST_SAMPLES).is_ok());
        let message = check_length(MOST_SAMPLES + 1).unwrap_err().to_string();
        assert!(message.contains("longer than 536870912 samples"), "{message}");
    }
}
