//! Downloads from a server on this machine, which does what servers do at their worst.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ambivox_fetch::{Client, FetchError, Fetched, Patience, fetch};
use ambivox_settings::{Archive, ArchiveKind, Download, Manifest};
use fs_err as fs;
use server::{Server, answer, good, rest, whole};

const TAG: &str = "\"one\"";
const PATIENCE: Patience = Patience { attempts: 3, pause: Duration::from_millis(1) };

/// Some bytes that do not repeat.
fn body() -> Vec<u8> {
    (0..300_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let halves = digest.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.filter_map(|half| char::from_digit(half.into(), 16)).collect()
}

fn file(server: &Server, bytes: &[u8]) -> Download {
    Download {
        url: server.url("file"),
        sha256: Some(sha256(bytes)),
        md5: None,
        bytes: bytes.len() as u64,
        to: Some("wav/a.wav".to_owned()),
        archive: None,
    }
}

fn download(file: &Download, to: &Path) -> Result<(), FetchError> {
    Client::new(PATIENCE).unwrap().download(file, to, &|_| ())
}

/// A folder, and a place in it for a file on its way.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("file.part");
    (folder, part)
}

/// Nothing is left but what the folder's other files are.
fn is_clean(folder: &tempfile::TempDir) -> bool {
    fs::read_dir(folder.path()).unwrap().next().is_none()
}

#[test]
fn a_file_comes_whole() {
    let server = Server::new(|_, asked| good(TAG, &body(), asked));
    let (_folder, part) = place();
    download(&file(&server, &body()), &part).unwrap();
    assert_eq!(fs::read(&part).unwrap(), body());
    assert_eq!(server.asked().len(), 1);
    // What is there is not asked for again.
    download(&file(&server, &body()), &part).unwrap();
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_transfer_that_breaks_off_goes_on_where_it_ended() {
    let server = Server::new(|number, asked| {
        let mut answer = good(TAG, &body(), asked);
        if number < 2 {
            answer.truncate(answer.len() / 2);
        }
        answer
    });
    let (_folder, part) = place();
    download(&file(&server, &body()), &part).unwrap();
    assert_eq!(fs::read(&part).unwrap(), body());
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked[1].from > Some(500_000) && asked[2].from > asked[1].from, "{asked:?}");
    assert_eq!(asked[1].if_range.as_deref(), Some(TAG));
}

#[test]
fn another_process_goes_on_too() {
    let server = Server::new(|number, asked| {
        let answer = good(TAG, &body(), asked);
        if number < 3 { answer[..answer.len() / 2].to_vec() } else { answer }
    });
    let (_folder, part) = place();
    let impatient = Patience { attempts: 1, ..PATIENCE };
    let client = Client::new(impatient).unwrap();
    let error = client.download(&file(&server, &body()), &part, &|_| ()).unwrap_err();
    assert!(error.to_string().contains("it goes on where it ended"), "{error}");
    let held = fs::metadata(&part).unwrap().len() as usize;
    assert!(held > 500_000);
    download(&file(&server, &body()), &part).unwrap();
    assert_eq!(fs::read(&part).unwrap(), body());
    assert_eq!(server.asked()[1].from, Some(held));
}

