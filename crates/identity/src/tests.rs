//! The workspace itself, copied and changed: what of it counts, and for what.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::*;
use crate::cargo_lock::{Lock, by_name};
use crate::sources::Sources;
use crate::stages::Modules;
use crate::workspace::Workspace;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A copy of what programs are built from, all of it on record.
struct Checkout(tempfile::TempDir);

impl Checkout {
    fn new() -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        for name in ["Cargo.toml", "Cargo.lock", "crates", FILE, ".cargo"] {
            for entry in walkdir::WalkDir::new(root().join(name)) {
                let entry = entry.unwrap();
                let to = checkout.path(entry.path().strip_prefix(root()).unwrap());
                if entry.file_type().is_dir() {
                    fs::create_dir_all(to).unwrap();
                } else {
                    fs::copy(entry.path(), to).unwrap();
                }
            }
        }
        checkout.record("all", Bytes::Same);
        assert_eq!(checkout.differing(), [""; 0]);
        checkout
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Replaces text in a file, where it must stand.
    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name}: {from}");
        fs::write(self.path(name), text.replacen(from, to, 1)).unwrap();
    }

    fn versions(&self) -> BTreeMap<String, String> {
        Versions::read(self.0.path()).unwrap().keyed(self.0.path()).unwrap()
    }

    /// Units that are not what is on record; their version must say so, and only theirs.
    fn differing(&self) -> Vec<String> {
        let differences =
            Versions::read(self.0.path()).unwrap().differences(self.0.path()).unwrap();
        let differing: Vec<String> = differences.into_iter().map(|(name, _)| name).collect();
        let versions = self.versions();
        let unlocked = versions.iter().filter(|(_, version)| version.contains("unlocked"));
        assert_eq!(unlocked.map(|(name, _)| name.clone()).collect::<Vec<_>>(), differing);
        differing
    }

    fn record(&self, name: &str, bytes: Bytes) {
        let mut lock = Versions::read(self.0.path()).unwrap();
        lock.record(self.0.path(), &[name.to_owned()], bytes, "a test").unwrap();
    }
}

/// The number of a version.
fn number(version: &str) -> u32 {
    version.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_comment_in_every_file_leaves_all_as_it_is() {
    let checkout = Checkout::new();
    let before = checkout.versions();
    for entry in walkdir::WalkDir::new(checkout.path("crates")) {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, format!("{text}\n// A remark.\n/* Another. */\n")).unwrap();
        }
    }
    checkout.edit("crates/lld/Cargo.toml", "description = \"", "description = \"Still: ");
    checkout.edit("crates/train/src/lib.rs", "//! ", "//! Also: ");
    // Modules of tests, whatever they are called.
    for name in ["corpus/src/testing.rs", "models/src/checkpoint/tests.rs"] {
        let path = checkout.path(format!("crates/{name}"));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}\nfn another() {{}}\n")).unwrap();
    }
    assert_eq!(checkout.differing(), [""; 0]);
    assert_eq!(checkout.versions(), before);
}

#[test]
fn a_fix_of_a_reader_is_seen_by_whatever_reads_sound_and_by_nothing_else() {
    let checkout = Checkout::new();
    checkout.edit("crates/audio/src/lib.rs", "mod ", "const FIXED: u8 = 1;\nmod ");
    let before = checkout.versions();
    let readers = ["audit", "compare_noise", "extract", "index", "map", "normalise", "train"]
        .map(|name| format!("stage/{name}"));
    assert_eq!(checkout.differing(), readers);
    checkout.record("stage/extract", Bytes::New);
    checkout.record("all", Bytes::Same);
    let after = checkout.versions();
    let risen = |name: &str| number(&after[name]) - number(&before[name]);
    assert_eq!((risen("stage/audit"), risen("stage/extract")), (0, 1));
    assert_eq!(checkout.differing(), [""; 0]);
}

#[test]
fn another_version_of_a_package_is_seen_where_it_is_linked() {
    let checkout = Checkout::new();
    let lock = fs::read_to_string(checkout.path("Cargo.lock")).unwrap();
    let at = lock.find("name = \"symphonia-core\"").unwrap();
    let (head, tail) = lock.split_at(at);
    let tail = tail.replacen("checksum = \"", "checksum = \"0", 1);
    fs::write(checkout.path("Cargo.lock"), format!("{head}{tail}")).unwrap();
    let differing = checkout.differing();
    assert!(differing.contains(&"stage/extract".to_owned()), "{differing:?}");
    assert!(!differing.contains(&"stage/evaluate".to_owned()), "{differing:?}");
    assert!(differing.iter().all(|name| name.starts_with("stage/")), "{differing:?}");
}

