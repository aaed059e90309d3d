//! The rules of the workspace as code: `cargo xtask tidy`, which is a test too.
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
mod versions;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, bail};

pub(crate) use finding::Finding;
use packages::Packages;
use tree::Tree;

use crate::cli;

/// Puts on record what is asked for, or checks every rule.
pub(crate) fn command(root: &Path, asked: &cli::Tidy) -> anyhow::Result<()> {
    if asked.why.is_some() { versions::record(root, asked) } else { run(root) }
}

/// Checks every rule on the checkout at `root`; the error lists all findings, one a line.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let findings = findings(root)?;
    if findings.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    bail!("{} violations of the rules of the workspace:\n{}", lines.len(), lines.join("\n"))
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
    findings.extend(documents::check(&tree, &commands(root)?));
    findings.extend(versions::check(root)?);
    findings.extend(edges::check(&packages));
    findings.extend(licences::check(&packages));
    findings.sort();
    Ok(findings)
}

/// The names of all subcommands, from the source of the command line.
fn commands(root: &Path) -> anyhow::Result<BTreeSet<String>> {
    let text = fs_err::read_to_string(root.join("crates/ambivox/src/cli.rs"))?;
    let named = |item: syn::Item| match item {
        syn::Item::Enum(item) if item.ident == "Command" => Some(item.variants),
        _ => None,
    };
    let variants = syn::parse_file(&text)?.items.into_iter().find_map(named);
    let variants = variants.context("the command line has no enum Command")?;
    Ok(variants.iter().map(|variant| kebab(&variant.ident.to_string())).collect())
}

/// `BenchPlan` as clap has it: `bench-plan`.
fn kebab(name: &str) -> String {
    let word = |(at, c): (usize, char)| {
        let dash = (at > 0 && c.is_uppercase()).then_some('-');
        dash.into_iter().chain(c.to_lowercase())
    };
    name.char_indices().flat_map(word).collect()
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
