//! Numbers of threads and of processes that a command line asks for.

use std::num::NonZeroUsize;

/// Threads or processes that may be asked for: more than any machine has cores, and few enough that
/// starting them is not all that happens.
pub const MOST_THREADS: usize = 1024;

/// A number of threads or processes from 1 to [`MOST_THREADS`], as a command line has it; the error says
/// so.
pub fn parse_threads(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse::<NonZeroUsize>().ok().filter(|number| number.get() <= MOST_THREADS);
    number.ok_or_else(|| format!("expected a number from 1 to {MOST_THREADS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_and_thousands_are_refused() {
        for text in ["1", "1024"] {
            assert_eq!(parse_threads(text).unwrap().to_string(), text);
        }
        for text in ["0", "-1", "1025", "8000", "99999999999999999999", "two", ""] {
            assert!(parse_threads(text).unwrap_err().contains("1024"), "{text}");
        }
    }
}
