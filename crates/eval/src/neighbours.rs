//! Nearest neighbours among vectors of utterances.

/// Vectors whose values have mean 0 and standard deviation 1 over all of them, and that are then brought to
/// length 1, so that products are cosines. One whose values are all means has no direction.
#[derive(Debug)]
pub struct Directions {
    width: usize,
    values: Vec<f32>,
}

/// A deviation that is no more than this share of a mean is the mean's rounding.
const ROUNDING: f64 = 1e-12;
/// A vector whose values are no further from their means than this many deviations was put there by rounding.
const NOWHERE: f64 = 1e-6;

/// Partial sums of a product.
const LANES: usize = 8;

impl Directions {
    /// Of vectors of equal lengths. A value that is the same in all of them, but for the rounding of its mean,
    /// tells nothing.
    pub fn of<R: AsRef<[f32]>>(rows: &[R]) -> Self {
        let width = rows.first().map_or(0, |row| row.as_ref().len());
        let count = rows.len() as f64;
        let over = |term: &dyn Fn(usize, f64) -> f64| {
            let mut sums = vec![0.0; width];
            for row in rows {
                for (at, (sum, x)) in sums.iter_mut().zip(row.as_ref()).enumerate() {
                    *sum += term(at, f64::from(*x)) / count;
                }
            }
            sums
        };
        let mean = over(&|_, x| x);
        let variance = over(&|at, x| (x - mean[at]) * (x - mean[at]));
        let mut values = Vec::with_capacity(rows.len() * width);
        for row in rows {
            let scaled = row.as_ref().iter().zip(&mean).zip(&variance);
            let scaled = scaled.map(|((x, mean), variance)| {
                if *variance > (ROUNDING * mean).powi(2) {
                    (f64::from(*x) - mean) / variance.sqrt()
                } else {
                    0.0
                }
            });
            let scaled: Vec<f64> = scaled.collect();
            let length = scaled.iter().map(|x| x * x).sum::<f64>().sqrt();
            let tells = length > NOWHERE * (width as f64).sqrt();
            let scale = if tells { length.recip() } else { 0.0 };
            values.extend(scaled.into_iter().map(|x| (x * scale) as f32));
        }
        Self { width, values }
    }

    /// Places of the `count` others that the one at `place` is most like, nearest first; of equals, those that
    /// come first. What has no direction is next to nobody.
    pub fn nearest(&self, place: usize, count: usize) -> Vec<usize> {
        let row = |place: usize| &self.values[place * self.width..][..self.width];
        let points = |place: usize| row(place).iter().any(|value| *value != 0.0);
        if !points(place) {
            return Vec::new();
        }
        let own = row(place);
        let others = (0..self.values.len() / self.width.max(1))
            .filter(|other| *other != place && points(*other));
        let mut found: Vec<(f64, usize)> =
            others.map(|other| (product(own, row(other)), other)).collect();
        let order = |a: &(f64, usize), b: &(f64, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if count < found.len() {
            found.select_nth_unstable_by(count, order);
            found.truncate(count);
        }
        found.sort_by(order);
        found.into_iter().map(|(_, other)| other).collect()
    }
}

/// Lanes are of 32 bits for as many products as keep their rounding far below that of the values.
fn product(a: &[f32], b: &[f32]) -> f64 {
    const PIECE: usize = 64 * LANES;
    let of_piece = |(a, b): (&[f32], &[f32])| {
        let mut lanes = [0.0_f32; LANES];
        for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
            lanes.iter_mut().zip(a).zip(b).for_each(|((lane, a), b)| *lane += a * b);
        }
        lanes.into_iter().map(f64::from).sum::<f64>()
    };
    a.chunks(PIECE).zip(b.chunks(PIECE)).map(of_piece).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scikit-learn 1.9: `NearestNeighbors(n_neighbors=4, metric="cosine")` on `StandardScaler().fit_transform`
    /// of these.
    #[test]
    fn neighbours_are_those_of_scikit_learn() {
        let value =
            |row: usize, at: usize| ((row * 7 + at * 13) % 11) as f32 + 0.1 * (row * at) as f32;
        let rows: Vec<Vec<f32>> =
            (0..9).map(|row| (0..5).map(|at| value(row, at)).collect()).collect();
        let directions = Directions::of(&rows);
        let found: Vec<Vec<usize>> = (0..9).map(|row| directions.nearest(row, 3)).collect();
        assert_eq!(found, NEAREST);
    }

    const NEAREST: [[usize; 3]; 9] = [
        [8, 5, 6],
        [4, 7, 3],
        [4, 7, 0],
        [6, 1, 0],
        [7, 1, 2],
        [8, 0, 2],
        [3, 0, 1],
        [4, 1, 2],
        [5, 0, 2],
    ];

    #[test]
    fn equals_are_in_order_and_nobody_is_its_own() {
        let directions = Directions::of(&[[1.0, 5.0], [1.0, 5.0], [-1.0, 5.0], [1.0, 5.0]]);
        assert_eq!(directions.nearest(1, 2), [0, 3]);
        assert_eq!(directions.nearest(2, 9), [0, 1, 3]);
        assert!(Directions::of(&[[0.5]]).nearest(0, 3).is_empty());
    }

    /// The mean of nothing but 0.1 is not 0.1.
    #[test]
    fn what_is_the_same_in_all_tells_nothing() {
        let same = Directions::of(&[[0.1_f32, 1.0 / 7.0, 1e6]; 7]);
        assert!((0..7).all(|place| same.nearest(place, 2).is_empty()));
        // The third is the mean of the others.
        let rows = [[0.1_f32, 1.0], [0.1, 3.0], [0.1, 2.0], [0.1, 1.5], [0.1, 2.5]];
        let directions = Directions::of(&rows);
        assert_eq!(directions.nearest(0, 9), [3, 1, 4]);
        assert!(directions.nearest(2, 9).is_empty());
    }
}
