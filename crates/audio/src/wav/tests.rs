//! WAV files with all kinds of faulty headers, built here.

use std::path::Path;

use proptest::prelude::*;

use super::format::tests::chunk;
use crate::{Cut, Problem, decode};

/// A chunk with a pad byte where it needs one.
fn part(kind: &[u8], content: &[u8]) -> Vec<u8> {
    let pad: &[u8] = if content.len().is_multiple_of(2) { &[] } else { &[0] };
    [kind, &(content.len() as u32).to_le_bytes(), content, pad].concat()
}

fn riff(parts: &[Vec<u8>]) -> Vec<u8> {
    let parts = parts.concat();
    [b"RIFF", &(parts.len() as u32 + 4).to_le_bytes()[..], b"WAVE", &parts].concat()
}

/// `fmt ` of 16 bits, mono.
fn fmt() -> Vec<u8> {
    part(b"fmt ", &chunk(1, 1, 16, &[]))
}

/// Samples that are no chunks, neither by their kind nor by their length.
fn ramp(count: usize) -> Vec<u8> {
    (0..count).flat_map(|n| (n as i16 * 7 - 3000).to_le_bytes()).collect()
}

fn data() -> Vec<u8> {
    part(b"data", &ramp(1000))
}

fn samples(content: &[u8]) -> Result<Vec<f32>, Problem> {
    decode(content, Path::new("x.wav"), Cut::default()).map_err(|error| error.problem)
}

fn expected() -> Vec<f32> {
    (0..1000_i16).map(|n| f32::from(n * 7 - 3000) / 32768.0).collect()
}

