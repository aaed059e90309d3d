//! The sounds that a command line names.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use ambivox_audio::{Audio, Cut};
use ambivox_settings::one_line;
use walkdir::WalkDir;

use super::{Error, Unusable};

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

    /// Its sound: mono, 16 kHz; and what is doubtful about it.
    pub(crate) fn audio(&self) -> Result<Audio, Error> {
        match self {
            Self::File(path) => {
                // The name stands before the reason wherever it is printed.
                let loaded = Audio::load(path, Cut::default());
                Ok(loaded.map_err(|error| error.problem)?)
            }
            Self::Stdin => {
                let mut content = Vec::new();
                std::io::stdin().lock().read_to_end(&mut content)?;
                let decoded = Audio::decode(&content, Path::new("-"), Cut::default());
                Ok(decoded.map_err(|error| error.problem)?)
            }
        }
    }
}

/// The audio files in the order named; those of a folder, however deep, by name. A folder without any
/// is an error. `pass_over` is told of every link and folder below that cannot be followed.
pub(crate) fn inputs(
    named: &[PathBuf],
    pass_over: &mut impl FnMut(String),
) -> Result<Vec<Input>, Error> {
    let mut inputs = Vec::new();
    for path in named {
        match path {
            path if path.as_os_str() == "-" => inputs.push(Input::Stdin),
            path if path.is_dir() => inputs.extend(in_folder(path, pass_over)?),
            path => inputs.push(Input::File(path.clone())),
        }
    }
    Ok(inputs)
}

fn in_folder(folder: &Path, pass_over: &mut impl FnMut(String)) -> Result<Vec<Input>, Error> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_sound(entry.path()) => {
                files.push(Input::File(entry.into_path()));
            }
            // Whatever a link to a folder above leads to is being walked already.
            Err(error) if error.loop_ancestor().is_none() => pass_over(obstacle(folder, &error)),
            _ => {}
        }
    }
    if files.is_empty() {
        let endings = ENDINGS.join(", ");
        return Err(Unusable(format!(
            "{}: no sound in this folder; expected files that end in {endings}",
            one_line(&folder.to_string_lossy())
        ))
        .into());
    }
    Ok(files)
}

/// What cannot be followed, and why.
fn obstacle(folder: &Path, error: &walkdir::Error) -> String {
    let path = error.path().unwrap_or(folder);
    let reason = match error.io_error() {
        Some(_) if path.is_symlink() && !path.exists() => "a link to nothing".to_owned(),
        Some(error) => error.kind().to_string(),
        None => error.to_string(),
    };
    format!("{}: {reason}", one_line(&path.to_string_lossy()))
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
        let found = inputs(&[PathBuf::from("-"), folder.path().to_path_buf()], &mut |line| {
            panic!("{line}");
        });
        let found = found.unwrap();
        let expected = ["a.flac", "b/z.mp3", "c.WAV"].map(|name| path(name).display().to_string());
        assert_eq!(names(found), [&["-".to_owned()], expected.as_slice()].concat());
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_followed_is_named_and_the_others_are_found() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("locked")).unwrap();
        fs::write(path("b.wav"), "").unwrap();
        symlink("/no/such/file", path("a.wav")).unwrap();
        symlink(".", path("here")).unwrap();
        fs::set_permissions(path("locked"), PermissionsExt::from_mode(0o000)).unwrap();
        let is_locked = fs::read_dir(path("locked")).is_err();
        let mut passed_over = Vec::new();
        let found = inputs(&[folder.path().to_path_buf()], &mut |line| passed_over.push(line));
        fs::set_permissions(path("locked"), PermissionsExt::from_mode(0o700)).unwrap();
        assert_eq!(found.unwrap(), [Input::File(path("b.wav"))]);
        let mut expected = vec![format!("{}: a link to nothing", path("a.wav").display())];
        // Root enters any folder.
        let locked = format!("{}: permission denied", path("locked").display());
        expected.extend(is_locked.then_some(locked));
        assert_eq!(passed_over, expected);
    }

    #[test]
    fn a_folder_without_sound_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = inputs(&[folder.path().to_path_buf()], &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("no sound in this folder"), "{error}");
    }
}
