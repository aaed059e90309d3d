//! Facts for people: a word and what there is to tell of it, at most 80 columns wide.

/// Columns of a terminal.
pub(crate) const WIDTH: usize = 80;

/// A line for each fact, with those that it needs more below it, aligned. Words longer than a line, such as
/// paths, stay whole.
pub(crate) fn lines<'a>(facts: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let facts: Vec<_> = facts.into_iter().collect();
    let indent = facts.iter().map(|(word, _)| word.chars().count()).max().unwrap_or(0) + 2;
    let mut lines = Vec::new();
    for (word, text) in facts {
        let mut head = word;
        for line in wrapped(text, WIDTH - indent) {
            lines.push(format!("{head:indent$}{line}"));
            head = "";
        }
    }
    lines.join("\n")
}

/// A text in lines of at most so many characters.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_facts_go_on_below_themselves() {
        let long = "word ".repeat(30);
        let path = format!("/{}", "p".repeat(90));
        let text = lines([("a", "one"), ("longer", long.trim()), ("path", &path)]);
        let of: Vec<&str> = text.lines().collect();
        assert_eq!((of[0], of[3]), ("a       one", "        word word"));
        assert!(of[1].starts_with("longer  word word") && of[1].chars().count() <= WIDTH);
        assert_eq!(of.last().unwrap().trim_start(), format!("path    {path}"));
    }
}
