//! Names of people and things, as cells and file names write them.

use unicode_normalization::UnicodeNormalization;

/// What tables write where there is nothing, in lower case; pandas and spreadsheets among others.
const MISSING: [&str; 11] =
    ["", "#n/a", "#na", "<na>", "n/a", "na", "nan", "-nan", "nat", "none", "null"];

/// Marks without width that editors and spreadsheets leave at the ends of cells.
const INVISIBLE: [char; 5] = ['\u{200b}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}'];

/// The text in Unicode's normalization form C, in which what looks the same is the same: a Mac writes
/// file names in form D.
pub(crate) fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// A name by which people, sessions and columns are told apart: in form C, without blanks or marks
/// of no width around it, every run of blanks inside it, no-break spaces too, as one space.
pub(crate) fn identity(text: &str) -> String {
    let text = text.trim_matches(|c: char| c.is_whitespace() || INVISIBLE.contains(&c));
    let words: Vec<&str> = text.split_whitespace().collect();
    nfc(&words.join(" "))
}

/// Whether a cell says something: it is neither empty nor a word for a missing value.
pub(crate) fn is_filled(cell: &str) -> bool {
    !MISSING.contains(&cell.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_looks_the_same_is_the_same() {
        let forms = [
            "J\u{f6}rg B.",
            "Jo\u{308}rg B.",
            " J\u{f6}rg\u{a0}B.\u{a0}",
            "\u{feff}J\u{f6}rg  B.\u{200b} ",
        ];
        for form in forms {
            assert_eq!(identity(form), "J\u{f6}rg B.", "{form:?}");
        }
        assert_ne!(identity("Jorg B."), "J\u{f6}rg B.");
    }

    #[test]
    fn words_for_a_missing_value_are_no_names() {
        for cell in ["", "NA", "nan", "NaN", "NaT", "N/A", "<NA>", "None", "NULL", "#N/A"] {
            assert!(!is_filled(cell), "{cell}");
        }
        for cell in ["Nathan", "0", "Nan Goldin", "unknown"] {
            assert!(is_filled(cell), "{cell}");
        }
    }

    proptest! {
        #[test]
        fn an_identity_is_its_own(text in "\\PC*") {
            let once = identity(&text);
            prop_assert_eq!(identity(&once), once);
        }
    }
}
