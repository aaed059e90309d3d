//! Runs `cargo xtask` in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use fs_err as fs;
use serde_json::Value;
use tempfile::TempDir;

/// A file or folder of reference of the folder that `AMBIVOX_SHARED` names; where it is not there, says that
/// the test skips it.
#[expect(clippy::print_stderr, reason = "shown with --nocapture")]
pub(crate) fn shared(relative: &str) -> Option<PathBuf> {
    let named = std::env::var_os("AMBIVOX_SHARED").filter(|folder| !folder.is_empty());
    let folder = named.map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    // Tests run in their package's folder.
    let file = root().join(folder).join(relative);
    if file.exists() {
        return Some(file);
    }
    eprintln!("skipped: there is no {}", file.display());
    None
}

/// Exit codes, as the README states them.
pub(crate) const DONE: i32 = 0;
pub(crate) const USAGE: i32 = 2;
pub(crate) const DATA: i32 = 3;

/// A folder with a pipeline `pipelines/tiny.toml`, its manifest and corpus, a store and results.
pub(crate) struct House {
    folder: TempDir,
}

impl House {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// An empty one in a folder whose name begins so.
    pub(crate) fn named(prefix: &str) -> Self {
        Self { folder: tempfile::Builder::new().prefix(prefix).tempdir().unwrap() }
    }

    /// The same, in another place.
    pub(crate) fn moved(self) -> Self {
        let place = TempDir::new().unwrap();
        fs::remove_dir(place.path()).unwrap();
        fs::rename(self.folder.path(), place.path()).unwrap();
        Self { folder: place }
    }

    /// A path inside it.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Writes a file and the folders above it.
    pub(crate) fn write(&self, relative: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Replaces text in a file, where it must stand just once.
    pub(crate) fn edit(&self, relative: &str, from: &str, to: &str) {
        let text = self.read(relative);
        assert_eq!(text.matches(from).count(), 1, "{relative}: {from:?} is not there just once");
        self.write(relative, text.replace(from, to));
    }

    /// A file's text.
    pub(crate) fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap()
    }

    /// A file's JSON.
    pub(crate) fn json(&self, relative: &str) -> Value {
        serde_json::from_str(&self.read(relative)).unwrap()
    }

    /// The command with these arguments and this folder's pipeline, store and results.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(xtask(), arguments)
    }

    /// As [`Self::command`], of another program than the workspace's own.
    pub(crate) fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = self.without_pipeline(program, arguments);
        command.arg("--pipeline").arg(self.path("pipelines/tiny.toml"));
        command
    }

    /// As [`Self::command_of`], for commands that need no pipeline.
    pub(crate) fn without_pipeline(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = from_a_shell(program);
        command
            .current_dir(root())
            .args(arguments)
            .arg("--store")
            .arg(self.path("store"))
            .arg("--results")
            .arg(self.path("results"))
            .env_remove("TINY_ROOT")
            .stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::new(arguments, self.command(arguments).output().unwrap())
    }
}

/// A command that has ended.
pub(crate) struct Ran {
    arguments: String,
    code: Option<i32>,
    /// What it wrote to standard output.
    pub(crate) stdout: String,
    /// What it wrote to standard error.
    pub(crate) stderr: String,
}

impl Ran {
    /// What became of a command.
    pub(crate) fn new(arguments: &[&str], output: Output) -> Self {
        Self {
            arguments: arguments.join(" "),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The exit code, where no signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.code
    }

    /// Panics with everything it said unless it ended with this code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.transcript());
        self
    }

    /// Panics unless standard error holds all of these.
    #[track_caller]
    pub(crate) fn complained_of(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in\n{}", self.transcript());
        }
        self
    }

    /// Standard output as the one JSON document that it must be.
    #[track_caller]
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}:\n{}", self.transcript()))
    }

    /// Both streams.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    fn transcript(&self) -> String {
        let Self { arguments, code, stdout, stderr } = self;
        format!("cargo xtask {arguments}: {code:?}\nstdout:\n{stdout}\nstderr:\n{stderr}")
    }
}

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A command that does not see what Cargo says of this package to its tests: build scripts watch
/// those variables, and dependencies would be built again.
pub(crate) fn from_a_shell(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// The binary behind `cargo xtask`, built as `cargo xtask` builds it; it lies two folders above
/// this test's own.
pub(crate) fn xtask() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let built = from_a_shell(Path::new(env!("CARGO")))
            .current_dir(root())
            .args(["build", "--quiet", "--package", "xtask"])
            .status()
            .unwrap();
        assert!(built.success(), "xtask does not build");
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).unwrap();
        profile.join("xtask").with_extension(std::env::consts::EXE_EXTENSION)
    })
}

/// Writes a script that can be run.
pub(crate) fn write_script(file: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(file, text).unwrap();
    fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}
