//! What can be wrong with an audio file.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use symphonia::core::errors::Error;

use crate::Cut;

/// An audio file that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct AudioError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

impl AudioError {
    /// Whether the file could not be read, so that nothing is known of its content.
    pub fn is_unreadable(&self) -> bool {
        matches!(self.problem, Problem::Unreadable(_))
    }
}

/// What is wrong with an audio file.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// There is no such file, or the operating system cannot read it: its words. Nothing is known of the
    /// content.
    #[error("cannot be read: {0}; check the path and the permissions")]
    Unreadable(#[source] io::Error),
    /// None of the known formats, such as text with an audio file's name.
    #[error(
        "not an audio file of a known format; expected WAV, AIFF, CAF, SPHERE, FLAC, MP3, Ogg, MP4 or \
         MKV"
    )]
    NotAudio,
    /// Something else in the place of a recording.
    #[error("{found}; {hint}")]
    Foreign {
        /// What it is.
        found: String,
        /// What to do about it.
        hint: String,
    },
    /// The format is known, what is in it cannot be decoded.
    #[error(
        "holds audio that cannot be decoded ({0}); convert it with \
         `ffmpeg -i FILE -ac 1 -ar 16000 FILE.wav`"
    )]
    Unsupported(String),
    /// The content breaks the rules of its format.
    #[error("broken: {0}; get the file again from its source")]
    Broken(String),
    /// The file ends before what its header promises.
    #[error(
        "truncated: the header promises {promised} samples a channel, the file holds {found}; \
         get the file again from its source"
    )]
    Truncated {
        /// Samples per channel that the header promises.
        promised: u64,
        /// Samples per channel that are there.
        found: u64,
    },
    /// The file ends, by the rules of its format, before the recording does.
    #[error("truncated: {0}; get the file again from its source")]
    CutOff(String),
    /// Not one sample.
    #[error("holds no samples; remove it from the corpus or get it again from its source")]
    Empty,
    /// A float file with a sample that is no number, or one so large that sums of it overflow.
    #[error(
        "sample {index} is {value}; expected numbers of full scale ±1: convert the recording again, \
         with clipping instead of overflow"
    )]
    OffScale {
        /// Place of the sample in its channel, from 0.
        index: usize,
        /// The value: NaN, infinite, or far from ±1.
        value: f32,
    },
    /// More samples than a recording of speech has, as a few bytes of silence can promise.
    #[error("longer than {most} samples a channel; cut it into recordings of an hour or less")]
    Long {
        /// Samples per channel that are read at most.
        most: u64,
    },
    /// A sampling rate that speech is not recorded at.
    #[error("sampled at {0} Hz; expected 4000 to 384000 Hz: convert it to 16 kHz")]
    Rate(u32),
    /// The part asked for is not within the file, or is nothing.
    #[error("no sound {cut}: the file has {duration_s:.3} s; correct the start and end of the cut")]
    Cut {
        /// The part asked for.
        cut: Cut,
        /// Duration of the file in seconds.
        duration_s: f64,
    },
}

impl Problem {
    /// Whether no file has this path, or can have: a fault of whoever wrote the path, unless there was
    /// a file before. Any other [`Problem::Unreadable`] is a fault of the machine.
    pub fn is_missing(&self) -> bool {
        let Self::Unreadable(error) = self else { return false };
        matches!(
            error.kind(),
            ErrorKind::NotFound
                | ErrorKind::NotADirectory
                | ErrorKind::IsADirectory
                | ErrorKind::InvalidFilename
                | ErrorKind::InvalidInput
        )
    }

    pub(crate) fn of(self, path: &Path) -> AudioError {
        AudioError { path: path.to_owned(), problem: self }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            // Reads that fail are noted below the demuxers; what is left are their own words for
            // broken content.
            Error::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => {
                Self::Broken("it ends in the middle of its data".to_owned())
            }
            Error::IoError(e) => Self::Broken(e.to_string()),
            Error::Unsupported(feature) => Self::Unsupported(feature.to_owned()),
            other => Self::Broken(other.to_string()),
        }
    }
}
