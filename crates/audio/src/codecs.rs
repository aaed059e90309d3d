//! What people call the codecs that cannot be decoded.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters, well_known as id};

/// Codecs that there is no decoder for.
const NAMES: [(AudioCodecId, &str); 27] = [
    (id::CODEC_ID_OPUS, "Opus"),
    (id::CODEC_ID_SPEEX, "Speex"),
    (id::CODEC_ID_MUSEPACK, "Musepack"),
    (id::CODEC_ID_AC3, "AC-3 (Dolby Digital)"),
    (id::CODEC_ID_EAC3, "E-AC-3 (Dolby Digital Plus)"),
    (id::CODEC_ID_AC4, "AC-4"),
    (id::CODEC_ID_DCA, "DTS"),
    (id::CODEC_ID_ATRAC1, "ATRAC"),
    (id::CODEC_ID_ATRAC3, "ATRAC3"),
    (id::CODEC_ID_ATRAC3PLUS, "ATRAC3+"),
    (id::CODEC_ID_ATRAC9, "ATRAC9"),
    (id::CODEC_ID_WMA, "WMA"),
    (id::CODEC_ID_RA10, "RealAudio"),
    (id::CODEC_ID_RA20, "RealAudio"),
    (id::CODEC_ID_SIPR, "RealAudio"),
    (id::CODEC_ID_COOK, "RealAudio"),
    (id::CODEC_ID_RALF, "RealAudio"),
    (id::CODEC_ID_SBC, "SBC"),
    (id::CODEC_ID_APTX, "aptX"),
    (id::CODEC_ID_APTX_HD, "aptX HD"),
    (id::CODEC_ID_WAVPACK, "WavPack"),
    (id::CODEC_ID_MONKEYS_AUDIO, "Monkey's Audio (APE)"),
    (id::CODEC_ID_TTA, "True Audio (TTA)"),
    (id::CODEC_ID_TRUEHD, "Dolby TrueHD"),
    (id::CODEC_ID_ADPCM_G722, "G.722"),
    (id::CODEC_ID_ADPCM_G726, "G.726"),
    (id::CODEC_ID_ADPCM_G726LE, "G.726"),
];

/// Name of a codec that cannot be decoded, or not in this form.
pub(crate) fn name(codec: &AudioCodecParameters) -> String {
    let channels = codec.channels.as_ref().map(Channels::count);
    match (codec.codec, channels) {
        (id::CODEC_ID_AAC, Some(channels @ 3..)) => format!("AAC with {channels} channels"),
        (id::CODEC_ID_AAC, _) => "AAC of another profile than LC, such as HE-AAC".to_owned(),
        (id::CODEC_ID_ALAC, _) => "Apple Lossless of an unknown form".to_owned(),
        (codec, _) => NAMES
            .iter()
            .find(|(known, _)| *known == codec)
            .map_or("a codec that is not known here", |(_, name)| name)
            .to_owned(),
    }
}
