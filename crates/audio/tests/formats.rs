//! Formats and joined files against a reference, and the names of those that cannot be read.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its file has failed")]

use std::path::{Path, PathBuf};

use ambivox_audio::{Cut, Problem, decode, load, probe};
use fs_err as fs;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests-data").join(name)
}

fn samples(name: &str) -> Vec<f32> {
    load(&fixture(name), Cut::default()).unwrap()
}

fn content(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).unwrap()
}

/// Samples of these bytes, and the duration that probing finds without decoding.
fn joined(parts: &[Vec<u8>]) -> (Vec<f32>, f64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("joined");
    fs::write(&path, parts.concat()).unwrap();
    (load(&path, Cut::default()).unwrap(), probe(&path).unwrap().duration_s)
}

fn message(content: &[u8]) -> String {
    decode(content, Path::new("x"), Cut::default()).unwrap_err().to_string()
}

#[test]
fn lossless_formats_hold_the_same_samples() {
    let expected = samples("tone.flac");
    for name in ["tone-alac.m4a", "tone-alac.caf", "tone.caf", "tone-rf64.wav", "tone-be.sph"] {
        assert_eq!(samples(name), expected, "{name}");
        let info = probe(&fixture(name)).unwrap();
        assert_eq!((info.sample_rate, info.channels), (8000, 1), "{name}");
    }
    assert_eq!(samples("tone-mulaw.sph"), samples("tone-mulaw.wav"));
}

#[test]
fn layer_two_is_decoded_as_by_ffmpeg() {
    let (found, expected) = (samples("tone.mp2"), samples("tone-mp2-by-ffmpeg.flac"));
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-4, "{found} for {expected}");
    }
}

#[test]
fn mpeg_frames_in_wav_are_those_in_its_data() {
    let wav = content("tone-mp3.wav");
    let data = wav.windows(4).position(|kind| kind == b"data").unwrap() + 8;
    let bare = decode(&wav[data..], Path::new("bare.mp3"), Cut::default()).unwrap();
    assert_eq!(samples("tone-mp3.wav"), bare);
    assert!(message(&wav[..wav.len() - 300]).contains("truncated"));
}

#[test]
fn cut_off_files_of_these_formats_are_errors() {
    for name in ["tone-alac.m4a", "tone-alac.caf", "tone.caf", "tone-rf64.wav", "tone-be.sph"] {
        let content = content(name);
        for kept in [content.len() * 3 / 5, content.len() * 9 / 10] {
            let result = decode(&content[..kept], Path::new(name), Cut::default());
            assert!(result.is_err(), "{name}: {kept} bytes");
        }
    }
}

#[test]
fn chains_of_ogg_are_read_to_their_end() {
    let ogg = content("tone.ogg");
    let (found, duration_s) = joined(&[ogg.clone(), ogg.clone(), ogg]);
    // Three times 0.4 s at 22050 Hz are resampled as one.
    assert_eq!(found.len(), 3 * 6400);
    assert!((duration_s - 1.2).abs() < 1e-9, "{duration_s}");
    let once = samples("tone.ogg");
    for (n, sample) in found.iter().enumerate().filter(|(n, _)| (200..6200).contains(&(n % 6400))) {
        assert!((sample - once[n % 6400]).abs() < 1e-3, "{n}");
    }
}

#[test]
fn joined_mp3s_are_read_to_their_end() {
    let counted = content("tone.mp3");
    // The first frame holds the count alone; its ID3 tag is 45 bytes long.
    let start = counted.windows(2).position(|sync| sync == [0xff, 0xf3]).unwrap();
    let later = counted[start + 2..].windows(2).position(|sync| sync == [0xff, 0xf3]).unwrap();
    let bare = counted[start + 2 + later..].to_vec();
    let tag = [&b"ID3\x03\0\0\0\0\x01\x00"[..], &[b'x'; 128]].concat();
    for parts in [
        [counted.clone(), vec![], counted.clone()],
        [counted.clone(), tag, counted.clone()],
        [counted.clone(), vec![], bare.clone()],
        [bare.clone(), vec![], counted],
        [bare.clone(), vec![], bare],
    ] {
        let (found, duration_s) = joined(&parts);
        assert!((12_800..16_000).contains(&found.len()), "{}", found.len());
        assert!((duration_s - found.len() as f64 / 16e3).abs() < 1e-3, "{duration_s}");
    }
}

