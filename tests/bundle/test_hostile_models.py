"""A model in a bundle is looked at as if a stranger had made it, even where the seal holds."""

import json

import numpy as np
import pytest
from bundle import hostile
from safetensors.numpy import load, save

from recsys.bundle.contents import ARTISTS, MODEL
from recsys.canonical import canonical_json, parse_json
from recsys.errors import BundleInvalidError


def document(entries, name, **changes):
    return canonical_json({**parse_json(entries[name]), **changes})


def spoilt(array, value):
    bad = array.copy()
    bad[3, 1] = value
    return bad


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"item_factors": lambda a: spoilt(a, np.nan)}, "NaN or infinity"),
        ({"item_factors": lambda a: spoilt(a, -np.inf)}, "NaN or infinity"),
        ({"item_factors": lambda a: a.astype(np.float64)}, "item_factors is float64"),
        ({"item_factors": lambda a: a.astype(np.int8)}, "item_factors is int8"),
        ({"item_factors": lambda a: a[:-1]}, "of shape"),
        ({"item_factors": lambda a: a[:, :-1]}, "gram is"),
        ({"item_factors": lambda a: a[:, :0]}, "of shape"),
        ({"item_factors": lambda a: a.ravel()}, "of shape"),
        ({"item_factors": lambda a: a[:, :, None]}, "of shape"),
        ({"item_factors": lambda a: a * 2}, "not that of the artists' factors"),
        ({"gram": lambda a: a + np.triu(np.ones_like(a), 1) * 1e-12}, "not symmetric"),
        ({"gram": lambda a: a * 1.001}, "not that of the artists' factors"),
        ({"gram": lambda a: a.astype(np.float32)}, "gram is float32"),
        ({"gram": lambda a: a * np.nan}, "NaN or infinity"),
        ({"gram": None}, "expected"),
        ({"listeners": lambda a: a * 0}, "between 0 and 1"),
        ({"listeners": lambda a: a + 1}, "between 0 and 1"),
        ({"listeners": lambda a: a[:-1]}, "of shape"),
        ({"user_factors": np.zeros((3, 6), np.float32)}, "holds"),
        ({"rarity": np.zeros(80, np.float32)}, "another kind of model"),
        ({"alike.data": np.zeros(3, np.float32)}, "another kind of model"),
    ],
)
def test_tensors_that_lie_are_named(entries, sealer, reopened, change, words):
    arrays = load(entries[MODEL])
    for name, make in change.items():
        if make is None:
            del arrays[name]
        else:
            arrays[name] = np.ascontiguousarray(make(arrays[name]) if callable(make) else make)
    with pytest.raises(BundleInvalidError, match=words):
        reopened(hostile.resealed(entries, sealer, **{MODEL: save(arrays)}))


def header_first(data):
    length = int.from_bytes(data[:8], "little")
    return length, json.loads(data[8 : 8 + length]), data[8 + length :]


def with_header(header, body, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


@pytest.mark.parametrize(
    "bad",
    [
        lambda data: data[:0],
        lambda data: data[:7],
        lambda data: (1 << 63).to_bytes(8, "little") + data[8:],
        lambda data: (len(data) + 1).to_bytes(8, "little") + data[8:],
        lambda data: with_header(b"[" * 60_000, data[:0]),
        lambda data: with_header(b"\xff\xfe", data[:0]),
        lambda data: with_header({**header_first(data)[1], "__metadata__": {"hidden": "x"}}, header_first(data)[2]),
        lambda data: with_header(json.dumps(header_first(data)[1], indent=1).encode(), header_first(data)[2]),
        lambda data: data + b"behind",
        lambda data: data[:-1],
        lambda data: with_header(
            {**header_first(data)[1], "gram": {"dtype": "F64", "shape": [1 << 31, 1 << 31], "data_offsets": [0, 8]}},
            header_first(data)[2],
        ),
        lambda data: with_header(
            {**header_first(data)[1], "gram": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}, b"\0\0\0\0"
        ),
        lambda data: with_header(
            {name: {**about, "data_offsets": [0, 1 << 40]} for name, about in header_first(data)[1].items()}, b""
        ),
    ],
)
def test_headers_of_tensors_that_lie_are_named(entries, sealer, reopened, bad):
    with pytest.raises(BundleInvalidError, match=MODEL):
        reopened(hostile.resealed(entries, sealer, **{MODEL: bad(entries[MODEL])}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"artists": []}, "no artists"),
        ({"artists": ["one"], "aliases": {}}, "of shape"),
        ({"artists": ["one"] * 80}, "twice"),
        ({"artists": [f"a{n}" for n in range(79)] + ["evil\u202ename"]}, "turns the line"),
        ({"artists": [f"a{n}" for n in range(79)] + ["evil\x1b[2Jname"]}, "everybody sees"),
        ({"artists": [f"a{n}" for n in range(79)] + ["two\nlines"]}, "everybody sees"),
        ({"artists": [f"a{n}" for n in range(79)] + ["x" * 2000]}, "everybody sees"),
        ({"artists": [f"a{n}" for n in range(79)] + [""]}, "everybody sees"),
        ({"artists": [f"a{n}" for n in range(79)] + [None]}, "everybody sees"),
        ({"aliases": {"Somebody": "nobody"}}, "not there"),
        ({"aliases": {"Some\u2066body": "nobody"}}, "turns the line"),
        ({"confidence": "magic"}, "weighting"),
        ({"confidence": "bm25"}, "fit together"),
        ({"neighbours_weight": 0.3}, "fit together"),
        ({"typical_plays": -1}, "typical_plays"),
        ({"typical_plays": "many"}, "typical_plays"),
        ({"objective": {"kind": "ials"}, "more": 1}, "does not hold"),
        ({"objective": {"kind": "sgd"}}, "objective"),
        ({"objective": {"alpha": "2"}}, "alpha"),
        ({"objective": {"beta": 2}}, "fit together"),
        ({"objective": None}, "fit together"),
    ],
)
def test_names_and_settings_that_lie_are_named(entries, sealer, reopened, change, words):
    with pytest.raises(BundleInvalidError, match=words):
        reopened(hostile.resealed(entries, sealer, **{ARTISTS: document(entries, ARTISTS, **change)}))
