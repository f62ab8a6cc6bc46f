"""One key for all spellings of an artist's name.

Two spellings are one artist if their keys are equal. The steps, in order, and what each costs:

1. Text that was decoded wrongly is repaired where that is certain ("BeyoncÃ©", by ``ftfy``, which repairs only what
   reads as nonsense one way and as text the other).
2. Unicode NFKC and case folding (UAX #15, and Unicode 3.13): full width, ligatures, composed and decomposed forms meet.
3. A guest is cut off: "A feat. B", "A ft. B", "A featuring B", "A (with B)". A bare "with" is part of names ("Sleeping
   With Sirens") and stays, as do "10 Ft. Ganja Plant" and "Little Feat". ", ", "&" and "x" join names, and a name is
   never split.
4. The article: "The Beatles", "Beatles, The" and "Beatles" meet; "The The" stays. Cost: bands that an article alone
   tells apart ("The Knife", "Knife") meet.
5. "&" and " + " between words become "and"; "$" beside a letter an "s" ("A$AP"), "!" between letters an "i" ("P!nk").
6. Accents of Latin letters go, and ø, ł, đ, æ and the like become plain letters: "Sigur Ros" finds Sigur Rós. In other
   scripts a mark is part of the letter and stays. Cost: names that an accent alone tells apart ("MØ", "Mo") meet.
7. All that is neither letter nor mark nor number goes, blanks too: AC/DC, AC-DC, ACDC and AC DC meet. Cost: "No Name"
   and "Noname" meet.

A name of which nothing would be left ("!!!", "+/-", an emoji) is its own key, as written after step 2. Where the price
is too high, ids tell artists apart (:class:`recsys.listens.ArtistIds`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from ftfy import fix_encoding

EDITION = "artist-key/1"
"""Names these rules in a dataset version; a change of what meets what takes the next number."""

_GUEST = re.compile(
    r"\s*[(\[{]\s*(?:feat(?:uring)?|ft|with|w/)\b.*$"
    r"|(?<=\S)[\s,]\s*(?:feat(?:uring\s+|\s*\.\s*|\s+)|(?<!\d\s)ft(?:\s*\.\s*|\s+))(?!feat|ft\b)[^\W_].*$"
)
_ARTICLE = re.compile(r"^the\s+(?!the$)(?=.*[^\W_])|(?<=\w),\s*the$")
_AND = re.compile(r"(?<=\w)(?:\s*&\s*|\s+\+\s+)(?=\w)")
_DOLLAR = re.compile(r"(?<=[^\W\d_])\$|\$(?=[^\W\d_])")
_BANG = re.compile(r"(?<=[^\W\d_])!(?=[^\W\d_])")
_ASCII_NOISE = {code: None for code in range(128) if not chr(code).isalnum()}
_PLAIN = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "\u0131": "i",
        "ŧ": "t",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ŋ": "n",
    }
)
_LAST_ACCENT = 0x36F  # U+0300 to U+036F: the combining accents of Latin, Greek and Cyrillic
_ROUNDS = 4


def artist_key(name: str) -> str:
    """Give the key that all spellings of an artist share.

    Parameters
    ----------
    name
        A spelling, as a source writes it.

    Returns
    -------
    str
        Its key: empty only for an empty name, and the key of itself.
    """
    key = _key(name)
    if key.isascii():
        return key
    for _ in range(_ROUNDS):  # what a step lays bare, an earlier one may act on: rare, and outside ASCII only
        again = _key(key)
        if again == key:
            break
        key = again
    return key


def _key(name: str) -> str:
    if name.isascii():
        folded = " ".join(name.lower().split())
        worded = _worded(folded)
        return worded.translate(_ASCII_NOISE) or worded
    composed = unicodedata.normalize("NFC", name).strip(" \t\r\n")  # blanks would sway the repair
    folded = " ".join(_folded(fix_encoding(composed)).split())
    worded = _worded(folded)
    return _letters(worded) or worded


def _folded(text: str) -> str:
    """Fold compatibility forms and case; twice, since either can make work for the other (Unicode 3.13, D146)."""
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", text)


def _worded(text: str) -> str:
    """Apply what needs words: the guest, the article, the joining sign, the letters' disguises."""
    if "ft" in text or "feat" in text or "w" in text:
        text = _GUEST.sub("", text) or text
    if "the" in text:
        text = _ARTICLE.sub("", text)
    if "&" in text or "+" in text:
        text = _AND.sub(" and ", text)
    if "$" in text:
        text = _DOLLAR.sub("s", text)
    return _BANG.sub("i", text) if "!" in text else text


def _letters(text: str) -> str:
    kept = "".join(character for character in text if unicodedata.category(character)[0] in "LMN")
    plain, latin = [], False
    for character in unicodedata.normalize("NFD", kept.translate(_PLAIN)):
        accent = "\u0300" <= character <= chr(_LAST_ACCENT)
        if not (accent and latin):
            plain.append(character)
        latin = latin if accent else _is_latin(character)
    return unicodedata.normalize("NFKC", "".join(plain))


@lru_cache(maxsize=1 << 14)
def _is_latin(character: str) -> bool:
    return character.isascii() or unicodedata.name(character, "").startswith("LATIN ")
