//! Time from samples to all hidden states of a model of the wav2vec2 family, for utterances of 4 and 10
//! seconds on one thread and on two; `wav2vec2.py` beside it makes a model of random weights and
//! measures PyTorch the same way:
//!
//! ```sh
//! python crates/encoders/benches/wav2vec2.py /tmp/wav2vec2-base
//! AMBIVOX_ENCODER=/tmp/wav2vec2-base cargo bench -p ambivox-encoders --profile dev
//! ```

#![allow(clippy::print_stdout, reason = "a measurement that says why there is none")]

use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

fn states(criterion: &mut Criterion) {
    let Some(folder) = std::env::var_os("AMBIVOX_ENCODER") else {
        return println!("skipped: AMBIVOX_ENCODER names no folder of a model");
    };
    let encoder = ambivox_encoders::open(Path::new(&folder)).expect("the folder has a model");
    let mut group = criterion.benchmark_group("states");
    group.sample_size(10).warm_up_time(Duration::from_secs(2));
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.expect("threads can be had");
        for seconds in [4, 10] {
            let samples: Vec<f32> =
                (0..seconds * 16_000).map(|n| libm::sinf(n as f32 * 0.1)).collect();
            let name = BenchmarkId::new(format!("{seconds} s"), format!("{threads} threads"));
            group.bench_function(name, |bencher| {
                bencher.iter(|| pool.install(|| encoder.states(&samples).expect("enough samples")));
            });
        }
    }
}

criterion_group!(benches, states);
criterion_main!(benches);
