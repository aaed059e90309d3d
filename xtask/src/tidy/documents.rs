//! Documents that are pinned to what they describe: the map of the crates, the commands.

use std::collections::BTreeSet;

use super::Finding;
use super::tree::{TextFile, Tree};

const MAP: &str = "ARCHITECTURE.md";
const COMMAND: &str = "cargo xtask ";

/// All rules of this module; `commands` are the subcommands that exist.
pub(crate) fn check(tree: &Tree, commands: &BTreeSet<String>) -> Vec<Finding> {
    let documents = tree.texts().filter(|file| file.has_extension("md"));
    let unknown = documents.flat_map(|file| unknown_commands(&file, commands));
    crate_list(tree).into_iter().chain(unknown).collect()
}

/// The headings of the map, `### crates/x`, are the folders under `crates/`.
fn crate_list(tree: &Tree) -> Vec<Finding> {
    let folders: BTreeSet<&str> = tree
        .files
        .iter()
        .filter_map(|file| file.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml"))
        .collect();
    let named = headings(tree.text(MAP));
    let is_named = |folder: &str| named.iter().any(|(_, name)| *name == folder);
    let missing = folders.iter().filter(|folder| !is_named(folder)).map(|folder| {
        let remedy = format!("describe it under a heading `### crates/{folder}`");
        Finding::new(MAP, 1, "crate-list", remedy)
    });
    let gone = named.iter().filter(|(_, name)| !folders.contains(name)).map(|(line, name)| {
        Finding::new(MAP, *line, "crate-list", format!("there is no crates/{name}; remove it"))
    });
    missing.chain(gone).collect()
}

fn headings(map: &str) -> Vec<(usize, &str)> {
    let numbered = map.lines().enumerate();
    numbered
        .filter_map(|(at, line)| Some((at + 1, line.strip_prefix("### crates/")?.trim())))
        .collect()
}

fn unknown_commands(file: &TextFile<'_>, commands: &BTreeSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for name in line.split(COMMAND).skip(1).filter_map(leading_word) {
            if !commands.contains(name) {
                let remedy = format!("`{COMMAND}{name}` does not exist; correct the text");
                findings.push(Finding::new(file.path, at + 1, "unknown-command", remedy));
            }
        }
    }
    findings
}

/// The subcommand at the start of what follows `cargo xtask `; none where a flag or `…` follows.
fn leading_word(rest: &str) -> Option<&str> {
    let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '-')).unwrap_or(rest.len());
    let word = &rest[..end];
    word.starts_with(|c: char| c.is_ascii_lowercase()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::File;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files = files
            .iter()
            .map(|(path, text)| File { path: (*path).to_owned(), bytes: text.as_bytes().to_vec() });
        let commands = BTreeSet::from(["demo".to_owned(), "cv".to_owned()]);
        let tree = Tree { files: files.collect() };
        check(&tree, &commands).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_true_map_passes() {
        let map = "# Map\n\n### crates/lld\n\nDescriptors.\n";
        assert!(found(&[("ARCHITECTURE.md", map), ("crates/lld/Cargo.toml", "")]).is_empty());
    }

    #[test]
    fn a_crate_that_the_map_forgets_is_found() {
        assert_eq!(
            found(&[("crates/lld/Cargo.toml", "")]),
            ["ARCHITECTURE.md:1: crate-list: describe it under a heading `### crates/lld`"]
        );
    }

    #[test]
    fn a_crate_that_is_gone_is_found() {
        assert_eq!(
            found(&[("ARCHITECTURE.md", "# Map\n\n### crates/dsp\n")]),
            ["ARCHITECTURE.md:3: crate-list: there is no crates/dsp; remove it"]
        );
    }

    #[test]
    fn known_commands_pass() {
        let text = "`cargo xtask demo`, `cargo xtask cv --fold X`, `cargo xtask …`,\n\
            `cargo xtask --help`\n";
        assert!(found(&[("README.md", text)]).is_empty());
    }

    #[test]
    fn an_unknown_command_is_found() {
        assert_eq!(
            found(&[("README.md", "Run\n`cargo xtask demo && cargo xtask train`\n")]),
            ["README.md:2: unknown-command: `cargo xtask train` does not exist; correct the text"]
        );
    }
}
