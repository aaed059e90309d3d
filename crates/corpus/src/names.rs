//! The corpus's utterances by what lists and tables from elsewhere may call them.

use std::collections::BTreeMap;

use crate::Utterance;
use crate::name::identity;

/// Utterances by name: by id, and by path of the recording, of which either may have more folders before it
/// than the other; with or without its extension.
#[derive(Debug)]
pub struct Names<'a> {
    ids: BTreeMap<String, &'a Utterance>,
    /// By the whole path; nothing where several utterances are cut from it.
    paths: BTreeMap<String, Option<&'a Utterance>>,
    /// By every end of it that begins with a folder or the file; nothing where several end so.
    ends_of_paths: BTreeMap<String, Option<&'a Utterance>>,
}

impl<'a> Names<'a> {
    /// Those of a corpus.
    pub fn new(utterances: &'a [Utterance]) -> Self {
        let ids = utterances.iter().map(|u| (identity(&u.utterance_id), u)).collect();
        let (mut paths, mut ends_of_paths) = (BTreeMap::new(), BTreeMap::new());
        for utterance in utterances {
            let path = spelled(&utterance.path);
            for path in [path.as_str(), bare(&path)] {
                enter(&mut paths, path, utterance);
                ends(path).for_each(|end| enter(&mut ends_of_paths, end, utterance));
            }
        }
        Self { ids, paths, ends_of_paths }
    }

    /// The one utterance of this name.
    pub fn find(&self, name: &str) -> Option<&'a Utterance> {
        if let Some(utterance) = self.ids.get(&identity(name)) {
            return Some(utterance);
        }
        let name = spelled(name);
        let whole = ends(&name).find_map(|end| self.paths.get(end));
        whole.or_else(|| self.ends_of_paths.get(name.as_str())).copied().flatten()
    }
}

/// Notes an utterance under a name; a name of several is the name of none. A path without an extension is
/// noted twice.
fn enter<'a>(
    names: &mut BTreeMap<String, Option<&'a Utterance>>,
    name: &str,
    utterance: &'a Utterance,
) {
    let is_same = |found: &Utterance| found.utterance_id == utterance.utterance_id;
    let found = names.entry(name.to_owned()).or_insert(Some(utterance));
    if !found.is_some_and(is_same) {
        *found = None;
    }
}

/// A path in the spelling that is compared.
fn spelled(path: &str) -> String {
    let path = identity(&path.replace('\\', "/"));
    path.strip_prefix("./").unwrap_or(&path).to_owned()
}

/// A path without its extension.
fn bare(path: &str) -> &str {
    let file = path.rfind('/').map_or(0, |at| at + 1);
    path[file..].rfind('.').filter(|&at| at > 0).map_or(path, |at| &path[..file + at])
}

/// A path, and what is left of it without the first folder, without the first two, and so on.
fn ends(path: &str) -> impl Iterator<Item = &str> {
    let after = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
    std::iter::once(path).chain(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::utterance;

    fn corpus(paths: &[(&str, &str)]) -> Vec<Utterance> {
        let one = |(id, path): &(&str, &str)| {
            let mut utterance = utterance(id, "s", None);
            (*path).clone_into(&mut utterance.path);
            utterance
        };
        paths.iter().map(one).collect()
    }

    fn found<'a>(utterances: &'a [Utterance], name: &str) -> Option<&'a str> {
        Names::new(utterances).find(name).map(|utterance| utterance.utterance_id.as_str())
    }

    #[test]
    fn a_name_is_an_id_or_a_path_with_more_or_fewer_folders() {
        let corpus =
            corpus(&[("u1", "wav/spk1/001.wav"), ("u2", "wav/spk2/001.wav"), ("u3", "x.flac")]);
        for (name, expected) in [
            ("u1", Some("u1")),
            (" u1 ", Some("u1")),
            ("wav/spk1/001.wav", Some("u1")),
            ("wav/spk1/001", Some("u1")),
            ("downloads/toy/wav/spk2/001.wav", Some("u2")),
            ("spk2/001.wav", Some("u2")),
            ("spk2\\001", Some("u2")),
            ("./x.flac", Some("u3")),
            ("/data/x.flac", Some("u3")),
            ("001.wav", None),
            ("data/spk3/001.wav", None),
            ("data/spk1/001.wav", None),
            ("", None),
        ] {
            assert_eq!(found(&corpus, name), expected, "{name}");
        }
    }

    /// Cuts of one recording have ids alone, and a file of the root is not one of a folder.
    #[test]
    fn a_name_of_several_is_the_name_of_none() {
        let cuts = corpus(&[("u1", "a.wav"), ("u2", "a.wav")]);
        assert_eq!((found(&cuts, "a.wav"), found(&cuts, "u2")), (None, Some("u2")));
        let both = corpus(&[("u1", "a.wav"), ("u2", "sub/a.wav"), ("u3", "sub/a.mp3")]);
        assert_eq!((found(&both, "a.wav"), found(&both, "sub/a.wav")), (Some("u1"), Some("u2")));
        assert_eq!((found(&both, "sub/a"), found(&both, "sub/a.mp3")), (None, Some("u3")));
    }

    #[test]
    fn names_are_compared_in_one_form() {
        let corpus = corpus(&[("J\u{f6}rg", "wav/Jo\u{308}rg.wav")]);
        assert_eq!(found(&corpus, "Jo\u{308}rg"), Some("J\u{f6}rg"));
        assert_eq!(found(&corpus, "wav/J\u{f6}rg.wav"), Some("J\u{f6}rg"));
    }
}
