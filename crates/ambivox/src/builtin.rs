//! The pipelines and manifests that the program has in it, for where there is no checkout.

use std::path::{Path, PathBuf};

use ambivox_artifacts::{Encoder, write_atomically};
use anyhow::Result;

use crate::answer::print;
use crate::called;
use crate::failure::Failure;

/// Names, relative to the checkout, and contents.
const FILES: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// The demonstration's pipeline.
pub(crate) const DEMO: &str = "pipelines/demo.toml";
/// That of the demonstration with all methods.
pub(crate) const FULL: &str = "pipelines/demo-full.toml";

/// The text of a built-in file, by its name.
pub(crate) fn text(name: &str) -> Option<&'static str> {
    let (_, bytes) = FILES.iter().find(|(file, _)| *file == name)?;
    str::from_utf8(bytes).ok()
}

/// Names and texts of the built-in manifests.
pub(crate) fn manifests() -> impl Iterator<Item = (&'static str, &'static str)> {
    let is_manifest = |name: &str| {
        let file = Path::new(name);
        file.starts_with("data-manifests") && file.extension().is_some_and(|end| end == "toml")
    };
    let manifests = FILES.iter().filter(move |(name, _)| is_manifest(name));
    manifests.filter_map(|(name, bytes)| Some((*name, str::from_utf8(bytes).ok()?)))
}

/// A file that the command line names: itself where it is there, else the built-in one of this name, if there
/// is one.
pub(crate) fn find(asked: &Path, store: &Path) -> Result<PathBuf> {
    if called::checkout().is_none()
        && !asked.exists()
        && FILES.iter().any(|(name, _)| asked == Path::new(name))
    {
        return Ok(folder(store)?.join(asked));
    }
    Ok(asked.to_path_buf())
}

/// The built-in files in a folder of the store, where pipelines find the manifests that they name.
pub(crate) fn folder(store: &Path) -> Result<PathBuf> {
    let all = FILES.iter().fold(Encoder::new("ambivox house"), |encoder, (name, bytes)| {
        encoder.text(name).text(&String::from_utf8_lossy(bytes))
    });
    let folder = store.join("house").join(all.finish().short());
    put(&folder)?;
    Ok(folder)
}

/// Writes the built-in files into a folder, to be copied and changed; nothing that is there is replaced.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let taken = FILES.iter().map(|(name, _)| folder.join(name)).find(|file| file.exists());
    if let Some(file) = taken {
        return Err(Failure::usage(format!(
            "{} is there already\nhint: name an empty folder",
            file.display()
        )));
    }
    put(folder)?;
    let count = FILES.len();
    print(&format!("{count} files, in {}", folder.display()))
}

fn put(folder: &Path) -> Result<()> {
    for (name, bytes) in FILES {
        let file = folder.join(name);
        if fs_err::read(&file).ok().as_deref() != Some(bytes) {
            write_atomically(&file, bytes)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::*;

    #[test]
    fn what_is_not_there_is_found_among_the_builtin() {
        let store = tempfile::tempdir().unwrap();
        let demo = find(Path::new(DEMO), store.path()).unwrap();
        assert!(demo.starts_with(store.path()) && demo.is_file(), "{}", demo.display());
        assert!(demo.parent().unwrap().join("../data-manifests/emodb.toml").is_file());
        fs::write(&demo, "damaged").unwrap();
        assert_eq!(find(Path::new(DEMO), store.path()).unwrap(), demo);
        let text = fs::read_to_string(&demo).unwrap();
        assert!(text.contains("name = \"demo\""), "it was not mended: {text}");
        let copies = store.path().join("copies");
        write(&copies).unwrap();
        assert!(copies.join("pipelines/spaces/lw.toml").is_file());
        assert!(write(&copies).unwrap_err().to_string().contains("is there already"));
        let other = find(Path::new("mine.toml"), store.path()).unwrap();
        assert_eq!(other, Path::new("mine.toml"));
    }
}
