"""One invented man from referral to closure, through the pages, as the people who work with him.

A breach told by his tag, two sessions missed, a warning letter, a second failure that goes to an
enforcement officer, a MARAC; and the morning view of each day says who needs somebody.
With NAVIGATE_SAFER_SHOW=folder it leaves a picture of each page there, to be looked at.
"""

import os
import re
from datetime import date, timedelta
from pathlib import Path

import case_files as msg
import pytest
from playwright.sync_api import Browser
from web.browsing import visit_as
from web.cohort_forms import day, details, panel, step
from web.test_browser import browser, served  # noqa: F401 - a fixture
from web.world import AWAY, CROSS, World, words_of

from alerts.finding import FindingKind
from navigate_safer.db.case_records import CaseRecordRow
from navigate_safer.db.people import DeviceRow, FittingRow, OrderRow, StaffRow, WearerRow
from navigate_safer.people.assessment_forms import form
from navigate_safer.people.casefile import CaseFile, Device
from navigate_safer.services import register
from navigate_safer.web import wall_time

NAME = "Godric Wistaston"
TAG = "TAG-GODRIC"
EXCLUSION = "0f9a20f4-35c7-4c77-8af8-f200f153fa11"
REFERRAL = {
    "area": "west", "given_name": "Godric", "family_name": "Wistaston", "born_on-day": "6",
    "born_on-month": "5", "born_on-year": "1990", "pnc": "2012/123456a", "locality": "Hoole",
    "source": "Probation", "caller": "agency", "received_at": "2026-11-20T20:30",
    "reason": "He has asked for help", "what": "Shouting and a broken door", "alcohol": "yes",
    "drugs": "no", "repeat": "yes", "same_sex": "no", "children": "yes", "victims": "2",
}  # fmt: skip


class Walk:
    """The office, the man's reference once he has one, and pictures where they are wanted."""

    def __init__(self, world: World, shots: "Shots") -> None:
        self.world, self.shots = world, shots
        self.ref = ""

    def get(self, who: str, path: str) -> str:
        answer = self.world.visitor(who).get(path.replace("HIM", self.ref))
        assert answer.status_code == 200, (path, words_of(answer))
        return words_of(answer)

    def post(self, who: str, path: str, **form: str) -> str:
        answer = self.world.visitor(who).post(path.replace("HIM", self.ref), **form)
        told = words_of(answer)[:600] if answer.status_code != 302 else ""
        assert answer.status_code == 302, f"{path}: {told}"
        return answer.location

    def picture(self, who: str, path: str, name: str) -> None:
        self.shots.take(self.world, who, path.replace("HIM", self.ref), name)

    def today(self) -> date:
        return self.world.clock().date()

    def forward(self, **span: float) -> None:
        self.world.clock.forward(**span)

    def newest(self, kind: str) -> CaseRecordRow:
        rows = self.world.database.all(CaseRecordRow, CaseRecordRow.kind == kind)
        return next(row for row in reversed(rows) if row.superseded_at is None)


