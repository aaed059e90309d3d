//! Good archives come out whole; bad ones leave nothing outside of the folder.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use tar::{EntryType, Header};

use super::*;

/// An entry of a zip: name, Unix mode, content, and whether it is deflated.
type Packed<'a> = (&'a str, u32, &'a [u8], bool);

/// Where nothing in particular is allowed or asked for.
const ROOMY: (u64, u64) = (1 << 30, 100);

fn u16s(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn u32s(values: &[usize]) -> Vec<u8> {
    values.iter().flat_map(|&value| (value as u32).to_le_bytes()).collect()
}

/// A zip by the letter of its form, so that nothing is put right on the way.
fn zip_of(entries: &[Packed<'_>]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for &(name, mode, content, deflated) in entries {
        let packed = if deflated { deflate(content) } else { content.to_vec() };
        let mut sum = flate2::Crc::new();
        sum.update(content);
        let method = if deflated { 8 } else { 0 };
        let common = [
            u16s(&[20, 0x800, method, 0, 33]),
            u32s(&[sum.sum() as usize, packed.len(), content.len()]),
            u16s(&[name.len() as u16, 0]),
        ]
        .concat();
        let offset = bytes.len();
        directory.extend([b"PK\x01\x02".to_vec(), u16s(&[0x31e]), common.clone()].concat());
        directory.extend([u16s(&[0, 0, 0]), u32s(&[(mode as usize) << 16, offset])].concat());
        directory.extend(name.as_bytes());
        bytes.extend([b"PK\x03\x04", common.as_slice(), name.as_bytes(), &packed].concat());
    }
    let count = entries.len() as u16;
    let place = u32s(&[directory.len(), bytes.len()]);
    let end = [b"PK\x05\x06".to_vec(), u16s(&[0, 0, count, count]), place, u16s(&[0])].concat();
    [bytes, directory, end].concat()
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A tar.gz whose names are not checked.
fn tar_of(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for &(name, kind, content) in entries {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o777);
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        tar.append(&header, content).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn archive(kind: ArchiveKind, bytes: u64, entries: u64, folder: Option<&str>) -> Archive {
    Archive { kind, bytes, entries, folder: folder.map(str::to_owned) }
}

/// What came of unpacking, and the folder around the one that was unpacked to.
fn unpacked(
    kind: ArchiveKind,
    bytes: &[u8],
    (most, entries): (u64, u64),
) -> (Result<(), Refusal>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (file, into) = (folder.path().join("archive"), folder.path().join("a/into"));
    fs::write(&file, bytes).unwrap();
    fs::create_dir_all(&into).unwrap();
    let done = unpack(&file, &archive(kind, most, entries, None), &into);
    fs::remove_file(file).unwrap();
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(names, [folder.path().join("a")], "something lies outside");
    assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1, "outside");
    (done, folder)
}

fn refusal(kind: ArchiveKind, bytes: &[u8], room: (u64, u64)) -> String {
    unpacked(kind, bytes, room).0.unwrap_err().to_string()
}

#[test]
fn a_zip_comes_out_whole() {
    let long = b"abcdefgh".repeat(20_000);
    let bytes = zip_of(&[
        ("wav/", 0o040_755, b"", false),
        ("wav/a.wav", 0o100_644, &long, true),
        ("./b.txt", 0, b"stored", false),
    ]);
    let (done, folder) = unpacked(ArchiveKind::Zip, &bytes, (160_006, 3));
    done.unwrap();
    let into = folder.path().join("a/into");
    assert_eq!(fs::read(into.join("wav/a.wav")).unwrap(), long);
    assert_eq!(fs::read(into.join("b.txt")).unwrap(), b"stored");
}

#[test]
fn a_tar_gz_comes_out_whole() {
    let bytes = tar_of(&[
        ("./", EntryType::Directory, b""),
        ("./wav/", EntryType::Directory, b""),
        ("wav/a.wav", EntryType::Regular, b"abc"),
        ("pax", EntryType::XGlobalHeader, b""),
    ]);
    let (done, folder) = unpacked(ArchiveKind::TarGz, &bytes, (3, 3));
    done.unwrap();
    assert_eq!(fs::read(folder.path().join("a/into/wav/a.wav")).unwrap(), b"abc");
    let mode = fs::metadata(folder.path().join("a/into/wav/a.wav")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o111, 0, "permissions are not taken over");
}

#[test]
fn paths_that_lead_out_are_refused() {
    for name in ["../x", "a/../../x", "/x", "a//x", "..\\x", "c:x", "a/./x", ".."] {
        let bytes = zip_of(&[(name, 0o100_644, b"x", false)]);
        let said = refusal(ArchiveKind::Zip, &bytes, ROOMY);
        assert!(said.contains("does not lie below"), "{name}: {said}");
        let bytes = tar_of(&[(name, EntryType::Regular, b"x")]);
        let said = refusal(ArchiveKind::TarGz, &bytes, ROOMY);
        assert!(said.contains("does not lie below"), "{name}: {said}");
    }
    let deep = "d/".repeat(DEEPEST) + "x";
    let bytes = zip_of(&[(&deep, 0o100_644, b"x", false)]);
    assert!(refusal(ArchiveKind::Zip, &bytes, ROOMY).contains("does not lie below"));
}

#[test]
fn links_and_devices_are_refused() {
    for mode in [0o120_777, 0o020_644, 0o060_644, 0o010_644, 0o140_644] {
        let bytes = zip_of(&[("x", mode, b"/etc/passwd", false)]);
        let said = refusal(ArchiveKind::Zip, &bytes, ROOMY);
        assert!(said.contains("neither file nor folder"), "{mode:o}: {said}");
    }
    let kinds =
        [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Block, EntryType::Fifo];
    for kind in kinds {
        let said = refusal(ArchiveKind::TarGz, &tar_of(&[("x", kind, b"")]), ROOMY);
        assert!(said.contains("neither file nor folder"), "{kind:?}: {said}");
    }
}

#[test]
fn nothing_is_written_twice() {
    for names in [["x", "x"], ["x", "x/y"], ["x/y", "x"]] {
        let bytes = zip_of(&names.map(|name| (name, 0o100_644, &b"1"[..], false)));
        let twice = format!("entry {:?} is there twice", names[1]);
        assert_eq!(refusal(ArchiveKind::Zip, &bytes, ROOMY), twice);
        let bytes = tar_of(&names.map(|name| (name, EntryType::Regular, &b"1"[..])));
        assert_eq!(refusal(ArchiveKind::TarGz, &bytes, ROOMY), twice);
    }
}

#[test]
fn names_that_are_one_on_some_system_are_refused() {
    for names in [
        ["wav/a.wav", "wav/A.wav"],
        ["wav/a.wav", "Wav/b.wav"],
        ["Ä", "ä/x"],
        ["J\u{f6}rg.wav", "Jo\u{308}rg.wav"],
        ["J\u{f6}rg/a.wav", "JO\u{308}RG/b.wav"],
    ] {
        let bytes = zip_of(&names.map(|name| (name, 0o100_644, &b"1"[..], false)));
        let said = refusal(ArchiveKind::Zip, &bytes, ROOMY);
        assert!(said.contains("are one on some systems"), "{said}");
        let bytes = tar_of(&names.map(|name| (name, EntryType::Regular, &b"1"[..])));
        assert_eq!(refusal(ArchiveKind::TarGz, &bytes, ROOMY), said);
    }
}

#[test]
fn a_folder_may_be_named_again() {
    let bytes = tar_of(&[
        ("wav/a", EntryType::Regular, b"1"),
        ("wav/", EntryType::Directory, b""),
        ("wav/", EntryType::Directory, b""),
    ]);
    unpacked(ArchiveKind::TarGz, &bytes, ROOMY).0.unwrap();
}

#[test]
fn links_that_lie_there_are_not_followed() {
    let (outside, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let victim = outside.path().join("a");
    fs::write(&victim, "precious").unwrap();
    for (name, link) in [("wav/deep/a", "wav"), ("wav/deep/a", "wav/deep"), ("a", "a")] {
        let into = folder.path().join("into");
        fs::create_dir_all(into.join(link).parent().unwrap()).unwrap();
        let target = if link == "a" { &victim } else { outside.path() };
        std::os::unix::fs::symlink(target, into.join(link)).unwrap();
        let file = folder.path().join("archive");
        fs::write(&file, tar_of(&[(name, EntryType::Regular, b"x")])).unwrap();
        let archive = archive(ArchiveKind::TarGz, 100, 10, None);
        assert!(unpack(&file, &archive, &into).is_err(), "{link}");
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "{link}");
        fs::remove_dir_all(into).unwrap();
    }
}

#[test]
fn of_an_archive_with_a_folder_around_all_the_content_alone_is_unpacked() {
    let entries: [Packed<'_>; 4] = [
        ("emodb/", 0o40_755, b"", false),
        ("emodb/wav/a.wav", 0o100_644, b"sound", true),
        ("emodb-2/b", 0o100_644, b"beside", true),
        ("c", 0o100_644, b"above", false),
    ];
    let tar = tar_of(&[
        ("emodb/wav/a.wav", EntryType::Regular, b"sound"),
        ("c", EntryType::Regular, b"above"),
    ]);
    for (kind, bytes) in [(ArchiveKind::Zip, zip_of(&entries)), (ArchiveKind::TarGz, tar)] {
        let unpacked = |most, folder| {
            let around = tempfile::tempdir().unwrap();
            let file = around.path().join("archive");
            fs::write(&file, &bytes).unwrap();
            let into = around.path().join("into");
            fs::create_dir(&into).unwrap();
            (unpack(&file, &archive(kind, most, 10, Some(folder)), &into), into, around)
        };
        let (done, into, _around) = unpacked(100, "emodb");
        done.unwrap();
        assert_eq!(fs::read(into.join("wav/a.wav")).unwrap(), b"sound");
        assert_eq!(fs::read_dir(&into).unwrap().count(), 1, "something else was unpacked");
        let refusal = |most, folder| unpacked(most, folder).0.unwrap_err().to_string();
        let all_counts = refusal(8, "emodb");
        assert!(all_counts.contains("more than 8 bytes"), "{all_counts}");
        assert!(refusal(100, "wav").contains("no folder \"wav\""));
    }
}

fn room(into: &Path) -> Room<'_> {
    let (names, folder) = (BTreeMap::new(), None);
    Room { into, folder, found: false, names, bytes: 1000, entries: 10, most: (1000, 10) }
}

#[test]
fn a_full_disk_is_no_damage() {
    let mut full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let refusal = room(Path::new("")).copy(&mut &b"abc"[..], &mut full).unwrap_err();
    let Refusal::Io(error) = refusal else { panic!("{refusal}") };
    let error = crate::FetchError::from(error);
    assert_eq!(error.exit_code(), 1);
    let said = error.to_string();
    assert!(
        said.contains("/dev/full") && said.contains("what has been downloaded is kept"),
        "{said}"
    );
    let said = error.needing(1234).to_string();
    assert!(said.contains("make room for 1234 bytes more"), "{said}");
}

/// A disk that cannot be read.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::from_raw_os_error(libc::EIO))
    }
}

