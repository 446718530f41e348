"""The table of statements: each names a page that exists, or says why there is none."""

import re
from pathlib import Path

import pytest
from web.world import World

from navigate_safer.people.seeds import PERSON, SEEDS, Row

COUNTS = {"0": 22, "1": 33, "2": 28, "3": 10, "4": 6}


def test_every_statement_of_the_documents_is_there_once() -> None:
    rows = [each.row for each in SEEDS.rows]
    assert len(rows) == len(set(rows))
    assert {number: len(SEEDS.of(number)) for number in SEEDS.documents} == COUNTS


@pytest.mark.parametrize("row", [pytest.param(each, id=each.row) for each in SEEDS.rows])
def test_a_statement_names_a_page_that_exists_or_says_why_not(
    shared_world: World, row: Row
) -> None:
    assert bool(row.pages) != bool(row.not_served)
    assert not row.pages or row.how
    address = shared_world.app.url_map.bind("localhost")
    for page in row.pages:
        endpoint, _ = address.match(page.replace(PERSON, "W-EXC"), method="GET")
        assert endpoint != "static"


def test_the_page_shows_every_statement(shared_world: World) -> None:
    page = shared_world.visitor("auditor").get("/help/statements").text
    for row in SEEDS.rows:
        assert f">{row.row} " in page
    assert len(re.findall("Not served", page)) == sum(not row.pages for row in SEEDS.rows)


def test_the_readme_says_where_the_table_is() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert "/help/statements" in readme
