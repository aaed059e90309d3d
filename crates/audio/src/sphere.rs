//! NIST SPHERE, the format of many speech corpora: a header of text lines before the samples.

use symphonia::core::io::MediaSource;

use crate::splice::Splice;
use crate::{Problem, wav};

/// Whether these are the first bytes of a SPHERE file.
pub(crate) fn is_sphere(first: &[u8]) -> bool {
    first.starts_with(b"NIST_1A\n")
}

/// The file with a header of WAV, or of AIFF where its first byte is the upper one.
pub(crate) fn open<'s>(
    source: Box<dyn MediaSource + 's>,
    start: u64,
    length: u64,
    first: &[u8],
) -> Result<Box<dyn MediaSource + 's>, Problem> {
    let header = Header::parse(first)
        .ok_or_else(|| Problem::Broken("its SPHERE header has a line missing".to_owned()))?;
    let body = start.saturating_add(header.length).min(length);
    let block = u64::from(header.channels) * u64::from(header.bytes_per_sample);
    let promised = header.count.unwrap_or((length - body) / block);
    let bytes = promised.saturating_mul(block);
    let head = header.head(bytes)?;
    let found = (length - body) / block;
    if found < promised {
        return Err(Problem::Truncated { promised, found });
    }
    let splice = Splice::new(head, source, body..body + bytes).map_err(Problem::Unreadable)?;
    Ok(Box::new(splice))
}

/// What the text says.
struct Header {
    /// Of the text, in bytes.
    length: u64,
    rate: u32,
    channels: u16,
    bytes_per_sample: u16,
    /// Samples per channel.
    count: Option<u64>,
    coding: String,
    is_big_endian: bool,
}

impl Header {
    fn parse(first: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(first);
        let (text, _) = text.split_once("end_head")?;
        let field = |name: &str| {
            let mut lines = text.lines().map(str::split_whitespace);
            lines.find_map(|mut words| (words.next() == Some(name)).then(|| words.nth(1)).flatten())
        };
        Some(Self {
            length: text.lines().nth(1)?.trim().parse().ok()?,
            rate: field("sample_rate")?.parse().ok().filter(|&rate| rate > 0)?,
            channels: field("channel_count")
                .unwrap_or("1")
                .parse()
                .ok()
                .filter(|n| (1..=26).contains(n))?,
            bytes_per_sample: field("sample_n_bytes")
                .unwrap_or("2")
                .parse()
                .ok()
                .filter(|n| (1..=8).contains(n))?,
            count: field("sample_count").and_then(|count| count.parse().ok()),
            coding: field("sample_coding").unwrap_or("pcm").to_ascii_lowercase(),
            is_big_endian: field("sample_byte_format").is_some_and(|order| order.starts_with('1')),
        })
    }
}

impl Header {
    /// The header in WAV or AIFF, of so many bytes of samples.
    fn head(&self, bytes: u64) -> Result<Vec<u8>, Problem> {
        let tag = match (self.coding.as_str(), self.bytes_per_sample) {
            ("pcm", 2..=4) if self.is_big_endian => return Ok(self.aiff(bytes)),
            ("pcm", 2..=4) => 1_u16,
            ("alaw" | "a-law", 1) => 6,
            ("ulaw" | "mu-law", 1) => 7,
            (coding, _) if coding.contains("shorten") => {
                return Err(Problem::Foreign {
                    found: "NIST SPHERE, shorten-compressed".to_owned(),
                    hint: "convert it with `sph2pipe -f wav FILE FILE.wav`".to_owned(),
                });
            }
            (coding, width) => {
                let kind = format!("NIST SPHERE with {width} bytes a sample of {coding}");
                return Err(Problem::Unsupported(kind));
            }
        };
        let bits = 8 * self.bytes_per_sample;
        wav::head_of_samples(tag, self.channels, self.rate, bits, bytes)
    }

    /// The header in AIFF.
    fn aiff(&self, bytes: u64) -> Vec<u8> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(u32::MAX - 46);
        let count = bytes / u32::from(self.bytes_per_sample) / u32::from(self.channels);
        // The rate is a float of 80 bits.
        let shift = self.rate.leading_zeros();
        let exponent = 0x3fff + 31 - shift as u16;
        let mut head = [&b"FORM"[..], &(bytes + 46).to_be_bytes(), b"AIFFCOMM\0\0\0\x12"].concat();
        head.extend(self.channels.to_be_bytes());
        head.extend(count.to_be_bytes());
        head.extend([8 * self.bytes_per_sample, exponent].map(u16::to_be_bytes).concat());
        head.extend([self.rate << shift, 0].map(u32::to_be_bytes).concat());
        head.extend([&b"SSND"[..], &(bytes + 8).to_be_bytes(), &[0; 8]].concat());
        head
    }
}