#[test]
fn a_server_that_ignores_ranges_sends_everything_again() {
    let server = Server::new(|number, _| {
        let answer = whole(TAG, &body());
        if number == 0 { answer[..answer.len() / 2].to_vec() } else { answer }
    });
    let (_folder, part) = place();
    download(&file(&server, &body()), &part).unwrap();
    assert_eq!(fs::read(&part).unwrap(), body());
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_file_that_changed_meanwhile_begins_again() {
    // Half of another version of the same length; the server heeds no If-Range.
    let old = vec![7; body().len()];
    for (second, requests) in [("\"two\"", 3), (TAG, 3)] {
        let before = old.clone();
        let server = Server::new(move |number, asked| match (number, asked.from) {
            (0, _) => whole(TAG, &before)[..before.len() / 2].to_vec(),
            (_, Some(from)) => rest(second, &body(), from),
            (_, None) => whole(second, &body()),
        });
        let (_folder, part) = place();
        download(&file(&server, &body()), &part).unwrap();
        assert_eq!(fs::read(&part).unwrap(), body());
        assert_eq!(server.asked().len(), requests, "{second}");
    }
}

#[test]
fn a_file_that_became_shorter_begins_again() {
    let server = Server::new(|number, asked| match (number, asked.from) {
        (0, _) => whole(TAG, &body())[..600_000].to_vec(),
        (_, Some(_)) => answer("416 Range Not Satisfiable", &[], b""),
        (_, None) => whole("\"two\"", &body()),
    });
    let (_folder, part) = place();
    download(&file(&server, &body()), &part).unwrap();
    assert_eq!(fs::read(&part).unwrap(), body());
}

#[test]
fn a_wrong_digest_keeps_nothing() {
    let server = Server::new(|_, asked| good(TAG, &vec![7; body().len()], asked));
    let (folder, part) = place();
    let error = download(&file(&server, &body()), &part).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    let said = error.to_string();
    assert!(said.contains(&sha256(&body())) && said.contains("SHA-256"), "{said}");
    assert!(is_clean(&folder));
}

#[test]
fn nothing_of_a_wrong_length_is_kept() {
    let longer = [body(), body()].concat();
    let shown = longer.clone();
    let announced = Server::new(move |_, _| whole(TAG, &shown));
    let silent = Server::new(move |_, _| answer("200 OK", &[], &longer));
    for (server, part_of_message) in [(announced, "2400000 bytes"), (silent, "more than 1200000")] {
        let (_folder, part) = place();
        let error = download(&file(&server, &body()), &part).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains(part_of_message), "{error}");
        assert_eq!(fs::metadata(&part).unwrap().len(), 0);
    }
}

#[test]
fn a_page_in_place_of_the_file_costs_nothing_of_what_has_come() {
    let server = Server::new(|number, asked| match number {
        0 => whole(TAG, &body())[..600_000].to_vec(),
        1 => whole("\"portal\"", b"<html>please sign in</html>"),
        _ => good(TAG, &body(), asked),
    });
    let (_folder, part) = place();
    let error = download(&file(&server, &body()), &part).unwrap_err();
    assert!(error.to_string().contains("27 bytes, where 1200000 are on record"), "{error}");
    download(&file(&server, &body()), &part).unwrap();
    assert_eq!(fs::read(&part).unwrap(), body());
    assert!(server.asked()[2].from > Some(500_000));
}

