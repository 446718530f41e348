"""Enforcement through its pages: what a form refuses, what follows, and who sees what."""

import pytest
from web.enforcing import OF, breach_of, community_order, failure_of, listed, missed
from web.world import PLACE_WORDS, VICTIM_WORDS, World, plain

from alerts.finding import FindingKind
from navigate_safer.demo import casework_orders
from navigate_safer.demo.casework_staff import Office
from navigate_safer.people.access import Role
from navigate_safer.people.breaches import BREACH
from navigate_safer.people.failures import FAILURE
from navigate_safer.people.notices import NOTICE
from navigate_safer.people.orders import ORDER
from navigate_safer.people.safety import SAFETY_CHECK
from navigate_safer.services import records

WEEK_OF = {"sent_on-day": "20", "sent_on-month": "11", "sent_on-year": "2026"}


def decide(world: World, ref: str, order: str, *, replaces: str = "1", **more: str):
    form = {
        "acceptable": "no", "why": "No proof was shown", "order_ref": order,
        "requirement": "Attend the programme", "what": "You missed your group session",
        "replaces": replaces, **more,
    }  # fmt: skip
    return world.visitor("manager").post(f"/failures/{ref}/decide", **form)


def test_two_missed_sessions_go_from_a_letter_to_the_pack(world: World) -> None:
    manager, order = world.visitor("manager"), community_order(world)
    first, second = missed(world, 9, "SE-1"), missed(world, 1, "SE-2")
    assert decide(world, first, order).status_code == 302
    page = manager.get(f"/failures/{first}").text
    assert "Look at the letter (PDF)" in page
    assert manager.get(f"/failures/{first}/letter.pdf").data.startswith(b"%PDF")
    assert manager.post(f"/failures/{first}/letter", replaces="2", **WEEK_OF).status_code == 302

    assert decide(world, second, order).status_code == 302
    shown = manager.get(f"/failures/{second}").text
    assert "must go to an enforcement officer" in shown
    refused = manager.post(f"/failures/{second}/close", close_why="He came since", replaces="2")
    assert refused.status_code == 422
    assert "must be referred" in refused.text
    referred = manager.post(
        f"/failures/{second}/refer", referred_to="E. Officer", refer_why="Second", replaces="2"
    )
    assert referred.status_code == 302
    breach = breach_of(world)
    unsigned = manager.post(f"/breaches/{breach}/sign", statement="Two were missed.", replaces="1")
    assert (unsigned.status_code, "Confirm that the statement is true" in unsigned.text) == (
        422,
        True,
    )
    signed = manager.post(
        f"/breaches/{breach}/sign", statement="Two were missed.", true="yes", replaces="1"
    )
    assert signed.status_code == 302
    assert manager.get(f"/breaches/{breach}/pack.pdf").data.startswith(b"%PDF")
    told = manager.get(f"/people/{OF}/enforcement").text
    assert "2 failures without good reason in the last 12 months. A breach is under way." in told


def test_two_officers_at_once_are_told_and_neither_loses_work(world: World) -> None:
    order, ref = community_order(world), missed(world, 1, "SE-1")
    decide(world, ref, order, why="No proof at all")
    late = decide(world, ref, order, acceptable="yes", why="A letter of the hospital")
    assert late.status_code == 409
    assert "Somebody else has changed this while you were writing" in late.text
    assert "No proof at all" in late.text
    assert "A letter of the hospital" in late.text
    assert 'name="replaces" value="2"' in late.text
    (kept,) = listed(world, FAILURE)
    assert (kept.version, kept.state) == (2, "unacceptable")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("acceptable", "", "Select whether there was a good reason"),
        ("why", "", "Enter why you decide so"),
        ("order_ref", "O-W-CUR", "Select the order"),
        ("why", "She lives at CH1 2AB", "Take out the postcode"),
        ("evidence", "Ask her on 07700 900199", "Take out the telephone number"),
        ("what", "He went to the refuge", "Take out the refuge"),
        ("what", "x" * 4_001, "Shorten what happened to 4,000 characters"),
    ],
)
def test_a_decision_that_cannot_be_is_refused_at_its_field(
    shared_world: World, field: str, value: str, told: str
) -> None:
    world = shared_world
    ref = missed(world, 2, "SE-REFUSED")
    answer = decide(world, ref, f"O-{OF}", **{field: value})
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert told in answer.text
    assert next(each for each in listed(world, FAILURE) if each.ref == ref).version == 1


def test_an_alert_is_reported_once_and_is_told_in_words_in_the_pack(world: World) -> None:
    manager = world.visitor("manager")
    alert = world.reference(FindingKind.EXCLUSION_BREACH)
    filled = manager.get(f"/people/{OF}/enforcement/report?alert={alert}").text
    assert "Inside an exclusion zone" in filled
    form = {"what": "You were in the zone", "at": "2026-11-20T21:02", "alert": alert}
    answer = manager.post(f"/people/{OF}/enforcement/report", **form)
    ref = answer.location.rsplit("/", 1)[1]
    assert f"alert={alert}" not in manager.get(f"/people/{OF}/enforcement").text
    decide(world, ref, f"O-{OF}")
    manager.post(f"/failures/{ref}/refer", referred_to="E. O.", refer_why="Serious", replaces="2")
    assert manager.get(f"/breaches/{breach_of(world)}/pack.pdf").data.startswith(b"%PDF")
    looked = [row for row in world.log() if row.what == "alert explanation"]
    assert len(looked) == 1, "the pack tells what the rule saw"


