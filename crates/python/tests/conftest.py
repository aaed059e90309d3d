"""The small demonstration and its networks, made once by the program of the wheel."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

import ambivox

SMALL = ["--quiet", "--pipeline", "pipelines/demo-small.toml"]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The demonstration: `frames` and `index` are Parquet, `audio` is a folder, `networks` a bundle."""
    folder = tmp_path_factory.mktemp("demo")

    def run(*arguments: str) -> str:
        command = [str(ambivox.program()), *arguments, *SMALL]
        return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout

    assert "results/demo-small/report.html" in run("demo")
    run("bundle", "networks", "--method", "baseline")
    made = [json.loads(run(stage, "--json"))["outputs"] for stage in ("synth", "index", "extract")]
    return SimpleNamespace(
        audio=Path(made[0]["corpus"]),
        index=Path(made[1]["index"]),
        frames=Path(made[2]["features"]),
        networks=folder / "networks",
    )
