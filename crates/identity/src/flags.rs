//! What Cargo's configuration and the environment ask of the compiler beyond the manifest.

/// Flags, wrappers and another level of optimisation, as Cargo tells them to a build script; empty where
/// there are none. A program that was built so keeps its results apart.
pub fn flags(variable: impl Fn(&str) -> Option<String>) -> String {
    let given = |name: &str| variable(name).filter(|value| !value.is_empty());
    let flags = given("CARGO_ENCODED_RUSTFLAGS").map(|flags| flags.replace('\u{1f}', " "));
    let wrappers = ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"].map(given);
    let level = given("OPT_LEVEL").filter(|level| level != "3");
    let level = level.map(|level| format!("opt-level={level}"));
    let all = [flags].into_iter().chain(wrappers).chain([level]);
    all.flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_what_is_built_is_told() {
        let told = |set: &[(&str, &str)]| {
            flags(|name| set.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned()))
        };
        assert_eq!(told(&[("OPT_LEVEL", "3"), ("CARGO_ENCODED_RUSTFLAGS", ""), ("PATH", "x")]), "");
        let native = ("CARGO_ENCODED_RUSTFLAGS", "-C\u{1f}target-cpu=native");
        assert_eq!(told(&[native]), "-C target-cpu=native");
        assert_eq!(told(&[("OPT_LEVEL", "1"), ("RUSTC_WRAPPER", "w")]), "w opt-level=1");
    }
}
