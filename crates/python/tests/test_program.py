"""The program of the wheel, and the functions that run it."""

from __future__ import annotations

import doctest
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import ambivox
from ambivox import _audit, _descriptors, _table

WRONG = [7, 20, 33, 46]


def columns(found: object) -> dict[str, list]:
    return found if isinstance(found, dict) else found.to_dict("list")  # type: ignore[attr-defined]


def is_missing(cell: object) -> bool:
    """None as it is, or what pandas makes of it."""
    return cell is None or cell != cell


def toy() -> tuple[list[str], np.ndarray]:
    """Labels of which four are wrong, and vectors that tell."""
    truth = np.arange(60) % 2
    vectors = np.random.default_rng(1).normal(size=(60, 8)) + 4.0 * truth[:, None]
    shown = truth.copy()
    shown[WRONG] = 1 - shown[WRONG]
    return [["sad", "happy"][label] for label in shown], vectors


def test_the_program_is_on_the_path() -> None:
    beside = Path(sys.executable).with_name("ambivox")
    assert ambivox.program() == beside.resolve() and os.access(beside, os.X_OK)
    said = subprocess.run([beside, "--version"], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["ambivox", ambivox.__version__]
    assert shutil.which("cargo") is None, "the tests are to show that nothing else is needed"


@pytest.mark.parametrize("module", [ambivox, _descriptors, _audit])
def test_examples_do_what_they_show(module: object) -> None:
    ran = doctest.testmod(module, globs={**vars(ambivox), **vars(module)})
    assert ran.attempted > 0 and ran.failed == 0


def test_emotions_of_files_and_folders(demo: SimpleNamespace) -> None:
    one = sorted(demo.audio.rglob("*.wav"))[0]
    with pytest.warns(UserWarning, match="synthetic corpus"):
        found = columns(ambivox.predict(one, demo.networks))
    assert found["file"] == [str(one)] and found["error"] == [None]
    classes = [head[2:] for head in found if head.startswith("p_")]
    assert sorted(classes) == ["anger", "happiness", "neutral", "sadness"]
    probabilities = {name: found[f"p_{name}"][0] for name in classes}
    assert abs(sum(probabilities.values()) - 1) < 1e-5
    assert found["emotion"] == [max(probabilities, key=probabilities.get)]  # type: ignore[arg-type]
    with pytest.warns(UserWarning):
        parts = columns(ambivox.predict([one.parent], demo.networks, windows=True, window=0.5))
    assert len(parts["file"]) > len(set(parts["file"])) > 1
    assert all(end - start < 0.6 for start, end in zip(parts["start_s"], parts["end_s"]))


def test_files_that_cannot_be_read_come_last(demo: SimpleNamespace, tmp_path: Path) -> None:
    one = sorted(demo.audio.rglob("*.wav"))[0]
    (tmp_path / "-x.wav").write_text("no sound")
    with pytest.warns(UserWarning):
        found = columns(ambivox.predict([tmp_path / "-x.wav", one], demo.networks))
    assert found["file"] == [str(one), str(tmp_path / "-x.wav")]
    assert is_missing(found["emotion"][1]) and is_missing(found["error"][0])
    assert isinstance(found["error"][1], str) and found["error"][1]


def test_a_folder_without_networks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ambivox.AmbivoxError, match="bundle.json") as raised:
        ambivox.predict("speech.wav", tmp_path)
    assert raised.value.code == 3


def test_wrong_labels_come_first() -> None:
    labels, vectors = toy()
    found = columns(ambivox.audit(labels, vectors))
    assert sorted(found["utterance_id"][:4]) == WRONG
    assert sorted(found["utterance_id"]) == list(range(60))
    assert found["rank"] == list(range(1, 61)) and found["score"] == sorted(found["score"])[::-1]
    assert all(a != b for a, b in zip(found["gold"][:4], found["suggestion"][:4]))
    assert {"reason", "weight", "p_sad", "p_happy"} <= set(found) and "path" not in found


def test_labels_come_in_many_forms(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    labels, vectors = toy()
    # Ids, labels and names that a table of text might mistake for something else.
    words = {"sad": "=sad, 'very'", "happy": "-1"}
    given = {f"+u;{n}": words[label] for n, label in enumerate(labels)}
    speakers = [f"s{n // 6}" for n in range(60)]
    first = {f"+u;{n}" for n in WRONG}
    frame = pandas.DataFrame({"id": list(given), "emotion": list(given.values()), "speaker": speakers})
    for form in [given, pandas.Series(given), frame]:
        found = columns(ambivox.audit(form, vectors.astype(np.float32), folder=tmp_path / "kept"))
        assert set(found["utterance_id"][:4]) == first
        assert set(found["gold"]) == set(words.values())
    assert found["speaker"][0] in speakers
    assert (tmp_path / "kept/labels/audit.html").is_file()
    numbers = columns(ambivox.audit([int(label == "sad") for label in labels], vectors, speakers=speakers))
    assert set(numbers["gold"]) == {0, 1} and sorted(numbers["utterance_id"][:4]) == WRONG


def test_texts_that_look_the_same_are_the_same() -> None:
    labels, vectors = toy()
    names = {"sad": "d\u00e9prime\u0301 ", "happy": "happy"}
    found = columns(ambivox.audit([names[label] for label in labels], vectors))
    assert set(found["gold"]) == set(names.values())
    with pytest.raises(ValueError, match="are one as text"):
        ambivox.audit([1, "1", *labels[2:]], vectors)
    with pytest.raises(ValueError, match="same id"):
        ambivox.audit({"a  b": "sad", "a b": "happy"}, vectors[:2])


def test_utterances_without_a_label_are_excluded() -> None:
    labels, vectors = toy()
    given = [None if n == 3 else float("nan") if n == 5 else label for n, label in enumerate(labels)]
    with pytest.warns(UserWarning, match="2 of 60 utterances have no label and are excluded: 3, 5"):
        found = columns(ambivox.audit(given, vectors))
    assert sorted(found["utterance_id"]) == [n for n in range(60) if n not in (3, 5)]


def test_what_does_not_go_together_is_told() -> None:
    labels, vectors = toy()
    with pytest.raises(ValueError, match=r"shape \(59, 8\), where \(60, values\)"):
        ambivox.audit(labels, vectors[:59])
    with pytest.raises(ValueError, match="59 speakers of 60 labels"):
        ambivox.audit(labels, vectors, speakers=labels[:59])
    with pytest.raises(ambivox.AmbivoxError, match="rare") as raised:
        ambivox.audit(["rare", *labels[1:]], vectors)
    assert raised.value.code == 3


def test_without_pandas_tables_are_dicts_of_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(_table.table({"a": [1]})).__name__ in ("DataFrame", "dict")
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert _table.table({"a": [1]}) == {"a": [1]}
