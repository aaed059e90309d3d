//! The memo saves reading and never lies.

use proptest::prelude::*;

use super::*;

const EXT4: u32 = 0xef53;
const FUSE: u32 = 0x6573_5546;
const NFS: u32 = 0x6969;

/// The memo of whatever file system the tests run on, as if it were another.
fn memo_on(file_system: fn(&Path) -> Option<FileSystem>) -> StatMemo {
    StatMemo { file_system, ..StatMemo::in_memory() }
}

fn memo() -> StatMemo {
    memo_on(|_| Some(FileSystem { magic: EXT4, id: 1 }))
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

/// Plants a digest that no file has, so that a reuse shows. `age_ns` is how long before the hashing
/// the file changed.
fn plant(memo: &StatMemo, path: &Path, age_ns: i64) -> Digest {
    let planted = Digest::from(blake3::hash(b"planted"));
    let (id, stamp) = memo.stat(path).unwrap().unwrap();
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
    let memo = memo();
    let planted = plant(&memo, &file, RACY_NS + 1);
    assert_eq!(memo.file(&file).unwrap().digest, planted);
}

#[test]
fn distrusts_an_entry_as_young_as_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    write(&file, b"one");
    let memo = memo();
    plant(&memo, &file, RACY_NS);
    assert_eq!(memo.file(&file).unwrap().digest, Digest::from(blake3::hash(b"one")));
}

#[test]
fn sees_an_edit_of_equal_size_with_its_time_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    write(&file, b"one");
    let memo = memo();
    plant(&memo, &file, RACY_NS + 1);
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    write(&file, b"two");
    fs::OpenOptions::new().write(true).open(&file).unwrap().file().set_modified(modified).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), modified);
    assert_eq!(memo.file(&file).unwrap().digest, Digest::from(blake3::hash(b"two")));
}

/// `touch -r` after an edit, where what is promised is what this machine's file system keeps.
#[test]
fn believes_the_file_system_of_this_machine_no_further_than_it_keeps_its_promise() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    write(&file, b"one");
    let memo = StatMemo::in_memory();
    // Nothing is remembered on some file systems, and there is nothing to see then.
    if memo.stat(&file).unwrap().is_none() {
        return;
    }
    let planted = plant(&memo, &file, RACY_NS + 1);
    assert_eq!(memo.file(&file).unwrap().digest, planted);
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    write(&file, b"two");
    fs::OpenOptions::new().write(true).open(&file).unwrap().file().set_modified(modified).unwrap();
    assert_eq!(memo.file(&file).unwrap().digest, Digest::from(blake3::hash(b"two")));
}

#[test]
fn remembers_nothing_where_nothing_is_promised() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    write(&file, b"one");
    let unknown: [fn(&Path) -> Option<FileSystem>; 2] =
        [|_| Some(FileSystem { magic: FUSE, id: 1 }), |_| None];
    for file_system in unknown {
        let memo = memo_on(file_system);
        assert_eq!(memo.file(&file).unwrap().digest, Digest::from(blake3::hash(b"one")));
        assert_eq!(memo.stat(&file).unwrap(), None);
        assert_eq!(memo.state().table, Table::default());
        assert!(!memo.state().changed);
    }
}

/// Another image at the same device has the same inode numbers.
#[test]
fn tells_file_systems_apart_that_had_one_device_after_another() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    write(&file, b"one");
    let mut memo = memo();
    let planted = plant(&memo, &file, RACY_NS + 1);
    assert_eq!(memo.file(&file).unwrap().digest, planted);
    memo.file_system = |_| Some(FileSystem { magic: EXT4, id: 2 });
    memo.state().devices.clear();
    assert_eq!(memo.file(&file).unwrap().digest, Digest::from(blake3::hash(b"one")));
}

#[test]
fn asks_for_the_file_system_of_a_device_once() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let folder = tempfile::tempdir().unwrap();
    let memo = memo_on(|_| {
        ASKED.fetch_add(1, Ordering::Relaxed);
        None
    });
    for name in ["a", "b", "c"] {
        write(&folder.path().join(name), b"one");
        memo.file(&folder.path().join(name)).unwrap();
    }
    assert_eq!(ASKED.load(Ordering::Relaxed), 1);
}

#[test]
fn opens_files_first_where_stat_answers_from_memory() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    write(&file, b"one");
    let nfs = memo_on(|_| Some(FileSystem { magic: NFS, id: 1 }));
    assert_eq!(nfs.promise(8, &file), Some((1, Promise::Opened)));
    assert_eq!(nfs.stat(&file).unwrap(), memo().stat(&file).unwrap());
    assert!(nfs.stat(folder.path()).unwrap().is_some());
}

#[test]
fn is_kept_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let (file, kept) = (folder.path().join("a"), folder.path().join("memo"));
    write(&file, b"one");
    let memo = StatMemo { file: Some(kept.clone()), ..memo() };
    memo.file(&file).unwrap();
    memo.save().unwrap();
    assert_eq!(StatMemo::load(kept.clone()).state().table, memo.state().table);
    assert_eq!(fs::metadata(&kept).unwrap().len(), 16 + 88 + 32);
}

#[test]
fn a_damaged_memo_is_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let (file, kept) = (folder.path().join("a"), folder.path().join("memo"));
    write(&file, b"one");
    let memo = StatMemo { file: Some(kept.clone()), ..memo() };
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
        entries in prop::collection::vec(any::<([u64; 4], [i64; 3], [u8; 32])>(), 0..5)
    ) {
        let mut table = Table::default();
        for ([file_system, device, inode, bytes], [modified_ns, changed_ns, seen_ns], digest) in entries {
            let stamp = Stamp { bytes, modified_ns, changed_ns };
            let digest = Digest::from_bytes(digest);
            table.insert(FileId { file_system, device, inode }, Entry { stamp, seen_ns, digest });
        }
        prop_assert_eq!(Table::from_bytes(&table.to_bytes()), Some(table));
    }
}
