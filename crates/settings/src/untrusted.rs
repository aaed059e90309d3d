//! Text and files of any origin, on their way to a spreadsheet, to a terminal and into memory.

use std::borrow::Cow;
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::Path;

use fs_err as fs;

/// What makes a spreadsheet take a cell for a formula where the cell begins with it; the last four are
/// those of East Asian keyboards.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A text as a cell of a table that a spreadsheet may open: with a `'` before what it would take for a
/// formula. [`unguard`] undoes it, also for texts with a `'` there already.
///
/// ```
/// use ambivox_settings::{guard, unguard};
///
/// assert_eq!(guard("=1+1"), "'=1+1");
/// assert_eq!(guard("calm"), "calm");
/// assert_eq!(unguard("'=1+1"), "=1+1");
/// ```
pub fn guard(text: &str) -> Cow<'_, str> {
    if is_formula(text.trim_start_matches('\'')) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text that [`guard`] made a cell of.
pub fn unguard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text.trim_start_matches('\'')) => text,
        _ => cell,
    }
}

/// A sign alone is none.
fn is_formula(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| FORMULA.contains(&first)) && characters.next().is_some()
}

/// A text as it can be shown on a terminal: control characters but for `\n` and `\t`, and those that turn
/// the direction of writing, become `\u{1b}` and the like. All else stays as it is.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, is_control)
}

/// As [`printable`], for a name or a cell within a line of ours: what ends a line is shown too, so that no
/// name passes for a line of ours.
///
/// ```
/// assert_eq!(ambivox_settings::one_line("a\nb"), "a\\u{a}b");
/// ```
pub fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |c| matches!(c, '\n' | '\u{2028}' | '\u{2029}') || is_control(c))
}

fn escaped(text: &str, is_shown: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_shown) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_shown(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

fn is_control(character: char) -> bool {
    let turns = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    turns || (character.is_control() && !matches!(character, '\n' | '\t'))
}

/// A file's content. It is an error, of the kind `InvalidData` and before anything is read, if it is no
/// regular file, such as a device without end, or has more than `most` bytes.
pub fn read_bounded(file: &Path, most: u64) -> Result<Vec<u8>> {
    let refuse = |what: String| {
        Err(Error::new(ErrorKind::InvalidData, format!("{}: {what}", file.display())))
    };
    let found = fs::metadata(file)?;
    if !found.is_file() {
        return refuse("no regular file".to_owned());
    }
    let mut content = Vec::new();
    if found.len() <= most {
        // It may have grown meanwhile.
        fs::File::open(file)?.take(most + 1).read_to_end(&mut content)?;
    }
    match found.len().max(content.len() as u64) {
        bytes if bytes > most => refuse(format!("{bytes} bytes; expected at most {most}")),
        _ => Ok(content),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_alone_are_guarded() {
        for text in ["=1+1", "+1", "-A1", "@SUM(A1)", "\t=1", "\r\n", "'=1", "''-x", "＝1"] {
            assert_eq!(guard(text), format!("'{text}"));
        }
        for text in ["", "-", "a=1", "'tis", "'", "1", "ann", " =1", "ä-"] {
            assert_eq!(guard(text), text);
            assert_eq!(unguard(text), text);
        }
    }

    #[test]
    fn what_moves_a_cursor_or_turns_a_line_is_shown_as_what_it_is() {
        let text = "a\u{1b}[2Jb\r\u{9b}c\u{202e}d\u{7}";
        assert_eq!(printable(text), "a\\u{1b}[2Jb\\u{d}\\u{9b}c\\u{202e}d\\u{7}");
        let plain = "à\tñ\nいろは 🎤 e\u{301} × שלום";
        assert!(matches!(printable(plain), Cow::Borrowed(same) if same == plain));
        assert_eq!(one_line("a\nhint: b\u{2028}\u{1b}\tc"), "a\\u{a}hint: b\\u{2028}\\u{1b}\tc");
        assert!(matches!(one_line("à 日本語"), Cow::Borrowed("à 日本語")));
    }

    #[test]
    fn files_without_end_and_large_ones_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "12345").unwrap();
        assert_eq!(read_bounded(&file, 5).unwrap(), b"12345");
        let refused = |file: &Path| {
            let error = read_bounded(file, 4).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            error.to_string()
        };
        assert!(refused(&file).ends_with("file: 5 bytes; expected at most 4"));
        for device in ["/dev/zero", "/"] {
            assert_eq!(refused(Path::new(device)), format!("{device}: no regular file"));
        }
    }

    proptest! {
        #[test]
        fn a_guarded_text_is_no_formula_and_comes_back(text in "['=+@\t\r\n＝a-]{0,5}|\\PC*") {
            let cell = guard(&text);
            prop_assert!(!is_formula(&cell), "{cell:?}");
            prop_assert_eq!(unguard(&cell), text.as_str());
        }

        #[test]
        fn nothing_printable_has_control_characters(text: String) {
            let shown = printable(&text);
            prop_assert!(!shown.contains(is_control));
            prop_assert_eq!(printable(&shown), shown.as_ref());
        }
    }
}
