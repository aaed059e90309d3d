//! What the samples of a WAV file are: the `fmt ` chunk.

use crate::Problem;

/// Speakers that symphonia has names for.
const MOST_CHANNELS: u16 = 26;
/// Marks a format that is given by the first two bytes of a GUID instead.
const EXTENSIBLE: u16 = 0xfffe;
/// The rest of that GUID: Microsoft's, and that of ambisonic recordings.
const GUIDS: [[u8; 14]; 2] = [
    [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71],
    [0, 0, 0x21, 7, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0, 0, 0],
];

/// What is in the data chunk.
#[derive(Debug, PartialEq)]
pub(super) enum Format {
    /// Samples, or blocks of them, for the WAV reader of symphonia.
    Blocks {
        /// The `fmt ` chunk as it understands it.
        chunk: Vec<u8>,
        /// Bytes of a block.
        block: u64,
    },
    /// Bare MPEG frames, which need no header.
    Mpeg,
}

impl Format {
    /// Reads the content of a `fmt ` chunk. What is beside the point (masks of speakers, extensions
    /// without content, valid bits within a sample) is dropped, since readers stumble over it.
    pub(super) fn parse(chunk: &[u8]) -> Result<Self, Problem> {
        let Some(head) = chunk.first_chunk::<16>() else {
            return Err(Problem::Broken("its `fmt ` chunk is too short".to_owned()));
        };
        let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let [tag, channels, block, bits] = [tag(chunk), number(2), number(12), number(14)];
        check(channels, head)?;
        let whole = |bits: u16| {
            let chunk = rewritten(head, tag, bits);
            Ok(Self::Blocks { chunk, block: u64::from(bits / 8 * channels) })
        };
        match (tag, bits) {
            // Samples of 12 or 20 bits are the upper ones of two or three bytes.
            (1, 1..=32) => whole(bits.next_multiple_of(8)),
            (3, 32 | 64) | (6 | 7, 8) => whole(bits),
            (2 | 0x11, 4) => {
                Ok(Self::Blocks { chunk: with_extension(chunk)?, block: block.max(1).into() })
            }
            (0x50 | 0x55, _) => Ok(Self::Mpeg),
            _ => Err(Problem::Unsupported(name(tag, bits))),
        }
    }
}

/// The format's number.
fn tag(chunk: &[u8]) -> u16 {
    let guid = chunk.get(24..40).filter(|_| chunk.starts_with(&EXTENSIBLE.to_le_bytes()));
    match guid {
        Some([low, high, rest @ ..]) if GUIDS.iter().any(|guid| guid == rest) => {
            u16::from_le_bytes([*low, *high])
        }
        _ => u16::from_le_bytes([chunk[0], chunk[1]]),
    }
}

fn check(channels: u16, head: &[u8; 16]) -> Result<(), Problem> {
    if channels == 0 || head[4..8] == [0; 4] {
        return Err(Problem::Broken("its `fmt ` chunk has no channels or no rate".to_owned()));
    }
    let fits = channels <= MOST_CHANNELS;
    fits.then_some(()).ok_or_else(|| Problem::Unsupported(format!("WAV of {channels} channels")))
}

/// The chunk without extension; what is not PCM has the length of none.
fn rewritten(head: &[u8; 16], tag: u16, bits: u16) -> Vec<u8> {
    let mut chunk = head.to_vec();
    chunk[..2].copy_from_slice(&tag.to_le_bytes());
    chunk[14..].copy_from_slice(&bits.to_le_bytes());
    if tag != 1 {
        chunk.extend([0; 2]);
    }
    chunk
}

/// The chunk with as much extension as it says.
fn with_extension(chunk: &[u8]) -> Result<Vec<u8>, Problem> {
    let length = chunk.get(16..18).map(|length| u16::from_le_bytes([length[0], length[1]]));
    let end = 18 + usize::from(length.unwrap_or(0));
    let chunk = chunk
        .get(..end)
        .ok_or_else(|| Problem::Broken("its `fmt ` chunk is shorter than it says".to_owned()))?;
    Ok(chunk.to_vec())
}

