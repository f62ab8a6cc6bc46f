"""A world of made-up artists, and a taste for each made-up member: what the synthetic collective plants.

Artist a has popularity ``p_a``, Zipf over its rank, and a place ``v_a`` near the centre of its scene. Member u has a
place ``w_u``, a mixture of a few scenes. The member picks artists without replacement with probabilities::

    P(a | u)  proportional to  p_a * exp(SHARPNESS * <w_u, v_a>)

so popularity explains a part of every history and the member's place the rest: a model that learns places wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

ARTISTS = 2_000
SCENES = 24
SHARPNESS = 5.0

_DIMENSIONS = 12
_ZIPF = 0.8
_TRACKS = 12
_SCENES_PER_MEMBER = 3
_SPREAD = 0.35

_LONG, _OTHER_SCRIPT, _REMASTERED = 0.5, 0.03, 0.05  # shares of the names that are so
_STARTS = tuple(
    "ba bel cor da dra el fen gal hol ish jo kar lum mir nor o pel qua ras sol tor u vel wyn yar å ö é ø ż".split()  # noqa: SIM905 - one line of syllables
)
_ENDS = tuple(
    "bin dan der fala gor hane kin la mond na ner quist ra sen tavo tine vik wen xo zar ñez łek šić ğur".split()  # noqa: SIM905 - as above
)
_FORMS = ("{}", "{}", "{}", "The {}s", "{} & The Wires", "DJ {}", "{}, {}", "{} Quartet", "{} no {}", "Die {}", "{}!")
_OTHER_SCRIPTS = ("{}の庭", "Ансамбль {}", "{} 합창단", "{}樂隊", "Ομάδα {}")
_WORDS = tuple(
    "slow tide paper lantern north window salt glass ember static river harbour copper moss signal orbit".split()  # noqa: SIM905 - as above
)


@dataclass(frozen=True, eq=False)
class World:
    """Artists that do not exist.

    Parameters
    ----------
    artists
        Their names.
    tracks
        Row a: titles of artist a.
    log_popularity
        Shape (artists,).
    places
        Shape (artists, dimensions).
    scenes
        Shape (scenes, dimensions): the centres, of length one.
    """

    artists: tuple[str, ...]
    tracks: tuple[tuple[str, ...], ...]
    log_popularity: np.ndarray
    places: np.ndarray
    scenes: np.ndarray


@dataclass(frozen=True, eq=False)
class Taste:
    """Whom a member listens to: artist numbers, and the share of the member's plays that each gets."""

    artists: np.ndarray
    shares: np.ndarray


@lru_cache(maxsize=1)
def make_world(seed: int) -> World:
    """Make the world of a seed."""
    rng = np.random.default_rng([seed, 0])
    scenes = rng.normal(size=(SCENES, _DIMENSIONS))
    scenes /= np.linalg.norm(scenes, axis=1, keepdims=True)
    home = rng.integers(SCENES, size=ARTISTS)
    places = scenes[home] + _SPREAD * rng.normal(size=(ARTISTS, _DIMENSIONS)) / np.sqrt(_DIMENSIONS)
    names = _artist_names(rng)
    tracks = tuple(tuple(_title(rng) for _ in range(_TRACKS)) for _ in names)
    log_popularity = -_ZIPF * np.log(np.arange(1, ARTISTS + 1))
    return World(names, tracks, log_popularity, places, scenes)


def draw_taste(world: World, rng: np.random.Generator, n_artists: int) -> Taste:
    """Draw whom a member listens to, most probable artists most often."""
    chosen = rng.choice(SCENES, size=_SCENES_PER_MEMBER, replace=False)
    weights = rng.dirichlet(np.ones(_SCENES_PER_MEMBER))
    noise = _SPREAD * rng.normal(size=_DIMENSIONS) / np.sqrt(_DIMENSIONS)
    place = weights @ world.scenes[chosen] / np.linalg.norm(weights) + noise
    log_odds = world.log_popularity + SHARPNESS * (world.places @ place)
    artists = np.argsort(-(log_odds + rng.gumbel(size=ARTISTS)), kind="stable")[:n_artists]
    shares = np.exp(0.5 * (log_odds[artists] - log_odds[artists].max()) + rng.normal(size=n_artists))
    return Taste(artists, shares / shares.sum())


def _artist_names(rng: np.random.Generator) -> tuple[str, ...]:
    names: dict[str, None] = {}
    while len(names) < ARTISTS:
        forms = _OTHER_SCRIPTS if rng.random() < _OTHER_SCRIPT else _FORMS
        form = forms[rng.integers(len(forms))]
        names[form.format(_word(rng), _word(rng))] = None
    return tuple(names)


def _word(rng: np.random.Generator) -> str:
    start, middle, end = rng.integers([len(_STARTS), len(_STARTS), len(_ENDS)])
    word: str = _STARTS[start] + (_STARTS[middle] if rng.random() < _LONG else "") + _ENDS[end]
    return word.capitalize()


def _title(rng: np.random.Generator) -> str:
    words = [_WORDS[word] for word in rng.integers(len(_WORDS), size=rng.integers(1, 4))]
    return " ".join(words).title() + (" - Remastered 2011" if rng.random() < _REMASTERED else "")
