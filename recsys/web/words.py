"""Texts and values of the bundle as HTML that can do nothing but be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_LOWEST = 6
_LONGEST = 400
_SCROLLED = '<div class="wide" tabindex="0" role="group" aria-label="{}">'


class _Quiet(RendererHTML):
    """Tables and programs that scroll by keyboard."""

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Begin a table in a part that can be scrolled."""
        return _SCROLLED.format("Table") + self.renderToken(tokens, idx, options, env)

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """End it."""
        return f"{self.renderToken(tokens, idx, options, env)}</div>"

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Lay out a program in a part that can be scrolled."""
        return f"{_SCROLLED.format('Program')}{super().fence(tokens, idx, options, env)}</div>"


def rendered(markdown: str) -> Markup:
    """Render a model card; HTML in it is text, links lead only where a reader can see, pictures are left out.

    Headings go one level down, since the page has its own first one; numbers in tables are aligned by a class, since
    the pages allow no inline style.

    Parameters
    ----------
    markdown
        CommonMark with tables; YAML front matter is left out.
    """
    reader = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Quiet).enable("table").disable("image")
    tokens = reader.parse(_FRONT_MATTER.sub("", markdown))
    for place, token in enumerate(tokens):
        if token.type == "th_open" and not tokens[place + 1].content:
            token.tag = tokens[place + 2].tag = "td"  # what heads nothing is no head
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 1, _LOWEST)}"
        if token.attrs.pop("style", "") == "text-align:right":
            token.attrSet("class", "n")
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704 - markdown-it escapes all text


def label(key: str) -> str:
    """Write a key of JSON as words."""
    words = key.removeprefix("@").replace("_", " ").replace("rai:", "").strip()
    return words[:1].upper() + words[1:]


def value(told: Any) -> str:  # noqa: ANN401 - any JSON value
    """Write a plain JSON value for people."""
    match told:
        case None:
            return "none"
        case bool():
            return "yes" if told else "no"
        case int():
            return f"{told:,}"
        case float():
            return f"{told:.4g}"
        case _:
            return str(told)


def sentence(told: str) -> str:
    """Bring the message of an error into a form that a page can show: one line of letters, not too long."""
    seen = "".join(letter if letter.isprintable() else "\N{MIDDLE DOT}" for letter in " ".join(told.split()))
    first = seen[:1].upper() if seen.split(" ")[0].isalpha() else seen[:1]  # a file's name keeps its letters
    return first + seen[1:_LONGEST] + ("…" if len(seen) > _LONGEST else "")


def moment(at: datetime) -> str:
    """Write an instant to the minute."""
    return f"{at.astimezone(UTC):%d %B %Y, %H:%M} UTC".lstrip("0")


def percent(share: float) -> str:
    """Write a share so that a small one is not said to be none."""
    if 0 < share < 0.001:  # noqa: PLR2004 - a tenth of a per cent
        return "less than 0.1%"
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"  # noqa: PLR2004 - one digit is enough
