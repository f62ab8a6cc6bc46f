"""The proof document: its keys, its figures, and what they rest on."""

import json
from datetime import UTC, datetime

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proof.plays import listens, person, row

from recsys.proof import NOT_PROVED, SCORERS, Award, Circumstances, Figures, Likeness, Score, prove

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
ALONE = Circumstances(AT, compared_with=9)
FIGURE = {"type": "number", "minimum": 0, "maximum": 1}
PART = {"type": "object", "required": ["value"], "properties": {"value": {"anyOf": [FIGURE, {"type": "null"}]}}}
PARTS = {"type": "object", "minProperties": 4, "additionalProperties": PART}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["valid", "score", "authenticity", "ownership", "quality", "uniqueness", "attributes", "metadata"],
    "properties": {
        "valid": {"type": "boolean"},
        **dict.fromkeys(("score", "authenticity", "ownership", "quality", "uniqueness"), FIGURE),
        "attributes": {
            "type": "object",
            "required": [
                "track_count",
                "total_minutes",
                "unique_artists",
                "activity_period_days",
                "data_validated",
                "previously_contributed",
                "previously_rewarded",
                "times_rewarded",
                "total_points",
                "differential_points",
                "quality",
                "authenticity",
                "uniqueness",
                "ownership",
            ],
            "properties": {"quality": PARTS, "authenticity": PARTS},
        },
        "metadata": {"type": "object", "required": ["member", "exports", "at", "scorer", "version"]},
    },
}


def document(rows, circumstances=ALONE, scorer=None):
    made = json.loads(json.dumps(prove(listens(rows), circumstances, scorer).document(), allow_nan=False))
    jsonschema.validate(made, SCHEMA)
    return made


HOSTILE = {
    "nothing": [],
    "one play": [row()],
    "no time, no duration, no title": [row(None, ms_played=None, track=None, clock="none")],
    "no milliseconds": [row(n, ms_played=0, finished=False) for n in range(200)],
    "one instant": [row(0, track=f"t{n}") for n in range(200)],
    "long ago and far ahead": [row(-1.7e9), row(2.3e9)],
    "weeks in one play": [row(ms_played=10**12)],
    "names of nothing": [row(n, artist="!!!", track="") for n in range(60)],
    "a person": person(1),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("scorer", SCORERS)
def test_every_contribution_gets_a_document_of_the_schema(case, scorer):
    document(HOSTILE[case], scorer=SCORERS[scorer])


def test_a_persons_history_is_valid_and_every_figure_is_explained():
    made = document(person(1))
    assert made["valid"]
    assert (made["authenticity"], made["uniqueness"]) == (1.0, 1.0)
    quality = made["attributes"]["quality"]
    assert made["quality"] == pytest.approx(sum(part["value"] for part in quality.values()) / 4, abs=1e-4)
    assert made["score"] == pytest.approx(made["quality"], abs=1e-3)


def test_quality_by_hand():
    """2,500 of 5,000 minutes, 90 of 180 days, 25 of 50 artists, half of all fields known."""
    known = [row(86_400 * 90 * (n == 24), artist=f"A {n}", ms_played=100 * 60_000) for n in range(25)]
    unknown = [row(None, artist="A 0", track=None, ms_played=None, plays=0, clock="none") for _ in range(25)]
    made = document([*known, *unknown])
    assert {name: part["value"] for name, part in made["attributes"]["quality"].items()} == {
        "volume": 0.5,
        "span": 0.5,
        "diversity": 0.5,
        "completeness": 0.5,
    }
    assert made["quality"] == 0.5


def test_nothing_is_worth_nothing():
    made = document([])
    assert not made["valid"]
    assert (made["score"], made["quality"], made["authenticity"]) == (0, 0, 0)


def test_a_bot_is_not_valid_and_worth_nothing():
    made = document([row(33 * n, ms_played=31_000) for n in range(500)], scorer=SCORERS["unwrapped"])
    assert not made["valid"]
    assert made["score"] == 0
    assert made["attributes"]["total_points"] > 0


def test_a_copy_is_not_valid_and_whom_it_copies_is_named_in_short():
    near = [
        Likeness("ab" * 32, "partial", 0.61, 0.9, earlier=True),
        Likeness("cd" * 32, "year", 0.9, 1.0, earlier=False),
    ]
    made = document(person(1), Circumstances(AT, near, compared_with=2))
    assert (made["valid"], made["uniqueness"]) == (False, 0.1)
    assert made["attributes"]["uniqueness"]["like"] == [
        {"other": "abababababab", "view": "partial", "shared": 0.61, "overlap": 0.9}
    ]


def test_who_was_copied_does_not_pay_for_it():
    later = [Likeness("cd" * 32, "year", 0.9, 1.0, earlier=False)]
    made = document(person(1), Circumstances(AT, later, compared_with=2))
    assert (made["valid"], made["uniqueness"]) == (True, 1.0)
    assert made["attributes"]["uniqueness"]["copied_by"][0]["other"] == "cdcdcdcdcdcd"


def test_what_could_not_be_compared_is_half_unique():
    assert document(person(1), Circumstances(AT))["uniqueness"] == 0.5


def test_ownership_is_never_whole_and_says_what_is_not_proved():
    unsigned, signed = document(person(1)), document(person(1), Circumstances(AT, signed_by="key-1"))
    assert (unsigned["ownership"], signed["ownership"]) == (0.0, 0.5)
    assert signed["attributes"]["ownership"] == {"signed_by": "key-1", "not_proved": NOT_PROVED}


def test_awards_before_are_taken_off_for_the_same_table_only():
    whole = document(person(1), scorer=SCORERS["unwrapped"])
    total = whole["attributes"]["total_points"]
    before = [Award(100, "t", "unwrapped"), Award(50, "t", "measured")]
    again = document(person(1), Circumstances(AT, compared_with=9, awards=before), SCORERS["unwrapped"])
    assert again["attributes"]["differential_points"] == total - 100
    assert again["score"] == pytest.approx((total - 100) / 1_000)
    assert (again["attributes"]["previously_rewarded"], again["attributes"]["times_rewarded"]) == (True, 2)


def test_any_object_with_a_name_and_a_score_scores():
    class Flat:
        name = "flat"

        def score(self, history, figures):
            assert isinstance(figures, Figures)
            return Score(10 * len(history), {"rule": "ten points a row"})

    made = document(person(1, plays=30), scorer=Flat())
    assert (made["attributes"]["total_points"], made["metadata"]["scorer"]) == (300, "flat")


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 60))
def test_the_order_of_rows_does_not_matter(shuffle, plays):
    rows = [*person(2, plays=plays), row(None, track=None, ms_played=None, plays=7, clock="none"), row(0), row(0)]
    assert document(shuffle.sample(rows, len(rows))) == document(rows)
