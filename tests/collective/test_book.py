"""Books: what is written stays, is shown to be there, and whatever is changed behind its back is noticed."""

import multiprocessing
import os
import signal
import sqlite3
from dataclasses import replace

import psycopg
import pytest
from assembly import DEEDS, KEY, NOON, draft, write, write_many

from recsys.collective import Book, Inclusion
from recsys.errors import LogBrokenError, ProofInvalidError, RecsysError, SignatureInvalidError

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def book(stored_home):
    return Book.of(stored_home, DEEDS)


def test_an_empty_book_says_so_and_makes_nothing(home):
    book = Book.of(home, DEEDS)
    assert (book.entries(), book.about("ada"), book.signed_head()) == ([], [], None)
    assert not (home.path / "ledger.db").exists()
    with pytest.raises(LogBrokenError, match="nothing was ever written"):
        book.prove(0)


def test_what_was_written_is_read_and_shown_to_anybody(book, stored_home):
    write(book, draft("ada", "one", b"hidden"), draft("bob", "two"))
    write(book, draft("ada", "three"))
    assert [(one.seq, one.owner, one.previous) for one in book.entries(heads=True)] == [
        (0, "ada", -1),
        (1, "bob", -1),
        (2, "ada", 0),
    ]
    assert [one.envelope.payload for one in book.about("ada")] == [b"one", b"three"]
    assert book.about("ada")[0].secret == b"hidden"
    assert book.about("zed") == []
    shown = Inclusion.from_dict(book.prove(0).as_dict())
    assert shown.check(stored_home.operator.public, DEEDS).size == 3
    assert "hidden" not in str(shown.as_dict())


def test_a_proof_of_something_else_is_refused(home):
    book, key = Book.of(home, DEEDS), home.operator.public
    write(book, draft("ada", "one"), draft("bob", "two"))
    shown = book.prove(0)
    with pytest.raises(ProofInvalidError, match="book of deeds"):
        shown.check(key, "ballots")
    with pytest.raises(SignatureInvalidError):
        shown.check(KEY.public, DEEDS)
    with pytest.raises(ProofInvalidError, match="does not lead"):
        replace(shown, entry=replace(shown.entry, owner="eve")).check(key, DEEDS)
    with pytest.raises(ProofInvalidError, match="not the one that its entry names"):
        replace(shown, entry=replace(shown.entry, text=book.prove(1).entry.text)).check(key, DEEDS)
    with pytest.raises(ProofInvalidError, match="something else"):
        Inclusion.from_dict({**shown.as_dict(), "more": 1})


def test_who_writes_decides_by_what_stands_and_a_refusal_writes_nothing(book):
    write(book, draft("ada", "one"))

    def refuse_doubles(shown):
        assert [one.envelope.payload for one in shown.about("ada")] == [b"one"]
        assert shown.recorded([book.entries()[0].record, "00"]) == {book.entries()[0].record}
        assert {owner: len(own) for owner, own in shown.of(["ada", "zed"]).items()} == {"ada": 1}
        yield draft("ada", "two")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        book.append(refuse_doubles, at=NOON)
    assert len(book.entries()) == 1


TAMPERINGS = {
    "an owner is changed": "UPDATE deeds_entries SET owner = 'eve' WHERE seq = 1",
    "a document is changed": "UPDATE deeds_entries SET text = '{}' WHERE seq = 0",
    "a document is exchanged": "UPDATE deeds_entries SET text = (SELECT text FROM deeds_entries WHERE seq = 1), "
    "record = (SELECT record FROM deeds_entries WHERE seq = 1) WHERE seq = 0",
    "a secret is removed": "UPDATE deeds_entries SET secret = '' WHERE seq = 0",
    "an entry is moved in time": "UPDATE deeds_entries SET at = '2025-01-01T00:00:00.000000Z' WHERE seq = 2",
    "the last entry is gone": "DELETE FROM deeds_entries WHERE seq = 2",
    "the first entry is gone": "DELETE FROM deeds_entries WHERE seq = 0",
    "all is gone": "DELETE FROM deeds_entries; DELETE FROM deeds_heads; DELETE FROM deeds_nodes",
    "heads are gone": "DELETE FROM deeds_heads",
    "a node is changed": "UPDATE deeds_nodes SET hash = (SELECT hash FROM deeds_nodes WHERE id = 1) WHERE id = 0",
    "the last entry is another": "UPDATE deeds_latest SET seq = 0 WHERE owner = 'ada'",
}


