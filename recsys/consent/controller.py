"""The collective itself, as consent records name it: who asks, and how to reach them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from recsys.consent.terms import one_line
from recsys.errors import ConfigError
from recsys.transparency import VerifyKey

_FILE = "collective.toml"
_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True)
class Controller:
    """A collective: the data controller of the General Data Protection Regulation, article 4 (7).

    Parameters
    ----------
    key
        Its public key, which is what tells it from every other one.
    name, contact, address
        What it is called; an e-mail or web address where members reach it; a postal address.
    country
        Where it keeps the data: ISO 3166 code, or ``EU``. Of several, the first.
    """

    key: VerifyKey
    name: str = "the collective that gave you this receipt"
    contact: str = "whoever gave you this receipt"
    address: str = "not stated"
    country: str = "EU"

    def __post_init__(self) -> None:
        for field in ("name", "contact", "address"):
            object.__setattr__(self, field, one_line(getattr(self, field), f"a collective's {field}"))
        if not _COUNTRY.fullmatch(self.country):
            raise ValueError(f"{self.country!r} is no country: give its ISO 3166 code, for example DE, or EU")

    @classmethod
    def at(cls, folder: Path, key: VerifyKey) -> Controller:
        """Read what the collective in `folder` says of itself in ``collective.toml``; nothing, if there is none.

        Raises
        ------
        ConfigError
            If its file is damaged.
        """
        path = folder / _FILE
        try:
            told = tomllib.loads(path.read_text(encoding="utf-8"))
            said = {name: told[name] for name in ("name", "contact", "address") if name in told}
            countries = told.get("storage_countries") or [cls.country]
            return cls(key, **said, country=countries[0])
        except FileNotFoundError:
            return cls(key)
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(f"{path} does not describe a collective: {error}; put it right") from error
