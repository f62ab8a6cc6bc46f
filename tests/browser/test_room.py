"""What people do on the pages: with a mouse, a keyboard, a phone, a screen reader, without a script."""

import csv
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from recsys.web.pages import PAGES

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


@pytest.fixture
def starters(look):
    """Some artists whom the model knows."""
    return look().locator(".chips a").all_inner_texts()


def picked(page):
    return parse_qs(urlsplit(page.url).query).get("like", [])


def wrong(page):
    found = Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    return [
        (one["impact"], one["id"], [node["target"] for node in one["nodes"]])
        for one in found.response["violations"]
        if one["impact"] in {"serious", "critical", "moderate"}
    ]


def own_listeners(folder, names):
    path = folder / "mine.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["user", "artist", "plays"])
        writer.writerows(
            [f"u{u}", name, 1 + (u * i) % 9] for u in range(30) for i, name in enumerate(names) if (u + i) % 3
        )
    return path


@pytest.mark.parametrize(
    "form", [{"color_scheme": "light"}, {"color_scheme": "dark", **PHONE}], ids=["desktop", "phone"]
)
def test_nothing_stands_in_anybodys_way(look, starters, tmp_path, form):
    """axe-core finds nothing on any page, and no page is wider than its window."""
    page = look(**form)
    likes = "&".join(f"like={name.replace('&', '%26')}" for name in starters[:3])
    paths = [path for _, path, _ in PAGES] + [
        f"/?{likes}&q=zzzz",
        f"/artist?name={starters[0].replace('&', '%26')}&{likes}",
    ]
    for path in paths:
        page.goto(path)
        assert wrong(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.goto("/evidence")
    page.get_by_role("button", name="Verify").click()
    assert wrong(page) == []
    page.goto("/listeners")
    page.get_by_label("A CSV file").set_input_files(own_listeners(tmp_path, starters))
    page.get_by_role("button", name="Evaluate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How it does on your listeners")
    assert wrong(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_artists_are_offered_and_picked_with_the_keyboard_alone(look, starters):
    page = look()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    box = page.get_by_role("combobox", name="Artist")
    while not box.evaluate("box => box === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.type(starters[3][:4])
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    expect(box).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert box.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    assert wrong(page) == []
    chosen = options.first.evaluate("option => option.firstChild.textContent")
    page.keyboard.press("Escape")
    expect(options.first).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(options.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="You may like")).to_be_visible()
    assert picked(page) == [chosen]
    expect(page.get_by_role("combobox")).to_be_focused()


def test_focus_can_be_seen_everywhere(look, starters):
    page = look(f"/?like={starters[0].replace('&', '%26')}")
    page.keyboard.press("Tab")
    seen = set()
    while True:
        told = page.evaluate(
            "() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return [e.outerHTML, s.outlineStyle, parseFloat(s.outlineWidth)] }"
        )
        if told[0] in seen or told[0].startswith("<body"):
            break
        seen.add(told[0])
        assert told[1] != "none", told
        assert told[2] >= 2, told
        page.keyboard.press("Tab")
    assert len(seen) > 30


def test_picking_adding_and_taking_away_with_the_mouse(look, starters):
    page = look()
    page.get_by_role("link", name=starters[0], exact=True).click()
    page.get_by_role("combobox").type(starters[1])
    page.get_by_role("option").first.click()
    page.wait_for_url(re.compile(r"like=.*like="))
    assert picked(page) == starters[:2]
    page.get_by_role("link", name=re.compile("^I like ")).first.click()
    assert len(picked(page)) == 3
    page.get_by_role("link", name=f"Take {starters[0]} away").click()
    assert starters[0] not in picked(page)
    page.locator(".places .name").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Artists like")
    page.get_by_role("link", name="Figures").click()
    page.go_back()
    page.get_by_role("link", name="Back to what you like").click()
    assert len(picked(page)) == 2


def test_everything_can_be_read_and_tried_without_a_script(look, starters, tmp_path):
    page = look(java_script_enabled=False)
    page.get_by_role("searchbox").fill(starters[0].upper())
    page.get_by_role("button", name="Add").click()
    assert picked(page) == [starters[0]]
    longest = max(starters[1:], key=len)
    page.get_by_role("searchbox").fill(longest[:2] + longest[3:])
    page.keyboard.press("Enter")
    page.locator(".meant").get_by_role("link", name=longest, exact=True).click()
    assert picked(page) == [starters[0], longest]
    assert page.locator(".places li").count() == 15
    assert page.locator(".why").count() == 15
    for _, path, title in PAGES:
        page.get_by_role("navigation").get_by_role("link", name=title, exact=True).click()
        assert urlsplit(page.url).path == path
        assert picked(page) == [starters[0], longest]
    page.goto("/evidence")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("Every check holds.")).to_be_visible()
    page.goto("/listeners")
    page.get_by_label("A CSV file").set_input_files(own_listeners(tmp_path, starters))
    page.get_by_role("button", name="Evaluate").click()
    expect(page.locator(".verdict")).to_contain_text("NDCG@100 is")


def test_a_file_that_is_none_is_said_so_and_another_can_be_sent(look, tmp_path):
    page = look("/listeners")
    (tmp_path / "no.csv").write_bytes(b"a,b\n1,2\n")
    page.get_by_label("A CSV file").set_input_files(tmp_path / "no.csv")
    with page.expect_response("**/listeners") as answer:
        page.get_by_role("button", name="Evaluate").click()
    assert answer.value.status == 422
    expect(page.get_by_role("alert")).to_contain_text("This file was not evaluated.")
    expect(page.get_by_role("button", name="Evaluate")).to_be_enabled()


def test_motion_is_kept_still_for_those_who_ask(look):
    page = look(reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_text_can_be_twice_as_large(look, starters):
    """WCAG 1.4.10: at 320 CSS pixels, which is 400% of 1,280, nothing scrolls sideways."""
    page = look(viewport={"width": 320, "height": 256})
    for path in [*(path for _, path, _ in PAGES), f"/?like={starters[0].replace('&', '%26')}"]:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
