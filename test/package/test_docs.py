# SPDX-License-Identifier: Apache-2.0
"""The pages: no dead link or anchor, no page out of the site's navigation, no line that is too long."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
if not (ROOT / "docs").is_dir():
    pytest.skip("an installed copy has no docs/ beside the tests", allow_module_level=True)

DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [*(path for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md") if path.is_file()), *DOCS]
NAMES = {path: str(path.relative_to(ROOT)) for path in PAGES}
GENERATED = {ROOT / "docs" / "parameters.md"}  # scripts/docs
LONGEST = 130


def text_of(page: Path) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors_in(text: str) -> set[str]:
    """Anchors that GitHub makes of the headings; a heading that stands twice gets a number."""
    found: list[str] = []
    for heading in re.findall(r"^#+ +(.+?) *#*$", text, re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        earlier = found.count(anchor)
        found.append(anchor)
        if earlier:
            found.append(f"{anchor}-{earlier}")
    return set(found)


def links_in(text: str) -> list[str]:
    """Targets of inline links, pictures and reference definitions, without inline code."""
    text = re.sub(r"`[^`\n]*`", "", text)
    return re.findall(r"\]\(\s*<?([^)\s>]+)", text) + re.findall(r"^\[[^]]+\]:\s*(\S+)", text, re.MULTILINE)


def undefined_references_in(text: str) -> set[str]:
    text = re.sub(r"`[^`\n]*`", "", text)
    defined = set(re.findall(r"^\[([^]]+)\]:", text, re.MULTILINE))
    return set(re.findall(r"\]\[([^]]+)\]", text)) - defined


def dead_links(page: Path, text: str) -> list[str]:
    """Links of a page whose file or anchor does not exist."""
    dead = [f"[{name}] is not defined" for name in undefined_references_in(text)]
    for link in links_in(text):
        if re.match(r"[a-z]+:", link):  # another site's
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        there = text if target == page else text_of(target) if target.is_file() and target.suffix == ".md" else ""
        if not target.exists() or (anchor and anchor not in anchors_in(there)):
            dead.append(link)
    return dead


@pytest.mark.parametrize("page", PAGES, ids=NAMES.get)
def test_no_link_and_no_anchor_is_dead(page):
    assert not dead_links(page, text_of(page)), NAMES[page]


@pytest.mark.parametrize(
    "link",
    [
        "[a](none.md)",
        "[a](scale.md#none)",
        "[a](#none)",
        "![a](pictures/none.jpg)",
        "[a][none]",
        "[a][b]\n\n[b]: no.md",
    ],
)
def test_a_dead_link_is_found(link):
    page = ROOT / "docs" / "odometry.md"
    assert len(dead_links(page, f"# Title\n\n{link}\n")) == 1


@pytest.mark.parametrize(
    "link", ["[a](#a-title-2)", "[a](scale.md#states)", "[`code`](scale.md)", "[a](https://b.example/c)"]
)
def test_a_link_that_leads_somewhere_is_accepted(link):
    page = ROOT / "docs" / "odometry.md"
    assert dead_links(page, f"# A `title`: 2\n\n{link}\n") == []


@pytest.mark.parametrize("page", DOCS, ids=NAMES.get)
def test_pages_of_the_site_link_to_nothing_outside_it(page):
    outside = [link for link in links_in(text_of(page)) if ":" not in link and not stays_in_docs(page, link)]
    assert not outside, f"{NAMES[page]}: the site has only docs/: {outside}"


def stays_in_docs(page: Path, link: str) -> bool:
    target = (page.parent / link.partition("#")[0]).resolve()
    return target.is_relative_to(ROOT / "docs")


def leaves(node) -> list[str]:
    if isinstance(node, str):
        return [node]
    return [leaf for child in (node.values() if isinstance(node, dict) else node) for leaf in leaves(child)]


def test_every_page_is_in_the_navigation_of_the_site_once():
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    named = leaves(site["nav"])
    assert sorted(named) == sorted(str(page.relative_to(ROOT / "docs")) for page in DOCS)
    assert site["strict"] is True and site["docs_dir"] == "docs"


def test_every_page_can_be_reached_from_the_index():
    reached, waiting = set(), [ROOT / "docs" / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = [(page.parent / link.partition("#")[0]).resolve() for link in links_in(text_of(page))]
        waiting += [target for target in targets if target.suffix == ".md" and target.is_file()]
    assert set(DOCS) <= reached, sorted(map(str, set(DOCS) - reached))


@pytest.mark.parametrize("page", [page for page in PAGES if page not in GENERATED], ids=NAMES.get)
def test_lines_fit_a_reviewer_s_window(page):
    """Except rows of generated tables, whose width follows the data, and of those that are made to be searched."""
    text = re.sub(r"^<!-- table: .*?^<!-- end of table -->$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    is_searched = page.name in ("recordings.md", "reliability.md")
    long = [line for line in text.splitlines() if len(line) > LONGEST and not (is_searched and line.startswith("| "))]
    assert not long, f"{NAMES[page]}: over {LONGEST} characters: {long}"


def test_the_site_is_built_with_exact_versions():
    lines = (ROOT / "requirements" / "docs.txt").read_text().splitlines()
    pins = [line.split("#")[0].strip() for line in lines]
    pins = [pin for pin in pins if pin]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins), pins
    assert {"mkdocs", "mkdocs-material"} <= {pin.partition("==")[0] for pin in pins}
    assert "requirements/docs.txt" in (ROOT / "scripts" / "site").read_text()
