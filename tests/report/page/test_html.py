"""Pages load nothing, and run only what is ours."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from vidlink.report.page.html import TEMPLATES, data_uri
from vidlink.report.page.run_page import page_of_folder

VOID = {"meta", "img", "input", "br", "hr", "link", "rect", "line", "circle", "path", "polygon"}


class Page(HTMLParser):
    """The elements of a page: names with their attributes, the text of scripts and styles, and what is not closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.inside, self._open, self.words = [], [], [], ""
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] in ("script", "style"):
            self.inside.append((self.elements[-1], data))
        else:
            self.words += data

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def digest(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_names_the_one_script_and_the_one_style_sheet(run):
    page = Page(page_of_folder(run))
    policy = next(each["content"] for each in page.of("meta") if each.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    scripts = [text for (name, attributes), text in page.inside if name == "script" and "type" not in attributes]
    styles = [text for (name, _), text in page.inside if name == "style"]
    assert rules["script-src"] == f"'sha256-{digest(scripts[0])}'"
    assert rules["style-src"] == f"'sha256-{digest(styles[0])}'"
    assert (len(scripts), len(styles)) == (1, 1)
    assert "unsafe" not in policy


def test_nothing_is_fetched_and_no_attribute_runs(marked_run):
    page = Page(page_of_folder(marked_run))
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        source = attributes.get("src")
        assert source is None or source.startswith("data:"), source
        target = attributes.get("href")
        assert target is None or target.startswith("#") or (marked_run / target).is_file(), target


def test_markup_stays_text(marked_run):
    text = page_of_folder(marked_run)
    page = Page(text)
    assert {each.get("src", "")[:11] for each in page.of("img")} == {"data:image/"}
    assert len(page.of("script")) == 2
    assert page.words.count("</script><img src=x onerror=alert(1)>") >= 6
    assert "=1+1" in page.words
    assert "'=1+1" not in page.words
    assert "onerror=alert" not in re.sub(r"&lt;img src=x onerror=alert\(1\)", "", text)


def test_numbers_for_the_script_are_json_that_ends_no_script(marked_run):
    page = Page(page_of_folder(marked_run))
    content = next(text for (_, attributes), text in page.inside if attributes.get("type") == "application/json")
    assert not set("<>&'") & set(content)
    assert json.loads(content)["end"] == pytest.approx(2)


def test_people_who_do_not_see_or_point_can_use_it(run):
    text = page_of_folder(run)
    page = Page(text)
    assert page.of("html") == [{"lang": "en"}]
    assert [each["content"] for each in page.of("meta") if each.get("name") == "viewport"]
    named = {each["id"] for _, each in page.elements if "id" in each}
    assert len([each for _, each in page.elements if "id" in each]) == len(named)
    for tag, attributes in page.elements:
        assert tag != "img" or attributes["alt"]
        assert attributes.get("role") not in ("img", "region") or attributes["aria-label"]
        assert attributes.get("aria-labelledby", "outcome-title") in named
        assert tag != "label" or attributes.get("for", "time") in named
        assert tag != "th" or attributes["scope"] in ("row", "col")
    assert len(page.of("caption")) == len(page.of("table"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert max(b - a for a, b in pairwise(levels)) == 1
    style = (TEMPLATES / "page.css").read_text()
    for query in ("prefers-reduced-motion", "prefers-color-scheme: dark", "@media print", "max-width"):
        assert query in style


def test_addresses_that_hold_a_file():
    assert data_uri("image/png", b"\x00\xff") == "data:image/png;base64,AP8="
