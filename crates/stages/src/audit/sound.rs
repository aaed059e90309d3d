//! Sounds for the page: the outline of each, and the first of them as files.

use std::io::Cursor;
use std::path::Path;

use ambivox_audio::{Cut, SAMPLE_RATE, load};
use ambivox_corpus::Utterance;
use ambivox_report::COLUMNS;
use hound::{SampleFormat, WavSpec, WavWriter};

use crate::StageError;

/// What a page shows and plays of a recording; nothing, where there is none.
#[derive(Default)]
pub(super) struct Sound {
    pub(super) seconds: f64,
    /// The lowest and the highest sample of every column, in turns, for a loudest sample of ±1.
    pub(super) peaks: Vec<f32>,
    /// 16 bits, one channel, 16 kHz.
    pub(super) wav: Option<Vec<u8>>,
}

impl Sound {
    /// Of an utterance below the corpus's root, as a file too if it is to be played.
    pub(super) fn read(
        root: &Path,
        utterance: &Utterance,
        played: bool,
    ) -> Result<Self, StageError> {
        let cut = Cut { start_s: utterance.start_s, end_s: utterance.end_s };
        let samples = load(&root.join(&utterance.path), cut).map_err(StageError::recording)?;
        let wav = played.then(|| wav(&samples)).transpose();
        Ok(Self {
            seconds: samples.len() as f64 / f64::from(SAMPLE_RATE),
            peaks: peaks(&samples, COLUMNS),
            wav: wav.map_err(|error| StageError::Io(std::io::Error::other(error)))?,
        })
    }
}

fn peaks(samples: &[f32], columns: usize) -> Vec<f32> {
    let columns = columns.min(samples.len());
    let loudest = samples.iter().fold(f32::MIN_POSITIVE, |top, sample| top.max(sample.abs()));
    let place = |column: usize| column * samples.len() / columns;
    let ends = |column| {
        let part = &samples[place(column)..place(column + 1)];
        let lowest = part.iter().copied().fold(f32::INFINITY, f32::min);
        let highest = part.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        [lowest / loudest, highest / loudest]
    };
    (0..columns).flat_map(ends).collect()
}

fn wav(samples: &[f32]) -> Result<Vec<u8>, hound::Error> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec)?;
    for sample in samples {
        // A cast keeps within the range what resampling has carried beyond it.
        writer.write_sample((sample * 32_768.0).round() as i16)?;
    }
    writer.finalize()?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use ambivox_settings::exit;

    use super::*;

    #[test]
    fn peaks_are_the_ends_of_every_column() {
        let samples = [0.1, -0.2, 0.4, 0.0, -0.1, 0.2];
        assert_eq!(peaks(&samples, 3), [-0.5, 0.25, 0.0, 1.0, -0.25, 0.5]);
        assert_eq!(peaks(&samples[..1], 3), [1.0, 1.0], "a column for every sample");
        assert_eq!(peaks(&[0.0; 7], 2), [0.0; 4], "silence");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_fault_of_the_data() {
        let folder = tempfile::tempdir().unwrap();
        let utterance = Utterance::of("toy", "u", "u.wav", "s");
        let code =
            || Sound::read(folder.path(), &utterance, false).err().map(|error| error.exit_code());
        assert_eq!(code(), Some(exit::FAILED));
        fs_err::write(folder.path().join("u.wav"), "no sound at all").unwrap();
        assert_eq!(code(), Some(exit::DATA));
    }

    #[test]
    fn a_wav_file_has_the_samples() {
        let bytes = wav(&[0.0, 0.5, -1.0, 1.5]).unwrap();
        let mut reader = hound::WavReader::new(bytes.as_slice()).unwrap();
        assert_eq!(reader.spec().sample_rate, 16_000);
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        assert_eq!(samples, [0, 16_384, -32_768, 32_767]);
    }
}
