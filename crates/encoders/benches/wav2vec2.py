"""Time from samples to all hidden states by PyTorch + transformers, as `wav2vec2.rs` measures ours.

    pip install torch transformers
    python wav2vec2.py FOLDER [wav2vec2|wavlm]

A model of the base size with random weights is made in FOLDER if there is none. Times are the median and the
least of ten runs.
"""

import statistics
import sys
import time
from pathlib import Path

import torch
from transformers import AutoModel, Wav2Vec2Config, Wav2Vec2Model, WavLMConfig, WavLMModel

KINDS = {"wav2vec2": (Wav2Vec2Model, Wav2Vec2Config), "wavlm": (WavLMModel, WavLMConfig)}


def timed(model, x):
    start = time.perf_counter()
    with torch.inference_mode():
        model(x, output_hidden_states=True)
    return time.perf_counter() - start


def main():
    folder = Path(sys.argv[1])
    if not folder.exists():
        kind, config = KINDS[sys.argv[2] if len(sys.argv) > 2 else "wav2vec2"]
        torch.manual_seed(0)
        kind(config()).save_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    for threads in [1, 2]:
        torch.set_num_threads(threads)
        for seconds in [4, 10]:
            x = torch.sin(torch.arange(seconds * 16000) * 0.1)[None]
            for _ in range(2):
                timed(model, x)
            times = [timed(model, x) for _ in range(10)]
            median = statistics.median(times)
            print(f"{seconds} s, {threads} threads: median {median:.3f} s, least {min(times):.3f} s")


main()
