//! The house rules as code: `cargo xtask tidy`, which is a test too.
//!
//! A rule is a small function from what it looks at to findings; its test plants a violation and
//! sees it reported. What rustc and clippy check by themselves (documentation of public items,
//! ordered maps, wrapped file access) is not checked again.

mod data;
mod documents;
mod edges;
mod finding;
mod licences;
mod manifests;
mod packages;
mod source;
mod text;
mod tree;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::bail;
use clap::CommandFactory;

pub(crate) use finding::Finding;
use packages::Packages;
use tree::Tree;

use crate::cli::Cli;

/// Checks every rule on the checkout at `root`; the error lists all findings, one a line.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let findings = findings(root)?;
    if findings.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    bail!("{} violations of the house rules:\n{}", lines.len(), lines.join("\n"))
}

fn findings(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let tree = Tree::read(root)?;
    let packages = Packages::read(root)?;
    let mut findings: Vec<Finding> = tree.files.iter().flat_map(data::check).collect();
    for file in tree.texts() {
        findings.extend(text::check(&file));
        findings.extend(manifests::check(&file));
    }
    findings.extend(source::check(tree.texts()));
    findings.extend(documents::check(&tree, &commands()));
    findings.extend(edges::check(&packages));
    findings.extend(licences::check(&packages));
    findings.sort();
    Ok(findings)
}

/// The names of all subcommands.
fn commands() -> BTreeSet<String> {
    Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        if let Err(error) = run(&root) {
            panic!("{error:#}");
        }
    }
}
