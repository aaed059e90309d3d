//! Generated rows of frames, as many as some hours of speech have.

use std::path::Path;

use ambivox_features::{Precision, RowWriter};
use ambivox_nn::rng;
use anyhow::Result;
use fs_err as fs;
use rand::RngExt as _;
use rustix::fs::{Advice, fadvise};

/// Values of a frame, as many as a built-in set has.
pub(super) const WIDTH: usize = 32;
/// Frames of an hour: one every 10 ms.
const FRAMES: usize = 360_000;
/// Frames of an utterance on average: 5.5 s, as in MSP-Podcast.
const MEAN: usize = 550;

/// Frames of every utterance: 1.5 to 9.5 s, by turns.
pub(super) fn lengths(hours: u32) -> impl Iterator<Item = usize> {
    let count = hours as usize * FRAMES / MEAN;
    (0..count).map(|n| MEAN - 400 + 100 * (n % 9))
}

/// Writes the rows, and has the system forget that it has seen them.
pub(super) fn write(file: &Path, hours: u32) -> Result<()> {
    let columns = (0..WIDTH).map(|n| format!("value_{n}")).collect();
    let mut chance = rng(1, "frames");
    // What the values are has no influence on memory or time: parts of one block will do.
    let block: Vec<f32> = (0..1 << 16).map(|_| chance.random_range(-1.0..1.0)).collect();
    let mut writer = RowWriter::create(file, columns, Precision::F32)?;
    let mut rows = Vec::new();
    for (n, frames) in lengths(hours).enumerate() {
        rows.clear();
        rows.extend(block.iter().cycle().skip(n % 1009).take(frames * WIDTH));
        writer.push(&format!("PODCAST_{n:09}"), &rows)?;
    }
    writer.finish()?;
    let file = fs::File::open(file)?;
    file.sync_all()?;
    Ok(fadvise(file.file(), 0, None, Advice::DontNeed)?)
}
