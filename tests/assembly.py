"""A collective whose members vote: what tests of several files make and ask."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from recsys.collective import Book, Draft, Proposal, Vote, Votes
from recsys.home import Home
from recsys.transparency import SigningKey, sign

DAY = timedelta(days=1)
FOUNDED = datetime(2026, 1, 1, tzinfo=UTC)
OPENS, CLOSES = FOUNDED + DAY, FOUNDED + 8 * DAY
DURING, AFTER = FOUNDED + 2 * DAY, FOUNDED + 9 * DAY
NAMES = ("ada", "bob", "cyd", "dan", "eve")


def proposal(**told):
    plain = {
        "title": "A model for Solo AI",
        "buyer": "Solo AI",
        "purpose": "recommend music",
        "kind": "full",
        "run": "abc",
        "price_cents": 5_500_000,
        "term_days": 365,
        "opens": OPENS,
        "closes": CLOSES,
        "quorum": Fraction(1, 2),
        "threshold": Fraction(2, 3),
    }
    return Proposal(**{**plain, **told})


def assembled(home, names=NAMES, stated=None, **told):
    """Let people join and put a proposal to the vote; gives the votes and the proposal's hash."""
    votes = Votes(home)
    votes.members.join_many(names, at=FOUNDED)
    return votes, votes.proposals.propose(proposal(**told), at=FOUNDED, weights=stated).hash


def cast(votes, asked, *, at=DURING, **choices):
    """Cast one vote for each member that is named, in their order, nobody being a double."""
    told = [Vote(name, choice) for name, choice in choices.items()]
    return votes.cast_many(asked, told, at=at, same=())


def reasons(refused):
    return [one.reason for one in refused]


DEEDS, NOON = "deeds", datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = SigningKey(b"k" * 32)


def draft(owner, text, secret=b""):
    return Draft(owner, sign("text/plain", text.encode(), KEY), secret)


def write(book, *drafts):
    return book.append(lambda _shown: drafts, at=NOON)


def write_many(path, owner, batches):
    """Write batches of three, and say after each that it was written."""
    book = Book.of(Home(path), DEEDS)
    for batch in range(batches):
        write(book, *(draft(owner, f"{owner} {batch} {number}") for number in range(3)))
        with (path / f"{owner}.done").open("a") as done:
            done.write("x")
