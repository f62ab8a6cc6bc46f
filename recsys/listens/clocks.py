"""Times that nobody observed: found by what a clock on a wall could not have shown.

* Many plays end at one instant: five that count cannot end within one second, or one minute where minutes are all that
  is known. Plays that were heard offline and told later are among them.
* All times lie on a grid: twenty times that differ by whole multiples of more than a minute were written by a machine,
  as are dates without a time of day.

The plays stay, their times are marked as :data:`recsys.listens.table.Clock.SYNTHETIC`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.listens.table import PLAY_MS, SCHEMA, Clock

MANY = 5
"""So many plays at one instant are too many."""

_ENOUGH = 20
_MINUTE_MS = 60_000


def marked(table: pa.Table) -> pa.Table:
    """Mark the rows whose time was made up.

    Parameters
    ----------
    table
        Listens of one member, as in :data:`recsys.listens.SCHEMA`.
    """
    dated = table["played_at"].is_valid()
    times = np.asarray(pc.fill_null(table["played_at"].cast(pa.int64()), 0).to_numpy())
    long_enough = pc.and_(dated, pc.fill_null(pc.greater_equal(table["ms_played"], PLAY_MS), True)).to_numpy()
    dated = dated.to_numpy()
    made_up = dated & (np.isin(times, _crowded(times[long_enough])) | _on_a_grid(times[dated]))
    if not made_up.any():
        return table
    clock = pc.if_else(pa.array(made_up), Clock.SYNTHETIC.value, table["clock"])
    return table.set_column(SCHEMA.get_field_index("clock"), SCHEMA.field("clock"), clock)


def _crowded(times: np.ndarray) -> np.ndarray:
    ordered = np.sort(times)
    first, last = ordered[: 1 - MANY], ordered[MANY - 1 :]
    return np.asarray(first[first == last])


def _on_a_grid(times: np.ndarray) -> bool:
    gaps = np.diff(np.sort(times))
    return bool(np.count_nonzero(gaps) + 1 >= _ENOUGH and np.gcd.reduce(gaps) > _MINUTE_MS)
