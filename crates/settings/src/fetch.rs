//! Sections `[[fetch]]` and `[[fetch_lists]]` of a manifest: what can be downloaded of a corpus.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::SettingsError;

/// A file to download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Download {
    /// Its address, of http or https.
    pub url: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: Option<String>,
    /// MD5 of its bytes, in hexadecimal, where its provider publishes no SHA-256: it tells a damaged file, not
    /// one that somebody has forged.
    pub md5: Option<String>,
    /// Its length.
    pub bytes: u64,
    /// Where it goes, or the archive's contents go, relative to the corpus's root; the root itself
    /// where left out, for archives alone.
    pub to: Option<String>,
    /// How to unpack it, where it is an archive.
    pub archive: Option<Archive>,
}

/// An archive, and what it may become at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Its form.
    pub kind: ArchiveKind,
    /// Bytes of all its files, unpacked, at most.
    pub bytes: u64,
    /// Its entries, files and folders, at most.
    pub entries: u64,
    /// The folder in it, with `/` between folders, whose content alone is unpacked, without the folder itself; all
    /// of the archive where left out.
    pub folder: Option<String>,
}

/// Files at addresses that have one beginning, such as a repository's recordings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DownloadList {
    /// What every address begins with, of http or https; the file's path follows.
    pub url: String,
    /// A table beside the manifest, without a head: path below the corpus's root, SHA-256 and length in bytes,
    /// tabs between them.
    pub file: PathBuf,
}

/// A digest on record, in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum<'a> {
    /// SHA-256: the file is the one that was meant.
    Sha256(&'a str),
    /// MD5: the file is not damaged.
    Md5(&'a str),
}

impl<'a> Checksum<'a> {
    /// The digits.
    pub fn hex(self) -> &'a str {
        let (Self::Sha256(hex) | Self::Md5(hex)) = self;
        hex
    }

    /// The algorithm's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256(_) => "SHA-256",
            Self::Md5(_) => "MD5",
        }
    }

    fn is_well_formed(self) -> bool {
        let digits = match self {
            Self::Sha256(_) => 64,
            Self::Md5(_) => 32,
        };
        self.hex().len() == digits && self.hex().bytes().all(|b| b.is_ascii_hexdigit())
    }
}

impl DownloadList {
    /// The files of the list, which lies in `folder`.
    ///
    /// Errors: the list cannot be read, or a row of it is no download; the message names the row.
    pub(crate) fn downloads(&self, folder: &Path) -> Result<Vec<Download>, SettingsError> {
        let file = folder.join(&self.file);
        let text = fs_err::read_to_string(&file)?;
        let rows = text.lines().zip(1..).filter(|(row, _)| !row.is_empty());
        rows.map(|(row, line)| {
            self.download(row).map_err(|fault| SettingsError::Invalid {
                file: file.clone(),
                message: format!("line {line}: {fault}"),
            })
        })
        .collect()
    }