#[test]
fn a_broken_disk_is_no_damage() {
    let mut into = Vec::new();
    let direct = room(Path::new("")).copy(&mut Broken, &mut into).unwrap_err();
    let by_tar =
        damaged(tar::Archive::new(Broken).entries().unwrap().next().unwrap().err().unwrap());
    for refusal in [direct, by_tar] {
        assert!(matches!(refusal, Refusal::Io(_)), "{refusal}");
        assert!(refusal.to_string().starts_with("reading the archive: "), "{refusal}");
    }
}

#[test]
fn more_than_is_allowed_is_refused() {
    let one = [("a", 0o100_644, &b"12345"[..], true), ("b", 0o100_644, b"6", false)];
    assert!(unpacked(ArchiveKind::Zip, &zip_of(&one), (6, 2)).0.is_ok());
    assert!(refusal(ArchiveKind::Zip, &zip_of(&one), (5, 2)).contains("more than 5 bytes"));
    assert!(refusal(ArchiveKind::Zip, &zip_of(&one), (6, 1)).contains("more than 1 entries"));
    let one = [("a", EntryType::Regular, &b"12345"[..]), ("b", EntryType::Directory, b"")];
    assert!(unpacked(ArchiveKind::TarGz, &tar_of(&one), (5, 2)).0.is_ok());
    assert!(refusal(ArchiveKind::TarGz, &tar_of(&one), (4, 2)).contains("more than 4 bytes"));
    assert!(refusal(ArchiveKind::TarGz, &tar_of(&one), (5, 1)).contains("more than 1 entries"));
}

