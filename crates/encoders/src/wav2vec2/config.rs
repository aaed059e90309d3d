//! `config.json` and `preprocessor_config.json` of the family, as far as they matter here.

use std::path::Path;

use serde::Deserialize;

use crate::EncoderError;
use crate::layer::Form;
use crate::open::ConfigFile;

/// The keys that say what is computed; those that are missing are as `transformers` has them.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the file has them")]
pub(super) struct Config {
    pub(super) hidden_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    pub(super) intermediate_size: usize,
    pub(super) layer_norm_eps: f64,
    pub(super) feat_extract_norm: String,
    pub(super) conv_dim: Vec<usize>,
    pub(super) conv_kernel: Vec<usize>,
    pub(super) conv_stride: Vec<usize>,
    pub(super) conv_bias: bool,
    pub(super) num_conv_pos_embeddings: usize,
    pub(super) num_conv_pos_embedding_groups: usize,
    pub(super) do_stable_layer_norm: bool,
    /// Of WavLM, as is the next.
    pub(super) num_buckets: usize,
    pub(super) max_bucket_distance: usize,
    hidden_act: String,
    feat_extract_activation: String,
    add_adapter: bool,
    adapter_attn_dim: Option<usize>,
    /// Of HuBERT, as is the next.
    conv_pos_batch_norm: bool,
    feat_proj_layer_norm: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            layer_norm_eps: 1e-5,
            feat_extract_norm: "group".to_owned(),
            conv_dim: vec![512; 7],
            conv_kernel: vec![10, 3, 3, 3, 3, 2, 2],
            conv_stride: vec![5, 2, 2, 2, 2, 2, 2],
            conv_bias: false,
            num_conv_pos_embeddings: 128,
            num_conv_pos_embedding_groups: 16,
            do_stable_layer_norm: false,
            num_buckets: 320,
            max_bucket_distance: 800,
            hidden_act: "gelu".to_owned(),
            feat_extract_activation: "gelu".to_owned(),
            add_adapter: false,
            adapter_attn_dim: None,
            conv_pos_batch_norm: false,
            feat_proj_layer_norm: true,
        }
    }
}

/// Sizes beyond this are taken for damage.
const LARGEST: usize = 1 << 20;

impl Config {
    /// Sizes and names of a layer.
    pub(super) fn form(&self) -> Form {
        Form {
            width: self.hidden_size,
            heads: self.num_attention_heads,
            inner: self.intermediate_size,
            eps: self.layer_norm_eps,
            is_norm_first: self.do_stable_layer_norm,
            attention: "attention",
            norms: ["layer_norm", "final_layer_norm"],
            dense: ["feed_forward.intermediate_dense", "feed_forward.output_dense"],
        }
    }

    /// The checked settings of a `config.json`.
    ///
    /// # Errors
    /// A key asks for what is not computed here.
    pub(super) fn of(file: &ConfigFile) -> Result<Self, EncoderError> {
        let config: Self = file.parse()?;
        config.check_kind(file)?;
        config.check_sizes(file)?;
        Ok(config)
    }

    fn check_kind(&self, file: &ConfigFile) -> Result<(), EncoderError> {
        let without = "it is not computed here; take a model without it";
        let gelu = "only \"gelu\", the exact one, is computed here; take a model with it";
        let norms = "it can be \"group\" or \"layer\"; take a model with either";
        let faults = [
            ("hidden_act", self.hidden_act != "gelu", gelu),
            ("feat_extract_activation", self.feat_extract_activation != "gelu", gelu),
            (
                "feat_extract_norm",
                !["group", "layer"].contains(&self.feat_extract_norm.as_str()),
                norms,
            ),
            ("add_adapter", self.add_adapter, without),
            ("adapter_attn_dim", self.adapter_attn_dim.is_some(), without),
            ("conv_pos_batch_norm", self.conv_pos_batch_norm, without),
            (
                "feat_proj_layer_norm",
                !self.feat_proj_layer_norm,
                "the norm before the projection is always computed here; take a model with it",
            ),
        ];
        refuse(file, &faults)
    }

