//! Reading a file with symphonia.

use std::io::ErrorKind;
use std::mem::take;

use symphonia::core::audio::{Channels, GenericAudioBufferRef};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::{
    FORMAT_ID_ADTS, FORMAT_ID_CAF, FORMAT_ID_MP1, FORMAT_ID_MP2, FORMAT_ID_MP3, FORMAT_ID_OGG,
};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::Duration;

use crate::levels::Levels;
use crate::resample::to_16_khz;
use crate::{Cut, Info, Problem, Warning, check_length, codecs, container, known};

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
    /// Of each cut.
    pub(crate) warnings: Vec<Vec<Warning>>,
}

impl<'s> Reader<'s> {
    /// Reads the headers.
    pub(crate) fn new(source: Box<dyn MediaSource + 's>) -> Result<Self, Problem> {
        if source.byte_len() == Some(0) {
            return Err(Problem::Empty);
        }
        let format = read_headers(source)?;
        let (track, codec) = audio_track(format.as_ref())?;
        Ok(Self { format, track, codec })
    }

    /// What the headers say; where they leave something out, what decoding finds.
    pub(crate) fn info(self) -> Result<Info, Problem> {
        let channels = self.codec.channels.as_ref().map(Channels::count);
        match (self.codec.sample_rate, channels, self.duration_s()) {
            (_, _, Some(duration)) if duration <= 0.0 => Err(Problem::Empty),
            (Some(sample_rate), Some(channels), Some(duration_s)) => {
                let duration_s = if self.may_be_joined() { self.total_s()? } else { duration_s };
                Ok(Info { sample_rate, channels, duration_s })
            }
            _ => self.decode(&[]).map(|recording| recording.info()),
        }
    }

    /// Whether files of this format can be joined by copying one after the other, so that the headers
    /// speak of the first alone.
    fn may_be_joined(&self) -> bool {
        self.is_bare_mpeg() || self.format.format_info().format == FORMAT_ID_OGG
    }

    /// Seconds of all streams. Bare MPEG frames are counted, but not decoded.
    fn total_s(mut self) -> Result<f64, Problem> {
        let mut before_s = 0.0;
        let mut samples = 0;
        loop {
            match self.next_packet()? {
                Next::Packet(packet) => samples += samples_of(&packet),
                Next::Stream => {
                    before_s += self.duration_s().unwrap_or_default();
                    self.next_stream()?;
                }
                Next::End => break,
            }
        }
        let rate = self.codec.sample_rate.filter(|_| self.is_bare_mpeg());
        let counted_s = rate.map(|rate| samples as f64 / f64::from(rate));
        Ok(before_s + counted_s.or_else(|| self.duration_s()).unwrap_or_default())
    }

    fn duration_s(&self) -> Option<f64> {
        if let (Some(frames), Some(rate)) = (self.track.num_frames, self.codec.sample_rate) {
            return Some(frames as f64 / f64::from(rate));
        }
        let duration = self.track.time_base?.calc_duration(self.track.duration?)?;
        Some(duration.as_secs_f64())
    }

    /// Decodes everything and checks that it is everything; what is doubtful is asked of each cut alone.
    pub(crate) fn decode(mut self, cuts: &[Cut]) -> Result<Recording, Problem> {
        let levels = cuts.iter().map(|&cut| Levels::new(cut)).collect();
        let mut mix = Mix { levels, ..Mix::default() };
        while self.decode_stream(&mut mix)? {
            self.next_stream()?;
        }
        mix.finish()
    }

    /// Decodes one stream; whether another one begins after it, as in a chain of Ogg.
    fn decode_stream(&mut self, mix: &mut Mix) -> Result<bool, Problem> {
        let options = AudioDecoderOptions::default().verify(true);
        let mut decoder = symphonia::default::get_codecs()
            .make_audio_decoder(&self.codec, &options)
            .map_err(|error| match error {
                Error::Unsupported(_) => Problem::Unsupported(codecs::name(&self.codec)),
                other => other.into(),
            })?;
        let before = mix.samples.len();
        let mut kind = None;
        let chained = loop {
            match self.next_packet()? {
                Next::Packet(packet) => {
                    if *kind.get_or_insert(self.mpeg_kind(&packet)) != self.mpeg_kind(&packet) {
                        return Err(changed());
                    }
                    mix.add(&decoder.decode(&packet)?)?;
                }
                Next::Stream => break true,
                Next::End => break false,
            }
        };
        self.check(decoder.as_mut(), (mix.samples.len() - before) as u64)?;
        Ok(chained)
    }

