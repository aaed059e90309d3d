//! Checks of the manifests in `data-manifests`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ambivox_settings::{Adapter, Manifest, Sex};
use walkdir::WalkDir;

use crate::Utterance;
use crate::testing::{folder, manifest, manifests, put, utterances_of};

/// The project's own manifests; a user's may stand beside them.
const OWN: [&str; 8] = [
    "crema-d",
    "csv-example",
    "emodb",
    "iemocap",
    "iemocap-merged",
    "msp-podcast",
    "ravdess",
    "synth",
];

/// The project's own manifests by name.
fn own() -> BTreeMap<&'static str, Manifest> {
    OWN.into_iter().map(|name| (name, manifest(name))).collect()
}

/// Every manifest there is by its file's name without extension.
fn all() -> BTreeMap<String, Manifest> {
    let files = WalkDir::new(manifests()).into_iter().map(|entry| entry.unwrap().into_path());
    let tomls = files.filter(|file| file.extension().is_some_and(|extension| extension == "toml"));
    let named = |file: PathBuf| {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, Manifest::read(&file).unwrap())
    };
    tomls.map(named).collect()
}

fn sexes(manifest: &Manifest) -> (usize, usize) {
    let count = |sex| manifest.speakers.values().filter(|s| s.sex == Some(sex)).count();
    (count(Sex::Female), count(Sex::Male))
}

#[test]
fn every_manifest_parses_and_is_named_like_its_file() {
    let all = all();
    for own in OWN {
        assert!(all.contains_key(own), "{own}");
    }
    for (name, manifest) in all {
        assert_eq!(manifest.name, name);
        assert_eq!(manifest.synthetic, name == "synth");
    }
}

#[test]
fn every_manifest_names_the_four_classes() {
    for (name, manifest) in own() {
        for class in ["happiness", "sadness", "neutral", "anger"] {
            assert!(manifest.labels.values().any(|label| label == class), "{name}: {class}");
        }
    }
}

/// As SUPERB has it: excitement is happiness, and nothing else is another.
#[test]
fn the_merged_manifest_differs_from_iemocaps_by_one_label() {
    let mut merged = manifest("iemocap-merged");
    assert_eq!(
        merged.labels.insert("exc".to_owned(), "excitement".to_owned()).unwrap(),
        "happiness"
    );
    merged.name = "iemocap".to_owned();
    assert_eq!(merged, manifest("iemocap"));
}

#[test]
fn partners_are_mutual_and_of_the_other_sex() {
    for (name, manifest) in own() {
        for (speaker, entry) in &manifest.speakers {
            let Some(partner) = &entry.validation else { continue };
            let other = &manifest.speakers[partner];
            assert_eq!(other.validation.as_ref(), Some(speaker), "{name}: {speaker}");
            assert_ne!(other.sex, entry.sex, "{name}: {speaker}");
            assert_eq!(other.session, entry.session, "{name}: {speaker}");
        }
    }
}

#[test]
fn speakers_are_all_there() {
    for (name, speakers, sexed) in
        [("emodb", 10, (5, 5)), ("iemocap", 10, (5, 5)), ("ravdess", 24, (12, 12))]
    {
        let manifest = manifest(name);
        assert_eq!((manifest.speakers.len(), sexes(&manifest)), (speakers, sexed), "{name}");
        assert!(manifest.speakers.values().all(|speaker| speaker.validation.is_some()), "{name}");
    }
    let speakers = manifest("crema-d").speakers;
    assert_eq!(speakers.len(), 91);
    assert_eq!(
        (speakers.keys().next().unwrap(), speakers.keys().last().unwrap()),
        (&"1001".to_owned(), &"1091".to_owned())
    );
}

#[test]
fn the_synthetic_corpus_is_read_as_iemocap_is() {
    let (iemocap, synth) = (manifest("iemocap"), manifest("synth"));
    assert_eq!((synth.adapter, synth.labels), (Adapter::Iemocap, iemocap.labels));
    assert_eq!(synth.speakers, iemocap.speakers);
    assert!(synth.files.iter().all(|pattern| iemocap.files.contains(pattern)));
}

#[test]
fn roots_are_named_by_variables_of_their_own() {
    let roots: BTreeMap<String, &str> = own()
        .into_iter()
        // The same corpus with other names for its labels.
        .filter(|(name, _)| *name != "iemocap-merged")
        .map(|(name, manifest)| (manifest.root_env, name))
        .collect();
    let variables: Vec<_> = roots.keys().map(String::as_str).collect();
    let expected = [
        "AMBIVOX_SYNTH_ROOT",
        "CREMA_D_ROOT",
        "EMODB_ROOT",
        "IEMOCAP_ROOT",
        "MSP_PODCAST_ROOT",
        "MY_CORPUS_ROOT",
        "RAVDESS_ROOT",
    ];
    assert_eq!(variables, expected);
}

/// The table in the comment at the head of `csv-example.toml`.
fn example_table() -> String {
    let text = fs_err::read_to_string(manifests().join("csv-example.toml")).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("#   ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_of_a_table_reads_as_it_says() {
    let root = folder(&["wav/talk01.wav", "wav/short.wav"]);
    put(root.path(), "labels.csv", example_table());
    let utterances = utterances_of(root.path(), &manifest("csv-example")).unwrap();
    let row = |u: &Utterance| (u.utterance_id.clone(), u.gold.clone(), u.start_s, u.end_s);
    let happy = Some("happiness".to_owned());
    let sad = Some("sadness".to_owned());
    let expected = [
        ("wav/short".to_owned(), sad, None, None),
        ("wav/talk01_3250_5000".to_owned(), None, Some(3.25), Some(5.0)),
        ("wav/talk01_800_3250".to_owned(), happy, Some(0.8), Some(3.25)),
    ];
    assert_eq!(utterances.iter().map(row).collect::<Vec<_>>(), expected);
    assert_eq!(utterances[2].votes["happiness"], 3);
}

#[test]
fn every_key_is_explained() {
    let readme = fs_err::read_to_string(manifests().join("README.md")).unwrap();
    for manifest in ["csv-example.toml", "emodb.toml"] {
        let text = fs_err::read_to_string(manifests().join(manifest)).unwrap();
        let top = text.lines().take_while(|line| !line.starts_with("[labels]"));
        for key in top.filter_map(|line| line.split_once(" = ")).map(|(key, _)| key) {
            assert!(key.starts_with('#') || readme.contains(&format!("`{key}`")), "{key}");
        }
    }
    for name in OWN {
        assert!(readme.contains(&format!("`{name}.toml`")), "{name}");
    }
}
