//! `statistics`: mean, standard deviation, or both, of every column.

use serde::Deserialize;

use super::{PooledRows, Pooling, PoolingKind};

/// Registry entry.
pub(super) const KIND: PoolingKind = PoolingKind {
    name: "statistics",
    make: |section, rows| {
        let Settings { of } = section.read()?;
        let twice = of.iter().enumerate().any(|(at, statistic)| of[..at].contains(statistic));
        if of.is_empty() || twice {
            return Err("of: \"mean\", \"sd\", or both, each once".to_owned());
        }
        Ok(Box::new(Statistics::new(of, rows)))
    },
};

/// Which statistics, in the order of the vector: all of the first, then all of the second.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    of: Vec<Statistic>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Statistic {
    Mean,
    /// Of all rows as the population: 0 of one row.
    Sd,
}

#[derive(Debug)]
struct Statistics {
    of: Vec<Statistic>,
    columns: Vec<String>,
    width: usize,
}

impl Statistics {
    fn new(of: Vec<Statistic>, rows: PooledRows<'_>) -> Self {
        let suffix = |statistic: &Statistic| match statistic {
            Statistic::Mean => "mean",
            Statistic::Sd => "sd",
        };
        let names = |statistic| {
            rows.columns.iter().map(move |name| format!("{name}_{}", suffix(statistic)))
        };
        Self { columns: of.iter().flat_map(names).collect(), width: rows.columns.len(), of }
    }
}

impl Pooling for Statistics {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Sums are of 64 bits and in the order of time; two passes, since frames are many and their spread
    /// may be small beside their mean.
    fn pool(&self, rows: &[f32]) -> Vec<f32> {
        let count = (rows.len() / self.width) as f64;
        let mut means = vec![0.0_f64; self.width];
        for row in rows.chunks_exact(self.width) {
            means.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        for mean in &mut means {
            *mean /= count;
        }
        let mut squares = vec![0.0_f64; self.width];
        for row in rows.chunks_exact(self.width) {
            for ((sum, mean), &x) in squares.iter_mut().zip(&means).zip(row) {
                *sum += (f64::from(x) - mean).powi(2);
            }
        }
        let one = |statistic: &Statistic| -> Vec<f32> {
            match statistic {
                Statistic::Mean => means.iter().map(|&mean| mean as f32).collect(),
                Statistic::Sd => squares.iter().map(|sum| (sum / count).sqrt() as f32).collect(),
            }
        };
        self.of.iter().flat_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use ambivox_settings::Section;
    use proptest::prelude::*;

    use super::*;
    use crate::check_pooling;

    fn section(of: &[&str]) -> Section {
        let of = of.iter().map(|&word| word.into()).collect::<Vec<toml::Value>>();
        let settings = toml::Table::from_iter([("of".to_owned(), toml::Value::Array(of))]);
        Section::new("statistics", &settings).unwrap()
    }

    fn both(width: usize) -> Statistics {
        let columns: Vec<String> = (0..width).map(|at| format!("c{at}")).collect();
        let rows = PooledRows { columns: &columns, added: 0 };
        Statistics::new(vec![Statistic::Mean, Statistic::Sd], rows)
    }

    #[test]
    fn means_come_first_then_deviations() {
        let both = both(2);
        assert_eq!(both.columns(), ["c0_mean", "c1_mean", "c0_sd", "c1_sd"]);
        assert_eq!(both.pool(&[1.0, 5.0, 3.0, 5.0]), [2.0, 5.0, 1.0, 0.0]);
        assert_eq!(both.pool(&[1.0, 5.0]), [1.0, 5.0, 0.0, 0.0]);
    }

    #[test]
    fn each_statistic_is_named_once() {
        check_pooling(&section(&["sd", "mean"])).unwrap();
        for wrong in [&[][..], &["mean", "mean"]] {
            let text = check_pooling(&section(wrong)).unwrap_err().to_string();
            assert!(text.contains("[pooling]: of: \"mean\", \"sd\", or both"), "{text}");
        }
        let text = check_pooling(&section(&["median"])).unwrap_err().to_string();
        assert!(text.contains("unknown variant `median`"), "{text}");
    }

    proptest! {
        /// A shift of all rows moves the mean alone, a factor both.
        #[test]
        fn statistics_move_with_the_rows(rows in prop::collection::vec(-100_i16..100, 2..40)) {
            let rows: Vec<f32> = rows.into_iter().map(f32::from).collect();
            let one = both(1);
            let (plain, moved) = (one.pool(&rows), rows.iter().map(|x| 2.0 * x + 8.0).collect::<Vec<_>>());
            let moved = one.pool(&moved);
            prop_assert!((moved[0] - (2.0 * plain[0] + 8.0)).abs() < 1e-4);
            prop_assert!((moved[1] - 2.0 * plain[1]).abs() < 1e-4);
        }
    }
}
