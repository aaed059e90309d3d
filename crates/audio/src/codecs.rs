//! What people call the codecs that cannot be decoded.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::*;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};

/// Codecs that there is no decoder for.
const NAMES: [(AudioCodecId, &str); 27] = [
    (CODEC_ID_OPUS, "Opus"),
    (CODEC_ID_SPEEX, "Speex"),
    (CODEC_ID_MUSEPACK, "Musepack"),
    (CODEC_ID_AC3, "AC-3 (Dolby Digital)"),
    (CODEC_ID_EAC3, "E-AC-3 (Dolby Digital Plus)"),
    (CODEC_ID_AC4, "AC-4"),
    (CODEC_ID_DCA, "DTS"),
    (CODEC_ID_ATRAC1, "ATRAC"),
    (CODEC_ID_ATRAC3, "ATRAC3"),
    (CODEC_ID_ATRAC3PLUS, "ATRAC3+"),
    (CODEC_ID_ATRAC9, "ATRAC9"),
    (CODEC_ID_WMA, "WMA"),
    (CODEC_ID_RA10, "RealAudio"),
    (CODEC_ID_RA20, "RealAudio"),
    (CODEC_ID_SIPR, "RealAudio"),
    (CODEC_ID_COOK, "RealAudio"),
    (CODEC_ID_RALF, "RealAudio"),
    (CODEC_ID_SBC, "SBC"),
    (CODEC_ID_APTX, "aptX"),
    (CODEC_ID_APTX_HD, "aptX HD"),
    (CODEC_ID_WAVPACK, "WavPack"),
    (CODEC_ID_MONKEYS_AUDIO, "Monkey's Audio (APE)"),
    (CODEC_ID_TTA, "True Audio (TTA)"),
    (CODEC_ID_TRUEHD, "Dolby TrueHD"),
    (CODEC_ID_ADPCM_G722, "G.722"),
    (CODEC_ID_ADPCM_G726, "G.726"),
    (CODEC_ID_ADPCM_G726LE, "G.726"),
];

/// Name of a codec that cannot be decoded, or not in this form.
pub(crate) fn name(codec: &AudioCodecParameters) -> String {
    let channels = codec.channels.as_ref().map(Channels::count);
    match (codec.codec, channels) {
        (CODEC_ID_AAC, Some(channels @ 3..)) => format!("AAC with {channels} channels"),
        (CODEC_ID_AAC, _) => "AAC of another profile than LC, such as HE-AAC".to_owned(),
        (CODEC_ID_ALAC, _) => "Apple Lossless of an unknown form".to_owned(),
        (codec, _) => NAMES
            .iter()
            .find(|(known, _)| *known == codec)
            .map_or("a codec that is not known here", |(_, name)| name)
            .to_owned(),
    }
}
