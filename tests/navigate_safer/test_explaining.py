"""Why an alert about a place was raised: what the page shows is what was judged."""

from datetime import timedelta

import pytest
from case_files import INSIDE, MINUTE, START, Place, walk
from sqlalchemy import select

from navigate_safer.db.alerting import AlertRow, EpisodeRow
from navigate_safer.db.exceptions import ExceptionRow
from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.services import exceptions, explaining
from navigate_safer.services.exceptions import Wanted

TAG = "TAG-1"
# Some 130 m east of the edge of the zone at the Cross.
HOME = Place(INSIDE.lat, INSIDE.lon + 0.006 + 0.002)
LEAP = Place(INSIDE.lat, INSIDE.lon + 0.006 - 0.0012)


def scope(watch) -> Scope:
    areas = frozenset(row.id for row in watch.database.all(AreaRow) if row.ref == "west")
    return Scope(
        watch.database.one(StaffRow, StaffRow.ref == "sup-1").id, Role.OFFENDER_MANAGER, areas
    )


def explained(watch):
    """The newest alert about the zone: its episode, and what the page has of it."""
    with watch.sessions() as session:
        reference, episode_id = session.execute(
            select(AlertRow.reference, AlertRow.episode_id)
            .join(EpisodeRow, EpisodeRow.id == AlertRow.episode_id)
            .where(EpisodeRow.kind == "exclusion_breach")
            .order_by(AlertRow.id.desc())
        ).first()
    episode = watch.database.one(EpisodeRow, EpisodeRow.id == episode_id)
    shown = explaining.see_explanation(watch.sessions, scope(watch), reference, watch.clock())
    return episode, shown


def stated(shown) -> dict[str, float]:
    return {
        each.at.isoformat().replace("+00:00", "Z"): round(each.probability, 4)
        for each in shown.explanation.fixes
        if each.probability is not None
    }


def test_after_a_day_of_leaps_the_page_shows_the_chances_that_were_judged(watch):
    hours = 20
    places = [LEAP if n % 50 == 49 else HOME for n in range(hours * 60)]
    watch.receive(*walk(TAG, *places, start=START - timedelta(hours=hours)))
    watch.judge()
    watch.hear(*walk(TAG, LEAP, LEAP, LEAP, INSIDE, INSIDE, start=START))
    episode, shown = explained(watch)
    said = stated(shown)
    judged = {each["at"]: each["probability"] for each in episode.evidence["fixes"]}
    assert judged
    assert {at: said[at] for at in judged} == judged


def test_who_leaves_the_way_that_is_allowed_is_explained_against_what_is_left(watch):
    road = {
        "type": "LineString",
        "coordinates": [[INSIDE.lon - 0.02, INSIDE.lat], [INSIDE.lon + 0.02, INSIDE.lat]],
    }
    wanted = Wanted("C-1", START, START + 60 * MINUTE, "the bus", road, 100.0)
    exceptions.allow(watch.sessions, scope(watch), "W-1", wanted, watch.clock())
    beside = Place(INSIDE.lat + 0.003, INSIDE.lon)
    watch.hear(*walk(TAG, *[INSIDE] * 10, *[beside] * 5, start=START + MINUTE))
    episode, shown = explained(watch)
    # On PostgreSQL numbers go on from one test to the next.
    assert episode.evidence["authorised"] == str(watch.database.one(ExceptionRow).id)
    on_the_way = [each for each in shown.explanation.fixes if each.at <= START + 10 * MINUTE]
    assert on_the_way
    assert all(each.probability < 0.01 for each in on_the_way)
    assert all(each.edge_m == pytest.approx(100, abs=2) for each in on_the_way)
