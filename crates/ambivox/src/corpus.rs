//! The corpus as an input: the files that its manifest names, as one digest.

use std::path::Path;

use ambivox_artifacts::{Listing, StatMemo};
use ambivox_settings::{CorpusFiles, FilesError, Manifest, matching_files};
use anyhow::Result;

use crate::failure::Failure;

/// Digest of the files below `root` that belong to the corpus; none at all is an error.
pub(crate) fn listing(memo: &StatMemo, root: &Path, manifest: &Manifest) -> Result<Listing> {
    let CorpusFiles { files, dangling } =
        matching_files(root, &manifest.files).map_err(|error| match error {
            FilesError::Pattern(error) => Failure::usage(format!("files of the manifest: {error}")),
            FilesError::Walk(error) => unreadable(root, &error),
        })?;
    if let (true, Some(first)) = (files.is_empty(), dangling.iter().min()) {
        return Err(Failure::data(format!(
            "{}: no file of the corpus {} is here; what matches are links to nothing, such as {}\n\
             hint: restore the links' targets; `git annex get` fetches files of git-annex",
            root.display(),
            manifest.title,
            first.display(),
        )));
    }
    if files.is_empty() {
        return Err(Failure::data(format!(
            "{}: no file of the corpus {} is here; none matches {}\n\
             hint: {} must name the folder that holds them; the layout is that of {}",
            root.display(),
            manifest.title,
            manifest.files.join(", "),
            manifest.root_env,
            manifest.source,
        )));
    }
    memo.listing(root, &files).map_err(|error| unreadable(root, &error))
}

/// The error names the file.
fn unreadable(root: &Path, error: &impl std::fmt::Display) -> anyhow::Error {
    Failure::data(format!(
        "the corpus in {} cannot be read: {error}\n\
         hint: restore the file or the link's target, make it readable, or remove it",
        root.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::Toy;
    use crate::failure::exit_code;

    fn digest(toy: &Toy) -> Result<Listing> {
        listing(&StatMemo::in_memory(), &toy.path("corpus"), &toy.read().unwrap().manifest)
    }

    #[test]
    fn only_files_of_the_corpus_count() {
        let toy = Toy::new();
        let before = digest(&toy).unwrap();
        assert_eq!(before.files, 2);
        toy.write("corpus/notes.txt", "mine");
        toy.write("corpus/wav/deep/c.wav", "deeper than the pattern");
        toy.write("corpus/wav/._a.wav", "shadow");
        assert_eq!(digest(&toy).unwrap(), before);
        toy.write("corpus/wav/c.wav", "three");
        assert_ne!(digest(&toy).unwrap(), before);
    }

    #[test]
    fn a_dangling_link_is_no_file_of_the_corpus() {
        let toy = Toy::new();
        let before = digest(&toy).unwrap();
        for link in ["corpus/wav/c.wav", "corpus/latest"] {
            std::os::unix::fs::symlink("/none", toy.path(link)).unwrap();
        }
        assert_eq!(digest(&toy).unwrap(), before);
    }

    #[test]
    fn a_corpus_of_dangling_links_is_faulty_data() {
        let toy = Toy::new();
        toy.write("none/readme.txt", "");
        std::fs::create_dir(toy.path("none/wav")).unwrap();
        std::os::unix::fs::symlink("/none", toy.path("none/wav/c.wav")).unwrap();
        let manifest = toy.read().unwrap().manifest;
        let error = listing(&StatMemo::in_memory(), &toy.path("none"), &manifest).unwrap_err();
        assert_eq!(exit_code(&error), 3);
        let text = error.to_string();
        assert!(text.contains("wav/c.wav") && text.contains("git annex get"), "{text}");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_faulty_data() {
        let toy = Toy::new();
        let manifest = toy.read().unwrap().manifest;
        let gone = unreadable(&toy.path("corpus"), &"wav/a.wav: permission denied");
        assert_eq!(exit_code(&gone), 3);
        toy.write("corpus/wav/a.wav", "one");
        assert!(listing(&StatMemo::in_memory(), &toy.path("corpus"), &manifest).is_ok());
    }

    #[test]
    fn an_empty_corpus_is_faulty_data() {
        let toy = Toy::new();
        toy.write("none/readme.txt", "");
        let manifest = toy.read().unwrap().manifest;
        let error = listing(&StatMemo::in_memory(), &toy.path("none"), &manifest).unwrap_err();
        assert_eq!(exit_code(&error), 3);
        assert!(error.to_string().contains("none matches wav/*.wav"), "{error}");
    }
}
