//! A toy workspace: `app` has the stages and uses `model` and `report`; `model` uses `base`.

use std::fmt::Write as _;

use super::lock::by_name;
use super::*;

const ROOT: &str = r#"
[workspace]
resolver = "3"
members = ["crates/*"]
[workspace.package]
edition = "2024"
version = "0.1.0"
[workspace.dependencies]
toy-base = { path = "crates/base" }
toy-model = { path = "crates/model" }
toy-report = { path = "crates/report" }
gemm = { version = "0.19", features = ["x86-v4"] }
plot = "1"
[workspace.lints.rust]
unsafe_code = "deny"
[profile.dev]
opt-level = 3
"#;

struct Toy(tempfile::TempDir);

impl Toy {
    fn new() -> Self {
        let toy = Self(tempfile::tempdir().unwrap());
        toy.write("Cargo.toml", ROOT);
        toy.write("Cargo.lock", &lock(&[("gemm", "0.19.0"), ("plot", "1.0.0"), ("simd", "2.0.0")]));
        toy.member("app", "toy-model.workspace = true\ntoy-report.workspace = true");
        toy.member("base", "");
        toy.member("model", "toy-base.workspace = true\ngemm.workspace = true");
        toy.member("report", "plot.workspace = true\n[dev-dependencies]\ngemm = \"0.19\"");
        toy.write("crates/app/src/train.rs", "// train");
        toy.write("crates/app/src/report.rs", "// report");
        toy
    }

