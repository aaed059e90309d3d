//! A copy of the sources, to be edited without touching those that the tests are built from.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;
use tempfile::TempDir;

use crate::harness::{House, Ran, root, xtask};

/// Stands for Cargo: puts the stage program that is built already where it was asked for. What it
/// "builds" is thus right for edits that change no result, such as comments.
const CARGO: &str = "#!/bin/sh
while [ $# -gt 0 ]; do
    [ \"$1\" = --target-dir ] && folder=$2
    shift
done
ln -sf \"$STAGES\" \"$folder/debug/ambivox\"
";

/// A copy of the workspace, as far as stages are built from it, with commands that run there.
pub(crate) struct Checkout {
    folder: TempDir,
}

impl Checkout {
    /// A copy of the workspace as it is.
    pub(crate) fn new() -> Self {
        let checkout = Self { folder: TempDir::new().unwrap() };
        for name in ["Cargo.toml", "Cargo.lock", ".cargo", "crates", "xtask/Cargo.toml"] {
            copy(&root().join(name), &checkout.path(name));
        }
        copy(xtask(), &checkout.path("target/debug/xtask"));
        write_script(&checkout.path("cargo"), CARGO);
        checkout
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Adds a comment to a file.
    pub(crate) fn comment(&self, relative: &str) {
        let file = self.path(relative);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{text}// Of no consequence.\n")).unwrap();
    }

    /// The command of this copy in a house whose store may have been filled by the original.
    pub(crate) fn command(&self, house: &House, arguments: &[&str]) -> Command {
        let mut command = house.command_of(&self.path("target/debug/xtask"), arguments);
        command
            .env("CARGO_MANIFEST_DIR", self.path("xtask"))
            .env("CARGO", self.path("cargo"))
            .env("RUSTC", rustc())
            .env("STAGES", xtask().with_file_name("ambivox"));
        command
    }

    /// Runs the command of this copy to its end.
    pub(crate) fn run(&self, house: &House, arguments: &[&str]) -> Ran {
        Ran::new(arguments, self.command(house, arguments).output().unwrap())
    }
}

/// Writes a script that can be run.
pub(crate) fn write_script(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The compiler beside the Cargo that runs the tests, which `cargo xtask` takes too.
fn rustc() -> PathBuf {
    let beside = Path::new(env!("CARGO")).with_file_name("rustc");
    if beside.exists() { beside } else { PathBuf::from("rustc") }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}
