"""Which labels to look at first, from labels and vectors alone, by the program."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import tempfile
import unicodedata
import warnings
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Sequence, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._program import run
from ._table import Columns, Table, table

_Path = Union[str, os.PathLike[str]]

# Columns of a table of labels, the first of each that there is, as the program takes them.
_IDS = ("utterance_id", "id", "file")
_LABELS = ("label", "emotion", "class")
# Columns of the ranking that hold text even where it looks like numbers.
_TEXT = {"utterance_id", "gold", "suggestion", "reason", "votes", "speaker", "path"}
# Texts that stand for no label, in small letters, as the program takes them.
_NO_LABEL = frozenset(("", "#n/a", "#na", "<na>", "n/a", "na", "nan", "-nan", "nat", "none", "null"))
# Of those that are warned of, how many are named.
_NAMED = 10
# What begins a formula in a spreadsheet, before which the program puts a `'`.
_FORMULA = "=+-@\t\r\n＝＋－＠"


def audit(
    labels: Any,
    features: ArrayLike,
    *,
    speakers: Union[Sequence[Any], Mapping[Any, Any], None] = None,
    detector: Optional[str] = None,
    threads: Optional[int] = None,
    folder: Optional[_Path] = None,
) -> Table:
    """Ranks labels by how suspect they are, by models that did not train on the utterance.

    Args:
        labels: A label for every utterance: a sequence, whose places are the ids; a mapping or a pandas
            Series from id to label; or a DataFrame with columns ``utterance_id``, ``id`` or ``file``, then
            ``label``, ``emotion`` or ``class``, and ``speaker`` where there is one. Utterances whose label
            is None, NaN or empty are excluded, with a warning.
        features: Vectors of any model, of shape (utterances, values), in the order of `labels`.
        speakers: Who speaks, in the order of `labels` or by id. Labels are ranked by models that did not
            train on the utterance, whoever speaks; the rates of a later ``ambivox report`` on what is kept
            in `folder` are then of speakers that models did not train on.
        detector: What ranks the labels; see ``ambivox audit --help``.
        threads: Threads to use, by default one for each core. No result depends on it.
        folder: Where to keep what was made, with ``labels/audit.html`` to look at; by default nothing is
            kept.

    Returns:
        A DataFrame of pandas where that is installed, else a dict of lists, column by column, the most
        suspect label first: ``rank``, ``score`` (higher for more suspect), ``utterance_id``, ``gold`` (the label given),
        ``suggestion`` (the label that the models suggest), ``reason``, ``weight`` and ``loss`` of the
        training, and for every label ``s_`` its share in the learned label and ``p_`` its probability by
        models that did not train on the utterance.

    Raises:
        ValueError: Labels, features and speakers do not go together.
        AmbivoxError: The program finds something wrong, as a label with less than three utterances.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> truth = np.arange(60) % 2
    >>> vectors = rng.normal(size=(60, 8)) + 4 * truth[:, None]
    >>> labels = np.where(truth == 1, "happy", "sad")
    >>> labels[7] = "sad"
    >>> ranking = audit(labels, vectors)
    >>> int(ranking["utterance_id"][0]), ranking["suggestion"][0]
    (7, 'happy')
    """
    ids, given, speakers = _utterances(labels, speakers)
    vectors = _vectors(features, len(ids))
    kept = _labelled(ids, given)
    ids, given, vectors = [ids[at] for at in kept], [given[at] for at in kept], vectors[kept]
    speakers = speakers and [speakers[at] for at in kept]
    flags = {"--detector": detector, "--threads": threads}
    options = [word for flag, value in flags.items() if value is not None for word in (flag, str(value))]
    with _place(folder) as place:
        _write(place, ids, given, speakers, vectors)
        ranking = _read(_ranked(place, options))
    for column, own in (("utterance_id", ids), ("gold", given), ("suggestion", given)):
        by_text = {_text(value): value for value in own}
        ranking[column] = [by_text[_text(cell)] for cell in ranking[column]]
    return table(ranking)


def _text(value: Any) -> str:
    """What the program makes of a cell with this value: texts that look the same are the same to it."""
    return unicodedata.normalize("NFC", " ".join(str(value).split()))


@contextlib.contextmanager
def _place(folder: Optional[_Path]) -> Iterator[Path]:
    """The folder named, or one that is there no longer afterwards."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="ambivox-") as passing:
            yield Path(passing)
    else:
        place = Path(folder).absolute()
        place.mkdir(parents=True, exist_ok=True)
        yield place


