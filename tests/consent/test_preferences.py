"""What artists prefer: the combine rule, statements, and the registry that keeps them."""

import itertools
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.consent import ArtistPolicy, ArtistRegistry, Declaration, Preference, RegistryHead
from recsys.consent.preferences import GENERATIVE, RANKING, combine, ranking_preference, read_statement
from recsys.errors import LogBrokenError
from recsys.transparency import SigningKey

ALLOW, DISALLOW, UNKNOWN = Preference.ALLOW, Preference.DISALLOW, Preference.UNKNOWN
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = SigningKey(bytes(32))


@pytest.mark.parametrize("stated", list(itertools.product(Preference, repeat=3)))
def test_the_combine_rule_by_its_whole_truth_table(stated):
    expected = DISALLOW if DISALLOW in stated else ALLOW if ALLOW in stated else UNKNOWN
    assert combine(stated) is expected
    assert combine([]) is UNKNOWN


@pytest.mark.parametrize(
    ("ranking", "generative", "counts", "expected"),
    [
        (own, general, counts, own if own is not UNKNOWN else DISALLOW if counts and general is DISALLOW else UNKNOWN)
        for own in Preference
        for general in Preference
        for counts in (False, True)
    ],
)
def test_what_is_said_of_rankings_decides_and_train_ai_only_by_policy(ranking, generative, counts, expected):
    statement = {RANKING: ranking, GENERATIVE: generative}
    assert ranking_preference([statement], ArtistPolicy(train_ai_counts=counts)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x-recsys-ranking=n", {RANKING: DISALLOW}),
        ("train-ai=n, search=y", {"train-ai": DISALLOW, "search": ALLOW}),
        ("train-ai;allow=n, train-ai=y", {"train-ai": ALLOW}),
        ('x-recsys-ranking=n;until="2027", exp=?1', {RANKING: DISALLOW}),
        ("train-ai=y, train-ai=n", {"train-ai": DISALLOW}),
        ("a=y, train-ai=(y n), b=@1659578233", {"a": ALLOW}),
    ],
)
def test_statements_are_read_as_the_draft_says(text, expected):
    assert read_statement(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "x-recsys-ranking", "x-recsys-ranking=no", 'x-recsys-ranking="n"', "X-Recsys-Ranking=n", "=n", "train-ai=n,",
     "x-recsys-ranking=n y", "ranking=ñ", "n" * 5, "train-ai=y, train-ai"],
)  # fmt: skip
def test_a_statement_that_states_nothing_is_not_recorded_as_if_it_did(text):
    with pytest.raises(ValueError, match=r"x-recsys-ranking=n"):
        read_statement(text)


@pytest.fixture
def registry(tmp_path):
    return ArtistRegistry(tmp_path / "artists.db", lambda: KEY)


def test_nobody_has_to_say_anything_and_looking_creates_nothing(tmp_path, registry):
    assert registry.preferences(at=NOW).of("Björk") is UNKNOWN
    assert (registry.declarations(), registry.head().count) == ([], 0)
    assert list(tmp_path.iterdir()) == []


def test_an_opt_out_holds_for_every_spelling_from_its_instant_on(registry):
    registry.opt_out("Björk", by="the artist", at=NOW)
    for spelling in ("björk", "BJORK", "Björk feat. Arca"):
        assert registry.preferences(at=NOW).refuses(spelling)
    assert registry.preferences(at=NOW - DAY).of("Björk") is UNKNOWN
    assert not registry.preferences(at=NOW).refuses("Björn")


def test_a_declarant_takes_back_their_own_word_and_nobody_elses(registry):
    registry.opt_out("Björk", by="the artist", at=NOW)
    registry.opt_in("Björk", by="a fan", at=NOW + DAY)
    assert registry.preferences(at=NOW + DAY).of("Björk") is DISALLOW
    registry.opt_in("Bjork", by="The Artist ", at=NOW + 2 * DAY)
    assert registry.preferences(at=NOW + 2 * DAY).of("Björk") is ALLOW
    assert registry.preferences(at=NOW + DAY).of("Björk") is DISALLOW


