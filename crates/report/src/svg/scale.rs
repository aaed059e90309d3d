//! From values to places.

/// A linear map of values to pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// Lowest and highest value.
    pub(crate) domain: (f64, f64),
    /// Their places.
    pub(crate) range: (f64, f64),
}

impl Scale {
    /// The place of `value`; the middle of the range where the domain is a point.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let (low, high) = self.domain;
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        self.range.0 + share * (self.range.1 - self.range.0)
    }

    /// Round values within the domain, about `count` of them, 1, 2 or 5 times a power of ten apart.
    pub(crate) fn ticks(&self, count: usize) -> Vec<f64> {
        let (low, high) = self.domain;
        let step = round_step((high - low) / count.max(1) as f64);
        let first = (low / step).ceil() as i64;
        let last = (high / step).floor() as i64;
        (first..=last).map(|k| k as f64 * step).collect()
    }
}

/// The least of 1, 2, 5, 10, 20, … that is not below `width`; 1 where `width` is not positive.
fn round_step(width: f64) -> f64 {
    if !width.is_finite() || width <= 0.0 {
        return 1.0;
    }
    let power = libm::exp10(libm::log10(width).floor());
    let choice = [1.0, 2.0, 5.0, 10.0].into_iter().find(|m| m * power >= width * (1.0 - 1e-9));
    choice.unwrap_or(10.0) * power
}

/// A coordinate with one decimal, as short as it goes.
pub(crate) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A tick's value, as short as it goes.
pub(crate) fn tick_label(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_ends_to_ends() {
        let scale = Scale { domain: (1.0, 3.0), range: (100.0, 0.0) };
        assert_eq!((scale.at(1.0), scale.at(2.0), scale.at(3.0)), (100.0, 50.0, 0.0));
        let point = Scale { domain: (1.0, 1.0), range: (0.0, 10.0) };
        assert_eq!(point.at(1.0), 5.0);
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let ticks = |low, high| Scale { domain: (low, high), range: (0.0, 1.0) }.ticks(4);
        assert_eq!(ticks(0.0, 2.0), [0.0, 0.5, 1.0, 1.5, 2.0]);
        assert_eq!(ticks(1.0, 37.0), [10.0, 20.0, 30.0]);
        assert_eq!(ticks(5.0, 5.0), [5.0]);
    }

    #[test]
    fn labels_are_short() {
        assert_eq!(
            (tick_label(0.5), tick_label(10.0), tick_label(1.25)),
            ("0.5".into(), "10".into(), "1.25".into())
        );
        assert_eq!((px(3.0), px(3.12)), ("3".into(), "3.1".into()));
    }
}
