//! openSMILE at work on the same sounds, where Python has it.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result};
use fs_err as fs;
use tempfile::TempDir;

const SCRIPT: &str = include_str!("opensmile.py");
const CONFIGURATION: &str = include_str!("ser32.conf");
const SINK: &str = include_str!("null_sink.conf");

/// A process that times openSMILE on `ser32`; it ends when this is dropped.
pub(super) struct OpenSmile {
    /// Version of the Python package.
    pub(super) version: String,
    child: Child,
    asks: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    /// The files it reads.
    _folder: TempDir,
}

impl OpenSmile {
    /// Starts it; `None` where this Python does not have openSMILE.
    pub(super) fn start(python: &Path, sounds: &[Vec<f32>]) -> Result<Option<Self>> {
        let found = Command::new(python)
            .args(["-c", "import opensmile"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !found {
            return Ok(None);
        }
        let folder = tempfile::tempdir()?;
        let place = |name: &str| folder.path().join(name);
        fs::write(place("ser32.conf"), CONFIGURATION)?;
        fs::write(place("sink.conf"), SINK)?;
        fs::write(place("sounds"), packed(sounds))?;
        let files = ["ser32.conf", "sink.conf", "sounds"].map(place);
        let mut command = Command::new(python);
        command.arg("-c").arg(SCRIPT).args(files);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let answers = child.stdout.take().context("openSMILE has no output")?;
        let asks = child.stdin.take();
        let mut answers = BufReader::new(answers).lines();
        let version = answers.next().context("openSMILE ended early; its error is above")??;
        Ok(Some(Self { version, child, asks, answers, _folder: folder }))
    }

    /// Seconds that it takes for all sounds.
    pub(super) fn time(&mut self) -> Result<f64> {
        let asks = self.asks.as_mut().context("openSMILE has no input")?;
        writeln!(asks)?;
        let answer = self.answers.next().context("openSMILE ended early; its error is above")??;
        Ok(answer.parse()?)
    }
}

impl Drop for OpenSmile {
    fn drop(&mut self) {
        self.asks = None;
        // It has nothing left to do; how it ends is of no interest.
        self.child.wait().ok();
    }
}

/// Sounds as the script reads them.
fn packed(sounds: &[Vec<f32>]) -> Vec<u8> {
    let sample = |x: &f32| ((x * 32768.0).round() as i16).to_le_bytes();
    let one = |sound: &Vec<f32>| {
        let count = (sound.len() as u32).to_le_bytes();
        count.into_iter().chain(sound.iter().flat_map(sample)).collect::<Vec<u8>>()
    };
    sounds.iter().flat_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_without_opensmile_is_no_error() {
        assert!(OpenSmile::start(Path::new("/nowhere/python"), &[]).unwrap().is_none());
    }

    #[test]
    fn sounds_are_packed_as_16_bit_samples_after_their_count() {
        let bytes = packed(&[vec![1.0 / 32768.0, -1.0], vec![2.0]]);
        assert_eq!(bytes, [2, 0, 0, 0, 1, 0, 0, 128, 1, 0, 0, 0, 255, 127]);
    }
}
