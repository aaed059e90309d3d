//! Numbers as people read them.

use ambivox_settings::agreeing;

/// What stands where a figure is undefined or was not published.
pub(crate) const NONE: &str = "–";

/// A fraction of 1 in percent, one decimal.
pub(crate) fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| NONE.to_owned(), |rate| format!("{:.1}", 100.0 * rate))
}

/// A difference of fractions in percentage points, one decimal, always signed.
pub(crate) fn points(difference: f64) -> String {
    let text = format!("{:.1}", (100.0 * difference).abs());
    match (text == "0.0", difference < 0.0) {
        (true, _) => "±0.0".to_owned(),
        (false, true) => format!("−{text}"),
        (false, false) => format!("+{text}"),
    }
}

/// An interval of differences of fractions, in percentage points.
pub(crate) fn range([low, high]: [f64; 2]) -> String {
    format!("{} to {}", points(low), points(high))
}

/// A p-value: three decimals, or that it is below the least of them.
pub(crate) fn probability(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}

/// A count with a thin space between thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    format!("{} {}", count(number as u64), agreeing(number, noun))
}

/// Seconds as whole hours and minutes, or minutes and seconds below an hour.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours} h {minutes:02} min")
    } else {
        format!("{minutes} min {rest:02} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_differences() {
        assert_eq!(percent(Some(0.6145)), "61.5");
        assert_eq!(percent(None), "–");
        assert_eq!(points(0.019), "+1.9");
        assert_eq!(points(-0.019), "−1.9");
        assert_eq!(points(-0.0001), "±0.0");
        assert_eq!(probability(0.0371), "0.037");
        assert_eq!(probability(0.0001), "< 0.001");
    }

    #[test]
    fn counts_and_durations() {
        assert_eq!(count(7), "7");
        assert_eq!(count(4490), "4\u{202f}490");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(counted(1, "fold"), "1 fold");
        assert_eq!(duration(20_196.0), "5 h 36 min");
        assert_eq!(duration(61.6), "1 min 02 s");
    }
}
