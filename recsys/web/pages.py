"""Lays pages out: one template each, in one frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from recsys.bundle.trying import TITLES
from recsys.web import figures, words
from recsys.web.room import Room
from recsys.web.trying import MOST_PICKS
from recsys.web.uploads import LARGEST

PAGES = (
    ("home", "/", "Try it"),
    ("figures", "/figures", "Figures"),
    ("listeners", "/listeners", "Your listeners"),
    ("card", "/card", "Model card"),
    ("evidence", "/evidence", "Consent"),
    ("privacy", "/privacy", "Privacy"),
    ("terms", "/terms", "Terms"),
)
"""Name, address and title of each page, in the order of the menu."""


def carried(liked: Sequence[str]) -> str:
    """Write picks as the query of an address."""
    return "?" + urlencode([("like", name) for name in liked]) if liked else ""


def addressed(path: str, liked: Sequence[str], **more: str) -> str:
    """Write an address with picks and more."""
    query = [*more.items(), *(("like", name) for name in liked)]
    return f"{path}?{urlencode(query)}" if query else path


class Pages:
    """The templates, and what all of them know.

    Parameters
    ----------
    room
        The sample that they show.
    """

    def __init__(self, room: Room) -> None:
        self._environment = Environment(
            loader=PackageLoader("recsys.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {"room": room, "sample": room.sample, "pages": PAGES, "at": addressed}
        self._environment.globals |= {"most_picks": MOST_PICKS, "largest": LARGEST}
        self._environment.globals |= {"signed": figures.signed, "differences": figures.differences}
        self._environment.globals |= {"trial_rows": figures.trial_rows, "titles": TITLES, "called": figures.called}
        for filter_ in (words.label, words.value, words.moment, words.percent):
            self._environment.filters[filter_.__name__] = filter_

    def show(self, name: str, liked: Sequence[str] = (), status: int = HTTPStatus.OK, **values: Any) -> HTMLResponse:  # noqa: ANN401 - whatever the template shows
        """Lay out a page.

        Parameters
        ----------
        name
            One of :data:`PAGES`, or ``"artist"``.
        liked
            What was picked, to go along with every link.
        status
            HTTP status of the answer.
        values
            What the template shows.
        """
        shown = {"bare": False, "here": name, "liked": list(liked)[:MOST_PICKS], **values}
        return HTMLResponse(self._environment.get_template(f"{name}.html").render(shown), status)

    def failure(self, status: int, told: str, headers: Mapping[str, str] | None = None) -> HTMLResponse:
        """Lay out the page that says why there is none; it tells nothing of the sample."""
        shown = {"bare": True, "here": "", "liked": [], "status": status, "told": told, "phrase": _phrase(status)}
        return HTMLResponse(self._environment.get_template("failure.html").render(shown), status, headers)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Failed"
