"""A version's datasheet: the questions of Gebru et al., "Datasheets for Datasets" (CACM 64:12, 2021), answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from recsys.dataset.card.facts import FEWEST, Facts, people
from recsys.dataset.card.words import description, how_collected, how_prepared, limits, personal, withdrawal

Answers = list[tuple[str, list[str]]]


def datasheet(facts: Facts) -> str:
    """Write the datasheet as Markdown."""
    sections = (
        ("Motivation", _motivation),
        ("Composition", _composition),
        ("Collection process", _collection),
        ("Preprocessing, cleaning, labeling", _preprocessing),
        ("Uses", _uses),
        ("Distribution", _distribution),
        ("Maintenance", _maintenance),
    )
    head = [f"# Datasheet: {facts.title}", description(facts), identity(facts)]
    return document([*head, *(part for title, answers in sections for part in _section(title, answers, facts))])


def document(parts: Iterable[str]) -> str:
    """Join the paragraphs of a Markdown document."""
    return "\n\n".join(parts) + "\n"


def bullets(lines: Iterable[str]) -> str:
    """Write a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def identity(facts: Facts) -> str:
    """Say which version a card speaks of, and that nobody typed the card."""
    day = f"Consent was looked up for {facts.date}. " if facts.date else ""
    return (
        f"{day}The version's name is `{facts.digest}`, the SHA-256 of its manifest. This page was written by recsys "
        f"{facts.manifest.code} from that manifest and from what the collective states of itself. Numbers of people "
        f"below {FEWEST} are not told."
    )


def who(facts: Facts) -> str:
    """Say who the collective is and how it is reached."""
    ours = facts.collective
    name = _sentence(ours.name) if ours.stated("name") else "The collective does not state its name."
    return f"{name} Contact: {ours.contact}."


def _section(title: str, answers: Callable[[Facts], Answers], facts: Facts) -> list[str]:
    return [f"## {title}", *(part for asked, told in answers(facts) for part in (f"**{asked}**", _told(told)))]


def _told(lines: list[str]) -> str:
    return lines[0] if len(lines) == 1 else bullets(lines)


def _motivation(facts: Facts) -> Answers:
    ours = facts.collective
    return [
        ("For what purpose was the dataset created?", [_sentence(facts.purpose)]),
        ("Who created it, and on behalf of whom?", [who(facts)]),
        ("Who funded its creation?", [_sentence(ours.funding)]),
    ]


def _composition(facts: Facts) -> Answers:
    return [
        (
            "What do the instances represent, and how many are there?",
            ["A member, an artist, and how often and how long the member listened.", _sentence(facts.size_words())],
        ),
        (
            "Is it a sample of a larger set?",
            ["No. Everybody who handed in an export and agreed to this purpose is in it, but for those named below."]
            if facts.consented
            else ["As the benchmark's own documentation says."],
        ),
        (
            "What is left out, and why?",
            [
                f"Members without a valid consent at that instant: {facts.refused_words()}.",
                f"Members with no artist left: {people(facts.group('left_out').get('members_without_artists', 0))}.",
                f"Artists with too few listeners: {facts.group('left_out').get('artists_below_min_listeners', 0):,}.",
                facts.artists_words(),
            ]
            if facts.consented
            else ["Nothing by us."],
        ),
        ("Is anything missing, and what does that mean?", limits(facts)),
        ("Are there recommended splits?", ["Whole listeners are held out for tests; the split is drawn by a seed."]),
        ("Does it hold confidential or sensitive data? Can people be identified?", personal(facts)),
    ]


def _collection(facts: Facts) -> Answers:
    ours, ledger = facts.collective, facts.manifest.ledger
    consent = (
        [
            (
                "Yes. Each purpose is a question of its own, with an end; a row is here only if its member's last word "
                f"on this purpose was yes on {facts.date}."
            ),
            f"Decisions stand in an append-only ledger of {ledger['count']:,} entries, sealed by {ledger['hash']}.",
            f"The notice they were given: {ours.notice}.",
        ]
        if ledger
        else ["No consent to this use is recorded."]
    )
    return [
        ("How was the data acquired?", how_collected(facts)),
        ("Over what time was it generated?", [f"The plays were {facts.period_words()}."]),
        (
            "Who was involved, and how were they compensated?",
            [f"How members were asked to join: {ours.recruitment}.", f"What they get in return: {ours.compensation}."],
        ),
        ("Was it reviewed ethically?", [_sentence(ours.ethical_review)]),
        ("Did the individuals consent?", consent),
        ("Can they revoke their consent?", [withdrawal(facts)]),
    ]


def _preprocessing(facts: Facts) -> Answers:
    kept = "Yes, by the collective alone, encrypted under a key of each member's own; destroying it erases all copies."
    return [
        ("What was done to the data?", how_prepared(facts)),
        ("Is the raw data kept?", [kept if facts.consented else "In the benchmark's own files."]),
        ("Is the software available?", [f"Yes: recsys {facts.manifest.code}, under the Apache License 2.0."]),
    ]


def _uses(facts: Facts) -> Answers:
    if not facts.consented:
        return [
            ("What may it be used for?", ["To measure and compare. Nothing made from it is handed to a buyer."]),
        ]
    return [
        ("What may it be used for?", [f"Only this: {facts.purpose}."]),
        (
            "What should it not be used for?",
            [
                "To find out who somebody is, or to draw conclusions about a single person.",
                "To judge people: for credit, insurance, work or the like.",
                "For any purpose that its members did not agree to. To them each purpose is a question of its own.",
            ],
        ),
        ("What in its making may affect its use?", limits(facts)[1:]),
    ]


def _distribution(facts: Facts) -> Answers:
    return [
        (
            "Is it handed to third parties?",
            ["No. Rows never leave the collective; models and summaries do, under a licence."]
            if facts.consented
            else ["No; it can be had where the benchmark is published."],
        ),
        ("Under which terms?", [f"The terms for models made from it: {facts.collective.licence}."]),
    ]


def _maintenance(facts: Facts) -> Answers:
    return [
        ("Who maintains it, and how are they reached?", [who(facts)]),
        ("Will it be updated?", [f"How often, and by whom: {facts.collective.maintenance}.", *history(facts)]),
        ("Do older versions stay usable?", [withdrawal(facts)]),
        (
            "How can an artist object?",
            ["By telling the collective, which enters it in its registry; the next version leaves the artist out."]
            if facts.consented
            else ["With the benchmark's publisher."],
        ),
    ]


def history(facts: Facts) -> list[str]:
    """Say how the version differs from the one before it."""
    parent, change = facts.manifest.parent, facts.manifest.change
    if not parent:
        return [f"This is version {facts.manifest.version}, the first of its line."]
    told = ", ".join(
        f"{name.replace('_', ' ')}: {_number(name, count)}" for name, count in sorted((change or {}).items())
    )
    before = f" ({facts.previous.version}, {facts.previous.at[:10]})" if facts.previous and facts.previous.at else ""
    return [
        f"This is version {facts.manifest.version}; it follows `{parent}`{before}. What changed: {told or 'no data'}.",
        "A major number means that something was removed or edited, a minor one that data were only added.",
    ]


def _number(name: str, count: int) -> str:
    return people(count) if name.startswith(("members", "contributions")) else f"{count:,}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
