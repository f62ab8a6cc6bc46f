"""A sealed bundle of a small made-up collective, made once for all tests that ask for one."""

import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path

import collective

from recsys.bundle import Limits, Terms, pack
from recsys.bundle.seal import SealKey
from recsys.canonical import write_atomically
from recsys.home import Home
from recsys.synthetic import BUYER, NOW

LOOSE = Limits(max_membership_auc=None, max_tpr_at_1pct_fpr=None)
"""On the few listeners of a test every interval is wide."""


def make_terms(**told):
    """Make terms of a sample that a small collective can give."""
    plain = {
        "kind": "sample",
        "buyer": BUYER,
        "purpose": "judge the model before buying it",
        "expires": (NOW + timedelta(days=90)).date(),
        "factors": 6,
        "artists": 80,
        "min_listeners": 5,
        "limits": LOOSE,
    }
    return Terms(**{**plain, **told})


@cache
def small_home():
    """Found a collective of 150 and train on it, once for a session; nobody may change it."""
    folder = Path(tempfile.mkdtemp(prefix="recsys-bundles-"))
    return collective.founded_and_trained(folder)


@cache
def _packed(terms):
    home = small_home()
    out = Path(tempfile.mkdtemp(prefix="recsys-bundle-")) / "sample.recsys"
    pack(Home(home.path), home.run, terms, out, at=NOW)
    return out.read_bytes(), SealKey.at(Home(home.path).seal_key).public.pem


def make_bundle(folder, **terms):
    """Write ``sample.recsys`` and ``seal.pub`` into a folder, by :func:`make_terms`; give both paths."""
    bundle, key = _packed(make_terms(**terms))
    path, key_path = folder / "sample.recsys", folder / "seal.pub"
    write_atomically(path, bundle)
    write_atomically(key_path, key)
    return path, key_path