#[test]
fn a_kind_is_apart_from_its_stage_and_from_the_other_kinds() {
    let checkout = Checkout::new();
    let code = "\npub(crate) const CHANGED: u8 = 1;\n";
    for (file, unit) in [
        ("models/src/model/linear/objective.rs", "model/linear"),
        ("models/src/model/mlp.rs", "model/mlp"),
        ("corpus/src/splitter/group_k_fold.rs", "split/group-k-fold"),
        ("rules/src/rule/soft_target.rs", "rule/soft-target"),
    ] {
        let path = checkout.path(format!("crates/{file}"));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}{code}")).unwrap();
        assert_eq!(checkout.differing(), [unit], "{file}");
        fs::write(&path, text).unwrap();
    }
    // What another is built on counts for both.
    checkout.edit("crates/rules/src/rule/lw.rs", "use ", "const CHANGED: u8 = 1;\nuse ");
    let differing = checkout.differing();
    assert!(differing.contains(&"rule/lw-pretrained".to_owned()), "{differing:?}");
    assert!(!differing.contains(&"rule/soft-target".to_owned()), "{differing:?}");
}

/// A tenth method: its file, and a line of the registry, which says nothing of the others' bytes.
#[test]
fn another_method_leaves_the_versions_of_the_others() {
    let checkout = Checkout::new();
    let before = checkout.versions();
    fs::write(checkout.path("crates/rules/src/rule/tenth.rs"), "pub(crate) struct Tenth;\n")
        .unwrap();
    checkout.edit("crates/rules/src/rule.rs", "mod oversampling;", "mod oversampling;\nmod tenth;");
    let differing = checkout.differing();
    assert!(differing.iter().all(|name| name.starts_with("stage/")), "{differing:?}");
    checkout.record("rule/tenth", Bytes::New);
    checkout.record("all", Bytes::Same);
    let mut after = checkout.versions();
    assert_eq!(number(&after.remove("rule/tenth").unwrap()), 1);
    assert_eq!(after, before);
}

#[test]
fn the_way_all_is_built_counts_for_all() {
    let checkout = Checkout::new();
    checkout.edit("Cargo.toml", "[profile.dev]\nopt-level = 3", "[profile.dev]\nopt-level = 2");
    assert_eq!(checkout.differing(), [BUILD]);
    let checkout = Checkout::new();
    fs::write(checkout.path(".cargo/config.toml"), "[build]\nrustflags = [\"-g\"]").unwrap();
    assert_eq!(checkout.differing(), [BUILD]);
    let checkout = Checkout::new();
    checkout.edit(
        "Cargo.toml",
        "[workspace.dependencies]",
        "[patch.crates-io]\n[workspace.dependencies]",
    );
    assert_eq!(checkout.differing(), [BUILD]);
    // Lints do not.
    checkout.record(BUILD, Bytes::Same);
    checkout.edit("Cargo.toml", "unsafe_code = \"deny\"", "unsafe_code = \"warn\"");
    assert_eq!(checkout.differing(), [""; 0]);
}

/// Neither takes the other's results for its own, unless their sources are the same.
#[test]
fn two_checkouts_agree_only_on_the_same_source() {
    let (one, two) = (Checkout::new(), Checkout::new());
    assert_eq!(one.versions(), two.versions());
    one.edit("crates/lld/src/lib.rs", "mod ", "const ONE: u8 = 1;\nmod ");
    two.edit("crates/lld/src/lib.rs", "mod ", "const TWO: u8 = 2;\nmod ");
    let (one, two) = (one.versions(), two.versions());
    assert_ne!(one["stage/extract"], two["stage/extract"]);
    assert_eq!(one["stage/index"], two["stage/index"]);
}

/// Two branches give the same number to different code, and merge or share a store.
#[test]
fn one_number_of_two_branches_is_two_versions() {
    let (one, two) = (Checkout::new(), Checkout::new());
    for (branch, code) in [(&one, "const ONE: u8 = 1;"), (&two, "const TWO: u8 = 2;")] {
        branch.edit("crates/lld/src/lib.rs", "mod ", &format!("{code}\nmod "));
        branch.record("stage/extract", Bytes::New);
        assert_eq!(
            number(&branch.versions()["stage/extract"]),
            number(&one.versions()["stage/extract"])
        );
    }
    assert_ne!(one.versions()["stage/extract"], two.versions()["stage/extract"]);
}

/// A feature that one of our crates asks of another.
#[test]
fn a_feature_of_a_crate_of_ours_counts() {
    let checkout = Checkout::new();
    let (from, to) =
        ("ambivox-nn.workspace = true", "ambivox-nn = { workspace = true, features = [\"cuda\"] }");
    checkout.edit("crates/models/Cargo.toml", from, to);
    assert!(checkout.differing().contains(&"stage/train".to_owned()));
}

