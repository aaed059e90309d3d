//! Rust source as the compiler takes it: its tokens, without comments, documentation and unit tests.

use proc_macro2::{Delimiter, LexError, Spacing, TokenStream, TokenTree};

type Tokens = std::iter::Peekable<proc_macro2::token_stream::IntoIter>;

/// The tokens of a file, one a line. Two texts have the same only where they compile to the same,
/// names of files and lines apart.
pub(crate) fn canonical(text: &str) -> Result<String, LexError> {
    let mut lines = String::new();
    write(&mut lines, text.parse()?);
    Ok(lines)
}

fn write(lines: &mut String, stream: TokenStream) {
    let mut tokens = stream.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match attribute(&token, &tokens) {
            Some(Attribute { is_inner, content }) if says_nothing(&content) => {
                skip(&mut tokens, 1 + usize::from(is_inner));
            }
            Some(Attribute { is_inner: false, content }) if is_test(&content) => {
                skip(&mut tokens, 1);
                skip_item(&mut tokens);
            }
            _ => {
                let is_joined = joins(&token, tokens.peek());
                write_token(lines, token, is_joined);
            }
        }
    }
}

/// `#[content]` or `#![content]`.
struct Attribute {
    is_inner: bool,
    content: TokenStream,
}

/// The attribute that a token begins.
fn attribute(token: &TokenTree, rest: &Tokens) -> Option<Attribute> {
    let is = |token: &TokenTree, c| matches!(token, TokenTree::Punct(p) if p.as_char() == c);
    if !is(token, '#') {
        return None;
    }
    let mut rest = rest.clone();
    let is_inner = rest.next_if(|token| is(token, '!')).is_some();
    match rest.next()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            Some(Attribute { is_inner, content: group.stream() })
        }
        _ => None,
    }
}

/// Documentation, and what lints are told.
fn says_nothing(content: &TokenStream) -> bool {
    let first = content.clone().into_iter().next().map(|token| token.to_string());
    matches!(first.as_deref(), Some("doc" | "allow" | "expect" | "warn" | "deny"))
}

fn is_test(content: &TokenStream) -> bool {
    let text: String = content.clone().into_iter().map(|token| token.to_string()).collect();
    text.replace(' ', "") == "cfg(test)"
}

fn skip(tokens: &mut Tokens, count: usize) {
    tokens.by_ref().take(count).for_each(drop);
}

/// Passes over an item to its end, or not as far as that: what is left of it only counts too much.
fn skip_item(tokens: &mut Tokens) {
    for token in tokens.by_ref() {
        let ends = match &token {
            TokenTree::Punct(punct) => matches!(punct.as_char(), ';' | ','),
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        };
        if ends {
            break;
        }
    }
}

/// Whether a token and the next make one operator or lifetime; that a lifetime follows a `&` at once or
/// after a blank makes no difference.
fn joins(token: &TokenTree, next: Option<&TokenTree>) -> bool {
    match (token, next) {
        (TokenTree::Punct(punct), Some(TokenTree::Punct(next))) => {
            punct.spacing() == Spacing::Joint && next.as_char() != '\''
        }
        (TokenTree::Punct(punct), _) => punct.as_char() == '\'',
        _ => false,
    }
}

fn write_token(lines: &mut String, token: TokenTree, is_joined: bool) {
    match token {
        TokenTree::Group(group) => {
            let (open, close) = match group.delimiter() {
                Delimiter::Parenthesis => ("(\n", ")\n"),
                Delimiter::Brace => ("{\n", "}\n"),
                Delimiter::Bracket => ("[\n", "]\n"),
                Delimiter::None => ("", ""),
            };
            lines.push_str(open);
            write(lines, group.stream());
            lines.push_str(close);
        }
        TokenTree::Punct(punct) => {
            lines.push(punct.as_char());
            if !is_joined {
                lines.push('\n');
            }
        }
        other => {
            lines.push_str(&other.to_string());
            lines.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &str) -> String {
        canonical(text).unwrap()
    }

    const CODE: &str = "fn f(x: &'static str) -> u8 { x.len() as u8 && 1 }";

    #[test]
    fn comments_documentation_lints_and_form_do_not_count() {
        for same in [
            "//! Of a module.\n/// Of a function.\nfn f(x: &'static str) -> u8 { x.len() as u8 && 1 }",
            "fn f ( x : & 'static str ) -> u8 {\n  /* why */ x.len() as u8 && 1 // here\n}",
            "#![allow(dead_code)]\n#[expect(unused, reason = \"x\")]\n#[doc = \"y\"]\n\
             fn f(x: &'static str) -> u8 { x.len() as u8 && 1 }",
        ] {
            assert_eq!(lines(same), lines(CODE), "{same}");
        }
    }

    #[test]
    fn unit_tests_do_not_count() {
        for tests in [
            "#[cfg(test)]\nmod tests { fn t() { let x = [1; 2]; } }",
            "#[cfg(test)] mod tests;",
            "#[cfg(test)] #[path = \"x.rs\"] pub(crate) mod t;",
            "#[cfg(test)] fn g(a: u8) -> u8 { a }",
        ] {
            assert_eq!(lines(&format!("{tests}\n{CODE}")), lines(CODE), "{tests}");
            assert_eq!(lines(&format!("{CODE}\n{tests}")), lines(CODE), "{tests}");
        }
        let kept = "#[cfg(not(test))] fn g() {}";
        assert_ne!(lines(&format!("{kept}\n{CODE}")), lines(CODE));
    }

    #[test]
    fn what_is_compiled_counts() {
        for (from, to) in [
            ("f(", "g("),
            ("u8 &&", "u16 &&"),
            ("&& 1", "& &1"),
            ("1", "1.0"),
            ("'static", "'_"),
            ("fn", "#[inline] fn"),
            ("x.len()", "\"// x\".len()"),
        ] {
            assert_ne!(lines(&CODE.replacen(from, to, 1)), lines(CODE), "{from} {to}");
        }
    }

    #[test]
    fn literals_keep_their_blanks() {
        assert_ne!(lines("const A: &str = \"a  b\";"), lines("const A: &str = \"a b\";"));
    }

    proptest! {
        /// No comment counts, wherever a blank may stand.
        #[test]
        fn a_comment_anywhere_leaves_the_tokens_as_they_are(at in 0_usize..6, text in "[ -.0-~]*") {
            let blanks: Vec<usize> = CODE.match_indices(' ').map(|(place, _)| place).collect();
            let place = blanks[at % blanks.len()];
            let (head, tail) = CODE.split_at(place);
            prop_assert_eq!(lines(&format!("{head} // {text}\n{tail}")), lines(CODE));
        }
    }
}