#[test]
fn frames_of_mp3_after_a_low_estimate_are_not_dropped() {
    let found = samples("noise-then-tone.mp3");
    assert!(found.len() > 19_200, "{}", found.len());
    let duration_s = probe(&fixture("noise-then-tone.mp3")).unwrap().duration_s;
    assert!((duration_s - found.len() as f64 / 16e3).abs() < 1e-3, "{duration_s}");
}

#[test]
fn a_change_of_rate_midway_is_an_error() {
    let other = content("tone-mp3.wav");
    let data = other.windows(4).position(|kind| kind == b"data").unwrap() + 8;
    let found = message(&[&content("tone.mp3"), &other[data..]].concat());
    assert!(found.contains("change midway"), "{found}");
}

#[test]
fn codecs_that_cannot_be_decoded_are_named() {
    for (name, codec) in [
        ("tone.opus", "(Opus)"),
        ("tone-gsm.wav", "(GSM 6.10 in WAV)"),
        ("tone-six-channels.m4a", "(AAC with 6 channels)"),
        ("tone-ac3.mka", "(AC-3 (Dolby Digital))"),
    ] {
        let message = message(&content(name));
        assert!(message.contains(codec) && message.contains("ffmpeg -i FILE"), "{message}");
    }
    assert!(message(&content("no-audio.mp4")).contains("no audio track"));
    let packed = String::from_utf8_lossy(&content("tone-be.sph")[..1024])
        .replace("-s3 pcm", "-s26 pcm,embedded-shorten-v2.00");
    let message = message(packed.as_bytes());
    assert!(message.contains("shorten-compressed; convert it with `sph2pipe"), "{message}");
}

#[test]
fn headers_of_sphere_are_held_to_what_they_say() {
    let whole = content("tone-be.sph");
    let short = decode(&whole[..whole.len() - 200], Path::new("x"), Cut::default()).unwrap_err();
    assert!(
        matches!(short.problem, Problem::Truncated { promised: 3200, found: 3100 }),
        "{short:?}"
    );
    for (line, other) in [
        ("sample_rate -i 8000", "sample_rate -i 0"),
        ("sample_rate -i 8000", "sample_rate -i"),
        ("channel_count -i 1", "channel_count -i 0"),
        ("end_head", "and_head"),
    ] {
        let head = String::from_utf8_lossy(&whole[..1024]).replace(line, other);
        assert!(message(&[head.as_bytes(), &whole[1024..]].concat()).contains("SPHERE"), "{other}");
    }
}

/// A folder of shared cases, if there is one.
#[allow(clippy::print_stderr, reason = "who runs the tests has to see that one was skipped")]
fn case(name: &str) -> Option<PathBuf> {
    let shared = std::env::var("AMBIVOX_SHARED").unwrap_or_else(|_| "../shared".to_owned());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(shared);
    let folder = root.join("cases").join(name).join("corpus/wav");
    if !folder.is_dir() {
        eprintln!("skipped: {} is missing", folder.display());
        return None;
    }
    Some(folder)
}

#[test]
fn shared_recordings_with_lengths_of_pipes_are_whole() {
    let Some(folder) = case("audio_wav_lengths") else { return };
    let base = load(&folder.join("base.wav"), Cut::default()).unwrap();
    assert_eq!(base.len(), 32_000);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = load(&path, Cut::default()).unwrap();
        assert!(found == base, "{}: {} samples", path.display(), found.len());
        assert_eq!(probe(&path).unwrap().duration_s, 2.0, "{}", path.display());
    }
}

#[test]
fn shared_recordings_of_rare_formats_are_read_or_named() {
    let Some(folder) = case("audio_codec_names") else { return };
    for (name, length) in [
        ("alac.m4a", 32_000),
        ("layer2.mp2", 32_256),
        ("mp3in.wav", 33_408),
        ("ogg_chained.ogg", 64_000),
        ("rf64.wav", 32_000),
        ("sphere_wav.wav", 32_000),
    ] {
        assert_eq!(load(&folder.join(name), Cut::default()).unwrap().len(), length, "{name}");
    }
    for (name, codec) in [
        ("aac51.m4a", "AAC with 6 channels"),
        ("gsm.wav", "GSM 6.10"),
        ("opus_ogg.ogg", "Opus"),
        ("video_aac51.mp4", "AAC with 6 channels"),
        ("video_ac3.mkv", "AC-3 (Dolby Digital)"),
    ] {
        let error = load(&folder.join(name), Cut::default()).unwrap_err().to_string();
        assert!(error.contains(codec), "{error}");
    }
}