class Shots:
    """Pictures of pages in a real browser; none unless a folder is named."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request, self._folder = request, os.environ.get("NAVIGATE_SAFER_SHOW", "")
        self._taken = 0

    def take(self, world: World, who: str, path: str, name: str) -> None:
        if not self._folder:
            return
        chromium: Browser = self._request.getfixturevalue("browser")
        for address in served(world):
            visit = visit_as(chromium, world, address, who)
            visit.page.goto(f"{address}{path}")
            self._taken += 1
            file = Path(self._folder) / f"{self._taken:02d}-{name}.png"
            visit.page.screenshot(path=str(file), full_page=True)
            visit.page.context.close()


@pytest.fixture
def walk(quiet_world: World, request: pytest.FixtureRequest) -> Walk:
    return Walk(quiet_world, Shots(request))


def test_from_referral_to_closure(walk: Walk) -> None:
    he_is_referred_and_taken_on(walk)
    somebody_harmed_is_registered_and_assessed(walk)
    he_is_selected_with_somebody_for_each_part(walk)
    an_order_and_a_plan_are_made(walk)
    his_tag_tells_of_a_breach(walk)
    he_misses_a_session_and_is_warned(walk)
    he_misses_another_and_it_must_be_referred(walk)
    he_is_heard_at_the_marac(walk)
    everything_is_closed(walk)
    everybody_saw_what_is_theirs(walk)


def he_is_referred_and_taken_on(walk: Walk) -> None:
    place = walk.post("access", "/intake/new", **REFERRAL)
    assert "2: serial" in walk.get("access", place)
    walk.picture("access", place, "referral")
    walk.post(
        "access", f"{place}/decide", outcome="appropriate", decision_reason="Serial and willing",
        put_to="new", band="high", replaces="1",
    )  # fmt: skip
    walk.ref = walk.world.database.one(WearerRow, WearerRow.name == NAME).ref
    assert "Band: High" in walk.get("manager", "/people/HIM/assessments")


def somebody_harmed_is_registered_and_assessed(walk: Walk) -> None:
    assert "An IDVA registers her first" in walk.get("manager", "/people/HIM/assessments")
    area = re.search(r'value="(\d+)"', walk.world.visitor("idva").get("/victims/new").text)[1]
    place = walk.post(
        "idva", "/victims/new", name="Eadgyth Saighton", area=area, wearer=walk.ref,
        in_refuge="yes",
    )  # fmt: skip
    victim = place.rpartition("/")[2]
    walk.picture("idva", place, "victim")
    dash = f"/people/HIM/assessments/dash/{victim}"
    items = [item.id for item in form("dash").items()]
    answers = {f"a_{item}": "yes" if n < 15 else "no" for n, item in enumerate(items)}
    walk.post(
        "idva", dash, assessor="I. Ashworthy", agency="IDVA service", replaces="0",
        **answers, **day("on", walk.today()),
        **day("review_on", walk.today() + timedelta(days=90)),
    )  # fmt: skip
    walk.post(
        "idva", f"{place}/contact", reached="spoke", feels="the_same", note="She is well",
    )  # fmt: skip
    walk.post(
        "idva", f"{place}/disclosure", basis="right_to_know", told_by="I. Ashworthy, IDVA service",
        what="His orders, and what they forbid", wearer=walk.ref, **day("told_on", walk.today()),
    )  # fmt: skip
    shown = walk.get("manager", "/people/HIM/assessments")
    assert "15 of 24" in shown
    assert "Saighton" not in shown


def he_is_selected_with_somebody_for_each_part(walk: Walk) -> None:
    world = walk.world
    walk.post("manager", "/people/HIM/cohort/panel", **panel(world))
    manager = world.database.one(StaffRow, StaffRow.ref == "manager").id
    walk.post(
        "manager", "/people/HIM/cohort/leads", key_worker=str(manager), reason="His officer",
        police_lead="DS A. Aldersey", probation_lead="B. Bostock", team="", replaces="0",
    )  # fmt: skip
    shown = walk.get("manager", "/people/HIM/cohort")
    assert "DS A. Aldersey" in shown
    walk.picture("manager", "/people/HIM/cohort", "cohort")


def an_order_and_a_plan_are_made(walk: Walk) -> None:
    world, today = walk.world, walk.today()
    first = {**day("made_on", today), **day("starts_on", today)}
    order = walk.post(
        "manager", "/people/HIM/orders/new", kind="community_order",
        made_by="Chester Magistrates' Court", case_number="CH/26/99", **first,
        **day("ends_on", today + timedelta(days=364)),
    )  # fmt: skip
    walk.post(
        "manager", f"{order}/clauses/new", code=EXCLUSION, number="3", monitored="yes",
        severity="critical", zone="Z-CROSS", from_at=wall_time.written(world.clock()),
        varied_by="Chester Magistrates' Court", why="Made with the order", replaces="1",
    )  # fmt: skip
    walk.picture("manager", order, "order")
    walk.post("manager", "/people/HIM/plan/details", **details(world))
    walk.post("manager", "/people/HIM/plan/step", **step(world, replaces="1"))
    assert "The plan is incomplete" in walk.get("manager", "/people/HIM/plan")
    help_him = step(world, what="Abuse work", strand="support", action="abuse_work", replaces="2")
    walk.post("manager", "/people/HIM/plan/step", **help_him)
    assert "The plan is incomplete" not in walk.get("manager", "/people/HIM/plan")
    walk.post(
        "manager", "/people/HIM/plan/agreement", of_person="I come to my appointments.",
        of_us="We say why.", reason="first", replaces="0",
    )  # fmt: skip
    walk.picture("manager", "/people/HIM/plan", "plan")


def his_tag_tells_of_a_breach(walk: Walk) -> None:
    world = walk.world
    # Fitting is the contractor's: a tag comes with the case file, and is on him from now.
    register.register(
        world.database.sessions, CaseFile(v=1, devices=[Device(TAG, "tag")]), world.clock()
    )
    with world.database.sessions.begin() as session:
        session.add(
            FittingRow(
                device_id=world.database.one(DeviceRow, DeviceRow.ref == TAG).id,
                wearer_id=world.database.one(WearerRow, WearerRow.ref == walk.ref).id,
                fitted_at=world.clock(),
            )
        )
    walk.forward(minutes=5)
    world.watch.hear(*msg.walk(TAG, AWAY, CROSS, CROSS, start=world.clock()))
    world.watch.deliver()
    alert = world.reference(FindingKind.EXCLUSION_BREACH, walk.ref)
    assert "Inside an exclusion zone" in walk.get("manager", "/today")
    walk.picture("manager", "/today", "today-with-a-breach")
    walk.post("duty", f"/alerts/{alert}/acknowledge")
    walk.picture("duty", f"/alerts/{alert}", "alert")
    world.watch.hear(*msg.walk(TAG, AWAY, AWAY, start=world.clock() + timedelta(minutes=4)))
    walk.forward(minutes=8)
    walk.post("duty", f"/alerts/{alert}/resolve", outcome="breach_confirmed", note="Sent home")
    assert "Red" in walk.get("manager", "/people/HIM/cohort")


def session_is_missed(walk: Walk, title: str) -> str:
    """A session of today at which he was not; the reference of the failure that is proposed."""
    begun = walk.world.clock() - timedelta(hours=2)
    walk.post(
        "facilitator", "/people/HIM/sessions", title=title, starts_at=wall_time.written(begun),
        minutes="60", weeks="1", mode="in_person", place="Boughton centre",
    )  # fmt: skip
    sitting = walk.newest("session")
    walk.post(
        "facilitator", f"/sessions/{sitting.ref}", outcome="UAAB", replaces=str(sitting.version)
    )
    failure = walk.newest("failure")
    assert failure.state == "awaiting_decision"
    return failure.ref


def decided(walk: Walk, failure: str) -> None:
    order = walk.world.database.all(OrderRow)[-1]
    walk.post(
        "manager", f"/failures/{failure}/decide", acceptable="no", why="No proof was shown",
        order_ref=order.ref, requirement="Attend the programme", what="You missed your session",
        replaces="1",
    )  # fmt: skip


def he_misses_a_session_and_is_warned(walk: Walk) -> None:
    walk.forward(days=3)
    first = session_is_missed(walk, "Early signs")
    decided(walk, first)
    letter = walk.world.visitor("manager").get(f"/failures/{first}/letter.pdf")
    assert letter.data.startswith(b"%PDF")
    walk.post("manager", f"/failures/{first}/letter", replaces="2", **day("sent_on", walk.today()))
    walk.picture("manager", f"/failures/{first}", "first-failure")


def he_misses_another_and_it_must_be_referred(walk: Walk) -> None:
    walk.forward(days=14)
    second = session_is_missed(walk, "Taking responsibility")
    decided(walk, second)
    assert "must go to an enforcement officer" in walk.get("manager", f"/failures/{second}")
    refused = walk.world.visitor("manager").post(
        f"/failures/{second}/close", close_why="He came since", replaces="2"
    )
    assert refused.status_code == 422
    walk.post(
        "manager", f"/failures/{second}/refer", referred_to="E. Officer", refer_why="Second",
        replaces="2",
    )  # fmt: skip
    breach = walk.newest("breach")
    walk.post(
        "manager", f"/breaches/{breach.ref}/sign", statement="Two were missed.", true="yes",
        replaces=str(breach.version),
    )  # fmt: skip
    assert walk.world.visitor("manager").get(f"/breaches/{breach.ref}/pack.pdf").data[:4] == b"%PDF"
    walk.picture("manager", "/people/HIM/enforcement", "enforcement")


def he_is_heard_at_the_marac(walk: Walk) -> None:
    area = re.search(r'value="(\d+)"', walk.world.visitor("access").get("/meetings/new").text)[1]
    place = walk.post(
        "access", "/meetings/new", kind="marac", area=area, starts="10:00", chair="C. Hairburgh",
        **day("held_on", walk.today()),
    )  # fmt: skip
    walk.post(
        "access", f"{place}/agenda", person=walk.ref, referred_by="Police", why="A second failure",
        **day("referred_on", walk.today()),
    )  # fmt: skip
    walk.post(
        "manager",
        "/people/HIM/safety-checks",
        what="A letter goes out",
        **day("planned_on", walk.today()),
    )
    check, item = walk.newest("safety_check"), walk.newest("panel_item")
    walk.post(
        "idva", f"/victims/checks/{check.ref}/answer", replaces="1",
        **{f"answer_{check.ref}": "go_ahead"}, **day(f"until_{check.ref}", walk.today()),
    )  # fmt: skip
    walk.post(
        "idva", f"{place}/minutes", starts="10:00", chair="C. Hairburgh", minutes="All came.",
        replaces="1", agency_1="Police", name_1="DS A. Aldersey",
        **{f"heard_{item.ref}": "heard", f"minutes_{item.ref}": "He is offered a place."},
        **{f"version_{item.ref}": "1"}, **day("held_on", walk.today()),
    )  # fmt: skip
    walk.post(
        "manager", f"{place}/actions", about=walk.ref, what="Offer a place", agency="Probation",
        owner="B. Bostock", **day("due_on", walk.today()),
    )  # fmt: skip
    assert "Action of a meeting" in walk.get("manager", "/today")
    action = walk.newest("panel_action")
    done = {f"result_{action.ref}": "He took it", "replaces": "1"}
    walk.post("manager", f"/meetings/actions/{action.ref}/done", **done)
    walk.picture("manager", place, "marac")


def everything_is_closed(walk: Walk) -> None:
    world = walk.world
    order = world.database.all(OrderRow)[-1]
    row = walk.newest("order")
    walk.forward(days=1)
    walk.post(
        "manager", f"/people/HIM/orders/{order.id}/end", varied_by="Chester Magistrates' Court",
        varied_from=wall_time.written(world.clock()), why="Revoked: sentenced again",
        replaces=str(row.version),
    )  # fmt: skip
    plan = walk.newest("plan")
    walk.post(
        "manager", "/people/HIM/plan/end", reason="Sentenced again", replaces=str(plan.version)
    )
    walk.forward(minutes=30)
    world.watch.hear(*msg.walk(TAG, AWAY, CROSS, CROSS, start=world.clock()))
    reference = world.reference(FindingKind.EXCLUSION_BREACH, walk.ref)
    assert world.alert(reference).state == "resolved", "no rule without a live clause"
    early = world.visitor("manager").post(
        f"/people/{walk.ref}/close", why="sentenced", replaces="0"
    )
    assert "This case cannot be closed yet: this person is in the cohort" in words_of(early)
    leaves = panel(world, decision="transferred", reasons="Sentenced to four years", replaces="1")
    walk.post("manager", "/people/HIM/cohort/panel", **leaves)
    walk.post("manager", "/people/HIM/close", why="sentenced", words="Four years", replaces="0")
    assert "This case is closed" in walk.get("manager", "/people/HIM")
    walk.forward(days=200)
    assert NAME not in walk.get("manager", "/today")
    assert NAME not in walk.get("manager", "/caseload")
    walk.picture("manager", "/people/HIM/timeline", "timeline")


def everybody_saw_what_is_theirs(walk: Walk) -> None:
    told = walk.get("manager", "/people/HIM/timeline")
    for what in ("Inside an exclusion zone", "Failure", "Heard at a meeting", "Plan", "Referral"):
        assert what in told
    assert "Case closed" in told
    assert "A second failure" not in walk.get("duty", "/people/HIM/timeline")
    for who in ("manager", "access", "duty", "facilitator", "supervisor"):
        assert "Saighton" not in walk.get(who, "/people/HIM/timeline")
        assert walk.world.visitor(who).get("/victims").status_code == 403
