//! Tables that are made in parts.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use ambivox_settings::{Exclusions, Shard};

use super::*;
use crate::extract_shard;

/// A corpus of 18 row groups, most of two utterances; some cannot be used, and one is silent.
struct Corpus {
    folder: TempDir,
    utterances: Vec<Utterance>,
}

impl Corpus {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut utterances = [good(folder.path(), 28), broken(folder.path())].concat();
        for utterance in utterances.iter_mut().filter(|u| u.utterance_id != "b-missing") {
            utterance.duration_s = Some(35.0);
        }
        wav(&folder.path().join("u07.wav"), vec![0.0; 4000]);
        Self { folder, utterances }
    }

    fn pieces(&self) -> PathBuf {
        self.folder.path().join("pieces")
    }

    /// Files of pieces, sorted by name.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.pieces()).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    fn make_part(&self, number: usize, of: usize) {
        fs::create_dir_all(self.pieces()).unwrap();
        let shard = Shard { number, of: NonZeroUsize::new(of).unwrap() };
        let (index, recipe) = (index(&self.folder, &self.utterances), recipe());
        let (root, pieces) = (self.folder.path(), self.pieces());
        let heard = Mutex::new(0);
        let progress = |done, total| {
            let mut heard = heard.lock().unwrap();
            *heard = u64::max(*heard, done);
            assert_eq!(total, 36);
        };
        extract_shard(&index, root, &recipe, shard, &pieces, &progress).unwrap();
        assert_eq!(heard.into_inner().unwrap(), 36);
    }

    /// Both tables and what is left out, from pieces where there are any.
    fn whole(&self, pieces: Option<PathBuf>) -> (Vec<Vec<u8>>, Exclusions) {
        let outputs = Outputs { pieces, ..outputs(&self.folder) };
        let (index, recipe) = (index(&self.folder, &self.utterances), recipe());
        let skip = OnBroken::Skip;
        let excluded =
            extract(&index, self.folder.path(), &recipe, skip, &outputs, &|_, _| {}).unwrap();
        let tables = [outputs.features, outputs.vectors].map(|f| fs::read(f.unwrap()).unwrap());
        (tables.to_vec(), excluded)
    }

    /// As [`Self::whole`] from pieces, where no sound says any more what it said: what is computed now
    /// shows.
    fn made_of_pieces_alone(&self) -> (Vec<Vec<u8>>, Exclusions) {
        let sounds: Vec<PathBuf> =
            self.utterances.iter().map(|u| self.folder.path().join(&u.path)).collect();
        let sounds: Vec<&PathBuf> = sounds.iter().filter(|sound| sound.exists()).collect();
        let before: Vec<Vec<u8>> = sounds.iter().map(|sound| fs::read(sound).unwrap()).collect();
        for (sound, bytes) in sounds.iter().zip(&before) {
            rewrite(sound, &vec![0; bytes.len()], true);
        }
        let made = self.whole(Some(self.pieces()));
        for (sound, bytes) in sounds.iter().zip(&before) {
            rewrite(sound, bytes, true);
        }
        made
    }
}

/// Writes a file, as if that had been when it was last written, or an hour later.
fn rewrite(file: &Path, bytes: &[u8], same_time: bool) {
    let before = fs::metadata(file).unwrap().modified().unwrap();
    fs::write(file, bytes).unwrap();
    let later = std::time::Duration::from_secs(if same_time { 0 } else { 3600 });
    fs::File::options().write(true).open(file).unwrap().set_modified(before + later).unwrap();
}

#[test]
fn any_number_of_parts_gives_the_same_bytes() {
    let corpus = Corpus::new();
    let expected = corpus.whole(None);
    for of in [1, 2, 3, 50] {
        (0..of).rev().for_each(|number| corpus.make_part(number, of));
        assert!(corpus.made_of_pieces_alone() == expected, "{of} parts give other bytes");
        assert_eq!(expected.1.warnings.len(), 1);
        fs::remove_dir_all(corpus.pieces()).unwrap();
    }
}

