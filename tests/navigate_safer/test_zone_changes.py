"""Zones in the service: new versions, rings, overlaps and exceptions, from fixes to texts."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from case_files import (
    CREWE,
    FITTED_AT,
    INSIDE,
    MINUTE,
    OUTSIDE,
    START,
    Place,
    box,
    condition,
    one_more_wearer,
    walk,
)
from sqlalchemy import select, text

from alerts.finding import Severity
from alerts.terms import ConditionKind
from navigate_safer.db.alerting import AlertRow, EpisodeHistoryRow, EpisodeRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.exceptions import ExceptionRow
from navigate_safer.db.people import AreaRow, ConditionRow, StaffRow, ZoneRow
from navigate_safer.db.zones import ZoneRecordRow
from navigate_safer.people.access import Forbidden, Role, Scope
from navigate_safer.people.casefile import CaseFile, ZoneEntry
from navigate_safer.services import exceptions, zone_views, zones
from navigate_safer.services.casework import NotFound
from navigate_safer.services.exceptions import CannotAllow, Wanted
from navigate_safer.services.zones import By, CannotSave
from navigate_safer.zone_files import zones_in_file

TAG = "TAG-1"
ONE_MONTH = [{"from": "2026-01-01", "until": "2026-02-01"}]
MANAGER = Role.OFFENDER_MANAGER
# Some 300 m east of the edge of the zone at the Cross.
NEAR = Place(INSIDE.lat, INSIDE.lon + 0.006 + 0.0045)


def scope(watch, role=MANAGER, *areas: str) -> Scope:
    rows = watch.database.all(AreaRow)
    ids = frozenset(row.id for row in rows if row.ref in (areas or ("west",)))
    return Scope(watch.database.one(StaffRow, StaffRow.ref == "sup-1").id, role, ids)


def drawn(geometry, *, zone_id="Z-1", kind="exclusion", **properties):
    feature = {
        "type": "Feature",
        "properties": {"id": zone_id, "name": "Chester Cross", "kind": kind, **properties},
        "geometry": geometry,
    }
    document = {"type": "FeatureCollection", "features": [feature]}
    return zones_in_file(json.dumps(document).encode(), "drawn.geojson")


def save(watch, what, who: Scope | None = None, reason="drawn by a test"):
    by = By(reason, who, None if who is None else min(who.areas))
    return zones.save(watch.sessions, what, by, watch.clock())


def episodes(watch, kind: str) -> list[EpisodeRow]:
    return [row for row in watch.database.all(EpisodeRow) if row.kind == kind]


def alerts(watch) -> list[tuple[str, str]]:
    """Kind and severity of every alert, in the order in which they opened."""
    query = select(EpisodeRow.kind, AlertRow.severity).join(
        AlertRow, AlertRow.episode_id == EpisodeRow.id
    )
    with watch.sessions() as session:
        return [tuple(row) for row in session.execute(query.order_by(AlertRow.id))]


def allow(watch, *, first=0, last=60, **fields):
    """An exception from one minute after START to another, under the condition C-1."""
    wanted = Wanted(
        "C-1", START + first * MINUTE, START + last * MINUTE, "to see a solicitor", **fields
    )
    exceptions.allow(watch.sessions, scope(watch), "W-1", wanted, watch.clock())


def test_a_changed_zone_is_a_new_version_and_what_was_stored_keeps_the_old(watch):
    watch.hear(*walk(TAG, OUTSIDE, OUTSIDE))
    saved = save(watch, drawn(box(OUTSIDE)))
    assert saved.changed == ["Z-1"]
    old, new = watch.database.all(ZoneRow, ZoneRow.ref == "Z-1")
    assert (old.version, new.version) == (1, 2)
    first, second = watch.database.all(ConditionRow, ConditionRow.ref == "C-1")
    assert (first.zone_id, second.zone_id) == (old.id, new.id)
    assert first.until_at == second.from_at == watch.clock()
    record = watch.database.one(ZoneRecordRow, ZoneRecordRow.zone_id == new.id)
    assert record.reason == "drawn by a test"
    assert [row.what for row in watch.database.all(AuditRow) if row.subject_id == new.id] == [
        "zone changed"
    ]


def test_after_a_change_the_next_fixes_are_judged_by_the_new_shape(watch):
    watch.hear(*walk(TAG, OUTSIDE, OUTSIDE))
    save(watch, drawn(box(OUTSIDE)))
    assert alerts(watch) == []
    watch.hear(*walk(TAG, OUTSIDE, OUTSIDE, start=START + 5 * MINUTE))
    assert alerts(watch) == [("exclusion_breach", "critical")]


def test_a_late_fix_from_before_a_change_is_judged_by_the_old_shape(watch):
    watch.hear(*walk(TAG, OUTSIDE, start=START - 30 * MINUTE))
    watch.clock.at = START
    save(watch, drawn(box(CREWE)))
    late = walk(TAG, INSIDE, INSIDE, INSIDE, start=START - 20 * MINUTE)
    watch.hear(*[msgspec.structs.replace(each, received_at=START + MINUTE) for each in late])
    assert len(episodes(watch, "exclusion_breach")) == 1


def test_the_same_file_again_changes_nothing(watch):
    shape = drawn(box(CREWE))
    save(watch, shape)
    assert save(watch, shape).unchanged == ["Z-1"]
    assert watch.database.count(ZoneRow) == 3


@pytest.mark.parametrize(
    ("what", "message"),
    [
        pytest.param(
            drawn(box(INSIDE), kind="restriction"), "of kind exclusion, which cannot change",
            id="another kind",
        ),
        pytest.param(
            drawn(box(INSIDE, half_deg=0.00002), zone_id="Z-9"), "nowhere wider than 10 m",
            id="a sliver that no fix could tell",
        ),
        pytest.param(drawn(box(INSIDE), zone_id="Z/9"), "cannot be used", id="a slash in the id"),
        pytest.param(drawn(box(INSIDE), zone_id="draw"), "cannot be used", id="the id of a page"),
        pytest.param(
            drawn(box(INSIDE), zone_id="Z-9", exceptions=ONE_MONTH),
            "on their page", id="an exception of nobody",
        ),
    ],
)  # fmt: skip
def test_a_zone_that_would_do_harm_is_refused(watch, what, message):
    with pytest.raises(CannotSave, match=message):
        save(watch, what)
    assert watch.database.count(ZoneRow) == 2


def test_a_zone_is_saved_with_a_reason_by_those_who_may(watch):
    with pytest.raises(CannotSave, match="say why"):
        save(watch, drawn(box(INSIDE)), reason=" ")
    with pytest.raises(Forbidden):
        save(watch, drawn(box(INSIDE)), scope(watch, Role.DUTY_OFFICER))


def test_the_zone_of_another_area_can_neither_be_seen_nor_changed(watch):
    west = scope(watch)
    with pytest.raises(NotFound):
        zone_views.see_zone(watch.sessions, west, "Z-2", watch.clock())
    with pytest.raises(CannotSave, match="cannot be used"):
        save(watch, drawn(box(INSIDE), zone_id="Z-2"), west)
    assert [each.ref for each in zone_views.see_zones(watch.sessions, west, START)] == ["Z-1"]


def test_a_zone_about_people_of_two_areas_is_changed_by_somebody_of_both(watch):
    shared = condition("C-9", ConditionKind.EXCLUSION_ZONE, Severity.HIGH, zone="Z-2")
    watch.register(one_more_wearer(9, conditions=[shared]))
    with pytest.raises(CannotSave, match="another area"):
        save(watch, drawn(box(CREWE, half_deg=0.01), zone_id="Z-2"), scope(watch))
    both = scope(watch, MANAGER, "west", "east")
    assert save(watch, drawn(box(CREWE, half_deg=0.01), zone_id="Z-2"), both).changed == ["Z-2"]
    assert watch.database.count(ConditionRow, ConditionRow.zone_id.is_not(None)) == 5


# SQLite lets one writer in at a time, who then sees what the other did.
@pytest.mark.parametrize("factory", ["postgresql"], indirect=True)
def test_of_two_who_change_a_zone_at_the_same_moment_one_is_told_to_try_again(watch):
    with ThreadPoolExecutor() as other, watch.sessions() as session:
        old = session.scalars(select(ZoneRow).where(ZoneRow.ref == "Z-1")).one()
        mine = {key: getattr(old, key) for key in ("ref", "name", "kind", "buffer_m", "timezone")}
        session.add(ZoneRow(**mine, version=2, geometry=box(OUTSIDE)))
        session.flush()
        theirs = other.submit(save, watch, drawn(box(NEAR)))
        waiting = text("select count(*) from pg_locks where not granted")
        with watch.sessions() as looking:
            while not looking.scalar(waiting) and not theirs.done():
                pass
        session.commit()
        with pytest.raises(CannotSave, match="at the same moment"):
            theirs.result()
    assert watch.database.count(ZoneRow, ZoneRow.ref == "Z-1") == 2


def test_a_new_zone_is_seen_by_the_area_that_drew_it(watch):
    save(watch, drawn(box(OUTSIDE), zone_id="Z-NEW"), scope(watch))
    seen = zone_views.see_zones(watch.sessions, scope(watch), watch.clock())
    assert {each.ref for each in seen} == {"Z-1", "Z-NEW"}
    east = zone_views.see_zones(watch.sessions, scope(watch, MANAGER, "east"), watch.clock())
    assert {each.ref for each in east} == {"Z-2"}


def test_what_is_exported_can_be_imported_and_changes_nothing(watch):
    save(watch, drawn(box(INSIDE), rings=[{"m": 400, "severity": "low"}], priority=3))
    features = zone_views.features(watch.sessions, None, watch.clock())
    document = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    saved = save(watch, zones_in_file(document))
    assert (saved.added, saved.changed, sorted(saved.unchanged)) == ([], [], ["Z-1", "Z-2"])


# --- rings ---------------------------------------------------------------------------------------


def ringed(watch, severity="medium"):
    save(watch, drawn(box(INSIDE), rings=[{"m": 600, "severity": severity}]))
    watch.clock.forward(minutes=1)


def test_nearing_a_zone_is_told_by_the_severity_of_its_ring(watch):
    ringed(watch)
    watch.hear(*walk(TAG, OUTSIDE, NEAR, NEAR, NEAR, start=START + 2 * MINUTE))
    assert alerts(watch) == [("early_warning_1", "medium")]
    assert episodes(watch, "early_warning_1")[0].evidence["ring_m"] == 600


def test_who_goes_on_into_the_zone_breaks_it(watch):
    ringed(watch)
    route = (OUTSIDE, NEAR, NEAR, INSIDE, INSIDE)
    watch.hear(*walk(TAG, *route, start=START + 2 * MINUTE))
    assert alerts(watch) == [("early_warning_1", "medium"), ("exclusion_breach", "critical")]


def test_of_a_jump_into_the_zone_the_breach_is_told_and_the_ring_recorded(watch):
    ringed(watch)
    messages = walk(TAG, INSIDE, INSIDE, INSIDE, start=START + 2 * MINUTE)
    watch.receive(*messages)
    watch.judge()
    assert alerts(watch) == [("exclusion_breach", "critical")]
    assert len(episodes(watch, "early_warning_1")) == 1
    reasons = {row.why for row in watch.database.all(EpisodeHistoryRow)}
    assert "told by the alert of a zone that overlaps" in reasons


# --- overlaps ------------------------------------------------------------------------------------


def overlapping(watch, *, wide: Severity, tight: Severity, **wide_properties):
    """W-X1 must keep out of Chester, and of the Cross within it."""
    watch.register(
        CaseFile(
            v=1,
            zones=[
                ZoneEntry("Z-WIDE", "Chester", "exclusion", box(INSIDE, half_deg=0.02),
                          properties=wide_properties),
            ],
        )
    )  # fmt: skip
    kind = ConditionKind.EXCLUSION_ZONE
    both = [
        condition("C-WIDE", kind, wide, zone="Z-WIDE"),
        condition("C-TIGHT", kind, tight, zone="Z-1"),
    ]
    watch.register(one_more_wearer(1, conditions=both))


def zones_told(watch) -> list[str]:
    query = (
        select(ConditionRow.ref)
        .join(EpisodeRow, EpisodeRow.condition_id == ConditionRow.id)
        .join(AlertRow, AlertRow.episode_id == EpisodeRow.id)
    )
    with watch.sessions() as session:
        return list(session.scalars(query.order_by(AlertRow.id)))


WITHIN_WIDE = Place(INSIDE.lat, INSIDE.lon + 0.015)


@pytest.mark.parametrize(
    ("wide", "tight", "properties", "told"),
    [
        pytest.param("high", "high", {}, ["C-TIGHT"], id="the tighter is told"),
        pytest.param("high", "critical", {}, ["C-TIGHT"], id="the tighter and more urgent"),
        pytest.param("critical", "high", {}, ["C-TIGHT", "C-WIDE"],
                     id="a less urgent one never hides a more urgent one"),
        pytest.param("high", "high", {"priority": 5}, ["C-WIDE"], id="the higher priority"),
    ],
)  # fmt: skip
def test_of_zones_that_overlap_one_alert_tells_and_both_are_recorded(
    watch, wide, tight, properties, told
):
    overlapping(watch, wide=Severity(wide), tight=Severity(tight), **properties)
    watch.receive(*walk("TAG-X1", INSIDE, INSIDE, INSIDE))
    watch.judge()
    assert len(episodes(watch, "exclusion_breach")) == 2
    assert sorted(zones_told(watch)) == told


def test_who_leaves_the_zone_that_was_told_and_stays_in_the_other_is_told_again(watch):
    overlapping(watch, wide=Severity.HIGH, tight=Severity.HIGH)
    watch.receive(*walk("TAG-X1", INSIDE, INSIDE, INSIDE))
    watch.judge()
    stays = [WITHIN_WIDE] * 4
    watch.hear(*walk("TAG-X1", *stays, start=START + 3 * MINUTE))
    assert zones_told(watch) == ["C-TIGHT", "C-WIDE"]


def test_a_wide_zone_told_first_does_not_hide_the_tight_one_in_it(watch):
    overlapping(watch, wide=Severity.HIGH, tight=Severity.HIGH)
    watch.hear(*walk("TAG-X1", WITHIN_WIDE, WITHIN_WIDE, INSIDE, INSIDE))
    assert zones_told(watch) == ["C-WIDE", "C-TIGHT"]


# --- exceptions ----------------------------------------------------------------------------------


def test_a_stay_that_is_allowed_is_recorded_and_never_told(watch):
    allow(watch)
    watch.hear(*walk(TAG, OUTSIDE, INSIDE, INSIDE, INSIDE, OUTSIDE, OUTSIDE, OUTSIDE))
    assert alerts(watch) == []
    [stay] = episodes(watch, "excused_stay")
    assert stay.ended_at is not None
    assert stay.evidence["authorised"] == str(watch.database.one(ExceptionRow).id)
    page = exceptions.see(watch.sessions, scope(watch), "W-1", watch.clock())
    assert [each.exception for each in page.stays] == [stay.evidence["authorised"]]
    assert page.allowed[0].reason == "to see a solicitor"


def test_who_stays_past_the_end_of_an_exception_is_in_breach_from_that_minute(watch):
    allow(watch, last=3)
    watch.hear(*walk(TAG, OUTSIDE, *[INSIDE] * 8))
    [breach] = episodes(watch, "exclusion_breach")
    assert breach.started_at == START + 3 * MINUTE
    assert episodes(watch, "excused_stay")[0].ended_at == START + 3 * MINUTE


def test_an_exception_that_is_taken_back_excuses_nothing_from_then_on(watch):
    allow(watch)
    watch.hear(*walk(TAG, OUTSIDE, INSIDE, INSIDE))
    number = watch.database.one(ExceptionRow).id
    who = scope(watch)
    assert exceptions.revoke(watch.sessions, who, "W-1", number, "not needed", watch.clock())
    assert not exceptions.revoke(watch.sessions, who, "W-1", number, "again", watch.clock())
    watch.hear(*walk(TAG, INSIDE, INSIDE, start=START + 4 * MINUTE))
    assert alerts(watch) == [("exclusion_breach", "critical")]


def test_an_exception_never_excuses_what_came_before_it(watch):
    watch.hear(*walk(TAG, OUTSIDE, INSIDE, INSIDE, INSIDE))
    allow(watch, first=-120)
    assert watch.database.one(ExceptionRow).from_at == watch.clock()
    watch.hear(*walk(TAG, INSIDE, start=START + 5 * MINUTE))
    # Late data from before has the rules run again: the breach stands.
    late = walk(TAG, INSIDE, start=START + MINUTE + timedelta(seconds=30))
    watch.hear(*[msgspec.structs.replace(each, received_at=watch.clock()) for each in late])
    [breach] = episodes(watch, "exclusion_breach")
    assert not breach.withdrawn
    assert alerts(watch) == [("exclusion_breach", "critical")]


def road() -> dict[str, object]:
    """A road through the middle of the zone at the Cross, from west to east."""
    west, east = INSIDE.lon - 0.02, INSIDE.lon + 0.02
    return {"type": "LineString", "coordinates": [[west, INSIDE.lat], [east, INSIDE.lat]]}


def test_along_a_corridor_the_way_is_allowed_and_beside_it_nothing(watch):
    allow(watch, corridor=road(), corridor_m=100.0)
    west = Place(INSIDE.lat, INSIDE.lon - 0.02)
    watch.hear(*walk(TAG, west, *[INSIDE] * 4))
    assert alerts(watch) == []
    assert len(episodes(watch, "excused_stay")) == 1
    beside = Place(INSIDE.lat + 0.004, INSIDE.lon)
    watch.hear(*walk(TAG, *[beside] * 4, start=START + 5 * MINUTE))
    assert alerts(watch) == [("exclusion_breach", "critical")]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"reason": " "}, "Enter why", id="no reason"),
        pytest.param({"until_at": START - MINUTE}, "in the future", id="over already"),
        pytest.param({"condition_ref": "C-2"}, "Select a condition", id="no place in it"),
        pytest.param({"condition_ref": "C-4"}, "Select a condition", id="somebody else's"),
        pytest.param({"corridor": {"type": "Circle"}}, "cannot be a zone", id="an odd corridor"),
        pytest.param({"corridor": road()}, "above 0", id="a corridor without a width"),
    ],
)
def test_an_exception_that_says_too_little_is_refused(watch, fields, message):
    wanted = Wanted("C-1", START, START + 60 * MINUTE, "a reason")
    with pytest.raises(CannotAllow, match=message):
        exceptions.allow(
            watch.sessions,
            scope(watch),
            "W-1",
            msgspec.structs.replace(wanted, **fields),
            watch.clock(),
        )
    assert watch.database.count(ExceptionRow) == 0


def test_two_corridors_at_one_time_are_refused(watch):
    allow(watch, corridor=road(), corridor_m=50.0)
    with pytest.raises(CannotAllow, match="both ways"):
        allow(watch, first=30, last=90, corridor=road(), corridor_m=80.0)


def test_two_corridors_of_the_same_weeks_on_other_days_are_allowed(watch):
    # Started on a Friday evening: to work on weekdays, to the children on Saturdays.
    for day in ("fri", "sat"):
        hours = [{"days": [day], "start": "08:00", "end": "23:00"}]
        allow(watch, last=60 * 24 * 14, corridor=road(), corridor_m=50.0, schedule=hours)
    assert watch.database.count(ExceptionRow) == 2
    late = [{"days": ["sat"], "start": "22:00", "end": "02:00"}]
    with pytest.raises(CannotAllow, match="both ways"):
        allow(watch, last=60 * 24 * 14, corridor=road(), corridor_m=50.0, schedule=late)


def test_exceptions_are_for_those_who_may_and_for_their_own_areas(watch):
    wanted = Wanted("C-1", START, START + 60 * MINUTE, "a reason")
    duty, east = scope(watch, Role.DUTY_OFFICER), scope(watch, MANAGER, "east")
    with pytest.raises(Forbidden):
        exceptions.allow(watch.sessions, duty, "W-1", wanted, START)
    with pytest.raises(NotFound):
        exceptions.allow(watch.sessions, east, "W-1", wanted, START)


def test_a_zone_with_dates_counts_within_them_alone(watch):
    until = (START + 5 * MINUTE).astimezone(UTC).isoformat()
    save(watch, drawn(box(OUTSIDE), until=until))
    watch.clock.forward(minutes=6)
    watch.hear(*walk(TAG, *[OUTSIDE] * 5, start=START + 6 * MINUTE))
    assert alerts(watch) == []
    assert datetime.fromisoformat(until) > FITTED_AT
