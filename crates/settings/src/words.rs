//! Numbers and errors in sentences for people.

use std::error::Error;

/// A number with its noun: `1 utterance`, `2 utterances`, `0 entries`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {}", agreeing(count, noun))
}

/// A noun as it stands after a number: `utterance` after 1, `utterances` after any other.
pub fn agreeing(count: usize, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { plural(noun) }
}

/// A number with its noun and the verb to be: `1 utterance is`, `2 utterances are`.
pub fn counted_is(count: usize, noun: &str) -> String {
    format!("{} {}", counted(count, noun), if count == 1 { "is" } else { "are" })
}

/// The last word of a noun is the one that changes.
fn plural(noun: &str) -> String {
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if noun.ends_with(['s', 'x']) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// An error's text and those of what caused it, less what was said already: many errors have the text of
/// their cause in their own.
pub fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !texts.iter().any(|said| said.contains(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    texts
}

/// Items that a message lists at most; of more it tells the number.
const LISTED: usize = 20;

/// The first of many items for a message, and how many more there are.
pub fn some_listed(items: &[String]) -> String {
    let (shown, rest) = items.split_at(items.len().min(LISTED));
    match rest.len() {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As errors of other crates are too.
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Says(#[from] std::io::Error);

    #[derive(Debug, thiserror::Error)]
    #[error("while reading")]
    struct While(#[source] Says);

    #[test]
    fn nothing_is_said_twice() {
        let error = While(Says(std::io::Error::other("no disk")));
        assert_eq!(causes(&error), ["while reading", "no disk"]);
        assert_eq!(causes(&error.0), ["no disk"]);
    }

    #[test]
    fn one_is_no_plural() {
        let written = [0, 1, 2].map(|count| counted_is(count, "utterance"));
        assert_eq!(written, ["0 utterances are", "1 utterance is", "2 utterances are"]);
        for (noun, many) in [("entry", "entries"), ("class", "classes"), ("epoch", "epochs")] {
            assert_eq!(counted(1, noun), format!("1 {noun}"));
            assert_eq!(counted(2, noun), format!("2 {many}"));
        }
    }
}
