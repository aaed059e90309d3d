//! Rules for the Cargo.toml of every member: shared lints and edition, a name that tells the folder.

use toml::{Table, Value};

use super::Finding;
use super::tree::TextFile;

const PREFIX: &str = "ambivox-";
const INHERITED: [&str; 4] = ["version", "edition", "rust-version", "license"];

/// A workspace of its own, which can inherit nothing.
const APART: &str = "fuzz";

/// All rules of this module on one file; those that are no member's Cargo.toml have none.
pub(crate) fn check(file: &TextFile<'_>) -> Vec<Finding> {
    let folder = file.path.strip_suffix("/Cargo.toml").filter(|folder| *folder != APART);
    let Some(folder) = folder else { return Vec::new() };
    match file.text.parse::<Table>() {
        Ok(manifest) => {
            let lints = lints(file.path, &manifest);
            let name = name(file.path, folder, &manifest);
            lints.into_iter().chain(name).chain(inherited(file.path, &manifest)).collect()
        }
        Err(error) => vec![Finding::new(file.path, 1, "syntax", error.message())],
    }
}

fn is_inherited(table: Option<&Value>) -> bool {
    table.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

fn lints(path: &str, manifest: &Table) -> Option<Finding> {
    let remedy = "add `[lints]` with `workspace = true`";
    (!is_inherited(manifest.get("lints"))).then(|| Finding::new(path, 1, "workspace-lints", remedy))
}

fn inherited(path: &str, manifest: &Table) -> Vec<Finding> {
    let package = manifest.get("package");
    let missing = INHERITED
        .into_iter()
        .filter(|key| !is_inherited(package.and_then(|package| package.get(key))));
    let finding = |key| Finding::new(path, 1, "inherit", format!("write `{key}.workspace = true`"));
    missing.map(finding).collect()
}

/// The crate that is called as the project is.
const PRODUCT: &str = "ambivox";

fn name(path: &str, folder: &str, manifest: &Table) -> Option<Finding> {
    let short = folder.strip_prefix("crates/")?;
    let name = manifest.get("package").and_then(|package| package.get("name"));
    // The product has the name of the project.
    let expected = if short == PRODUCT { short.to_owned() } else { format!("{PREFIX}{short}") };
    let remedy = format!("the folder asks for the name `{expected}`");
    (name.and_then(Value::as_str) != Some(&expected))
        .then(|| Finding::new(path, 1, "crate-name", remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"ambivox-lld\"\nversion.workspace = true\n\
        edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\
        [lints]\nworkspace = true\n";

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        check(&TextFile { path, text }).into_iter().map(|finding| finding.rule).collect()
    }

    fn in_lld(text: &str) -> Vec<&'static str> {
        rules("crates/lld/Cargo.toml", text)
    }

    #[test]
    fn an_orderly_manifest_passes() {
        assert!(in_lld(GOOD).is_empty());
        assert!(rules("Cargo.toml", "[workspace]\n").is_empty());
        assert!(rules("fuzz/Cargo.toml", "[workspace]\n").is_empty());
    }

    #[test]
    fn lints_of_its_own_are_found() {
        assert_eq!(in_lld(&GOOD.replace("[lints]\nworkspace = true\n", "")), ["workspace-lints"]);
        assert_eq!(
            in_lld(&GOOD.replace("[lints]\nworkspace = true", "[lints]")),
            ["workspace-lints"]
        );
    }

    #[test]
    fn a_name_unlike_the_folder_is_found() {
        assert_eq!(rules("crates/descriptors/Cargo.toml", GOOD), ["crate-name"]);
        assert!(rules("xtask/Cargo.toml", GOOD).is_empty());
    }

    #[test]
    fn an_edition_of_its_own_is_found() {
        assert_eq!(
            in_lld(&GOOD.replace("edition.workspace = true", "edition = \"2021\"")),
            ["inherit"]
        );
    }

    #[test]
    fn what_does_not_parse_is_found() {
        assert_eq!(in_lld("[package\n"), ["syntax"]);
    }
}
