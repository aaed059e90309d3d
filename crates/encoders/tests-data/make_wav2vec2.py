"""Tiny random models of the wav2vec2 family, and their hidden states by transformers and PyTorch.

    pip install torch transformers safetensors numpy
    python make_wav2vec2.py [OUT]

A folder per model: config.json, model.safetensors, preprocessor_config.json and states.safetensors,
which has, for every input, the hidden states at FRAMES evenly spaced frames (`LENGTH`, states x frames
x width). The last state is `last_hidden_state`: with norms before attention it has passed the final
layer norm, which `hidden_states[-1]` of transformers 5 has not (that of transformers 4 had).

The input of N samples is, in f64 and rounded to f32 at the end,
x[n] = 0.1 + 0.3 sin(0.05 n + 2e-6 n^2) + 0.2 sin(0.31 n) + 0.05 u(n), where u(n) is in [-1, 1):
(n * 7919 mod 2003) / 1001.5 - 1.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    HubertConfig,
    HubertModel,
    Wav2Vec2Config,
    Wav2Vec2ForCTC,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
)

FRAMES = 5
# One frame; two less a sample; two; odd counts in between; 40 seconds.
LENGTHS = [400, 719, 720, 5000, 16001, 640000]
SIZES = dict(
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=24,
    num_conv_pos_embeddings=8,
    num_conv_pos_embedding_groups=4,
    conv_dim=[12, 8, 8, 8, 8, 8, 12],
    vocab_size=10,
)
LAYER = dict(feat_extract_norm="layer", conv_bias=True)
STABLE = dict(do_stable_layer_norm=True, **LAYER)
BUCKETS = dict(num_buckets=32, max_bucket_distance=80)
# An odd kernel loses no frame at the end; the names of the weight norm are torch's older ones; the
# tensors have a prefix where the model has a head.
MODELS = {
    "wav2vec2-group": (Wav2Vec2ForCTC, Wav2Vec2Config, {}, True),
    "wav2vec2-stable": (Wav2Vec2Model, Wav2Vec2Config, STABLE, True),
    "wav2vec2-layer": (Wav2Vec2Model, Wav2Vec2Config, dict(num_conv_pos_embeddings=7, **LAYER), False),
    "hubert": (HubertModel, HubertConfig, {}, None),
    "wavlm-group": (WavLMModel, WavLMConfig, BUCKETS, False),
    "wavlm-stable": (WavLMModel, WavLMConfig, dict(**BUCKETS, **STABLE), True),
}
OLD_NAMES = ["hubert", "wavlm-stable"]


def samples(count):
    n = np.arange(count, dtype=np.float64)
    u = (np.arange(count) * 7919 % 2003) / 1001.5 - 1.0
    x = 0.1 + 0.3 * np.sin(0.05 * n + 2e-6 * n * n) + 0.2 * np.sin(0.31 * n) + 0.05 * u
    return x.astype(np.float32)


def randomise(model, stable):
    """Weights that keep every layer's output near a standard deviation of one, and no norm the identity."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith(("weight_g", "original0")):
                p.copy_(0.3 + 0.1 * torch.rand_like(p))
            elif "gru_rel_pos_const" in name:
                p.copy_(1.0 + 0.5 * torch.randn_like(p))
            elif "rel_attn_embed" in name:
                p.copy_(torch.randn_like(p))
            elif "norm" in name and name.endswith("weight"):
                p.copy_(0.8 + 0.4 * torch.rand_like(p))
            elif p.dim() == 1:
                p.copy_(0.2 * torch.randn_like(p))
            else:
                gain = 2.0 if "attention" in name else 1.4
                if stable and ("out_proj" in name or "output_dense" in name):
                    gain = 0.5
                p.copy_(torch.randn_like(p) * gain / p[0].numel() ** 0.5)


def states(model, x, normalise):
    if normalise is not False:
        x = (x - x.mean()) / np.sqrt(x.var() + 1e-7)
    core = getattr(model, "wav2vec2", model)
    with torch.no_grad():
        out = core(torch.from_numpy(x)[None], output_hidden_states=True)
    hidden = [*out.hidden_states[:-1], out.last_hidden_state]
    return torch.cat(hidden)


def rename(file):
    old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    tensors = load_file(file)
    for new, name in old.items():
        tensors = {key.replace(new, name): tensor for key, tensor in tensors.items()}
    save_file(tensors, file, {"format": "pt"})


def make(folder, kind, config, extra, normalise):
    torch.manual_seed(len(folder.name))
    model = kind(config(**{**SIZES, **extra})).eval()
    randomise(model, "do_stable_layer_norm" in extra)
    model.save_pretrained(folder)
    if folder.name in OLD_NAMES:
        rename(folder / "model.safetensors")
    if normalise is not None:
        text = json.dumps({"do_normalize": normalise, "sampling_rate": 16000})
        (folder / "preprocessor_config.json").write_text(text + "\n")
    found = {}
    for length in LENGTHS:
        all_frames = states(model, samples(length), normalise)
        frames = all_frames.shape[1]
        kept = sorted({i * (frames - 1) // (FRAMES - 1) for i in range(FRAMES)})
        found[str(length)] = all_frames[:, kept].contiguous()
        deviations = [round(float(state.std()), 2) for state in all_frames]
        print(folder.name, length, frames, deviations, flush=True)
    save_file(found, folder / "states.safetensors")


def buckets(out):
    """Buckets of the distances -2100 to 2100 under two settings, as runs of [bucket, count]."""
    found = {}
    for count, longest in [(320, 800), (32, 80)]:
        config = WavLMConfig(**{**SIZES, "num_buckets": count, "max_bucket_distance": longest})
        attention = WavLMModel(config).encoder.layers[0].attention
        values = attention._relative_positions_bucket(torch.arange(-2100, 2101)).tolist()
        runs = []
        for value in values:
            if runs and runs[-1][0] == value:
                runs[-1][1] += 1
            else:
                runs.append([value, 1])
        found[f"{count} {longest}"] = runs
    (out / "buckets.json").write_text(json.dumps(found) + "\n")


def main():
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "wav2vec2"
    out.mkdir(parents=True, exist_ok=True)
    for name, model in MODELS.items():
        make(out / name, *model)
    buckets(out)


main()
