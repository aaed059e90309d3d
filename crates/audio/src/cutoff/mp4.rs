//! MP4 and its kin: boxes have lengths, and one of them describes the recording.

use std::io;

use super::{Bytes, CutOff};

/// Follows the boxes.
pub(super) fn cut_off(file: &mut Bytes<'_>, mut at: u64) -> io::Result<CutOff> {
    let mut described = false;
    let mut last = [0; 4];
    while at < file.length {
        let Some((length, kind)) = parse(file.get(at, 16)?) else {
            return Ok(Some("it ends in the head of an MP4 box".to_owned()));
        };
        // Zeros after the last box are nothing.
        if kind == [0; 4] {
            break;
        }
        let left = file.length - at;
        let length = if length == 0 { left } else { length.max(8) };
        if length > left {
            let kind = kind.escape_ascii();
            return Ok(Some(format!(
                "its MP4 box {kind} has {length} bytes, of which {left} are there"
            )));
        }
        described |= kind == *b"moov";
        last = kind;
        at += length;
    }
    Ok(match (described, &last) {
        (false, _) => Some("it ends before the MP4 box moov, which describes it".to_owned()),
        (_, b"moof") => Some("it ends before the samples of its last fragment".to_owned()),
        _ => None,
    })
}

/// Length and kind of a box; of length 0 is one that goes on to the file's end.
fn parse(head: &[u8]) -> Option<(u64, [u8; 4])> {
    let (length, rest) = head.split_first_chunk()?;
    let (kind, rest) = rest.split_first_chunk()?;
    match u32::from_be_bytes(*length) {
        1 => Some((u64::from_be_bytes(*rest.first_chunk()?), *kind)),
        length => Some((u64::from(length), *kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;

    fn part(kind: &[u8], body: usize) -> Vec<u8> {
        let mut part = (body as u32 + 8).to_be_bytes().to_vec();
        part.extend(kind);
        part.extend(vec![7; body]);
        part
    }

    #[test]
    fn boxes_have_to_be_whole_and_described() {
        let (brand, description, samples) =
            (part(b"ftyp", 8), part(b"moov", 60), part(b"mdat", 99));
        for order in [[&description, &samples], [&samples, &description]] {
            let whole = [&brand[..], order[0], order[1]].concat();
            assert_eq!(found(&whole), None);
            assert_eq!(found(&[&whole[..], &[0; 20]].concat()), None);
            let border = brand.len() + order[0].len();
            for length in (9..whole.len()).filter(|&length| length != border) {
                assert!(found(&whole[..length]).is_some(), "{length}");
            }
        }
        let how = found(&[brand, samples].concat()).unwrap();
        assert!(how.contains("before the MP4 box moov"), "{how}");
    }

    #[test]
    fn a_fragment_needs_its_samples() {
        let whole = [part(b"ftyp", 8), part(b"moov", 9), part(b"moof", 9), part(b"mdat", 9)];
        assert_eq!(found(&whole.concat()), None);
        assert!(found(&whole[..3].concat()).unwrap().contains("last fragment"));
    }

    #[test]
    fn long_boxes_and_those_without_end_are_followed() {
        let start = [part(b"ftyp", 8), part(b"moov", 9)].concat();
        let long =
            |length: u64| [&start[..], b"\0\0\0\x01mdat", &length.to_be_bytes(), &[7; 84]].concat();
        assert_eq!(found(&long(100)), None);
        assert!(found(&long(101)).unwrap().contains("box mdat has 101 bytes, of which 100 are"));
        assert_eq!(found(&[&start[..], b"\0\0\0\0mdat", &[7; 50]].concat()), None);
    }
}
