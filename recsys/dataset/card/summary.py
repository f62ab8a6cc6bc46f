"""A public summary of training content, in the sections of the European Commission's template.

The template (C(2025) 8311, for Article 53(1)(d) of the AI Act) binds providers of general-purpose models. A model that
ranks artists is none; the summary is given because it is what artists and members ask for.
"""

from __future__ import annotations

from recsys.dataset.card.datasheet import bullets, document, identity
from recsys.dataset.card.facts import Facts
from recsys.dataset.card.words import description, how_collected, how_prepared, personal, scraping, withdrawal

_NONE = "None."


def training_summary(facts: Facts) -> str:
    """Write the summary as Markdown."""
    return document([*_general(facts), *_sources(facts), *_processing(facts)])


def _general(facts: Facts) -> list[str]:
    ours = facts.collective
    countries = ", ".join(ours.member_countries) or "not stated"
    return [
        f"# Public summary of training content: {facts.title}",
        (
            "Given voluntarily: the template is binding for providers of general-purpose models only, and a model that "
            "ranks artists is none."
        ),
        identity(facts),
        "## 1. General information",
        "### 1.1. Provider identification",
        bullets([f"Provider: {ours.name}", f"Contact: {ours.contact}", f"Address: {ours.address}"]),
        "### 1.2. Model identification",
        (
            f"Any model whose records name the dataset version `{facts.digest}`; a model trained with recsys does. "
            f"What it is for: {facts.purpose}."
        ),
        "### 1.3. Modalities, overall training data size and other characteristics",
        bullets(
            [
                "Modality: none of text, image, audio or video. The data are counts of plays and listening time.",
                f"Size: {facts.size_words()}.",
                f"When the data arose: {facts.period_words()}.",
                f"Latest date of acquisition: {facts.date or 'not known'}; later data make another version.",
                f"Where the people live: {countries}.",
            ]
        ),
    ]


def _sources(facts: Facts) -> list[str]:
    members = facts.consented
    return [
        "## 2. List of data sources",
        "### 2.1. Publicly available datasets",
        _NONE if members else " ".join([description(facts), *how_collected(facts)]),
        "### 2.2. Private non-publicly available datasets obtained from third parties",
        "#### 2.2.1. Datasets commercially licensed by rightsholders or their representatives",
        _NONE,
        "#### 2.2.2. Private datasets obtained from other third parties",
        _NONE,
        "### 2.3. Data crawled and scraped from online sources",
        scraping(facts) if members else "None by us.",
        "### 2.4. User data",
        bullets([*how_collected(facts), *personal(facts), withdrawal(facts)]) if members else _NONE,
        "### 2.5. Synthetic data",
        "All of it: the members were made up by a program." if facts.collective.made_up else _NONE,
        "### 2.6. Other sources of data",
        _NONE,
    ]


def _processing(facts: Facts) -> list[str]:
    return [
        "## 3. Data processing aspects",
        "### 3.1. Respect of reservation of rights from text and data mining exception or limitation",
        "No work is copied or mined: the data hold artists' names and counts of plays, no sound, text or image.",
        f"{facts.artists_words()} {_objecting(facts)}" if facts.consented else "The benchmark was imported unchanged.",
        "### 3.2. Removal of illegal content",
        (
            "There is no content that could be illegal in itself. Data that came without consent or by a refused route "
            "are left out before anything is counted."
        ),
        "### 3.3. Other information (optional)",
        bullets(how_prepared(facts)),
    ]


def _objecting(facts: Facts) -> str:
    where = f" ({facts.collective.contact})" if facts.collective.stated("contact") else ""
    return (
        f"Artists and those who speak for them tell their wishes to the collective{where}, in the terms of the IETF's "
        "AI Preferences. A no stands until whoever said it takes it back."
    )