    fn check_sizes(&self, file: &ConfigFile) -> Result<(), EncoderError> {
        let positive = "it must be a whole number from 1 to 2²⁰; is the file damaged?";
        let bad = |size: usize| size == 0 || size > LARGEST;
        let any_bad = |sizes: &[usize]| sizes.is_empty() || sizes.iter().any(|&size| bad(size));
        let layers = self.conv_dim.len();
        let equal = "conv_dim, conv_kernel and conv_stride must have one value per layer each";
        let divides = "it must divide hidden_size; is the file damaged?";
        let does_not_divide = |parts: usize| bad(parts) || !self.hidden_size.is_multiple_of(parts);
        let heads = does_not_divide(self.num_attention_heads);
        let groups = does_not_divide(self.num_conv_pos_embedding_groups);
        let buckets =
            "it must be a multiple of 4, and max_bucket_distance more than a quarter of it";
        let faults = [
            ("hidden_size", bad(self.hidden_size), positive),
            ("num_hidden_layers", bad(self.num_hidden_layers), positive),
            ("intermediate_size", bad(self.intermediate_size), positive),
            ("num_conv_pos_embeddings", bad(self.num_conv_pos_embeddings), positive),
            ("conv_dim", any_bad(&self.conv_dim), positive),
            ("conv_kernel", any_bad(&self.conv_kernel), positive),
            ("conv_stride", any_bad(&self.conv_stride), positive),
            ("conv_kernel", self.conv_kernel.len() != layers, equal),
            ("conv_stride", self.conv_stride.len() != layers, equal),
            ("num_attention_heads", heads, divides),
            ("num_conv_pos_embedding_groups", groups, divides),
            ("num_buckets", self.buckets_are_bad(), buckets),
        ];
        refuse(file, &faults)
    }

    fn buckets_are_bad(&self) -> bool {
        let count = self.num_buckets;
        count < 4 || !count.is_multiple_of(4) || self.max_bucket_distance <= count / 4
    }

    /// Samples from one frame to the next: 320 for the models that are published.
    pub(super) fn step(&self) -> usize {
        self.conv_stride.iter().fold(1, |step, &stride| step.saturating_mul(stride))
    }

    /// Samples of the first frame: 400.
    pub(super) fn length(&self) -> usize {
        let layers = self.conv_kernel.iter().zip(&self.conv_stride).rev();
        layers.fold(1, |length: usize, (&kernel, &stride)| {
            (length - 1).saturating_mul(stride).saturating_add(kernel)
        })
    }
}

fn refuse(file: &ConfigFile, faults: &[(&str, bool, &str)]) -> Result<(), EncoderError> {
    match faults.iter().find(|(_, is_bad, _)| *is_bad) {
        None => Ok(()),
        Some((key, _, remedy)) => Err(file.fault(key, remedy)),
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Preprocessor {
    do_normalize: bool,
    sampling_rate: u32,
}

impl Default for Preprocessor {
    /// As `Wav2Vec2FeatureExtractor` of `transformers` has them.
    fn default() -> Self {
        Self { do_normalize: true, sampling_rate: 16_000 }
    }
}

/// Whether samples are brought to mean 0 and variance 1, by `preprocessor_config.json` if there is one.
///
/// # Errors
/// The file cannot be used, or is missing beside a model of WavLM, of which some do so and some do not.
pub(super) fn normalises(folder: &Path, model_type: &str) -> Result<bool, EncoderError> {
    let path = folder.join(crate::PREPROCESSOR);
    if !path.exists() {
        if model_type == "wavlm" {
            let message = "there is no such file, and models of WavLM differ in whether samples are \
                           normalised; copy it from where the model is from";
            return Err(EncoderError::Form { file: path, message: message.to_owned() });
        }
        return Ok(Preprocessor::default().do_normalize);
    }
    let file = ConfigFile::read_file(path)?;
    let found: Preprocessor = file.parse()?;
    if found.sampling_rate != 16_000 {
        return Err(file.fault("sampling_rate", "audio comes at 16000 Hz; take a model for that"));
    }
    Ok(found.do_normalize)
}
