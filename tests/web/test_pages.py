import html
import json
import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import pytest
from web.rooms import asking, room_of, scores

from recsys.web.pages import PAGES, addressed

VOID = {"meta", "link", "input", "br", "hr", "img", "circle", "path", "line", "rect"}
NASTY = (
    '<script>alert("x")</script>',
    "AC/DC & Friends",
    "!!!",
    "Сплин",
    "坂本龍一",
    "a?like=b&c#d",
    "{{ 7*7 }}",
    "' OR 1=1",
)


class Read(HTMLParser):
    """Reads a page: what it links to, its texts, whether its elements are closed in order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.links, self.forms, self.inline, self.headings = [], [], [], [], []
        self.tags = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.tags.append((tag, told))
        self.inline += [name for name in told if name == "style" or name.startswith("on")]
        self.links += [told[name] for name in ("href", "src", "action") if name in told]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inline += [name for name, _ in attrs if name == "style"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(answer, status=200):
    assert answer.status_code == status, answer.text[:2000]
    return Read(answer.text)


def text(page):
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


@pytest.mark.parametrize("path", [path for _, path, _ in PAGES])
def test_every_page_is_whole_and_needs_nothing_from_elsewhere(pages, path):
    answer = pages.get(path)
    page = read(answer)
    assert page.inline == []
    assert all(link.startswith(("/", "#")) for link in page.links)
    assert '<html lang="en">' in answer.text
    assert [tag for tag, _ in page.tags].count("h1") == 1
    landmarks = [tag for tag, _ in page.tags if tag in {"header", "nav", "main", "footer"}]
    assert landmarks == ["header", "nav", "main", "footer"]
    assert re.findall(r'aria-current="page">(.*?)<', answer.text) == [t for _, p, t in PAGES if p == path]


def test_every_link_of_every_page_leads_somewhere(pages, known):
    seen, todo = set(), ["/", addressed("/", known[:1], q="zz")]
    while todo:
        link = todo.pop()
        path = urlsplit(link).path
        if (path, "?" in link) in seen or not path:
            continue
        seen.add((path, "?" in link))
        answer = pages.get(link)
        assert answer.status_code == 200, link
        if answer.headers["content-type"].startswith("text/html"):
            todo += Read(answer.text).links
    assert {path for _, path, _ in PAGES} | {"/artist", "/documents/scores.json", "/static/room.css"} <= {
        path for path, _ in seen
    }


def test_picks_lead_to_recommendations_with_reasons(pages, known, real):
    answer = pages.get("/", params={"like": known[:3]})
    expected = real.sample.recommend(known[:3], 15).artists
    places = [
        dict(parse_qsl(urlsplit(link).query))["name"] for link in Read(answer.text).links if link.startswith("/artist")
    ]
    assert places[3:] == [name for name, _ in expected]
    words = text(answer.text)
    first = real.sample.explain(known[:3], expected[0][0], 3).artists[0]
    assert f"because of {first[0]}" in words
    assert not any(f"I like {name} " in words for name in known[:3])


def test_reasons_are_parts_of_all_that_speaks_for_an_artist(pages, known):
    page = pages.get("/", params={"like": known[:3]}).text
    sums = [
        sum(map(int, re.findall(r'class="part">(\d+)%', why))) for why in re.findall(r'<p class="why">.*?</p>', page)
    ]
    assert len(sums) == 15
    assert all(98 <= one <= 102 for one in sums if one)


def test_picks_go_along_from_page_to_page(pages, known):
    for _, path, _ in PAGES[1:]:
        page = read(pages.get(path, params={"like": known[:2]}))
        back = [link for link in page.links if link.startswith("/?")]
        assert [value for _, value in parse_qsl(urlsplit(back[0]).query)] == known[:2]


@pytest.mark.parametrize("spelled", [str.upper, str.swapcase, lambda name: f"  {name} "])
def test_a_name_that_is_clear_is_picked_at_once(pages, known, spelled):
    answer = pages.get("/", params={"like": known[1], "q": spelled(known[0])}, follow_redirects=False)
    assert answer.status_code == 303
    assert parse_qsl(urlsplit(answer.headers["location"]).query) == [("like", known[1]), ("like", known[0])]


def test_a_slip_is_asked_back(pages, known):
    name = max(known, key=len)
    slip = name[:3] + name[4:]
    page = read(pages.get("/", params={"q": slip}))
    assert any(dict(parse_qsl(urlsplit(link).query)).get("like") == name for link in page.links)


def test_a_name_of_nobody_is_said_to_be_that(pages):
    assert "knows no artist like “qqqqqqqq”" in text(pages.get("/", params={"q": "qqqqqqqq"}).text)
    assert "does not know “qqqqqqqq”" in text(pages.get("/", params={"like": "qqqqqqqq"}).text)


def test_names_are_offered_while_typing(pages, known):
    found = pages.get("/artists.json", params={"q": known[0][:4]}).json()
    assert known[0] in [one["name"] for one in found]
    assert all(0 <= one["listeners"] <= 1 for one in found)
    assert pages.get("/artists.json").json() == []


def test_similar_artists_are_those_of_the_model(pages, known, real):
    words = text(pages.get("/artist", params={"name": known[0]}).text)
    for name, cosine in real.sample.similar(known[0], 15).artists:
        assert name in words
        assert f"likeness {cosine:.2f}" in words
    assert pages.get("/artist", params={"name": "qqqqqqqq"}).status_code == 404


def test_figures_are_those_of_the_bundle(pages, real):
    words = text(pages.get("/figures").text)
    for told in ("sample", "full", "popularity"):
        for figure in real.sample.documents["scores"][told]["metrics"].values():
            assert f"{figure['mean']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]" in words
    lost = real.sample.documents["scores"]["weaker"]["ndcg_at_100"]
    assert f"{lost['mean']:+.3f} [{lost['low']:+.3f}, {lost['high']:+.3f}]" in words


def test_dots_stand_where_their_figures_are():
    """Scales end at the next round number above the longest interval: 0.35 + 0.05 is on one that ends at 0.4."""
    room = room_of("A", "B", scores={"sample": scores(0.35), "popularity": scores(0.1)})
    page = asking(room).get("/figures").text
    assert re.findall(r'class="mean" cx="([\d.]+)%"', page) == ["87.5", "25.0"]
    assert re.findall(r'class="interval" x1="([\d.]+)%" x2="([\d.]+)%"', page) == [("75.0", "100.0"), ("12.5", "37.5")]


def test_evidence_privacy_terms_and_card_say_what_the_bundle_says(pages, real):
    agreement, terms = real.sample.documents["evidence"]["agreement"], real.sample.terms
    evidence = text(pages.get("/evidence").text)
    assert f"All {agreement['agree']} of the {agreement['members']} members" in evidence
    assert real.sample.documents["evidence"]["dataset"]["digest"] in evidence
    assert all(check.words in evidence for check in real.sample.verdict.checks)
    auc = real.sample.documents["privacy"]["membership"]["auc"]
    assert f"{auc['value']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}]" in text(pages.get("/privacy").text)
    told = text(pages.get("/terms").text)
    assert terms.purpose in told
    assert terms.expires.isoformat() in told
    assert "Sample model" in text(pages.get("/card").text)


@pytest.mark.parametrize("name", ["scores", "evidence", "privacy", "dataset_card", "training_summary", "bom"])
def test_documents_are_given_as_they_are(pages, real, name):
    assert json.loads(pages.get(f"/documents/{name}.json").text) == real.sample.documents[name]


def test_names_and_texts_are_text_whatever_is_in_them():
    told = {"agreement": {"members": 3, "agree": 3, "recipient": NASTY[0], "note": NASTY[0]}}
    pages = asking(room_of(*NASTY, card=f"# {NASTY[0]}\n\n[x](javascript:alert(1)) ![y](/z.png)", evidence=told))
    for path in [*(path for _, path, _ in PAGES), "/artist?name=!!!"]:
        page = read(pages.get(path, params={"like": NASTY} if "?" not in path else None))
        scripts = [told for tag, told in page.tags if tag == "script"]
        assert scripts == [{"src": "/static/room.js", "defer": None}]
        assert not any(link.startswith("javascript") for link in page.links)
        assert not [tag for tag, _ in page.tags if tag == "img"]
    for name in NASTY:
        assert name in [one["name"] for one in pages.get("/artists.json", params={"q": name}).json()]


@pytest.mark.parametrize("name", NASTY)
def test_every_name_can_be_picked_by_its_link(name):
    pages = asking(room_of(*NASTY))
    start = read(pages.get("/"))
    links = [link for link in start.links if dict(parse_qsl(urlsplit(link).query)).get("like") == name]
    picked = pages.get(links[0])
    assert (
        f'name="like" value="{html.escape(name)}"'.replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in picked.text
    )


@pytest.mark.parametrize(
    "odd", ["\0", "\0" * 50, "\ud800".encode("utf-8", "surrogatepass"), "%", "\u202e", "e\u0301" * 80, "x" * 4_000]
)
def test_odd_letters_are_nobody(pages, odd):
    assert pages.get("/", params={"like": odd, "q": odd}).status_code == 200
    assert pages.get("/artists.json", params={"q": odd}).status_code == 200
    assert pages.get("/artist", params={"name": odd}).status_code == 404


def test_too_many_picks_are_refused_in_words(pages):
    answer = pages.get("/", params={"like": [f"a{i}" for i in range(1_000)]})
    assert answer.status_code == 400
    assert "1,000 artists are more than fit" in text(answer.text)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/documents/manifest.json", 404),
        ("GET", "/documents/../../etc/passwd.json", 404),
        ("GET", "/static/../app.py", 404),
        ("GET", "/openapi.json", 404),
        ("GET", "/docs", 404),
        ("POST", "/", 405),
        ("DELETE", "/evidence", 405),
        ("OPTIONS", "/listeners", 405),
    ],
)
def test_what_is_not_there_is_said_on_a_page(pages, method, path, status):
    answer = pages.request(method, path)
    read(answer, status)
    assert f"Status {status}" in answer.text


def test_a_fault_is_a_page_and_tells_nothing(real, monkeypatch, known):
    def fail(*_):
        raise RuntimeError("the secret of the fault")

    monkeypatch.setattr("recsys.web.trying.recommended", fail)
    answer = asking(real).get("/", params={"like": known[0]})
    read(answer, 500)
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers


def test_many_ask_at_once_and_each_gets_their_own_answer(pages, known):
    alone = {name: pages.get("/", params={"like": name}).text for name in known}
    with ThreadPoolExecutor(8) as pool:
        asked = known * 8
        answers = list(pool.map(lambda name: pages.get("/", params={"like": name}).text, asked))
    assert all(answer == alone[name] for name, answer in zip(asked, answers, strict=True))
