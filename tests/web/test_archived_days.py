"""Pages that show archived days: as before, and a plain word where a file is gone."""

from pathlib import Path

import pytest
from case_files import START
from web.world import World

from alerts.finding import FindingKind
from navigate_safer.db import archive
from navigate_safer.db.days import ONE_DAY
from navigate_safer.services import storage_round
from navigate_safer.services.storage import Plan


@pytest.fixture
def file(world: World) -> Path:
    """The file of the day of the breaches, which is in the archive by now."""
    later = START + 61 * ONE_DAY
    done = storage_round.keep_house(world.service.sessions, later, Plan(), lambda _s: None)
    assert done.archived
    with world.service.sessions() as session:
        (found,) = archive.folder_of(session).glob("fixes/*/*.parquet")
    return found


def test_a_map_of_an_archived_breach_is_the_map_of_then(world: World, file: Path) -> None:
    reference = world.reference(FindingKind.EXCLUSION_BREACH)
    assert file.exists()
    answer = world.visitor("duty").get(f"/alerts/{reference}/map.json")
    assert answer.status_code == 200
    assert len(answer.json["fixes"]) == 3


def test_a_map_whose_file_is_gone_says_so_instead_of_showing_an_empty_one(
    world: World, file: Path
) -> None:
    file.unlink()
    reference = world.reference(FindingKind.EXCLUSION_BREACH)
    answer = world.visitor("duty").get(f"/alerts/{reference}/map.json")
    assert answer.status_code == 503
    assert answer.json["title"] == "Old readings cannot be read"
    assert "archive verify" in answer.json["detail"]
    assert file.name not in answer.text
