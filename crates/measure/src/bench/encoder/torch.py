"""PyTorch's side of `bench encoder`, by transformers: `make FOLDER` writes models of random weights, and a
number of threads serves jobs, one a line on stdin, an answer a line on stdout.

A job that is asked for again is done again, with the model that was read for the first time.
"""

import json
import sys
import time
from pathlib import Path

import torch
import transformers
from transformers import (
    AutoModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperModel,
)

transformers.logging.set_verbosity_error()


def whisper(width, layers, heads):
    return WhisperConfig(
        d_model=width,
        encoder_layers=layers,
        encoder_attention_heads=heads,
        encoder_ffn_dim=4 * width,
        decoder_layers=1,
        decoder_attention_heads=heads,
        decoder_ffn_dim=width,
        vocab_size=64,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        decoder_start_token_id=0,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )


MODELS = {
    "whisper-tiny": (WhisperModel, whisper(384, 4, 6)),
    "whisper-base": (WhisperModel, whisper(512, 6, 8)),
    "wav2vec2-base": (Wav2Vec2Model, Wav2Vec2Config()),
    "wavlm-base": (WavLMModel, WavLMConfig()),
}


def make(folder):
    torch.manual_seed(0)
    for name, (kind, config) in MODELS.items():
        kind(config).save_pretrained(folder / name)
        if not name.startswith("whisper"):
            Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(folder / name)


def status(field):
    """A field of this process's status, in kB."""
    try:
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))
    except OSError:
        return None


class Job:
    def __init__(self, asked):
        self.samples = torch.sin(torch.arange(int(asked["seconds"] * 16000)) * 0.1)
        self.model = AutoModel.from_pretrained(asked["folder"]).eval()
        self.features = None
        if self.model.config.model_type == "whisper":
            self.features = WhisperFeatureExtractor()

    def run(self):
        with torch.inference_mode():
            if self.features is None:
                self.model(self.samples[None], output_hidden_states=True)
            else:
                mel = self.features(self.samples.numpy(), sampling_rate=16000, return_tensors="pt")
                self.model.encoder(mel.input_features, output_hidden_states=True)


def serve(threads):
    torch.set_num_threads(threads)
    ready = {}
    for line in sys.stdin:
        if line not in ready:
            ready[line] = Job(json.loads(line))
            ready[line].run()
        started = time.perf_counter()
        ready[line].run()
        seconds = time.perf_counter() - started
        print(json.dumps({"seconds": seconds, "peak": status("VmHWM")}), flush=True)


if sys.argv[1] == "make":
    make(Path(sys.argv[2]))
else:
    serve(int(sys.argv[1]))
