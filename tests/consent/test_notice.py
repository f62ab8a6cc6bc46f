import dataclasses
import re
from importlib.resources import files

import pytest

from recsys.canonical import sha256_hex
from recsys.consent.controller import Controller
from recsys.consent.notice import CURRENT, NOTICES, notice_of
from recsys.errors import ConfigError, RecordInvalidError
from recsys.transparency import SigningKey

KEY = SigningKey(b"c" * 32).public


def test_no_notice_was_ever_changed():
    assert [(notice.name, notice.sha256[:16]) for notice in NOTICES] == [("en-1", "dbb19e149d579d0d")]
    assert all(sha256_hex(notice.text.encode()) == notice.sha256 for notice in NOTICES)


def test_every_notice_in_the_package_is_known():
    found = {path.name.removesuffix(".md") for path in (files("recsys.consent") / "notices").iterdir()}
    assert found == {notice.name for notice in NOTICES}


def test_a_notice_is_found_by_its_fingerprint():
    assert notice_of(CURRENT.sha256) is CURRENT
    with pytest.raises(RecordInvalidError, match="ever shown"):
        notice_of("0" * 64)


def test_a_notice_whose_text_was_changed_is_refused():
    with pytest.raises(RecordInvalidError, match="install recsys again"):
        _ = dataclasses.replace(CURRENT, sha256="0" * 64).text


def test_a_notice_asks_one_question_for_each_purpose_in_words_that_people_use():
    for question, text in CURRENT.questions.values():
        assert question.endswith("?")
        assert len(text.split()) > 20
    words = CURRENT.text.lower()
    for jargon in ("dpv", "pseudonym", "json", "merkle", "controller", "processing", "dataset", "als "):
        assert jargon not in words, jargon
    sentences = re.split(r"[.!?:;]\s", re.sub(r"[#*-]", " ", words))
    assert max(len(sentence.split()) for sentence in sentences) <= 40


def test_a_collective_says_who_it_is_in_one_file(tmp_path):
    assert Controller.at(tmp_path, KEY) == Controller(KEY)
    (tmp_path / "collective.toml").write_text(
        'name = " Tuned  In "\ncontact = "mail@tuned.example"\nfunding = "none"\nstorage_countries = ["IE", "FR"]\n'
    )
    assert Controller.at(tmp_path, KEY) == Controller(KEY, "Tuned In", "mail@tuned.example", country="IE")


@pytest.mark.parametrize(
    "text", ["=", "name = 3", 'name = ""', 'storage_countries = ["Ireland"]', "storage_countries = 7", "\udcff"]
)
def test_a_damaged_description_is_named(tmp_path, text):
    (tmp_path / "collective.toml").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError, match=r"collective\.toml"):
        Controller.at(tmp_path, KEY)
