//! Section `[[fetch]]` of a manifest: what can be downloaded of a corpus.

use serde::{Deserialize, Serialize};

/// A file to download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Download {
    /// Its address, of http or https.
    pub url: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    /// Where it goes, or the archive's contents go, relative to the corpus's root; the root itself
    /// where left out, for archives alone.
    pub to: Option<String>,
    /// How to unpack it, where it is an archive.
    pub archive: Option<Archive>,
}

/// An archive, and what it may become at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Its form.
    pub kind: ArchiveKind,
    /// Bytes of all its files, unpacked, at most.
    pub bytes: u64,
    /// Its entries, files and folders, at most.
    pub entries: u64,
}

/// Form of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArchiveKind {
    /// Entries stored or deflated.
    #[serde(rename = "zip")]
    Zip,
    /// Gzip around tar.
    #[serde(rename = "tar.gz")]
    TarGz,
}

impl Download {
    /// What is wrong with the entry first.
    pub(crate) fn fault(&self) -> Option<String> {
        let Self { url, sha256, bytes, to, archive } = self;
        let is_web = url.starts_with("http://") || url.starts_with("https://");
        let is_digest = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
        let is_inside = to.as_ref().is_none_or(|to| is_below(to));
        let faults = [
            (!is_web, "url begins with http:// or https://"),
            (!is_digest, "sha256 has 64 hexadecimal digits"),
            (*bytes == 0, "bytes is the file's length"),
            (!is_inside, "to is a path below the corpus's root, with / between its parts"),
            (to.is_none() && archive.is_none(), "a file that is no archive needs a place, `to`"),
        ];
        let first = faults.into_iter().find_map(|(bad, rule)| bad.then_some(rule));
        first.map(|rule| format!("fetch of {url}: {rule}"))
    }
}

/// Whether a path, with / between its parts, leads from a folder to a place below it on every system.
pub fn is_below(path: &str) -> bool {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    !path.contains(['\\', ':', '\0']) && path.split('/').all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(change: impl Fn(&mut Download)) -> Option<String> {
        let mut download = Download {
            url: "https://example.org/a.zip".to_owned(),
            sha256: "0a".repeat(32),
            bytes: 1,
            to: Some("wav/a".to_owned()),
            archive: None,
        };
        change(&mut download);
        download.fault()
    }

    #[test]
    fn what_can_be_fetched_has_no_fault() {
        assert_eq!(fault(|_| ()), None);
        let archive = Archive { kind: ArchiveKind::TarGz, bytes: 1, entries: 1 };
        assert_eq!(fault(|d| (d.to, d.archive) = (None, Some(archive))), None);
    }

    #[test]
    fn what_cannot_is_named_by_its_address() {
        let faults = [
            fault(|d| d.url = "file:///etc/passwd".to_owned()),
            fault(|d| d.sha256 = "0a".repeat(31)),
            fault(|d| d.sha256 = "0g".repeat(32)),
            fault(|d| d.bytes = 0),
            fault(|d| d.to = None),
        ];
        assert!(faults.iter().all(|fault| fault.as_ref().unwrap().starts_with("fetch of ")));
        for to in ["", "/a", "../a", "a/../../b", "a//b", "a\\b", "c:a", "."] {
            assert!(fault(|d| d.to = Some(to.to_owned())).is_some(), "{to}");
        }
    }
}
