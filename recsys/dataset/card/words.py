"""Sentences that several cards share; each is filled from facts, so that the cards cannot contradict one another."""

from __future__ import annotations

from recsys.dataset.card.facts import FEWEST, Facts, people


def description(facts: Facts) -> str:
    """Say in a few sentences what the version is."""
    if not facts.consented:
        return (
            f"A public benchmark, {facts.source_name}, imported as it is: {facts.count('members'):,} users, "
            f"{facts.count('artists'):,} artists, {facts.count('pairs'):,} pairs. Nobody's consent to this use is "
            "recorded, so no model made from it is handed to a buyer."
        )
    made_up = "These members do not exist; everything below is true of a made-up collective. "
    return (made_up if facts.collective.made_up else "") + (
        f"How often and how long members of a collective listened to artists: {facts.size_words()}, played "
        f"{facts.period_words()}. Every row was given by a member who agreed to this purpose: {facts.purpose}."
    )


def how_collected(facts: Facts) -> list[str]:
    """Say how the data came to the collective."""
    if not facts.consented:
        files = ", ".join(sorted((facts.manifest.source or {}).get("files", {})))
        return [f"It was read from the files {files}, whose SHA-256 stand in the version's manifest."]
    return [
        "Members handed in what they had listened to. It came in these ways, counted before any artist was left out:",
        *(f"{line}." for line in facts.route_words()),
        scraping(facts),
        *_refused_routes(facts),
    ]


def scraping(facts: Facts) -> str:
    """Say whether anything was scraped."""
    scraped = [one for one in facts.sources if one["route"] == "scraped"]
    return "Nothing was scraped." if not scraped else "Some of it was scraped; see the version's manifest."


def _refused_routes(facts: Facts) -> list[str]:
    if "refused_routes" not in facts.manifest.counts:
        return []
    refused = {route: count for route, count in facts.group("refused_routes").items() if count}
    if not refused:
        return ["No row came by a route that the collective's policy refuses."]
    told = ", ".join(f"{route}: {count:,}" for route, count in sorted(refused.items()))
    return [f"Rows that came by a route which the collective's policy refuses were left out ({told})."]


def how_prepared(facts: Facts) -> list[str]:
    """Say what was done to the data before they became this version."""
    rules, left_out = facts.manifest.rules, facts.group("left_out")
    done = [f"A play counts by this rule: {rules['play']}.", "Plays are added up for each member and artist."]
    if not facts.consented:
        return done
    done[:0] = ["Only the fields that are needed are read; names, addresses and devices are not.", _merged()]
    done += [
        (
            f"Artists heard by fewer than {rules['min_listeners']} members are left out: "
            f"{left_out.get('artists_below_min_listeners', 0):,} of them."
        ),
        (
            f"Members in whose listening no artist remains are left out: "
            f"{people(left_out.get('members_without_artists', 0))}."
        ),
    ]
    return done


def _merged() -> str:
    return "A play that stands in several exports is counted once; spellings of one artist are brought together."


def limits(facts: Facts) -> list[str]:
    """Say what the data do not show, and whom they do not show well."""
    if not facts.consented:
        return [
            "What the benchmark's own documentation says applies; it was imported unchanged.",
            "Unknown.",
            "Unknown.",
        ]
    return [
        "Listening outside the services whose exports were handed in is missing; exports reach back differently far.",
        "Members chose to join: they are no sample of any population; their age, sex and origin are not recorded.",
        (
            f"Artists of fewer than {facts.manifest.rules['min_listeners']} listeners are missing by design, "
            "so niche and new artists are under-represented."
        ),
        "A play shows that somebody listened, not that they liked it; that there is none shows nothing.",
    ]


def personal(facts: Facts) -> list[str]:
    """Say what is personal in the data, and how it is guarded."""
    if not facts.consented:
        return ["User numbers as the benchmark gives them."]
    return [
        (
            "Listening is personal data. Members stand under pseudonyms made with a secret key (HMAC-SHA-256); no "
            "name, mail address, place, device or time of a single play is in the version."
        ),
        "Taste can hint at origin, belief or health, and a long history can point at a person: rows stay inside.",
        (
            f"Artists of fewer than {facts.manifest.rules['min_listeners']} listeners are left out; cards tell no "
            f"number of people below {FEWEST}."
        ),
    ]


def withdrawal(facts: Facts) -> str:
    """Say what happens when a member takes their consent back."""
    if not facts.consented:
        return "The benchmark's own source says how its data are taken back."
    return (
        "A member can withdraw at any time; the next version is built without them and bears a new major number, "
        "and this version may then no longer be used."
    )
