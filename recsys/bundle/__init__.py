"""What a buyer opens: one sealed file with a sample of a model, its cards, terms and evidence.

``terms`` and ``approval`` say what was agreed, ``contents`` what is in a bundle, ``archive`` how it lies in one file,
``model`` how the model does. :func:`pack` gathers all of it from a run (``gate``: may it be shared at all; ``weaken``:
how a sample is less than the model; ``figures``: by how much), ``seal`` signs it; ``opening`` checks it and gives the
:class:`SampleModel`.

Why it is as it is:

* *One form.* Entries are stored, not deflated, with one date and one mode, in one order: the file is a function of what
  is in it. So the same inputs give the same bytes with every zlib, and opening writes the file again in its head and
  compares: nothing can hide between the entries, and no entry is ever inflated.
* *Two keys.* The seal is made by OpenSSF's model-signing with an EC P-256 key, so a buyer can check it with that tool
  alone. The collective speaks with its Ed25519 key, in the ledger's heads and in a statement about this very bundle
  that names the seal's key: whoever knows either key can check both.
* *Nothing of a person.* No listener's factors are in it, and no artist whom fewer than ``min_listeners`` of the members
  that the model was trained on listen to.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recsys.bundle.approval import Approval
from recsys.bundle.contents import Manifest
from recsys.bundle.example import example
from recsys.bundle.opening import check, open_sample
from recsys.bundle.sample import SampleModel
from recsys.bundle.seal import SealKey, SealPublic
from recsys.bundle.terms import Limits, Terms

if TYPE_CHECKING:
    from recsys.bundle.packing import Packed, pack

__all__ = [
    "Approval",
    "Limits",
    "Manifest",
    "Packed",
    "SampleModel",
    "SealKey",
    "SealPublic",
    "Terms",
    "check",
    "example",
    "open_sample",
    "pack",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    """Load packing when it is asked for: it needs MLflow, which takes seconds, and a buyer never packs."""
    if name not in {"Packed", "pack"}:
        raise AttributeError(f"module 'recsys.bundle' has no attribute {name!r}")
    return getattr(import_module("recsys.bundle.packing"), name)