def _utterances(labels: Any, speakers: Any) -> tuple[list[Any], list[Any], Optional[list[Any]]]:
    """Ids, labels, and speakers where there are any."""
    if hasattr(labels, "columns"):
        ids, given = _column(labels, _IDS), _column(labels, _LABELS)
        if speakers is None and "speaker" in labels.columns:
            speakers = labels["speaker"]
    elif hasattr(labels, "items"):
        ids, given = map(list, zip(*labels.items())) if len(labels) else ([], [])
    else:
        given = _list(labels)
        ids = list(range(len(given)))
    if len({_text(id) for id in ids}) < len(ids):
        raise ValueError("two utterances have the same id; every id stands once in `labels`")
    if speakers is None:
        return ids, given, None
    by_id = isinstance(speakers, Mapping)
    return ids, given, [speakers[id] for id in ids] if by_id else _aligned(_list(speakers), len(ids))


def _aligned(speakers: list[Any], count: int) -> list[Any]:
    if len(speakers) != count:
        raise ValueError(f"there are {len(speakers)} speakers of {count} labels")
    return speakers


def _column(frame: Any, names: Sequence[str]) -> list[Any]:
    for name in names:
        if name in frame.columns:
            return _list(frame[name])
    raise ValueError(f"`labels` has none of the columns {', '.join(names)}")


def _list(values: Iterable[Any]) -> list[Any]:
    listed: Callable[[], list[Any]] = getattr(values, "tolist", lambda: list(values))
    return listed()


def _labelled(ids: list[Any], labels: list[Any]) -> list[int]:
    """Places of the utterances that have a label; warns of the others."""
    missing = [at for at, label in enumerate(labels) if _text(label).lower() in _NO_LABEL]
    given = sorted(set(range(len(ids))) - set(missing))
    texts: dict[str, Any] = {}
    for label in (labels[at] for at in given):
        other = texts.setdefault(_text(label), label)
        if other != label:
            raise ValueError(f"the labels {other!r} and {label!r} are one as text; name them apart")
    if missing:
        named = ", ".join(str(ids[at]) for at in missing[:_NAMED])
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        of = f"{len(missing)} of {len(ids)} utterances have no label and are excluded"
        warnings.warn(f"{of}: {named}{more}", UserWarning, stacklevel=3)
    return given


def _vectors(features: ArrayLike, count: int) -> NDArray[Any]:
    vectors = np.asarray(features)
    if vectors.ndim != 2 or len(vectors) != count:
        expected = f"({count}, values), a row for every label, is expected"
        raise ValueError(f"features have shape {vectors.shape}, where {expected}")
    return vectors if vectors.dtype.kind == "f" else vectors.astype(np.float32)


def _write(
    place: Path,
    ids: list[Any],
    labels: list[Any],
    speakers: Optional[list[Any]],
    vectors: NDArray[Any],
) -> None:
    columns = {"utterance_id": ids, "label": labels}
    if speakers is not None:
        columns["speaker"] = speakers
    with open(place / "labels.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows(zip(*columns.values()))
    names = np.array([str(id) for id in ids], dtype=np.str_)
    np.savez(place / "features.npz", utterance_id=names, values=vectors)


def _ranked(place: Path, options: list[str]) -> Path:
    """Runs the audit; the table that it made."""
    files = ["--table", str(place / "labels.csv"), "--features", str(place / "features.npz")]
    where = ["--results", str(place), "--store", str(place / ".ambivox" / "store")]
    asked = ["audit", "--json", "--quiet", "--values", "values"]
    return Path(json.loads(run([*asked, *files, *where, *options]))["outputs"]["audit_csv"])


def _read(file: Path) -> Columns:
    """The ranking by column, without those that a table of labels leaves empty or that repeat the id."""
    with open(file, newline="", encoding="utf-8") as text:
        heads, *rows = csv.reader(text)
    columns = {head: [row[at] for row in rows] for at, head in enumerate(heads) if head != "path"}
    filled = {head: cells for head, cells in columns.items() if any(cells)}
    return {head: _typed(head, cells) for head, cells in filled.items()}


def _typed(head: str, cells: list[str]) -> list[Any]:
    if head in _TEXT:
        return [_unguarded(cell) for cell in cells]
    try:
        return [int(cell) if head == "rank" else float(cell or "nan") for cell in cells]
    except ValueError:
        return [_unguarded(cell) for cell in cells]


def _unguarded(cell: str) -> str:
    """The text before the program kept it from being a formula."""
    bare = cell.lstrip("'")
    guarded = cell.startswith("'") and len(bare) > 1 and bare[0] in _FORMULA
    return cell[1:] if guarded else cell
