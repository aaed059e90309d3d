//! `whisper`: hidden states of the encoder of Whisper, from a local folder in Hugging Face's form.

use std::path::Path;

use ambivox_encoders::{Padding, Whisper};
use ambivox_settings::Section;
use serde::{Deserialize, Serialize};

use super::{Frontend, FrontendKind, Planned};
use crate::encoded::{self, Encoded, Layer};
use crate::{FrontendError, Precision};

/// Registry entry.
pub(super) const KIND: FrontendKind = FrontendKind { name: "whisper", plan, open };

/// Section `[frontend]` with `kind = "whisper"`, without `model`, the folder.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    padding: PaddedTo,
    layer: Layer,
    #[serde(default)]
    precision: Precision,
}

/// What the encoder is given behind a recording.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum PaddedTo {
    /// Silence up to 30 s.
    #[serde(rename = "30s")]
    Window,
    /// Nothing.
    #[serde(rename = "none")]
    Nothing,
}

fn plan(section: &Section, folder: &Path) -> Result<Planned, FrontendError> {
    let shared = |Settings { layer, precision, .. }| (layer, precision);
    encoded::plan(section, folder, |section| section.read().map(shared))
}

fn open(section: &Section, folder: Option<&Path>) -> Result<Box<dyn Frontend>, FrontendError> {
    let Settings { padding, layer, precision } =
        section.read().map_err(|message| FrontendError::setting("frontend", message))?;
    let padding = match padding {
        PaddedTo::Window => Padding::Window,
        PaddedTo::Nothing => Padding::Nothing,
    };
    let whisper = Whisper::open(encoded::of_input(folder)?, padding)?;
    Ok(Box::new(Encoded::new(Box::new(whisper), layer, precision)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Layers, Utterance, pooling};

    fn section(padding: &str, layer: impl Into<toml::Value>) -> Section {
        let settings = [("padding", padding.into()), ("layer", layer.into())];
        let settings = settings.map(|(key, value)| (key.to_owned(), value));
        Section::new("whisper", &toml::Table::from_iter(settings)).unwrap()
    }

    fn tiny() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../encoders/tests-data/whisper-small"))
    }

    fn described(layer: impl Into<toml::Value>) -> (Box<dyn Frontend>, Vec<f32>) {
        let samples: Vec<f32> = (0..1000).map(|n| (n as f32 * 0.3).sin()).collect();
        let frontend = open(&section("30s", layer), Some(tiny())).unwrap();
        let utterance = Utterance { id: "a", samples: &samples };
        let rows = frontend.session().describe(&utterance).unwrap();
        (frontend, rows)
    }

    #[test]
    fn a_plan_has_no_path_in_its_section() {
        let mut written = section("none", "nested");
        written.settings.insert("model".to_owned(), "weights".into());
        let planned = plan(&written, Path::new("pipelines")).unwrap();
        assert_eq!(planned.section, section("none", "nested"));
        assert_eq!(planned.table.as_deref(), Some(Path::new("pipelines/weights")));
        assert!(planned.hears && planned.encodes);
        assert_eq!(planned.layers, Layers::Chosen);
    }

    #[test]
    fn faults_name_the_setting() {
        let fault = |section: &Section| plan(section, Path::new("")).unwrap_err().to_string();
        assert!(fault(&section("none", 3)).contains("[frontend]: model: name the folder"));
        assert!(fault(&section("10s", 3)).contains("unknown variant `10s`"));
        assert!(fault(&section("none", "first")).contains("layer: expected a number from 0"));
        let text = open(&section("none", 4), Some(tiny())).unwrap_err().to_string();
        assert_eq!(text, "[frontend]: layer: 4; the model has 0 to 3");
        let text = open(&section("none", 4), Some(Path::new("nowhere"))).unwrap_err().to_string();
        assert!(text.contains("nowhere/config.json"), "{text}");
    }

    #[test]
    fn f16_rounds_the_states_and_f32_is_as_if_it_were_not_written() {
        let of = |precision: &str| {
            let mut section = section("30s", 2);
            section.settings.insert("precision".to_owned(), precision.into());
            section
        };
        let planned = |precision: &str| {
            let mut written = of(precision);
            written.settings.insert("model".to_owned(), "weights".into());
            plan(&written, Path::new("")).unwrap().section
        };
        assert_eq!((planned("f32"), planned("f16")), (section("30s", 2), of("f16")));
        let (_, mut expected) = described(2);
        Precision::F16.round(&mut expected);
        let samples: Vec<f32> = (0..1000).map(|n| (n as f32 * 0.3).sin()).collect();
        let frontend = open(&of("f16"), Some(tiny())).unwrap();
        let found = frontend.session().describe(&Utterance { id: "a", samples: &samples }).unwrap();
        assert_eq!((frontend.precision(), found), (Precision::F16, expected));
        let fault = plan(&of("f8"), Path::new("")).unwrap_err().to_string();
        assert!(fault.contains("unknown variant `f8`"), "{fault}");
    }

    #[test]
    fn layers_lie_side_by_side_and_are_pooled_each() {
        let layers: Vec<Vec<f32>> = (0..4).map(|layer| described(layer).1).collect();
        let (frontend, all) = described("nested");
        assert_eq!((frontend.columns().len(), all.len()), (64, 4 * 64));
        let (_, mean) = described("mean");
        for (at, row) in all.chunks_exact(64).enumerate() {
            for (layer, values) in row.chunks_exact(16).enumerate() {
                assert_eq!(values, &layers[layer][at * 16..(at + 1) * 16]);
            }
            let sum: f32 = (0..4).map(|layer| row[layer * 16 + 3]).sum();
            assert!((mean[at * 16 + 3] - sum / 4.0).abs() < 1e-6);
        }
        let of = toml::Table::from_iter([("of".to_owned(), vec!["mean"].into())]);
        let means = Section::new("statistics", &of).unwrap();
        let pooled = pooling(&means, frontend.as_ref()).unwrap().unwrap();
        assert_eq!(pooled.columns()[17], "layer1_value_1_mean");
        let first = all.iter().skip(17).step_by(64).map(|&x| f64::from(x)).sum::<f64>() / 4.0;
        assert!((f64::from(pooled.pool(&all)[17]) - first).abs() < 1e-6);
    }
}
