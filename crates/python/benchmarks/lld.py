"""Times `ambivox.lld` beside the package opensmile, from an array in memory to an array, on one thread each.

    python crates/python/benchmarks/lld.py [SECONDS …]

The voice is generated. openSMILE computes the same 32 descriptors, by the configuration that
`cargo xtask bench lld` has, and two sets that people use, the low-level descriptors of eGeMAPS v02 and of
ComParE 2016: other descriptors of the same frames, which say what is usual and not who is faster. Objects
are made before the clock starts and serve for all runs; the runs take turns.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Callable

import numpy as np
import opensmile

import ambivox

RATE = 16_000
RUNS = 5
SER32 = Path(__file__).parents[3] / "crates/measure/src/bench/lld/ser32.conf"


def voice(seconds: float) -> np.ndarray:
    """Harmonics of a gliding F0, in syllables, with noise between them; rounded to 16 bits."""
    t = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(140 + 40 * np.sin(2 * np.pi * 0.7 * t)) / RATE
    voiced = sum(np.sin(n * phase) / n for n in range(1, 25))
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * t), 0, 1)
    noise = 0.003 * np.random.default_rng(0).normal(size=t.size)
    return (np.round((0.2 * syllables * voiced + noise) * 32768).clip(-32768, 32767) / 32768).astype(np.float32)


def rivals() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Every contender as a function of a signal."""
    lld = opensmile.FeatureLevel.LowLevelDescriptors
    sets = {
        "openSMILE, ser32": opensmile.Smile(str(SER32), feature_level="features", num_workers=1),
        "openSMILE, eGeMAPSv02": opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, lld, num_workers=1),
        "openSMILE, ComParE_2016": opensmile.Smile(opensmile.FeatureSet.ComParE_2016, lld, num_workers=1),
    }
    called = {name: (lambda signal, smile=smile: smile(signal, RATE)[0].T) for name, smile in sets.items()}
    return {"ambivox.lld, ser32": lambda signal: ambivox.lld(signal, RATE).values, **called}


def agreement(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference of a column over its standard deviation, of the frames that both have."""
    count = min(len(ours), len(theirs))
    return float((abs(ours[:count] - theirs[:count]).max(axis=0) / theirs.std(axis=0)).max())


def main() -> None:
    contenders = rivals()
    for seconds in [float(word) for word in sys.argv[1:]] or [4.0, 300.0]:
        signal = voice(seconds)
        tables = {name: run(signal) for name, run in contenders.items()}
        times: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(RUNS):
            for name, run in contenders.items():
                started = time.perf_counter()
                run(signal)
                times[name].append(time.perf_counter() - started)
        print(f"{seconds:g} s of sound, medians of {RUNS} runs by turns (and the fastest)")
        first = statistics.median(next(iter(times.values())))
        for name, taken in times.items():
            median = statistics.median(taken)
            rows, columns = tables[name].shape
            print(
                f"  {name:24} {columns:4} × {rows:6} {1e3 * median:10.2f} ms ({1e3 * min(taken):.2f})"
                f" {seconds / median:9.0f} × real time {median / first:7.1f}"
            )
        largest = agreement(tables["ambivox.lld, ser32"], tables["openSMILE, ser32"])
        print(f"  largest difference of ser32: {largest:.1e} of a column's standard deviation")


if __name__ == "__main__":
    main()
