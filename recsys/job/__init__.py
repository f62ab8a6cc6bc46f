"""A training run as a compute job of Vana: the answer to a query goes in, a model goes out, and no row ever does.

A job is a container that Vana's compute engine starts near the data. ``order`` is what it is told, in environment
variables; ``query`` asks the query engine for ``query_results.db``; ``work`` trains on its table ``results`` and writes
artifacts for whoever ordered the job.

Why it is as it is:

* The template that jobs are made from copies every row of the answer into its output. Here nothing leaves but a model
  without users, figures over groups, and counts; artists with too few listeners are left out before anything is fitted.
* The same answer and settings give the same artifacts, byte for byte, so that those who approve a job's code can check
  what it did.
* ``results.json`` is written last and names every other file with its SHA-256: where it is, the job is done.
"""

from __future__ import annotations

from recsys.job.order import Order
from recsys.job.query import fetch_results
from recsys.job.work import Done, work

__all__ = ["Done", "Order", "fetch_results", "work"]
