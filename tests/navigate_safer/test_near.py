"""Who was near a place, on the stored trail: what a change of tags may not hide nor open."""

from datetime import date, timedelta

from case_files import FITTED_AT, INSIDE, MINUTE, OUTSIDE, START, condition, order, walk

from alerts.finding import Severity
from alerts.terms import ConditionKind
from alerts.vicinity import Verdict
from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.people.casefile import CaseFile, Device, Fitting, Wearer
from navigate_safer.people.place_question import PlaceQuestion, Purpose
from navigate_safer.services import near

CHANGED_AT = START + 10 * MINUTE


def wears_two_tags_in_turn(watch, took_off_at=CHANGED_AT) -> None:
    own = condition("C-TURN", ConditionKind.EXCLUSION_ZONE, Severity.HIGH, zone="Z-1")
    fittings = [Fitting("TAG-OLD", FITTED_AT, took_off_at), Fitting("TAG-NEW", CHANGED_AT)]
    who = Wearer("W-TURN", "Hilda Quennell", date(1980, 1, 1), "west", "Hoole", "high", None,
                 [order("O-TURN", own)], fittings)  # fmt: skip
    devices = [Device("TAG-OLD", "tag"), Device("TAG-NEW", "tag")]
    watch.register(CaseFile(v=1, devices=devices, wearers=[who]))


def verdicts(watch, *, until: int = 20) -> dict[str, Verdict]:
    """Of the two tags, about the Cross from START on."""
    areas = frozenset(row.id for row in watch.database.all(AreaRow) if row.ref == "west")
    staff = watch.database.one(StaffRow, StaffRow.ref == "sup-1").id
    scope = Scope(staff, Role.SUPERVISOR, areas)
    asked = PlaceQuestion(
        INSIDE.lat, INSIDE.lon, 100.0, START, START + until * MINUTE, Purpose.CRIME, "CC/1"
    )
    name = near.ask(watch.sessions, scope, asked, watch.clock())
    lines = near.answer(watch.sessions, scope, name, watch.clock()).lines
    return {each.device: each.found.verdict for each in lines if each.ref == "W-TURN"}


def test_whose_tag_was_changed_in_the_window_is_ruled_out_by_both_together(watch):
    wears_two_tags_in_turn(watch)
    watch.hear(*walk("TAG-OLD", *[OUTSIDE] * 15, start=START - 5 * MINUTE))
    watch.hear(*walk("TAG-NEW", *[OUTSIDE] * 20, start=CHANGED_AT))
    watch.clock.forward(hours=1)
    assert verdicts(watch) == {"TAG-OLD": Verdict.OUT, "TAG-NEW": Verdict.OUT}


def test_whose_new_tag_says_nothing_is_not_ruled_out_by_it(watch):
    wears_two_tags_in_turn(watch)
    watch.hear(*walk("TAG-OLD", *[OUTSIDE] * 15, start=START - 5 * MINUTE))
    watch.clock.forward(hours=1)
    assert verdicts(watch) == {"TAG-OLD": Verdict.OUT, "TAG-NEW": Verdict.CANNOT_TELL}


def test_whose_tag_was_put_on_within_the_window_was_not_seen_before(watch):
    wears_two_tags_in_turn(watch, took_off_at=START - timedelta(hours=3))
    watch.hear(*walk("TAG-NEW", *[OUTSIDE] * 20, start=CHANGED_AT))
    watch.clock.forward(hours=1)
    assert verdicts(watch) == {"TAG-NEW": Verdict.CANNOT_TELL}