def test_where_the_clocks_disagree_the_no_stands(registry):
    registry.opt_out("Björk", by="the artist", at=NOW)
    registry.opt_in("Björk", by="the artist", at=NOW - DAY)  # recorded later, said earlier
    assert registry.preferences(at=NOW).of("Björk") is DISALLOW


def test_ids_and_names_are_told_apart_and_heard_together(registry):
    registry.opt_out("mbid:aaa", by="the artist", at=NOW)
    preferences = registry.preferences(at=NOW)
    assert preferences.refuses("Nirvana", "mbid:aaa")
    assert not preferences.refuses("Nirvana", "mbid:bbb")
    assert not preferences.refuses("mbid aaa")


def test_an_entry_is_written_once_and_the_registry_replays_to_any_head(registry):
    first = registry.opt_out("A", by="A", at=NOW)
    assert registry.opt_out("A", by="A", at=NOW) == first
    second = registry.opt_out("B", by="B", at=NOW)
    assert (first.count, second.count) == (1, 2)
    registry.check_reaches(first.count, first.hash)
    assert not registry.preferences(at=NOW, head=first).refuses("B")
    for count, digest in ((1, second.hash), (3, second.hash), (0, first.hash)):
        with pytest.raises(LogBrokenError, match="never had the head"):
            registry.preferences(at=NOW, head=RegistryHead(count, digest))


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE artists_entries SET statement = 'x-recsys-ranking=y' WHERE seq = 0",
        "UPDATE artists_entries SET artist = 'C' WHERE seq = 1",
        "UPDATE artists_entries SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = 0",
        "UPDATE artists_entries SET by = 'somebody else' WHERE seq = 0",
        "UPDATE artists_entries SET statement = 'nonsense' WHERE seq = 0",
        "DELETE FROM artists_entries WHERE seq = 1",
        "DELETE FROM artists_entries",
        "DELETE FROM artists_heads WHERE size = 2",
        "INSERT INTO artists_entries VALUES (2, 'D', 'x-recsys-ranking=n', 'D', '2026-01-01T00:00:00Z', '', -1)",
    ],
)
def test_a_registry_that_was_tampered_with_is_refused(tmp_path, registry, tampering):
    registry.opt_out("A", by="A", at=NOW)
    registry.opt_out("B", by="B", at=NOW)
    with sqlite3.connect(tmp_path / "artists.db") as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute(tampering)
    with pytest.raises(LogBrokenError):
        registry.preferences(at=NOW)
    with pytest.raises(LogBrokenError):
        registry.opt_in("A", by="A", at=NOW + DAY)


def test_a_registry_of_another_key_is_refused(tmp_path, registry):
    registry.opt_out("A", by="A", at=NOW)
    with pytest.raises(LogBrokenError):
        ArtistRegistry(tmp_path / "artists.db", lambda: SigningKey(bytes(31) + b"1")).declarations()


@pytest.mark.parametrize(("artist", "by"), [("", "A"), ("A", " "), (" \t", "A")])
def test_a_declaration_names_the_artist_and_the_declarant(artist, by):
    with pytest.raises(ValueError, match="one of them is empty"):
        Declaration(artist, f"{RANKING}=n", by, "2026-01-01T00:00:00.000000Z")


WORDS = st.tuples(st.sampled_from(["ann", "bob"]), st.booleans(), st.integers(0, 4))


@settings(max_examples=60, deadline=None)
@given(words=st.lists(WORDS, max_size=7), asked=st.integers(0, 5))
def test_no_history_lets_an_artist_in_whom_a_last_word_keeps_out(tmp_path_factory, words, asked):
    registry = ArtistRegistry(tmp_path_factory.mktemp("registry") / "artists.db", lambda: KEY)
    for by, yes, day in words:
        (registry.opt_in if yes else registry.opt_out)("A", by=by, at=NOW + day * DAY)
    heard = [(by, yes, day) for by, yes, day in dict.fromkeys(words) if day <= asked]
    last = [
        word
        for who in ("ann", "bob")
        if (theirs := [(yes, day) for by, yes, day in heard if by == who])
        for word in [theirs[-1][0], *(yes for yes, day in theirs if day == max(day for _, day in theirs))]
    ]
    expected = UNKNOWN if not last else ALLOW if all(last) else DISALLOW
    assert registry.preferences(at=NOW + asked * DAY).of("A") is expected
