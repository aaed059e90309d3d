"""PyTorch's side of `bench train`: a job a line on stdin, an answer a line on stdout.

A job that is asked for again is done again, with what was prepared for the first time.
"""

import json
import sys
import time

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

torch.set_num_threads(int(sys.argv[1]))


class Network(torch.nn.Module):
    def __init__(self, sizes):
        super().__init__()
        linear, lstm = sizes["linear"], sizes["lstm"]
        self.linear = torch.nn.Linear(sizes["inputs"], linear)
        self.lstm = torch.nn.LSTM(linear, lstm, bidirectional=True)
        self.attention = torch.nn.Linear(2 * lstm, 1, bias=False)
        self.output = torch.nn.Linear(2 * lstm, sizes["classes"])
        self.dropout = torch.nn.Dropout(sizes["dropout"])

    def dense(self, frames):
        return self.dropout(torch.relu(self.linear(frames)))

    def forward(self, batch):
        if batch.packed is not None:
            packed = batch.packed
            dense = PackedSequence(self.dense(packed.data), packed.batch_sizes)
            hidden, _ = pad_packed_sequence(self.lstm(dense)[0])
        else:
            hidden, _ = self.lstm(self.dense(batch.frames))
        hidden = self.dropout(hidden)
        scores = self.attention(hidden).squeeze(-1).masked_fill(batch.beyond, float("-inf"))
        pooled = (torch.softmax(scores, 0).unsqueeze(-1) * hidden).sum(0)
        return torch.log_softmax(self.output(pooled), -1)


class Batch:
    def __init__(self, lengths, sizes, packed):
        lengths = torch.tensor(sorted(lengths, reverse=True))
        self.frames = torch.randn(int(lengths[0]), len(lengths), sizes["inputs"])
        self.targets = torch.arange(len(lengths)) % sizes["classes"]
        self.beyond = torch.arange(int(lengths[0]))[:, None] >= lengths[None]
        self.packed = pack_padded_sequence(self.frames, lengths) if packed else None


class Job:
    def __init__(self, asked):
        sizes = asked["sizes"]
        self.training = asked["task"] == "step"
        self.network = Network(sizes).train(self.training)
        self.adam = torch.optim.Adam(self.network.parameters(), 1e-3, fused=True)
        packed = asked["system"] == "packed"
        self.batches = [Batch(lengths, sizes, packed) for lengths in asked["batches"]]
        self.before = status("VmRSS")

    def step(self, batch):
        self.adam.zero_grad()
        torch.nn.functional.nll_loss(self.network(batch), batch.targets).backward()
        self.adam.step()

    def run(self):
        if self.training:
            for batch in self.batches:
                self.step(batch)
        else:
            with torch.inference_mode():
                for batch in self.batches:
                    self.network(batch)


def status(field):
    """A field of this process's status, in kB."""
    try:
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))
    except OSError:
        return None


ready = {}
for line in sys.stdin:
    if line not in ready:
        ready[line] = Job(json.loads(line))
        ready[line].run()
    job = ready[line]
    started = time.perf_counter()
    job.run()
    answer = {"seconds": time.perf_counter() - started, "memory": None}
    if job.before is not None:
        answer["memory"] = {"before": job.before, "peak": status("VmHWM")}
    print(json.dumps(answer), flush=True)
