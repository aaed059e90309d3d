"""The program ``ambivox`` of the same wheel, and what it says."""

from __future__ import annotations

import functools
import importlib.metadata
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Iterable


class AmbivoxError(RuntimeError):
    """The program ended with an error, whose text this has.

    `code` is its exit code: 1 failed, 2 used wrongly, 3 input data at fault.
    """

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


@functools.lru_cache(maxsize=None)
def program() -> Path:
    """The executable that came with this package.

    Raises:
        FileNotFoundError: It is not where it was installed to.
    """
    files = importlib.metadata.files("ambivox") or []
    for file in files:
        found = Path(str(file.locate()))
        if file.stem == "ambivox" and file.parent.name in ("bin", "Scripts") and found.is_file():
            return found.resolve()
    raise FileNotFoundError(
        "the program ambivox is not beside its Python package; install the wheel again: "
        f"{sys.executable} -m pip install --force-reinstall ambivox"
    )


def run(arguments: Iterable[str], may_end_with: Iterable[int] = (0,)) -> str:
    """What the program prints to standard output. Its warnings become Python's.

    Raises:
        AmbivoxError: It ends with another code, or prints nothing.
    """
    ended = subprocess.run(
        [str(program()), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if ended.returncode not in may_end_with or not ended.stdout:
        text = ended.stderr.strip().removeprefix("error: ")
        raise AmbivoxError(text or f"it ended with {ended.returncode}", ended.returncode)
    for line in ended.stderr.splitlines():
        if line.startswith("warning: "):
            warnings.warn(line.removeprefix("warning: "), UserWarning, stacklevel=4)
    return ended.stdout
