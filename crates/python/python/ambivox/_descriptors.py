"""Acoustic descriptors of a signal in memory, with the numbers that ``ambivox extract`` computes."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import NamedTuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _ambivox


class Lld(NamedTuple):
    """Low-level descriptors of a signal, a row for each frame.

    ``pandas.DataFrame(frames.values, index=frames.times, columns=frames.names)`` makes a table of them.
    """

    values: NDArray[np.float32]
    """The descriptors, of shape (frames, descriptors)."""
    names: tuple[str, ...]
    """Names of the descriptors, in the order of the columns."""
    times: NDArray[np.float64]
    """Where each frame begins, in seconds from the first sample."""


def lld(signal: ArrayLike, rate: int, set: Union[str, os.PathLike[str]] = "ser32") -> Lld:
    """Low-level descriptors of a mono signal, one row every 10 ms in the built-in sets.

    Args:
        signal: The samples, of shape (samples,): float32 or float64 of full scale ±1, or int16, which is
            divided by 32768.
        rate: Samples a second.
        set: A built-in feature set, see `sets`, or the path of one in TOML, which ends in ``.toml``.

    Returns:
        The descriptors with their names and the times of the frames. A signal shorter than one frame
        (25 ms) has none.

    Raises:
        ValueError: More than one channel, a sample that is NaN or infinite, a rate that is not taken, or a
            set that does not exist; the message lists those that do.
        TypeError: Samples of another type.

    The numbers are those of the program to the bit, and other threads run while they are computed.

    >>> import numpy as np
    >>> tone = 0.5 * np.sin(2 * np.pi * 220 * np.arange(16000) / 16000)
    >>> frames = lld(tone, 16000)
    >>> bool(abs(np.median(frames.values[:, frames.names.index("F0")]) - 220) < 3)
    True
    """
    extractor = _extractor(set)
    samples = np.asarray(signal)
    samples = np.require(samples, samples.dtype.newbyteorder("="), "A")
    values = extractor.process(samples, rate)
    times = np.arange(len(values)) * extractor.step_ms / 1000
    return Lld(values, tuple(extractor.names), times)


def names(set: Union[str, os.PathLike[str]] = "ser32") -> tuple[str, ...]:
    """Names of a set's descriptors, in the order of the columns.

    >>> names("is09")[:2]
    ('pcm_RMSenergy_sma', 'pcm_fftMag_mfcc_sma[1]')
    """
    return tuple(_extractor(set).names)


def sets() -> tuple[str, ...]:
    """Names of the built-in feature sets.

    >>> sets()
    ('ser32', 'ser32-sma3', 'ser32-prosody', 'is09')
    """
    return tuple(_ambivox.sets())


def _extractor(set: Union[str, os.PathLike[str]]) -> _ambivox.Extractor:
    name = os.fspath(set)
    if name.endswith(".toml"):
        return _described(Path(name).read_text(encoding="utf-8"))
    return _builtin(name)


_builtin = functools.lru_cache(maxsize=None)(_ambivox.Extractor.builtin)
_described = functools.lru_cache(maxsize=8)(_ambivox.Extractor.from_toml)
