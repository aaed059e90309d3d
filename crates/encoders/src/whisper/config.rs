//! `config.json` of a Whisper model: what the encoder needs of it.

use std::path::Path;

use serde::Deserialize;

use crate::layer::Form;
use crate::{EncoderError, FILES};

/// Added by layer normalisation to the variance, as PyTorch does where nothing else is said.
pub(super) const EPSILON: f64 = 1e-5;

/// The keys that the encoder reads, by their names in Hugging Face's form.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Config {
    model_type: String,
    activation_function: String,
    /// Width of a hidden state.
    pub(super) d_model: usize,
    pub(super) encoder_layers: usize,
    pub(super) encoder_attention_heads: usize,
    pub(super) encoder_ffn_dim: usize,
    /// Mel bands, 80 or, since large-v3, 128.
    pub(super) num_mel_bins: usize,
    /// States of a window, 1500.
    pub(super) max_source_positions: usize,
}

impl Config {
    /// Sizes and names of a layer.
    pub(super) fn form(&self) -> Form {
        Form {
            width: self.d_model,
            heads: self.encoder_attention_heads,
            inner: self.encoder_ffn_dim,
            eps: EPSILON,
            is_norm_first: true,
            attention: "self_attn",
            norms: ["self_attn_layer_norm", "final_layer_norm"],
            dense: ["fc1", "fc2"],
        }
    }

    /// Reads that of a folder.
    pub(super) fn read(folder: &Path) -> Result<Self, EncoderError> {
        let file = folder.join(FILES[0]);
        let fault = |message: String| EncoderError::Form { file: file.clone(), message };
        let text = fs_err::read_to_string(&file)?;
        let config: Self = serde_json::from_str(&text).map_err(|error| fault(error.to_string()))?;
        config.fault().map_or(Ok(config), |message| Err(fault(message)))
    }

    fn fault(&self) -> Option<String> {
        if self.model_type != "whisper" {
            return Some(format!("model_type is {:?}, not \"whisper\"", self.model_type));
        }
        if self.activation_function != "gelu" {
            let found = &self.activation_function;
            return Some(format!(
                "activation_function is {found:?}; only \"gelu\" can be computed"
            ));
        }
        let sizes = [
            ("d_model", self.d_model, 1 << 14),
            ("encoder_layers", self.encoder_layers, 1 << 10),
            ("encoder_attention_heads", self.encoder_attention_heads, self.d_model),
            ("encoder_ffn_dim", self.encoder_ffn_dim, 1 << 16),
            ("num_mel_bins", self.num_mel_bins, 1 << 8),
            ("max_source_positions", self.max_source_positions, 1 << 16),
        ];
        if let Some((key, size, most)) =
            sizes.into_iter().find(|&(_, size, most)| size < 1 || size > most)
        {
            return Some(format!("{key}: {size}; expected from 1 to {most}"));
        }
        (!self.d_model.is_multiple_of(self.encoder_attention_heads))
            .then(|| "encoder_attention_heads does not divide d_model".to_owned())
    }
}