    fn member(&self, name: &str, dependencies: &str) {
        let text = format!("[package]\nname = \"toy-{name}\"\n[dependencies]\n{dependencies}\n");
        self.write(&format!("crates/{name}/Cargo.toml"), &text);
        self.write(&format!("crates/{name}/src/lib.rs"), "#[cfg(test)]\nmod tests;\n");
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Code of a stage that uses `toy-model`.
    fn train(&self) -> CodeParts {
        self.code("src/train.rs", "toy-model")
    }

    fn code(&self, file: &str, uses: &str) -> CodeParts {
        let stage = StageSource {
            binary: "toy-app".to_owned(),
            files: vec![file.into()],
            crates: BTreeSet::from([uses.to_owned()]),
        };
        let tools = BTreeMap::from([("rustc".to_owned(), "rustc 1.95.0".to_owned())]);
        let workspace = Workspace::read(self.0.path()).unwrap();
        workspace.code(&StatMemo::in_memory(), &stage, &tools).unwrap()
    }

    /// Whether the training code's digest moves when `change` is made.
    fn moves_train(change: impl FnOnce(&Self)) -> bool {
        let toy = Self::new();
        let before = toy.train().digest();
        change(&toy);
        before != toy.train().digest()
    }
}

fn lock(versions: &[(&str, &str)]) -> String {
    let mut text = "version = 4\n".to_owned();
    for (name, version) in versions {
        let needs = if *name == "gemm" { "dependencies = [\n \"simd\",\n]\n" } else { "" };
        let source = "registry+https://example.org";
        write!(
            text,
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{source}\"\n\
             checksum = \"{name}{version}\"\n{needs}"
        )
        .unwrap();
    }
    for (name, needs) in [("model", "gemm"), ("report", "plot")] {
        write!(
            text,
            "\n[[package]]\nname = \"toy-{name}\"\nversion = \"0.1.0\"\ndependencies = [\n \
             \"{needs}\",\n]\n"
        )
        .unwrap();
    }
    text
}

#[test]
fn has_the_closure_and_no_more() {
    let code = Toy::new().train();
    let names: Vec<&str> = code.sources.keys().map(String::as_str).collect();
    assert_eq!(names, ["toy-app", "toy-base", "toy-model"]);
    let packages: Vec<&str> = code.packages.keys().map(String::as_str).collect();
    assert_eq!(packages, ["gemm", "simd"]);
    let asked: Vec<&str> = code.requirements.keys().map(String::as_str).collect();
    assert_eq!(asked, ["gemm"]);
    assert_eq!(code, Toy::new().train(), "the folder's place plays no part");
}

#[test]
fn sees_what_it_is_built_from() {
    assert!(Toy::moves_train(|toy| toy.write("crates/base/src/lib.rs", "// changed")));
    assert!(Toy::moves_train(|toy| toy.write("crates/model/src/kernels.cu", "new")));
    assert!(Toy::moves_train(|toy| toy.write("crates/model/src/sub/tests.rs", "no parent")));
    assert!(Toy::moves_train(|toy| toy.write("crates/app/src/train.rs", "// changed")));
    assert!(Toy::moves_train(
        |toy| toy.write("Cargo.toml", &ROOT.replace("level = 3", "level = 2"))
    ));
    for (from, to) in
        [("x86-v4", "x86-v3"), ("2024", "2021"), ("0.1.0", "0.2.0"), ("\"3\"", "\"2\"")]
    {
        let changed = ROOT.replace(from, to);
        assert!(Toy::moves_train(|toy| toy.write("Cargo.toml", &changed)), "{from}");
    }
    assert!(Toy::moves_train(
        |toy| toy.write(".cargo/config.toml", "[build]\nrustflags = [\"-g\"]")
    ));
}

#[test]
fn sees_packages_that_are_linked_indirectly() {
    let changed = lock(&[("gemm", "0.19.0"), ("plot", "1.0.0"), ("simd", "2.0.1")]);
    assert!(Toy::moves_train(|toy| toy.write("Cargo.lock", &changed)));
}

#[test]
fn sees_a_feature_that_a_crate_beside_it_switches_on() {
    assert!(Toy::moves_train(|toy| {
        toy.member("report", "gemm = { workspace = true, features = [\"other\"] }");
    }));
}

#[test]
fn passes_over_what_it_is_not_built_from() {
    assert!(!Toy::moves_train(|toy| toy.write("crates/report/src/lib.rs", "// changed")));
    assert!(!Toy::moves_train(|toy| toy.write("crates/app/src/report.rs", "// changed")));
    assert!(!Toy::moves_train(|toy| toy.write("crates/model/tests/it.rs", "test")));
    assert!(!Toy::moves_train(|toy| toy.write("crates/model/benches/b.rs", "bench")));
    assert!(!Toy::moves_train(|toy| toy.write("crates/model/src/tests.rs", "test")));
    assert!(!Toy::moves_train(|toy| toy.write("crates/model/src/snapshots/a.snap", "text")));
    assert!(!Toy::moves_train(|toy| toy.write("Cargo.toml", &ROOT.replace("deny", "warn"))));
    assert!(!Toy::moves_train(|toy| toy.write(".cargo/config.toml", "[alias]\nx = \"run\"")));
    let changed = lock(&[("gemm", "0.19.0"), ("plot", "1.0.1"), ("simd", "2.0.0")]);
    assert!(!Toy::moves_train(|toy| toy.write("Cargo.lock", &changed)));
}

#[test]
fn the_report_sees_its_own() {
    let toy = Toy::new();
    let before = toy.code("src/report.rs", "toy-report");
    assert_eq!(before.packages.keys().collect::<Vec<_>>(), ["plot"]);
    toy.write("crates/report/src/lib.rs", "// changed");
    assert_ne!(before.digest(), toy.code("src/report.rs", "toy-report").digest());
}

#[test]
fn the_compiler_counts() {
    let one = Toy::new().train();
    let mut other = one.clone();
    other.build.insert("rustc".to_owned(), "rustc 1.96.0".to_owned());
    assert_ne!(one.digest(), other.digest());
}

#[test]
fn an_unknown_crate_is_named() {
    let toy = Toy::new();
    let workspace = Workspace::read(toy.0.path()).unwrap();
    let error = workspace.closure(["toy-absent"]).unwrap_err();
    assert_eq!(error.to_string(), "no crate `toy-absent` in this workspace");
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