    /// The track's next packet; the end of the file, be it the right one or not.
    fn next_packet(&mut self) -> Result<Next, Problem> {
        loop {
            match self.format.next_packet() {
                Ok(Some(packet)) if packet.track_id != self.track.id => {}
                Ok(Some(packet)) => return Ok(Next::Packet(self.untrimmed(packet))),
                Ok(None) => return Ok(Next::End),
                Err(Error::ResetRequired) => return Ok(Next::Stream),
                Err(Error::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof => {
                    return Ok(Next::End);
                }
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// The packet, whole if it is one of bare MPEG frames after the counted or estimated end: there the
    /// estimate was too low, or another file was appended.
    fn untrimmed(&self, mut packet: Packet) -> Packet {
        let padding = u64::from(self.track.padding.unwrap_or(0));
        let end = self.track.num_frames.map(|frames| frames.saturating_add(padding));
        let begin = u64::try_from(packet.pts.get()).ok();
        let beyond = begin.zip(end).is_some_and(|(begin, end)| begin >= end);
        if self.is_bare_mpeg() && beyond {
            packet.trim_end = Duration::ZERO;
        }
        packet
    }

    /// What the decoder of MPEG frames takes from the first of them: version, layer, sampling rate, and
    /// whether it is mono. Of other packets nothing.
    fn mpeg_kind(&self, packet: &Packet) -> Option<[u8; 3]> {
        let [_, second, third, fourth] = *packet.data.first_chunk()?;
        let mono = u8::from(fourth >> 6 == 3);
        self.is_layered().then_some([second & 0xfe, third & 0x0c, mono])
    }

    /// Goes on with the next stream of a chain.
    fn next_stream(&mut self) -> Result<(), Problem> {
        let (track, codec) = audio_track(self.format.as_ref())?;
        (self.track, self.codec) = (track, codec);
        Ok(())
    }

    fn check(&self, decoder: &mut dyn AudioDecoder, found: u64) -> Result<(), Problem> {
        match self.promised() {
            Some(promised) if found < promised => Err(Problem::Truncated { promised, found }),
            _ if decoder.finalize().verify_ok == Some(false) => {
                Err(Problem::Broken("its sound does not match its checksum".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Whether it is MPEG frames without a container.
    fn is_bare_mpeg(&self) -> bool {
        self.is_layered() || self.format.format_info().format == FORMAT_ID_ADTS
    }

    /// Whether it is such frames of MP1, MP2 or MP3.
    fn is_layered(&self) -> bool {
        let layers = [FORMAT_ID_MP1, FORMAT_ID_MP2, FORMAT_ID_MP3];
        layers.contains(&self.format.format_info().format)
    }

    /// Number of samples per channel that the headers vouch for. Of bare MPEG frames it may be an
    /// estimate from the first of them; CAF may count the last of its packets as if it were full.
    fn promised(&self) -> Option<u64> {
        let is_caf = self.format.format_info().format == FORMAT_ID_CAF;
        let packet = self.codec.max_frames_per_packet.filter(|_| is_caf).unwrap_or(1);
        let counted = self.track.num_frames.filter(|_| !self.is_bare_mpeg());
        counted.map(|frames| (frames + 1).saturating_sub(packet))
    }
}

fn changed() -> Problem {
    Problem::Unsupported("its sampling rate or channels change midway".to_owned())
}

/// Samples of a bare MPEG frame, whose own duration is that with what is trimmed.
fn samples_of(packet: &Packet) -> u64 {
    let trimmed = packet.trim_start.get().saturating_add(packet.trim_end.get());
    packet.dur.get().saturating_sub(trimmed)
}

/// What comes next in a file.
enum Next {
    Packet(Packet),
    /// Another stream.
    Stream,
    End,
}

/// The track of audio in a file, and its codec.
fn audio_track(format: &dyn FormatReader) -> Result<(Track, AudioCodecParameters), Problem> {
    let track = format.default_track(TrackType::Audio).ok_or_else(|| Problem::Foreign {
        found: "holds no audio track, such as a video without sound".to_owned(),
        hint: "remove it from the corpus or get it again from its source".to_owned(),
    })?;
    let codec = track.codec_params.as_ref().and_then(|params| params.audio()).cloned();
    let codec = codec.ok_or_else(|| Problem::Unsupported("its codec has no name".to_owned()))?;
    Ok((track.clone(), codec))
}

fn read_headers<'s>(
    source: Box<dyn MediaSource + 's>,
) -> Result<Box<dyn FormatReader + 's>, Problem> {
    let mut source = container::open(source)?;
    let first = container::first(source.as_mut())?;
    let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
    symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| match error {
            Error::DecodeError(reason) => Problem::Broken(reason.to_owned()),
            _ => known::refused(&first),
        })
}

/// Collects the mean of the channels, packet by packet.
#[derive(Default)]
struct Mix {
    samples: Vec<f32>,
    /// Rate and channels; `None` before the first packet.
    form: Option<(u32, usize)>,
    interleaved: Vec<f32>,
    /// Of each cut.
    levels: Vec<Levels>,
}

impl Mix {
    fn add(&mut self, packet: &GenericAudioBufferRef<'_>) -> Result<(), Problem> {
        let form = (packet.spec().rate(), packet.spec().channels().count());
        if *self.form.get_or_insert(form) != form || form.0 == 0 || form.1 == 0 {
            return Err(changed());
        }
        packet.copy_to_vec_interleaved(&mut self.interleaved);
        let frames = self.interleaved.chunks_exact(form.1);
        let before = self.samples.len();
        self.samples.extend(frames.map(|frame| frame.iter().sum::<f32>() / form.1 as f32));
        for levels in &mut self.levels {
            levels.add(&self.interleaved, form.1, &self.samples[before..], form.0);
        }
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
        let warnings = self.levels.iter().map(Levels::warnings).collect();
        Ok(Recording { samples: self.samples, rate, channels, warnings })
    }
}

impl Recording {
    /// The samples of a cut at 16 kHz; the last that is asked for takes them without a copy.
    pub(crate) fn cut(&mut self, cut: Cut, is_last: bool) -> Result<Vec<f32>, Problem> {
        let range = cut.range(self.samples.len(), self.rate)?;
        if !is_last {
            return to_16_khz(self.samples[range].to_vec(), self.rate);
        }
        let mut samples = take(&mut self.samples);
        samples.truncate(range.end);
        samples.drain(..range.start);
        to_16_khz(samples, self.rate)
    }

    fn info(&self) -> Info {
        let duration_s = self.samples.len() as f64 / f64::from(self.rate);
        Info { sample_rate: self.rate, channels: self.channels, duration_s }
    }
}
