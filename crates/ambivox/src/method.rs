//! The methods of a pipeline, planned: each a label rule with the model that it trains, found to go with what
//! there is of an utterance, before anything runs.

use ambivox_frontends::{Layers, Planned};
use ambivox_models::plan_model;
use ambivox_rules::plan_method;
use ambivox_settings::{Features, Method, MethodParams, Methods, Pipeline, Section};
use serde::{Deserialize, Serialize};

/// What is known of a method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlannedMethod {
    pub(crate) params: MethodParams,
    /// The model that it trains: its own, where it has one, else the pipeline's.
    pub(crate) model: Section,
    /// Whether the model reads one vector of an utterance, and not its frames.
    pub(crate) reads_vectors: bool,
    /// Whether it learns from the annotators' votes.
    pub(crate) uses_votes: bool,
    /// Units of the model's layers, each under the path of its setting.
    pub(crate) sizes: Vec<(String, usize)>,
}

impl PlannedMethod {
    pub(crate) fn name(&self) -> &Method {
        &self.params.name
    }
}

/// The pipeline's methods, in their order; in the pipeline, the settings of methods and model are all said
/// in their own types from here on.
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
    let sections = planned.iter().map(|one| (one.params.name.clone(), one.params.rule.clone()));
    pipeline.methods = Methods(sections.collect());
    Ok(planned)
}

fn planned(
    method: &MethodParams,
    pipeline: &Pipeline,
    frontend: &Planned,
) -> Result<PlannedMethod, String> {
    let (rule, params) = plan_method(method)?;
    let name = &params.name;
    let (section, units) = rule.model().unzip();
    let of = units.map_or("[model]".to_owned(), |_| format!("[methods.{name}]"));
    let (model, section) = plan_model(section.as_ref().unwrap_or(&pipeline.model))?;
    let of = format!("{of} ({})", section.kind);
    check_shape(&of, model.reads_vectors(), pipeline, frontend)?;
    if frontend.layers == Layers::Weighed && !model.weighs_layers() {
        return Err(format!(
            "{of} weighs no layers, as frontend.layer = \"learned\" asks; choose kind = \"mlp\", or \
             layer = \"nested\""
        ));
    }
    if !rule.is_cross_entropy() && !model.learns_by_any_loss() {
        return Err(format!(
            "{of} is solved for the cross-entropy alone, which is not the loss of [methods.{name}]; choose \
             a model that learns by gradients, such as kind = \"mlp\", or another method"
        ));
    }
    if rule.uses_votes() {
        check_labels(name, &params.rule.kind, pipeline)?;
    }
    let units = units.map(|units| format!("methods.{name}.{units}"));
    let sizes = model.sizes().into_iter();
    let sizes = sizes.map(|(path, size)| (units.clone().unwrap_or_else(|| path.to_owned()), size));
    let (reads_vectors, uses_votes) = (model.reads_vectors(), rule.uses_votes());
    let sizes = sizes.collect();
    Ok(PlannedMethod { params, model: section, reads_vectors, uses_votes, sizes })
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
