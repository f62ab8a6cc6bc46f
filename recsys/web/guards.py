"""What stands before the pages: who may ask, how much they may send, and what a browser may do with the answer.

The server listens on the loopback alone, and that is not enough: any page on the web can make a browser ask it. So a
request must name this server as its host (else DNS rebinding would turn a foreign name into ours), must not be sent by
another site's page, and no answer may be read, framed or loaded by one. Pages load nothing from anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_QUERY = 16 * 1024
"""Bytes of an address's query: more than anybody's picks need."""

LARGEST_FORM = 1024
"""Bytes of a form that is no upload."""

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Go with every answer (W3C CSP 3, Fetch, Permissions Policy, Referrer Policy).

Without any referrer, browsers would say ``Origin: null`` of our own forms, as of hostile ones.
"""

_DRAINED = 1 << 30
_ASKING = frozenset({"GET", "HEAD"})

Refuse = Callable[[int, str], Response]


class Guards:
    """Lets through what this machine's own browser asks; an ASGI middleware.

    Parameters
    ----------
    app
        What is guarded.
    hosts
        Every ``host:port`` under which the server is to be reached.
    refuse
        Makes the page that says why not, from a status and a sentence.
    largest_upload
        Bytes that ``POST /listeners`` may send; other forms may send :data:`LARGEST_FORM`.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], refuse: Refuse, largest_upload: int) -> None:
        self.app = app
        self.hosts = frozenset(hosts)
        self.refuse = refuse
        self.largest_upload = largest_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        if refusal:
            await _drained(receive)
            await self.refuse(*refusal)(scope, receive, guarded)
            return
        try:
            await self.app(scope, self._measured(scope, receive), guarded)
        except ClientDisconnect:
            return

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        if headers.getlist("host") == [] or not self.hosts.issuperset(h.lower() for h in headers.getlist("host")):
            return 421, "These pages answer only under the address that the command printed. Open that one."
        origin = headers.get("origin")
        foreign = origin is not None and origin.removeprefix("http://").lower() not in self.hosts
        elsewhere = headers.get("sec-fetch-site") in {"cross-site", "same-site"}
        if scope["method"] not in _ASKING and (foreign or elsewhere):
            return 403, "Another site's page sent this. Use the form on these pages."
        if len(scope["query_string"]) > LARGEST_QUERY:
            return 414, "The address is too long. Take away some of the artists."
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._largest(scope):
            return 413, self._too_much(scope)
        return None

    def _largest(self, scope: Scope) -> int:
        return self.largest_upload if (scope["method"], scope["path"]) == ("POST", "/listeners") else LARGEST_FORM

    def _too_much(self, scope: Scope) -> str:
        return f"That is more than is taken here: {self._largest(scope):,} bytes. Send a part of it."

    def _measured(self, scope: Scope, receive: Receive) -> Receive:
        """Count what comes in, whatever length was announced."""
        left = self._largest(scope)

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            if message["type"] == "http.request":
                left -= len(message.get("body", b""))
                if left < 0:
                    raise TooMuchSent(self._too_much(scope))
            return message

        return counted


async def _drained(receive: Receive) -> None:
    """Let the browser finish sending what is not wanted, or else it shows a broken connection and not our page."""
    left = _DRAINED
    while left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return


class TooMuchSent(Exception):  # noqa: N818 - no fault of the program: the page says it
    """More came in than was announced or is taken."""