#[test]
fn what_is_not_there_is_not_asked_for_twice() {
    let server = Server::new(|_, _| answer("404 Not Found", &[], b"nothing"));
    let (_folder, part) = place();
    let error = download(&file(&server, &body()), &part).unwrap_err();
    assert!(error.to_string().contains("404 Not Found"), "{error}");
    assert_eq!(error.exit_code(), 1);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_server_that_is_busy_is_asked_again_and_then_no_more() {
    let server = Server::new(|number, asked| match number {
        0 => answer("503 Service Unavailable", &[], b""),
        1 => answer("429 Too Many Requests", &[], b""),
        _ => good(TAG, &body(), asked),
    });
    let (_folder, part) = place();
    download(&file(&server, &body()), &part).unwrap();
    let server = Server::new(|_, _| answer("503 Service Unavailable", &[], b""));
    let (_folder, part) = place();
    let error = download(&file(&server, &body()), &part).unwrap_err();
    assert!(error.to_string().contains("503"), "{error}");
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn redirections_are_followed_with_the_range() {
    let server = Server::new(|number, asked| {
        if asked.path == "file" {
            return answer("302 Found", &["Location: /moved".to_owned()], b"");
        }
        let mut answer = good(TAG, &body(), asked);
        if number < 2 {
            answer.truncate(answer.len() / 2);
        }
        answer
    });
    let (_folder, part) = place();
    download(&file(&server, &body()), &part).unwrap();
    assert_eq!(fs::read(&part).unwrap(), body());
    let last = server.asked().pop().unwrap();
    assert!(last.path == "moved" && last.from.is_some(), "{last:?}");
}

/// A manifest of some files, of which a whole copy has so many.
fn manifest(files: u64, fetch: Vec<Download>) -> Manifest {
    let text = format!(
        "schema = 1\nname = \"toy\"\ntitle = \"Toy\"\nsynthetic = false\nlicence = \"CC0-1.0\"\n\
         source = \"https://example.org\"\ncitation = \"none\"\nroot_env = \"TOY_ROOT\"\n\
         adapter = \"emodb\"\nfiles = [\"wav/*.wav\"]\n[labels]\n[release]\nfiles = {files}\n"
    );
    Manifest { fetch, ..Manifest::parse(Path::new("toy.toml"), &text).unwrap() }
}

fn fetched(manifest: &Manifest, root: &Path) -> Result<Fetched, FetchError> {
    fetch(manifest, &manifest.fetch, root, &Client::new(PATIENCE).unwrap(), &|_| ())
}

#[test]
fn a_corpus_appears_whole_and_is_known_again() {
    let server = Server::new(|_, asked| good(TAG, &body(), asked));
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("toy");
    let manifest = manifest(1, vec![file(&server, &body())]);
    assert_eq!(fetched(&manifest, &root).unwrap(), Fetched::New);
    assert_eq!(fs::read(root.join("wav/a.wav")).unwrap(), body());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something is left over");
    assert_eq!(fetched(&manifest, &root).unwrap(), Fetched::Before);
    fs::rename(root.join("wav/a.wav"), root.join("wav/a.txt")).unwrap();
    let error = fetched(&manifest, &root).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(root.join("wav/a.txt").exists() && server.asked().len() == 1);
}

#[test]
fn a_folder_that_is_empty_is_filled() {
    let server = Server::new(|_, asked| good(TAG, &body(), asked));
    let root = tempfile::tempdir().unwrap();
    let manifest = manifest(1, vec![file(&server, &body())]);
    assert_eq!(fetched(&manifest, root.path()).unwrap(), Fetched::New);
    assert!(root.path().join("wav/a.wav").exists());
}

#[test]
fn a_folder_that_cannot_be_replaced_is_refused_before_anything_is_asked_for() {
    let server = Server::new(|_, asked| good(TAG, &body(), asked));
    let folder = tempfile::tempdir().unwrap();
    let dangling = folder.path().join("link");
    std::os::unix::fs::symlink("nowhere", &dangling).unwrap();
    let manifest = manifest(1, vec![file(&server, &body())]);
    for root in [Path::new("."), Path::new(".."), Path::new("/proc"), &dangling] {
        let error = fetched(&manifest, root).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("name one that is not there yet"), "{error}");
    }
    assert!(server.asked().is_empty());
}

#[test]
fn a_whole_copy_is_known_where_none_could_be_put() {
    let whole = Manifest { files: vec!["Cargo.toml".to_owned()], ..manifest(1, Vec::new()) };
    assert_eq!(fetched(&whole, Path::new(".")).unwrap(), Fetched::Before);
}

#[test]
fn what_a_link_leads_to_is_filled() {
    let server = Server::new(|_, asked| good(TAG, &body(), asked));
    let folder = tempfile::tempdir().unwrap();
    let (root, link) = (folder.path().join("root"), folder.path().join("link"));
    fs::create_dir(&root).unwrap();
    std::os::unix::fs::symlink(&root, &link).unwrap();
    let manifest = manifest(1, vec![file(&server, &body())]);
    assert_eq!(fetched(&manifest, &link).unwrap(), Fetched::New);
    assert!(link.is_symlink() && root.join("wav/a.wav").exists());
}

#[test]
fn a_corpus_whose_files_are_not_counted_is_known_again() {
    let server = Server::new(|_, asked| good(TAG, &body(), asked));
    let folder = tempfile::tempdir().unwrap();
    let uncounted = Manifest { release: None, ..manifest(1, vec![file(&server, &body())]) };
    let root = folder.path().join("toy");
    assert_eq!(fetched(&uncounted, &root).unwrap(), Fetched::New);
    assert_eq!(fetched(&uncounted, &root).unwrap(), Fetched::Before);
}

#[test]
fn a_refused_archive_leaves_no_corpus() {
    let link = fs::read("../../fuzz/corpus/archive/zip-slip").unwrap();
    let sent = link.clone();
    let server = Server::new(move |_, asked| good(TAG, &sent, asked));
    let archive = Some(Archive { kind: ArchiveKind::Zip, bytes: 100, entries: 5, folder: None });
    let zip = Download { to: None, archive, ..file(&server, &link) };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("deep/toy");
    let error = fetched(&manifest(1, vec![zip]), &root).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("does not lie below"), "{error}");
    assert!(!root.exists() && !folder.path().join("x").exists());
    assert!(!folder.path().join("deep/x").exists());
}

