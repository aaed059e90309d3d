//! The axis of front ends: what every kind does, and which kinds there are. A kind is a file with its settings,
//! their check and its tests, and a line in [`FRONTENDS`].

pub(crate) mod lld;
mod wav2vec2;
mod whisper;

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use ambivox_settings::{Kind, Kinds, Section};
use serde::{Deserialize, Serialize};

use crate::{FrontendError, Precision};

/// A front end that is ready to work, by any number of threads at once.
pub trait Frontend: Debug + Send + Sync {
    /// Names of the values of a row.
    fn columns(&self) -> &[String];

    /// Whether it works from recordings; else from what somebody has computed of them.
    fn hears(&self) -> bool {
        true
    }

    /// Rows at the end of an utterance that smoothing has added to those of whole frames.
    fn added_rows(&self) -> usize {
        0
    }

    /// From one row to the next in seconds, where it makes rows of recordings; none where how many there
    /// will be is not told by their length.
    fn step_s(&self) -> Option<f64> {
        None
    }

    /// What its rows are rounded to, and kept in where frames are kept.
    fn precision(&self) -> Precision {
        Precision::F32
    }

    /// Takes its own names of utterances for ids of the corpus, which `id` finds; returns names that are
    /// of none, sorted.
    ///
    /// # Errors
    /// Two of its names are of one utterance.
    fn adopt(&mut self, id: &dyn Fn(&str) -> Option<String>) -> Result<Vec<String>, FrontendError> {
        let _ = id;
        Ok(Vec::new())
    }

    /// What one thread works with.
    fn session(&self) -> Box<dyn Session + '_>;
}

/// An utterance as a front end is given it.
#[derive(Debug, Clone, Copy)]
pub struct Utterance<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its samples: mono, 16 kHz, full scale ±1; none for a front end that does not hear.
    pub samples: &'a [f32],
}

/// A front end at work.
pub trait Session {
    /// The values of an utterance, row-major rows × columns: at least one row, and just one of a front end
    /// that gives vectors; all of them finite. Errors: why the utterance has to be left out.
    fn describe(&mut self, utterance: &Utterance<'_>) -> Result<Vec<f32>, String>;
}

/// What is known of a front end before it has to be ready.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// The section with what its names stand for in it, and without paths.
    pub section: Section,
    /// From the start of one frame to that of the next, and the length of one, in seconds; none where the
    /// front end gives a vector of an utterance at once.
    pub frame_times_s: Option<[f64; 2]>,
    /// Whether it works from recordings.
    pub hears: bool,
    /// What becomes of the layers that its vectors are of.
    pub layers: Layers,
    /// Whether a neural encoder makes its rows: where they are pooled, what is pooled is kept alone, since
    /// the rows would fill the disk; and bits are those of a processor.
    pub encodes: bool,
    /// The file or folder that it reads beside.
    pub table: Option<PathBuf>,
}

impl Planned {
    /// Whether it gives frames; else a vector of an utterance at once.
    pub fn gives_frames(&self) -> bool {
        self.frame_times_s.is_some()
    }
}

/// Layers of an encoder in a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layers {
    /// There is one.
    One,
    /// There are several, of which a run chooses one inside the training groups.
    Chosen,
    /// There are several, and a model learns how much each counts.
    Weighed,
}

impl Layers {
    /// Has a section say of layers that are weighed what it says of those to choose from: what is
    /// computed is the same, and need not be computed twice.
    pub fn settle(self, section: &mut Section) {
        if self == Self::Weighed {
            section.settings.insert("layer".to_owned(), "nested".into());
        }
    }
}

/// Makes a front end of a planned section and a table.
pub type OpenFrontend = fn(&Section, Option<&Path>) -> Result<Box<dyn Frontend>, FrontendError>;

/// A kind of front end.
#[derive(Debug, Clone, Copy)]
pub struct FrontendKind {
    /// Its name.
    pub name: &'static str,
    /// Checks a section as people wrote it, whose paths are relative to a folder. Reads what is small, and
    /// builds nothing.
    pub plan: fn(&Section, &Path) -> Result<Planned, FrontendError>,
    /// Makes one ready, from a planned section and the table beside it.
    pub open: OpenFrontend,
}

impl Kind for FrontendKind {
    const AXIS: &'static str = "frontend";

    fn name(&self) -> &'static str {
        self.name
    }
}

/// Every kind but the one that reads tables, whose reader is elsewhere.
pub static FRONTENDS: Kinds<FrontendKind> = Kinds::new(&[lld::KIND, whisper::KIND, wav2vec2::KIND]);
