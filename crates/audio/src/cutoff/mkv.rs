//! Matroska and `WebM`: elements have lengths.

use std::io;

use super::{Bytes, CutOff};

/// Follows the elements, into those alone whose length was not known when they were begun.
pub(super) fn cut_off(file: &mut Bytes<'_>, mut at: u64) -> io::Result<CutOff> {
    while at < file.length && file.get(at, 1)? != [0] {
        let Some((head, length)) = parse(file.get(at, 12)?) else {
            return Ok(Some("it ends in the head of a Matroska element".to_owned()));
        };
        let left = (file.length - at).saturating_sub(head);
        match length {
            Some(length) if length > left => {
                return Ok(Some(format!(
                    "a Matroska element has {length} bytes, of which {left} are there"
                )));
            }
            length => at += head + length.unwrap_or(0),
        }
    }
    Ok(None)
}

/// Length of an element's head, and of what it holds where that is known.
fn parse(head: &[u8]) -> Option<(u64, Option<u64>)> {
    let id = head.first()?.leading_zeros() as usize + 1;
    let size = head.get(id..)?;
    let bytes = size.first()?.leading_zeros() as usize + 1;
    let ones = (1 << (7 * bytes as u64)) - 1;
    let size = size.get(..bytes)?.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)) & ones;
    Some(((id + bytes) as u64, (size != ones).then_some(size)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;

    const START: [u8; 6] = [0x1a, 0x45, 0xdf, 0xa3, 0x81, 9];

    /// A segment (of a length or none) with a cluster (likewise) with a block.
    fn content(segment: &[u8], cluster: &[u8]) -> Vec<u8> {
        let block = [0xa3, 0x40, 100].into_iter().chain([7; 100]);
        let cluster = [0x1f, 0x43, 0xb6, 0x75].iter().chain(cluster).copied().chain(block);
        let segment = [0x18, 0x53, 0x80, 0x67].iter().chain(segment).copied();
        START.into_iter().chain(segment).chain(cluster).collect()
    }

    #[test]
    fn elements_have_to_be_whole() {
        let unknown = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        // With the lengths at which what is there is whole.
        for (segment, cluster, whole_too) in [
            (&[0x80 + 108][..], &[0x80 + 103][..], &[][..]),
            (&unknown, &[0x40, 103], &[18]),
            (&unknown, &unknown, &[18, 30]),
            (&[0xff], &[0xff], &[11, 16]),
        ] {
            let whole = content(segment, cluster);
            assert_eq!(found(&whole), None);
            assert_eq!(found(&[&whole[..], &[0; 30]].concat()), None);
            for length in START.len() + 1..whole.len() {
                let cut = found(&whole[..length]).is_some();
                assert_eq!(cut, !whole_too.contains(&length), "{length} of {whole:x?}");
            }
        }
    }
}
