from html.parser import HTMLParser

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.als import ALS
from recsys.dataset import Vocabulary
from recsys.evaluation import NDCG, Recall, evaluate, strong_generalization
from recsys.models import Weighting
from recsys.named import NamedModel
from recsys.report import Facts, find, page, weaknesses


@pytest.fixture(scope="module")
def music():
    """Two camps of unequal size, and artists whose names want escaping."""
    rng = np.random.default_rng(4)
    camp = np.arange(150) % 3 == 0
    taste = np.where((np.arange(40)[None, :] % 2 == 0) == camp[:, None], np.linspace(0.7, 0.05, 40), 0.02)
    return sp.csr_matrix((rng.random((150, 40)) < taste).astype(np.float32))


@pytest.fixture(scope="module")
def split(music):
    return strong_generalization(music, 30)


@pytest.fixture(scope="module")
def named(split):
    model = ALS(factors=8, objective="ials", unobserved_weight=0.1).fit(split.train).model_
    names = ["<script>alert(1)</script>", "AC/DC & friends", *(f"artist {i}" for i in range(38))]
    return NamedModel(model, Vocabulary(names), Weighting.plain("binary"), 1.0)


@pytest.fixture(scope="module")
def found(named, split):
    return find(named, split, losses=(3.0, 2.0, 1.5))


FACTS = Facts("a <run>", "v" * 64, "r" * 32, "m" * 64, 150, 40, 900, "consented", 0.8, {"als.factors": "8"})


def test_figures_are_those_of_evaluate(found, named, split):
    expected = evaluate(named.model, split, [NDCG(100), Recall(20)])
    for name in expected:
        assert found.finding[name].mean == expected[name].mean


def test_exposure_begins_at_nothing_and_ends_at_all(found):
    for share in found.exposure.values():
        assert share[0] == 0
        assert share[-1] == pytest.approx(1)
        assert (np.diff(share) >= 0).all()
    assert len(found.exposure["listening"]) == 41


def test_examples_start_from_well_known_artists_and_recommend_others(found, named, split):
    assert len(found.examples) == 4
    listeners = dict(zip(named.artists.names, split.train.getnnz(axis=0), strict=True))
    for example in found.examples:
        liked, listed = set(example.liked), [artist for artist, _ in example.listed]
        assert len(liked) == 3
        assert not liked & set(listed)
        assert all(set(reasons) <= liked for _, reasons in example.listed)
        assert all(listeners[artist] > 0 for artist in liked)
    assert found.examples[0].liked[0] == max(listeners, key=listeners.get)


def test_weaknesses_are_the_figures(found):
    said = " ".join(weaknesses(found))
    assert f"{1 - found.finding['hit_rate_at_20'].mean:.0%} of the held-out listeners" in said
    worst = min(found.segments, key=lambda name: found.segments[name][0]["ndcg_at_100"].mean)
    assert f"serves {worst} listeners worst" in said


def test_a_model_that_is_no_better_than_popularity_says_so(split):
    """Factors that give everybody the most popular artists."""
    listeners = split.train.getnnz(axis=0).astype(np.float32)
    model = ALS(factors=1, objective="ials", regularization=10.0).fit(split.train).model_
    popular = NamedModel(
        type(model)(model.user_factors, listeners[:, None] / listeners.max(), model.objective),
        Vocabulary([f"artist {i}" for i in range(40)]),
        Weighting.plain("binary"),
        1.0,
    )
    assert any(
        "not clearly better than recommending what is popular" in one for one in weaknesses(find(popular, split))
    )


class Checking(HTMLParser):
    """Collects tags, and what a page would fetch."""

    def __init__(self):
        super().__init__()
        self.open, self.fetched, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.fetched += [value for name, value in attrs if name in {"src", "href"} and not value.startswith("#")]
        if tag not in {"meta", "br", "img", "link", "use", "path"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):  # noqa: ARG002
        self.tags.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag


def test_the_page_needs_nothing_else_and_closes_what_it_opens(found):
    reader = Checking()
    reader.feed(page(FACTS, found))
    assert reader.fetched == []
    assert reader.open == []
    assert "script" not in reader.tags
    assert reader.tags.count("svg") == 4
    assert reader.tags.count("h1") == 1


def test_names_are_text_and_never_markup(found):
    html = page(FACTS, found)
    assert "<script>alert" not in html
    assert "a &lt;run&gt;: how well it recommends" in html


def test_the_page_says_what_was_found(found):
    html = page(FACTS, found)
    assert f"<strong>{found.finding['ndcg_at_100'].mean:.3f}</strong>" in html
    for sentence in weaknesses(found)[:2]:
        assert sentence in html
    for name in found.segments:
        assert f'<th scope="row">{name}</th>' in html
    assert "given with consent" in html


def test_the_same_findings_give_the_same_bytes(found, named, split):
    assert page(FACTS, found) == page(FACTS, find(named, split, losses=(3.0, 2.0, 1.5)))
