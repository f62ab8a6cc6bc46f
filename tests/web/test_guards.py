import pytest
from web.rooms import HOST, asking, room_of

from recsys.web.guards import HEADERS, LARGEST_FORM, LARGEST_QUERY


@pytest.fixture
def secret():
    """A room whose name must not be told to strangers."""
    return asking(room_of("Somebody Known"))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:7777",
        "127.0.0.1",
        "127.0.0.1:7778",
        "localhost:7777.evil.example",
        "",
        "[::1]:7777",
    ],
)
@pytest.mark.parametrize("path", ["/", "/documents/scores.json", "/static/room.css", "/artists.json?q=s"])
def test_who_reaches_us_under_another_name_is_refused(secret, host, path):
    """DNS rebinding: a foreign name that leads to the loopback."""
    answer = secret.get(path, headers={"host": host})
    assert answer.status_code == 421
    assert "Somebody" not in answer.text
    assert "buyer" not in answer.text


def test_the_host_is_one_whatever_its_case(secret):
    assert secret.get("/", headers={"host": HOST.upper()}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/evidence", "/listeners"])
def test_forms_of_other_sites_are_refused(secret, headers, path):
    assert secret.post(path, headers=headers).status_code == 403


def test_own_forms_are_taken(secret):
    own = {"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}
    assert secret.post("/listeners", headers=own).status_code == 422


@pytest.mark.parametrize("path", ["/", "/nothing", "/static/room.js", "/artists.json", "/documents/scores.json"])
def test_no_answer_may_be_read_framed_or_kept(secret, path):
    headers = secret.get(path, headers={"origin": "https://evil.example"}).headers
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert "access-control-allow-origin" not in headers
    assert "set-cookie" not in headers
    assert headers["cache-control"] == "no-store"


def test_the_policy_lets_nothing_in_from_elsewhere():
    rules = dict(rule.split(" ", 1) for rule in HEADERS["content-security-policy"].split("; "))
    assert rules.pop("default-src") == "'none'"
    assert set(rules.values()) == {"'self'", "'none'"}


def test_a_long_address_is_refused_in_words(secret):
    assert secret.get("/?like=" + "a" * (LARGEST_QUERY - 5)).status_code == 200
    answer = secret.get("/?like=" + "a" * LARGEST_QUERY)
    assert answer.status_code == 414
    assert "too long" in answer.text


@pytest.mark.parametrize("announced", [True, False])
def test_forms_that_are_no_uploads_stay_small(secret, announced):
    body = b"a" * (LARGEST_FORM + 1)
    answer = secret.post("/evidence", content=body if announced else iter([body]))
    assert answer.status_code == (413 if announced else 200)  # what is not announced is not read at all
