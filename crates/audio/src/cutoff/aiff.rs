//! AIFF: the chunk of samples has a length.

use std::io;

use super::{Bytes, CutOff};

/// Looks for the chunk of samples and whether it is whole; what comes after it may be cut off.
pub(super) fn cut_off(file: &mut Bytes<'_>, start: u64) -> io::Result<CutOff> {
    let mut at = start + 12;
    loop {
        let Some((kind, length)) = parse(file.get(at, 8)?) else {
            return Ok(Some("it ends before the samples of AIFF".to_owned()));
        };
        let left = file.length - at - 8;
        if &kind == b"SSND" {
            let how = format!("its samples have {length} bytes, of which {left} are there");
            return Ok((length > left).then_some(how));
        }
        at += 8 + length.next_multiple_of(2);
    }
}

fn parse(head: &[u8]) -> Option<([u8; 4], u64)> {
    let (kind, length) = head.split_first_chunk()?;
    Some((*kind, u64::from(u32::from_be_bytes(*length.first_chunk()?))))
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;

    #[test]
    fn the_samples_have_to_be_whole() {
        let head = b"FORM\0\0\0\x38AIFFNAME\0\0\0\x03abc\0SSND\0\0\0\x10";
        let whole = [&head[..], &[7; 16], b"ANNO\0\0\0\x04last"].concat();
        for length in 5..=whole.len() {
            let expected = length < head.len() + 16;
            assert_eq!(found(&whole[..length]).is_some(), expected, "{length}");
        }
    }
}
