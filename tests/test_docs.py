"""What the documents name is there: files, modules, links to other pages."""

import re
from pathlib import Path

import pytest

import vidlink

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("examples/*/README.md"))]
FOLDERS = "vidlink|tests|benchmarks|codecs|channels|docs|examples"


def paths_in(text):
    """Paths from the root of the repository, such as vidlink/sender or tests/test_docs.py."""
    return [path.rstrip(".") for path in re.findall(rf"(?<![\w/.-])((?:{FOLDERS})/[\w./-]*)", text)]


def modules_in(text):
    """Dotted names within vidlink."""
    return re.findall(r"\bvidlink(?:\.\w+)+", text)


def links_in(text):
    """Targets of links to files of the repository: page and heading."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target.partition("#")[::2] for target in targets if "://" not in target]


def headings_in(text):
    """Headings as links name them."""
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def is_there(name):
    """Whether a dotted name is a module, or something that a module names."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:count])
        for source in (place.with_suffix(".py"), place / "__init__.py"):
            if source.exists():
                rest = parts[count : count + 1]
                return all(re.search(rf"\b{part}\b", source.read_text(encoding="utf-8")) for part in rest)
    return False


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_document_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    assert [path for path in paths_in(text) if not (ROOT / path).exists()] == []
    assert [name for name in modules_in(text) if not is_there(name)] == []
    for target, heading in links_in(text):
        linked = page.parent / target if target else page
        assert linked.exists(), f"link to {target}"
        assert not heading or heading in headings_in(linked.read_text(encoding="utf-8")), f"link to {target}#{heading}"


def test_the_citation_and_the_changelog_are_of_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    version, date = (re.search(rf"^{key}: (\S+)$", citation, re.M)[1] for key in ("version", "date-released"))
    assert version == vidlink.__version__
    assert f"## [{version}] - {date}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_what_is_not_there_is_found():
    assert not is_there("vidlink.receiver.recognizer")
    assert not is_there("vidlink.units.parse_colour")
    assert is_there("vidlink.units.parse_rate")
    assert is_there("vidlink.sender")
    assert paths_in("see `vidlink/units.py`, `tests/rtp/`. Or vidlink/gone.py.") == [
        "vidlink/units.py",
        "tests/rtp/",
        "vidlink/gone.py",
    ]
    assert links_in("[a](b.md#c-d) and [e](https://example.org/f.md)") == [("b.md", "c-d")]
    assert headings_in("# The house: where\n\n## A codec of your own code\n") == {
        "the-house-where",
        "a-codec-of-your-own-code",
    }
