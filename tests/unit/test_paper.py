"""The paper for the Journal of Open Source Software: citations, its own facts, and who is named as an author.

The outside is what JOSS asks for (https://joss.readthedocs.io/en/latest/paper.html), and CITATION.cff.
"""

import re
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[2]
TEXT = (PROJECT / "paper" / "paper.md").read_text(encoding="utf-8")
ENTRIES = re.findall(
    r"^@\w+\{(\w+),\n(.*?)^\}$", (PROJECT / "paper" / "paper.bib").read_text("utf-8"), re.MULTILINE | re.DOTALL
)
_, HEAD, BODY = TEXT.split("---\n", 2)
FRONT = yaml.safe_load(HEAD)


def test_every_citation_has_an_entry_and_every_entry_is_cited_once_in_the_bibliography():
    keys = [key for key, _ in ENTRIES]
    assert len(keys) == len(set(keys)) > 10
    assert set(re.findall(r"@(\w+)", BODY)) == set(keys)


def test_every_entry_tells_who_what_when_and_where_it_is_found():
    for key, fields in ENTRIES:
        names = set(re.findall(r"^  (\w+) *= \{", fields, re.MULTILINE))
        assert names >= {"author", "title", "year"}, key
        assert names & {"doi", "url", "booktitle"}, key


def test_the_paper_has_the_parts_and_the_length_that_joss_asks_for():
    headings = re.findall(r"^# (.+)$", BODY, re.MULTILINE)
    assert {"Summary", "Statement of need", "State of the field", "Acknowledgements", "References"} <= set(headings)
    assert 750 <= len(BODY.split()) <= 1750
    assert {"title", "tags", "authors", "affiliations", "date", "bibliography"} <= FRONT.keys()
    assert (PROJECT / "paper" / FRONT["bibliography"]).is_file()
    known = {each["index"] for each in FRONT["affiliations"]}
    assert all(author["affiliation"] in known for author in FRONT["authors"])


def test_its_title_and_authors_are_those_of_the_citation():
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
    assert FRONT["title"] == citation["title"]
    assert [author["name"] for author in FRONT["authors"]] == [author["name"] for author in citation["authors"]]
    for author in citation["preferred-citation"]["authors"]:
        assert f"{author['given-names']} {author['family-names']}" in BODY.replace("\n", " ")
