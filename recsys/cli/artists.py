"""recsys artists: optout, optin, declare, list, check, report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from cyclopts import App, Parameter

from recsys.cli.common import Common, instant, short, table

artists = App(name="artists", help="What artists say about being recommended, and how often they are.")


@Parameter(name="*")
@dataclass(frozen=True)
class Word:
    """On whose word something is recorded.

    Parameters
    ----------
    by
        Who says so: the artist, their label, an agent.
    source
        Where it can be looked up.
    at
        When they said so (UTC unless it names a zone); now unless given.
    """

    by: str
    source: str = ""
    at: datetime | None = None


@artists.command
def optout(artist: str, *, word: Word, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Record that an artist is not to be recommended; versions built from now on leave them out.

    Parameters
    ----------
    artist
        The artist's name, all spellings of which are meant, or an id: mbid:... or spotify:artist:...
    """
    head = common.open().artists.opt_out(artist, by=word.by, at=instant(word.at), source=word.source)
    _recorded(common, f"{artist} opted out, on the word of {word.by}", head.count)


@artists.command
def optin(artist: str, *, word: Word, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Record that an artist may be recommended; it takes back what the same declarant said before, and nobody else.

    Parameters
    ----------
    artist
        The artist's name or id.
    """
    head = common.open().artists.opt_in(artist, by=word.by, at=instant(word.at), source=word.source)
    _recorded(common, f"{artist} opted in, on the word of {word.by}", head.count)


@artists.command
def declare(artist: str, statement: str, *, word: Word, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Record a statement of preference as an artist published it, for example "train-ai=n, x-recsys-ranking=y".

    Parameters
    ----------
    artist
        The artist's name or id.
    statement
        A dictionary in the form of a Content-Usage header: categories with y or n.
    """
    from recsys.canonical import utc_text
    from recsys.consent import Declaration

    declaration = Declaration(artist, statement, word.by, utc_text(instant(word.at)), word.source)
    head = common.open().artists.declare([declaration])
    _recorded(common, f"{artist}: {statement}, on the word of {word.by}", head.count)


@artists.command(name="list")
def list_(*, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """List all declarations, oldest first. Checks the whole registry."""
    found = common.open().artists.declarations()
    rows = [(one.artist, one.statement, one.by, short(one.at), one.source) for one in found]
    columns = ("artist", "statement", "by", "at", "source")
    nothing = "no declarations yet; record one: recsys artists optout NAME --by WHO"
    common.show([asdict(one) for one in found], table("Artists' declarations", columns, rows) if rows else nothing)


@artists.command
def check(
    artist: str,
    *,
    at: datetime | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Tell whether an artist may be in a version that is built at an instant.

    Parameters
    ----------
    artist
        The artist's name or id.
    at
        The instant (UTC unless it names a zone); now unless given.
    """
    home = common.open()
    preferences = home.artists.preferences(at=instant(at), policy=home.collective.artist_policy)
    found = preferences.of(artist)
    said = {
        "allow": "may be recommended: they, or somebody for them, said yes and nobody said no",
        "disallow": "opted out: a version that is built now leaves them out",
        "unknown": "may be recommended: nobody has said anything about it",
    }
    common.show({"artist": artist, "preference": found.value}, f"{artist} {said[found]}")


@artists.command
def report(artist: str, *, run: str | None = None, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Tell an artist how often a model recommends them to listeners it was not trained on.

    Parameters
    ----------
    artist
        The artist's name, in any spelling.
    run
        MLflow run id; the latest finished run unless given.
    """
    from recsys.experiment.artist import artist_report

    found = artist_report(common.open(), artist, run)
    common.show(found.as_dict(), *found.words())


def _recorded(common: Common, words: str, count: int) -> None:
    common.show({"recorded": words, "declarations": count}, f"{words} (the registry holds {count:,} by now)")
