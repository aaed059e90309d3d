"""Writes the tables of features that the tests read, as the programs write them that people use.

    pip install numpy pandas pyarrow safetensors
    python tables.py
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save_file

HERE = Path(__file__).parent
IDS = np.array(["a", "b"])
VECTORS = np.array([[0, 0.5, 1], [3, 3.5, 4]], dtype=np.float32)
LAYERS = np.stack([VECTORS, VECTORS + 10], axis=1)
FRAMES = {
    "a": np.array([[1, 2], [3, 4]], dtype=np.float32),
    "b": np.array([[5, 6]], dtype=np.float32),
}

by_name = dict(zip(IDS, VECTORS))
np.savez_compressed(HERE / "paired.npz", utterance_id=IDS, mean=VECTORS.astype(np.float16))
np.savez(HERE / "by_name.npz", **by_name)
np.savez(HERE / "odd.npz", a=VECTORS[0], b=VECTORS[1][:2])
np.savez(HERE / "odd_layers.npz", a=LAYERS[0], b=LAYERS[1][:1])
np.savez(HERE / "layers.npz", utterance_id=IDS, mean=LAYERS)
np.savez(
    HERE / "layers_fortran_f8.npz",
    utterance_id=IDS,
    mean=np.asfortranarray(LAYERS.astype(np.float64)),
)
np.savez(HERE / "frames.npz", **FRAMES)
save_file(by_name, HERE / "by_name.safetensors")

for folder, arrays in [("folder", by_name), ("frames_folder", FRAMES)]:
    (HERE / folder).mkdir(exist_ok=True)
    for name, array in arrays.items():
        np.save(HERE / folder / f"{name}.npy", array)

table = pd.DataFrame({"utterance_id": IDS, "speaker": ["x", "y"]})
values = pd.DataFrame(VECTORS, columns=["v0", "v1", "v2"])
pd.concat([table, values], axis=1).to_csv(HERE / "vectors.csv", index=False)
pd.concat([table, values], axis=1).to_parquet(HERE / "vectors.parquet", index=False)
table.assign(embedding=list(VECTORS.astype(np.float64))).to_parquet(
    HERE / "lists.parquet", index=False
)
fixed = pa.FixedSizeListArray.from_arrays(pa.array(VECTORS.ravel()), 3)
pq.write_table(
    pa.table({"utterance_id": pa.array(IDS), "embedding": fixed}), HERE / "fixed_lists.parquet"
)

rows = [(name, at, *row) for name, frames in FRAMES.items() for at, row in enumerate(frames)]
frames = pd.DataFrame(rows, columns=["utterance_id", "frame", "c0", "c1"])
frames.to_csv(HERE / "frames.csv", index=False)
frames.to_parquet(HERE / "frames.parquet", index=False)
