//! The sounds that a command line names.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use ambivox_audio::Cut;
use walkdir::WalkDir;

use crate::{Error, Unusable};

/// Endings of sound files, looked for in folders.
const ENDINGS: [&str; 12] =
    ["aac", "aif", "aiff", "flac", "m4a", "mka", "mkv", "mp3", "mp4", "ogg", "wav", "webm"];

/// One sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    File(PathBuf),
    Stdin,
}

impl Input {
    /// What results call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "-".to_owned(),
        }
    }

    /// Its sound: mono, 16 kHz.
    pub(crate) fn samples(&self) -> Result<Vec<f32>, Error> {
        match self {
            Self::File(path) => {
                // The name stands before the reason wherever it is printed.
                let loaded = ambivox_audio::load(path, Cut::default());
                Ok(loaded.map_err(|error| error.problem)?)
            }
            Self::Stdin => {
                let mut content = Vec::new();
                std::io::stdin().lock().read_to_end(&mut content)?;
                let decoded = ambivox_audio::decode(&content, Path::new("-"), Cut::default());
                Ok(decoded.map_err(|error| error.problem)?)
            }
        }
    }
}

/// The sounds in the order named; those of a folder, however deep, by name. A folder without any is
/// an error.
pub(crate) fn inputs(named: &[PathBuf]) -> Result<Vec<Input>, Error> {
    let mut inputs = Vec::new();
    for path in named {
        match path {
            path if path.as_os_str() == "-" => inputs.push(Input::Stdin),
            path if path.is_dir() => inputs.extend(in_folder(path)?),
            path => inputs.push(Input::File(path.clone())),
        }
    }
    Ok(inputs)
}

fn in_folder(folder: &Path) -> Result<Vec<Input>, Error> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() && is_sound(entry.path()) {
            files.push(Input::File(entry.into_path()));
        }
    }
    if files.is_empty() {
        let endings = ENDINGS.join(", ");
        return Err(Unusable(format!(
            "{}: no sound in this folder; expected files that end in {endings}",
            folder.display()
        ))
        .into());
    }
    Ok(files)
}

fn is_sound(path: &Path) -> bool {
    // Archives packed on a Mac hold a `._…` shadow of every file.
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
    !hidden && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::*;

    #[test]
    fn folders_give_their_sounds_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("b")).unwrap();
        for name in ["c.WAV", "a.flac", "._a.flac", "notes.txt", "b/z.mp3"] {
            fs::write(path(name), "").unwrap();
        }
        let names = |inputs: Vec<Input>| inputs.iter().map(Input::name).collect::<Vec<_>>();
        let found = inputs(&[PathBuf::from("-"), folder.path().to_path_buf()]).unwrap();
        let expected = ["a.flac", "b/z.mp3", "c.WAV"].map(|name| path(name).display().to_string());
        assert_eq!(names(found), [&["-".to_owned()], expected.as_slice()].concat());
    }

    #[test]
    fn a_folder_without_sound_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = inputs(&[folder.path().to_path_buf()]).unwrap_err().to_string();
        assert!(error.contains("no sound in this folder"), "{error}");
    }
}
