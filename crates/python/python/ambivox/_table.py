"""Tables for whoever has pandas, and for whoever has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    import pandas as pd

Columns = dict[str, list[Any]]
Table = Union["pd.DataFrame", Columns]


def table(columns: Columns) -> Table:
    """A DataFrame of pandas where that can be imported, else the columns as they are.

    A dict of lists is what ``polars.DataFrame`` and ``pyarrow.table`` take, and needs neither.
    """
    try:
        import pandas as pd
    except ImportError:
        return columns
    return pd.DataFrame(columns)
