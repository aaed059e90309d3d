//! Reading a file with symphonia.

use std::io::ErrorKind;

use symphonia::core::audio::{Channels, GenericAudioBufferRef};
use symphonia::core::codecs::audio::well_known::{CODEC_ID_ALAC, CODEC_ID_OPUS};
use symphonia::core::codecs::audio::{
    AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions,
};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::{
    FORMAT_ID_ADTS, FORMAT_ID_MP1, FORMAT_ID_MP2, FORMAT_ID_MP3,
};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use crate::levels::Levels;
use crate::{Cut, Info, Problem, Warning, check_length};

/// Loudest sample, where full scale is 1 and float files on the scale of 32-bit integers still pass:
/// filters add up thousands of samples, and the sums must stay finite.
const LOUDEST: f32 = 1e12;

/// A file whose headers have been read.
pub(crate) struct Reader<'s> {
    format: Box<dyn FormatReader + 's>,
    track: Track,
    codec: AudioCodecParameters,
}

/// The sound of a file: the mean of its channels, in its own sampling rate.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) samples: Vec<f32>,
    pub(crate) rate: u32,
    pub(crate) channels: usize,
    /// Of the cut.
    pub(crate) warnings: Vec<Warning>,
}

impl<'s> Reader<'s> {
    /// Reads the headers.
    pub(crate) fn new(source: Box<dyn MediaSource + 's>) -> Result<Self, Problem> {
        if source.byte_len() == Some(0) {
            return Err(Problem::Empty);
        }
        let format = read_headers(source)?;
        let track = format.default_track(TrackType::Audio).ok_or(Problem::NotAudio)?.clone();
        let codec = track.codec_params.as_ref().and_then(|params| params.audio()).cloned();
        let codec = codec.ok_or_else(|| Problem::Unsupported("codec not named".to_owned()))?;
        Ok(Self { format, track, codec })
    }

    /// What the headers say; where they leave something out, what decoding finds.
    pub(crate) fn info(self) -> Result<Info, Problem> {
        let channels = self.codec.channels.as_ref().map(Channels::count);
        match (self.codec.sample_rate, channels, self.duration_s()) {
            (_, _, Some(duration)) if duration <= 0.0 => Err(Problem::Empty),
            (Some(sample_rate), Some(channels), Some(duration_s)) => {
                Ok(Info { sample_rate, channels, duration_s })
            }
            _ => self.decode(Cut::default()).map(|recording| recording.info()),
        }
    }

    fn duration_s(&self) -> Option<f64> {
        if let (Some(frames), Some(rate)) = (self.track.num_frames, self.codec.sample_rate) {
            return Some(frames as f64 / f64::from(rate));
        }
        let duration = self.track.time_base?.calc_duration(self.track.duration?)?;
        Some(duration.as_secs_f64())
    }

    /// Decodes everything and checks that it is everything; what is doubtful is asked of `cut` alone.
    pub(crate) fn decode(mut self, cut: Cut) -> Result<Recording, Problem> {
        let options = AudioDecoderOptions::default().verify(true);
        let mut decoder = symphonia::default::get_codecs()
            .make_audio_decoder(&self.codec, &options)
            .map_err(|error| match error {
                Error::Unsupported(_) => Problem::Unsupported(codec_name(self.codec.codec)),
                other => other.into(),
            })?;
        let mut mix = Mix { levels: Levels::new(cut), ..Mix::default() };
        while let Some(packet) = self.next_packet()? {
            mix.add(&decoder.decode(&packet)?)?;
        }
        self.check(decoder.as_mut(), &mix)?;
        mix.finish()
    }

    /// The track's next packet; `None` at the end of the file, be it the right one or not.
    fn next_packet(&mut self) -> Result<Option<Packet>, Problem> {
        loop {
            match self.format.next_packet() {
                Ok(Some(packet)) if packet.track_id != self.track.id => {}
                Ok(packet) => return Ok(packet),
                Err(Error::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof => return Ok(None),
                Err(e) => return Err(e.into()),
            }
        }
    }

    fn check(&self, decoder: &mut dyn AudioDecoder, mix: &Mix) -> Result<(), Problem> {
        let found = mix.samples.len() as u64;
        match self.promised() {
            Some(promised) if found < promised => Err(Problem::Truncated { promised, found }),
            _ if decoder.finalize().verify_ok == Some(false) => {
                Err(Problem::Broken("its sound does not match its checksum".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Number of samples per channel that the headers vouch for. Of bare MPEG frames it may be an
    /// estimate from the first of them.
    fn promised(&self) -> Option<u64> {
        let estimates = [FORMAT_ID_MP1, FORMAT_ID_MP2, FORMAT_ID_MP3, FORMAT_ID_ADTS];
        let estimated = estimates.contains(&self.format.format_info().format);
        self.track.num_frames.filter(|_| !estimated)
    }
}

fn read_headers<'s>(
    source: Box<dyn MediaSource + 's>,
) -> Result<Box<dyn FormatReader + 's>, Problem> {
    let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
    symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| match error {
            Error::DecodeError(reason) => Problem::Broken(reason.to_owned()),
            _ => Problem::NotAudio,
        })
}

/// Name of a codec that there is no decoder for, its number where it is a rare one.
fn codec_name(codec: AudioCodecId) -> String {
    match codec {
        CODEC_ID_OPUS => "Opus".to_owned(),
        CODEC_ID_ALAC => "Apple Lossless".to_owned(),
        other => format!("codec {other}"),
    }
}

/// Collects the mean of the channels, packet by packet.
#[derive(Default)]
struct Mix {
    samples: Vec<f32>,
    /// Rate and channels; `None` before the first packet.
    form: Option<(u32, usize)>,
    interleaved: Vec<f32>,
    levels: Levels,
}

impl Mix {
    fn add(&mut self, packet: &GenericAudioBufferRef<'_>) -> Result<(), Problem> {
        let form = (packet.spec().rate(), packet.spec().channels().count());
        if *self.form.get_or_insert(form) != form || form.0 == 0 || form.1 == 0 {
            return Err(Problem::Unsupported("its rate or channels change midway".to_owned()));
        }
        packet.copy_to_vec_interleaved(&mut self.interleaved);
        let frames = self.interleaved.chunks_exact(form.1);
        let before = self.samples.len();
        self.samples.extend(frames.map(|frame| frame.iter().sum::<f32>() / form.1 as f32));
        self.levels.add(&self.interleaved, form.1, &self.samples[before..], form.0);
        check_length(self.samples.len() as u64)
    }

    fn finish(self) -> Result<Recording, Problem> {
        let Some((rate, channels)) = self.form.filter(|_| !self.samples.is_empty()) else {
            return Err(Problem::Empty);
        };
        // Written so that NaN is off the scale too.
        let on_scale = |sample: &f32| sample.abs() <= LOUDEST;
        if let Some(index) = self.samples.iter().position(|sample| !on_scale(sample)) {
            return Err(Problem::OffScale { index, value: self.samples[index] });
        }
        Ok(Recording { samples: self.samples, rate, channels, warnings: self.levels.warnings() })
    }
}

impl Recording {
    fn info(&self) -> Info {
        let duration_s = self.samples.len() as f64 / f64::from(self.rate);
        Info { sample_rate: self.rate, channels: self.channels, duration_s }
    }
}
