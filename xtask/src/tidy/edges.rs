//! What a crate must not know: forbidden edges of the dependency graph, checked through everything
//! that is linked, however indirectly.

use super::Finding;
use super::packages::Packages;

/// Packages that stand for a kind of knowledge.
const SAMPLES: [&str; 3] = ["symphonia", "rubato", "ambivox-audio"];
const DESCRIPTORS: [&str; 3] = ["realfft", "ambivox-lld", "ambivox-features"];
const TABLES: [&str; 3] = ["polars", "parquet", "arrow"];
const NETWORKS: [&str; 6] =
    ["candle-core", "candle-nn", "ambivox-nn", "ambivox-models", "ambivox-rules", "ambivox-train"];
const FILES: [&str; 2] = ["fs-err", "walkdir"];
const STORE: [&str; 1] = ["ambivox-artifacts"];
const STAGES: [&str; 2] = ["ambivox", "ambivox-stages"];
const OPTIMISATION: [&str; 2] = ["ambivox-rules", "ambivox-train"];
const MODELS: [&str; 2] = ["ambivox-models", "ambivox-train"];
/// Every crate of ours, whatever it is called.
const OURS: [&str; 1] = ["ambivox-*"];

/// A crate and the packages that nothing it links may be.
type Rule = (&'static str, &'static [&'static [&'static str]]);

const FORBIDDEN: [Rule; 26] = [
    ("ambivox", &[&["xtask", "ambivox-measure", "ambivox-fetch"]]),
    ("ambivox-artifacts", &[&OURS, &SAMPLES, &DESCRIPTORS, &TABLES, &NETWORKS]),
    ("ambivox-audio", &[&OURS, &TABLES, &NETWORKS]),
    ("ambivox-corpus", &[&SAMPLES, &DESCRIPTORS, &NETWORKS, &STORE, &STAGES]),
    (
        "ambivox-encoders",
        &[
            &["ambivox-corpus", "ambivox-audio", "ambivox-frontends", "ambivox-settings"],
            &["ambivox-lld", "ambivox-features"],
            &TABLES,
            &MODELS,
            &OPTIMISATION,
            &STORE,
            &STAGES,
        ],
    ),
    ("ambivox-eval", &[&OURS, &SAMPLES, &DESCRIPTORS, &TABLES, &NETWORKS, &FILES]),
    // Front ends may be neural encoders, which are candle's and ambivox-nn's; what is trained they do not know.
    ("ambivox-features", &[&MODELS, &OPTIMISATION, &STORE, &STAGES]),
    ("ambivox-fetch", &[&["xtask"], &SAMPLES, &DESCRIPTORS, &TABLES, &NETWORKS, &STORE, &STAGES]),
    (
        "ambivox-frontends",
        &[&["ambivox-corpus", "ambivox-audio"], &TABLES, &MODELS, &OPTIMISATION, &STORE, &STAGES],
    ),
    ("ambivox-fuzzing", &[&["xtask"], &OPTIMISATION, &STAGES]),
    ("ambivox-identity", &[&OURS, &SAMPLES, &DESCRIPTORS, &TABLES, &NETWORKS]),
    ("ambivox-lld", &[&OURS, &SAMPLES, &TABLES, &NETWORKS, &FILES]),
    ("ambivox-measure", &[&["xtask"], &STORE, &STAGES]),
    ("ambivox-models", &[&OPTIMISATION, &SAMPLES, &DESCRIPTORS, &TABLES, &STORE, &STAGES]),
    ("ambivox-nn", &[&OURS, &SAMPLES, &DESCRIPTORS, &TABLES, &FILES]),
    ("ambivox-predict", &[&["xtask", "ambivox-corpus"], &OPTIMISATION, &TABLES, &STAGES]),
    // Light, so that a wheel is made in seconds: what is more than descriptors the program does.
    (
        "ambivox-python",
        &[&["xtask", "ambivox-features", "ambivox-settings"], &SAMPLES, &TABLES, &NETWORKS, &FILES],
    ),
    ("ambivox-report", &[&NETWORKS, &SAMPLES, &DESCRIPTORS, &TABLES, &STORE, &STAGES]),
    ("ambivox-rules", &[&MODELS, &SAMPLES, &DESCRIPTORS, &TABLES, &STORE, &STAGES]),
    ("ambivox-settings", &[&OURS, &SAMPLES, &DESCRIPTORS, &TABLES, &NETWORKS]),
    ("ambivox-stages", &[&["xtask", "ambivox", "ambivox-measure"]]),
    ("ambivox-synth", &[&NETWORKS, &SAMPLES, &DESCRIPTORS, &STORE, &STAGES]),
    ("ambivox-tensorboard", &[&OURS, &SAMPLES, &DESCRIPTORS, &TABLES, &NETWORKS, &FILES]),
    ("ambivox-tests", &[&OURS]),
    ("ambivox-train", &[&["ambivox-corpus"], &SAMPLES, &DESCRIPTORS, &TABLES, &STORE, &STAGES]),
    ("xtask", &[&SAMPLES, &DESCRIPTORS, &TABLES, &NETWORKS, &STAGES]),
];

