"""The pages' addresses.

Reading and trying are GETs, so that every page has an address, the back button works and no script is needed; what
somebody picked stands in the address (``?like=...``) and goes along from page to page. The two things that do
something, a new look at the file and an evaluation of the buyer's listeners, are POSTs.

What is quick is answered where it is taken in (``async``, though it waits for nothing): on a busy machine handing it to
a thread and back costs more than the answer. What takes long goes to a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from recsys.canonical import canonical_json
from recsys.errors import RecsysError
from recsys.web import figures, listeners, trying
from recsys.web.guards import Guards, TooMuchSent
from recsys.web.pages import Pages, carried
from recsys.web.room import Room
from recsys.web.uploads import LARGEST_FORM, uploaded
from recsys.web.words import rendered, sentence

Likes = Annotated[list[str], Query(default_factory=list, alias="like")]

routes = APIRouter()


class _ShutError(Exception):
    """Nothing of the sample may be shown now."""


def application(room: Room, hosts: Sequence[str]) -> ASGIApp:
    """Make the pages of one verified sample.

    Parameters
    ----------
    room
        The sample.
    hosts
        Every ``host:port`` under which the pages are to be reached.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    pages = Pages(room)
    app.state.room, app.state.pages, app.state.evaluating = room, pages, asyncio.Lock()
    app.include_router(routes)
    app.mount("/static", StaticFiles(directory=str(files("recsys.web").joinpath("static"))))
    refuse = pages.failure

    @app.exception_handler(HTTPException)
    async def _no_page(_: Request, error: HTTPException) -> Response:
        return refuse(error.status_code, _WORDS.get(error.status_code, error.detail), error.headers)

    @app.exception_handler(_ShutError)
    async def _shut(_: Request, __: _ShutError) -> Response:
        shut = room.shut
        return refuse(shut.status, shut.words) if shut else RedirectResponse("/", HTTPStatus.SEE_OTHER)

    @app.exception_handler(RequestValidationError)
    @app.exception_handler(RecsysError)
    async def _unusable(_: Request, error: Exception) -> Response:
        told = sentence(str(error)) if isinstance(error, RecsysError) else "The address is wrong."
        return refuse(HTTPStatus.BAD_REQUEST, told)

    @app.exception_handler(TooMuchSent)
    async def _too_much(_: Request, error: TooMuchSent) -> Response:
        return refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))

    @app.exception_handler(Exception)
    async def _fault(_: Request, __: Exception) -> Response:
        return refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "The program failed; what happened stands in the terminal.")

    return Guards(app, hosts, refuse, LARGEST_FORM)


_WORDS = {
    404: "There is no such page. The links above lead to those that there are.",
    405: "This page cannot be asked in that way. Open it with a link or a form on these pages.",
}


async def _any_room(request: Request) -> Room:
    room: Room = request.app.state.room
    return room


async def _open_room(request: Request) -> Room:
    room = await _any_room(request)
    if room.shut:
        raise _ShutError
    return room


async def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


Opened = Annotated[Room, Depends(_open_room)]
AnyRoom = Annotated[Room, Depends(_any_room)]
Shown = Annotated[Pages, Depends(_pages)]


@routes.get("/")
async def home(room: Opened, pages: Shown, like: Likes, q: str = "") -> Response:
    """Pick artists, and see what is recommended for them and why."""
    picks = trying.picks(room, like)
    wanted = q.strip()
    name = trying.meant(room, wanted) if wanted else None
    if name is not None:
        return RedirectResponse("/" + carried([*picks.known, name]), HTTPStatus.SEE_OTHER)
    return pages.show(
        "home",
        picks.known,
        picks=picks,
        wanted=wanted[: trying.LONGEST_NAME],
        offered=trying.offered(room, wanted) if wanted else [],
        places=trying.recommended(room, picks.known),
        starters=[name for name in trying.well_known(room) if name not in picks.known],
    )


@routes.get("/artist")
async def artist(room: Opened, pages: Shown, like: Likes, name: str = "") -> Response:
    """See the artists most like one."""
    known = trying.meant(room, name)
    if known is None:
        raise HTTPException(404)
    picks = trying.picks(room, like)
    share = trying.listeners(room, known)
    return pages.show("artist", picks.known, artist=known, share=share, places=trying.similar(room, known))


@routes.get("/artists.json")
async def artists(room: Opened, q: str = "") -> Response:
    """Give artists that somebody who is typing may mean."""
    return JSONResponse([{"name": n, "listeners": trying.listeners(room, n)} for n in trying.offered(room, q)])


@routes.get("/figures")
def metrics(room: Opened, pages: Shown, like: Likes) -> Response:
    """Read how well it recommends, beside the full model and popularity."""
    scores = room.sample.documents["scores"]
    return pages.show("figures", like, scores=scores, rows=figures.rows(figures.models(scores)))


@routes.get("/listeners")
def listeners_form(room: Opened, pages: Shown, like: Likes) -> Response:  # noqa: ARG001 - opened or not
    """Choose a file of own listeners."""
    return pages.show("listeners", like, trial=None, wrong="")


@routes.post("/listeners")
async def listeners_tried(request: Request, room: Opened, pages: Shown, like: Likes) -> Response:
    """Evaluate the buyer's own listeners, and forget them."""
    evaluating: asyncio.Lock = request.app.state.evaluating
    if evaluating.locked():
        raise HTTPException(503, "Another file is being looked at. Try again in a moment.", {"retry-after": "5"})
    async with evaluating:
        try:
            name, content = await uploaded(request, "histories")
            trial = await run_in_threadpool(listeners.tried, room, name, content)
        except RecsysError as error:
            return pages.show(
                "listeners", like, HTTPStatus.UNPROCESSABLE_ENTITY, trial=None, wrong=sentence(str(error))
            )
    return pages.show("listeners", like, trial=trial, wrong="")


@routes.get("/card")
def card(room: Opened, pages: Shown, like: Likes) -> Response:
    """Read the model card."""
    return pages.show("card", like, card=rendered(room.sample.card))


@routes.get("/evidence")
def evidence(room: AnyRoom, pages: Shown, like: Likes) -> Response:
    """Read who agreed, and what the last look at the file found."""
    return pages.show("evidence", like, again=False, shut=room.shut)


@routes.post("/evidence")
def looked(room: AnyRoom, pages: Shown, like: Likes) -> Response:
    """Look at the file on the disk again."""
    room.look()
    return pages.show("evidence", like, again=True, shut=room.shut)


@routes.get("/privacy")
def privacy(room: Opened, pages: Shown, like: Likes) -> Response:  # noqa: ARG001 - opened or not
    """Read what the model tells about its members."""
    return pages.show("privacy", like)


@routes.get("/terms")
def terms(room: Opened, pages: Shown, like: Likes) -> Response:  # noqa: ARG001 - opened or not
    """Read what the sample may be used for."""
    return pages.show("terms", like)


@routes.get("/documents/{name}.json")
def document(room: Opened, name: str) -> Response:
    """Give a document as it is in the bundle."""
    if name not in room.sample.documents:
        raise HTTPException(404)
    return Response(canonical_json(room.sample.documents[name]), media_type="application/json")
