"""What a collective says of itself: the facts of a card that no dataset version can know, and a policy of its own."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from recsys.consent import ArtistPolicy
from recsys.errors import ConfigError

NOT_STATED = "not stated"


def _asked(words: str) -> Any:  # noqa: ANN401 - dataclasses.field is typed as its default
    return field(default=NOT_STATED, metadata={"help": words})


def _countries(words: str) -> Any:  # noqa: ANN401 - as above
    return field(default=(), metadata={"help": words})


@dataclass(frozen=True)
class Collective:
    """A collective's own statements, from ``collective.toml``; what is not stated says so in every card."""

    name: str = _asked("The collective's legal name.")
    contact: str = _asked("Where questions and objections go: a mail address or a page.")
    website: str = _asked("Its web page, starting with https://.")
    address: str = _asked("Its postal address.")
    notice: str = _asked("Where the notice that members agreed to can be read.")
    licence: str = _asked("The terms under which models made from the data are licensed: a web address.")
    recruitment: str = _asked("How members were asked to join.")
    compensation: str = _asked("What members get in return.")
    funding: str = _asked("Who paid for the collection.")
    ethical_review: str = _asked("Who reviewed the collection, and when.")
    maintenance: str = _asked("How often versions are built, and who sees to it.")
    member_countries: tuple[str, ...] = _countries("Where members live, as ISO 3166-1 codes.")
    processing_countries: tuple[str, ...] = _countries("Where the data may be processed.")
    excluded_countries: tuple[str, ...] = _countries("Where the data may not be processed.")
    storage_countries: tuple[str, ...] = _countries("Where the data are stored.")
    made_up: bool = field(
        default=False, metadata={"help": "Whether the members do not exist: a synthetic collective, for trying things."}
    )
    train_ai_counts: bool = field(
        default=False,
        metadata={"help": "Whether an artist's train-ai=n, with nothing said of rankings, keeps them out."},
    )

    @classmethod
    def load(cls, path: Path) -> Collective:
        """Read a collective's statements; where there is no file, nothing is stated.

        Raises
        ------
        ConfigError
            If the file is no TOML file or holds a key or value that is none of these.
        """
        try:
            told = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise ConfigError(f"{path.name} is not a TOML file: {error}") from error
        known = {one.name: one.default for one in fields(cls)}
        checked: dict[str, Any] = {key: _checked(path.name, key, value, known) for key, value in told.items()}
        return cls(**checked)

    @property
    def artist_policy(self) -> ArtistPolicy:
        """How the collective reads artists' statements."""
        return ArtistPolicy(self.train_ai_counts)

    def stated(self, name: str) -> bool:
        """Tell whether the collective says anything of this."""
        return getattr(self, name) not in {NOT_STATED, ()}


def _checked(file: str, key: str, value: object, known: dict[str, Any]) -> str | bool | tuple[str, ...]:
    if key not in known:
        close = difflib.get_close_matches(key, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; the keys are {', '.join(known)}"
        raise ConfigError(f"{file}: there is no key {key!r}{hint}")
    if isinstance(known[key], bool):
        if isinstance(value, bool):
            return value
        raise ConfigError(f"{file}: {key} is {value!r}; it must be true or false")
    if isinstance(known[key], tuple):
        if isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value):
            return tuple(value)
        raise ConfigError(f'{file}: {key} is {value!r}; it must be a list of countries such as ["SE", "DE"]')
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise ConfigError(f"{file}: {key} is {value!r}; it must be a text, or be left out where there is nothing to state")
