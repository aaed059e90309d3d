//! A front end: the energy and the crossings of zero of frames of 10 ms.

use std::path::Path;

use ambivox_frontends::{
    Frontend, FrontendError, FrontendKind, Layers, Planned, Session, Utterance,
};
use ambivox_settings::Section;
use serde::Deserialize;

pub(crate) const KIND: FrontendKind = FrontendKind { name: "loudness", plan, open };

/// Samples of a frame at 16 kHz.
const FRAME: usize = 160;
const STEP_S: f64 = 0.01;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Added to the energy before its logarithm is taken.
    floor: f64,
}

fn settings(section: &Section) -> Result<Settings, FrontendError> {
    section.read().map_err(|fault| FrontendError::setting("frontend", fault))
}

fn plan(section: &Section, _folder: &Path) -> Result<Planned, FrontendError> {
    settings(section)?;
    Ok(Planned {
        section: section.clone(),
        frame_times_s: Some([STEP_S, STEP_S]),
        hears: true,
        layers: Layers::One,
        encodes: false,
        table: None,
    })
}

fn open(section: &Section, _table: Option<&Path>) -> Result<Box<dyn Frontend>, FrontendError> {
    let columns = ["energy", "crossings"].map(str::to_owned).to_vec();
    Ok(Box::new(Loudness { settings: settings(section)?, columns }))
}

#[derive(Debug)]
struct Loudness {
    settings: Settings,
    columns: Vec<String>,
}

impl Frontend for Loudness {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn step_s(&self) -> Option<f64> {
        Some(STEP_S)
    }

    fn session(&self) -> Box<dyn Session + '_> {
        Box::new(self)
    }
}

impl Session for &Loudness {
    fn describe(&mut self, utterance: &Utterance<'_>) -> Result<Vec<f32>, String> {
        let frames = utterance.samples.chunks_exact(FRAME);
        let rows: Vec<f32> = frames.flat_map(|frame| self.row(frame)).collect();
        if rows.is_empty() { Err("it is shorter than 10 ms".to_owned()) } else { Ok(rows) }
    }
}

impl Loudness {
    fn row(&self, frame: &[f32]) -> [f32; 2] {
        let energy: f64 = frame.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        let crossings = frame.windows(2).filter(|pair| pair[0] * pair[1] < 0.0).count();
        [(energy + self.settings.floor).ln() as f32, crossings as f32]
    }
}
