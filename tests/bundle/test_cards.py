"""The cards of a bundle: valid by the tools that read them, the same for the same facts, and no fact made up."""

import json
import re
from dataclasses import replace

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from huggingface_hub import ModelCard

from recsys.bundle.cards import ml_bom, model_card, render, training_summary
from recsys.bundle.facts import BundleFacts
from recsys.dataset.card import Collective, Facts
from recsys.dataset.manifest import Manifest

MANIFEST = Manifest(
    provenance="consented",
    purpose="train-recommender",
    at="2026-01-15T00:00:00.000000Z",
    ledger={"count": 2009, "hash": "c" * 64},
    parent=None,
    rules={"min_listeners": 5, "play": "a play of 30 seconds"},
    counts={"members": 1619, "artists": 1927, "pairs": 87401, "plays": 790131, "left_out": {}, "refused": {}},
    content={},
    version="2.1.0",
)


def scores(mean):
    metrics = {"ndcg_at_100": mean, "recall_at_20": mean / 2}
    found = {name: {"mean": one, "low": one - 0.02, "high": one + 0.02} for name, one in metrics.items()}
    return {"n_users": 162, "confidence": 0.95, "n_bootstrap": 1000, "seed": 0, "metrics": found}


def facts(**changed):
    figure = {"value": 0.68, "low": 0.641, "high": 0.719}
    plain = BundleFacts(
        kind="sample",
        buyer="A Buyer",
        run="0123456789abcdef",
        packed_at="2026-02-03T04:05:06.000000Z",
        code="0.1.0",
        n_artists=1234,
        factors=17,
        dtype="float16",
        confidence="log",
        neighbours=False,
        params={"als.factors": 64, "names_file": None},
        terms={
            "purpose": "judge the model",
            "expires": "2026-05-06",
            "price_cents": 5_500_005,
            "currency": "USD",
            "limits": {"max_membership_auc": 0.75, "max_tpr_at_1pct_fpr": 0.15, "max_unicity": None},
        },
        scores={
            "sample": scores(0.5),
            "full": scores(0.53),
            "popularity": scores(0.2),
            "weaker": {"ndcg_at_100": {"mean": 0.03, "low": 0.01, "high": 0.05}},
        },
        evidence={"agreement": {"members": 1619, "agree": 1619, "recipient": "A Buyer", "asked_at": "2026-02-03T"}},
        privacy={
            "membership": {
                "auc": figure,
                "tpr_at_1pct_fpr": {"value": 0.028, "low": 0.009, "high": 0.117},
                "epsilon_at_least": 0.21,
                "members": 324,
                "held_out": 324,
            },
            "fewest_listeners": 11,
            "foreign_rows": 0,
            "shared_pairs": {"fewest": 0, "unique": 0.0},
            "rows_shared": 0,
            "members_singled_out_in_the_data": {"2": 0.13, "3": 0.46, "4": None, "5": 0.88},
        },
        dataset=Facts(MANIFEST, Collective(name="The Listeners", contact="mail@example.org")),
        weaknesses=("39% find none of their hidden artists.",),
        files={"model.safetensors": "a" * 64, "artists.json": "b" * 64},
    )
    return replace(plain, **changed)


def test_the_model_card_is_one_that_hugging_face_reads(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    data = ModelCard(model_card(facts())).data
    ndcg, recall = data.eval_results
    assert (ndcg.metric_type, ndcg.metric_value, ndcg.metric_args) == (
        "ndcg_at_100",
        0.5,
        {"low": 0.48, "high": 0.52},
    )
    assert recall.metric_name == "Recall@20"
    assert ndcg.dataset_revision == MANIFEST.digest
    assert data.model_name == "Sample model of The Listeners"
    assert (data.license, data.license_link) == ("other", "terms.json")


def test_the_model_card_says_what_a_buyer_asks():
    card = model_card(facts())
    for told in (
        "17 numbers (float16) for each of 1,234 artists",
        "A Buyer, and nobody else",
        "Until: 2026-05-06",
        "55,000.05 USD",
        "| NDCG@100 | 0.500 [0.480, 0.520] | 0.530 [0.510, 0.550] | 0.200 [0.180, 0.220] |",
        "NDCG@100 0.030 [0.010, 0.050]",
        "39% find none",
        "Of 1,619 members in the version, 1,619 had agreed on 2026-02-03",
        "2,009 signed entries",
        "AUC of 0.680 [0.641, 0.719]",
        "0.028 [0.009, 0.117]",
        "AUC 0.75, share recognised 0.15",
        "epsilon = 0.21",
        "11 or more listeners",
        "recsys sample verify",
        "mail@example.org",
        "| `als.factors` | `64` |",
    ):
        assert told in card
    assert "does not exist" not in card


@pytest.mark.parametrize("neighbours", [True, False])
@pytest.mark.parametrize("kind", ["sample", "full"])
def test_the_bill_of_materials_is_cyclonedx(kind, neighbours):
    bom = ml_bom(facts(kind=kind, neighbours=neighbours))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom)) is None
    model = bom["metadata"]["component"]
    assert model["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {(one["type"], one["slice"], one["value"]) for one in metrics} >= {
        ("ndcg_at_100", "this bundle", "0.500000"),
        ("recall_at_20", "popularity", "0.100000"),
        ("membership inference, auc", "members against held-out listeners", "0.680000"),
    }
    names = {one["name"] for one in bom["components"]}
    assert {"artists.json", "numpy", "safetensors", MANIFEST.line} == names


