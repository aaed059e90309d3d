//! The methods of a pipeline, planned: each a label rule with the model that it trains, found to go with what
//! there is of an utterance, before anything runs.

use ambivox_frontends::{Layers, Planned};
use ambivox_models::{Model, plan_model};
use ambivox_rules::{Rule, plan_method};
use ambivox_settings::{Features, Keep, Method, MethodParams, Pipeline, Section, TrainingSettings};
use serde::{Deserialize, Serialize};

/// What is known of a method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlannedMethod {
    pub(crate) params: MethodParams,
    /// The model that it trains: its rule's, where that has one, else the pipeline's with the method's own keys.
    pub(crate) model: Section,
    /// How it is trained.
    pub(crate) training: TrainingSettings,
    /// Whether the model reads one vector of an utterance, and not its frames.
    pub(crate) reads_vectors: bool,
    /// Whether it learns from the annotators' votes.
    pub(crate) uses_votes: bool,
    /// Whether it must be known who gave which of these.
    pub(crate) weighs_annotators: bool,
    /// Units of the model's layers, each under the path of its setting.
    pub(crate) sizes: Vec<(String, usize)>,
}

impl PlannedMethod {
    pub(crate) fn name(&self) -> &Method {
        &self.params.name
    }
}

/// The pipeline's methods, in their order; in the pipeline, the settings of rules and model are all said in
/// their own types from here on.
///
/// Errors: settings that cannot be, by path; what cannot go together, with the remedy.
pub(crate) fn plan_methods(
    pipeline: &mut Pipeline,
    frontend: &Planned,
) -> Result<Vec<PlannedMethod>, String> {
    let (_, model) = plan_model(&pipeline.model)?;
    pipeline.model = model;
    let methods = pipeline.methods.list();
    let planned = methods.iter().map(|method| planned(method, pipeline, frontend));
    let planned = planned.collect::<Result<Vec<_>, _>>()?;
    for one in &planned {
        if let Some(own) = pipeline.methods.0.get_mut(one.name()) {
            own.rule = one.params.rule.clone();
        }
    }
    Ok(planned)
}

fn planned(
    method: &MethodParams,
    pipeline: &Pipeline,
    frontend: &Planned,
) -> Result<PlannedMethod, String> {
    let (rule, params) = plan_method(method)?;
    let name = &params.name;
    let Chosen { model, section, at } = chosen_model(&*rule, &params, pipeline)?;
    let training = pipeline.training_of(name)?;
    let of = if at.is_empty() { "[model]".to_owned() } else { format!("[methods.{name}]") };
    let of = format!("{of} ({})", section.kind);
    check_shape(&of, model.reads_vectors(), pipeline, frontend)?;
    if frontend.layers == Layers::Weighed && !model.weighs_layers() {
        return Err(format!(
            "{of} weighs no layers, as frontend.layer = \"learned\" asks; choose kind = \"mlp\", or \
             layer = \"nested\""
        ));
    }
    if !model.learns_by_any_loss() {
        check_solved(&of, name, &*rule, &training)?;
    }
    if model.mixes_targets() && !rule.is_cross_entropy() {
        return Err(format!(
            "{of} mixes targets (model.mixup), which goes with the cross-entropy alone and not with the \
             loss of [methods.{name}]; leave mixup out, or choose another method"
        ));
    }
    if rule.uses_votes() {
        check_labels(name, &params.rule.kind, pipeline)?;
    }
    let path = |(path, size): (&str, usize)| {
        // A rule's own model is said by a key of the rule's.
        let path =
            if at.is_empty() || at.ends_with('.') { format!("{at}{path}") } else { at.clone() };
        (path, size)
    };
    let sizes = model.sizes().into_iter().map(path).collect();
    Ok(PlannedMethod {
        params,
        model: section,
        training,
        reads_vectors: model.reads_vectors(),
        uses_votes: rule.uses_votes(),
        weighs_annotators: rule.weighs_annotators(),
        sizes,
    })
}

/// The model that a method trains.
struct Chosen {
    model: Box<dyn Model>,
    section: Section,
    /// Where its settings are said, where that is not `[model]`: what comes before their paths, with a dot, or
    /// the one path of them all.
    at: String,
}

/// A method's model: its rule's, where that has one, else the pipeline's with the method's own keys.
fn chosen_model(
    rule: &dyn Rule,
    params: &MethodParams,
    pipeline: &Pipeline,
) -> Result<Chosen, String> {
    let name = &params.name;
    let has_own = pipeline.methods.own(name).is_some_and(|own| !own.model.is_empty());
    let (section, at) = match rule.model() {
        Some(_) if has_own => {
            return Err(format!(
                "[methods.{name}.model]: the rule {} brings a model of its own; leave the section out",
                params.rule.kind
            ));
        }
        Some((section, units)) => (section, format!("methods.{name}.{units}")),
        None if has_own => (pipeline.model_of(name)?, format!("methods.{name}.")),
        None => (pipeline.model.clone(), String::new()),
    };
    let planned = plan_model(&section);
    let told = |fault: String| match fault.strip_prefix("[model]") {
        Some(fault) if has_own => format!("[methods.{name}.model]{fault}"),
        None if has_own => format!("methods.{name}.{fault}"),
        _ => fault,
    };
    let (model, section) = planned.map_err(told)?;
    Ok(Chosen { model, section, at })
}

/// Whether a rule and the limits of training go with a model that is solved again in every epoch.
fn check_solved(
    of: &str,
    name: &Method,
    rule: &dyn Rule,
    training: &TrainingSettings,
) -> Result<(), String> {
    if !rule.is_cross_entropy() {
        return Err(format!(
            "{of} is solved for the cross-entropy alone, which is not the loss of [methods.{name}]; choose \
             a model that learns by gradients, such as kind = \"mlp\", or another method"
        ));
    }
    if matches!(training.keep, Keep::AverageOfLast(_)) {
        return Err(format!(
            "{of} is solved again in every epoch, and its parameters have no mean, as training.keep asks of \
             [methods.{name}]; choose {{ mean_of_last = … }}, the mean of probabilities"
        ));
    }
    Ok(())
}

/// Whether a model can learn from what there is of an utterance: frames, a vector, or both.
fn check_shape(
    of: &str,
    reads_vectors: bool,
    pipeline: &Pipeline,
    frontend: &Planned,
) -> Result<(), String> {
    let frames = frontend.gives_frames();
    let vectors = !frames || pipeline.pooling.kind != Features::NO_POOLING;
    match reads_vectors {
        true if !vectors => Err(format!(
            "{of} learns from one vector of an utterance, and there are frames alone; add a section \
             [pooling] with kind = \"functionals\" or \"statistics\""
        )),
        false if !frames => Err(format!(
            "{of} learns from frames, and the front end gives one vector of an utterance; choose a \
             model of vectors, such as kind = \"linear\""
        )),
        _ => Ok(()),
    }
}

/// Votes are left alone by what changes labels.
fn check_labels(name: &Method, rule: &str, pipeline: &Pipeline) -> Result<(), String> {
    let hint = format!("{rule} learns from votes; leave [methods.{name}] out");
    if pipeline.label_noise.is_some() {
        return Err(format!("[label_noise] exchanges labels, not votes, and {hint}"));
    }
    if pipeline.corrections.is_some() {
        return Err(format!("[corrections] corrects labels, not votes, and {hint}"));
    }
    Ok(())
}
