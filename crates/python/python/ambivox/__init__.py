"""Speech emotion recognition that learns which labels to trust.

- `lld` computes acoustic descriptors of a signal in memory, frame by frame, in this process.
- `predict` predicts the emotion of audio files, by a folder of networks that ``ambivox bundle`` made.
- `audit` ranks labels by how suspect they are, from labels and feature vectors alone.

The last two run the program ``ambivox``, which comes in the same wheel and stands on the ``PATH`` of the
environment; ``ambivox --help`` lists its commands.

>>> import numpy as np, ambivox
>>> frames = ambivox.lld(np.zeros(16000, np.float32), 16000)
>>> frames.values.shape, frames.names[12], float(frames.times[1])
((98, 32), 'loudness', 0.01)
"""

from importlib.metadata import version as _version

from ._audit import audit
from ._descriptors import Lld, lld, names, sets
from ._predict import predict
from ._program import AmbivoxError, program

__version__ = _version("ambivox")

__all__ = ["AmbivoxError", "Lld", "audit", "lld", "names", "predict", "program", "sets"]
