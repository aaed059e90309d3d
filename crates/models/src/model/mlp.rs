//! The model `mlp`: fully connected layers over one vector of an utterance.

use std::collections::BTreeMap;

use ambivox_nn::{Dense, HiddenDropout, State, rng, vectors};
use ambivox_settings::TrainingSettings;
use candle_core::{DType, Device, Tensor, Var};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::fault_of_shares;
use crate::checkpoint::{Fault, Metadata, NamedTensor, Tensors, dense, key, values};
use crate::descent::{Descent, Differentiable, state};
use crate::predict::{log_shares, shares, wide};
use crate::{
    Learner, MinMax, Model, ModelError, ModelKind, Prediction, Predictor, Round, Rows, Scaling,
    ScalingKind, Shape,
};

pub(super) const KIND: ModelKind = ModelKind::new::<MlpSettings>("mlp", IN_CHECKPOINTS, read);

/// What a checkpoint's metadata call it.
const IN_CHECKPOINTS: &str = "classifier of functionals";

/// Names of the metadata that no other kind has.
const LAYERS: &str = "layers";
/// Name of the tensor of an encoder's layers' weights, before their softmax.
const MIX: &str = "mix";

/// Section `[model]` with `kind = "mlp"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpSettings {
    /// Units of the hidden layers; none make it multinomial logistic regression.
    pub hidden: Vec<usize>,
    /// Slope of the leaky ReLU below 0.
    pub leak: f64,
    /// Share of the hidden activations dropped.
    pub dropout: f64,
    /// α of mixup (Zhang et al. 2018): each vector of a mini-batch is mixed with another of it, and so are their
    /// targets; nothing is mixed where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixup: Option<f64>,
}

impl Model for MlpSettings {
    fn fault(&self) -> Option<String> {
        let mixes = self.mixup.is_none_or(|alpha| (0.01..=4.0).contains(&alpha));
        let fault = (!mixes).then(|| "model.mixup: from 0.01 to 4".to_owned());
        let shares = [("model.leak", self.leak), ("model.dropout", self.dropout)];
        fault_of_shares(&shares).or(fault)
    }

    fn learns_by_any_loss(&self) -> bool {
        true
    }

    fn weighs_layers(&self) -> bool {
        true
    }

    fn mixes_targets(&self) -> bool {
        self.mixup.is_some()
    }

    fn sizes(&self) -> Vec<(&'static str, usize)> {
        self.hidden.iter().map(|&units| ("model.hidden", units)).collect()
    }

    fn scaling(&self) -> Option<ScalingKind> {
        Some(ScalingKind::MinMax)
    }

    fn start(
        &self,
        shape: Shape,
        classes: usize,
        training: &TrainingSettings,
        seed: u64,
    ) -> Result<Box<dyn Learner>, ModelError> {
        Ok(Box::new(Descent::new(Mlp::new(self, shape, classes, seed)?, training)))
    }
}

/// `Linear → (leaky ReLU → dropout → Linear)…`, from a vector to a logit of every class; where there are
/// vectors of several layers of an encoder, from their mean with learned weights, as SUPERB's (Yang et al. 2021).
#[derive(Debug, Clone)]
pub struct Mlp {
    layers: Dense,
    dropout: f64,
    mixup: Option<f64>,
    /// Before their softmax, the weights of an encoder's layers, where there are several; 0 at first.
    mix: Option<Var>,
}

/// What the layers are beside their tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layers {
    hidden: Vec<usize>,
    leak: f64,
    /// Layers of an encoder, where it weighs several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mixed: Option<usize>,
}

impl Mlp {
    /// A new one for vectors of this shape and `classes` classes, drawn from `seed`.
    pub fn new(
        settings: &MlpSettings,
        shape: Shape,
        classes: usize,
        seed: u64,
    ) -> candle_core::Result<Self> {
        let widths = [&[shape.width], settings.hidden.as_slice(), &[classes]].concat();
        let layers = Dense::new("classifier", &widths, settings.leak, seed)?;
        let mix = || Var::zeros(shape.layers, DType::F32, &Device::Cpu);
        let mix = (shape.layers > 1).then(mix).transpose()?;
        Ok(Self { layers, dropout: settings.dropout, mixup: settings.mixup, mix })
    }