#[test]
fn two_at_once_do_not_mix() {
    let server = Server::new(|_, asked| good(TAG, &body(), asked));
    let folder = tempfile::tempdir().unwrap();
    let hidden = folder.path().join(".toy.fetching");
    fs::create_dir(&hidden).unwrap();
    let lock = fs::File::create(hidden.join("lock")).unwrap();
    lock.file().try_lock().unwrap();
    let manifest = manifest(1, vec![file(&server, &body())]);
    let error = fetched(&manifest, &folder.path().join("toy")).unwrap_err();
    assert!(error.to_string().contains("another process"), "{error}");
    drop(lock);
    assert!(fetched(&manifest, &folder.path().join("toy")).is_ok());
}

/// A file of somebody's, beside a corpus's folder that is still to be made, and the hidden folder of the
/// download, which somebody has made.
fn trap() -> (tempfile::TempDir, [PathBuf; 3]) {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["victim", "toy", ".toy.fetching"].map(|name| folder.path().join(name));
    fs::write(&paths[0], "precious").unwrap();
    fs::create_dir(&paths[2]).unwrap();
    (folder, paths)
}

#[test]
fn links_in_the_hidden_folder_are_not_followed() {
    type Link = fn(&Path, &Path) -> std::io::Result<()>;
    let symbolic: Link = |victim, link| std::os::unix::fs::symlink(victim, link);
    let hard: Link = |victim, link| fs::hard_link(victim, link);
    let server = Server::new(|_, asked| good(TAG, &body(), asked));
    let digest = sha256(&body());
    for name in ["lock".to_owned(), format!("{digest}.part"), format!("{digest}.version")] {
        for link in [symbolic, hard] {
            let (_folder, [victim, root, hidden]) = trap();
            link(&victim, &hidden.join(&name)).unwrap();
            let error = fetched(&manifest(1, vec![file(&server, &body())]), &root).unwrap_err();
            let said = error.to_string();
            assert!(said.contains(&name) && said.contains("a link, or no plain file"), "{said}");
            assert_eq!(fs::read(&victim).unwrap(), b"precious", "{name}");
            assert!(!root.exists());
        }
    }
    assert!(server.asked().is_empty());
}

#[test]
fn a_version_planted_meanwhile_is_not_followed() {
    let (_folder, [victim, root, hidden]) = trap();
    let version = hidden.join(format!("{}.version", sha256(&body())));
    let planted = (victim.clone(), version);
    let server = Server::new(move |_, asked| {
        std::os::unix::fs::symlink(&planted.0, &planted.1).unwrap();
        good(TAG, &body(), asked)
    });
    let error = fetched(&manifest(1, vec![file(&server, &body())]), &root).unwrap_err();
    assert!(error.to_string().contains("a link, or no plain file"), "{error}");
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
}

#[test]
fn a_hidden_folder_that_is_a_link_is_refused() {
    let (folder, [_, root, hidden]) = trap();
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&hidden, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &hidden).unwrap();
    let server = Server::new(|_, asked| good(TAG, &body(), asked));
    let error = fetched(&manifest(1, vec![file(&server, &body())]), &root).unwrap_err();
    assert!(error.to_string().contains(".toy.fetching: a link"), "{error}");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn a_link_in_the_place_of_what_is_to_be_the_root_goes_and_what_it_leads_to_stays() {
    let (folder, [victim, root, hidden]) = trap();
    std::os::unix::fs::symlink(folder.path(), hidden.join("whole")).unwrap();
    let server = Server::new(|_, asked| good(TAG, &body(), asked));
    let fetched = fetched(&manifest(1, vec![file(&server, &body())]), &root).unwrap();
    assert_eq!(fetched, Fetched::New);
    assert!(!root.is_symlink() && root.join("wav/a.wav").exists() && victim.exists());
}

#[test]
fn a_hidden_folder_of_another_user_is_refused() {
    let (_folder, [_, root, hidden]) = trap();
    // Where the tests do not run as the administrator, nothing can be given away.
    if std::os::unix::fs::chown(&hidden, Some(12345), None).is_err() {
        return;
    }
    let server = Server::new(|_, asked| good(TAG, &body(), asked));
    let error = fetched(&manifest(1, vec![file(&server, &body())]), &root).unwrap_err();
    assert!(error.to_string().contains("belongs to another user"), "{error}");
    assert!(server.asked().is_empty());
}

