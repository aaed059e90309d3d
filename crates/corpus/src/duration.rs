//! Points in time as tables write them.

/// Seconds from `1.5`, `00:00:01.5` or a pandas duration such as `0 days 00:00:01.500000`.
///
/// `None` for anything else, negative times included.
pub(crate) fn parse_seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Some((days, clock)) = text.split_once("day") {
        let days: u32 = days.trim().parse().ok()?;
        let clock = clock.strip_prefix('s').unwrap_or(clock).trim();
        let rest = if clock.is_empty() { 0.0 } else { clock_seconds(clock)? };
        return Some(f64::from(days) * 86_400.0 + rest);
    }
    if text.contains(':') { clock_seconds(text) } else { non_negative(text) }
}

/// Seconds of `HH:MM:SS` with an optional fraction.
fn clock_seconds(text: &str) -> Option<f64> {
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let hours: u32 = hours.parse().ok()?;
    let minutes: u32 = minutes.parse().ok().filter(|&minutes| minutes < 60)?;
    let seconds = non_negative(seconds).filter(|&seconds| seconds < 60.0)?;
    Some(f64::from(hours) * 3600.0 + f64::from(minutes) * 60.0 + seconds)
}

fn non_negative(text: &str) -> Option<f64> {
    text.parse().ok().filter(|&seconds: &f64| seconds.is_finite() && seconds >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::parse_seconds;
    use proptest::prelude::*;

    #[test]
    fn every_form_is_read() {
        for (text, seconds) in [
            ("1.5", 1.5),
            (" 0 ", 0.0),
            ("00:00:01.5", 1.5),
            ("01:02:03", 3723.0),
            ("0 days 00:00:01.500000", 1.5),
            ("0 days", 0.0),
            ("1 day 00:00:01", 86_401.0),
            ("2 days 01:00:00", 176_400.0),
        ] {
            assert_eq!(parse_seconds(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for text in [
            "",
            "x",
            "-1",
            "-1 days 00:00:01",
            "nan",
            "inf",
            "1:2",
            "00:60:00",
            "00:00:60",
            "0 days 1.5",
            "1:2:3:4",
            "NaT",
        ] {
            assert_eq!(parse_seconds(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".*") {
            let seconds = parse_seconds(&text);
            prop_assert!(seconds.is_none_or(|seconds| seconds >= 0.0 && seconds.is_finite()));
        }

        #[test]
        fn a_pandas_duration_is_its_sum(
            (d, h, m, ms) in (0..9u32, 0..24u32, 0..60u32, 0..60_000u32),
        ) {
            let text = format!("{d} days {h:02}:{m:02}:{:02}.{:03}", ms / 1000, ms % 1000);
            let expected = f64::from(((d * 24 + h) * 60 + m) * 60) + f64::from(ms) / 1000.0;
            prop_assert!((parse_seconds(&text).unwrap() - expected).abs() < 1e-9);
        }
    }
}