    /// How many layers of an encoder it weighs.
    fn mixed(&self) -> usize {
        self.mix.as_ref().map_or(1, |mix| mix.elem_count())
    }

    /// The vectors of utterances, those of several layers as one; `mix` are the weights before their
    /// softmax.
    fn mean(&self, utterances: &[&Rows<'_>], mix: Option<Tensor>) -> candle_core::Result<Tensor> {
        let vectors = vectors(utterances, self.inputs())?;
        let Some(mix) = mix else { return Ok(vectors) };
        let (count, layers) = (utterances.len(), self.mixed());
        let weights = shares(&mix.reshape((layers, 1))?)?.reshape((1, layers, 1))?;
        vectors.reshape((count, layers, self.layers.inputs()))?.broadcast_mul(&weights)?.sum(1)
    }
}

impl Differentiable for Mlp {
    fn variables(&self) -> Vec<Var> {
        self.layers.variables().into_iter().chain(self.mix.clone()).collect()
    }

    fn copy(&self) -> candle_core::Result<Self> {
        let copy = |var: &Var| Var::from_tensor(&var.as_detached_tensor().copy()?);
        let mix = self.mix.as_ref().map(copy).transpose()?;
        Ok(Self { layers: self.layers.copy()?, mix, ..*self })
    }

    fn logits(&self, utterances: &[&Rows<'_>], dropout_seed: u64) -> Result<Tensor, ModelError> {
        let mix = self.mix.as_ref().map(|mix| mix.as_tensor().clone());
        let dropout = HiddenDropout { rate: self.dropout, seed: dropout_seed };
        Ok(self.layers.training_output(&self.mean(utterances, mix)?, dropout)?)
    }

    fn mixup(&self) -> Option<f64> {
        self.mixup
    }

    fn order(round: &Round<'_>) -> ChaCha8Rng {
        rng(round.seed, &format!("classifier in epoch {}", round.number))
    }

    fn dropout_seed(order: &mut ChaCha8Rng, _seed: u64, _round: usize, _batch: usize) -> u64 {
        order.next_u64()
    }
}

impl Predictor for Mlp {
    fn inputs(&self) -> usize {
        self.mixed() * self.layers.inputs()
    }

    fn classes(&self) -> usize {
        self.layers.outputs()
    }

    fn parameters(&self) -> usize {
        self.layers.parameters() + self.mix.as_ref().map_or(0, |mix| mix.elem_count())
    }

    fn reads_vectors(&self) -> bool {
        true
    }

    fn sizes(&self) -> Vec<(&'static str, usize)> {
        dense::hidden(&self.layers).into_iter().map(|units| ("model.hidden", units)).collect()
    }

    fn predict(&self, utterances: &[&Rows<'_>]) -> Result<Vec<Prediction>, ModelError> {
        if utterances.is_empty() {
            return Ok(Vec::new());
        }
        let mix = self.mix.as_ref().map(Var::as_detached_tensor);
        let logits = self.layers.fixed_output(&self.mean(utterances, mix)?)?;
        let prediction = |row: Vec<f32>| Prediction {
            log_probabilities: log_shares(&wide(&row)),
            attention: None,
        };
        Ok(logits.to_vec2::<f32>()?.into_iter().map(prediction).collect())
    }

    fn state(&self) -> Result<State, ModelError> {
        state(self)
    }

    fn metadata(&self) -> serde_json::Result<BTreeMap<&'static str, String>> {
        let mixed = self.mix.is_some().then(|| self.mixed());
        let (hidden, leak) = (dense::hidden(&self.layers), self.layers.leak);
        let layers = Layers { hidden, leak, mixed };
        Ok(BTreeMap::from([
            (key::KIND, IN_CHECKPOINTS.to_owned()),
            (LAYERS, serde_json::to_string(&layers)?),
        ]))
    }

