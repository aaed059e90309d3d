"""Writes tiny random Whisper encoders with hidden states by transformers, for the tests of the crate.

    pip install torch transformers safetensors
    python whisper_tiny.py

The recordings are not written: a formula makes them here and in the tests.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

HERE = Path(__file__).parent
RATE = 16_000


def recording(samples):
    """Tones that come and go, and noise of a multiplicative generator; all of it exact in 64 bits."""
    n = np.arange(samples, dtype=np.float64)
    tones = 0.3 * np.sin(n * n * 1e-5) * np.sin(n * 3e-4) + 0.1 * np.sin(n * 0.2)
    noise = ((n * 16807 + 12345) % 2147483647) * 48271 % 2147483647 / 2147483647 - 0.5
    return (tones + 0.05 * noise).astype(np.float32)


def random_encoder(config, seed):
    """Random weights under which states of every layer have a standard deviation between 0.5 and 2."""
    torch.manual_seed(seed)
    encoder = WhisperEncoder(config).eval()
    with torch.no_grad():
        for name, values in encoder.named_parameters():
            if name.endswith("norm.weight"):
                values.copy_(1 + 0.3 * torch.randn_like(values))
            elif name.endswith("bias"):
                values.copy_(0.3 * torch.randn_like(values))
            elif name == "embed_positions.weight":
                values.copy_(0.5 * torch.randn_like(values))
            else:
                values.copy_(0.8 * torch.randn_like(values) / values[0].numel() ** 0.5)
        # A larger scale makes attention uneven, as it is in trained models.
        for layer in encoder.layers:
            layer.self_attn.q_proj.weight.mul_(2)
    return encoder


def padded(encoder, mel):
    """All hidden states of a window, as transformers gives them."""
    return encoder(mel, output_hidden_states=True).hidden_states


def unpadded(encoder, mel):
    """The same of a spectrogram of any even length, which transformers refuses: through its modules."""
    gelu = torch.nn.functional.gelu
    x = gelu(encoder.conv2(gelu(encoder.conv1(mel)))).permute(0, 2, 1)
    x = x + encoder.embed_positions.weight[: x.shape[1]]
    states = [x]
    for layer in encoder.layers:
        x = layer(x, None)
        x = x[0] if isinstance(x, tuple) else x
        states.append(x)
    return states[:-1] + [encoder.layer_norm(x)]


def states(encoder, extractor, samples):
    """Per layer and way of padding, the states of a recording, window by window."""
    window, found = extractor.n_samples, {"window": [], "nothing": []}
    for start in range(0, len(samples), window):
        part = samples[start : start + window]
        own = -(-len(part) // 320)
        mel = extractor(part, sampling_rate=RATE, return_tensors="pt").input_features
        whole, free = padded(encoder, mel), unpadded(encoder, mel)
        assert all(torch.equal(a, b) for a, b in zip(whole, free)), "the modules are those of the whole"
        found["window"].append([state[0, :own] for state in whole])
        found["nothing"].append([state[0] for state in unpadded(encoder, mel[:, :, : 2 * own])])
    return {way: [torch.cat(layer) for layer in zip(*parts)] for way, parts in found.items()}


def write(name, config, seed, lengths, prefix, dtype):
    encoder = random_encoder(config, seed).to(dtype).float()
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    keys = ["model_type", "activation_function", "d_model", "encoder_layers", "encoder_attention_heads"]
    keys += ["encoder_ffn_dim", "num_mel_bins", "max_source_positions"]
    values = config.to_dict()
    (folder / "config.json").write_text(json.dumps({key: values[key] for key in keys}, indent=2) + "\n")
    tensors = {f"{prefix}{name}": t.to(dtype).contiguous() for name, t in encoder.state_dict().items()}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})

    seconds = config.max_source_positions // 50
    extractor = WhisperFeatureExtractor(feature_size=config.num_mel_bins, chunk_length=seconds)
    expected = {}
    for length in lengths:
        with torch.no_grad():
            found = states(encoder, extractor, recording(length))
        for way, layers in found.items():
            count = len(layers[0])
            # Beginning, end, and the ends of windows; and all frames summed up.
            some = sorted({0, 1, count // 3, count - 2, count - 1, 50 * seconds - 1, 50 * seconds} & set(range(count)))
            for number, layer in enumerate(layers):
                sd = layer.std().item()
                if length > 1000:
                    assert 0.5 < sd < 2, (name, length, way, number, sd)
                expected[f"{length}/{way}/{number}"] = layer[some].contiguous()
                expected[f"{length}/{way}/{number}/mean"] = layer.double().mean(0)
            expected[f"{length}/{way}/frames"] = torch.tensor(some)
            expected[f"{length}/{way}/count"] = torch.tensor(count)
    save_file(expected, folder / "expected.safetensors")
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(name, f"{size / 1024:.0f} KiB")


def spectrogram():
    """What the extractor makes of some recordings, at some frames."""
    found = {}
    for bands in (80, 128):
        extractor = WhisperFeatureExtractor(feature_size=bands)
        for length in (400, 48_123, 480_000):
            samples = np.pad(recording(length), (0, extractor.n_samples - length))
            # The way without PyTorch, which computes in 64 bits: the other is off by 3e-5 in silent bands.
            mel = torch.tensor(extractor._np_extract_fbank_features(samples[None], "cpu")[0].T)
            some = sorted({0, 1, 2, length // 160 - 1, min(length // 160, 2999), min(length // 160 + 1, 2999), 2999})
            found[f"{bands}/{length}"] = mel[some].contiguous()
            found[f"{bands}/{length}/frames"] = torch.tensor(some)
    save_file(found, HERE / "whisper-mel.safetensors")


shared = dict(decoder_layers=1, vocab_size=10, pad_token_id=0, bos_token_id=0, eos_token_id=0, decoder_start_token_id=0)
small = WhisperConfig(d_model=16, encoder_layers=3, encoder_attention_heads=2, encoder_ffn_dim=24,
                      num_mel_bins=80, max_source_positions=100, **shared)
whole = WhisperConfig(d_model=8, encoder_layers=2, encoder_attention_heads=2, encoder_ffn_dim=16,
                      num_mel_bins=128, max_source_positions=1500, **shared)
write("whisper-small", small, 1, [400, 16_000, 31_999, 32_001, 80_000], "encoder.", torch.float32)
write("whisper-whole", whole, 2, [400, 48_123, 640_000], "model.encoder.", torch.float16)
spectrogram()