#[test]
fn what_is_asked_for_by_a_wrong_name_is_named() {
    let checkout = Checkout::new();
    let mut lock = Versions::read(checkout.0.path()).unwrap();
    let error = lock.record(checkout.0.path(), &["stage/trian".to_owned()], Bytes::Same, "x");
    let text = error.unwrap_err().to_string();
    assert!(text.contains("`stage/trian`") && text.contains("stage/train"), "{text}");
    fs::remove_file(checkout.path("crates/models/src/model/mlp.rs")).unwrap();
    let differences = lock.differences(checkout.0.path()).unwrap();
    assert!(differences.contains(&("model/mlp".to_owned(), Difference::Gone)), "{differences:?}");
}

/// Crates that a stage links, by their short names.
fn crates(stage: &str) -> BTreeSet<String> {
    let workspace = Workspace::read(&root()).unwrap();
    let modules = Modules::read(&workspace).unwrap();
    let (_, crates) = modules.of(stage, &mut Sources::new(&root())).unwrap();
    let short = |name: String| name.strip_prefix("ambivox-").unwrap().to_owned();
    workspace.closure(crates).unwrap().into_iter().map(short).collect()
}

#[test]
fn stages_are_made_of_what_they_compute_with() {
    let train = crates("train");
    for name in ["train", "rules", "models", "nn", "features", "settings"] {
        assert!(train.contains(name), "{name}");
    }
    assert!(!train.contains("report") && !train.contains("synth"));
    for stage in ["synth", "index", "extract", "split"] {
        for name in ["models", "rules", "train", "report"] {
            assert!(!crates(stage).contains(name), "{stage}: {name}");
        }
        // A front end may be a neural encoder.
        assert_eq!(crates(stage).contains("nn"), stage == "extract", "{stage}");
    }
    assert!(crates("extract").contains("lld") && crates("index").contains("corpus"));
}

#[test]
fn a_stage_has_its_own_module_and_the_frame() {
    let workspace = Workspace::read(&root()).unwrap();
    let (files, _) =
        Modules::read(&workspace).unwrap().of("train", &mut Sources::new(&root())).unwrap();
    let has = |name: &str| files.iter().any(|file| file.ends_with(name));
    assert!(has("src/train.rs") && has("src/train/fold.rs") && has("src/job.rs"));
    assert!(has("src/program.rs") && has("stages/Cargo.toml"));
    assert!(!has("src/report.rs") && !has("src/evaluate.rs") && !has("src/tests.rs"));
}

#[test]
fn stages_leave_one_another_alone() {
    let folder = root().join("crates/stages/src");
    for entry in walkdir::WalkDir::new(&folder) {
        let path = entry.unwrap().into_path();
        let inside = path.strip_prefix(&folder).unwrap().with_extension("");
        let module = inside.components().next().map(|part| part.as_os_str().to_owned());
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        if !is_rust || module.as_deref().is_some_and(|module| module == "lib") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for other in STAGES.iter().filter(|other| module.as_deref() != Some(other.as_ref())) {
            for path_of in [format!("crate::{other}::"), format!("super::{other}::")] {
                assert!(!text.contains(&path_of), "{} uses the stage {other}", path.display());
            }
        }
    }
}

#[test]
fn the_frames_errors_are_errors_alone() {
    let text = fs::read_to_string(root().join("crates/stages/src/error.rs")).unwrap();
    for line in text.lines().filter(|line| line.starts_with("use ambivox_")) {
        assert!(line.ends_with("Error;") || line == "use ambivox_settings::exit;", "{line}");
    }
}

#[test]
fn an_unknown_crate_is_named() {
    let workspace = Workspace::read(&root()).unwrap();
    let error = workspace.closure(["ambivox-absent".to_owned()]).unwrap_err();
    assert_eq!(error.to_string(), "no crate `ambivox-absent` in this workspace");
}

#[test]
fn several_versions_of_one_name_are_kept_apart() {
    let text = "[[package]]\nname = \"m\"\nversion = \"0.1.0\"\ndependencies = [\n \"r 0.9.0\",\n \
                \"q\",\n]\n\n[[package]]\nname = \"q\"\nversion = \"1.0.0\"\ndependencies = [\n \"r \
                0.8.0\",\n]\n\n[[package]]\nname = \"r\"\nversion = \"0.8.0\"\n\n[[package]]\nname \
                = \"r\"\nversion = \"0.9.0\"\n";
    let parsed = Lock::parse(text);
    let names = |direct: &[(&str, &str)]| by_name(&parsed.closure(direct));
    assert_eq!(names(&[("m", "r")]).keys().collect::<Vec<_>>(), ["r"]);
    let both = names(&[("m", "r"), ("m", "q")]);
    assert_eq!(both.keys().collect::<Vec<_>>(), ["q", "r 0.8.0", "r 0.9.0"]);
}