    fn download(&self, row: &str) -> Result<Download, String> {
        let expected =
            || "expected a path, a SHA-256 and a length in bytes, with tabs between".to_owned();
        let mut cells = row.split('\t');
        let (Some(path), Some(sha256), Some(bytes), None) =
            (cells.next(), cells.next(), cells.next(), cells.next())
        else {
            return Err(expected());
        };
        let download = Download {
            url: format!("{}{path}", self.url),
            sha256: Some(sha256.to_owned()),
            md5: None,
            bytes: bytes.parse().map_err(|_| expected())?,
            to: Some(path.to_owned()),
            archive: None,
        };
        download.fault().map_or(Ok(download), Err)
    }
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
    /// The digest on record: SHA-256 where it is there.
    pub fn checksum(&self) -> Option<Checksum<'_>> {
        let md5 = || self.md5.as_deref().map(Checksum::Md5);
        self.sha256.as_deref().map(Checksum::Sha256).or_else(md5)
    }

    /// What is wrong with the entry first.
    pub(crate) fn fault(&self) -> Option<String> {
        let Self { url, sha256, md5, bytes, to, archive } = self;
        let is_web = url.starts_with("http://") || url.starts_with("https://");
        let digests = [sha256.as_deref().map(Checksum::Sha256), md5.as_deref().map(Checksum::Md5)];
        let is_digest = digests.into_iter().flatten().all(Checksum::is_well_formed);
        let folder = archive.as_ref().and_then(|archive| archive.folder.as_ref());
        let is_inside = [to.as_ref(), folder].into_iter().flatten().all(|path| is_below(path));
        let faults = [
            (!is_web, "url begins with http:// or https://"),
            (
                sha256.is_none() && md5.is_none(),
                "name its sha256, or its md5 where none is published",
            ),
            (!is_digest, "sha256 has 64 hexadecimal digits, md5 32"),
            (*bytes == 0, "bytes is the file's length"),
            (
                !is_inside,
                "to and archive.folder are paths below a folder, with / between their parts",
            ),
            (to.is_none() && archive.is_none(), "a file that is no archive needs a place, `to`"),
        ];
        let first = faults.into_iter().find_map(|(bad, rule)| bad.then_some(rule));
        first.map(|rule| format!("fetch of {url}: {rule}"))
    }
}

/// Whether a path, with / between its parts, leads from a folder to a place below it on every system.
///
/// ```
/// use ambivox_settings::is_below;
///
/// assert!(is_below("wav/a.wav"));
/// assert!(!is_below("../a.wav") && !is_below("/a.wav") && !is_below("c:a.wav"));
/// ```
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
            sha256: Some("0a".repeat(32)),
            md5: None,
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
        let kind = ArchiveKind::TarGz;
        let archive = Archive { kind, bytes: 1, entries: 1, folder: Some("emodb".to_owned()) };
        assert_eq!(fault(|d| (d.to, d.archive) = (None, Some(archive.clone()))), None);
        assert_eq!(fault(|d| (d.sha256, d.md5) = (None, Some("0a".repeat(16)))), None);
    }

    #[test]
    fn what_cannot_is_named_by_its_address() {
        let faults = [
            fault(|d| d.url = "file:///etc/passwd".to_owned()),
            fault(|d| d.sha256 = Some("0a".repeat(31))),
            fault(|d| d.sha256 = Some("0g".repeat(32))),
            fault(|d| d.md5 = Some("0a".repeat(32))),
            fault(|d| d.sha256 = None),
            fault(|d| d.bytes = 0),
            fault(|d| d.to = None),
        ];
        assert!(faults.iter().all(|fault| fault.as_ref().unwrap().starts_with("fetch of ")));
        for to in ["", "/a", "../a", "a/../../b", "a//b", "a\\b", "c:a", "."] {
            assert!(fault(|d| d.to = Some(to.to_owned())).is_some(), "{to}");
        }
    }

    #[test]
    fn a_list_has_a_download_in_every_row() {
        let folder = tempfile::tempdir().unwrap();
        let list = DownloadList {
            url: "https://example.org/raw/".to_owned(),
            file: PathBuf::from("list.tsv"),
        };
        let digest = "0a".repeat(32);
        let read = |text: String| {
            fs_err::write(folder.path().join("list.tsv"), text).unwrap();
            list.downloads(folder.path()).map_err(|error| error.to_string())
        };
        let found = read(format!("wav/a.wav\t{digest}\t7\nb.wav\t{digest}\t8\n")).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].url, "https://example.org/raw/wav/a.wav");
        assert_eq!(found[0].to.as_deref(), Some("wav/a.wav"));
        assert_eq!((found[1].checksum(), found[1].bytes), (Some(Checksum::Sha256(&digest)), 8));
        let row = format!("wav/a.wav\t{digest}\t7");
        let faults =
            [row.replace("wav/", "../"), row.replace('7', "x"), format!("{row}\t7"), "a".into()];
        for fault in faults {
            let error = read(format!("{row}\n{fault}\n")).unwrap_err();
            assert!(error.contains("list.tsv: line 2: "), "{error}");
        }
    }
}
