//! The emotion of recordings, by a folder that `ambivox bundle` made:
//! `cargo run -p ambivox-predict --example emotions -- networks speech.wav`.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::path::PathBuf;

use ambivox_audio::Cut;
use ambivox_predict::{Encoders, Ensemble};

/// Longer recordings are cut into windows of so many seconds.
const LONGEST_S: f64 = 10.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = paths.next().ok_or("name the folder of networks, then recordings")?;
    let ensemble = Ensemble::load(&folder, Encoders::default())?;
    for path in paths {
        let samples = ambivox_audio::load(&path, Cut::default())?;
        let analysis = ensemble.analyse(&samples, LONGEST_S)?;
        let likeliest = ensemble.classes().iter().zip(&analysis.probabilities);
        let likeliest = likeliest.max_by(|a, b| a.1.total_cmp(b.1)).ok_or("no classes")?;
        writeln!(stdout(), "{}: {} ({:.2})", path.display(), likeliest.0, likeliest.1)?;
    }
    Ok(())
}
