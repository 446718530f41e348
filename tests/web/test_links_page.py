"""The page behind the link of a text, as anybody who opens it sees it."""

import re

import pytest
from sqlalchemy import select
from web.world import PLACE_WORDS, World, words_of

from alerts.finding import FindingKind
from navigate_safer.db.alerting import AlertRow, TextAttemptRow, TextRow
from navigate_safer.db.people import StaffRow
from navigate_safer.services import ack_links

SITE = "https://safer.example.gov.uk"


def link_of(world: World, kind: FindingKind = FindingKind.EXCLUSION_BREACH) -> str:
    """The path of a link as a text about the alert would carry it."""
    alert_id = world.alert(world.reference(kind)).id
    with world.database.sessions.begin() as session:
        text = session.scalars(select(TextRow).where(TextRow.alert_id == alert_id)).first()
        calls = select(TextAttemptRow).where(TextAttemptRow.text_id == text.id)
        call = session.scalars(calls).first()
        alert = session.get_one(AlertRow, alert_id)
        said = ack_links.body(session, text, alert, call, SITE)
    return re.search(r"/k/[A-Za-z0-9]+$", said)[0]


def test_opening_it_asks_and_only_the_button_acknowledges(world: World) -> None:
    path, visitor = link_of(world), world.visitor()
    for _ in range(3):
        page = visitor.get(path)
        assert page.status_code == 200
    assert visitor.client.head(path).status_code == 200
    reference = world.reference(FindingKind.EXCLUSION_BREACH)
    assert world.alert(reference).state == "open"
    answer = visitor.post(path, token=False)
    assert "You have acknowledged the alert" in words_of(answer)
    assert world.alert(reference).state == "acknowledged"


def test_it_says_no_more_than_the_text(world: World) -> None:
    said = words_of(world.visitor().get(link_of(world)))
    assert world.reference(FindingKind.EXCLUSION_BREACH) in said
    assert "Urgent" in said
    for word in ["Umbershaw", "W-EXC", "exclusion", "Boughton", "Licence 12", *PLACE_WORDS]:
        assert word not in said


def test_its_address_is_told_to_nobody(world: World) -> None:
    page = world.visitor().get(link_of(world))
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "noindex" in page.text


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_used_an_expired_and_a_forged_link_each_say_so(world: World, method: str) -> None:
    visitor = world.visitor()
    used, late = link_of(world), link_of(world, FindingKind.ALCOHOL_THRESHOLD)
    visitor.post(used, token=False)
    ask = visitor.get if method == "get" else lambda path: visitor.post(path, token=False)
    spent, forged = ask(used), ask("/k/" + "A" * 22)
    world.clock.forward(hours=3)
    expired = ask(late)
    assert (spent.status_code, "has been used" in words_of(spent)) == (410, True)
    assert (forged.status_code, "does not work" in words_of(forged)) == (404, True)
    assert (expired.status_code, "has expired" in words_of(expired)) == (410, True)


def test_one_of_an_earlier_telling_says_so_and_changes_nothing(world: World) -> None:
    path, reference = link_of(world), world.reference(FindingKind.EXCLUSION_BREACH)
    world.visitor("duty").post(f"/alerts/{reference}/acknowledge")
    world.clock.forward(minutes=16)
    world.watch.escalate()
    answer = world.visitor().post(path, token=False)
    assert (answer.status_code, "told again since" in words_of(answer)) == (410, True)
    assert world.alert(reference).state == "open"


def test_whoever_is_signed_in_cannot_use_a_colleague_s(world: World) -> None:
    path = link_of(world)
    refused = world.visitor("supervisor").post(path, token=False)
    assert (refused.status_code, "not yours" in words_of(refused)) == (403, True)
    assert world.reference(FindingKind.EXCLUSION_BREACH) not in refused.text
    own = world.visitor("duty").post(path, token=False)
    assert own.status_code == 200
    alert = world.alert(world.reference(FindingKind.EXCLUSION_BREACH))
    assert alert.acknowledged_by == world.database.one(StaffRow, StaffRow.ref == "duty").id
