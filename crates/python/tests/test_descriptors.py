"""`ambivox.lld`: the product's numbers, and what it says of signals that it does not take."""

from __future__ import annotations

import threading
import time
import wave
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import ambivox

RATE = 16_000


def speech(seconds: float = 1.0) -> np.ndarray:
    """A voice-like signal: harmonics of 120 Hz that swell, and a little noise."""
    t = np.arange(int(seconds * RATE)) / RATE
    voice = sum(np.sin(2 * np.pi * 120 * n * t) / n for n in range(1, 20))
    noise = np.random.default_rng(7).normal(size=t.size)
    return 0.1 * (1 + np.sin(2 * np.pi * 3 * t)) * voice + 0.001 * noise


def read(file: Path) -> tuple[np.ndarray, int]:
    with wave.open(str(file)) as audio:
        assert (audio.getnchannels(), audio.getsampwidth()) == (1, 2)
        return np.frombuffer(audio.readframes(audio.getnframes()), "<i2"), audio.getframerate()


def test_numbers_are_those_of_the_program_to_the_bit(demo: SimpleNamespace) -> None:
    pandas = pytest.importorskip("pandas")
    frames = pandas.read_parquet(demo.frames).groupby("utterance_id", sort=False)
    paths = pandas.read_parquet(demo.index).set_index("utterance_id").path
    assert len(frames) == len(paths) > 50
    for utterance, rows in frames:
        ours = ambivox.lld(*read(demo.audio / paths[utterance]))
        theirs = np.ascontiguousarray(rows[list(ours.names)].to_numpy())
        assert theirs.dtype == ours.values.dtype == np.float32
        assert theirs.tobytes() == ours.values.tobytes(), utterance


def test_shapes_names_and_times() -> None:
    frames = ambivox.lld(speech(), RATE)
    assert frames.values.shape == (98, 32) and frames.values.flags.c_contiguous
    assert frames.names == ambivox.names("ser32")
    assert frames.times.tolist() == [n / 100 for n in range(98)]
    values, names, times = frames
    assert values is frames.values and len(names) == 32 and len(times) == 98
    assert ambivox.lld(np.zeros(399, np.float32), RATE).values.shape == (0, 32)


def test_dtypes_strides_and_byte_orders_are_one_signal() -> None:
    shorts = np.round(speech() * 32768).clip(-32768, 32767).astype(np.int16)
    whole = ambivox.lld(shorts, RATE).values
    singles = shorts.astype(np.float32) / np.float32(32768)
    for same in [
        singles,
        singles.astype(np.float64),
        singles.astype(">f4"),
        np.stack([singles, singles], axis=1)[:, 1],
        singles[::-1].copy()[::-1],
        np.frombuffer(b"\0" + singles.tobytes(), np.float32, offset=1),
        singles.tolist(),
    ]:
        assert ambivox.lld(same, RATE).values.tobytes() == whole.tobytes()


@pytest.mark.parametrize("name", ambivox.sets())
def test_every_set_has_its_columns(name: str) -> None:
    frames = ambivox.lld(speech(), RATE, set=name)
    assert frames.values.shape[1] == len(frames.names) == 32
    assert np.isfinite(frames.values).all() and len(frames.times) >= 98


def test_a_set_of_ones_own_is_a_file(tmp_path: Path) -> None:
    own = (Path(__file__).parents[2] / "lld/sets/ser32.toml").read_text()
    (tmp_path / "own.toml").write_text(own.replace("step_ms = 10", "step_ms = 5"))
    frames = ambivox.lld(speech(), RATE, set=tmp_path / "own.toml")
    assert len(frames.values) == 196 and frames.times[1] == 0.005
    (tmp_path / "own.toml").write_text(own.replace("bands = 26", "bands = 0"))
    with pytest.raises(ValueError, match="mfcc.bands = 0"):
        ambivox.lld(speech(), RATE, set=str(tmp_path / "own.toml"))


@pytest.mark.parametrize(
    ("signal", "rate", "kind", "says"),
    [
        (np.zeros((RATE, 2), np.float32), RATE, ValueError, r"shape \[16000, 2\].*\n.*signal.mean"),
        (np.float32(0), RATE, ValueError, r"shape \[\]"),
        (np.array([0, 0, np.nan, np.inf]), RATE, ValueError, "at sample 2"),
        (np.array([0, 1e300]), RATE, ValueError, "at sample 1"),
        (np.zeros(RATE, np.int32), RATE, TypeError, "dtype int32.*float64"),
        (np.zeros(RATE, complex), RATE, TypeError, "dtype complex128"),
        (["a"], RATE, TypeError, "dtype"),
        (np.zeros(RATE), 16000.5, TypeError, "float"),
    ],
)
def test_what_is_no_signal_is_told(signal: object, rate: object, kind: type, says: str) -> None:
    with pytest.raises(kind, match=says):
        ambivox.lld(signal, rate)  # type: ignore[arg-type]


def test_an_unknown_set_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="egemaps.*ser32, ser32-sma3, ser32-prosody, is09"):
        ambivox.lld(speech(), RATE, set="egemaps")


def test_threads_share_a_set() -> None:
    signals = [speech(0.5 + n / 10) for n in range(8)]
    alone = [ambivox.lld(signal, RATE).values.tobytes() for signal in signals]
    found: list[bytes] = [b""] * len(signals)

    def work(n: int) -> None:
        found[n] = ambivox.lld(signals[n], RATE).values.tobytes()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(signals))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


def longest_pause(signal: np.ndarray) -> float:
    """Longest time that this thread stood still while another described the signal, as a share of it."""
    thread = threading.Thread(target=ambivox.lld, args=(signal, RATE))
    pause, began = 0.0, time.perf_counter()
    last = began
    thread.start()
    while thread.is_alive():
        now = time.perf_counter()
        pause, last = max(pause, now - last), now
    return pause / (time.perf_counter() - began)


def test_other_threads_go_on_meanwhile() -> None:
    signal = np.tile(speech(60).astype(np.float32), 20)
    # Whoever shares the machine may stop this thread too, but not every time.
    assert min(longest_pause(signal) for _ in range(5)) < 0.5