#[test]
fn the_hidden_folder_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::new(|_, _| answer("404 Not Found", &[], b"nothing"));
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("toy");
    fetched(&manifest(1, vec![file(&server, &body())]), &root).unwrap_err();
    let mode = fs::metadata(folder.path().join(".toy.fetching")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn files_that_cannot_be_listed_are_not_called_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("toy");
    fs::create_dir_all(root.join("wav")).unwrap();
    let files = vec!["wav/[.wav".to_owned()];
    let error = fetched(&Manifest { files, ..manifest(1, Vec::new()) }, &root).unwrap_err();
    assert!(matches!(error, FetchError::Files(_)), "{error}");
    assert!(error.to_string().contains("wav/[.wav"), "{error}");
}

/// A manifest of the project's, and its downloads, by the last part of their addresses from `server`.
fn own(name: &str, server: &Server) -> (Manifest, Vec<Download>) {
    let folder = Path::new("../../data-manifests");
    let manifest = Manifest::read(&folder.join(name).with_extension("toml")).unwrap();
    let mut files = manifest.downloads(folder).unwrap();
    for file in &mut files {
        file.url = server.url(file.url.rsplit('/').next().unwrap());
    }
    (manifest, files)
}

#[test]
fn a_file_of_another_md5_is_refused() {
    let server = Server::new(|_, asked| good(TAG, &body(), asked));
    let (manifest, mut files) = own("emodb", &server);
    files[0].bytes = body().len() as u64;
    let folder = tempfile::tempdir().unwrap();
    let (root, client) = (folder.path().join("emodb"), Client::new(PATIENCE).unwrap());
    let error = fetch(&manifest, &files, &root, &client, &|_| ()).unwrap_err();
    let md5 = files[0].md5.clone().unwrap();
    assert_eq!(error.exit_code(), 3);
    assert!(
        error.to_string().contains("its MD5 is ") && error.to_string().contains(&md5),
        "{error}"
    );
    assert!(!root.exists());
    files[0].md5 = Some("MD5".to_owned());
    let (_folder, part) = place();
    let found = download(&files[0], &part).unwrap_err().to_string();
    files[0].md5 = Some(found.split("its MD5 is ").nth(1).unwrap()[..32].to_owned());
    download(&files[0], &part).unwrap();
}

#[test]
fn the_manifests_name_every_file_of_a_corpus() {
    let server = Server::new(|_, asked| good(TAG, &body(), asked));
    let (manifest, files) = own("crema-d", &server);
    assert_eq!(Some(files.len() as u64), manifest.release.and_then(|release| release.files));
    assert!(files.iter().all(|file| file.sha256.is_some()));
    assert_eq!(own("ravdess", &server).1[0].archive.as_ref().unwrap().bytes, 590_349_330);
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn the_votes_of_crema_d_are_those_on_record_and_other_recordings_are_not() {
    let shared = std::env::var_os("AMBIVOX_SHARED").map_or("../../../shared".into(), PathBuf::from);
    let Ok(votes) = fs::read(shared.join("data/crema-d/tabulatedVotes.csv")) else {
        eprintln!("skipped: no data/crema-d in {}", shared.display());
        return;
    };
    let (size, sent) = (votes.len() as u64, votes.clone());
    let server = Server::new(move |_, asked| match asked.path.as_str() {
        "tabulatedVotes.csv" => good(TAG, &sent, asked),
        _ => good(TAG, &vec![7; 72_862], asked),
    });
    let (_, files) = own("crema-d", &server);
    let (_folder, part) = place();
    let table = files.iter().find(|file| file.bytes == size).unwrap();
    download(table, &part).unwrap();
    assert_eq!(fs::read(part).unwrap(), votes);
    let recording = files.iter().find(|file| file.bytes == 72_862).unwrap();
    assert_eq!(recording.to.as_deref(), Some("AudioWAV/1001_DFA_ANG_XX.wav"));
    let (folder, part) = place();
    let error = download(recording, &part).unwrap_err();
    assert!(error.to_string().contains("its SHA-256 is"), "{error}");
    assert!(is_clean(&folder));
}
