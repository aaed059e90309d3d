//! The memo saves reading and never lies.

use proptest::prelude::*;

use super::*;

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

/// Plants a digest that no file has, so that a reuse shows. `age_ns` is how long before the hashing
/// the file changed.
fn plant(memo: &StatMemo, path: &Path, age_ns: i64) -> Digest {
    let planted = Digest::from(blake3::hash(b"planted"));
    let (id, stamp) = stat(path).unwrap().unwrap();
    let entry = Entry { stamp, seen_ns: stamp.changed_ns + age_ns, digest: planted };
    memo.state().table.insert(id, entry);
    planted
}

#[test]
fn digests_as_b3sum_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    write(&file, &vec![7; 300_000]);
    let found = StatMemo::in_memory().file(&file).unwrap();
    assert_eq!(found.bytes, 300_000);
    assert_eq!(found.digest, Digest::from(blake3::hash(&vec![7; 300_000])));
}

#[test]
fn reuses_an_entry_of_a_settled_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    write(&file, b"one");
    let memo = StatMemo::in_memory();
    let planted = plant(&memo, &file, RACY_NS + 1);
    assert_eq!(memo.file(&file).unwrap().digest, planted);
}

#[test]
fn distrusts_an_entry_as_young_as_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    write(&file, b"one");
    let memo = StatMemo::in_memory();
    plant(&memo, &file, RACY_NS);
    assert_eq!(memo.file(&file).unwrap().digest, Digest::from(blake3::hash(b"one")));
}

#[test]
fn sees_an_edit_of_equal_size_with_its_time_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    write(&file, b"one");
    let memo = StatMemo::in_memory();
    plant(&memo, &file, RACY_NS + 1);
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    write(&file, b"two");
    fs::OpenOptions::new().write(true).open(&file).unwrap().file().set_modified(modified).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), modified);
    assert_eq!(memo.file(&file).unwrap().digest, Digest::from(blake3::hash(b"two")));
}

#[test]
fn is_kept_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let (file, kept) = (folder.path().join("a"), folder.path().join("memo"));
    write(&file, b"one");
    let memo = StatMemo::load(kept.clone());
    memo.file(&file).unwrap();
    memo.save().unwrap();
    assert_eq!(StatMemo::load(kept.clone()).state().table, memo.state().table);
    assert_eq!(fs::metadata(&kept).unwrap().len(), 16 + 80 + 32);
}

#[test]
fn a_damaged_memo_is_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let (file, kept) = (folder.path().join("a"), folder.path().join("memo"));
    write(&file, b"one");
    let memo = StatMemo::load(kept.clone());
    memo.file(&file).unwrap();
    memo.save().unwrap();
    let whole = fs::read(&kept).unwrap();
    let mut flipped = whole.clone();
    flipped[40] ^= 1;
    for damaged in [&whole[..whole.len() - 1], &flipped, b"", b"text"] {
        write(&kept, damaged);
        assert_eq!(StatMemo::load(kept.clone()).state().table, Table::default());
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = StatMemo::in_memory().file(Path::new("/no/such/file")).unwrap_err();
    assert!(error.to_string().contains("/no/such/file"), "{error}");
}

proptest! {
    #[test]
    fn the_table_goes_to_disk_and_back(
        entries in prop::collection::vec(any::<([u64; 3], [i64; 3], [u8; 32])>(), 0..5)
    ) {
        let mut table = Table::default();
        for ([device, inode, bytes], [modified_ns, changed_ns, seen_ns], digest) in entries {
            let stamp = Stamp { bytes, modified_ns, changed_ns };
            let digest = Digest::from_bytes(digest);
            table.insert(FileId { device, inode }, Entry { stamp, seen_ns, digest });
        }
        prop_assert_eq!(Table::from_bytes(&table.to_bytes()), Some(table));
    }
}