def test_the_summary_of_training_content_has_the_sections_of_the_template():
    told = training_summary(facts())
    sections = {one["heading"]: one["text"] for one in told["sections"]}
    assert [name[:4] for name in sections if name[1:3] == ". "] == ["1. G", "2. L", "3. D"]
    assert "0123456789abcdef" in sections["1.2. Model identification"]
    assert "1,619 members" in sections["1.3. Modalities, overall training data size and other characteristics"]
    assert len(sections) == 17


def test_the_same_facts_give_the_same_bytes_and_another_fact_others():
    assert render(facts()) == render(facts())
    assert set(render(facts())) == {"README.md", "bom.json", "training_summary.json", "run_without_recsys.py"}
    other = render(facts(run="fedcba"))
    assert all(other[name] != data for name, data in render(facts()).items() if name != "run_without_recsys.py")


def test_every_number_in_the_card_is_a_fact():
    """Take the figures out of the facts' own words; what is left are the numbers of the text itself."""
    card = model_card(facts()).split("---\n", 2)[2]
    card = re.sub(r"```.*?```", "", card, flags=re.DOTALL)
    stripped = re.sub(r"`[^`]*`|SHA-256", "", card)
    numbers = set(re.findall(r"\d[\d,.]*\d|\d", stripped))
    known = {
        *("17", "16", "1,234", "2026", "02", "03", "05", "06", "55,000.05"),  # what it is, for whom
        *("100", "20", "162", "95", "1,000", "39"),  # how it was measured
        *("0.500", "0.480", "0.520", "0.530", "0.510", "0.550", "0.200", "0.180", "0.220"),
        *("0.250", "0.230", "0.270", "0.265", "0.245", "0.285", "0.100", "0.080", "0.120", "0.030", "0.010", "0.050"),
        *("5", "1,619", "2,009", "1,927", "87,401", "790,131"),  # the dataset
        *("324", "0.680", "0.641", "0.719", "0.5", "1", "0.028", "0.009", "0.117", "0.75", "0.15", "0.21", "11"),
        *("13", "2", "46", "3", "88"),  # per cent of members by number of artists
    }
    assert numbers - known == set()


def test_few_people_are_not_counted_and_what_is_not_known_is_not_told():
    few = facts(
        scores={"sample": {**scores(0.5), "n_users": 3}},
        evidence={},
        privacy={**facts().privacy, "membership": None},
        weaknesses=(),
        terms={"purpose": "judge it", "expires": "2026-05-06"},
        dataset=Facts(replace(MANIFEST, ledger=None), Collective(made_up=True)),
    )
    card = model_card(few)
    assert "fewer than 5 listeners" in card
    assert "The members do not exist" in card
    assert "had agreed" not in card
    assert "popularity" not in card.split("## How well it does")[1].split("##")[0]
    assert "not known how well members are told" in card
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(ml_bom(few))) is None


def test_a_buyers_own_words_stay_words(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hostile = "Evil | `x` <script>alert(1)</script>\n---\nlicense: mit\n# [Free](javascript:x)"
    card = model_card(facts(buyer=hostile, terms={**facts().terms, "purpose": hostile}))
    assert "<script>" not in card
    assert "\n# [Free]" not in card
    assert ModelCard(card).data.license == "other"


def test_shared_neighbours_are_told():
    pairs = {**facts().privacy, "shared_pairs": {"fewest": 7, "unique": 0.0}}
    assert "stand 7 members or more" in model_card(facts(neighbours=True, privacy=pairs))
    assert "No pairs of artists are shared" in model_card(facts())
