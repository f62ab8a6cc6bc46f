"""Cards say what the manifest says, all of it and nothing else."""

import json
import re
import warnings
from dataclasses import replace

import pytest
from lived import collective
from people import NOW

from recsys.dataset import DatasetStore, import_benchmark
from recsys.dataset.card import FEWEST, FORMATS, Collective, Facts, changed_cards, gather, render, write_cards
from recsys.dataset.card.facts import people
from recsys.errors import ConfigError

NORD = Collective(
    name="Nordic Listeners",
    contact="https://nordic.example/contact",
    website="https://nordic.example/",
    licence="https://nordic.example/licence",
    member_countries=("SE", "DE"),
    excluded_countries=("XX",),
)
TASTES = {f"m{i}": ["Óró", "Nocturne", "岡崎", *(["Rare"] * (i == 0))] for i in range(8)}


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    members = collective(tmp_path_factory.mktemp("home"), TASTES)
    members.hand_in("silent", ["Óró"])
    members.registry.opt_out("岡崎", by="the artist", at=NOW)
    members.build(min_listeners=5)
    return members


@pytest.fixture
def facts(members):
    return gather(members.store, members.store.digests()[0], NORD)


def texts(facts):
    return {name: data.decode() for name, data in render(facts).items()}


def test_a_build_writes_all_cards_beside_the_version(members):
    folder = members.store.path(members.store.digests()[0])
    assert {file for file, _ in FORMATS.values()} <= {path.name for path in folder.iterdir()}
    assert members.store.load(folder.name).digest == folder.name


def test_every_card_names_the_version_and_is_the_same_every_time(facts):
    first = render(facts)
    assert render(facts) == first
    for text in texts(facts).values():
        assert facts.digest in text


COUNTED = {
    "members": 1_234,
    "artists": 2_345,
    "pairs": 34_567,
    "plays": 456_789,
}


@pytest.mark.parametrize("name", COUNTED)
def test_a_count_in_the_manifest_is_the_count_in_the_cards(facts, name):
    changed = replace(facts, manifest=replace(facts.manifest, counts={**facts.manifest.counts, name: COUNTED[name]}))
    for card, text in texts(changed).items():
        assert f"{COUNTED[name]:,}" in text, card
        assert f"{COUNTED[name]:,}" not in texts(facts)[card]


def nested(facts, group, key, value):
    counts = facts.manifest.counts
    return {"counts": {**counts, group: {**counts[group], key: value}}}


