//! The axis of label rules: what every kind does, and which kinds there are. A kind is a file with its
//! settings, their check and its tests, and a line in [`RULES`].

mod baseline;
pub(crate) mod cyclegan;
mod elr;
mod gce;
pub(crate) mod l;
mod label_smoothing;
pub(crate) mod lw;
pub(crate) mod lw_pretrained;
mod oversampling;
mod sce;
pub(crate) mod soft_target;
mod undersampling;
pub(crate) mod w;

use std::fmt::Debug;

use ambivox_nn::{CrossEntropy, Loss, State, Targets};
use ambivox_settings::{Kind, Kinds, Method, MethodParams, Section, is_negative};
use candle_core::Tensor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::samplers::Each;
use crate::{Augmenter, Example, Fold, RuleError, Sampler};

/// A label rule with its settings, before it has seen any utterance.
pub trait Rule: Debug + Send + Sync {
    /// What is wrong with the settings first, beginning with the setting's name.
    fn fault(&self) -> Option<&'static str> {
        None
    }

    /// Whether its targets come from the annotators' votes, so that utterances without a gold label can
    /// train too.
    fn uses_votes(&self) -> bool {
        false
    }

    /// Whether its votes count by how often each annotator is right, so that it must be known who rated what.
    fn weighs_annotators(&self) -> bool {
        false
    }

    /// Whether it has a use for utterances that the annotators did not agree on.
    fn uses_ambiguous(&self) -> bool {
        self.uses_votes()
    }

    /// Whether its loss is the cross-entropy, for which alone some models are solved.
    fn is_cross_entropy(&self) -> bool {
        true
    }

    /// The model that it has of its own, and the setting that says its units.
    fn model(&self) -> Option<(Section, &'static str)> {
        None
    }

    /// Whether it makes further utterances, of a pool whose labels are not looked at.
    fn augments(&self) -> bool {
        false
    }

    /// Epochs of what makes further utterances, before all others.
    fn augmenting_epochs(&self) -> usize {
        0
    }

    /// What makes further utterances, before its first epoch; `None` where nothing does.
    ///
    /// # Errors
    /// A tensor operation that failed.
    fn augmenter<'a>(
        &'a self,
        _fold: Fold<'a>,
    ) -> Result<Option<Box<dyn Augmenter + 'a>>, RuleError> {
        Ok(None)
    }

    /// Epochs before its own begin. They come on top of `training.max_epochs`, and none of them is kept as
    /// the best.
    fn pretraining_epochs(&self) -> usize {
        0
    }

    /// The rule at work on these training utterances, which all have a gold label unless it uses votes.
    ///
    /// # Errors
    /// Utterances with which it can do nothing.
    fn start(
        &self,
        training: &[Example<'_>],
        classes: usize,
    ) -> Result<Box<dyn LabelRule>, RuleError>;

    /// Who takes part in a round.
    fn sampler(&self, training: &[Example<'_>], _classes: usize) -> Box<dyn Sampler> {
        Box::new(Each(training.len()))
    }

    /// The targets that it gives utterances before it has learned anything of them; those behind its
    /// pretraining, where it has one.
    ///
    /// # Errors
    /// As of [`Self::start`].
    fn own_targets(&self, examples: &[Example<'_>], classes: usize) -> Result<Targets, RuleError> {
        Ok(self.start(examples, classes)?.targets().clone())
    }
}

/// Checks a section, and says it with every setting in its own type.
type Open = fn(&Section) -> Result<(Box<dyn Rule>, Section), String>;

/// A kind of label rule.
#[derive(Debug, Clone, Copy)]
pub struct RuleKind {
    name: &'static str,
    open: Open,
}

impl RuleKind {
    /// A kind with settings `T`.
    pub const fn new<T: Rule + Serialize + DeserializeOwned + 'static>(name: &'static str) -> Self {
        Self { name, open: checked::<T> }
    }
}

impl Kind for RuleKind {
    const AXIS: &'static str = "rule";

    fn name(&self) -> &'static str {
        self.name
    }
}

/// Every kind of label rule: those of Table 2 in its order, then others.
pub static RULES: Kinds<RuleKind> = Kinds::new(&[
    baseline::KIND,
    oversampling::KIND,
    undersampling::KIND,
    soft_target::KIND,
    cyclegan::KIND,
    l::KIND,
    w::KIND,
    lw_pretrained::KIND,
    lw::KIND,
    label_smoothing::KIND,
    gce::KIND,
    sce::KIND,
    elr::KIND,
]);

fn checked<T: Rule + Serialize + DeserializeOwned + 'static>(
    section: &Section,
) -> Result<(Box<dyn Rule>, Section), String> {
    let (rule, section) = section.typed::<T>()?;
    match rule.fault() {
        Some(fault) => Err(fault.to_owned()),
        None => Ok((Box::new(rule), section)),
    }
}

