//! `wav2vec2`: hidden states of wav2vec 2.0, HuBERT or WavLM, whichever a local folder in Hugging Face's form
//! holds.

use std::path::Path;

use ambivox_settings::Section;
use serde::{Deserialize, Serialize};

use super::{Frontend, FrontendKind, Planned};
use crate::encoded::{self, Encoded, Layer};
use crate::{FrontendError, Precision};

/// Registry entry.
pub(super) const KIND: FrontendKind = FrontendKind { name: "wav2vec2", plan, open };

/// Samples from one state to the next, of all published models.
const STEP: usize = 320;

/// Section `[frontend]` with `kind = "wav2vec2"`, without `model`, the folder.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    layer: Layer,
    #[serde(default)]
    precision: Precision,
}

fn plan(section: &Section, folder: &Path) -> Result<Planned, FrontendError> {
    let shared = |Settings { layer, precision }| (layer, precision);
    encoded::plan(section, folder, |section| section.read().map(shared))
}

fn open(section: &Section, folder: Option<&Path>) -> Result<Box<dyn Frontend>, FrontendError> {
    let Settings { layer, precision } =
        section.read().map_err(|message| FrontendError::setting("frontend", message))?;
    let folder = encoded::of_input(folder)?;
    let step = ambivox_encoders::describe(folder)?.step;
    if step != STEP {
        let fault = format!("model: a state every {step} samples; those of every {STEP} are read");
        return Err(FrontendError::setting("frontend", fault));
    }
    let encoder = ambivox_encoders::open(folder)?;
    Ok(Box::new(Encoded::new(encoder, layer, precision)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Utterance;

    fn section(layer: impl Into<toml::Value>) -> Section {
        Section::new("wav2vec2", &toml::Table::from_iter([("layer".to_owned(), layer.into())]))
            .unwrap()
    }

    fn tiny(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../encoders/tests-data/wav2vec2").join(name)
    }

    #[test]
    fn every_encoder_of_the_family_describes_and_the_short_is_left_out() {
        let samples: Vec<f32> = (0..4000).map(|n| (n as f32 * 0.3).sin()).collect();
        for name in ["wav2vec2-group", "wav2vec2-stable", "hubert", "wavlm-group"] {
            let frontend = open(&section("nested"), Some(&tiny(name))).unwrap();
            let describe =
                |samples: &[f32]| frontend.session().describe(&Utterance { id: "a", samples });
            // 400 samples make the first frame, 320 each further one.
            assert_eq!(describe(&samples).unwrap().len(), 12 * frontend.columns().len(), "{name}");
            assert!(describe(&samples[..399]).is_err(), "{name}");
        }
    }

    #[test]
    fn faults_name_the_setting_or_the_file() {
        let fault = |section: &Section| plan(section, Path::new("")).unwrap_err().to_string();
        assert!(fault(&section(1)).contains("[frontend]: model: name the folder"));
        assert!(fault(&Section::bare("wav2vec2")).contains("missing field `layer`"));
        let whisper = tiny("../whisper-small");
        let text = open(&section(1), Some(&whisper)).unwrap_err().to_string();
        assert!(text.contains("config.json") && text.contains("wav2vec2, hubert, wavlm"), "{text}");
    }
}
