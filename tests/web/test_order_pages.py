"""Orders through their pages: made, given clauses, varied, ended; and what a form refuses."""

from datetime import date

import pytest
from web.enforcing import OF, order_of
from web.world import HOSTILE, World

from navigate_safer.db.people import ConditionRow, OrderRow

ZONE = "0f9a20f4-35c7-4c77-8af8-f200f153fa11"
CURFEW = "52faefcf-15f0-42c5-b908-621b4a7ecdb9"
BY = {"varied_by": "Chester Crown Court", "why": "On appeal"}


def days(**named: date) -> dict[str, str]:
    return {
        f"{name}-{part}": str(getattr(day, part))
        for name, day in named.items()
        for part in ("day", "month", "year")
    }


def new(kind: str = "dvpo", **more: str) -> dict[str, str]:
    first, last = date(2026, 11, 20), date(2026, 12, 10)
    return {
        "kind": kind, "made_by": "Chester Magistrates' Court",
        **days(made_on=first, starts_on=first, ends_on=last), **more,
    }  # fmt: skip


def clause(**more: str) -> dict[str, str]:
    return {
        "code": ZONE, "number": "2", "monitored": "yes", "severity": "high", "zone": "Z-CROSS",
        "from_at": "2026-11-20T21:00", "replaces": "1", **BY, **more,
    }  # fmt: skip


def test_an_order_is_made_given_a_clause_varied_and_ended(world: World) -> None:
    manager = world.visitor("manager")
    answer = manager.post(f"/people/{OF}/orders/new", **new())
    assert answer.status_code == 302
    path = answer.location
    assert "nothing is checked under this order" in manager.get(path).text
    assert manager.post(f"{path}/clauses/new", **clause()).status_code == 302
    page = manager.get(path).text
    assert "Rookery Cross exclusion" in page
    assert "21 days left" in page
    longer = days(ends_on=date(2026, 12, 17))
    varied = manager.post(
        f"{path}/vary", varied_from="2026-11-20T21:10", replaces="2", **BY, **longer
    )
    assert varied.status_code == 302
    ended = manager.post(f"{path}/end", varied_from="2026-11-20T21:15", replaces="3", **BY)
    assert ended.status_code == 302
    assert "Revoked" in manager.get(path).text
    number = int(path.rsplit("/", 1)[1])
    row = world.database.one(ConditionRow, ConditionRow.order_id == number)
    assert row.until_at is not None
    assert world.database.one(OrderRow, OrderRow.id == number).ends_on == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"kind": ""}, "kind", "Select which kind of order it is"),
        (days(ends_on=date(2026, 11, 25)), "ends_on", "at least 14 days; this is 6"),
        (
            days(starts_on=date(2026, 11, 19)),
            "starts_on",
            "not before the day on which it was made",
        ),
        (days(made_on=date(2026, 11, 25)), "made_on", "today or in the past"),
        ({"made_on-month": "13"}, "made_on", "as a real date"),
        ({"kind": "licence"}, "starts_on", "There is one in force already"),
    ],
)
def test_an_order_that_cannot_be_keeps_what_was_typed(
    shared_world: World, change: dict[str, str], field: str, told: str
) -> None:
    before = shared_world.database.count(OrderRow)
    form = new(**change)
    answer = shared_world.visitor("manager").post(f"/people/{OF}/orders/new", **form)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert told in answer.text
    assert "Chester Magistrates&#39; Court" in answer.text
    assert shared_world.database.count(OrderRow) == before


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"zone": ""}, "zone", "Select the zone"),
        ({"zone": "Z-HOME"}, "zone", "Select a zone of kind exclusion"),
        ({"zone": "Z-CREWE"}, "zone", "Select the zone"),
        ({"from_at": "2026-01-01T10:00"}, "from_at", "Enter a start within the order"),
        ({"until_at": "2026-11-20T20:00"}, "until_at", "after the start"),
        ({"number": ""}, "number", "Enter the number"),
        ({"number": "Licence 12"}, "number", "There is a clause Licence 12 already"),
        ({"zone": "Z-CROSS"}, "zone", "is about this zone already"),
        ({"code": CURFEW, "zone": "Z-HOME"}, "fill_times", "Enter when"),
        ({"code": "no-such"}, "code", "Select a condition"),
        ({"why": "Her home is CH1 2AB"}, "why", "Take out the postcode"),
    ],
)
def test_a_clause_that_cannot_be_is_refused_at_its_field(
    shared_world: World, change: dict[str, str], field: str, told: str
) -> None:
    before = shared_world.database.count(ConditionRow)
    path = f"/people/{OF}/orders/{order_of(shared_world)}/clauses/new"
    answer = shared_world.visitor("manager").post(path, **{**clause(replaces="0"), **change})
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert told in answer.text
    assert shared_world.database.count(ConditionRow) == before


def test_an_order_of_a_case_file_is_varied_and_the_second_officer_is_told(world: World) -> None:
    path = f"/people/{OF}/orders/{order_of(world)}"
    manager = world.visitor("manager")
    form = {"varied_from": "2026-11-20T21:16", "replaces": "0", **BY}
    first = manager.post(f"{path}/vary", **form, **days(ends_on=date(2027, 3, 1)))
    assert first.status_code == 302
    late = manager.post(f"{path}/vary", **form, **days(ends_on=date(2027, 5, 1)))
    assert late.status_code == 409
    assert "2027-03-01" in late.text
    assert "2027-05-01" in late.text
    assert manager.post(f"{path}/clauses/1/end", **{**form, "replaces": "2"}).status_code == 302
    assert "Over since" in manager.get(path).text


def test_an_alarm_is_seen_to_and_the_next_one_comes(world: World) -> None:
    manager = world.visitor("manager")
    path = manager.post(f"/people/{OF}/orders/new", **new()).location
    assert "Plan what follows" in manager.get(path).text
    manager.post(f"{path}/seen", alarm="plan", replaces="1")
    page = manager.get(path).text
    assert "Plan what follows" not in page
    assert "decide what follows" in page
    manager.post(f"{path}/seen", alarm="plan", replaces="2")
    assert "decide what follows" in manager.get(path).text


def test_hostile_words_of_an_order_are_words(shared_world: World) -> None:
    page = shared_world.visitor("manager").get("/people/W-BAD/orders").text
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
