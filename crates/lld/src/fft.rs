//! Fourier transforms of many frames at once: complex, in place, and of real sequences.

use std::f64::consts::TAU;

use pulp::Simd;

/// A complex number of every frame: real and imaginary part.
pub(crate) type Complex<S> = [<S as Simd>::f32s; 2];

/// A complex number in single precision.
type Factor = [f32; 2];

/// e^(-2πi turns), rounded once.
pub(crate) fn rotation(turns: f64) -> Factor {
    let (sin, cos) = libm::sincos(TAU * turns);
    [cos as f32, -sin as f32]
}

/// Forward transform of `points` complex points, a power of two: decimation in frequency by four,
/// with a last step by two where `points` is not a power of four. The result lies in the order that
/// leaves behind; reading rows in any order costs nothing.
#[derive(Clone)]
pub(crate) struct Fft {
    /// Per stage, per place in a quarter: e^(-2πi j/L), its square and its cube.
    stages: Vec<Vec<[Factor; 3]>>,
    /// Where each output lies.
    places: Vec<usize>,
}

impl Fft {
    pub(crate) fn new(points: usize) -> Self {
        let mut stages = Vec::new();
        let mut length = points;
        while length >= 4 {
            let turns = |j: usize, power: usize| rotation((j * power) as f64 / length as f64);
            stages.push((0..length / 4).map(|j| [1, 2, 3].map(|power| turns(j, power))).collect());
            length /= 4;
        }
        Self { stages, places: (0..points).map(|k| place(k, points)).collect() }
    }

    /// Where output `k` lies after [`Fft::run`].
    pub(crate) fn place(&self, k: usize) -> usize {
        self.places[k]
    }

    /// Transforms `z` in place.
    #[inline(always)]
    pub(crate) fn run<S: Simd>(&self, simd: S, z: &mut [Complex<S>]) {
        let mut length = self.places.len();
        for stage in &self.stages {
            for block in z.chunks_exact_mut(length) {
                quarters(simd, block, stage);
            }
            length /= 4;
        }
        if length == 2 {
            for [a, b] in z.as_chunks_mut().0 {
                [*a, *b] = [add(simd, *a, *b), subtract(simd, *a, *b)];
            }
        }
    }
}

/// Where output `k` of `points` ends up: remainders first.
fn place(k: usize, points: usize) -> usize {
    match points {
        0..=1 => 0,
        2 => k,
        _ => (k % 4) * (points / 4) + place(k / 4, points / 4),
    }
}

/// One step by four over a block.
#[inline(always)]
fn quarters<S: Simd>(simd: S, block: &mut [Complex<S>], factors: &[[Factor; 3]]) {
    let (low, high) = block.split_at_mut(2 * factors.len());
    let (a, b) = low.split_at_mut(factors.len());
    let (c, d) = high.split_at_mut(factors.len());
    // The first has factors of 1.
    [a[0], b[0], c[0], d[0]] = four(simd, [a[0], b[0], c[0], d[0]]);
    let rows = a.iter_mut().zip(b).zip(c).zip(d).zip(factors).skip(1);
    for ((((a, b), c), d), [w1, w2, w3]) in rows {
        let [w, x, y, z] = four(simd, [*a, *b, *c, *d]);
        *a = w;
        *b = multiply(simd, x, *w1);
        *c = multiply(simd, y, *w2);
        *d = multiply(simd, z, *w3);
    }
}

/// Transform of four points.
#[inline(always)]
fn four<S: Simd>(simd: S, [a, b, c, d]: [Complex<S>; 4]) -> [Complex<S>; 4] {
    let (even, odd) = (add(simd, a, c), subtract(simd, a, c));
    let (sum, [re, im]) = (add(simd, b, d), subtract(simd, b, d));
    // -i (b - d) = im - i re
    [
        add(simd, even, sum),
        [simd.add_f32s(odd[0], im), simd.sub_f32s(odd[1], re)],
        subtract(simd, even, sum),
        [simd.sub_f32s(odd[0], im), simd.add_f32s(odd[1], re)],
    ]
}

#[inline(always)]
fn add<S: Simd>(simd: S, a: Complex<S>, b: Complex<S>) -> Complex<S> {
    [simd.add_f32s(a[0], b[0]), simd.add_f32s(a[1], b[1])]
}

#[inline(always)]
fn subtract<S: Simd>(simd: S, a: Complex<S>, b: Complex<S>) -> Complex<S> {
    [simd.sub_f32s(a[0], b[0]), simd.sub_f32s(a[1], b[1])]
}

/// The product of every frame's number and the same factor.
#[inline(always)]
pub(crate) fn multiply<S: Simd>(simd: S, [re, im]: Complex<S>, factor: Factor) -> Complex<S> {
    let [c, s] = factor.map(|part| simd.splat_f32s(part));
    [
        simd.sub_f32s(simd.mul_f32s(re, c), simd.mul_f32s(im, s)),
        simd.add_f32s(simd.mul_f32s(re, s), simd.mul_f32s(im, c)),
    ]
}

