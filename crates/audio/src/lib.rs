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
use std::mem::take;
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
        Self::load_cuts(path, &[cut])?.swap_remove(0)
    }

    /// As [`Audio::load`], of several cuts of one file, which is decoded once for all of them.
    ///
    /// # Errors
    /// What is wrong with the file; with a cut, at its place.
    pub fn load_cuts(
        path: &Path,
        cuts: &[Cut],
    ) -> Result<Vec<Result<Self, AudioError>>, AudioError> {
        of_cuts(open(path).and_then(|source| recorded(source, cuts)), path, cuts)
    }

    /// As [`decode`], with warnings.
    pub fn decode(content: &[u8], name: &Path, cut: Cut) -> Result<Self, AudioError> {
        let source = Box::new(Cursor::new(content));
        of_cuts(recorded(source, &[cut]), name, &[cut])?.swap_remove(0)
    }
}

/// Decodes all of a file; what is doubtful is asked of each cut.
fn recorded(source: Box<dyn MediaSource + '_>, cuts: &[Cut]) -> Result<Recording, Problem> {
    watched(source, |mut source| {
        cutoff::check(&mut source)?;
        Reader::new(Box::new(source))?.decode(cuts)
    })
}

/// The sound of every cut.
fn of_cuts(
    recording: Result<Recording, Problem>,
    name: &Path,
    cuts: &[Cut],
) -> Result<Vec<Result<Audio, AudioError>>, AudioError> {
    let mut recording = recording.map_err(|problem| problem.of(name))?;
    let warnings = take(&mut recording.warnings);
    let of_cut = |(number, (&cut, warnings)): (usize, (&Cut, Vec<Warning>))| {
        let is_last = number + 1 == cuts.len();
        let samples = recording.cut(cut, is_last).map_err(|problem| problem.of(name))?;
        Ok(Audio { samples, warnings })
    };
    Ok(cuts.iter().zip(warnings).enumerate().map(of_cut).collect())
}

fn check_length(samples: u64) -> Result<(), Problem> {
    let fits = samples <= MOST_SAMPLES;
    fits.then_some(()).ok_or(Problem::Long { most: MOST_SAMPLES })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_of_one_file_are_as_each_by_itself() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests-data");
        let cuts = [(None, None), (None, Some(0.05)), (Some(0.02), Some(0.06)), (Some(99.0), None)]
            .map(|(start_s, end_s)| Cut { start_s, end_s });
        for entry in fs_err::read_dir(fixtures).unwrap() {
            let path = entry.unwrap().path();
            let text = |error: AudioError| error.to_string();
            let alone = cuts.map(|cut| Audio::load(&path, cut).map_err(text));
            match Audio::load_cuts(&path, &cuts) {
                Ok(found) => {
                    let found: Vec<_> = found.into_iter().map(|one| one.map_err(text)).collect();
                    assert!(found == alone, "{}", path.display());
                    assert!(found[3].as_ref().unwrap_err().contains("from 99 s"), "{found:?}");
                }
                Err(error) => assert_eq!(Err(error.to_string()), alone[0]),
            }
        }
    }

    #[test]
    fn no_recording_takes_all_memory() {
        assert!(check_length(MOST_SAMPLES).is_ok());
        let message = check_length(MOST_SAMPLES + 1).unwrap_err().to_string();
        assert!(message.contains("longer than 536870912 samples"), "{message}");
    }
}