def edit(database, statements):
    """Change a database as somebody who owns it can."""
    if "://" in str(database):
        with psycopg.connect(database) as connection:
            for table in ("entries", "nodes", "heads"):
                connection.execute(f"ALTER TABLE deeds_{table} DISABLE TRIGGER ALL")
            for statement in statements.split("; "):
                connection.execute(statement)
        return
    connection = sqlite3.connect(database)
    for table in ("entries", "nodes", "heads"):
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER deeds_{table}_no_{verb}")
    connection.executescript(statements)
    connection.close()


@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_is_changed_behind_its_back_is_noticed(home, what):
    book = Book.of(home, DEEDS)
    write(book, draft("ada", "one", b"hidden"), draft("bob", "two"), draft("ada", "three"))
    edit(home.database, TAMPERINGS[what])
    with pytest.raises(LogBrokenError):
        Book.of(home, DEEDS).entries()


@pytest.mark.parametrize("what", ["an owner is changed", "the last entry is gone", "the last entry is another"])
def test_what_is_left_out_about_an_owner_is_noticed(stored_home, what):
    book = Book.of(stored_home, DEEDS)
    write(book, draft("ada", "one", b"hidden"), draft("ada", "two"), draft("ada", "three"))
    edit(stored_home.database, TAMPERINGS[what])
    with pytest.raises(LogBrokenError):
        book.about("ada")


def test_a_database_put_back_from_before_is_noticed(home):
    book = Book.of(home, DEEDS)
    write(book, draft("ada", "one"))
    with sqlite3.connect(home.database) as now, sqlite3.connect(home.path / "before.db") as before:
        now.backup(before)
    write(book, draft("ada", "two"))
    for path in home.path.glob("ledger.db*"):
        path.unlink()
    (home.path / "before.db").rename(home.database)
    with pytest.raises(LogBrokenError, match="cut off or replaced"):
        Book.of(home, DEEDS).entries()
    (home.path / f"{DEEDS}.head").unlink()
    with pytest.raises(LogBrokenError, match="is missing"):
        write(book, draft("ada", "three"))


def test_a_crash_before_the_head_was_noted_loses_nothing(home):
    book = Book.of(home, DEEDS)
    write(book, draft("ada", "one"))
    note = (home.path / f"{DEEDS}.head").read_bytes()
    write(book, draft("ada", "two"))
    (home.path / f"{DEEDS}.head").write_bytes(note)
    write(book, draft("ada", "three"))
    assert len(book.entries(heads=True)) == 3


def test_writers_at_the_same_time_lose_and_double_nothing(stored_home):
    write(Book.of(stored_home, DEEDS), draft("ada", "one"))
    names = ("bob", "cyd")
    writers = [SPAWN.Process(target=write_many, args=(stored_home.path, name, 4)) for name in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    book = Book.of(stored_home, DEEDS)
    assert len(book.entries(heads=True)) == 1 + 2 * 12
    assert [len(book.about(name)) for name in names] == [12, 12]


def test_what_was_written_before_a_power_cut_is_there_after_it(stored_home):
    book, done = Book.of(stored_home, DEEDS), stored_home.path / "bob.done"
    write(book, draft("ada", "one"))
    writer = SPAWN.Process(target=write_many, args=(stored_home.path, "bob", 10_000))
    writer.start()
    while not done.exists() or len(done.read_text()) < 3:
        assert writer.is_alive()
        os.sched_yield()
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    entries = book.about("bob")
    assert len(entries) % 3 == 0
    assert len(entries) >= 3 * len(done.read_text())
    write(book, draft("bob", "after"))
    assert len(book.entries(heads=True)) == len(entries) + 2


def test_a_proof_that_is_no_proof_is_refused(home):
    write(Book.of(home, DEEDS), draft("ada", "one"))
    whole = Book.of(home, DEEDS).prove(0).as_dict()
    for wrong in (
        {},
        {**whole, "path": None},
        {**whole, "entry": {}},
        {**whole, "head": "x"},
        {**whole, "document": 1},
    ):
        with pytest.raises(RecsysError):
            Inclusion.from_dict(wrong).check(home.operator.public, DEEDS)
