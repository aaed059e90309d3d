//! Time of the descriptors per frame, beside that of the three transforms of §5 and §8 alone as
//! realfft computes them, and the arithmetic that a frame takes (a roofline):
//!
//! ```sh
//! cargo bench -p ambivox-lld --profile dev
//! ```

#![allow(clippy::print_stdout, reason = "a measurement that prints its table")]

use std::hint::black_box;
use std::time::Instant;

use ambivox_lld::{Extractor, FeatureSet, Stream};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use realfft::RealFftPlanner;
use realfft::num_complex::Complex32;

const SECONDS: usize = 20;
const FRAMES: usize = SECONDS * 100 - 2;
/// Points of the transform of a frame of `ser32`, and its bins (§5).
const POINTS: usize = 512;
const BINS: usize = POINTS / 2 + 1;

/// A glottal buzz of 150 Hz that comes and goes over noise: two thirds of the time it is there.
fn sound() -> Vec<f32> {
    let mut state = 1u32;
    let sample = |n: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 16) as f32 / 65_536.0 - 0.5;
        let pulse = if n % 107 < 3 && n % 24_000 < 16_000 { 0.6 } else { 0.0 };
        pulse + 0.02 * noise
    };
    (0..SECONDS * 16_000).map(sample).collect()
}

fn extractor(set: &str) -> Extractor {
    let set = FeatureSet::builtin(set).expect("the set is built in");
    Extractor::new(&set).expect("built-in sets are sound")
}

/// The transforms of one frame: forward, and twice back from a real spectrum.
fn transforms() -> impl FnMut() {
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, inverse) = (planner.plan_fft_forward(POINTS), planner.plan_fft_inverse(POINTS));
    let (mut points, mut bins) = (forward.make_input_vec(), forward.make_output_vec());
    let (mut scratch, mut back) = (forward.make_scratch_vec(), inverse.make_scratch_vec());
    let frame = sound()[..POINTS].to_vec();
    move || {
        points.copy_from_slice(&frame);
        forward.process_with_scratch(&mut points, &mut bins, &mut scratch).expect("they fit");
        for _ in 0..2 {
            for (bin, &value) in bins.iter_mut().zip(&frame) {
                *bin = Complex32::new(value, 0.0);
            }
            inverse.process_with_scratch(&mut bins, &mut points, &mut back).expect("they fit");
            black_box(&points);
        }
    }
}

/// Additions and multiplications of a complex transform of `points` points, by four.
fn complex_flops(points: usize) -> usize {
    match points {
        0..=1 => 0,
        2 => 4,
        _ => 16 * (points / 4) + 18 * (points / 4 - 1) + 4 * complex_flops(points / 4),
    }
}

/// Those of a real one.
fn real_flops(points: usize) -> usize {
    complex_flops(points / 2) + 14 * (points / 4) + 2
}

/// Those of the sum of cosines of §8 over `intervals` intervals.
fn cosine_flops(intervals: usize) -> usize {
    if intervals <= 2 {
        return 6;
    }
    cosine_flops(intervals / 2) + real_flops(intervals / 2) + 10 * (intervals / 4 + 1)
}

/// Floating-point operations that a frame of `ser32` takes, a comparison counting as one.
fn steps() -> [(&'static str, usize); 10] {
    const LENGTH: usize = 400;
    [
        ("scale (§1)", 160),
        ("pre-emphasis, window (§3, §4)", 3 * LENGTH),
        ("transform (§5)", real_flops(POINTS)),
        ("power (§5)", 4 * BINS),
        ("mel, logarithm, cosines (§6, §7)", 4 * (BINS - 3) + 26 * 25 + 12 * (2 * 26 + 1)),
        ("logarithm of the power (§8)", 34 * BINS),
        ("two inverse transforms (§8)", 2 * cosine_flops(POINTS / 2)),
        ("voicing, lag (§9)", 3 * 225 + 4 * 256 + 3 * 222),
        ("loudness, zero crossings (§10, §11)", 3 * LENGTH + 6 * (LENGTH - 2)),
        ("deltas (§12)", 16 * 7),
    ]
}

/// Best time of several runs in µs.
fn best(mut run: impl FnMut()) -> f64 {
    let time = |()| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1e6
    };
    [(); 20].map(time).into_iter().fold(f64::INFINITY, f64::min)
}

fn roofline(_: &mut Criterion) {
    let (sound, mut extractor, mut transforms) = (sound(), extractor("ser32"), transforms());
    let whole = best(|| drop(black_box(extractor.process(&sound)))) / FRAMES as f64;
    let three = best(|| (0..FRAMES).for_each(|_| transforms())) / FRAMES as f64;
    let total: usize = steps().iter().map(|(_, flops)| flops).sum();
    println!("floating-point operations per frame of ser32");
    for (step, flops) in steps() {
        println!("{flops:>8}  {:>4.1} %  {step}", 100.0 * flops as f64 / total as f64);
    }
    println!("{total:>8}  in {whole:.3} µs: {:.1} GFLOP/s", total as f64 / whole / 1e3);
    println!("{:>8.0}  times real time", 1e4 / whole);
    println!("realfft's three transforms alone: {three:.3} µs, {:.2} of the whole", three / whole);
}

fn descriptors(criterion: &mut Criterion) {
    let sound = sound();
    let mut group = criterion.benchmark_group("frames");
    group.throughput(Throughput::Elements(FRAMES as u64));
    for set in FeatureSet::builtin_names() {
        let mut extractor = extractor(set);
        group.bench_function(set, |bencher| bencher.iter(|| extractor.process(&sound)));
    }
    let mut stream = FeatureSet::builtin("ser32").and_then(|set| Stream::new(&set)).expect("sound");
    for piece in [160, 16_000] {
        let mut rows = Vec::new();
        group.bench_function(BenchmarkId::new("stream of ser32, pieces of", piece), |bencher| {
            bencher.iter(|| {
                rows.clear();
                sound.chunks(piece).for_each(|piece| stream.push(piece, &mut rows));
                stream.finish(&mut rows);
            });
        });
    }
    group.finish();
}

fn realfft(criterion: &mut Criterion) {
    criterion.bench_function("three transforms of a frame with realfft", |bencher| {
        bencher.iter(transforms());
    });
}

criterion_group!(benches, roofline, descriptors, realfft);
criterion_main!(benches);