LEDGER_TOLD = {"croissant", "datasheet", "provenance"}
ALL = set(FORMATS)
CHANGES = {
    "version": (lambda _: {"version": "7.8.9"}, "7.8.9", set(FORMATS)),
    "purpose": (lambda _: {"purpose": "research"}, "study listening", set(FORMATS)),
    "buyer": (
        lambda _: {"purpose": "share-with-buyer", "recipient": "Solo AI"},
        "(the buyer: Solo AI)",
        set(FORMATS),
    ),
    "date": (lambda _: {"at": "2031-02-03T00:00:00.000000Z"}, "2031-02-03", set(FORMATS)),
    "ledger": (lambda _: {"ledger": {"count": 77, "hash": "ab" * 32}}, "ab" * 32, LEDGER_TOLD),
    "parent": (lambda _: {"parent": "cd" * 32, "change": {}}, "cd" * 32, {"croissant", "datasheet", "provenance"}),
    "change": (
        lambda _: {"parent": "cd" * 32, "change": {"artists_removed": 4_321}},
        "artists removed: 4,321",
        {"datasheet"},
    ),
    "period": (lambda _: {"period": {"first": "1999-11", "last": "2001-12"}}, "November 1999 to December 2001", ALL),
    "code": (lambda _: {"code": "9.9.9"}, "9.9.9", {"croissant", "datasheet", "eu-summary"}),
    "rule": (lambda f: {"rules": {**f.manifest.rules, "min_listeners": 31}}, "fewer than 31", set(FORMATS)),
    "refused": (lambda f: nested(f, "refused", "expired", 987), "expired: 987", {"datasheet"}),
    "rare": (
        lambda f: nested(f, "left_out", "artists_below_min_listeners", 8_765),
        "8,765",
        {"croissant", "datasheet", "eu-summary"},
    ),
    "opted out": (
        lambda f: nested(f, "left_out", "artists_opted_out", 4_567),
        "4,567 artists were left out for having opted out",
        {"croissant", "datasheet", "eu-summary"},
    ),
    "registry": (
        lambda _: {"artists": {"count": 9, "hash": "ef" * 32, "policy": {"train_ai_counts": True}}},
        "ef" * 32,
        {"croissant", "datasheet", "eu-summary"},
    ),
    "registry not asked": (
        lambda _: {"artists": None},
        "No registry of artists' preferences was asked",
        {"croissant", "datasheet", "eu-summary"},
    ),
    "refused routes": (
        lambda f: {"counts": {**f.manifest.counts, "refused_routes": {"api": 5_432}}},
        "api: 5,432",
        {"croissant", "datasheet", "eu-summary"},
    ),
    "sources": (
        lambda f: {
            "counts": {
                **f.manifest.counts,
                "sources": [{"source": "lastfm", "route": "survey", "members": 3_210, "plays": 99}],
            }
        },
        "3,210",
        set(FORMATS),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_fact_that_changes_in_the_manifest_changes_in_the_cards(facts, name):
    change, words, told_in = CHANGES[name]
    changed = replace(facts, manifest=replace(facts.manifest, **change(facts)))
    for kind, (file, _) in FORMATS.items():
        assert (words in texts(changed)[file]) == (kind in told_in), kind
        assert words not in texts(facts)[file]


@pytest.mark.parametrize("name", [field for field in vars(Collective()) if field not in {"train_ai_counts", "made_up"}])
def test_what_the_collective_states_stands_in_a_card_and_else_not_stated(facts, name):
    said = ("QQ",) if isinstance(getattr(Collective(), name), tuple) else "QQ is said"
    told = "".join(texts(replace(facts, collective=replace(Collective(), **{name: said}))).values())
    nothing = "".join(texts(replace(facts, collective=Collective())).values())
    assert "QQ" in told
    assert "QQ" not in nothing
    assert "not stated" in nothing


def test_a_made_up_collective_says_so(facts):
    made_up = texts(replace(facts, collective=Collective(made_up=True)))
    assert all("do not exist" in text or "made up" in text for text in made_up.values())
    assert "do not exist" not in "".join(texts(facts).values())


@pytest.mark.parametrize(("count", "told"), [(0, "none"), (1, "fewer than 5"), (4, "fewer than 5"), (5, "5")])
def test_few_people_are_not_counted(facts, count, told):
    assert people(count) == told
    few = replace(facts, manifest=replace(facts.manifest, **nested(facts, "refused", "withdrawn", count)))
    assert f"withdrawn: {told}" in texts(few)["datasheet.md"]


def test_no_small_number_of_people_and_no_pseudonym_is_in_any_card(members, facts):
    sources = [
        {"source": "spotify-account", "route": "gdpr-export", "members": 3, "plays": 123_987},
        {"source": "spotify-extended", "route": "gdpr-export", "members": 900, "plays": 7},
    ]
    change = {"members_joined": 2, "members_left": 1, "contributions_added": 3, "artists_added": 4_444}
    counts = {**facts.manifest.counts, "members": 3, "sources": sources}
    rare = replace(facts, manifest=replace(facts.manifest, counts=counts, change=change, parent="ab" * 32))
    told = "".join(texts(rare).values())
    assert "123,987" not in told
    assert "4,444" in told
    assert not re.search(r"\b[1-4] members", told)
    assert not re.search(r"(members|contributions) \w+: [1-4]\b", told)
    version = members.store.load(facts.digest)
    assert not [member for member in version.members if member in told]
    assert not [label for label in version.contributions if label in told]


def test_a_card_that_somebody_edited_is_found(tmp_path, facts):
    write_cards(facts, tmp_path)
    assert changed_cards(facts, tmp_path) == []
    for file, _ in FORMATS.values():
        path = tmp_path / file
        path.write_bytes(path.read_bytes().replace(b"Nordic", b"Sunny"))
        assert changed_cards(facts, tmp_path) == [file]
        write_cards(facts, tmp_path)


def test_one_kind_of_card_can_be_asked_for_and_another_kind_is_no_kind(tmp_path, facts):
    assert [path.name for path in write_cards(facts, tmp_path / "out", ["provenance"])] == ["provenance.json"]
    with pytest.raises(ValueError, match="'pdf' is no kind of card; there are croissant"):
        render(facts, ["pdf"])


def test_the_provenance_fields_are_those_of_the_standard(facts):
    found = json.loads(render(facts)["provenance.json"])
    assert found["source"].keys() == {"version", "title", "id", "location", "issuer", "description"}
    assert found["provenance"].keys() == {
        "source", "origin", "origin-geography", "date", "previous-date", "generation-period", "generation-method",
        "format",
    }  # fmt: skip
    assert found["use"].keys() == {
        "classification", "consents", "privacy-enhancing", "processing-included", "processing-excluded",
        "storage-allowed", "storage-forbidden", "license", "intended-purpose", "copyright", "patent", "trademark",
    }  # fmt: skip
    assert all(value not in (None, "", []) for group in found.values() for value in group.values())


def test_the_summary_has_the_sections_of_the_template_and_the_datasheet_its_headings(facts):
    summary, sheet = texts(facts)["training-content.md"], texts(facts)["datasheet.md"]
    assert re.findall(r"^#{2,3} ([\d.]+)", summary, re.MULTILINE) == [
        "1.", "1.1.", "1.2.", "1.3.", "2.", "2.1.", "2.2.", "2.3.", "2.4.", "2.5.", "2.6.",
        "3.", "3.1.", "3.2.", "3.3.",
    ]  # fmt: skip
    assert re.findall(r"^## (.+)$", sheet, re.MULTILINE) == [
        "Motivation", "Composition", "Collection process", "Preprocessing, cleaning, labeling", "Uses", "Distribution",
        "Maintenance",
    ]  # fmt: skip
    for text in (summary, sheet):
        assert ".." not in text
        assert "None\n" not in text.replace("None.\n", "")


def test_a_benchmark_has_cards_that_claim_no_consent(tmp_path):
    (tmp_path / "plays.csv").write_text("user,artist\n1,a\n1,b\n2,a\n")
    store = DatasetStore(tmp_path / "datasets")
    version = import_benchmark([tmp_path / "plays.csv"], name="tiny")
    store.save(version)
    told = texts(gather(store, version.digest, NORD))
    for text in told.values():
        assert "member who agreed" not in text
        assert "plays.csv" in text or "tiny" in text
    assert "Nobody's consent to this use is recorded" in told["datasheet.md"]


def load(path):
    import mlcroissant  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = mlcroissant.Dataset(jsonld=str(path))
        return dataset, {name: list(dataset.records(name)) for name in ("pairs", "artists", "members")}


def test_the_croissant_loads_with_its_records(members, facts):
    write_cards(facts, members.store.path(facts.digest))
    dataset, records = load(members.store.path(facts.digest) / "croissant.json")
    version = members.store.load(facts.digest)
    assert (dataset.metadata.version, dataset.metadata.name) == ("1.0.0", "consented-train-recommender-1.0.0")
    assert [record["artists/artist"].decode() for record in records["artists"]] == list(version.artists.names)
    assert sum(record["pairs/plays"] for record in records["pairs"]) == facts.manifest.counts["plays"]
    document = json.loads((members.store.path(facts.digest) / "croissant.json").read_bytes())
    assert "http://mlcommons.org/croissant/1.1" in document["conformsTo"]
    assert document["usageInfo"]["odrl:permission"]["odrl:constraint"][0]["odrl:rightOperand"]["@id"].startswith(
        "https://w3id.org/dpv#"
    )


@pytest.mark.parametrize("file", ["pairs.parquet", "artists.parquet", "members.parquet"])
def test_the_croissant_refuses_a_file_that_was_tampered_with(tmp_path, members, facts, file):
    import shutil  # noqa: PLC0415

    folder = shutil.copytree(members.store.path(facts.digest), tmp_path / "copy")
    write_cards(facts, folder)
    data = bytearray((folder / file).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / file).write_bytes(bytes(data))
    with pytest.raises(Exception, match=file.split(".")[0]) as raised:
        load(folder / "croissant.json")
    assert f"{file} is not identical with the reference" in str(raised.value.__cause__)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nmae = 'x'", "did you mean 'name'"),
        ("colour = 'red'", "the keys are name"),
        ("name = 3", "it must be a text"),
        ("name = ' '", "left out where there is nothing to state"),
        ("member_countries = 'SE'", "list of countries"),
        ("member_countries = [3]", "list of countries"),
        ("made_up = 'yes'", "true or false"),
        ("name", "not a TOML file"),
        ("\ufeff\x00", "not a TOML file"),
    ],
)
def test_a_collective_that_states_nonsense_is_told_what_is_expected(tmp_path, text, words):
    (tmp_path / "collective.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        Collective.load(tmp_path / "collective.toml")


def test_where_nothing_is_stated_nothing_is_made_up(tmp_path):
    assert Collective.load(tmp_path / "collective.toml") == Collective()
    (tmp_path / "collective.toml").write_text('name = "A"\nmember_countries = ["SE"]\ntrain_ai_counts = true\n')
    found = Collective.load(tmp_path / "collective.toml")
    assert (found.name, found.member_countries, found.artist_policy.train_ai_counts) == ("A", ("SE",), True)
    assert (found.stated("name"), found.stated("contact"), found.stated("storage_countries")) == (True, False, False)


def test_facts_are_those_of_the_files_on_disk(members, facts):
    assert isinstance(facts, Facts)
    assert {file.name for file in facts.files} == {
        path.name for path in members.store.path(facts.digest).glob("*.parquet")
    }
    assert FEWEST == 5