    fn tensors(&self) -> candle_core::Result<Vec<NamedTensor>> {
        let mut named = dense::tensors(&self.layers)?;
        if let Some(mix) = &self.mix {
            named.push((MIX.to_owned(), mix.dims().to_vec(), values(mix)?));
        }
        Ok(named)
    }
}

/// Reads one from a checkpoint; its dropout, of which only training knows, is 0.
pub(crate) fn read(
    metadata: &Metadata,
    tensors: &Tensors<'_>,
    classes: usize,
) -> Result<(Box<dyn Predictor>, Scaling), Fault> {
    let Layers { hidden, leak, mixed } = metadata.json(LAYERS)?;
    let scaling = Scaling::MinMax(metadata.json::<MinMax>(key::SCALING)?.checked()?);
    let mixes = mixed.is_some();
    let mixed = mixed.unwrap_or(1);
    if mixed == 0 || !scaling.width().is_multiple_of(mixed) {
        return Err(format!("{} values are not of {mixed} layers alike", scaling.width()));
    }
    let widths = [&[scaling.width() / mixed], hidden.as_slice(), &[classes]].concat();
    tensors.check_count(2 * (widths.len() - 1) + usize::from(mixes))?;
    let layers = dense::read(tensors, &widths, leak)?;
    let mix = mixes.then(|| tensors.var(MIX, &[mixed])).transpose()?;
    Ok((Box::new(Mlp { layers, dropout: 0.0, mixup: None, mix }), scaling))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ambivox_nn::{CrossEntropy, Targets};
    use proptest::prelude::*;

    use super::*;
    use crate::Checkpoint;
    use crate::checkpoint::tests::{features_of, with_header};

    fn checkpoint() -> Checkpoint {
        let settings = MlpSettings { hidden: vec![4], leak: 0.2, dropout: 0.5, mixup: None };
        Checkpoint {
            predictor: Box::new(Mlp::new(&settings, Shape::of(2), 3, 5).unwrap()),
            classes: ["happiness", "sadness", "anger"].map(str::to_owned).to_vec(),
            features: features_of("is09", "functionals"),
            scaling: Scaling::MinMax(MinMax {
                lowest: vec![0.1, -1234.5678],
                range: vec![1e-7, 3.3],
            }),
        }
    }

    fn read(bytes: &[u8]) -> Result<Checkpoint, ModelError> {
        Checkpoint::parse(Path::new("file"), bytes)
    }

    /// The message for a checkpoint whose header has `from` replaced by `to`.
    fn fault(from: &str, to: &str) -> String {
        read(&with_header(&checkpoint().bytes().unwrap(), from, to)).unwrap_err().to_string()
    }

    #[test]
    fn outputs_are_those_of_the_layers() {
        let mlp = Mlp::new(
            &MlpSettings { hidden: vec![4], leak: 0.2, dropout: 0.5, mixup: None },
            Shape::of(3),
            2,
            5,
        );
        let mlp = mlp.unwrap();
        let vector = Rows::from(&[0.5, -1.0, 2.0]);
        let logits = mlp.layers.fixed_output(&vectors(&[&vector], 3).unwrap()).unwrap();
        let logits = wide(&logits.to_vec2::<f32>().unwrap()[0]);
        let total: f64 = logits.iter().map(|z| z.exp()).sum();
        let said = mlp.predict(&[&vector]).unwrap().remove(0);
        assert!((said.log_probabilities[1] - (logits[1].exp() / total).ln()).abs() < 1e-12);
        assert_eq!(said.attention, None);
        assert!(mlp.predict(&[]).unwrap().is_empty());
    }

    #[test]
    fn a_checkpoint_reads_back_what_it_wrote() {
        let saved = checkpoint();
        let bytes = saved.bytes().unwrap();
        let loaded = read(&bytes).unwrap();
        assert_eq!(
            (&loaded.classes, &loaded.features, &loaded.scaling),
            (&saved.classes, &saved.features, &saved.scaling)
        );
        let say = |from: &Checkpoint| {
            from.predictor
                .predict(&[&[0.3, -0.8], &[-1.0, 1.0]].map(Rows::from).each_ref())
                .unwrap()
        };
        assert_eq!(say(&loaded), say(&saved));
        assert_eq!(loaded.bytes().unwrap(), bytes);
    }

    /// Two layers of two values: the class is in the second, the first is noise.
    fn of_layers(n: usize) -> Rows<'static> {
        let sign = if n.is_multiple_of(2) { 1.0 } else { -1.0 };
        let noise = ((n * 37 % 19) as f32 - 9.0) / 9.0;
        Rows::from(vec![noise, -noise, sign, 0.5 * sign])
    }