/// The rule of a method, and the method with every setting in its own type.
///
/// # Errors
/// There is no such rule, or its settings cannot be.
pub fn plan_method(method: &MethodParams) -> Result<(Box<dyn Rule>, MethodParams), String> {
    let MethodParams { name, rule: section } = method;
    let refuse = |fault: String| format!("methods.{name}: {fault}");
    if Method::TABLE_2.contains(&name.id()) && section.kind != name.id() {
        return Err(refuse("this row of Table 2 is its own rule; choose another name".to_owned()));
    }
    let known = RULES.find(&section.kind).map_err(|fault| {
        refuse(format!("{fault}; a method of another name says its rule, as rule = \"baseline\""))
    })?;
    let (rule, section) = (known.open)(section).map_err(refuse)?;
    Ok((rule, MethodParams { name: name.clone(), rule: section }))
}

/// The rule of a method.
///
/// # Errors
/// As of [`plan_method`].
pub fn rule(method: &MethodParams) -> Result<Box<dyn Rule>, RuleError> {
    plan_method(method).map(|(rule, _)| rule).map_err(RuleError::Settings)
}

/// The sum of a matrix `[utterances, classes]`, over the utterances first: candle adds a few values one after the
/// other on every processor, and rows too, but many values of one row in an order of the processor's.
fn summed(matrix: &Tensor) -> candle_core::Result<Tensor> {
    matrix.sum(0)?.sum_all()
}