/// Every forbidden edge of every member, and every member that the table above forgets.
pub(crate) fn check(packages: &Packages) -> Vec<Finding> {
    let members = packages.0.iter().filter(|(_, package)| package.is_member);
    let findings = members.flat_map(|(id, package)| {
        match FORBIDDEN.iter().find(|(name, _)| *name == package.name) {
            None => vec![unlisted(&package.name)],
            Some((name, forbidden)) => forbidden_links(packages, id, name, forbidden),
        }
    });
    findings.collect()
}

fn forbidden_links(
    packages: &Packages,
    id: &str,
    name: &str,
    forbidden: &[&[&str]],
) -> Vec<Finding> {
    let linked = packages.closure(id);
    let bad = linked
        .into_iter()
        .filter(|link| forbidden.iter().copied().flatten().any(|pattern| matches(pattern, link)));
    let finding = |link: &str| {
        let remedy = format!("{name} must not link {link}: `cargo tree -p {name} -i {link}`");
        Finding::new(&manifest(name), 1, "forbidden-edge", remedy)
    };
    bad.map(finding).collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |prefix| name.starts_with(prefix))
}

fn unlisted(name: &str) -> Finding {
    let remedy = "say in xtask/src/tidy/edges.rs what this crate must not know";
    Finding::new(&manifest(name), 1, "unlisted-crate", remedy)
}

fn manifest(name: &str) -> String {
    match name.strip_prefix("ambivox-") {
        None if name == "ambivox" => "crates/ambivox/Cargo.toml".to_owned(),
        None | Some("tests") => format!("{}/Cargo.toml", name.trim_start_matches("ambivox-")),
        Some(short) => format!("crates/{short}/Cargo.toml"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tidy::packages::Package;

    fn graph(edges: &[(&str, &[&str])]) -> Packages {
        let package = |(name, links): &(&str, &[&str])| {
            let links: BTreeSet<String> = links.iter().map(|&link| link.to_owned()).collect();
            let is_member = name.starts_with("ambivox") || *name == "xtask";
            let licence = "MIT".to_owned();
            ((*name).to_owned(), Package { name: (*name).to_owned(), licence, links, is_member })
        };
        Packages(edges.iter().map(package).collect())
    }

    fn remedies(edges: &[(&str, &[&str])]) -> Vec<String> {
        check(&graph(edges)).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn allowed_edges_pass() {
        assert!(remedies(&[("ambivox-lld", &["realfft"]), ("realfft", &[])]).is_empty());
    }

    #[test]
    fn an_indirect_edge_is_found() {
        let edges: [(&str, &[&str]); 3] =
            [("ambivox-eval", &["harmless"]), ("harmless", &["polars"]), ("polars", &[])];
        assert_eq!(
            remedies(&edges),
            ["crates/eval/Cargo.toml:1: forbidden-edge: ambivox-eval must not link polars: \
              `cargo tree -p ambivox-eval -i polars`"]
        );
    }

    #[test]
    fn a_crate_of_ours_is_found_by_its_prefix() {
        let edges: [(&str, &[&str]); 2] =
            [("ambivox-artifacts", &["ambivox-settings"]), ("ambivox-settings", &[])];
        assert_eq!(remedies(&edges).len(), 1);
    }

    #[test]
    fn a_crate_without_a_rule_is_found() {
        let found = remedies(&[("ambivox-novelty", &[])]);
        assert!(found[0].starts_with("crates/novelty/Cargo.toml:1: unlisted-crate:"), "{found:?}");
    }

    #[test]
    fn the_manifests_of_all_members_are_known() {
        assert_eq!(manifest("xtask"), "xtask/Cargo.toml");
        assert_eq!(manifest("ambivox-tests"), "tests/Cargo.toml");
    }
}
