//! IEMOCAP's folders and files.

use std::path::{Path, PathBuf};

use fs_err as fs;
use hound::{SampleFormat, WavSpec, WavWriter};

use crate::SynthError;
use crate::annotate::Judgement;
use crate::evaluation;
use crate::plan::{Dialogue, SAMPLE_RATE, Turn};

/// What the corpus says of itself, in `SYNTHETIC.txt` at its root.
const NOTICE: &str = "\
This corpus is synthetic.

It holds speech-like sound made by a source-filter model: no human speech, no words, no recordings.
Its folders and files are laid out as IEMOCAP's are, so that a reader of IEMOCAP can read it, but
nothing in it comes from IEMOCAP. Emotions, annotators and their errors are made up and seeded.
It serves to show and to test software. Results on it say nothing about real speech.
";

/// Folders of single evaluators' files, beside the files that hold them all.
const DECOYS: [&str; 3] = ["Categorical", "Attribute", "Self-evaluation"];

/// The magic number and version that open the resource files which macOS puts into archives.
const APPLE_DOUBLE: [u8; 8] = [0x00, 0x05, 0x16, 0x07, 0x00, 0x02, 0x00, 0x00];

/// Refuses a folder that holds something already, creates it otherwise, and marks it.
pub(crate) fn start(corpus: &Path) -> Result<(), SynthError> {
    fs::create_dir_all(corpus)?;
    if fs::read_dir(corpus)?.next().is_some() {
        return Err(SynthError::NotEmpty(corpus.to_path_buf()));
    }
    Ok(fs::write(corpus.join("SYNTHETIC.txt"), NOTICE)?)
}

/// Writes a dialogue's evaluation file and creates the folder of its audio.
pub(crate) fn write_dialogue(
    corpus: &Path,
    dialogue: &Dialogue,
    judgements: &[Judgement],
) -> Result<(), SynthError> {
    let folder = evaluations(corpus, dialogue);
    fs::create_dir_all(&folder)?;
    let text = evaluation::file(dialogue.turns.iter().zip(judgements));
    fs::write(folder.join(format!("{}.txt", dialogue.name)), text)?;
    fs::create_dir_all(audio(corpus, dialogue))?;
    write_decoys(&folder, dialogue)
}

/// What a reader of the corpus must pass over: evaluators' own files and a dot-file.
fn write_decoys(folder: &Path, dialogue: &Dialogue) -> Result<(), SynthError> {
    for decoy in DECOYS {
        fs::create_dir_all(folder.join(decoy))?;
        let file = folder.join(decoy).join(format!("{}.txt", dialogue.name));
        fs::write(file, evaluation::decoy(&dialogue.turns))?;
    }
    Ok(fs::write(folder.join(format!("._{}.txt", dialogue.name)), APPLE_DOUBLE)?)
}

fn session(corpus: &Path, dialogue: &Dialogue) -> PathBuf {
    corpus.join(format!("Session{}", dialogue.session))
}

fn evaluations(corpus: &Path, dialogue: &Dialogue) -> PathBuf {
    session(corpus, dialogue).join("dialog/EmoEvaluation")
}

fn audio(corpus: &Path, dialogue: &Dialogue) -> PathBuf {
    session(corpus, dialogue).join("sentences/wav").join(&dialogue.name)
}

/// Writes a turn's audio: 16 kHz, mono, 16 bit.
pub(crate) fn write_audio(
    corpus: &Path,
    dialogue: &Dialogue,
    turn: &Turn,
    samples: &[i16],
) -> Result<(), SynthError> {
    let path = audio(corpus, dialogue).join(format!("{}.wav", turn.name));
    let file = fs::File::create(&path)?;
    let failed = |source| SynthError::Audio { path: path.clone(), source };
    let mut writer = WavWriter::new(std::io::BufWriter::new(file), WAV).map_err(failed)?;
    let mut block = writer.get_i16_writer(samples.len() as u32);
    for sample in samples {
        block.write_sample(*sample);
    }
    block.flush().map_err(failed)?;
    writer.finalize().map_err(failed)
}

const WAV: WavSpec = WavSpec {
    channels: 1,
    sample_rate: SAMPLE_RATE,
    bits_per_sample: 16,
    sample_format: SampleFormat::Int,
};