/// Gold labels of those that have one.
fn gold(examples: &[Example<'_>]) -> Vec<usize> {
    examples.iter().filter_map(|example| example.gold).collect()
}

const LABEL_SCALE: &str = "label_scale is 0 or above";
const LABEL_RATE: &str = "label_rate is 0 or above";
const WEIGHT_RATE: &str = "weight_rate is 0 or above";

/// The text of the first value that is not 0 or above.
fn first_negative(values: &[(f64, &'static str)]) -> Option<&'static str> {
    values.iter().find_map(|&(value, text)| is_negative(value).then_some(text))
}

/// A way of choosing targets and weights.
pub trait LabelRule {
    /// Targets s and weights w of every training utterance, for the coming round.
    fn targets(&self) -> &Targets;

    /// What the model is to make small.
    fn loss(&self) -> &dyn Loss {
        &CrossEntropy
    }

    /// Whether the targets change in training.
    fn learns_labels(&self) -> bool {
        false
    }

    /// Whether the weights change in training.
    fn learns_weights(&self) -> bool {
        false
    }

    /// Whether it wants the model's outputs after the present round, which cost a pass over the
    /// training utterances.
    fn reads_outputs(&self) -> bool {
        false
    }

    /// The alternation's second step, after a round of the model. `log_y` has log y of every training
    /// utterance by the present model, dropout off, where [`Self::reads_outputs`] asked for it; else
    /// it is empty.
    fn after_round(&mut self, _log_y: &[Vec<f64>]) {}

    /// All that later rounds depend on.
    fn state(&self) -> State {
        State::of(&())
    }

    /// Goes on from the state of another; whether that was of an equal one.
    fn restore(&mut self, state: &State) -> bool {
        state.read::<()>().is_some()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use ambivox_settings::Methods;
    use candle_core::{Device, Var};

    use super::*;

    /// Holds a loss of one utterance of three classes, and its gradient, to a definition in double precision: what
    /// it is of a distribution s and of log y.
    pub(crate) fn check_gradient(loss: &dyn Loss, definition: impl Fn(&[f64], &[f64]) -> f64) {
        let s = [0.7, 0.3, 0.0];
        let z = [0.4, -1.1, 0.8];
        let of = |z: &[f64]| {
            let total = z.iter().map(|z| z.exp()).sum::<f64>().ln();
            definition(&s, &z.iter().map(|z| z - total).collect::<Vec<_>>())
        };
        let logits = Var::from_vec(z.map(|z| z as f32).to_vec(), (1, 3), &Device::Cpu).unwrap();
        let found = loss.of(&logits, s.map(|s| s as f32).to_vec(), &[0]).unwrap();
        let value = f64::from(found.to_scalar::<f32>().unwrap());
        assert!((value - of(&z)).abs() < 1e-5, "{value} for {}", of(&z));
        let gradients = found.backward().unwrap();
        let gradient = gradients.get(&logits).unwrap().to_vec2::<f32>().unwrap().remove(0);
        for (at, found) in gradient.into_iter().enumerate() {
            let moved = |by: f64| {
                let mut z = z;
                z[at] += by;
                of(&z)
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((f64::from(found) - expected).abs() < 1e-4, "{found} for {expected}");
        }
    }

    fn planned(text: &str) -> Result<Box<dyn Rule>, String> {
        let methods: Methods = toml::from_str(text).unwrap();
        plan_method(&methods.list()[0]).map(|(rule, _)| rule)
    }

    const CYCLEGAN: &str = r#"
[cyclegan]
pool = "training-and-ambiguous"
generator = [8, 4]
discriminator = []
classifier = [8]
leak = 0.2
generator_dropout = 0.2
discriminator_dropout = 0.2
classifier_dropout = 0.5
real_label = 0.9
cycle_weight = 5.0
class_weight = 2.0
pretraining_epochs = 0
epochs = 100
batch_size = 64
generator_steps = 2
learning_rate = 2e-4
decay = 0.8
decay_epochs = 50
synthetic_share = 1.0
"#;

    #[test]
    fn impossible_settings_are_refused_by_method() {
        let fixed =
            |scale: &str| format!("[baseline]\nfixed_target = \"softmax\"\nlabel_scale = {scale}");
        let lw = |rates: &str| {
            format!("[x]\nrule = \"lw\"\nlabel_scale = 1\n{rates}\nrescale_initial_weights = true")
        };
        for (text, expected) in [
            (fixed("-1.0"), "methods.baseline: label_scale is 0 or above"),
            (fixed("nan"), "methods.baseline: label_scale is 0 or above"),
            (fixed("1\nk = 2"), "methods.baseline: unknown field `k`"),
            (lw("label_rate = -0.2\nweight_rate = 0"), "methods.x: label_rate is 0 or above"),
            (lw("label_rate = 0.2\nweight_rate = inf"), "methods.x: weight_rate is 0 or above"),
            (lw("label_rate = 0.2"), "methods.x: missing field `weight_rate`"),
            ("[x]\nrule = \"gce\"\nq = 0.0".to_owned(), "methods.x: q is above 0 and at most 1"),
            ("[label-smoothing]\nshare = 1.0".to_owned(), "label-smoothing: share is from 0"),
            ("[elr]\nstrength = 3\nmomentum = 1".to_owned(), "methods.elr: momentum is from 0"),
            (
                "[sce]\nalpha = 1\nbeta = 1\nlog_of_zero = 0".to_owned(),
                "methods.sce: log_of_zero is below 0",
            ),
            ("[soft-target]\nsmoothing = -1".to_owned(), "methods.soft-target: smoothing is 0"),
            ("[w]\nrule = \"lw\"".to_owned(), "methods.w: this row of Table 2 is its own rule"),
            ("[lww]".to_owned(), "methods.lww: there is no \"lww\"; there are: baseline, "),
        ] {
            let refused = planned(&text).err().unwrap_or_default();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
        assert!(planned(&lw("label_rate = 0.2\nweight_rate = 0")).unwrap().model().is_none());
    }

    #[test]
    fn impossible_settings_of_cyclegan_are_refused() {
        assert!(planned(CYCLEGAN).unwrap().uses_ambiguous());
        for (from, to, expected) in [
            ("generator = [8, 4]", "generator = [8, 0]", "units in generator"),
            ("classifier = [8]", "classifier = [65537]", "units in generator"),
            ("leak = 0.2", "leak = 1.0", "leak is"),
            ("generator_dropout = 0.2", "generator_dropout = 1.0", "generator_dropout,"),
            ("classifier_dropout = 0.5", "classifier_dropout = nan", "generator_dropout,"),
            ("real_label = 0.9", "real_label = 0.5", "real_label"),
            ("cycle_weight = 5.0", "cycle_weight = -5.0", "cycle_weight"),
            ("class_weight = 2.0", "class_weight = inf", "class_weight"),
            ("batch_size = 64", "batch_size = 0", "batch_size"),
            ("generator_steps = 2", "generator_steps = 0", "generator_steps"),
            ("learning_rate = 2e-4", "learning_rate = 0.0", "learning_rate"),
            ("decay = 0.8", "decay = 1.1", "decay is"),
            ("decay_epochs = 50", "decay_epochs = 0", "decay_epochs"),
            ("synthetic_share = 1.0", "synthetic_share = 1.5", "synthetic_share"),
        ] {
            assert!(CYCLEGAN.contains(from), "{from}");
            let refused = planned(&CYCLEGAN.replace(from, to)).err().unwrap_or_default();
            assert!(refused.starts_with("methods.cyclegan: "), "{refused}");
            assert!(refused.contains(expected), "{to}: {refused}");
        }
    }

    /// Those of the paper are called as its rows, and come first.
    #[test]
    fn every_row_of_table_2_is_a_rule() {
        let rows = ambivox_settings::Method::TABLE_2;
        let names: Vec<&str> = RULES.all().map(Kind::name).take(rows.len()).collect();
        assert_eq!(names, rows);
    }
}
