//! What makes rows of sound for a bundle's networks: descriptors, or any other front end that hears.

use ambivox_frontends::{FRONTENDS, Frontend, FrontendError, Utterance, lld_set};
use ambivox_lld::{Extractor, FeatureSet, SAMPLE_RATE};
use ambivox_settings::{Bundle, Features, Section};

use crate::{Encoders, PredictError, windows};

/// Seconds from one row to the next of a front end that does not say, as of hidden states of an encoder.
const STEP_S: f64 = 0.02;

/// Makes rows.
pub(crate) enum Reader {
    /// Made once, cloned for every recording.
    Descriptors(Box<(FeatureSet, Extractor)>),
    /// One that is given a part of a recording at a time, as if it were all.
    Whole(Box<dyn Frontend>),
}

/// Rows of a part of a recording, and the number of its first.
pub(crate) struct Part {
    pub(crate) start: usize,
    pub(crate) rows: Vec<f32>,
}

impl Reader {
    /// Makes ready what a section tells, with the encoder where the bundle asks for one.
    pub(crate) fn open(
        section: &Section,
        bundle: &Bundle,
        encoders: Encoders<'_>,
    ) -> Result<Self, PredictError> {
        let encoder = encoders.find(bundle)?;
        if section.kind == Features::FIRST {
            let set = lld_set(section)?;
            let extractor = Extractor::new(&set)?;
            return Ok(Self::Descriptors(Box::new((set, extractor))));
        }
        let deaf =
            |fault| FrontendError::Setting(format!("of front ends that hear recordings {fault}"));
        let kind = FRONTENDS.find(&section.kind).map_err(deaf)?;
        Ok(Self::Whole((kind.open)(section, encoder.as_deref())?))
    }

    /// Names of the values of a row.
    pub(crate) fn columns(&self) -> Vec<String> {
        match self {
            Self::Descriptors(lld) => lld.0.columns(),
            Self::Whole(frontend) => frontend.columns().to_vec(),
        }
    }

    /// Rows that smoothing has added at the end of an utterance.
    pub(crate) fn added_rows(&self) -> usize {
        match self {
            Self::Descriptors(lld) => lld.0.contour.smoothing / 2,
            Self::Whole(frontend) => frontend.added_rows(),
        }
    }

    /// From one row to the next, in seconds.
    pub(crate) fn step_s(&self) -> f64 {
        match self {
            Self::Descriptors(lld) => f64::from(lld.0.step_ms) / 1000.0,
            Self::Whole(frontend) => frontend.step_s().unwrap_or(STEP_S),
        }
    }

    /// What a row is of, in seconds.
    pub(crate) fn frame_s(&self) -> f64 {
        match self {
            Self::Descriptors(lld) => f64::from(lld.0.frame.length_ms) / 1000.0,
            Self::Whole(_) => self.step_s(),
        }
    }

    /// A recording in parts of at most so many rows; none where it is shorter than one row. Descriptors are
    /// of the whole recording; any other front end is given each part as if it were one of its own.
    pub(crate) fn parts(&self, samples: &[f32], longest: usize) -> Result<Vec<Part>, PredictError> {
        match self {
            Self::Descriptors(lld) => {
                let rows = lld.1.clone().process(samples);
                let (width, values) = (rows.width(), rows.data());
                let part = |part: std::ops::Range<usize>| Part {
                    start: part.start,
                    rows: values[part.start * width..part.end * width].to_vec(),
                };
                Ok(windows(rows.len(), longest).into_iter().map(part).collect())
            }
            Self::Whole(frontend) => {
                let step = (f64::from(SAMPLE_RATE) * self.step_s()) as usize;
                let mut session = frontend.session();
                let mut part = |part: std::ops::Range<usize>| {
                    let samples = &samples[part.start * step..samples.len().min(part.end * step)];
                    let rows = session.describe(&Utterance { id: "", samples });
                    let rows = rows.map_err(PredictError::Utterance)?;
                    Ok(Part { start: part.start, rows })
                };
                windows(samples.len().div_ceil(step), longest).into_iter().map(&mut part).collect()
            }
        }
    }
}
