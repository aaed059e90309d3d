//! Which files of a crate its library or binary may be built from.

use std::path::{Path, PathBuf};

use fs_err as fs;
use walkdir::{DirEntry, WalkDir};

use crate::IdentityError;

/// Folders of a crate's root that Cargo builds for tests and examples alone.
const NOT_BUILT: [&str; 3] = ["benches", "examples", "tests"];

/// All files but those of tests, benches and examples, relative to `folder`. A text or table that
/// the code may include counts; so does everything else that is not plainly no part of the build.
pub(crate) fn build_files(folder: &Path) -> Result<Vec<PathBuf>, IdentityError> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).min_depth(1).into_iter().filter_entry(may_be_built) {
        let entry = entry?;
        if !entry.file_type().is_dir() && !is_unit_test(folder, entry.path())? {
            files.push(entry.path().strip_prefix(folder).unwrap_or(entry.path()).to_path_buf());
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn may_be_built(entry: &DirEntry) -> bool {
    let Some(name) = entry.file_name().to_str() else { return true };
    let test_folder = entry.depth() == 1 && NOT_BUILT.contains(&name);
    let test_data = name == "proptest-regressions" || name == "snapshots";
    !(test_folder || test_data || name.starts_with('.'))
}

/// Whether the file is that of a module that its parent declares under `#[cfg(test)]`, or of a module of one.
fn is_unit_test(crate_folder: &Path, file: &Path) -> Result<bool, IdentityError> {
    let source = crate_folder.join("src");
    for place in file.ancestors().take_while(|place| place.starts_with(&source) && *place != source)
    {
        let name = place.file_stem().and_then(|name| name.to_str());
        if name.is_some_and(|name| name != "lib" && name != "main") && is_for_tests(place)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_for_tests(module: &Path) -> Result<bool, IdentityError> {
    let (Some(folder), Some(name)) = (module.parent(), module.file_stem()) else {
        return Ok(false);
    };
    let declaration = format!("mod {};", name.to_string_lossy());
    let beside = [folder.with_extension("rs"), folder.join("mod.rs")];
    let roots = [folder.join("lib.rs"), folder.join("main.rs")];
    let mut declared = false;
    for parent in beside.iter().chain(&roots).filter(|parent| parent.exists()) {
        let text = fs::read_to_string(parent)?;
        for (at, _) in text.match_indices(&declaration) {
            let before = text[..at].trim_end();
            let visible = ["pub(crate)", "pub(super)", "pub"];
            let attribute = visible.iter().find_map(|word| before.strip_suffix(word));
            if !attribute.unwrap_or(before).trim_end().ends_with("#[cfg(test)]") {
                return Ok(false);
            }
            declared = true;
        }
    }
    Ok(declared)
}
