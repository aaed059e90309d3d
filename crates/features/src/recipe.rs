//! What is made of every utterance: a front end with the pooling over it.

use std::path::Path;

use ambivox_corpus::{Index, Names};
use ambivox_frontends::{
    Frontend, FrontendError, Layers, Planned, Pooling, check_pooling, pooling,
};
use ambivox_settings::{Features, Section};

use crate::writer::Columns;
use crate::{FeatureError, frontend_kind};

/// Plans the sections `[frontend]` and `[pooling]`, whose paths are relative to `folder`.
///
/// # Errors
/// There is no such kind, its settings cannot be, or the two do not go together.
pub fn plan(frontend: &Section, pooling: &Section, folder: &Path) -> Result<Planned, FeatureError> {
    let mut planned = (frontend_kind(frontend)?.plan)(frontend, folder)?;
    check_pooling(pooling)?;
    let pools = pooling.kind != Features::NO_POOLING;
    if pools && !planned.gives_frames() {
        let fault = "the front end gives one vector of an utterance already; leave [pooling] out";
        return Err(FrontendError::setting("pooling", fault).into());
    }
    if pools && planned.encodes {
        planned.frame_times_s = None;
        if planned.section.settings.contains_key("precision") {
            let fault = "precision: of frames alone, and what is pooled of them is kept in their place, in \
                         f32; leave it out, or leave [pooling] out";
            return Err(FrontendError::setting("frontend", fault).into());
        }
    }
    if planned.layers != Layers::One && planned.gives_frames() {
        let fault = "layer: all of them go with one vector of an utterance; name one, or add a section \
                     [pooling] with kind = \"statistics\" and of = [\"mean\"]";
        return Err(FrontendError::setting("frontend", fault).into());
    }
    Ok(planned)
}

/// A front end and a pooling, ready to work.
#[derive(Debug)]
pub struct Recipe {
    pub(crate) frontend: Box<dyn Frontend>,
    pooling: Option<Box<dyn Pooling>>,
    /// Whether frames are kept.
    frames: bool,
}

impl Recipe {
    /// Makes ready what was [planned](plan), with frames to keep or not, and with the table, or the folder of
    /// a model, that the front end reads, where it reads one.
    ///
    /// # Errors
    /// The settings cannot be, or the table cannot be read.
    pub fn open(
        features: &Features,
        frames: bool,
        table: Option<&Path>,
    ) -> Result<Self, FeatureError> {
        let kind = frontend_kind(&features.frontend)?;
        let frontend = (kind.open)(&features.frontend, table)?;
        let pooling = pooling(&features.pooling, frontend.as_ref())?;
        Ok(Self { frontend, pooling, frames })
    }

    /// Names of its values.
    pub(crate) fn columns(&self) -> Columns<'_> {
        let own = self.frontend.columns();
        let pooled = self.pooling.as_ref().map(|pooling| pooling.columns());
        let vector = if self.frames { pooled } else { pooled.or(Some(own)) };
        let precision = self.frontend.precision();
        Columns { frame: self.frames.then_some(own), precision, vector }
    }

    /// Frames and vector of what the front end has made of an utterance. Errors: values so large that what
    /// is pooled of them is no number.
    pub(crate) fn parts(&self, rows: Vec<f32>) -> Result<(Vec<f32>, Option<Vec<f32>>), String> {
        let Some(pooling) = &self.pooling else {
            return Ok(if self.frames { (rows, None) } else { (Vec::new(), Some(rows)) });
        };
        let vector = Some(pooling.pool(&rows));
        let rows = if self.frames { rows } else { Vec::new() };
        let values = vector.iter().flatten().zip(self.columns().vector.into_iter().flatten());
        match values.into_iter().find(|(value, _)| !value.is_finite()) {
            None => Ok((rows, vector)),
            Some((value, name)) => Err(format!("{name} of its frames is {value}")),
        }
    }

    /// Whether the front end works from recordings.
    pub fn hears(&self) -> bool {
        self.frontend.hears()
    }

    /// Bytes that the frames of so many seconds take, where frames are kept and are made of recordings.
    pub fn bytes(&self, seconds: f64) -> Option<u64> {
        let step_s = self.frontend.step_s().filter(|_| self.frames)?;
        let row = self.frontend.precision().bytes() * self.frontend.columns().len();
        Some((seconds / step_s) as u64 * row as u64)
    }

    /// Takes what the front end's table calls utterances for those of an index; returns the names that are
    /// of none.
    ///
    /// # Errors
    /// The index cannot be read; two rows of the table are of one utterance.
    pub fn adopt(&mut self, index: &Index) -> Result<Vec<String>, FeatureError> {
        if self.frontend.hears() {
            return Ok(Vec::new());
        }
        let utterances = index.utterances().collect::<Result<Vec<_>, _>>()?;
        let names = Names::new(&utterances);
        Ok(self.frontend.adopt(&|name| Some(names.find(name)?.utterance_id.clone()))?)
    }
}
