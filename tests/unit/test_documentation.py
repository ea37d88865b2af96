"""The documentation: links lead somewhere, pages stand in the navigation, and Sphinx warns of nothing.

The outside of links is the tree of files, and the rule by which GitHub names headings.
"""

import os
import re
import subprocess
import sys
from functools import cache
from itertools import count
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=PROJECT, capture_output=True, text=True, check=True,
).stdout.splitlines()  # fmt: skip
PAGES = [name for name in TRACKED if name.endswith(".md") and (PROJECT / name).is_file()]
FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.*?) *#* *$", re.MULTILINE)
CONTENTS = re.compile(r"^:::\{toctree\}\n(?:^:[^\n]*\n)*\n(.*?)^:::$", re.MULTILINE | re.DOTALL)


@cache
def text_of(page: str) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", (PROJECT / page).read_text(encoding="utf-8"))


@cache
def anchors(page: str) -> set[str]:
    return anchors_of(text_of(page))


def anchors_of(text: str) -> set[str]:
    """The anchors of headings: lower case, - for a space, without punctuation; -1 and so on if again."""
    found: set[str] = set()
    for heading in HEADING.findall(text):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(next(each for number in count() if (each := f"{name}-{number}" if number else name) not in found))
    return found


def links(page: str) -> list[tuple[str, str]]:
    """The links of a page into this repository: the file from its top, and the anchor."""
    found = [each.partition("#") for each in LINK.findall(CODE.sub("``", text_of(page)))]
    folder = os.path.dirname(page)
    return [
        (os.path.normpath(os.path.join(folder, file)) if file else page, anchor)
        for file, _, anchor in found
        if not re.match(r"[a-z]+:", file)
    ]


def test_the_links_are_found():
    assert ("docs/operation.md", "what-makes-a-result-stale") in links("README.md")
    assert ("config.yaml", "") in links("docs/extending.md") + links("README.md")
    assert sum(len(links(page)) for page in PAGES) > 100


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_its_anchor_lead_somewhere(page):
    for file, anchor in links(page):
        assert file in TRACKED, f"{page}: {file}"
        assert not anchor or anchor in anchors(file), f"{page}: {file}#{anchor}"


def test_headings_have_the_names_that_github_gives_them():
    """Three that github.com shows: dots and quotes go, an underscore stays, a name that comes again is counted."""
    text = "# `vocoder-pareto`, 2.0: what's new?\n## front_ends\n## front_ends\n"
    assert anchors_of(text) == {"vocoder-pareto-20-whats-new", "front_ends", "front_ends-1"}


def test_every_page_stands_once_in_the_navigation():
    listed = [
        os.path.normpath(f"docs/{line}")
        for block in CONTENTS.findall((PROJECT / "docs/index.md").read_text())
        for line in block.splitlines()
    ]
    names = [
        name for name in TRACKED if re.fullmatch(r"docs/[^/]*\.(md|rst|ipynb)", name) and (PROJECT / name).is_file()
    ]
    others = ["CONTRIBUTING", "CHANGELOG", "config/README", "resources/measured/README"]
    pages = [os.path.splitext(name)[0] for name in names if name != "docs/index.md"]
    assert sorted(listed) == sorted([*pages, *others])


@pytest.mark.slow
def test_sphinx_makes_pages_without_a_warning(tmp_path):
    """As `make docs`, where the extra `docs` is installed; a link that Sphinx does not resolve is a warning."""
    pytest.importorskip("sphinx")
    pytest.importorskip("myst_nb")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", "docs", ".", str(tmp_path / "html")]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-5000:]
    reference = (tmp_path / "html" / "docs" / "reference.html").read_text()
    for name in ("measure", "EnergyMeter", "front_of_frame", "Vocoder.generate"):
        assert f'id="vocoder_pareto.{name}"' in reference, name
