//! Ogg: every stream ends with a page that says so.

use std::collections::BTreeSet;
use std::io;

use super::{Bytes, CutOff};

/// Bytes of a page before its table of lengths.
const HEAD: usize = 27;
const LAST: u8 = 4;

/// Follows the pages. What comes after the last of all streams may be anything.
pub(super) fn cut_off(file: &mut Bytes<'_>, mut at: u64) -> io::Result<CutOff> {
    let mut open = BTreeSet::new();
    while file.get(at, 4)? == b"OggS" {
        let Some(page) = Page::parse(file.get(at, HEAD + 255)?) else {
            return Ok(Some("it ends in the head of an Ogg page".to_owned()));
        };
        at += page.length;
        if at > file.length {
            return Ok(Some("it ends in the middle of an Ogg page".to_owned()));
        }
        if page.last {
            open.remove(&page.stream)
        } else {
            open.insert(page.stream)
        };
    }
    let how = format!("its Ogg pages end at byte {at} without one that is marked as the last");
    Ok((!open.is_empty()).then_some(how))
}

struct Page {
    length: u64,
    stream: [u8; 4],
    last: bool,
}

impl Page {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let table = rest.get(..usize::from(head[26]))?;
        let body: u64 = table.iter().map(|&length| u64::from(length)).sum();
        let length = (HEAD + table.len()) as u64 + body;
        let stream = [head[14], head[15], head[16], head[17]];
        Some(Self { length, stream, last: head[5] & LAST != 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;

    fn page(stream: u8, flags: u8, body: &[u8]) -> Vec<u8> {
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.extend([0; 8]);
        page.extend([stream, 0, 0, 0]);
        page.extend([0; 8]);
        page.extend([1, body.len() as u8]);
        page.extend(body);
        page
    }

    #[test]
    fn every_stream_has_to_end() {
        let (first, second) = (page(1, 2, &[7; 30]), page(2, 2, &[8; 30]));
        let (first_end, second_end) = (page(1, 4, &[7; 9]), page(2, 4, &[]));
        let both = [&first[..], &second, &first_end, &second_end].concat();
        assert_eq!(found(&both), None);
        // One after the other.
        let chained = [&first[..], &first_end, &second, &second_end].concat();
        assert_eq!(found(&chained), None);
        assert_eq!(found(&[&chained[..], b"TAG and whatever"].concat()), None);
        let without = [&first[..], &second, &first_end].concat();
        let how = format!("its Ogg pages end at byte {} without", without.len());
        assert!(found(&without).unwrap().starts_with(&how));
        let lost = [&without[..], &[0; 50], &second_end].concat();
        assert!(found(&lost).unwrap().starts_with(&how));
    }

    #[test]
    fn no_page_may_be_cut() {
        let (first, last) = (page(1, 2, &[7; 30]), page(1, 4, &[7; 9]));
        let whole = [&first[..], &last].concat();
        for length in 5..whole.len() {
            assert!(found(&whole[..length]).is_some(), "{length}");
        }
    }
}
