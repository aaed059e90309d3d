//! Licences of everything built, against a list of those that a permissive project can ship.

use super::Finding;
use super::packages::{Package, Packages};

const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Every package whose licence is not on the list.
pub(crate) fn check(packages: &Packages) -> Vec<Finding> {
    packages.0.values().filter(|package| !is_allowed(&package.licence)).map(finding).collect()
}

fn finding(package: &Package) -> Finding {
    let Package { name, licence, .. } = package;
    let remedy = format!("{name} is under \"{licence}\"; replace it, or extend ALLOWED on purpose");
    Finding::new("Cargo.lock", 1, "licence", remedy)
}

/// Whether every part joined by AND offers an allowed choice. Brackets are passed over, which can
/// only refuse too much; `/` is an old way to write OR.
fn is_allowed(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], "").replace('/', " OR ");
    flat.split(" AND ")
        .all(|part| part.split(" OR ").any(|licence| ALLOWED.contains(&licence.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissive_expressions_pass() {
        for expression in [
            "MIT",
            "MIT/Apache-2.0",
            "Apache-2.0 / MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "LGPL-3.0 OR MIT",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(is_allowed(expression), "{expression}");
        }
    }

    #[test]
    fn copyleft_and_missing_licences_are_found() {
        for expression in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "", "(A OR B) AND MIT"] {
            let package = Package {
                name: "viral".to_owned(),
                licence: expression.to_owned(),
                links: [].into(),
                is_member: false,
            };
            let packages = Packages([("viral 1".to_owned(), package)].into());
            assert_eq!(check(&packages).len(), 1, "{expression}");
        }
    }
}
