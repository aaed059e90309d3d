//! `lld`: low-level descriptors as openSMILE has them, by a feature set.

use std::path::Path;

use ambivox_lld::{Extractor, FeatureSet};
use ambivox_settings::Section;
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::{Frontend, FrontendKind, Layers, Planned, Session, Utterance};
use crate::FrontendError;

/// Registry entry.
pub(crate) const KIND: FrontendKind =
    FrontendKind { name: "lld", plan, open: |section, _| Ok(Box::new(Lld::new(&set(section)?)?)) };

/// Settings as people write them: a built-in set (`ser32`, `ser32-sma3`, `ser32-prosody`, `is09`), or a
/// TOML file whose name ends in `.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    set: String,
}

/// Settings as they are planned: the set itself, so that neither a change of a file nor of what is built in
/// changes what was made by it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    set: Set,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Set {
    /// A built-in set, of a checkpoint from before there was another front end.
    Named(String),
    Whole(Box<FeatureSet>),
}

fn plan(section: &Section, folder: &Path) -> Result<Planned, FrontendError> {
    let Named { set } =
        section.read().map_err(|fault| FrontendError::setting("frontend", fault))?;
    let set = if Path::new(&set).extension().is_some_and(|extension| extension == "toml") {
        let file = folder.join(set);
        FeatureSet::from_toml(&fs::read_to_string(&file)?).map_err(|error| {
            let text = error.to_string();
            FrontendError::Setting(format!(
                "{}: {}\nhint: frontend.set names this file; mend it there, or name a built-in set",
                file.display(),
                text.trim_end()
            ))
        })?
    } else {
        FeatureSet::builtin(&set)
            .map_err(|error| FrontendError::setting("frontend", format!("set: {error}")))?
    };
    let seconds = |ms: u32| f64::from(ms) / 1000.0;
    Ok(Planned {
        frame_times_s: Some([seconds(set.step_ms), seconds(set.frame.length_ms)]),
        section: section_of(set)?,
        hears: true,
        layers: Layers::One,
        encodes: false,
        table: None,
    })
}

/// The planned section of a feature set.
///
/// # Errors
/// None that can be foreseen: every set is a TOML table.
pub fn section_of(set: FeatureSet) -> Result<Section, FrontendError> {
    Section::new(KIND.name, &Whole { set: Set::Whole(Box::new(set)) })
        .map_err(|fault| FrontendError::setting("frontend", fault))
}

/// The feature set of a planned section. Errors: the section is of another kind, or has no such set.
pub fn set(section: &Section) -> Result<FeatureSet, FrontendError> {
    if section.kind != KIND.name {
        let fault = format!("{:?} is no front end of descriptors", section.kind);
        return Err(FrontendError::setting("frontend", fault));
    }
    let Whole { set } =
        section.read().map_err(|fault| FrontendError::setting("frontend", fault))?;
    let set = match set {
        Set::Named(name) => FeatureSet::builtin(&name),
        Set::Whole(set) => set.check().map(|()| *set),
    };
    set.map_err(|error| FrontendError::setting("frontend", error))
}

/// Descriptors of a feature set.
struct Lld {
    columns: Vec<String>,
    added_rows: usize,
    step_s: f64,
    /// Made once, cloned for every thread.
    extractor: Extractor,
}

impl Lld {
    fn new(set: &FeatureSet) -> Result<Self, FrontendError> {
        let extractor =
            Extractor::new(set).map_err(|error| FrontendError::setting("frontend", error))?;
        let added_rows = set.contour.smoothing / 2;
        let step_s = f64::from(set.step_ms) / 1000.0;
        Ok(Self { columns: set.columns(), added_rows, step_s, extractor })
    }
}

impl std::fmt::Debug for Lld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lld({} columns)", self.columns.len())
    }
}

impl Frontend for Lld {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn added_rows(&self) -> usize {
        self.added_rows
    }

    fn step_s(&self) -> Option<f64> {
        Some(self.step_s)
    }

    fn session(&self) -> Box<dyn Session + '_> {
        Box::new(self.extractor.clone())
    }
}

impl Session for Extractor {
    fn describe(&mut self, utterance: &Utterance<'_>) -> Result<Vec<f32>, String> {
        let frames = self.process(utterance.samples);
        if frames.is_empty() {
            let samples = utterance.samples.len();
            return Err(format!("shorter than one frame: {samples} samples at 16 kHz"));
        }
        // Finite samples can still be so loud that their energies are not.
        let wrong = frames.rows().position(|row| !row.iter().all(|value| value.is_finite()));
        match wrong {
            None => Ok(frames.into_data()),
            Some(frame) => Err(format!(
                "frame {frame}: a descriptor is not finite; the samples are far beyond full scale \
                 ±1; convert the recording again"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(set: &str, folder: &Path) -> Result<Planned, FrontendError> {
        let settings = toml::Table::from_iter([("set".to_owned(), set.into())]);
        plan(&Section::new("lld", &settings).unwrap(), folder)
    }

    #[test]
    fn a_planned_section_holds_the_whole_set() {
        for name in FeatureSet::builtin_names() {
            let found = planned(name, Path::new("")).unwrap();
            assert_eq!(set(&found.section).unwrap(), FeatureSet::builtin(name).unwrap());
            let json = serde_json::to_string(&found.section).unwrap();
            assert_eq!(serde_json::from_str::<Section>(&json).unwrap(), found.section);
        }
    }

    /// What was made by a set of this name goes by that set, whatever is built in under the name.
    #[test]
    fn another_set_of_the_same_name_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let mut own = FeatureSet::builtin("ser32").unwrap();
        own.step_ms = 20;
        fs::write(folder.path().join("own.toml"), toml::to_string(&own).unwrap()).unwrap();
        let found = planned("own.toml", folder.path()).unwrap();
        assert_eq!(set(&found.section).unwrap(), own);
        assert_eq!(found.frame_times_s, Some([0.02, 0.025]));
    }

    #[test]
    fn faults_name_the_setting() {
        let fault = |set: &str| planned(set, Path::new("nowhere")).unwrap_err().to_string();
        assert!(
            fault("ser33").contains("[frontend]: set: no built-in feature set"),
            "{}",
            fault("ser33")
        );
        assert!(fault("x.toml").contains("nowhere/x.toml"), "{}", fault("x.toml"));
        let typo = Section::bare("lld");
        let text = plan(&typo, Path::new("")).unwrap_err().to_string();
        assert!(text.contains("missing field `set`") && text.contains("\"lld\""), "{text}");
    }

    #[test]
    fn too_short_and_too_loud_utterances_are_left_out_with_a_reason() {
        let lld = Lld::new(&FeatureSet::builtin("ser32").unwrap()).unwrap();
        let mut session = lld.session();
        let mut of = |samples: &[f32]| session.describe(&Utterance { id: "a", samples });
        assert!(of(&[0.0; 399]).unwrap_err().contains("shorter than one frame: 399"));
        assert_eq!(of(&[0.1; 400]).unwrap().len(), lld.columns().len());
        assert!(of(&[f32::MAX; 400]).unwrap_err().contains("frame 0: a descriptor is not finite"));
    }
}
