//! Corpora fetched from a server on this machine, by the command that a user calls.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use crate::harness::{DATA, DONE, House, Ran, USAGE, from_a_shell, root, xtask};

/// An archive that holds `wav/a.wav`, and its digest.
const ARCHIVE: &[u8] = include_bytes!("../fuzz/corpus/archive/zip");
const SHA256: &str = "a566852de86120d62908bb7927be40434b286f5c7227ea3484efa00fd22f136f";

/// Serves the archive to so many connections; returns its address.
fn serve(connections: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let length = ARCHIVE.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            stream.write_all(&[head.as_bytes(), ARCHIVE].concat()).unwrap();
        }
    });
    format!("http://{address}/toy.zip")
}

/// A house with a manifest `toy.toml` of a corpus at this address.
fn house(url: &str, sha256: &str) -> House {
    let house = House::new();
    house.write(
        "toy.toml",
        format!(
            "schema = 1\nname = \"toy\"\ntitle = \"Toy\"\nsynthetic = false\n\
             licence = \"CC0-1.0\"\nsource = \"https://example.org\"\ncitation = \"none\"\n\
             root_env = \"TOY_ROOT\"\nadapter = \"emodb\"\nfiles = [\"wav/*.wav\"]\n[labels]\n\
             [release]\nfiles = 1\n[[fetch]]\nurl = \"{url}\"\nsha256 = \"{sha256}\"\nbytes = {}\n\
             archive = {{ kind = \"zip\", bytes = 1000, entries = 5 }}\n",
            ARCHIVE.len()
        ),
    );
    house
}

fn fetch(house: &House, arguments: &[&str]) -> Ran {
    let mut command = from_a_shell(xtask());
    command.current_dir(house.path("")).arg("fetch").args(arguments).env_remove("TOY_ROOT");
    Ran::new(arguments, command.output().unwrap())
}

#[test]
fn a_corpus_is_fetched_once() {
    let house = house(&serve(1), SHA256);
    let arguments = ["toy.toml", "--to", "corpus", "--json"];
    let first = fetch(&house, &arguments).ended(DONE).document();
    assert_eq!(first["fetched"], true);
    assert!(first["outputs"]["corpus"].as_str().unwrap().ends_with("/corpus"), "{first}");
    assert_eq!(house.read("corpus/wav/a.wav").len(), 120);
    assert_eq!(fetch(&house, &arguments).ended(DONE).document()["fetched"], false);
}

#[test]
fn a_wrong_digest_leaves_nothing() {
    let house = house(&serve(1), &SHA256.replace('0', "1"));
    let ran = fetch(&house, &["toy.toml", "--to", "corpus"]).ended(DATA);
    ran.complained_of(&["SHA-256", SHA256, "nothing of it was kept"]);
    assert!(!house.path("corpus").exists());
}

#[test]
fn what_cannot_be_fetched_is_explained() {
    let house = house("http://localhost/", SHA256);
    fetch(&house, &["toy.toml"]).ended(USAGE).complained_of(&["--to", "TOY_ROOT"]);
    fetch(&house, &["emo-db"]).ended(USAGE).complained_of(&["emo-db", "emodb, iemocap, "]);
    let by_hand =
        ["by hand: get it from http", "IEMOCAP_full_release/Session*/dialog", "IEMOCAP_ROOT="];
    fetch(&house, &["iemocap", "--to", "x"]).ended(1).complained_of(&by_hand);
    assert!(root().join("data-manifests/iemocap.toml").is_file());
}
