"""The compiled part of the package: descriptors of arrays."""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

@final
class Extractor:
    """A feature set with all that does not depend on the samples prepared."""

    names: list[str]
    step_ms: int
    @staticmethod
    def builtin(name: str) -> Extractor: ...
    @staticmethod
    def from_toml(text: str) -> Extractor: ...
    def process(self, signal: NDArray[Any], rate: int) -> NDArray[np.float32]: ...

def sets() -> list[str]: ...
