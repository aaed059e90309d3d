//! Rules and models with settings for the toy task.

use std::collections::BTreeMap;
use std::sync::Arc;

use ambivox_models::{
    AttentionOver, AttentionPoolingSettings, LinearSettings, LinearSvmSettings, MlpSettings, Model,
    NetworkSettings,
};
use ambivox_rules::{
    CycleganSettings, FixedLabelSettings, FixedTarget, LSettings, LabelStep, LwPretrainedSettings,
    LwSettings, Pool, Rule, SoftTargetSettings, Votes, WSettings, WeightStep, rule,
};
use ambivox_settings::{Choice, MethodParams};
use serde::Serialize;

/// A label rule by its name.
pub(super) type Method = (&'static str, Arc<dyn Rule>);

pub(super) fn named(name: &'static str, settings: &impl Serialize) -> Method {
    let method = MethodParams::of(name, settings).unwrap();
    (name, rule(&method).unwrap().into())
}

pub(super) fn baseline() -> Method {
    named("baseline", &fixed())
}

pub(super) fn lw() -> Method {
    named(
        "lw",
        &LwSettings {
            label_scale: 1.0,
            label_rate: 0.2,
            weight_rate: 0.05,
            rescale_initial_weights: false,
            second_step: WeightStep::default(),
        },
    )
}

pub(super) fn fixed() -> FixedLabelSettings {
    FixedLabelSettings { fixed_target: FixedTarget::OneHot, label_scale: 1.0 }
}

pub(super) fn lw_pretrained(pretraining_epochs: usize) -> Method {
    named(
        "lw-pretrained",
        &LwPretrainedSettings {
            pretraining_epochs,
            label_scale: 1.0,
            label_rate: 0.2,
            weight_rate: 0.05,
            rescale_initial_weights: false,
            second_step: WeightStep::default(),
        },
    )
}

/// Every method that trains the network, with settings for the toy task.
pub(super) fn all_methods() -> Vec<Method> {
    vec![
        baseline(),
        named("oversampling", &fixed()),
        named("undersampling", &fixed()),
        named("soft-target", &SoftTargetSettings { smoothing: 0.1, votes: Votes::Counted }),
        named(
            "l",
            &LSettings { label_scale: 1.0, label_rate: 0.2, second_step: LabelStep::default() },
        ),
        named(
            "w",
            &WSettings {
                fixed_target: FixedTarget::OneHot,
                label_scale: 1.0,
                weight_rate: 0.05,
                rescale_initial_weights: false,
                second_step: WeightStep::default(),
            },
        ),
        lw_pretrained(2),
        lw(),
        named("label-smoothing", &[("share", 0.1)].into_iter().collect::<BTreeMap<_, _>>()),
    ]
}

pub(super) fn blstm(lstm: usize, attention_over: AttentionOver) -> Arc<dyn Model> {
    Arc::new(NetworkSettings::plain([16, lstm], 0.2, attention_over))
}

pub(super) fn attention_pooling() -> Arc<dyn Model> {
    Arc::new(AttentionPoolingSettings { hidden: vec![8], leak: 0.1, dropout: 0.2 })
}

pub(super) fn mlp() -> Arc<dyn Model> {
    Arc::new(MlpSettings { hidden: vec![8], leak: 0.1, dropout: 0.2, mixup: None })
}

pub(super) fn linear() -> Arc<dyn Model> {
    Arc::new(LinearSettings { c: Choice::One(1.0) })
}

pub(super) fn linear_svm() -> Arc<dyn Model> {
    Arc::new(LinearSvmSettings { c: Choice::One(1.0) })
}

/// CycleGANs before an MLP.
pub(super) fn cyclegan() -> Method {
    named("cyclegan", &gans())
}

pub(super) fn gans() -> CycleganSettings {
    CycleganSettings {
        pool: Pool::Training,
        generator: vec![8, 8],
        discriminator: vec![8],
        classifier: vec![8],
        leak: 0.2,
        generator_dropout: 0.1,
        discriminator_dropout: 0.1,
        classifier_dropout: 0.1,
        real_label: 0.9,
        cycle_weight: 5.0,
        class_weight: 2.0,
        pretraining_epochs: 1,
        epochs: 3,
        batch_size: 8,
        generator_steps: 2,
        learning_rate: 1e-2,
        decay: 0.8,
        decay_epochs: 20,
        synthetic_share: 1.0,
    }
}

/// Those whose loss is not the cross-entropy, for models that learn by gradients.
pub(super) fn methods_of_other_losses() -> Vec<Method> {
    let numbers = |numbers: &[(&'static str, f64)]| -> BTreeMap<&'static str, f64> {
        numbers.iter().copied().collect()
    };
    vec![
        named("gce", &numbers(&[("q", 0.7)])),
        named("sce", &numbers(&[("alpha", 0.5), ("beta", 1.0), ("log_of_zero", -4.0)])),
        named("elr", &numbers(&[("strength", 1.0), ("momentum", 0.7)])),
    ]
}
