//! What is made of every utterance: a front end with the pooling over it.

use std::path::Path;

use ambivox_frontends::{Frontend, FrontendError, Planned, Pooling, check_pooling, find, pooling};
use ambivox_settings::{Features, Section};

use crate::writer::Columns;
use crate::{FRONTENDS, FeatureError};

/// Plans the sections `[frontend]` and `[pooling]`, whose paths are relative to `folder`.
///
/// # Errors
/// There is no such kind, its settings cannot be, or the two do not go together.
pub fn plan(frontend: &Section, pooling: &Section, folder: &Path) -> Result<Planned, FeatureError> {
    let planned = (find(frontend, &FRONTENDS)?.plan)(frontend, folder)?;
    check_pooling(pooling)?;
    if pooling.kind != Features::NO_POOLING && !planned.gives_frames() {
        let fault = "the front end gives one vector of an utterance already; leave [pooling] out";
        return Err(FrontendError::setting("pooling", fault).into());
    }
    Ok(planned)
}

/// A front end and a pooling, ready to work.
#[derive(Debug)]
pub struct Recipe {
    pub(crate) frontend: Box<dyn Frontend>,
    pooling: Option<Box<dyn Pooling>>,
    /// Whether the front end gives frames.
    frames: bool,
}

impl Recipe {
    /// Makes ready what was [planned](plan), with the table that the front end reads, where it reads one.
    ///
    /// # Errors
    /// The settings cannot be, or the table cannot be read.
    pub fn open(
        features: &Features,
        frames: bool,
        table: Option<&Path>,
    ) -> Result<Self, FeatureError> {
        let kind = find(&features.frontend, &FRONTENDS)?;
        let frontend = (kind.open)(&features.frontend, table)?;
        let pooling = pooling(&features.pooling, frontend.as_ref())?;
        Ok(Self { frontend, pooling, frames })
    }

    /// Names of its values.
    pub(crate) fn columns(&self) -> Columns<'_> {
        let own = self.frontend.columns();
        let pooled = self.pooling.as_ref().map(|pooling| pooling.columns());
        let vector = if self.frames { pooled } else { Some(own) };
        Columns { frame: self.frames.then_some(own), vector }
    }

    /// Frames and vector of what the front end has made of an utterance.
    pub(crate) fn parts(&self, rows: Vec<f32>) -> (Vec<f32>, Option<Vec<f32>>) {
        if !self.frames {
            return (Vec::new(), Some(rows));
        }
        let vector = self.pooling.as_ref().map(|pooling| pooling.pool(&rows));
        (rows, vector)
    }

    /// Names that the front end's table has and that are neither id nor path of an utterance.
    pub fn strangers(&self, is_known: &dyn Fn(&str) -> bool) -> Vec<String> {
        self.frontend.strangers(is_known)
    }
}