#[test]
fn what_no_part_has_made_is_made_by_the_whole() {
    let corpus = Corpus::new();
    let expected = corpus.whole(None);
    corpus.make_part(1, 3);
    assert!(corpus.whole(Some(corpus.pieces())) == expected);
    assert!(corpus.made_of_pieces_alone() != expected, "sounds that are silent now were not read");
    assert!(corpus.whole(Some(corpus.folder.path().join("none"))) == expected);
}

#[test]
fn a_flipped_bit_costs_no_more_than_time() {
    let corpus = Corpus::new();
    let expected = corpus.whole(None);
    corpus.make_part(0, 1);
    let [file] = &corpus.files()[..] else { panic!("one file") };
    let bytes = fs::read(file).unwrap();
    // The length, the name, both digests, the body of the first entry, and the end of the last.
    for at in [0, 3, 8, 40, 72, 79, 80, 200, bytes.len() / 2, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        fs::write(file, damaged).unwrap();
        assert!(corpus.whole(Some(corpus.pieces())) == expected, "byte {at}");
    }
    for length in [0, 1, 79, 80, bytes.len() / 2, bytes.len() - 1] {
        fs::write(file, &bytes[..length]).unwrap();
        assert!(corpus.whole(Some(corpus.pieces())) == expected, "cut to {length} bytes");
    }
}

#[test]
fn a_part_that_was_killed_goes_on_where_it_was() {
    let corpus = Corpus::new();
    let expected = corpus.whole(None);
    corpus.make_part(0, 2);
    corpus.make_part(1, 2);
    let [file, _] = &corpus.files()[..] else { panic!("two files") };
    let bytes = fs::read(file).unwrap();
    fs::write(file, &bytes[..bytes.len() * 2 / 3]).unwrap();
    corpus.make_part(0, 2);
    let files = corpus.files();
    assert_eq!(files.len(), 3, "{files:?}");
    let rest = fs::metadata(&files[1]).unwrap().len() as usize;
    assert!(rest > 0 && rest < bytes.len() * 2 / 3, "{rest} of {} bytes", bytes.len());
    assert!(corpus.made_of_pieces_alone() == expected);
    // All is there now, whatever the division.
    (0..3).for_each(|number| corpus.make_part(number, 3));
    assert_eq!(corpus.files(), files);
}

#[test]
fn a_sound_that_was_changed_since_is_described_again() {
    let corpus = Corpus::new();
    corpus.make_part(0, 1);
    let sound = corpus.folder.path().join("u05.wav");
    let mut bytes = fs::read(&sound).unwrap();
    let length = bytes.len();
    bytes[length - 2000..].fill(0);
    rewrite(&sound, &bytes, false);
    let made = corpus.whole(Some(corpus.pieces()));
    assert!(made == corpus.whole(None));
    // One that was missing is there now.
    wav(&corpus.folder.path().join("b-missing.wav"), tone(100.0, 4000));
    let made = corpus.whole(Some(corpus.pieces()));
    assert!(made == corpus.whole(None));
    assert_eq!(made.1.excluded.len(), 7);
}

#[test]
fn a_part_keeps_no_file_that_cannot_be_read_as_an_exclusion() {
    let corpus = Corpus::new();
    let expected = corpus.whole(None);
    let (file, away) = (corpus.folder.path().join("u05.wav"), corpus.folder.path().join("away"));
    fs::rename(&file, &away).unwrap();
    fs::create_dir_all(corpus.pieces()).unwrap();
    let (index, recipe) = (index(&corpus.folder, &corpus.utterances), recipe());
    let shard = Shard { number: 0, of: NonZeroUsize::MIN };
    let (root, pieces) = (corpus.folder.path(), corpus.pieces());
    let error = extract_shard(&index, root, &recipe, shard, &pieces, &|_, _| {}).unwrap_err();
    assert!(error.to_string().contains("u05.wav: cannot be read"), "{error}");
    assert_eq!(error.exit_code(), exit::FAILED);
    fs::rename(&away, &file).unwrap();
    assert!(corpus.whole(Some(pieces)) == expected);
}