fn set(content: &mut [u8], at: usize, length: u32) {
    content[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

#[test]
fn a_file_is_whole_whatever_its_header_says() {
    let unknown = [0, 0x7fff_f000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff_ffdb];
    let riff_lengths = [8, 36, 44, 2000, 2028, 2036, 2044].into_iter().chain(unknown);
    for riff_length in riff_lengths {
        for data_length in unknown.into_iter().chain([8, 36, 44, 2000]) {
            let mut content = riff(&[fmt(), data()]);
            set(&mut content, 4, riff_length);
            set(&mut content, 40, data_length);
            assert_eq!(samples(&content).unwrap(), expected(), "{riff_length} {data_length}");
            // A recorder that is killed leaves half a sample.
            if data_length != 2000 {
                content.push(7);
                assert_eq!(samples(&content).unwrap(), expected(), "{riff_length} {data_length}");
            }
        }
        for excess in [8, 16, 36, 44] {
            let mut content = riff(&[fmt(), data()]);
            set(&mut content, 4, riff_length.min(2036));
            set(&mut content, 40, 2000 + excess);
            assert_eq!(samples(&content).unwrap(), expected(), "{riff_length} +{excess}");
        }
    }
}

#[test]
fn a_file_cut_off_is_truncated_whatever_is_before_the_data() {
    let list = part(b"LIST", b"INFOISFT\x04\0\0\0Lavf");
    for parts in [vec![fmt(), data()], vec![fmt(), list.clone(), data()], vec![list, fmt(), data()]]
    {
        let content = riff(&parts);
        for missing in [2, 30, 44, 64, 100, 1990] {
            match samples(&content[..content.len() - missing]) {
                Err(Problem::Truncated { promised: 1000, found }) => {
                    assert_eq!(found, 1000 - missing as u64 / 2);
                }
                other => panic!("{missing} bytes missing: {other:?}"),
            }
        }
    }
}

#[test]
fn faults_in_chunks_that_nobody_needs_do_not_matter() {
    let list = part(b"LIST", b"INFOISFT\x0e\0\0\0Lavf60.16.100\0");
    for length in [0, 1, 3, 4, 25, 27, 28, 34, 2000, 5000, 0x7fff_ffff, 0xffff_ffff] {
        for order in [[fmt(), list.clone(), data()], [list.clone(), fmt(), data()]] {
            let mut content = riff(&order);
            let at = content.windows(4).position(|kind| kind == b"LIST").unwrap() + 4;
            set(&mut content, at, length);
            assert_eq!(samples(&content).unwrap(), expected(), "{length} at {at}");
            // Within the list.
            let mut content = riff(&order);
            set(&mut content, at + 12, length);
            assert_eq!(samples(&content).unwrap(), expected(), "{length} in the list at {at}");
        }
    }
    let fact = part(b"fact", &[9; 13]);
    assert_eq!(samples(&riff(&[fact, fmt(), data()])).unwrap(), expected());
}

#[test]
fn a_pad_byte_may_be_missing() {
    for length in 1..70 {
        let mut odd = part(b"note", &b"data of old: ".repeat(6)[..length]);
        assert_eq!(samples(&riff(&[fmt(), odd.clone(), data()])).unwrap(), expected(), "{length}");
        odd.truncate(8 + length);
        assert_eq!(samples(&riff(&[fmt(), odd, data()])).unwrap(), expected(), "{length}");
    }
}

#[test]
fn what_comes_after_the_data_is_no_sound() {
    for after in [part(b"LIST", b"INFO"), part(b"id3 ", &[3; 77]), vec![9; 31], b"data".repeat(9)] {
        let content = riff(&[fmt(), data(), after]);
        assert_eq!(samples(&content).unwrap(), expected());
    }
    let bytes = part(b"data", &[200; 1001]);
    let content = riff(&[part(b"fmt ", &chunk(1, 1, 8, &[])), bytes, part(b"LIST", b"INFO")]);
    assert_eq!(samples(&content).unwrap().len(), 1001);
    let empty = riff(&[fmt(), part(b"data", b""), part(b"LIST", b"INFO")]);
    assert!(matches!(samples(&empty), Err(Problem::Empty)));
}

/// RF64 whose long lengths are these.
fn rf64(riff_length: u64, data_length: u64) -> Vec<u8> {
    let lengths = [riff_length, data_length, 1000].map(u64::to_le_bytes).concat();
    let mut content = riff(&[part(b"ds64", &[&lengths[..], &[0; 4]].concat()), fmt(), data()]);
    content[..4].copy_from_slice(b"RF64");
    set(&mut content, 4, u32::MAX);
    set(&mut content, 76, u32::MAX);
    content
}

#[test]
fn rf64_has_its_lengths_elsewhere() {
    let content = rf64(2072, 2000);
    assert_eq!(samples(&content).unwrap(), expected());
    assert_eq!(samples(&[&content[..], &part(b"LIST", b"INFO")].concat()).unwrap(), expected());
    let bw64 = [b"BW64", &content[4..]].concat();
    assert_eq!(samples(&bw64).unwrap(), expected());
    // From a pipe.
    assert_eq!(samples(&rf64(0, 0)).unwrap(), expected());
    let short = samples(&content[..content.len() - 500]);
    assert!(matches!(short, Err(Problem::Truncated { promised: 1000, found: 750 })), "{short:?}");
    let huge = samples(&rf64(1 << 40, 1 << 39));
    assert!(
        matches!(huge, Err(Problem::Truncated { promised: 0x40_0000_0000, found: 1000 })),
        "{huge:?}"
    );
}

#[test]
fn samples_of_all_kinds_are_read_by_their_own_header() {
    // The extended form of µ-law, and samples of 20 bits in three bytes.
    let guid = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
    for (format, bits, width) in [(7, 8, 1), (6, 8, 1), (1, 20, 3), (1, 24, 3), (3, 32, 4)] {
        let extension = [&[22, 0, bits, 0, 3, 0, 0, 0x80, format, 0], &guid[..]].concat();
        let plain = chunk(format.into(), 2, bits.into(), &[]);
        let extended = chunk(0xfffe, 2, bits.into(), &extension);
        let content: Vec<u8> = (0..240_u8).map(|n| n % 60).collect();
        let read = |fmt: &[u8]| samples(&riff(&[part(b"fmt ", fmt), part(b"data", &content)]));
        let [plain, extended] = [read(&plain).unwrap(), read(&extended).unwrap()];
        assert_eq!((plain.len(), &plain), (120 / width, &extended), "{format} {bits}");
    }
}

#[test]
fn a_tag_may_come_before_the_header() {
    let content = [&b"ID3\x03\0\0\0\0\0\x05title"[..], &riff(&[fmt(), data()])].concat();
    assert_eq!(samples(&content).unwrap(), expected());
}

#[test]
fn files_without_format_or_data_are_broken() {
    for parts in [vec![fmt()], vec![data()], vec![], vec![data(), fmt()]] {
        assert!(matches!(samples(&riff(&parts)), Err(Problem::Broken(_))), "{parts:?}");
    }
    // Of nothing but heads of chunks.
    let heads = riff(&[part(b"junk", b"").repeat(200_000)]);
    assert!(matches!(samples(&heads), Err(Problem::Broken(_))));
}

fn extra() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop::sample::select(vec![b"LIST", b"bext", b"fact", b"JUNK", b"id3 ", b"cue "]);
    (kind, prop::collection::vec(any::<u8>(), 0..80)).prop_map(|(kind, body)| part(kind, &body))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_data_come_out_whole_and_nothing_else_does(
        before in prop::collection::vec(extra(), 0..4),
        between in prop::collection::vec(extra(), 0..4),
        after in prop::collection::vec(extra(), 0..4),
        riff_length in prop::option::of(any::<u32>()),
    ) {
        let mut content = riff(&[before, vec![fmt()], between, vec![data()], after].concat());
        if let Some(length) = riff_length {
            set(&mut content, 4, length);
        }
        prop_assert_eq!(samples(&content).unwrap(), expected());
    }

    #[test]
    fn any_header_gives_samples_of_the_file_or_an_error(
        parts in prop::collection::vec(extra(), 0..3),
        faults in prop::collection::vec((0usize..150, any::<u8>()), 1..6),
        kept in 12usize..2300,
        format in prop::sample::select(vec![1u16, 2, 3, 6, 7, 0x11, 0x55, 0xfffe]),
    ) {
        let fmt = part(b"fmt ", &chunk(format, 1, if matches!(format, 2 | 0x11) { 4 } else { 8 }, &[0; 24]));
        let mut content = riff(&[vec![fmt], parts, vec![data()]].concat());
        for (at, value) in faults {
            let at = at % content.len();
            content[at] = value;
        }
        content.truncate(kept);
        if let Ok(samples) = samples(&content) {
            prop_assert!(samples.iter().all(|sample| sample.is_finite()));
        }
    }
}
