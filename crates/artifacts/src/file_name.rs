//! Names of files for names of anything.

use crate::Encoder;

/// Longest name that stays as it is.
const LONGEST: usize = 64;
/// How much is kept of a name that does not.
const STEM: usize = 40;
/// Hexadecimal digits of a name's digest.
const DIGITS: usize = 16;
/// Stands before the digest, and in no name that stays as it is.
const MARK: char = '+';
/// Names that stand for devices on Windows, some with a digit more, and all with any ending.
const DEVICES: [&str; 6] = ["aux", "com", "con", "lpt", "nul", "prn"];

/// A name, such as a speaker's, as that of a file or folder, or as the beginning of one.
///
/// Different names have different results, also where the file system takes `A` for `a` or `ä` for
/// `a` and two dots. A result is at most 64 bytes long, ASCII, and may be used on Linux,
/// macOS and Windows. Short names of small letters, digits, `-`, `_` and `.` stay as they are; of
/// others, what can be read of them stands before a digest.
pub fn file_name(name: &str) -> String {
    if stays(name) {
        return name.to_owned();
    }
    let mut stem = String::new();
    for c in name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(STEM) {
        if c != '_' || !stem.ends_with('_') {
            stem.push(c);
        }
    }
    let digest = Encoder::new("ambivox file name").text(name).finish().to_string();
    format!("{stem}{MARK}{}", &digest[..DIGITS])
}

fn stays(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    let is_outer = |c: char| c != '.' && c != '-';
    (1..=LONGEST).contains(&name.len())
        && name.bytes().all(is_plain)
        // No hidden file, no option, and no ending that Windows takes away.
        && name.starts_with(is_outer)
        && !name.ends_with('.')
        && !is_device(name)
}

fn is_device(name: &str) -> bool {
    let base = name.split('.').next().unwrap_or(name);
    DEVICES.contains(&base.strip_suffix(|c: char| c.is_ascii_digit()).unwrap_or(base))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// What a file system makes of a name that does not tell capital letters from small ones.
    fn folded(name: &str) -> String {
        file_name(name).to_lowercase()
    }

    #[test]
    fn short_plain_names_stay() {
        for name in ["03", "anna", "ses01_f-2.a", "a", "_", "conrad", "com10", &"a".repeat(64)] {
            assert_eq!(file_name(name), name);
        }
    }

    #[test]
    fn others_are_read_and_told_apart() {
        insta::assert_snapshot!(file_name("Ses01F"), @"Ses01F+ec0f02aac0fb32e4");
        insta::assert_snapshot!(file_name("a b"), @"a_b+b863b185e74ec528");
        insta::assert_snapshot!(file_name("山田太郎"), @"_+953e4be6622161a3");
        insta::assert_snapshot!(file_name(""), @"+223117dfdab3557a");
        insta::assert_snapshot!(file_name("../../etc/passwd"), @"_etc_passwd+76ba20318e154ac1");
    }

    #[test]
    fn names_that_are_no_names_of_files_are_told_apart() {
        let long = ["a".repeat(65), "a".repeat(66), "話".repeat(30), "話".repeat(31)];
        let odd = [
            "", ".", "..", " ", "a b", "a_b", "a-b", "a  b", "a/b", "a\\b", "a\0b", "a\nb", "a:b",
            "a%b", "a.", "a. ", "a", "A", "anna", "Anna", "ANNA", "CON", "con", "con.txt", "nul",
            "com1", "lpt9.x", ".a", "-a", "ü", "u\u{308}", "Ü", "a+b", "~", "*", "?",
        ];
        let names: Vec<&str> = odd.into_iter().chain(long.iter().map(String::as_str)).collect();
        let distinct: BTreeSet<String> = names.iter().map(|name| folded(name)).collect();
        assert_eq!(distinct.len(), names.len(), "{distinct:?}");
        // The name of a file is a name too.
        let again: BTreeSet<String> = distinct.iter().map(|name| folded(name)).collect();
        assert_eq!(again.len(), names.len());
    }

    fn names() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[aAbB ._+-]{0,4}",
            "(con|CON|nul|com1|lpt0)[. x]{0,2}",
            ".{60,70}"
        ]
    }

    proptest! {
        #[test]
        fn different_names_are_different_files(one in names(), two in names()) {
            prop_assert_eq!(one == two, folded(&one) == folded(&two));
        }

        #[test]
        fn every_name_is_that_of_a_file_anywhere(name in names()) {
            let file = file_name(&name);
            let fits = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
            prop_assert!((1..=LONGEST).contains(&file.len()) && file.chars().all(fits), "{}", file);
            prop_assert!(!file.starts_with(['.', '-']) && !file.ends_with('.') && !is_device(&file.to_lowercase()));
        }
    }
}
