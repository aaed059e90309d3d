//! Folders of neural encoders.

use ambivox_encoders::{Encoder as _, Padding, Whisper, open};
use fs_err as fs;

/// Folders of small random models: what `config.json` says, and the weights.
const FOLDERS: [(&[u8], &[u8]); 2] = [
    (
        include_bytes!("../../encoders/tests-data/whisper-small/config.json"),
        include_bytes!("../../encoders/tests-data/whisper-small/model.safetensors"),
    ),
    (
        include_bytes!("../../encoders/tests-data/wav2vec2/wav2vec2-group/config.json"),
        include_bytes!("../../encoders/tests-data/wav2vec2/wav2vec2-group/model.safetensors"),
    ),
];

/// Reads bytes as `config.json` beside weights of every family, or as weights beside their `config.json`.
/// What is opened makes finite states of a width of its own, unless a weight is out of all scale.
pub fn encoder(bytes: &[u8]) {
    let is_config = bytes.first() == Some(&b'{');
    for (config, weights) in FOLDERS {
        let folder = tempfile::tempdir().unwrap();
        let (config, weights) = if is_config { (bytes, weights) } else { (config, bytes) };
        fs::write(folder.path().join("config.json"), config).unwrap();
        fs::write(folder.path().join("model.safetensors"), weights).unwrap();
        let samples = [0.25; 800];
        if let Ok(whisper) = Whisper::open(folder.path(), Padding::Nothing) {
            let _ = whisper.states(&samples);
        }
        if let Ok(encoder) = open(folder.path()) {
            for state in encoder.states(&samples).unwrap_or_default() {
                assert_eq!(state.dims()[1], encoder.width());
            }
        }
    }
}
