//! Sound to measure with: files of the user, or a generated signal.

use std::f64::consts::TAU;
use std::path::{Path, PathBuf};

use ambivox_audio::{Cut, load};
use anyhow::Result;
use walkdir::WalkDir;

use crate::failure::Failure;

/// The files named, and all `.wav` files below the folders named, in order.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(below(path)?);
    }
    if files.is_empty() {
        return Err(Failure::Data(format!("no .wav file in {}", list(paths))).into());
    }
    Ok(files)
}

fn below(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.exists() {
        let problem = format!("{}: there is no such file or folder", path.display());
        return Err(Failure::Usage(problem).into());
    }
    let mut files = Vec::new();
    for entry in WalkDir::new(path).sort_by_file_name() {
        let entry = entry?;
        let is_wav = entry.path().extension().is_some_and(|ext| ext.eq_ignore_ascii_case("wav"));
        if entry.file_type().is_file() && (is_wav || entry.depth() == 0) {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The samples of a file: mono, 16 kHz, full scale ±1.
pub(crate) fn read(file: &Path) -> Result<Vec<f32>> {
    load(file, Cut::default()).map_err(|error| Failure::Data(error.to_string()).into())
}

/// A voice of pulses whose pitch wanders, with pauses and a breath of noise: no speech, but all
/// branches of the descriptors are taken as speech takes them.
pub(crate) fn generate(seconds: f64) -> Vec<f32> {
    let rate = f64::from(ambivox_audio::SAMPLE_RATE);
    let mut noise = 1u32;
    let mut phase = 0.0;
    let mut resonance = [0.0f64; 2];
    let sample = |n: usize| {
        let t = n as f64 / rate;
        phase += (140.0 + 30.0 * libm::sin(TAU * 0.7 * t)) / rate;
        let pulse = if phase >= 1.0 && t % 1.2 < 0.8 { 1.0 } else { 0.0 };
        phase %= 1.0;
        noise = noise.wrapping_mul(1664525).wrapping_add(1013904223);
        let breath = f64::from(noise >> 8) / f64::from(1u32 << 23) - 1.0;
        let voice = 0.2 * pulse + 0.002 * breath + 1.6 * resonance[0] - 0.9 * resonance[1];
        resonance = [voice, resonance[0]];
        voice as f32
    };
    (0..(seconds * rate) as usize).map(sample).collect()
}

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::*;

    #[test]
    fn folders_give_their_wav_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        for name in ["b.wav", "a/c.WAV", "a/notes.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let found = files(&[folder.path().to_path_buf()]).unwrap();
        let names: Vec<_> = found.iter().map(|file| file.file_name().unwrap()).collect();
        assert_eq!(names, ["c.WAV", "b.wav"]);
        let named = folder.path().join("a/notes.txt");
        assert_eq!(files(std::slice::from_ref(&named)).unwrap(), [named]);
    }

    #[test]
    fn a_missing_place_and_an_empty_one_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let code = |path: PathBuf| crate::failure::exit_code(&files(&[path]).unwrap_err());
        assert_eq!(code(folder.path().join("none")), 2);
        assert_eq!(code(folder.path().to_path_buf()), 3);
    }

    #[test]
    fn the_generated_voice_is_within_full_scale_and_has_pauses() {
        let samples = generate(2.0);
        let loudest = |part: &[f32]| part.iter().fold(0.0f32, |max, x| max.max(x.abs()));
        assert_eq!(samples.len(), 32_000);
        assert!(loudest(&samples) < 1.0 && loudest(&samples) > 0.1);
        assert!(loudest(&samples[15_000..19_000]) < 0.05);
    }
}
