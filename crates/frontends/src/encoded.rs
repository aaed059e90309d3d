//! What the kinds share whose rows are hidden states of a neural encoder: which folder has it, which layers a row
//! has, and how they are rounded.

use std::path::Path;

use ambivox_encoders::{Encoder, EncoderError};
use ambivox_settings::Section;
use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::{Frontend, FrontendError, Layers, Planned, Precision, Session, Utterance};

/// From one state to the next, in seconds, of every encoder there is.
const STEP_S: f64 = 0.02;

/// What is known of a section, of which `shared` reads what all kinds have among the kind's own settings;
/// `model` names the folder of the encoder, relative to `folder`.
pub(crate) fn plan(
    section: &Section,
    folder: &Path,
    shared: impl Fn(&Section) -> Result<(Layer, Precision), String>,
) -> Result<Planned, FrontendError> {
    let fault = |message: String| FrontendError::setting("frontend", message);
    let mut section = section.clone();
    let model = section.take_path("model");
    let (layer, precision) = shared(&section).map_err(fault)?;
    if precision == Precision::default() {
        // Written or left out, it is the same, and need not be computed twice.
        section.settings.remove("precision");
    }
    let layers = match layer {
        Layer::Several(Several::Nested) => Layers::Chosen,
        Layer::Several(Several::Learned) => Layers::Weighed,
        Layer::Several(Several::Mean) | Layer::One(_) => Layers::One,
    };
    layers.settle(&mut section);
    let Some(model) = model else {
        let remedy =
            "name the folder of config.json and model.safetensors, relative to the pipeline file";
        return Err(fault(format!("model: {remedy}")));
    };
    Ok(Planned {
        section,
        frame_times_s: Some([STEP_S; 2]),
        hears: true,
        layers,
        encodes: true,
        table: Some(folder.join(model)),
    })
}

/// The folder of the encoder, which is an input.
pub(crate) fn of_input(folder: Option<&Path>) -> Result<&Path, FrontendError> {
    let fault = "the model is not among the inputs";
    folder.ok_or_else(|| FrontendError::setting("frontend", fault))
}

/// Which layer: of what enters the first, counted 0, up to what the last gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "layer: expected a number from 0, \"nested\", \"learned\" or \"mean\""
)]
pub(crate) enum Layer {
    /// This one.
    One(usize),
    /// By a word.
    Several(Several),
}

/// What becomes of all layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Several {
    /// A run chooses one inside the training groups.
    Nested,
    /// A model learns how much each counts.
    Learned,
    /// Their mean.
    Mean,
}

/// What the names of a layer's values begin with, where there are several.
pub fn of_layer(layer: usize) -> String {
    format!("layer{layer}_")
}

/// A front end whose rows are an encoder's hidden states.
#[derive(Debug)]
pub(crate) struct Encoded {
    encoder: Box<dyn Encoder>,
    layer: Layer,
    precision: Precision,
    columns: Vec<String>,
}

impl Encoded {
    /// Errors: the encoder has no such layer.
    pub(crate) fn new(
        encoder: Box<dyn Encoder>,
        layer: Layer,
        precision: Precision,
    ) -> Result<Self, FrontendError> {
        let names =
            |prefix: String| (0..encoder.width()).map(move |at| format!("{prefix}value_{at}"));
        let layers = encoder.layers();
        let columns = match layer {
            Layer::One(layer) if layer >= layers => {
                let fault = format!("layer: {layer}; the model has 0 to {}", layers - 1);
                return Err(FrontendError::setting("frontend", fault));
            }
            Layer::Several(Several::Nested | Several::Learned) => {
                (0..layers).map(of_layer).flat_map(names).collect()
            }
            Layer::One(_) | Layer::Several(Several::Mean) => names(String::new()).collect(),
        };
        Ok(Self { encoder, layer, precision, columns })
    }

    fn rows(&self, samples: &[f32]) -> Result<Vec<f32>, EncoderError> {
        let mut states = self.encoder.states(samples)?;
        match self.layer {
            Layer::One(layer) => values(&states.swap_remove(layer)),
            Layer::Several(Several::Nested | Several::Learned) => values(&Tensor::cat(&states, 1)?),
            Layer::Several(Several::Mean) => {
                let states = states.iter().map(values).collect::<Result<Vec<_>, _>>()?;
                let mean = |at: usize| {
                    let sum: f64 = states.iter().map(|state| f64::from(state[at])).sum();
                    (sum / states.len() as f64) as f32
                };
                Ok((0..states[0].len()).map(mean).collect())
            }
        }
    }
}

fn values(state: &Tensor) -> Result<Vec<f32>, EncoderError> {
    Ok(state.flatten_all()?.to_vec1()?)
}

impl Frontend for Encoded {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn step_s(&self) -> Option<f64> {
        Some(STEP_S)
    }

    fn precision(&self) -> Precision {
        self.precision
    }

    fn session(&self) -> Box<dyn Session + '_> {
        Box::new(self)
    }
}

impl Session for &Encoded {
    fn describe(&mut self, utterance: &Utterance<'_>) -> Result<Vec<f32>, String> {
        let mut rows = self.rows(utterance.samples).map_err(|error| error.to_string())?;
        if let Some(at) = no_number(&rows) {
            return Err(format!("a hidden state is {}; are the weights whole?", rows[at]));
        }
        self.precision.round(&mut rows);
        match no_number(&rows) {
            None => Ok(rows),
            Some(_) => Err("a hidden state is beyond ±65504, where f16 ends; set \
                            frontend.precision = \"f32\""
                .to_owned()),
        }
    }
}

/// Where the first value is that is infinite or none.
fn no_number(rows: &[f32]) -> Option<usize> {
    rows.iter().position(|value| !value.is_finite())
}
