"""The snippets of docs/pip.md do what the page says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

PAGE = Path(__file__).parents[3] / "docs/pip.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def place(demo: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that the page names."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copy(sorted(demo.audio.rglob("*.wav"))[0], folder / "speech.wav")
    (folder / "networks").symlink_to(demo.networks)
    truth = np.arange(40) % 2
    np.save(folder / "vectors.npy", np.random.default_rng(3).normal(size=(40, 4)) + 4 * truth[:, None])
    rows = [f"u{n},{'happy' if happy else 'sad'}\n" for n, happy in enumerate(truth)]
    (folder / "labels.csv").write_text("id,label\n" + "".join(rows))
    return folder


def test_there_are_snippets_of_all_three() -> None:
    assert [re.findall(r"ambivox\.(lld|predict|audit)\(", snippet) for snippet in SNIPPETS] == [
        ["lld"],
        ["predict"],
        ["audit"],
    ]


@pytest.mark.parametrize("snippet", SNIPPETS)
@pytest.mark.filterwarnings("ignore:these networks were trained on a synthetic corpus")
def test_a_snippet_runs(
    snippet: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pandas")
    monkeypatch.chdir(place)
    exec(compile(snippet, str(PAGE), "exec"), {})  # noqa: S102
    assert capsys.readouterr().out.strip()