/// What people call a format that cannot be decoded.
fn name(tag: u16, bits: u16) -> String {
    let name = match tag {
        1 => return format!("WAV with integers of {bits} bits"),
        3 => return format!("WAV with floats of {bits} bits"),
        2 | 0x11 => return format!("ADPCM of {bits} bits in WAV"),
        0x10 => "OKI ADPCM",
        0x14 | 0x42 => "G.723",
        0x20 => "Yamaha ADPCM",
        0x22 => "TrueSpeech",
        0x31 => "GSM 6.10",
        0x40 | 0x45 | 0x64 => "G.726",
        0x65 => "G.722",
        0x83 => "G.729",
        0x57 => "AMR",
        0xff | 0x1600 | 0x1602 | 0x1610 => "AAC",
        0x160..=0x163 => "WMA",
        0x270 => "ATRAC3",
        0x2000 => "AC-3 (Dolby Digital)",
        0x2001 => "DTS",
        0x566f | 0x674f..=0x6751 | 0x676f..=0x6771 => "Vorbis",
        0x704f => "Opus",
        0xa109 => "Speex",
        0xf1ac => "FLAC",
        EXTENSIBLE => return "WAV of an unknown extensible format".to_owned(),
        other => return format!("WAV of format {other:#06x}"),
    };
    format!("{name} in WAV")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A chunk with these fields, 16 kHz and this after them.
    pub(in crate::wav) fn chunk(tag: u16, channels: u16, bits: u16, rest: &[u8]) -> Vec<u8> {
        let block = bits / 8 * channels;
        let mut chunk = [tag, channels].map(u16::to_le_bytes).concat();
        chunk.extend([16_000, 16_000 * u32::from(block)].map(u32::to_le_bytes).concat());
        chunk.extend([block, bits].map(u16::to_le_bytes).concat());
        chunk.extend(rest);
        chunk
    }

    fn extension(tag: u16, guid: &[u8]) -> Vec<u8> {
        [&[22, 0, 16, 0, 4, 0, 0, 0x80], &tag.to_le_bytes()[..], guid].concat()
    }

    fn problem(chunk: &[u8]) -> String {
        Format::parse(chunk).unwrap_err().to_string()
    }

    #[test]
    fn extensible_formats_are_those_that_they_extend() {
        for (tag, bits) in [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64), (6, 8), (7, 8)] {
            for guid in &GUIDS {
                let extended = Format::parse(&chunk(EXTENSIBLE, 2, bits, &extension(tag, guid)));
                let plain = Format::parse(&chunk(tag, 2, bits, &[]));
                assert_eq!(extended.unwrap(), plain.unwrap(), "{tag} {bits}");
            }
        }
        assert!(problem(&chunk(EXTENSIBLE, 2, 16, &extension(1, &[9; 14]))).contains("extensible"));
        assert!(problem(&chunk(EXTENSIBLE, 2, 16, &[])).contains("extensible"));
    }

    #[test]
    fn samples_fill_whole_bytes() {
        for (bits, whole) in [(12, 16), (20, 24), (24, 24)] {
            let expected = chunk(1, 1, whole, &[]);
            let Format::Blocks { chunk, block } = Format::parse(&chunk(1, 1, bits, &[])).unwrap()
            else {
                panic!("{bits} bits are samples")
            };
            assert_eq!((&chunk[14..], block), (&expected[14..], u64::from(whole / 8)));
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_named() {
        for (tag, bits, name) in [
            (0x31, 0, "GSM 6.10 in WAV"),
            (0x2000, 0, "AC-3 (Dolby Digital) in WAV"),
            (0x161, 16, "WMA in WAV"),
            (1, 64, "integers of 64 bits"),
            (3, 16, "floats of 16 bits"),
            (0x7777, 16, "format 0x7777"),
        ] {
            let found = problem(&chunk(tag, 1, bits, &[]));
            assert!(found.contains(name) && found.contains("ffmpeg -i"), "{found}");
        }
        assert!(problem(&chunk(1, 27, 16, &[])).contains("27 channels"));
    }

    #[test]
    fn senseless_chunks_are_broken() {
        let silent = [&chunk(1, 1, 16, &[])[..4], &[0; 4], &chunk(1, 1, 16, &[])[8..]].concat();
        for chunk in [&chunk(1, 0, 16, &[])[..], &silent, &[1; 15], &chunk(2, 1, 4, &[9, 0])] {
            assert!(matches!(Format::parse(chunk), Err(Problem::Broken(_))), "{chunk:?}");
        }
    }
}
