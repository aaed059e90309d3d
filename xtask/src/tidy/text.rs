//! Rules for every text file: whitespace, machine paths, marks of undone work.

use super::Finding;
use super::tree::TextFile;

/// Folders that exist on the machine of whoever wrote the line, and nowhere else.
const MACHINE_PATHS: [&str; 4] = ["/home/", "/root/", "/Users/", "/work/"];
/// Marks of work left undone: what is missing belongs in the issue tracker.
const UNDONE: [&str; 3] = ["TODO", "FIXME", "XXX"];
/// The file that holds the lists above.
const LISTS: &str = "xtask/src/tidy/text.rs";

/// Files that are wrong on purpose, to the byte.
const FUZZED: &str = "fuzz/corpus/";

/// All rules of this module on one file.
pub(crate) fn check(file: &TextFile<'_>) -> Vec<Finding> {
    if file.path.starts_with(FUZZED) {
        return Vec::new();
    }
    let mut findings = whitespace(file);
    if file.path != LISTS && file.path != "Cargo.lock" {
        findings.extend(machine_paths(file));
        findings.extend(words(file));
    }
    findings
}

fn lines<'a>(file: &TextFile<'a>) -> impl Iterator<Item = (usize, &'a str)> {
    file.text.split('\n').enumerate().map(|(index, line)| (index + 1, line))
}

fn whitespace(file: &TextFile<'_>) -> Vec<Finding> {
    let trailing =
        lines(file).filter(|(_, line)| line.ends_with([' ', '\t', '\r'])).map(|(number, _)| {
            Finding::new(file.path, number, "trailing-whitespace", "remove it; lines end in \\n")
        });
    let mut findings: Vec<Finding> = trailing.collect();
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        let last = file.text.lines().count();
        findings.push(Finding::new(file.path, last, "final-newline", "end the file with one"));
    }
    findings
}

fn machine_paths(file: &TextFile<'_>) -> Vec<Finding> {
    let found = lines(file).filter_map(|(number, line)| {
        let path = MACHINE_PATHS.into_iter().find(|path| is_absolute(line, path))?;
        let remedy = format!("{path} is one machine's folder; write a relative path");
        Some(Finding::new(file.path, number, "machine-path", remedy))
    });
    found.collect()
}

/// Whether `path` stands in `line` as the start of a path rather than in the middle of one.
fn is_absolute(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '}'))
    })
}

fn words(file: &TextFile<'_>) -> Vec<Finding> {
    let found = lines(file).filter_map(|(number, line)| {
        let word = line.split(|c: char| !c.is_alphanumeric()).find(|word| UNDONE.contains(word))?;
        let remedy = format!("\"{word}\": finish it, or say in prose what is not there");
        Some(Finding::new(file.path, number, "undone", remedy))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<(usize, &'static str)> {
        let file = TextFile { path: "docs/method.md", text };
        check(&file).into_iter().map(|finding| (finding.line, finding.rule)).collect()
    }

    #[test]
    fn clean_text_passes() {
        assert_eq!(rules("A recording session of IEMOCAP.\n\nSee ../shared/data/home/x.\n"), []);
        assert_eq!(rules(""), []);
    }

    #[test]
    fn trailing_whitespace_is_found() {
        assert_eq!(rules("a\nb \nc\t\nd\r\n"), [2, 3, 4].map(|n| (n, "trailing-whitespace")));
    }

    #[test]
    fn what_is_fuzzed_stays_as_it_is() {
        let file = TextFile { path: "fuzz/corpus/csv/faults", text: "a \r\n/root/x" };
        assert!(check(&file).is_empty());
    }

    #[test]
    fn a_missing_final_newline_is_found() {
        assert_eq!(rules("a\nb"), [(2, "final-newline")]);
    }

    #[test]
    fn machine_paths_are_found() {
        assert_eq!(rules("x\nsee /root/data\n"), [(2, "machine-path")]);
        assert_eq!(rules("root = \"/home/ann/emodb\"\n"), [(1, "machine-path")]);
        assert_eq!(rules("$BASE/home/emodb\n"), []);
    }

    #[test]
    fn marks_of_undone_work_are_found() {
        assert_eq!(rules("// TODO: later\n"), [(1, "undone")]);
        assert_eq!(rules("// FIXME\n"), [(1, "undone")]);
        assert_eq!(rules("a TODOS list\n"), []);
    }
}
