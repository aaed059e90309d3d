//! What a rule reports.

use std::fmt;

/// A violation: where, of which rule, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Path relative to the workspace's root.
    pub(crate) path: String,
    /// Line, from 1.
    pub(crate) line: usize,
    /// The rule's name.
    pub(crate) rule: &'static str,
    /// What to do.
    pub(crate) remedy: String,
}

impl Finding {
    /// A finding at a line of a file.
    pub(crate) fn new(
        path: &str,
        line: usize,
        rule: &'static str,
        remedy: impl Into<String>,
    ) -> Self {
        Self { path: path.to_owned(), line, rule, remedy: remedy.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_like_a_compiler_message() {
        let finding = Finding::new("crates/lld/src/lib.rs", 7, "long-file", "split it");
        assert_eq!(finding.to_string(), "crates/lld/src/lib.rs:7: long-file: split it");
    }
}