#[test]
fn a_bomb_does_not_go_off_even_where_the_manifest_allows_it() {
    let zeros = vec![0; 4 << 20];
    let allowed = (u64::MAX, u64::MAX);
    let bomb = zip_of(&[("zeros", 0o100_644, &zeros, true)]);
    assert!(bomb.len() < 8000, "{}", bomb.len());
    assert!(refusal(ArchiveKind::Zip, &bomb, allowed).contains("more than 1048576 bytes"));
    let bomb = tar_of(&[("zeros", EntryType::Regular, &zeros)]);
    assert!(refusal(ArchiveKind::TarGz, &bomb, allowed).contains("more than 1048576 bytes"));
    // A name as long as the bomb, which would be read into memory.
    let bomb = tar_of(&[("name", EntryType::GNULongName, &zeros)]);
    assert!(refusal(ArchiveKind::TarGz, &bomb, (1000, 5)).contains("damaged"));
}

#[test]
fn damage_is_noticed() {
    let mut bytes = zip_of(&[("a", 0o100_644, b"12345", false)]);
    let at = bytes.windows(5).position(|window| window == b"12345").unwrap();
    bytes[at] = b'0';
    assert!(refusal(ArchiveKind::Zip, &bytes, ROOMY).contains("the checksum of \"a\""));
    let bytes = tar_of(&[("a", EntryType::Regular, b"12345")]);
    for (kind, bytes) in [
        (ArchiveKind::Zip, &b"no archive"[..]),
        (ArchiveKind::TarGz, b"no archive"),
        (ArchiveKind::TarGz, &bytes[..bytes.len() / 2]),
    ] {
        assert!(refusal(kind, bytes, ROOMY).contains("damaged"));
    }
}