def test_the_clock_of_a_notice_is_started_seen_to_and_stopped(world: World) -> None:
    manager = world.visitor("manager")
    start = {"notice": "dvpn", "given_at": "2026-11-20T12:00", "given_by": "Supt 12"}
    late = manager.post(
        f"/people/{OF}/enforcement/notices", **{**start, "given_at": "2026-11-21T12:00"}
    )
    assert (late.status_code, "that is in the past" in late.text) == (422, True)
    assert manager.post(f"/people/{OF}/enforcement/notices", **start).status_code == 302
    (running,) = listed(world, NOTICE)
    page = manager.get(f"/people/{OF}/enforcement").text
    assert "The court has to hear the application by 23 November 2026, 12:00:00" in page
    manager.post(f"/notices/{running.ref}/seen", replaces="1")
    empty = manager.post(f"/notices/{running.ref}/heard", replaces="2")
    assert f'href="#outcome_{running.ref}"' in empty.text
    done = {f"heard_at_{running.ref}": "2026-11-20T21:10", f"outcome_{running.ref}": "Order made"}
    assert manager.post(f"/notices/{running.ref}/heard", replaces="2", **done).status_code == 302
    assert listed(world, NOTICE)[0].state == "heard"


def test_who_may_not_decide_sees_the_page_without_a_form_or_a_place(shared_world: World) -> None:
    ref = failure_of(shared_world)
    for who in ("facilitator", "idva", "access", "duty"):
        visitor = shared_world.visitor(who)
        for path in (f"/people/{OF}/enforcement", f"/failures/{ref}", f"/people/{OF}/orders"):
            page = visitor.get(path)
            assert page.status_code == 200
            assert 'method="post" action="/failures' not in page.text
            assert "Report a failure" not in page.text
            if who != "duty":
                assert [word for word in PLACE_WORDS if word in plain(page)] == []
            assert [word for word in VICTIM_WORDS if word in plain(page)] == []
    facilitator = shared_world.visitor("facilitator").get(f"/people/{OF}/enforcement").text
    assert "Inside an exclusion zone" not in facilitator, "alerts are for those who see the board"


def test_the_morning_view_leads_to_the_failure(world: World) -> None:
    ref = missed(world, 3, "SE-1")
    page = world.visitor("manager").get("/today").text
    assert f'href="/failures/{ref}"' in page
    assert "Decide about the failure of 17 November" in page


def test_the_demonstration_has_a_case_of_each_kind_once(world: World) -> None:
    office = Office.of(world.database.sessions)
    for _ in range(2):
        casework_orders.sprinkle_orders(office, world.clock())
    scope = office.scope(Role.OFFENDER_MANAGER)
    with world.database.sessions() as session:
        found = {
            kind.name: sorted(each.state for each in records.listed(session, scope, kind))
            for kind in (FAILURE, BREACH, NOTICE, ORDER)
        }
    assert found == {
        "failure": ["awaiting_decision", "closed", "referred", "warned"],
        "breach": ["pack_due"],
        "protection_notice": ["clock_running"],
        "order": ["live"] * 3,
    }


def test_no_letter_goes_out_against_the_word_of_the_idva(world: World) -> None:
    ref, manager = missed(world, 9, "SE-1"), world.visitor("manager")
    decide(world, ref, community_order(world))
    asked = {"what": "A letter goes out", **days_of("planned_on")}
    manager.post(f"/people/{OF}/safety-checks", **asked)
    check = listed(world, SAFETY_CHECK)[0]
    said = {f"answer_{check.ref}": "do_not", **days_of(f"until_{check.ref}")}
    world.visitor("idva").post(f"/victims/checks/{check.ref}/answer", replaces="1", **said)
    refused = manager.post(f"/failures/{ref}/letter", replaces="2", **WEEK_OF)
    assert refused.status_code == 422
    assert "Do not do this" in refused.text


def days_of(name: str) -> dict[str, str]:
    return {f"{name}-day": "21", f"{name}-month": "11", f"{name}-year": "2026"}


def test_a_failure_is_not_put_under_an_order_that_was_not_in_force(world: World) -> None:
    ref = missed(world, 200, "SE-1")
    refused = decide(world, ref, community_order(world))
    assert refused.status_code == 422
    assert "not in force on the day" in refused.text


def test_a_notice_of_long_ago_starts_no_clock(world: World) -> None:
    form = {"notice": "dapn", "given_at": "2001-01-01T10:00", "given_by": "Inspector 4411"}
    answer = world.visitor("manager").post(f"/people/{OF}/enforcement/notices", **form)
    assert answer.status_code == 422
    assert "more than a week ago" in answer.text
    assert listed(world, NOTICE) == []
