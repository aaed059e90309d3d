//! Time of one recording by one thread:
//!
//! ```text
//! AMBIVOX_WHISPER=whisper-tiny.en cargo bench -p ambivox-encoders
//! ```

#![allow(clippy::print_stdout, reason = "a measurement that says why there is none")]

use std::hint::black_box;
use std::path::PathBuf;

use ambivox_encoders::{Encoder, Padding, Whisper};
use criterion::{Criterion, criterion_group, criterion_main};

fn recordings(criterion: &mut Criterion) {
    let Some(folder) = std::env::var_os("AMBIVOX_WHISPER").map(PathBuf::from) else {
        return println!("skipped: AMBIVOX_WHISPER names no folder of a model");
    };
    let samples: Vec<f32> = (0..45_000).map(|n| 0.3 * libm::sinf(n as f32 * 0.03)).collect();
    for padding in [Padding::Window, Padding::Nothing] {
        let whisper = Whisper::open(&folder, padding).expect("a folder of Whisper's");
        let mut group = criterion.benchmark_group("2.8 s");
        group.sample_size(10);
        group.bench_function(format!("{padding:?}"), |b| {
            b.iter(|| whisper.states(black_box(&samples)));
        });
    }
}

criterion_group!(benches, recordings);
criterion_main!(benches);
