"""Emotions of audio files, by the program."""

from __future__ import annotations

import json
import os
from typing import Any, Iterable, Iterator, Optional, Union

from ._program import run
from ._table import Columns, Table, table

_Path = Union[str, os.PathLike[str]]

# Files of one call of the program, far below what a command line can hold.
_AT_A_TIME = 1000
# Exit codes with which it has predicted what it could: done, the machine or the data in the way of a file.
_WITH_ANSWERS = (0, 1, 3)


def predict(
    files: Union[_Path, Iterable[_Path]],
    model: _Path,
    *,
    windows: bool = False,
    window: Optional[float] = None,
    encoder: Optional[_Path] = None,
    threads: Optional[int] = None,
) -> Table:
    """The emotion of audio files, of any common format, and of all audio files in folders.

    Args:
        files: Audio files and folders, or one of them.
        model: The folder of networks that ``ambivox bundle`` made.
        windows: A row for each window of a recording in the place of one for the recording.
        window: The longest window in seconds, by default 10.
        encoder: The folder of the encoder whose hidden states the networks read, where they read such.
        threads: Threads to use, by default one for each core.

    Returns:
        A DataFrame of pandas where that is installed, else a dict of lists, column by column. Columns are
        ``file``; ``duration_s``, or with `windows` ``start_s``, ``end_s`` and ``peak_s``, where most
        attention lies; ``emotion``, the most probable
        one; ``p_`` and its name for the probability of each; and ``error``, which is missing where the file
        could be read. Files that could not come last, in the order of `files` like the others.

    Raises:
        AmbivoxError: There is no prediction at all, as by a folder that holds no networks.

    >>> predict(["speech.wav"], "networks")                                        # doctest: +SKIP
             file  duration_s emotion  p_anger  p_happiness  p_neutral  p_sadness error
    0  speech.wav        2.61   anger     0.82         0.11       0.04       0.03  None
    """
    named = [files] if isinstance(files, (str, os.PathLike)) else files
    paths = [os.fspath(file) for file in named]
    flags = _flags(model, window, encoder, threads)
    documents = [
        json.loads(run([*flags, "--", *paths[at : at + _AT_A_TIME]], _WITH_ANSWERS))
        for at in range(0, len(paths), _AT_A_TIME)
    ]
    return table(_columns(documents, windows))


def _flags(
    model: _Path, window: Optional[float], encoder: Optional[_Path], threads: Optional[int]
) -> list[str]:
    given = {"--window": window, "--encoder": encoder, "--threads": threads}
    flags = ["predict", "--json", "--model", os.fspath(model)]
    for flag, value in given.items():
        if value is not None:
            flags += [flag, os.fspath(value) if isinstance(value, os.PathLike) else str(value)]
    return flags


def _columns(documents: list[dict[str, Any]], windows: bool) -> Columns:
    rows = [row for document in documents for row in _rows(document, windows)]
    rows += [
        {"file": broken["sound"], "error": broken["reason"]}
        for document in documents
        for broken in document["broken"]
    ]
    times = ["start_s", "end_s", "peak_s"] if windows else ["duration_s"]
    probabilities = [head for head in (rows[0] if rows else {}) if head.startswith("p_")]
    heads = ["file", *times, "emotion", *probabilities, "error"]
    return {head: [row.get(head) for row in rows] for head in heads}


def _rows(document: dict[str, Any], windows: bool) -> Iterator[dict[str, Any]]:
    for sound in document["sounds"]:
        for part in sound["windows"] if windows else [sound]:
            probabilities = {f"p_{name}": p for name, p in part["probabilities"].items()}
            yield {"file": sound["sound"], **part, **probabilities}
