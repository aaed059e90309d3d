//! Descriptors of a WAV file at 16 kHz as CSV, a row for each frame of 10 ms, computed as the samples come:
//! `cargo run -p ambivox-lld --example descriptors -- speech.wav`.

use std::error::Error;
use std::io::{Write as _, stdout};

use ambivox_lld::{FeatureSet, Stream};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).ok_or("name a WAV file at 16 kHz")?;
    let mut wav = hound::WavReader::open(&file)?;
    if (wav.spec().sample_rate, wav.spec().channels) != (16_000, 1) {
        return Err("the file is not at 16 kHz with one channel".into());
    }
    let samples = wav.samples::<i16>().collect::<Result<Vec<_>, _>>()?;
    let samples: Vec<f32> = samples.into_iter().map(|sample| f32::from(sample) / 32768.0).collect();
    let mut stream = Stream::new(&FeatureSet::builtin("ser32")?)?;
    let mut rows = Vec::new();
    // A quarter of a second at a time; pieces of any size give the same rows.
    for piece in samples.chunks(4_000) {
        stream.push(piece, &mut rows);
    }
    stream.finish(&mut rows);
    let mut out = stdout().lock();
    writeln!(out, "{}", stream.columns().join(","))?;
    for row in rows.chunks_exact(stream.width()) {
        let values: Vec<String> = row.iter().map(f32::to_string).collect();
        writeln!(out, "{}", values.join(","))?;
    }
    Ok(())
}
