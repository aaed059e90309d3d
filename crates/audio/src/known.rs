//! Files that are known by their first bytes and cannot be read, by the names that people have for
//! them.

use crate::Problem;

/// Beginnings of audio and video files that `ffmpeg` converts.
const CONVERTIBLE: [(&[u8], &str); 23] = [
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA or another ASF file"),
    (b"#!AMR", "AMR"),
    (b"MPCK", "Musepack"),
    (b"MP+", "Musepack"),
    (b"MAC ", "Monkey's Audio (APE)"),
    (b"DSD ", "DSD"),
    (b"FRM8", "DSD"),
    (b"riff\x2e\x91\xcf\x11", "Wave64"),
    (b"RIFX", "WAV with the upper byte first (RIFX)"),
    (b".snd", "Sun AU"),
    (b"wvpk", "WavPack"),
    (b"TTA1", "True Audio (TTA)"),
    (b"tBaK", "TAK"),
    (b"ajkg", "shorten"),
    (b".RMF", "RealAudio"),
    (b".ra\xfd", "RealAudio"),
    (b"\x0b\x77", "AC-3 (Dolby Digital)"),
    (b"\x7f\xfe\x80\x01", "DTS"),
    (b"Creative Voice File", "Creative Voice"),
    (b"FLV\x01", "Flash video"),
    (b"\x00\x00\x01\xba", "MPEG video"),
    (b"\x00\x00\x01\xb3", "MPEG video"),
    (b"ADIF", "AAC in ADIF"),
];

/// Beginnings of what is no recording, what it is, and what to do about it.
const FOREIGN: [(&[u8], &str, &str); 9] = [
    (
        b"version https://git-lfs.github.com/spec/",
        "a Git LFS pointer instead of the audio file",
        "get the file with `git lfs pull`",
    ),
    (b"PK\x03\x04", "a zip archive", "unpack it"),
    (b"\x1f\x8b", "a gzip archive", "unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"%PDF", "a PDF document", "get the recording from its source"),
    (b"MThd", "a MIDI file, which holds notes instead of audio", "record it as audio"),
    (b"\x89PNG", "a PNG image", "get the recording from its source"),
    (b"\xff\xd8\xff\xe0", "a JPEG image", "get the recording from its source"),
];

/// Containers that symphonia reads, by what is in them at a place.
const READABLE: [(usize, &[u8], &str); 8] = [
    (0, b"OggS", "Ogg"),
    (0, b"fLaC", "FLAC"),
    (0, b"caff", "CAF"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (4, b"ftyp", "MP4"),
    (4, b"moov", "MP4"),
    (8, b"AIFF", "AIFF"),
    (8, b"AIFC", "AIFF"),
];

/// Codecs in Ogg that there is no reader for, by what their first packet begins with.
const IN_OGG: [(&[u8], &str); 4] = [
    (b"Speex   ", "Speex"),
    (b"\x80theora", "Theora video"),
    (b"CELT    ", "CELT"),
    (b"PCM     ", "PCM in Ogg"),
];

/// Fails if the file is one of those that are known and cannot be read.
pub(crate) fn check(first: &[u8]) -> Result<(), Problem> {
    if let Some((_, name)) = CONVERTIBLE.iter().find(|(magic, _)| first.starts_with(magic)) {
        return Err(Problem::Unsupported((*name).to_owned()));
    }
    if first.starts_with(b"RIFF") {
        return Err(Problem::Unsupported(riff_name(first)));
    }
    if let Some((_, found, hint)) = FOREIGN.iter().find(|(magic, ..)| first.starts_with(magic)) {
        return Err(Problem::Foreign { found: (*found).to_owned(), hint: (*hint).to_owned() });
    }
    text_kind(first).map_or(Ok(()), |(found, hint)| {
        Err(Problem::Foreign { found: found.to_owned(), hint: hint.to_owned() })
    })
}

fn riff_name(first: &[u8]) -> String {
    match first.get(8..12) {
        Some(b"AVI ") => "AVI video".to_owned(),
        Some(kind) => format!("RIFF file of kind {}", kind.escape_ascii()),
        None => "RIFF file without a kind".to_owned(),
    }
}

/// Text that is in the place of a recording.
fn text_kind(first: &[u8]) -> Option<(&'static str, &'static str)> {
    let text: Vec<u8> =
        first.trim_ascii_start().iter().take(64).map(u8::to_ascii_lowercase).collect();
    let annex = [&b"/annex/objects/"[..], b"../.git/annex/", b".git/annex/"];
    if annex.iter().any(|start| text.starts_with(start)) {
        Some(("a git-annex pointer instead of the audio file", "get the file with `git annex get`"))
    } else if [&b"<!doctype html"[..], b"<html", b"<?xml"]
        .iter()
        .any(|start| text.starts_with(start))
    {
        Some((
            "a web page instead of the audio file, as after a failed log-in or download",
            "download the file again",
        ))
    } else {
        None
    }
}

/// What to call a file that symphonia found nothing in that it reads.
pub(crate) fn refused(first: &[u8]) -> Problem {
    let at = |place: usize, magic: &[u8]| first.get(place..).is_some_and(|f| f.starts_with(magic));
    let Some((_, _, name)) = READABLE.iter().find(|(place, magic, _)| at(*place, magic)) else {
        return Problem::NotAudio;
    };
    let codec = IN_OGG.iter().find(|(magic, _)| first.windows(magic.len()).any(|f| f == *magic));
    match codec {
        Some((_, codec)) if *name == "Ogg" => Problem::Unsupported((*codec).to_owned()),
        _ => Problem::Broken(format!("the headers of {name} in it cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(first: &[u8]) -> String {
        check(first).unwrap_err().to_string()
    }

    #[test]
    fn known_files_are_named_with_what_to_do() {
        for (magic, name) in CONVERTIBLE {
            let message = message(magic);
            assert!(message.contains(name) && message.contains("ffmpeg -i"), "{message}");
        }
        assert!(message(b"RIFF\0\0\0\0AVI LIST").contains("AVI video"));
        assert!(message(b"RIFF\0\0\0\0WEBP").contains("kind WEBP"));
        for (magic, found, hint) in FOREIGN {
            let message = message(magic);
            assert!(message.contains(found) && message.contains(hint), "{message}");
        }
    }

    #[test]
    fn text_in_the_place_of_a_recording_is_named() {
        for (text, expected) in [
            ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", "git lfs pull"),
            ("/annex/objects/SHA256E-s64044--4d7a.wav\n", "git annex get"),
            ("../.git/annex/objects/Xz/4d/SHA256E-s64044--4d7a.wav", "git annex get"),
            ("\n <!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">", "a web page"),
            ("<html><body>404", "a web page"),
            ("<?xml version=\"1.0\"?><Error>AccessDenied</Error>", "a web page"),
        ] {
            assert!(message(text.as_bytes()).contains(expected), "{text}");
        }
        assert!(check(b"This is no recording.").is_ok());
    }

    #[test]
    fn what_begins_like_a_readable_format_is_called_by_its_name() {
        let speex = [&b"OggS\0\x02"[..], &[0; 22], b"Speex   1.2"].concat();
        assert!(refused(&speex).to_string().contains("(Speex)"));
        assert!(refused(b"\0\0\0\x20ftypM4A ").to_string().contains("MP4"));
        assert!(matches!(refused(b"This is no recording."), Problem::NotAudio));
    }
}