/// Transform of `points` real points, a power of two and at least 2, as a complex one of half as
/// many: even samples are its real parts, odd ones its imaginary parts, which is how they lie.
#[derive(Clone)]
pub(crate) struct RealFft {
    fft: Fft,
    pairs: Vec<Pair>,
}

/// Takes the bins that [`RealFft::run`] computes: a method instead of a closure, since it must be
/// inlined into code for the instruction set at hand.
pub(crate) trait Bins<S: Simd> {
    /// Takes **twice** the value of the bin of that number.
    fn take(&mut self, number: usize, twice: Complex<S>);
}

/// Two bins `low` and `points`/2 - `low`, which come out of the same two complex outputs.
#[derive(Clone)]
struct Pair {
    low: usize,
    places: [usize; 2],
    factor: Factor,
}

impl RealFft {
    pub(crate) fn new(points: usize) -> Self {
        let half = points / 2;
        let fft = Fft::new(half);
        let pair = |low: usize| Pair {
            low,
            places: [fft.place(low), fft.place(half - low)],
            factor: rotation(low as f64 / points as f64),
        };
        Self { pairs: (1..half.div_ceil(2)).map(pair).collect(), fft }
    }

    /// Transforms `rows`, which is scratch afterwards, and hands over the bins from 0 to `points`/2,
    /// in any order.
    #[inline(always)]
    pub(crate) fn run<S: Simd>(&self, simd: S, rows: &mut [S::f32s], mut bins: impl Bins<S>) {
        let z = rows.as_chunks_mut().0;
        self.fft.run(simd, z);
        let half = z.len();
        let [re, im] = z[0].map(|part| simd.add_f32s(part, part));
        let zero = simd.splat_f32s(0.0);
        bins.take(0, [simd.add_f32s(re, im), zero]);
        bins.take(half, [simd.sub_f32s(re, im), zero]);
        if half > 1 {
            let [re, im] = z[self.fft.place(half / 2)].map(|part| simd.add_f32s(part, part));
            bins.take(half / 2, [re, simd.sub_f32s(zero, im)]);
        }
        for Pair { low, places: [a, b], factor } in &self.pairs {
            let [bin, mirrored] = untangle(simd, z[*a], z[*b], *factor);
            bins.take(*low, bin);
            bins.take(half - low, mirrored);
        }
    }
}

/// From outputs k and points/2 - k of the complex transform to twice those bins of the real one.
#[inline(always)]
fn untangle<S: Simd>(simd: S, z: Complex<S>, y: Complex<S>, factor: Factor) -> [Complex<S>; 2] {
    let even = [simd.add_f32s(z[0], y[0]), simd.sub_f32s(z[1], y[1])];
    let odd = [simd.add_f32s(z[1], y[1]), simd.sub_f32s(y[0], z[0])];
    let turned = multiply(simd, odd, factor);
    let mirrored = subtract(simd, turned, even);
    [add(simd, even, turned), [simd.sub_f32s(even[0], turned[0]), mirrored[1]]]
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;
    use realfft::RealFftPlanner;

    use super::*;

    struct Collect(Vec<Complex<Scalar>>);

    impl Bins<Scalar> for &mut Collect {
        fn take(&mut self, number: usize, twice: Complex<Scalar>) {
            self.0[number] = twice;
        }
    }

    #[test]
    fn equals_an_independent_transform_at_every_length() {
        for points in (1..=14).map(|power| 1 << power) {
            let mut input: Vec<f32> = (0..points).map(|n| (n as f32 * 0.7).sin() + 0.2).collect();
            let mut bins = Collect(vec![[f32::NAN; 2]; points / 2 + 1]);
            RealFft::new(points).run(Scalar, &mut input.clone(), &mut bins);
            let plan = RealFftPlanner::new().plan_fft_forward(points);
            let mut expected = plan.make_output_vec();
            plan.process(&mut input, &mut expected).unwrap();
            let size = expected.iter().map(|z| z.norm()).fold(0.0, f32::max);
            for (k, (got, z)) in bins.0.iter().zip(expected).enumerate() {
                let error = (got[0] * 0.5 - z.re).abs().max((got[1] * 0.5 - z.im).abs());
                assert!(error <= 1e-6 * size, "{points} points, bin {k}: {got:?} {z}");
            }
        }
    }

    #[test]
    fn an_impulse_is_exactly_flat() {
        let mut input = [0.0; 512];
        input[0] = 0.5;
        let mut bins = Collect(vec![[f32::NAN; 2]; 257]);
        RealFft::new(512).run(Scalar, &mut input, &mut bins);
        assert!(bins.0.iter().all(|&bin| bin == [1.0, 0.0]));
    }
}