    #[test]
    fn layers_are_weighed_by_what_they_tell() {
        let settings = MlpSettings { hidden: Vec::new(), leak: 0.1, dropout: 0.0, mixup: None };
        let training = TrainingSettings {
            batch_size: 16,
            learning_rate: 0.05,
            ..crate::checkpoint::tests::TRAINING
        };
        let shape = Shape { layers: 2, width: 2 };
        let mut learner = settings.start(shape, 2, &training, 1).unwrap();
        let rows: Vec<Rows<'_>> = (0..64).map(of_layers).collect();
        let utterances: Vec<&Rows<'_>> = rows.iter().collect();
        let gold = |n: usize| if n.is_multiple_of(2) { vec![1.0, 0.0] } else { vec![0.0, 1.0] };
        let targets =
            Targets { distributions: (0..64).map(gold).collect(), weights: vec![1.0; 64] };
        for number in 1..20 {
            let round = Round {
                number,
                seed: 1,
                utterances: &utterances,
                groups: &[0; 64],
                targets: &targets,
                sample: &|_| (0..64).collect(),
                loss: &CrossEntropy,
                normalise_weights: false,
            };
            learner.round(&round).unwrap();
        }
        let predictor = learner.fitted().unwrap();
        assert_eq!((predictor.inputs(), predictor.parameters()), (4, 2 * 2 + 2 + 2));
        let tensors = predictor.tensors().unwrap();
        let (name, _, mix) = &tensors[2];
        assert!(name == MIX && mix[1] > mix[0] + 1.0, "{tensors:?}");
        let saved = Checkpoint {
            predictor,
            scaling: Scaling::MinMax(MinMax { lowest: vec![0.0; 4], range: vec![1.0; 4] }),
            classes: ["happiness", "sadness"].map(str::to_owned).to_vec(),
            ..checkpoint()
        };
        let bytes = saved.bytes().unwrap();
        let loaded = Checkpoint::parse(Path::new("file"), &bytes).unwrap();
        assert_eq!(
            loaded.predictor.predict(&utterances).unwrap(),
            saved.predictor.predict(&utterances).unwrap()
        );
        let fault = |to: &str| {
            let spoiled = with_header(&bytes, r#"\"mixed\":2"#, to);
            read(&spoiled).unwrap_err().to_string()
        };
        assert!(fault(r#"\"mixed\":3"#).contains("4 values are not of 3 layers"));
        assert!(fault(r#"\"mixed\":4"#).contains("[2, 1]"));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for (from, to, expected) in [
            (
                r#""kind":"classifier of"#,
                r#""kind":"oracle of"#,
                "it holds a oracle of functionals",
            ),
            (r#""format":"2""#, r#""format":"9""#, r#"its format is "9""#),
            (r#""classes":"#, r#""glasses":"#, r#"its metadata has no "classes""#),
            (r#"\"hidden\":[4]"#, r#"\"hidden\":[5]"#, "expected F32 of shape [5, 2]"),
            (r#"\"hidden\":[4]"#, r#"\"hidden\":[0]"#, "a layer has 0 values"),
            (r#"\"leak\":0.2"#, r#"\"leak\":1e300"#, "leak: 1"),
            (r#"\"hidden\":[4]"#, r#"\"hidden\":[]"#, "it has 4 tensors; expected 2"),
            (r#"\"lowest\":[0.1"#, r#"\"lowest\":[0.1,0.2"#, "3 lowest values but 2 ranges"),
            ("1e-7", "0", "column 0 has lowest value 0.1 and range 0"),
            (r#""1.bias":"#, r#""1.bios":"#, r#"no tensor "1.bias""#),
        ] {
            let message = fault(from, to);
            assert!(message.contains(expected), "{from} → {to}: {message}");
        }
    }

    proptest! {
        #[test]
        fn spoiled_bytes_never_panic(position in 0_usize..900, value: u8, cut in 0_usize..900) {
            let mut bytes = checkpoint().bytes().unwrap();
            let length = bytes.len();
            bytes[position % length] = value;
            drop(read(&bytes));
            drop(read(&bytes[..cut.min(length)]));
        }
    }
}
