"""By which routes data may come in: the first question at the gate, before anybody's consent is asked for.

A member can only agree to what they may give away. What people got for themselves, by the right to their own data
(General Data Protection Regulation, articles 15 and 20) or with a service's own button, is theirs. What was taken
through a service's interface is under that service's terms, and what was scraped has nobody's consent at all.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from recsys.errors import ConfigError
from recsys.listens import Route

OWN: Final = frozenset({Route.GDPR_EXPORT, Route.SERVICE_EXPORT, Route.SURVEY})
"""Routes on which people hand in what is theirs; every policy admits them."""

FORBIDDING: Final = MappingProxyType(
    {
        Route.API: (
            "the Spotify Developer Terms and Developer Policy (May 2025) forbid to sell or aggregate what the Web API "
            "gives, and to train machine-learning models on it"
        ),
        Route.PUBLIC_BENCHMARK: (
            "a public data set is under its own licence, most allow research only, and none of its listeners agreed"
        ),
        Route.SCRAPED: "nobody it is about agreed to anything, and no policy can agree for them",
    }
)
"""Why a route is refused, unless an operator's policy says on what ground it may pass."""

_NEVER = Route.SCRAPED


@dataclass(frozen=True)
class Policy:
    """Which routes are admitted.

    Parameters
    ----------
    grounds
        For each route that is admitted beyond those on which people hand in what is theirs: on what ground, for
        example the date of a written permission.

    Raises
    ------
    ConfigError
        If a route is unknown, needs no ground, has none, or is the one that no policy can admit.
    """

    grounds: Mapping[Route, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for route, ground in self.grounds.items():
            if route not in set(Route):
                raise ConfigError(f"{route!r} is no route; the routes are {', '.join(Route)}")
            if route == _NEVER:
                raise ConfigError(f"no policy can admit {_NEVER}: {FORBIDDING[_NEVER]}")
            if route in OWN:
                raise ConfigError(f"{route} is always admitted; take it out of the policy")
            if not isinstance(ground, str) or not ground.strip():
                raise ConfigError(f"say on what ground {route} is admitted, although {FORBIDDING[Route(route)]}")

    @classmethod
    def at(cls, path: Path) -> Policy:
        """Read an operator's policy; the default one, if there is no file.

        ::

            [admit]
            api = "written permission of the service, 1 March 2026"

        Raises
        ------
        ConfigError
            If the file says anything else than grounds for routes.
        """
        try:
            told: dict[str, Any] = tomllib.loads(path.read_bytes().decode())
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path} cannot be read as a policy: {error}") from error
        unknown = told.keys() - {"admit"}
        grounds = told.get("admit", {})
        if unknown or not isinstance(grounds, dict):
            raise ConfigError(f"{path} holds {', '.join(sorted(unknown)) or 'no table'}; expected one table, [admit]")
        try:
            return cls(grounds)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error

    def admits(self, route: str) -> bool:
        """Tell whether rows of a route may pass; those of an unknown one may not."""
        return route in OWN or (route in self.grounds and route != _NEVER)

    def why_not(self, route: str) -> str:
        """Name what forbids a refused route."""
        known = {str(one): text for one, text in FORBIDDING.items()}
        return f"{route}: {known.get(route, 'nobody knows where these rows come from')}"


DEFAULT: Final = Policy()
